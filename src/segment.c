// Segments: memory files (memfd) that Go opens in /proc. They can grow but not shrink, and
// their pages exist before they are used (fallocate), so that nobody who has mapped one gets
// a SIGBUS.
//
// R's collector does not see this memory. When what is leased passes a trigger we run it,
// which ends the views that nobody refers to any more; beyond a limit there are no segments,
// and callers make ordinary vectors. What comes back is kept in a pool, as pages that exist
// are written ten times faster than new ones; the last that came is the first to go, as it is
// the likeliest to be in the processor's cache. It goes to the server that had it before, which
// may still write to it: no program changes the results of another.

#ifdef __linux__
#define _GNU_SOURCE
#endif

#include "segment.h"
#include "entries.h"

#include <R_ext/Memory.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// --- The operating system -----------------------------------------------------

// For tests of what happens if one fails: each system call asks first.
static int system_calls, fail_at;

#if defined(SYS_memfd_create) && defined(MFD_ALLOW_SEALING) && defined(F_ADD_SEALS)

static bool fails(void) {
  system_calls++;
  if (fail_at == 0 || --fail_at > 0) return false;
  errno = ENOMEM;
  return true;
}

#define SYSTEM(call) (fails() ? -1 : (call))

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static pid_t owner;             // the process that the segments belong to
static volatile unsigned forks; // of it
static bool refused;            // the system has no such memory for us

static void count_fork(void) { forks++; }

static bool is_fork(void) { return getpid() != owner; }

