// Threads, pipes and locked directories of Unix and Windows.

#include "system.h"

#ifdef _WIN32

#include <fcntl.h>
#include <io.h>
#include <process.h>

int mg_process_id(void) { return _getpid(); }

static DWORD main_thread;
void mg_note_main_thread(void) { main_thread = GetCurrentThreadId(); }
bool mg_is_main_thread(void) { return GetCurrentThreadId() == main_thread; }

bool mg_pipe_open(mg_pipe *read, int *write) {
  HANDLE from, to;
  if (!CreatePipe(&from, &to, NULL, 1 << 16)) return false;
  *write = _open_osfhandle((intptr_t)to, _O_WRONLY | _O_BINARY);
  if (*write < 0) {
    CloseHandle(from);
    CloseHandle(to);
    return false;
  }
  *read = from;
  return true;
}

ptrdiff_t mg_pipe_read(mg_pipe pipe, char *data, size_t room) {
  DWORD there, got;
  if (!PeekNamedPipe(pipe, NULL, 0, NULL, &there, NULL)) return PIPE_ENDED;
  if (there == 0) return PIPE_EMPTY;
  if (there > room) there = (DWORD)room;
  return ReadFile(pipe, data, there, &got, NULL) && got > 0 ? (ptrdiff_t)got : PIPE_ENDED;
}

void mg_pipe_close(mg_pipe pipe) { CloseHandle(pipe); }

void mg_descriptor_close(int descriptor) { _close(descriptor); }

// Windows does not tell when a pipe can be read: how often the thread looks, in
// milliseconds.
enum { LOOK = 10 };

static unsigned __stdcall run(void *argument) {
  mg_reader *r = argument;
  mg_pipe pipes[MAX_PIPES];
  size_t open = 1;
  while (open > 0 && WaitForSingleObject(r->stop, LOOK) == WAIT_TIMEOUT) {
    mg_reader_lock(r);
    r->read(r->of);
    open = r->pipes(r->of, pipes);
    mg_reader_unlock(r);
  }
  return 0;
}

bool mg_reader_start(mg_reader *r, void *of, size_t (*pipes)(void *, mg_pipe *), void (*read)(void *)) {
  r->of = of;
  r->pipes = pipes;
  r->read = read;
  r->stop = CreateEvent(NULL, TRUE, FALSE, NULL);
  if (!r->stop) return false;
  InitializeCriticalSection(&r->next);
  InitializeCriticalSection(&r->lock);
  r->running = true;
  r->thread = (HANDLE)_beginthreadex(NULL, 0, run, r, 0, NULL);
  if (!r->thread) {
    r->running = false;
    DeleteCriticalSection(&r->next);
    DeleteCriticalSection(&r->lock);
    CloseHandle(r->stop);
  }
  return r->running;
}

static void lock(CRITICAL_SECTION *lock) { EnterCriticalSection(lock); }

static void unlock(CRITICAL_SECTION *lock) { LeaveCriticalSection(lock); }

void mg_reader_stop(mg_reader *r) {
  if (!r->running) return;
  SetEvent(r->stop);
  WaitForSingleObject(r->thread, INFINITE);
  r->running = false;
  CloseHandle(r->thread);
  CloseHandle(r->stop);
  DeleteCriticalSection(&r->next);
  DeleteCriticalSection(&r->lock);
}

