// R's end of a lane: requests are posted, waited for, and finished or given up.

#ifdef __linux__
#define _GNU_SOURCE
#endif

#include "lane.h"

#include "entries.h"
#include "parts.h"
#include "ring.h"
#include "system.h"

// --- What differs between systems ---

#ifdef __linux__
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Sleeps until `word`, which both processes map, is woken, no longer than `seconds`; not at
// all if it has another value than `seen`.
static void futex_wait(uint32_t *word, uint32_t seen, double seconds) {
  struct timespec limit = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}

static void futex_wake(uint32_t *word) { (void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

static void yield(void) { (void)sched_yield(); }

// Whether another process can run while this one spins.
static bool can_spin(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}
static uint32_t processor(void) { return (uint32_t)sched_getcpu(); }

// One that has ended, but that nobody has asked how, is there still.
static bool is_there(int process) { return kill(process, 0) == 0 || errno != ESRCH; }
#else
// There are no segments here, and so no lanes.
static void futex_wait(uint32_t *word, uint32_t seen, double seconds) { (void)word, (void)seen, (void)seconds; }
static void futex_wake(uint32_t *word) { (void)word; }
static void yield(void) {}
static bool can_spin(void) { return false; }
static uint32_t processor(void) { return 0; }
static bool is_there(int process) { return process != 0; }
#endif

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// --- Its life ---

static uint32_t *word_at(const mg_lane *l, int at) { return (uint32_t *)(void *)(l->data + at); }

// The server may still write to it, so no other call uses it.
static void discard(mg_segment *s) {
  if (s == NULL) return;
  mg_segment_retire(s);
  mg_segment_release(s);
}

static void finalize_lane(SEXP pointer) {
  mg_lane *l = R_ExternalPtrAddr(pointer);
  if (l == NULL) return;
  R_ClearExternalPtr(pointer);
  if (l->owner == mg_process_id()) {
    mg_segment_forget(l->segment->generation);
    discard(l->segment);
    discard(l->standing);
  }
  free(l);
}

static void lay_out(mg_lane *l, const uint8_t *token) {
  memset(l->data, 0, LANE_REQUEST_BOX);
  memcpy(l->data + LANE_TOKEN, token, 16);
  uint32_t settled[] = {LANE_VERSION, MAILBOX_SIZE, RING_SLOTS, RING_SLOT_SIZE};
  memcpy(l->data + LANE_SETTLED, settled, sizeof settled);
  lane_store(l, LANE_OFFER_FD, UINT32_MAX);
  memcpy(l->data + LANE_MAGIC, "mgolane1", 8);
}

// A new lane: list(pointer, file descriptor, size, generation). NULL if there is no shared memory.
// `token` is 16 random bytes.
SEXP mg_c_lane_open(SEXP token) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, 4));
  SEXP pointer = R_MakeExternalPtr(NULL, R_NilValue, R_NilValue);
  SET_VECTOR_ELT(out, 0, pointer);
  R_RegisterCFinalizerEx(pointer, finalize_lane, FALSE);
  SET_VECTOR_ELT(out, 1, Rf_allocVector(INTSXP, 1));
  SET_VECTOR_ELT(out, 2, Rf_ScalarInteger(LANE_SIZE));
  SET_VECTOR_ELT(out, 3, Rf_allocVector(REALSXP, 1));
  mg_segment *s = mg_segment_possible() ? mg_segment_take(SEGMENT_LANE, LANE_SIZE, 0) : NULL;
  mg_lane *l = s == NULL ? NULL : malloc(sizeof *l);
  UNPROTECT(1);
  if (l == NULL) {
    if (s != NULL) mg_segment_release(s);
    return R_NilValue;
  }
  *l = (mg_lane){.segment = s, .data = s->data, .owner = mg_process_id(), .spins = can_spin()};
  lay_out(l, RAW_RO(token));
  R_SetExternalPtrAddr(pointer, l);
  INTEGER(VECTOR_ELT(out, 1))[0] = s->fd;
  REAL(VECTOR_ELT(out, 3))[0] = s->generation;
  return out;
}