double mg_seconds(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) return 0;
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// A limit on the size of files is one on these too, and who passes it is killed.
static bool files_are_limited(void) {
  struct rlimit limit;
  return SYSTEM(getrlimit(RLIMIT_FSIZE, &limit)) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

// Memory that must not be run as a program, if the system knows this wish.
static int new_file(void) {
  int fd = (int)SYSTEM(syscall(SYS_memfd_create, "mangoro", MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  if (fd < 0 && errno == EINVAL) {
    fd = (int)SYSTEM(syscall(SYS_memfd_create, "mangoro", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EINVAL)) refused = true;
  return fd;
}

// What one fallocate() asks for. A signal makes it begin anew, so that a large one might
// never end while a profiler runs.
#define PIECE ((size_t)4 << 20)

// Bytes `from` to `to` of the file get their pages.
static bool fill(int fd, size_t from, size_t to) {
  while (from < to) {
    size_t n = to - from < PIECE ? to - from : PIECE;
    if (SYSTEM(fallocate(fd, 0, (off_t)from, (off_t)n)) == 0) {
      from += n;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

static void *map(mg_segment_role role, int fd, size_t size) {
  if (fails()) return MAP_FAILED;
  int how = role == SEGMENT_RESULTS ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
  return mmap(NULL, size, PROT_READ | PROT_WRITE, how, fd, 0);
}

static bool open_memory(mg_segment *s) {
  s->fd = new_file();
  if (s->fd < 0) return false;
  if (fill(s->fd, 0, s->size) && SYSTEM(fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL)) == 0) {
    void *data = map(s->role, s->fd, s->size);
    if (data != MAP_FAILED) {
      s->data = data;
      return true;
    }
  }
  close(s->fd);
  return false;
}

static void close_memory(const mg_segment *s) {
  (void)munmap(s->data, s->size);
  close(s->fd);
}

// The file's own bytes again, instead of what R has written.
static bool forget_written(const mg_segment *s) { return SYSTEM(madvise(s->data, s->size, MADV_DONTNEED)) == 0; }

static bool has_grown(const mg_segment *s) {
  struct stat file;
  return SYSTEM(fstat(s->fd, &file)) != 0 || file.st_size != (off_t)s->size;
}

static bool map_growth(mg_segment *s) {
  struct stat file;
  if (SYSTEM(fstat(s->fd, &file)) != 0 || file.st_size < 0) return false;
  size_t size = (size_t)file.st_size;
  if (size <= s->size) return true;
  if ((size_t)file.st_blocks * 512 < size) return false; // holes: there may be no memory for them
  if (fails()) return false;
  void *data = mremap(s->data, s->size, size, MREMAP_MAYMOVE);
  if (data == MAP_FAILED) return false;
  s->data = data;
  s->size = size;
  return true;
}

// Whether all pages of a private mapping are still those of the file, by what /proc tells of
// each: bit 63, it is present, 62, it is swapped out, 61, it is of a file.
static bool pages_are_of_file(const uint8_t *data, size_t size) {
  int fd = (int)SYSTEM(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (fd < 0) return false;
  size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  size_t page = (uintptr_t)data / page_size, end = ((uintptr_t)data + size - 1) / page_size + 1;
  uint64_t entries[2048];
  bool of_file = true;
  while (of_file && page < end) {
    size_t n = end - page < 2048 ? end - page : 2048;
    ssize_t got = SYSTEM(pread(fd, entries, n * sizeof *entries, (off_t)(page * sizeof *entries)));
    of_file = got == (ssize_t)(n * sizeof *entries);
    for (size_t i = 0; of_file && i < n; i++) {
      bool is_there = entries[i] >> 62 != 0;
      of_file = !is_there || (entries[i] >> 61 & 1) != 0;
    }
    page += n;
  }
  close(fd);
  return of_file;
}

// A number in a file, such as a limit of a control group; SIZE_MAX if there is none.
static size_t number_in(const char *path) {
  FILE *file = fopen(path, "re");
  if (!file) return SIZE_MAX;
  char text[32] = "";
  bool has_text = fgets(text, sizeof text, file) != NULL;
  (void)fclose(file);
  char *end = text;
  unsigned long long number = has_text ? strtoull(text, &end, 10) : 0;
  return end == text || number > SIZE_MAX ? SIZE_MAX : (size_t)number;
}

// The least limit of a control group and those that it is in.
static size_t group_limit(const char *root, char *group, const char *file) {
  size_t least = SIZE_MAX;
  for (char *end = group + strlen(group); end != NULL; end = strrchr(group, '/')) {
    char path[8192];
    *end = '\0';
    (void)snprintf(path, sizeof path, "%s%s/%s", root, group, file);
    least = smaller(least, number_in(path));
  }
  return least;
}

// The limit of our control groups, each a line "number:controllers:path".
static size_t group_memory(void) {
  size_t least = SIZE_MAX;
  char line[4096];
  FILE *file = fopen("/proc/self/cgroup", "re");
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0';
    if (controllers[1] == '\0') {
      least = smaller(least, group_limit("/sys/fs/cgroup", group, "memory.max"));
    } else if (strcmp(controllers + 1, "memory") == 0) {
      least = smaller(least, group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  if (file) (void)fclose(file);
  return least;
}

// The memory that we may have, at most: the machine's, or that of our control group.
static size_t memory_size(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
  size_t machine = pages > 0 && page_size > 0 ? (size_t)pages * (size_t)page_size : (size_t)1 << 30;
  size_t group = group_memory();
  return smaller(machine, group);
}

// Each segment takes a descriptor, of which others need most.
static size_t segments_at_most(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  return limit.rlim_cur == RLIM_INFINITY ? 256 : smaller((size_t)limit.rlim_cur / 4, 256);
}

static void init_system(void) {
  owner = getpid();
  if (pthread_atfork(NULL, count_fork, NULL) != 0) refused = true;
}

#else // There is no such memory here.

static const unsigned forks = 0;
static const bool refused = true;

static bool is_fork(void) { return false; }
double mg_seconds(void) { return 0; }
static bool files_are_limited(void) { return true; }
static void close_memory(const mg_segment *s) { (void)s; }

static bool open_memory(mg_segment *s) {
  (void)s;
  return false;
}

static bool forget_written(const mg_segment *s) {
  (void)s;
  return false;
}

static bool has_grown(const mg_segment *s) {
  (void)s;
  return false;
}

static bool map_growth(mg_segment *s) {
  (void)s;
  return false;
}

static bool pages_are_of_file(const uint8_t *data, size_t size) {
  (void)data;
  (void)size;
  return false;
}

static size_t memory_size(void) { return 0; }
static size_t segments_at_most(void) { return 0; }
static void init_system(void) {}

#endif

// --- How much there may be ----------------------------------------------------

// A quantity that is leased, bytes or segments. R's collector runs when it passes the
// trigger, which is at least `base`, and twice what the last collection has left: if nothing
// can be collected, the next attempt is a long way off.
typedef struct {
  size_t leased, pooled;
  size_t asked; // since the last collection, whether there was any or not
  size_t base, most; // the latter is how far base may rise
  size_t trigger, limit;
} quantity;

static quantity bytes, segments;

static void set_limits(quantity *q, size_t base, size_t most, size_t limit) {
  q->base = q->trigger = smaller(base, limit);
  q->most = smaller(most, limit);
  q->limit = limit;
}

void mg_segment_limit(size_t most_bytes, size_t most_segments) {
  size_t memory = memory_size();
  if (most_bytes == 0) most_bytes = memory / 2;
  if (most_segments == 0) most_segments = segments_at_most();
  set_limits(&bytes, smaller((size_t)256 << 20, memory / 8), memory / 8, most_bytes);
  set_limits(&segments, most_segments / 2, most_segments, most_segments);
}

static bool passes_trigger(const quantity *q, size_t more) {
  return more > q->trigger - smaller(q->leased, q->trigger) && q->asked >= q->base / 2;
}

static bool passes_limit(const quantity *q, size_t more) {
  return more > q->limit - smaller(q->leased + q->pooled, q->limit);
}

static void after_collection(quantity *q) {
  size_t twice = q->leased * 2;
  q->asked = 0;
  q->trigger = smaller(twice > q->base ? twice : q->base, q->limit);
}

static void raise_base(quantity *q) { q->base = smaller(2 * q->base, q->most); }

static void count_leased(quantity *q, size_t n) {
  q->leased += n;
  q->asked += n;
}

// --- The pool -----------------------------------------------------------------

// What nobody has taken for so many seconds is given back to the system.
#define IDLE 60.0

// So many may wait for a call that they fit. Of more, a new one takes the place of one: their
// number does not grow with that of the calls, whatever sizes these need.
#define SPARE 16

static mg_segment *pool; // those that came back last are first

static void from_pool(mg_segment **place) {
  mg_segment *s = *place;
  *place = s->next;
  s->next = NULL;
  bytes.pooled -= s->size;
  segments.pooled--;
}

static void destroy(mg_segment *s) {
  close_memory(s);
  free(s);
}

static void close_pooled(mg_segment **place) {
  mg_segment *s = *place;
  from_pool(place);
  destroy(s);
}

static mg_segment **last_in_pool(void) {
  mg_segment **place = &pool;
  while ((*place)->next) place = &(*place)->next;
  return place;
}

static void trim(double before) {
  mg_segment **place = &pool;
  while (*place && (*place)->pooled_at >= before) place = &(*place)->next;
  while (*place) close_pooled(place);
}

static mg_segment *find_pooled(mg_segment_role role, size_t size, uint32_t peer) {
  for (mg_segment **place = &pool; *place; place = &(*place)->next) {
    mg_segment *s = *place;
    if (s->role != role || s->peer != peer || s->size < size || s->size / 2 > size) continue;
    from_pool(place);
    return s;
  }
  return NULL;
}

void mg_segment_forget(uint32_t peer) {
  if (is_fork()) return;
  for (mg_segment **place = &pool; *place;) {
    if ((*place)->peer == peer) {
      close_pooled(place);
    } else {
      place = &(*place)->next;
    }
  }
}

// Those that have been idle for longest make room for a new one.
static bool make_room(size_t size) {
  if (segments.pooled >= SPARE) close_pooled(last_in_pool());
  while (passes_limit(&bytes, size) || passes_limit(&segments, 1)) {
    if (!pool) return false;
    close_pooled(last_in_pool());
  }
  return true;
}

static mg_segment *new_segment(mg_segment_role role, size_t size, uint32_t peer) {
  static uint32_t generation;
  mg_segment *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->role = role;
  s->peer = peer;
  s->size = size;
  if (!open_memory(s)) {
    free(s);
    return NULL;
  }
  s->generation = ++generation;
  return s;
}

// A new segment has one of eight sizes between a power of two and the next, so that most of
// those in the pool fit the next call. 0 if there is no such size.
static size_t size_class(size_t size) {
  size_t step = (size_t)64 << 10;
  if (size > SIZE_MAX / 2) return 0;
  while (step < size / 16) step *= 2;
  return size == 0 ? step : (size + step - 1) / step * step;
}

// --- Segments -----------------------------------------------------------------

void mg_segment_init(void) {
  init_system();
  mg_segment_limit(0, 0);
}

bool mg_segment_possible(void) { return !refused && !is_fork() && !files_are_limited(); }

static bool passes_any_trigger(size_t size) { return passes_trigger(&bytes, size) || passes_trigger(&segments, 1); }

// How much of the time collections may take. They get rarer with more memory, which is slow to
// touch for the first time.
#define COLLECTING 0.25

static double last_collection; // when it ended
static int collections;
static size_t since_all; // segments that were leased since R looked at all objects

static void collect_all(void) {
  R_gc();
  since_all = 0;
}

// Runs R's collector. Most results that nobody refers to are young: to look for those takes
// 7 ms, and for others 90 ms more; in a session with millions of strings, much longer.
static void collect(size_t size) {
  size_t before = bytes.leased;
  double started = mg_seconds();
  SEXP call = PROTECT(Rf_lang4(Rf_install("gc"), Rf_ScalarLogical(0), Rf_ScalarLogical(0), Rf_ScalarLogical(0)));
  Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  if (bytes.leased > before / 2 && passes_any_trigger(size)) collect_all();
  collections++;
  double ended = mg_seconds();
  if (ended - started > COLLECTING * (started - last_collection)) {
    raise_base(&bytes);
    raise_base(&segments);
  }
  last_collection = ended;
  after_collection(&bytes);
  after_collection(&segments);
}

// The pool is looked at whenever R's collector runs, by the finalizer of a pointer that nobody
// refers to: a session that makes no more calls gives its memory back as well.
static bool watched;

static void watch(void);

static void look_at_pool(SEXP sentinel) {
  (void)sentinel;
  watched = false;
  if (is_fork()) return;
  trim(mg_seconds() - IDLE);
  if (segments.leased + segments.pooled > 0) watch();
}

static void watch(void) {
  if (watched) return;
  watched = true;
  SEXP sentinel = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
  R_RegisterCFinalizerEx(sentinel, look_at_pool, FALSE);
  UNPROTECT(1);
}

static mg_segment *lease(mg_segment *s) {
  if (!s) return NULL;
  s->uses = 1;
  s->forks = forks;
  count_leased(&bytes, s->size);
  count_leased(&segments, 1);
  since_all++;
  return s;
}

mg_segment *mg_segment_take(mg_segment_role role, size_t size, uint32_t peer) {
  if (!mg_segment_possible()) return NULL;
  size = size_class(size);
  if (size == 0 || size > bytes.limit) return NULL;
  watch();
  trim(mg_seconds() - IDLE);
  mg_segment *s = find_pooled(role, size, peer);
  if (!s && passes_any_trigger(size)) {
    collect(size);
    s = find_pooled(role, size, peer);
  }
  bool room = s != NULL || make_room(size);
  if (!room && since_all >= segments.limit / 4) { // at the limit old objects count too, if there can be many
    collect_all();
    collections++;
    s = find_pooled(role, size, peer);
    room = s != NULL || make_room(size);
  }
  if (s == NULL && room) s = new_segment(role, size, peer);
  if (!s) {
    bytes.asked += size;
    segments.asked++;
  }
  return lease(s);
}

mg_segment *mg_segment_take_pooled(mg_segment_role role, size_t size, uint32_t peer) {
  return mg_segment_possible() ? lease(find_pooled(role, size, peer)) : NULL;
}

void mg_segment_use(mg_segment *s) { s->uses++; }

bool mg_segment_has_grown(const mg_segment *s) { return s->role == SEGMENT_RESULTS && has_grown(s); }

// One that was leased at a fork is not used again: the child may read what is in it now. What
// Go has added for nothing is not counted.
static bool is_for_pool(mg_segment *s) {
  if (s->retired || s->forks != forks || mg_segment_has_grown(s)) return false;
  if (!mg_segment_is_untouched(&(mg_part){s, 0, s->size}) && !forget_written(s)) return false;
  s->exposed = false;
  return true;
}

void mg_segment_release(mg_segment *s) {
  if (is_fork() || --s->uses > 0) return;
  bytes.leased -= s->size;
  segments.leased--;
  if (!is_for_pool(s)) {
    destroy(s);
    return;
  }
  double time = mg_seconds();
  s->pooled_at = time;
  s->next = pool;
  pool = s;
  bytes.pooled += s->size;
  segments.pooled++;
  trim(time - IDLE);
}

void mg_segment_retire(mg_segment *s) { s->retired = true; }

bool mg_segment_grow(mg_segment *s) {
  size_t before = s->size;
  if (is_fork() || s->role != SEGMENT_RESULTS || !map_growth(s)) return false;
  count_leased(&bytes, s->size - before);
  return true;
}

bool mg_segment_is_untouched(const mg_part *part) {
  const mg_segment *s = part->segment;
  return !s->exposed || part->size == 0 || pages_are_of_file(s->data + part->offset, part->size);
}

// --- For R --------------------------------------------------------------------

int mg_segment_fail(int at) {
  int n = system_calls;
  system_calls = 0;
  fail_at = at;
  return n;
}

int mg_segment_collections(void) { return collections; }

SEXP mg_c_segment_counts(void) {
  const char *names[] = {"leased", "pooled", "segments", ""};
  SEXP counts = PROTECT(Rf_mkNamed(REALSXP, names));
  REAL(counts)[0] = (double)bytes.leased;
  REAL(counts)[1] = (double)bytes.pooled;
  REAL(counts)[2] = (double)(segments.leased + segments.pooled);
  UNPROTECT(1);
  return counts;
}

SEXP mg_c_segment_problem(void) {
  if (is_fork()) return Rf_mkString("this process is a fork");
  if (refused) return Rf_mkString("the system has none for this process");
  if (files_are_limited()) return Rf_mkString("the size of files is limited (ulimit -f)");
  return R_NilValue;
}

SEXP mg_c_segment_trim(void) {
  if (!is_fork()) trim(R_PosInf);
  return R_NilValue;
}