static HANDLE dir_open(const char *path, DWORD share) {
  return CreateFileA(path, GENERIC_READ, share, NULL, OPEN_EXISTING,
                     FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

mg_dir_made mg_dir_make_locked(const char *path, mg_dir_lock *lock) {
  if (!CreateDirectoryA(path, NULL)) return GetLastError() == ERROR_ALREADY_EXISTS ? DIR_TAKEN : DIR_REFUSED;
  // What is open to be shared can be renamed and removed, but not opened unshared.
  lock->handle = dir_open(path, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE);
  return lock->handle != INVALID_HANDLE_VALUE ? DIR_LOCKED : DIR_TAKEN;
}

void mg_dir_unlock(mg_dir_lock *lock) { CloseHandle(lock->handle); }

bool mg_dir_is_unlocked(const char *path) {
  HANDLE handle = dir_open(path, 0);
  if (handle == INVALID_HANDLE_VALUE) return false;
  BY_HANDLE_FILE_INFORMATION info;
  bool dir = GetFileInformationByHandle(handle, &info) && (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
             !(info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
  CloseHandle(handle);
  return dir;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int mg_process_id(void) { return (int)getpid(); }

static pthread_t main_thread;
void mg_note_main_thread(void) { main_thread = pthread_self(); }
bool mg_is_main_thread(void) { return pthread_equal(pthread_self(), main_thread) != 0; }

// --- Pipes ---

static bool make_pipe(int ends[2]) {
  if (pipe(ends) != 0) return false;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return true;
}

bool mg_pipe_open(mg_pipe *read, int *write) {
  int ends[2];
  if (!make_pipe(ends)) return false;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *read = ends[0];
  *write = ends[1];
  return true;
}

ptrdiff_t mg_pipe_read(mg_pipe pipe, char *data, size_t room) {
  ssize_t got;
  do got = read(pipe, data, room);
  while (got < 0 && errno == EINTR);
  if (got >= 0) return got;
  return errno == EAGAIN || errno == EWOULDBLOCK ? PIPE_EMPTY : PIPE_ENDED;
}

void mg_pipe_close(mg_pipe pipe) { close(pipe); }

void mg_descriptor_close(int descriptor) { close(descriptor); }

// --- The thread ---

static void *run(void *argument) {
  mg_reader *r = argument;
  for (;;) {
    mg_pipe pipes[MAX_PIPES];
    struct pollfd ready[MAX_PIPES + 1];
    mg_reader_lock(r);
    size_t n = r->pipes(r->of, pipes);
    mg_reader_unlock(r);
    if (n == 0) return NULL;
    for (size_t i = 0; i < n; i++) ready[i] = (struct pollfd){.fd = pipes[i], .events = POLLIN};
    ready[n] = (struct pollfd){.fd = r->stop[0], .events = POLLIN};
    if (poll(ready, n + 1, -1) < 0 && errno != EINTR) return NULL;
    if (ready[n].revents) return NULL;
    mg_reader_lock(r);
    r->read(r->of);
    mg_reader_unlock(r);
  }
}

bool mg_reader_start(mg_reader *r, void *of, size_t (*pipes)(void *, mg_pipe *), void (*read)(void *)) {
  r->of = of;
  r->pipes = pipes;
  r->read = read;
  if (!make_pipe(r->stop)) return false;
  pthread_mutex_init(&r->next, NULL);
  pthread_mutex_init(&r->lock, NULL);
  r->running = true;
  // Signals are R's, and its handlers are for its own thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&r->thread, NULL, run, r);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) {
    r->running = false;
    pthread_mutex_destroy(&r->next);
    pthread_mutex_destroy(&r->lock);
    close(r->stop[0]);
    close(r->stop[1]);
  }
  return r->running;
}

static void lock(pthread_mutex_t *lock) { pthread_mutex_lock(lock); }

static void unlock(pthread_mutex_t *lock) { pthread_mutex_unlock(lock); }

void mg_reader_stop(mg_reader *r) {
  if (!r->running) return;
  ssize_t sent; // to close it would not do: a fork of R has it open as well
  do sent = write(r->stop[1], "", 1);
  while (sent < 0 && errno == EINTR);
  pthread_join(r->thread, NULL);
  close(r->stop[0]);
  close(r->stop[1]);
  pthread_mutex_destroy(&r->next);
  pthread_mutex_destroy(&r->lock);
  r->running = false;
}

// --- Directories ---

static int dir_open(const char *path) { return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

mg_dir_made mg_dir_make_locked(const char *path, mg_dir_lock *lock) {
  if (mkdir(path, 0700) != 0) return errno == EEXIST ? DIR_TAKEN : DIR_REFUSED;
  lock->descriptor = dir_open(path);
  struct stat opened, there;
  // Another process may have taken it for a leftover, and locked or removed it. A
  // file system without locks has unlocked directories that nobody can lock.
  if (lock->descriptor >= 0) {
    bool ours = (flock(lock->descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
                fstat(lock->descriptor, &opened) == 0 && stat(path, &there) == 0 && opened.st_ino == there.st_ino;
    if (ours) return DIR_LOCKED;
    close(lock->descriptor);
  }
  return DIR_TAKEN;
}

void mg_dir_unlock(mg_dir_lock *lock) { close(lock->descriptor); }

bool mg_dir_is_unlocked(const char *path) {
  int descriptor = dir_open(path);
  if (descriptor < 0) return false;
  struct stat info;
  bool unlocked =
      fstat(descriptor, &info) == 0 && info.st_uid == geteuid() && flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  close(descriptor);
  return unlocked;
}

#endif

// Whoever waits gets the lock next. With one mutex alone the thread would always take it
// again first while a server floods.
void mg_reader_lock(mg_reader *r) {
  if (!r->running) return;
  lock(&r->next);
  lock(&r->lock);
  unlock(&r->next);
}

void mg_reader_unlock(mg_reader *r) {
  if (r->running) unlock(&r->lock);
}