mg_lane *mg_lane_of(SEXP pointer) {
  mg_lane *l = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  return l != NULL && !l->closed && l->owner == mg_process_id() ? l : NULL;
}

// Finalizers, which are R code, may close it in the middle of a call, so its memory is freed
// with the pointer.
SEXP mg_c_lane_close(SEXP pointer) {
  mg_lane *l = mg_lane_of(pointer);
  if (l == NULL) return R_NilValue;
  l->closed = true;
  discard(l->standing);
  l->standing = l->offer = NULL;
  mg_segment_forget(l->segment->generation);
  return R_NilValue;
}

// --- Requests ---

static bool is_lost(const mg_lane *l) {
  return lane_load(l, LANE_CLOSED) != 0 || !is_there((int)lane_load(l, LANE_SERVER));
}

static bool is_answered(const mg_lane *l) { return lane_load(l, LANE_REPLY) == l->request; }

// The number of the next request. No request has been given up if LANE_GIVEN_UP is 0.
static uint32_t next_number(const mg_lane *l) { return l->request == UINT32_MAX ? 1 : l->request + 1; }

static void post(mg_lane *l, size_t size) {
  l->request = next_number(l);
  l->state = REQUEST_OUT;
  lane_store(l, LANE_REQUEST_SIZE, (uint32_t)size);
  lane_store(l, LANE_R_CPU, processor());
  lane_store(l, LANE_REQUEST, l->request);
  mg_lane_event(l);
}

// Posts a request that is given up before the server sees it.
static void post_given_up(mg_lane *l) {
  lane_store(l, LANE_GIVEN_UP, next_number(l));
  lane_store(l, LANE_OFFER_FD, UINT32_MAX);
  post(l, 0);
}

static bool is_talk_type(uint8_t type) { return type >= MESSAGE_EVENT && type <= MESSAGE_REFER_PART; }

// The reply to a request that was given up. If it does not end its call, the server waits
// for another one.
static void drop_reply(mg_lane *l) {
  l->state = REQUEST_NONE;
  if ((lane_load(l, LANE_REPLY_SIZE) & REPLY_IN_OFFER) != 0 || !is_talk_type(l->data[LANE_REPLY_BOX])) return;
  post_given_up(l);
  l->state = REQUEST_GIVEN_UP;
}

bool mg_lane_is_free(mg_lane *l) {
  if (l->state == REQUEST_GIVEN_UP && is_answered(l)) drop_reply(l);
  return l->state == REQUEST_NONE && !is_lost(l);
}

bool mg_lane_offer(mg_lane *l, size_t size) {
  if (l->standing != NULL && l->standing->size >= size) return true;
  uint32_t peer = l->segment->generation;
  mg_segment *larger = size < l->usual ? mg_segment_take_pooled(SEGMENT_RESULTS, l->usual, peer) : NULL;
  if (larger == NULL) larger = mg_segment_take(SEGMENT_RESULTS, size, peer);
  if (larger == NULL) return l->standing != NULL;
  if (l->closed) {
    mg_segment_release(larger);
    return false;
  }
  if (l->standing != NULL) mg_segment_release(l->standing);
  l->standing = larger;
  return true;
}

void mg_lane_event(mg_lane *l) {
  (void)__atomic_add_fetch(word_at(l, LANE_R_EVENTS), 1, __ATOMIC_SEQ_CST);
  if (lane_load(l, LANE_GO_SLEEPS) != 0) futex_wake(word_at(l, LANE_R_EVENTS));
}

void mg_lane_post(mg_lane *l, size_t size, mg_segment *offer) {
  l->posted = mg_seconds();
  l->offer = offer == NULL ? l->standing : offer;
  l->lives = false;
  lane_store(l, LANE_OFFER_FD, l->offer == NULL ? UINT32_MAX : (uint32_t)l->offer->fd);
  lane_store(l, LANE_OFFER_GENERATION, l->offer == NULL ? 0 : l->offer->generation);
  lane_store(l, LANE_CHUNKS_WRITTEN, 0);
  post(l, size);
}

