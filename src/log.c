// What a server prints. A thread reads it as it comes, so that the server never
// waits for R, which may be busy for an hour, and keeps the end of it. A server
// that crashes says why at the beginning of a stack trace that may be longer than
// what is kept, so these lines are kept apart.
//
// The thread touches nothing of R's. Whoever looks at a log holds its lock, and
// reads what is there first: what was printed before an answer is seen after it.

#include "entries.h"
#include "lane.h"
#include "log.h"
#include "system.h"

#include <R_ext/Rdynload.h>
#include <stdatomic.h>

// What is kept of each stream, and of the beginning of a crash, in bytes.
enum { KEPT = 1 << 20, KEPT_OF_CRASH = 1 << 12 };

// Read in one go: more than a pipe holds, but not without end, as a server may flood.
enum { READ_SIZE = 1 << 16, READS = 17 };

// How many lines after its first words a crash may show its first stack.
enum { CRASH_LINES = 50 };

// Stands in both streams for each line that package log prints to standard error: what is before it
// in standard output was printed before that line, which follows it in standard error
// (rgoipc/marks.go).
static const char mark[] = "\0mangoro\1";
enum { MARK_SIZE = sizeof mark - 1 };

// What has come of one stream between two marks, before something of the other one came.
typedef struct {
  uint64_t end;     // the position after it, counted from the first byte of the stream
  uint64_t marks;   // before it
  uint64_t arrival; // the order of pieces
  bool logged;      // it follows its mark
} piece;

// How many pieces of a stream wait to be shown. If there are more the oldest are left out.
enum { PIECES = 4096 };

typedef struct {
  mg_pipe pipe; // NO_PIPE once it has ended
  char *data;
  size_t room, start, size; // the bytes from `start` on, round the end of the room
  bool cut;                 // whether older ones have gone
  size_t matched;           // bytes of a mark that has begun
  uint64_t marks, marked;   // how many have come, and where the last one was
  // What R has not shown yet.
  uint64_t count, shown; // bytes that have come, and how many of them were shown
  piece pieces[PIECES];  // round their end
  size_t first_piece, n_pieces;
} tail;

typedef struct {
  size_t size;
  char text[KEPT_OF_CRASH];
} words;

// The first words of a crash are `pending` until a stack follows. They are a line,
// or go on a line that was not ended, as those are that tell of progress.
typedef struct {
  words crash, pending;
  bool crashed, is_pending;
  bool inside;       // whether the last words were found inside a line
  int lines;         // since the pending words began
  bool continues;    // whether the line before may be one inside a crash
  bool searched;     // whether they may still be found inside this line
  uint64_t read;     // bytes
  uint64_t line_at;  // where this line begins
  uint64_t begin;    // where the line of the last words begins
  double began;      // when these came
  char line[32];     // the beginning of this line
  size_t seen;       // as much of it as is there
  char recent[16];   // the end of what was searched of it
  size_t n_recent;
} scanner;

enum { STDOUT, STDERR, STREAMS };

// How long a line may wait for its end before it is shown without, and what looks like a crash for
// the end of the process, in seconds.
#define LINE_WAIT 0.2
#define CRASH_WAIT 5

// later's function, which any thread may call.
typedef void (*exec_later)(void (*run)(void *), void *data, double seconds, int loop);

typedef struct server_log {
  struct server_log *next;
  tail streams[STREAMS];
  scanner scanner;
  uint64_t arrivals;      // of pieces
  int last;               // the stream of the last one
  uint64_t dropped;       // bytes that came and went since R looked
  double arrived;         // when the last byte came, of mg_seconds()
  atomic_bool has_news;   // whether there is something to be shown
  exec_later exec_later;  // NULL: R is not woken
  bool is_woken;          // R has been told, and has not looked yet
  SEXP pointer;           // which protects what R does then
  uintptr_t id;
  mg_reader reader;
  int owner; // the process that the thread is in
} server_log;

// Of all logs, to end their threads before this code is unloaded.
static server_log *logs;
static uintptr_t last_id;

// --- The end of a stream ------------------------------------------------------

