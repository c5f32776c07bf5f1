// What differs between systems, on a page: system.c has one body for Unix and one
// for Windows.

#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
typedef HANDLE pipe_end;
#define NO_PIPE NULL
#else
#include <pthread.h>
typedef int pipe_end;
#define NO_PIPE (-1)
#endif

int process_id(void);

// --- Pipes that a child writes to ---

enum { PIPE_EMPTY = -1, PIPE_ENDED = 0 };

// The end to read from, and the file descriptor of the other one. Other children
// inherit neither.
bool pipe_open(pipe_end *read, int *write);
// How much was read, without a wait.
ptrdiff_t pipe_read(pipe_end pipe, char *data, size_t room);
void pipe_close(pipe_end pipe);
void descriptor_close(int descriptor);

// --- A thread that reads them ---

enum { MAX_PIPES = 2 };

// `pipes` says which of them are open, `read` reads what there is; both are called
// with the lock. The thread ends with the last pipe.
typedef struct {
  void *of;
  size_t (*pipes)(void *of, pipe_end *pipes);
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
} reader;

bool reader_start(reader *r, void *of, size_t (*pipes)(void *, pipe_end *), void (*read)(void *));
void reader_lock(reader *r);
void reader_unlock(reader *r);
void reader_stop(reader *r); // waits for the end of the thread; once or more

// --- Directories that are locked ---

typedef struct {
#ifdef _WIN32
  HANDLE handle;
#else
  int descriptor;
#endif
} dir_lock;

typedef enum { DIR_LOCKED, DIR_TAKEN, DIR_REFUSED } dir_made;

// Makes a directory that is locked until it is unlocked or this process ends,
// however it ends. If it is taken, there is something of that name, or somebody has
// removed it before it was locked: another name will do.
dir_made dir_make_locked(const char *path, dir_lock *lock);
void dir_unlock(dir_lock *lock);
// Whether it is a directory of this user's that no process has locked.
bool dir_is_unlocked(const char *path);

#endif