void mg_lane_continue(mg_lane *l, size_t size) {
  l->lives = true;
  post(l, size);
}

// How long R spins. The scheduler may put the server on R's own processor, where it would not
// run before R sleeps: a yield does not always let it.
#define SPIN 50e-6
enum { PAUSES = 50 };

// The server has counted an event since it had counted `seen`.
static bool has_new_event(const mg_lane *l, uint32_t seen) { return lane_load(l, LANE_GO_EVENTS) != seen; }

// A yield that takes longer shows that others wait for the processor as well: to sleep is
// better then, since who is woken runs before who has yielded.
#define LONG_YIELD 25e-6

static bool spin(const mg_lane *l, uint32_t seen, double end) {
  double now = mg_seconds(), last = now, limit = now + SPIN < end ? now + SPIN : end;
  while (l->spins && now < limit && now - last < LONG_YIELD && lane_load(l, LANE_GO_CPU) != processor()) {
    for (int i = 0; i < PAUSES; i++) {
      if (has_new_event(l, seen)) return true;
      relax();
    }
    yield();
    last = now;
    now = mg_seconds();
  }
  return has_new_event(l, seen);
}

// The server wakes R if it counts an event after R has said that it sleeps. A slice ends
// the sleep if the server is gone.
#define SLICE 0.05

static void sleep_until(mg_lane *l, uint32_t seen, double end) {
  double left = end - mg_seconds();
  if (left <= 0) return;
  lane_store(l, LANE_R_SLEEPS, 1);
  if (!has_new_event(l, seen)) futex_wait(word_at(l, LANE_GO_EVENTS), seen, left < SLICE ? left : SLICE);
  lane_store(l, LANE_R_SLEEPS, 0);
  l->spins = can_spin(); // which may change
}

static void fill_ring(mg_lane *l, double end) {
  while (l->ring != NULL && mg_ring_fill(l->ring, l->data)) {
    mg_lane_event(l);
    if (mg_seconds() >= end) return;
  }
}

mg_lane_progress mg_lane_wait(mg_lane *l, double end) {
  for (;;) {
    uint32_t seen = lane_load(l, LANE_GO_EVENTS);
    fill_ring(l, end);
    if (is_answered(l)) return LANE_ANSWERED;
    if (spin(l, seen, end) && mg_seconds() < end) continue;
    if (is_lost(l)) return is_answered(l) ? LANE_ANSWERED : LANE_LOST; // it may have ended right after
    if (mg_seconds() >= end) return LANE_WAITS;
    sleep_until(l, seen, end);
  }
}

bool mg_lane_reply(mg_lane *l, const uint8_t **data, size_t *size) {
  if (!is_answered(l)) return false;
  uint32_t claimed = lane_load(l, LANE_REPLY_SIZE);
  *size = claimed & ~REPLY_IN_OFFER;
  if ((claimed & REPLY_IN_OFFER) == 0) {
    *data = l->data + LANE_REPLY_BOX;
    return *size <= MAILBOX_SIZE;
  }
  if (l->offer == NULL || (*size > l->offer->size && !mg_segment_grow(l->offer))) return false;
  *data = l->offer->data;
  return *size <= l->offer->size;
}

bool mg_lane_refers(const mg_lane *l, SEXP reply) {
  return Rf_xlength(reply) > 0 && RAW_RO(reply)[0] == MESSAGE_REFER_RESULT && l->offer != NULL &&
         l->offer == l->standing;
}

static void end_request(mg_lane *l, mg_request_state state) {
  l->state = state;
  l->ring = NULL;
  l->offer = NULL;
}

void mg_lane_free(mg_lane *l) { end_request(l, REQUEST_NONE); }

void mg_lane_finish(mg_lane *l, bool used) {
  if (l->standing != NULL && l->offer == l->standing && (used || mg_segment_has_grown(l->standing))) {
    if (used) l->usual = l->standing->size;
    mg_segment_release(l->standing);
    l->standing = NULL;
  }
  mg_lane_free(l);
}

// The server may still write to what it was offered.
static void retire_offer(mg_lane *l) {
  if (l->offer == l->standing) {
    discard(l->standing);
    l->standing = NULL;
  }
}