static void append(tail *s, const char *data, size_t n) {
  if (n > KEPT) {
    data += n - KEPT;
    n = KEPT;
    s->cut = true;
  }
  if (s->size + n > s->room && s->room < KEPT) { // not round its end yet
    size_t room = s->room == 0 ? 1 << 12 : s->room;
    while (room < s->size + n && room < KEPT) room *= 2;
    char *grown = realloc(s->data, room);
    if (grown) {
      s->data = grown;
      s->room = room;
    }
  }
  if (n > s->room) { // there is no memory
    data += n - s->room;
    n = s->room;
    s->cut = true;
  }
  if (n == 0) return;
  if (s->size + n > s->room) {
    size_t gone = s->size + n - s->room;
    s->start = (s->start + gone) % s->room;
    s->size -= gone;
    s->cut = true;
  }
  size_t at = (s->start + s->size) % s->room;
  size_t first = n < s->room - at ? n : s->room - at;
  memcpy(s->data + at, data, first);
  memcpy(s->data, data + first, n - first);
  s->size += n;
}

static char byte_at(const tail *s, size_t i) { return s->data[(s->start + i) % s->room]; }

// Where the last `lines` lines begin. A line whose beginning has gone is left out,
// unless it is all there is.
static size_t last_lines(const tail *s, double lines) {
  size_t i = s->size;
  if (i > 0 && byte_at(s, i - 1) == '\n') i--;
  size_t begin = s->size; // of the first line that is whole
  for (double n = 0; i > 0; i--) {
    if (byte_at(s, i - 1) != '\n') continue;
    begin = i;
    if (++n >= lines) return begin;
  }
  return s->cut && begin < s->size ? begin : 0;
}

// --- What is to be shown ------------------------------------------------------

static piece *piece_at(tail *s, size_t i) { return &s->pieces[(s->first_piece + i) % PIECES]; }

static piece *last_piece(tail *s) { return s->n_pieces == 0 ? NULL : piece_at(s, s->n_pieces - 1); }

static void skip_to(server_log *log, tail *s, uint64_t position) {
  if (position <= s->shown) return;
  log->dropped += position - s->shown;
  s->shown = position;
}

static void drop_piece(tail *s) {
  s->first_piece = (s->first_piece + 1) % PIECES;
  s->n_pieces--;
}

// Whether what comes now of a stream goes on with its last piece: nothing of the other stream
// belongs between them.
static bool goes_on(server_log *log, int stream) {
  tail *s = &log->streams[stream];
  const piece *last = last_piece(s), *others = last_piece(&log->streams[1 - stream]);
  if (!last) return false;
  if (last->marks == s->marks) return log->last == stream;
  return stream == STDERR && log->streams[STDOUT].marks >= s->marks && (!others || others->marks < last->marks);
}

static void note_piece(server_log *log, int stream, size_t n) {
  tail *s = &log->streams[stream];
  bool more = goes_on(log, stream);
  s->count += n;
  log->last = stream;
  log->arrived = mg_seconds();
  atomic_store(&log->has_news, true);
  if (!more) {
    if (s->n_pieces == PIECES) {
      skip_to(log, s, piece_at(s, 0)->end);
      drop_piece(s);
    }
    *piece_at(s, s->n_pieces++) = (piece){.marks = s->marks,
                                          .arrival = ++log->arrivals,
                                          .logged = stream == STDERR && s->marks > 0 && s->count - n == s->marked};
  }
  last_piece(s)->end = s->count;
}

// The stream that the next piece to show is of; -1: there is none.
static int next_stream(server_log *log) {
  tail *out = &log->streams[STDOUT], *err = &log->streams[STDERR];
  if (out->n_pieces == 0 || err->n_pieces == 0) return out->n_pieces > 0 ? STDOUT : err->n_pieces > 0 ? STDERR : -1;
  const piece *o = piece_at(out, 0), *e = piece_at(err, 0);
  if (o->marks != e->marks) return o->marks < e->marks ? STDOUT : STDERR;
  return !e->logged && o->arrival < e->arrival ? STDOUT : STDERR;
}

