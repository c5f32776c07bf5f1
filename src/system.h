// What differs between systems: system.c implements it for Unix and for Windows.

#ifndef MANGORO_SYSTEM_H
#define MANGORO_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
typedef HANDLE mg_pipe;
#define NO_PIPE NULL
#else
#include <pthread.h>
typedef int mg_pipe;
#define NO_PIPE (-1)
#endif

int mg_process_id(void);
bool mg_is_main_thread(void); // that in which this code was loaded
void mg_note_main_thread(void);

// --- Pipes that a child writes to ---

enum { PIPE_EMPTY = -1, PIPE_ENDED = 0 };

// The end to read from, and the file descriptor of the other one. Other children
// inherit neither.
bool mg_pipe_open(mg_pipe *read, int *write);
// How much was read, without a wait.
ptrdiff_t mg_pipe_read(mg_pipe pipe, char *data, size_t room);
void mg_pipe_close(mg_pipe pipe);
void mg_descriptor_close(int descriptor);

// --- A thread that reads them ---

enum { MAX_PIPES = 2 };

// `pipes` says which of them are open, `read` reads what there is; both are called
// with the lock. The thread ends with the last pipe.
typedef struct {
  void *of;
  size_t (*pipes)(void *of, mg_pipe *pipes);
  void (*read)(void *of);
  bool running;
#ifdef _WIN32
  CRITICAL_SECTION next, lock;
  HANDLE thread, stop;
#else
  pthread_mutex_t next, lock;
  pthread_t thread;
  int stop[2];
#endif
} mg_reader;

bool mg_reader_start(mg_reader *r, void *of, size_t (*pipes)(void *, mg_pipe *), void (*read)(void *));
void mg_reader_lock(mg_reader *r);
void mg_reader_unlock(mg_reader *r);
void mg_reader_stop(mg_reader *r); // waits for the end of the thread; once or more

// --- Directories that are locked ---

typedef struct {
#ifdef _WIN32
  HANDLE handle;
#else
  int descriptor;
#endif
} mg_dir_lock;

typedef enum { DIR_LOCKED, DIR_TAKEN, DIR_REFUSED } mg_dir_made;

// Makes a directory that is locked until it is unlocked or this process ends,
// however it ends. If it is taken, there is something of that name, or somebody has
// removed it before it was locked: another name will do.
mg_dir_made mg_dir_make_locked(const char *path, mg_dir_lock *lock);
void mg_dir_unlock(mg_dir_lock *lock);
// Whether it is a directory of this user's that no process has locked.
bool mg_dir_is_unlocked(const char *path);

#endif