// A call that holds the lane goes on by a request that is given up before the server sees it.
void mg_lane_give_up(mg_lane *l) {
  if (l->state != REQUEST_OUT && l->state != REQUEST_HELD) return;
  bool held = l->state == REQUEST_HELD;
  retire_offer(l);
  l->given_up++;
  if (held) {
    post_given_up(l);
  } else {
    lane_store(l, LANE_GIVEN_UP, l->request);
    mg_lane_event(l);
  }
  end_request(l, REQUEST_GIVEN_UP);
}

// --- What R calls ---

// Posts a message over the lane, if it fits and the lane is free, and notes its number as
// `posted` of the environment `line`, so that the request is given up with that. `segments`
// is what it uses of segments itself, or NULL.
SEXP mg_c_lane_post(SEXP pointer, SEXP message, SEXP line, SEXP segments) {
  mg_lane *l = mg_lane_of(pointer);
  if (l == NULL || Rf_xlength(message) > MAILBOX_SIZE) return Rf_ScalarLogical(0);
  // Without room for a large result it would be an error, which it is not over the socket.
  bool brings = segments != R_NilValue;
  if (brings ? mg_uses_offer(segments) == NULL : !mg_lane_offer(l, 1)) return Rf_ScalarLogical(0);
  SEXP number = PROTECT(Rf_ScalarReal(0));
  Rf_defineVar(Rf_install("posted"), number, line);
  bool free = !l->closed && mg_lane_is_free(l);
  if (free) {
    memcpy(mg_lane_box(l), RAW_RO(message), (size_t)Rf_xlength(message));
    mg_lane_post(l, (size_t)Rf_xlength(message), brings ? mg_uses_offer(segments) : NULL);
    REAL(number)[0] = l->request;
  }
  UNPROTECT(1);
  return Rf_ScalarLogical(free);
}

// The lane if the last request is of this number, and in this state.
mg_lane *mg_lane_in(SEXP pointer, double request, mg_request_state state) {
  mg_lane *l = mg_lane_of(pointer);
  return l != NULL && l->state == state && (double)l->request == request ? l : NULL;
}

static mg_lane *lane_with(SEXP pointer, SEXP posted) { return mg_lane_in(pointer, Rf_asReal(posted), REQUEST_OUT); }

static mg_lane *lane_held(SEXP pointer, SEXP posted) { return mg_lane_in(pointer, Rf_asReal(posted), REQUEST_HELD); }

// The number of the request that is out, NULL if there is none.
SEXP mg_c_lane_out(SEXP pointer) {
  const mg_lane *l = mg_lane_of(pointer);
  return l != NULL && l->state == REQUEST_OUT ? Rf_ScalarReal(l->request) : R_NilValue;
}

// How many requests were posted, and how many of them given up.
SEXP mg_c_lane_counts(SEXP pointer) {
  const mg_lane *l = mg_lane_of(pointer);
  if (l == NULL) return R_NilValue;
  SEXP counts = Rf_allocVector(REALSXP, 2);
  REAL(counts)[0] = l->request;
  REAL(counts)[1] = l->given_up;
  return counts;
}

// Waits for a moment, and returns what is true then: "answered", "waits", "lost", or "late"
// if it is `timeout` seconds since the request was posted.
SEXP mg_c_lane_wait(SEXP pointer, SEXP posted, SEXP timeout) {
  R_CheckUserInterrupt();
  mg_lane *l = lane_with(pointer, posted);
  if (l == NULL) return Rf_mkString("lost");
  double late = l->posted + Rf_asReal(timeout), end = mg_seconds() + SLICE;
  switch (mg_lane_wait(l, end < late ? end : late)) {
  case LANE_ANSWERED: return Rf_mkString("answered");
  case LANE_LOST: return Rf_mkString("lost");
  default: return Rf_mkString(mg_seconds() < late ? "waits" : "late");
  }
}