// The byte at a position of a stream, which is kept.
static char shown_byte(const tail *s, uint64_t position) {
  return byte_at(s, (size_t)(position - (s->count - s->size)));
}

// Leaves out of what is to be shown as much as is too much, by whole lines if it has any. Returns how
// many bytes are left.
static size_t limit_news(server_log *log, size_t limit) {
  uint64_t size = 0;
  for (int i = 0; i < STREAMS; i++) {
    tail *s = &log->streams[i];
    uint64_t kept = s->count - s->size;
    if (s->shown < kept) {
      while (kept < s->count && shown_byte(s, kept) != '\n') kept++;
      skip_to(log, s, kept < s->count ? kept + 1 : kept);
      while (s->n_pieces > 0 && piece_at(s, 0)->end <= s->shown) drop_piece(s);
    }
    size += s->count - s->shown;
  }
  for (int i; size > limit && (i = next_stream(log)) >= 0;) {
    tail *s = &log->streams[i];
    uint64_t from = s->shown, end = piece_at(s, 0)->end, to = end - from < size - limit ? end : from + (size - limit);
    while (to < end && shown_byte(s, to - 1) != '\n') to++;
    skip_to(log, s, to);
    size -= to - from;
    if (to == end) drop_piece(s);
  }
  return (size_t)size;
}

// How much of the next piece may be shown while a call runs: not what follows a mark that has not come in
// the other stream, not a last line that has no end yet, and not what may be a crash, of which
// an error tells. They do not wait for long.
static uint64_t shown_until(server_log *log, int stream) {
  tail *s = &log->streams[stream];
  const piece *p = piece_at(s, 0);
  uint64_t end = p->end;
  const scanner *c = &log->scanner;
  double now = mg_seconds();
  bool crashes = (c->is_pending || c->crashed) && now - c->began < CRASH_WAIT;
  if (stream == STDERR && crashes && c->begin >= s->shown && c->begin < end) end = c->begin;
  if (now - log->arrived >= LINE_WAIT) return end;
  if (p->marks > log->streams[1 - stream].marks) return s->shown;
  if (end == s->count && log->streams[1 - stream].n_pieces == 0) {
    while (end > s->shown && shown_byte(s, end - 1) != '\n') end--;
  }
  return end;
}

// Copies bytes of a stream that are kept.
static void copy_shown(const tail *s, uint64_t from, uint64_t end, Rbyte *to) {
  size_t at = (s->start + (size_t)(from - (s->count - s->size))) % s->room, n = (size_t)(end - from);
  size_t first = n < s->room - at ? n : s->room - at;
  memcpy(to, s->data + at, first);
  memcpy(to + first, s->data, n - first);
}

static void forget_news(server_log *log) {
  for (int i = 0; i < STREAMS; i++) {
    log->streams[i].shown = log->streams[i].count;
    log->streams[i].n_pieces = 0;
  }
  log->dropped = 0;
  atomic_store(&log->has_news, false);
}

// --- A crash ------------------------------------------------------------------

static void keep(words *w, const char *data, size_t n) {
  if (n > sizeof w->text - w->size) n = sizeof w->text - w->size;
  memcpy(w->text + w->size, data, n);
  w->size += n;
}

static bool starts(const scanner *c, const char *with) {
  size_t n = strlen(with);
  return c->seen >= n && memcmp(c->line, with, n) == 0;
}

// "SIGSEGV: segmentation violation"
static bool is_signal(const scanner *c) {
  if (!starts(c, "SIG")) return false;
  size_t i = 3;
  while (i < c->seen && c->line[i] >= 'A' && c->line[i] <= 'Z') i++;
  return i + 1 < c->seen && c->line[i] == ':' && c->line[i + 1] == ' ';
}

// What Go's runtime says first of all.
static bool is_crash(const scanner *c) {
  return starts(c, "panic: ") || starts(c, "fatal error: ") || starts(c, "fatal: ") || starts(c, "runtime: ") ||
         starts(c, "unexpected fault address") || is_signal(c);
}

