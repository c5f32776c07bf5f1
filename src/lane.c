// R's end of a lane: requests are posted, waited for, and finished or given up.

#ifdef __linux__
#define _GNU_SOURCE
#endif

#include "lane.h"

#include "entries.h"
#include "system.h"

#include <time.h>

// --- What differs between systems ---

#ifdef __linux__
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
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
#else
// There are no segments here, and so no lanes.
static void futex_wait(uint32_t *word, uint32_t seen, double seconds) { (void)word, (void)seen, (void)seconds; }
static void futex_wake(uint32_t *word) { (void)word; }
static void yield(void) {}
static bool can_spin(void) { return false; }
#endif

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

double mg_seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// --- Its life ---

static uint32_t *word_at(const mg_lane *l, int at) { return (uint32_t *)(void *)(l->data + at); }

// The server may still write to both, so no other call uses them again.
static void close_lane(SEXP pointer) {
  mg_lane *l = R_ExternalPtrAddr(pointer);
  if (l == NULL) return;
  R_ClearExternalPtr(pointer);
  if (l->owner == mg_process_id()) {
    mg_segment_retire(l->segment);
    mg_segment_release(l->segment);
    if (l->offer != NULL) {
      mg_segment_retire(l->offer);
      mg_segment_release(l->offer);
    }
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

// A new lane: list(pointer, file descriptor, size). NULL if there is no shared memory.
// `token` is 16 random bytes.
SEXP mg_c_lane_open(SEXP token) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, 3));
  SEXP pointer = R_MakeExternalPtr(NULL, R_NilValue, R_NilValue);
  SET_VECTOR_ELT(out, 0, pointer);
  R_RegisterCFinalizerEx(pointer, close_lane, FALSE);
  SET_VECTOR_ELT(out, 1, Rf_allocVector(INTSXP, 1));
  SET_VECTOR_ELT(out, 2, Rf_ScalarInteger(LANE_SIZE));
  mg_segment *s = mg_segment_possible() ? mg_segment_take(SEGMENT_LANE, LANE_SIZE) : NULL;
  mg_lane *l = s == NULL ? NULL : malloc(sizeof *l);
  UNPROTECT(1);
  if (l == NULL) {
    if (s != NULL) mg_segment_release(s);
    return R_NilValue;
  }
  *l = (mg_lane){.segment = s, .data = s->data, .owner = mg_process_id()};
  lay_out(l, RAW_RO(token));
  R_SetExternalPtrAddr(pointer, l);
  INTEGER(VECTOR_ELT(out, 1))[0] = s->fd;
  return out;
}

SEXP mg_c_lane_close(SEXP pointer) {
  close_lane(pointer);
  return R_NilValue;
}

mg_lane *mg_lane_of(SEXP pointer) {
  mg_lane *l = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  return l != NULL && l->owner == mg_process_id() ? l : NULL;
}

// --- Requests ---

bool mg_lane_is_free(mg_lane *l) {
  if (lane_load(l, LANE_CLOSED) != 0) return false;
  if (l->state == REQUEST_GIVEN_UP && lane_load(l, LANE_REPLY) == l->request) l->state = REQUEST_NONE;
  return l->state == REQUEST_NONE;
}

void mg_lane_offer(mg_lane *l) {
  if (l->offer == NULL) l->offer = mg_segment_take(SEGMENT_RESULTS, 1);
}

void mg_lane_event(mg_lane *l) {
  (void)__atomic_add_fetch(word_at(l, LANE_R_EVENTS), 1, __ATOMIC_SEQ_CST);
  if (lane_load(l, LANE_GO_SLEEPS) != 0) futex_wake(word_at(l, LANE_R_EVENTS));
}

void mg_lane_post(mg_lane *l, size_t size) {
  l->request++;
  l->state = REQUEST_OUT;
  lane_store(l, LANE_REQUEST_SIZE, (uint32_t)size);
  lane_store(l, LANE_OFFER_FD, l->offer == NULL ? UINT32_MAX : (uint32_t)l->offer->fd);
  lane_store(l, LANE_OFFER_GENERATION, l->offer == NULL ? 0 : l->offer->generation);
  lane_store(l, LANE_CHUNKS_WRITTEN, 0);
  lane_store(l, LANE_REQUEST, l->request);
  mg_lane_event(l);
}

bool mg_lane_answered(const mg_lane *l) {
  return lane_load(l, LANE_REPLY) == l->request || lane_load(l, LANE_CLOSED) != 0;
}

// How long R spins. The scheduler may put the server on R's own processor: without a yield
// it would not run before R sleeps.
#define SPIN 50e-6
enum { PAUSES = 50 };

static bool spin(mg_lane *l, bool (*ready)(const mg_lane *l)) {
  if (!can_spin()) return ready(l);
  for (double end = mg_seconds() + SPIN; mg_seconds() < end; yield()) {
    for (int i = 0; i < PAUSES; i++) {
      if (ready(l)) return true;
      relax();
    }
  }
  return ready(l);
}

// The server wakes R whenever it has counted an event after R has said that it sleeps. A
// slice ends the sleep if the server is gone.
#define SLICE 0.05

static void sleep_for(mg_lane *l, bool (*ready)(const mg_lane *l), double seconds) {
  lane_store(l, LANE_R_SLEEPS, 1);
  uint32_t seen = lane_load(l, LANE_GO_EVENTS);
  if (!ready(l)) futex_wait(word_at(l, LANE_GO_EVENTS), seen, seconds < SLICE ? seconds : SLICE);
  lane_store(l, LANE_R_SLEEPS, 0);
}

bool mg_lane_wait(mg_lane *l, bool (*ready)(const mg_lane *l), double end) {
  if (ready(l) || spin(l, ready)) return true;
  for (double left = end - mg_seconds(); left > 0; left = end - mg_seconds()) {
    sleep_for(l, ready, left);
    if (ready(l)) return true;
  }
  return false;
}

bool mg_lane_reply(mg_lane *l, const uint8_t **data, size_t *size) {
  if (lane_load(l, LANE_REPLY) != l->request) return false;
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

mg_segment *mg_lane_finish(mg_lane *l, bool used) {
  mg_segment *offer = used ? l->offer : NULL;
  if (used) l->offer = NULL;
  l->state = REQUEST_NONE;
  return offer;
}

// The server may still write to what it was offered.
void mg_lane_give_up(mg_lane *l) {
  if (l->state != REQUEST_OUT) return;
  l->state = REQUEST_GIVEN_UP;
  l->given_up++;
  if (l->offer != NULL) {
    mg_segment_retire(l->offer);
    mg_segment_release(l->offer);
    l->offer = NULL;
  }
  lane_store(l, LANE_GIVEN_UP, l->request);
  mg_lane_event(l);
}