// Ends a call by its reply. Returns what that uses of segments, NULL for nothing. If a call
// that lives ends by an error, its function may still run.
static SEXP end_call(mg_lane *l, SEXP reply, SEXP uses) {
  bool used = mg_lane_refers(l, reply);
  if (used) {
    (void)mg_segment_grow(l->offer); // its size is noted; nothing refers to it yet
    mg_uses_add_offer(uses, l->offer);
  } else if (l->lives && Rf_xlength(reply) > 0 && RAW_RO(reply)[0] == MESSAGE_ERROR) {
    retire_offer(l);
  }
  mg_lane_finish(l, used);
  return used ? uses : R_NilValue;
}

// Whether a reply does not end its call.
static bool is_talk(SEXP reply) { return Rf_xlength(reply) > 0 && is_talk_type(RAW_RO(reply)[0]); }

// The reply and, if it is by reference, what it uses of segments: list(bytes, segments). The
// lane is free, unless the reply does not end the call. NULL if what the server says of it cannot be true.
SEXP mg_c_lane_take(SEXP pointer, SEXP posted) {
  mg_lane *l = lane_with(pointer, posted);
  const uint8_t *data = NULL;
  size_t size = 0, again = 0;
  if (l == NULL || !mg_lane_reply(l, &data, &size)) return R_NilValue;
  SEXP out = PROTECT(Rf_allocVector(VECSXP, 2)), uses = PROTECT(mg_uses_new(1));
  SEXP reply = Rf_allocVector(RAWSXP, (R_xlen_t)size);
  SET_VECTOR_ELT(out, 0, reply);
  l = lane_with(pointer, posted); // a finalizer may have closed it
  bool there = l != NULL && mg_lane_reply(l, &data, &again) && again == size;
  if (there) {
    memcpy(RAW(reply), data, size);
    if (is_talk(reply)) {
      l->state = REQUEST_HELD;
      l->ring = NULL;
    } else {
      SET_VECTOR_ELT(out, 1, end_call(l, reply, uses));
    }
  }
  UNPROTECT(2);
  return there ? out : R_NilValue;
}

// Posts the message by which the call that holds the lane since request `posted` goes on, and
// notes its number as `posted` of the environment `line`. NULL if it does not fit, FALSE if
// the call does not hold the lane.
SEXP mg_c_lane_continue(SEXP pointer, SEXP posted, SEXP message, SEXP line) {
  if (Rf_xlength(message) > MAILBOX_SIZE) return R_NilValue;
  if (lane_held(pointer, posted) == NULL) return Rf_ScalarLogical(0);
  SEXP number = PROTECT(Rf_ScalarReal(Rf_asReal(posted)));
  Rf_defineVar(Rf_install("posted"), number, line);
  mg_lane *l = lane_held(pointer, posted);
  if (l != NULL) {
    memcpy(mg_lane_box(l), RAW_RO(message), (size_t)Rf_xlength(message));
    mg_lane_continue(l, (size_t)Rf_xlength(message));
    REAL(number)[0] = l->request;
  }
  UNPROTECT(1);
  return Rf_ScalarLogical(l != NULL);
}

// Ends the call that holds the lane by its reply, which has come over the socket. Returns what
// that uses of segments, or NULL.
SEXP mg_c_lane_release_held(SEXP pointer, SEXP posted, SEXP reply) {
  SEXP uses = PROTECT(mg_uses_new(1));
  mg_lane *l = lane_held(pointer, posted);
  SEXP out = l == NULL || TYPEOF(reply) != RAWSXP ? R_NilValue : end_call(l, reply, uses);
  UNPROTECT(1);
  return out;
}

// For how many seconds the call is out that has the lane.
SEXP mg_c_lane_age(SEXP pointer) {
  const mg_lane *l = mg_lane_of(pointer);
  return Rf_ScalarReal(l == NULL ? 0 : mg_seconds() - l->posted);
}

SEXP mg_c_lane_give_up(SEXP pointer, SEXP posted) {
  mg_lane *l = lane_with(pointer, posted);
  if (l == NULL) l = lane_held(pointer, posted);
  if (l != NULL) mg_lane_give_up(l);
  return R_NilValue;
}