static bool is_stack(const scanner *c) {
  bool goroutine = starts(c, "goroutine ") && c->seen > 10 && c->line[10] >= '0' && c->line[10] <= '9';
  return goroutine || starts(c, "runtime stack:");
}

static bool may_continue(const scanner *c) { return strchr("\n\r\t[", c->line[0]) || is_crash(c); }

static void begin_words(scanner *c, bool inside) {
  c->is_pending = true;
  c->begin = c->line_at;
  c->began = mg_seconds();
  c->pending.size = 0;
  c->lines = 0;
  c->inside = inside;
}

// Of a line whose beginning has come.
static void judge(scanner *c) {
  // Of what a crash prints first, these go on with it.
  c->searched = !is_crash(c) && !(c->is_pending && (starts(c, "\t") || starts(c, "[signal ")));
  c->n_recent = 0;
  if (is_crash(c)) {
    if (!c->continues || (!c->is_pending && (!c->crashed || c->inside))) begin_words(c, false);
  } else if (c->is_pending && is_stack(c)) {
    c->crash = c->pending;
    c->crashed = true;
    c->is_pending = false;
  } else if (c->is_pending && ++c->lines > CRASH_LINES) {
    c->is_pending = false;
  }
  c->continues = may_continue(c);
}

static void note(scanner *c, const char *data, size_t n) {
  if (c->is_pending) {
    keep(&c->pending, data, n);
  } else if (c->crashed) {
    keep(&c->crash, data, n);
  }
}

// How many of the last characters, up to a colon, are first words.
static size_t words_before(const char *end, size_t n) {
  static const char *const all[] = {"panic:", "fatal error:", "fatal:", "runtime:"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    size_t size = strlen(all[i]);
    if (n >= size && memcmp(end - size, all[i], size) == 0) return size;
  }
  for (size_t i = 2; i <= n && end[-(ptrdiff_t)i] >= 'A' && end[-(ptrdiff_t)i] <= 'Z'; i++) {
    if (i > 4 && memcmp(end - i, "SIG", 3) == 0) return i;
  }
  return 0;
}

// Looks for first words inside a line, of which the next `n` bytes have come: how many
// of these are kept already, with the words, or stand before them.
static size_t search(scanner *c, const char *data, size_t n) {
  char last[sizeof c->recent];
  const char *end = data + n;
  for (const char *at = data; c->searched && at < end && (at = memchr(at, ':', (size_t)(end - at))); at++) {
    size_t here = (size_t)(at + 1 - data), taken = here < sizeof last ? here : sizeof last;
    size_t older = sizeof last - taken < c->n_recent ? sizeof last - taken : c->n_recent;
    memcpy(last, c->recent + c->n_recent - older, older);
    memcpy(last + older, at + 1 - taken, taken);
    size_t found = words_before(last + older + taken, older + taken);
    if (found == 0) continue;
    begin_words(c, true);
    keep(&c->pending, last + older + taken - found, found);
    c->searched = false;
    c->continues = true;
    return here;
  }
  size_t taken = n < sizeof last ? n : sizeof last;
  size_t older = sizeof last - taken < c->n_recent ? sizeof last - taken : c->n_recent;
  memmove(c->recent, c->recent + c->n_recent - older, older);
  memcpy(c->recent + older, end - taken, taken);
  c->n_recent = older + taken;
  return 0;
}

static void note_rest(scanner *c, const char *data, size_t n) {
  size_t before = search(c, data, n);
  note(c, data + before, n - before);
}

static void scan(scanner *c, const char *data, size_t n) {
  while (n > 0) {
    const char *end = memchr(data, '\n', n);
    size_t length = end ? (size_t)(end - data) + 1 : n;
    size_t room = sizeof c->line - c->seen;
    if (room == 0) { // judged already
      note_rest(c, data, length);
    } else {
      size_t taken = length < room ? length : room;
      memcpy(c->line + c->seen, data, taken);
      c->seen += taken;
      if (end || c->seen == sizeof c->line) {
        judge(c);
        note_rest(c, c->line, c->seen);
        note_rest(c, data + taken, length - taken);
      }
    }
    data += length;
    n -= length;
    c->read += length;
    if (!end) break;
    c->seen = 0;
    c->line_at = c->read;
  }
}

// --- Reading ------------------------------------------------------------------

static void keep_text(server_log *log, int stream, const char *data, size_t n) {
  if (n == 0) return;
  append(&log->streams[stream], data, n);
  note_piece(log, stream, n);
  if (stream == STDERR) scan(&log->scanner, data, n);
}

// Keeps what has been read but for the marks, which may begin in one block and end in the next one.
static void take_block(server_log *log, int stream, const char *data, size_t n) {
  tail *s = &log->streams[stream];
  while (n > 0) {
    if (s->matched == 0) {
      const char *at = memchr(data, mark[0], n);
      size_t before = at ? (size_t)(at - data) : n;
      keep_text(log, stream, data, before);
      data += before;
      n -= before;
    }
    for (; n > 0 && s->matched < MARK_SIZE && *data == mark[s->matched]; data++, n--) s->matched++;
    if (s->matched == MARK_SIZE) {
      s->marks++;
      s->marked = s->count;
      s->matched = 0;
    } else if (n > 0) { // it is none
      keep_text(log, stream, mark, s->matched);
      s->matched = 0;
    }
  }
}

// What is there, of each stream. The lock is held.
static void read_some(void *of) {
  server_log *log = of;
  char block[READ_SIZE];
  for (int i = 0; i < STREAMS; i++) {
    tail *s = &log->streams[i];
    for (int n = 0; n < READS && s->pipe != NO_PIPE; n++) {
      ptrdiff_t got = mg_pipe_read(s->pipe, block, sizeof block);
      if (got == PIPE_EMPTY) break;
      if (got == PIPE_ENDED) {
        keep_text(log, i, mark, s->matched);
        s->matched = 0;
        mg_pipe_close(s->pipe);
        s->pipe = NO_PIPE;
        break;
      }
      take_block(log, i, block, (size_t)got);
    }
  }
}

// R looks, on its own thread, when it has nothing else to do.
static void run_woken(void *id) {
  server_log *log = logs;
  while (log && log->id != (uintptr_t)id) log = log->next;
  if (!log || log->owner != mg_process_id()) return;
  SEXP pointer = PROTECT(log->pointer);
  mg_reader_lock(&log->reader);
  log->is_woken = false;
  mg_reader_unlock(&log->reader);
  int failed;
  R_tryEval(R_ExternalPtrProtected(pointer), R_BaseEnv, &failed);
  UNPROTECT(1);
}

// Of the thread. The lock is held.
static void read_and_wake(void *of) {
  server_log *log = of;
  read_some(log);
  if (!log->exec_later || log->is_woken || !atomic_load(&log->has_news)) return;
  log->is_woken = true;
  log->exec_later(run_woken, (void *)log->id, 0, 0); // NOLINT: a number
}

static size_t open_pipes(void *of, mg_pipe *pipes) {
  server_log *log = of;
  size_t n = 0;
  for (int i = 0; i < STREAMS; i++) {
    if (log->streams[i].pipe != NO_PIPE) pipes[n++] = log->streams[i].pipe;
  }
  return n;
}

// The thread ends; what has been read stays. A fork has no thread to end.
static void stop_log(server_log *log) {
  if (log->owner != mg_process_id()) return;
  mg_reader_stop(&log->reader);
  read_some(log);
  for (int i = 0; i < STREAMS; i++) {
    if (log->streams[i].pipe != NO_PIPE) mg_pipe_close(log->streams[i].pipe);
    log->streams[i].pipe = NO_PIPE;
  }
}

void mg_stop_logs(void) {
  for (server_log *log = logs; log; log = log->next) stop_log(log);
}

// --- For R --------------------------------------------------------------------

static void free_log(SEXP pointer) {
  server_log *log = R_ExternalPtrAddr(pointer);
  if (!log) return;
  R_ClearExternalPtr(pointer);
  stop_log(log);
  for (server_log **at = &logs; *at; at = &(*at)->next) {
    if (*at == log) {
      *at = log->next;
      break;
    }
  }
  for (int i = 0; i < STREAMS; i++) free(log->streams[i].data);
  free(log);
}

// NULL if it is of another session or process.
static server_log *log_of(SEXP pointer) {
  server_log *log = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  return log && log->owner == mg_process_id() ? log : NULL;
}

// A list of the log and the file descriptors that a server is to write to, standard
// output first; NULL if the system has none left.
SEXP mg_c_log_open(void) {
  server_log *log = calloc(1, sizeof *log);
  if (!log) return R_NilValue;
  log->owner = mg_process_id();
  log->id = ++last_id;
  int write[STREAMS] = {-1, -1};
  bool opened = true;
  for (int i = 0; i < STREAMS; i++) {
    log->streams[i].pipe = NO_PIPE;
    opened = opened && mg_pipe_open(&log->streams[i].pipe, &write[i]);
  }
  if (!opened || !mg_reader_start(&log->reader, log, open_pipes, read_and_wake)) {
    for (int i = 0; i < STREAMS; i++) {
      if (log->streams[i].pipe != NO_PIPE) mg_pipe_close(log->streams[i].pipe);
      if (write[i] >= 0) mg_descriptor_close(write[i]);
    }
    free(log);
    return R_NilValue;
  }
  log->next = logs;
  logs = log;
  SEXP pointer = PROTECT(R_MakeExternalPtr(log, R_NilValue, R_NilValue));
  log->pointer = pointer;
  R_RegisterCFinalizerEx(pointer, free_log, FALSE);
  SEXP descriptors = PROTECT(Rf_allocVector(INTSXP, STREAMS));
  memcpy(INTEGER(descriptors), write, sizeof write);
  SEXP value = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(value, 0, pointer);
  SET_VECTOR_ELT(value, 1, descriptors);
  UNPROTECT(3);
  return value;
}

// The last `lines` lines of a stream, as bytes.
SEXP mg_c_log_lines(SEXP pointer, SEXP which, SEXP lines) {
  server_log *log = log_of(pointer);
  if (!log) return Rf_allocVector(RAWSXP, 0);
  const tail *s = &log->streams[Rf_asInteger(which)];
  SEXP value = PROTECT(Rf_allocVector(RAWSXP, KEPT)); // R may not be asked for memory under the lock
  mg_reader_lock(&log->reader);
  read_some(log);
  size_t begin = last_lines(s, Rf_asReal(lines));
  size_t n = s->size - begin;
  for (size_t i = 0; i < n; i++) RAW(value)[i] = (Rbyte)byte_at(s, begin + i);
  mg_reader_unlock(&log->reader);
  value = Rf_xlengthgets(value, (R_xlen_t)n);
  UNPROTECT(1);
  return value;
}

// How a crash began, as bytes; none if there was none.
SEXP mg_c_log_crash(SEXP pointer) {
  server_log *log = log_of(pointer);
  if (!log) return Rf_allocVector(RAWSXP, 0);
  SEXP value = PROTECT(Rf_allocVector(RAWSXP, KEPT_OF_CRASH));
  mg_reader_lock(&log->reader);
  read_some(log);
  size_t n = log->scanner.crashed ? log->scanner.crash.size : 0;
  if (n > 0) memcpy(RAW(value), log->scanner.crash.text, n);
  mg_reader_unlock(&log->reader);
  value = Rf_xlengthgets(value, (R_xlen_t)n);
  UNPROTECT(1);
  return value;
}

// What has been printed since the last time, in order: list(bytes, streams, sizes, dropped), in
// which the bytes are of runs of one stream each. NULL if there is nothing. Of more than
// `limit` bytes the newest are shown, and `dropped` says how many were not. Some waits for a
// moment, see shown_until(), unless `all` is TRUE.
SEXP mg_c_log_output(SEXP pointer, SEXP limit, SEXP all) {
  mg_log_drain(pointer);
  if (!mg_log_news(pointer)) return R_NilValue;
  server_log *log = log_of(pointer);
  bool is_all = Rf_asLogical(all) == 1;
  mg_reader_lock(&log->reader);
  size_t room = limit_news(log, (size_t)Rf_asReal(limit));
  size_t n_runs = log->streams[STDOUT].n_pieces + log->streams[STDERR].n_pieces;
  mg_reader_unlock(&log->reader);
  SEXP value = PROTECT(Rf_allocVector(VECSXP, 4)); // R may not be asked for memory under the lock
  SEXP bytes = Rf_allocVector(RAWSXP, (R_xlen_t)room);
  SET_VECTOR_ELT(value, 0, bytes);
  SEXP streams = Rf_allocVector(INTSXP, (R_xlen_t)n_runs);
  SET_VECTOR_ELT(value, 1, streams);
  SEXP sizes = Rf_allocVector(REALSXP, (R_xlen_t)n_runs);
  SET_VECTOR_ELT(value, 2, sizes);
  SEXP dropped = Rf_allocVector(REALSXP, 1);
  SET_VECTOR_ELT(value, 3, dropped);
  Rbyte *to = RAW(bytes);
  size_t size = 0, runs = 0;
  mg_reader_lock(&log->reader);
  (void)limit_news(log, SIZE_MAX); // more may have come, which is left for the next time
  for (int i; runs < n_runs && (i = next_stream(log)) >= 0;) {
    tail *stream = &log->streams[i];
    uint64_t from = stream->shown, whole = piece_at(stream, 0)->end, end = is_all ? whole : shown_until(log, i);
    if (end - from > room - size) {
      end = from + (room - size);
      while (end > from && shown_byte(stream, end - 1) != '\n') end--;
    }
    if (end > from) {
      copy_shown(stream, from, end, to + size);
      size += (size_t)(end - from);
      INTEGER(streams)[runs] = i;
      REAL(sizes)[runs++] = (double)(end - from);
      stream->shown = end;
    }
    if (end < whole) break;
    drop_piece(stream);
  }
  REAL(dropped)[0] = (double)log->dropped;
  log->dropped = 0;
  atomic_store(&log->has_news, next_stream(log) >= 0);
  mg_reader_unlock(&log->reader);
  SET_VECTOR_ELT(value, 0, Rf_xlengthgets(bytes, (R_xlen_t)size));
  SET_VECTOR_ELT(value, 1, Rf_xlengthgets(streams, (R_xlen_t)runs));
  SET_VECTOR_ELT(value, 2, Rf_xlengthgets(sizes, (R_xlen_t)runs));
  UNPROTECT(1);
  return value;
}

// What has been printed so far is not shown.
SEXP mg_c_log_seen(SEXP pointer) {
  server_log *log = log_of(pointer);
  if (!log) return R_NilValue;
  mg_reader_lock(&log->reader);
  read_some(log);
  forget_news(log);
  mg_reader_unlock(&log->reader);
  return R_NilValue;
}

// From now on later evaluates the call `run` once something has been printed; never, if it is
// NULL. later has been loaded.
SEXP mg_c_log_wake(SEXP pointer, SEXP run) {
  server_log *log = log_of(pointer);
  if (!log) return R_NilValue;
  exec_later found = run == R_NilValue ? NULL : (exec_later)(void (*)(void))R_GetCCallable("later", "execLaterNative2");
  mg_reader_lock(&log->reader);
  R_SetExternalPtrProtected(pointer, run);
  log->exec_later = found;
  mg_reader_unlock(&log->reader);
  return R_NilValue;
}

void mg_log_drain(SEXP pointer) {
  server_log *log = log_of(pointer);
  if (!log) return;
  mg_reader_lock(&log->reader);
  read_some(log);
  mg_reader_unlock(&log->reader);
}

bool mg_log_news(SEXP pointer) {
  server_log *log = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  return log && atomic_load_explicit(&log->has_news, memory_order_relaxed) && log->owner == mg_process_id();
}

// Nothing more is read.
SEXP mg_c_log_close(SEXP pointer) {
  server_log *log = log_of(pointer);
  if (log) stop_log(log);
  return R_NilValue;
}
