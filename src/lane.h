// The lane of a connection: a segment through which small messages go. Its layout, of native
// integers, is that of internal/lane in Go.

#ifndef MANGORO_LANE_H
#define MANGORO_LANE_H

#include "segment.h"

enum {
  LANE_VERSION = 1,
  // Written once, before it is attached.
  LANE_MAGIC = 0,    // 8 bytes, "mgolane1"
  LANE_TOKEN = 8,    // 16 random bytes, which the message that attaches it repeats
  LANE_SETTLED = 24, // uint32 version, mailbox bytes, ring slots, bytes of a slot
  // Written by R, uint32 each.
  LANE_R_EVENTS = 64,          // counts what R has done: Go sleeps on it
  LANE_REQUEST = 68,           // number of the last request
  LANE_REQUEST_SIZE = 72,      // its bytes
  LANE_CHUNKS_WRITTEN = 76,    // of a ring call
  LANE_GIVEN_UP = 80,          // number of the last request that R gave up
  LANE_OFFER_FD = 84,          // the segment that the result may be written to; UINT32_MAX: none
  LANE_OFFER_GENERATION = 88,
  LANE_R_CPU = 92,             // the processor that R has run on
  LANE_R_SLEEPS = 128,         // 1: wake R when LANE_GO_EVENTS changes
  // Written by Go, uint32 each.
  LANE_GO_EVENTS = 192,        // counts what Go has done: R sleeps on it
  LANE_REPLY = 196,            // number of the last request that is answered
  LANE_REPLY_SIZE = 200,       // bytes of the reply; with REPLY_IN_OFFER it lies in the offered segment
  LANE_CHUNKS_READ = 204,
  LANE_CLOSED = 208,           // 1: the server reads it no more
  LANE_SERVER = 212,           // its process
  LANE_GO_CPU = 216,           // the processor that it has run on
  LANE_GO_SLEEPS = 256,        // 1: wake Go when LANE_R_EVENTS changes
  // The mailboxes and the ring.
  MAILBOX_SIZE = 65536,
  LANE_REQUEST_BOX = 4096,
  LANE_REPLY_BOX = LANE_REQUEST_BOX + MAILBOX_SIZE,
  RING_SLOTS = 8,
  RING_SLOT_SIZE = 65 * 4096,  // a header, and then the values of each column
  RING_HEADER = 64,            // uint32 rows of the chunk; uint32 bit i: column i has NA
  RING_ROWS = 8192,            // of a chunk, at most
  LANE_RING = LANE_REPLY_BOX + MAILBOX_SIZE,
  LANE_SIZE = LANE_RING + RING_SLOTS * RING_SLOT_SIZE
};

#define REPLY_IN_OFFER UINT32_C(0x80000000)

// What became of the last request. If its answer does not end the call, that holds the lane
// and goes on by another request. One that R gave up holds the lane until it is answered, and
// that answer is dropped.
typedef enum { REQUEST_NONE, REQUEST_OUT, REQUEST_HELD, REQUEST_GIVEN_UP } mg_request_state;

typedef struct {
  mg_segment *segment;
  uint8_t *data;
  int owner;        // the process that made it
  bool closed;
  uint32_t request; // number of the last one
  mg_request_state state;
  bool lives;        // the call has gone on after its first request
  double posted;     // when that was, of mg_seconds()
  uint32_t given_up; // how many requests were, so far
  bool spins;        // there is another processor for the server
  mg_segment *standing; // that is offered for the result of a request that brings none, or NULL
  size_t usual;          // bytes of the last one that a result lay in: the next is as large if the pool has one
  mg_segment *offer;    // for the request that is out: the standing one, the caller's, or NULL
  struct mg_ring *ring; // of the call that is out, if its arguments go through the ring (ring.h)
} mg_lane;

// The lane of an external pointer; NULL if it is closed, or belongs to another process. It is
// there as long as the pointer is protected, even if it is closed meanwhile.
mg_lane *mg_lane_of(SEXP pointer);
// The same, NULL also if that request does not hold it in that state.
mg_lane *mg_lane_in(SEXP pointer, double request, mg_request_state state);
// Whether a request can be posted: none holds the lane, and the server lives.
bool mg_lane_is_free(mg_lane *l);
// Where to write a request of at most MAILBOX_SIZE bytes if the lane is free. No R code may
// run from the first byte on until it is posted: it could post another.
static inline uint8_t *mg_lane_box(const mg_lane *l) { return l->data + LANE_REQUEST_BOX; }
// Has a standing offer, of so many bytes if there is memory. False if there is none: then the
// request goes over the socket, where a reply needs no offer. It may run R's collector, and
// so R code (finalizers), which may close the lane.
bool mg_lane_offer(mg_lane *l, size_t size);
// Posts the request in the mailbox. `offer` is the caller's segment for the result; NULL: the
// standing one.
void mg_lane_post(mg_lane *l, size_t size, mg_segment *offer);

// Posts the request in the mailbox by which a call that holds the lane goes on. Its offer is
// that of the first.
void mg_lane_continue(mg_lane *l, size_t size);

// Waits until the reply is there, at most until `end` of mg_seconds(), and writes chunks of
// a ring call meanwhile. It spins, and then sleeps. Only a vector that makes its values when
// they are asked for can raise an error here, or run R code; nothing is interrupted.
typedef enum { LANE_ANSWERED, LANE_WAITS, LANE_LOST } mg_lane_progress;
mg_lane_progress mg_lane_wait(mg_lane *l, double end);
// Counts something that R has done, and wakes the server if it sleeps.
void mg_lane_event(mg_lane *l);

// The reply that has come, where it lies: what steers is read once or copied first. False if there is
// no such place.
bool mg_lane_reply(mg_lane *l, const uint8_t **data, size_t *size);
// Whether a reply, a raw vector, is a result that lies in the standing offer.
bool mg_lane_refers(const mg_lane *l, SEXP reply);
// The request is done, and the lane free.
void mg_lane_free(mg_lane *l);
// The same. If the result lies in the standing offer (`used`), that is none any more, nor if the
// server has added memory to it that no result lies in.
void mg_lane_finish(mg_lane *l, bool used);
void mg_lane_give_up(mg_lane *l);

static inline uint32_t lane_load(const mg_lane *l, int at) {
  return __atomic_load_n((uint32_t *)(void *)(l->data + at), __ATOMIC_SEQ_CST);
}
static inline void lane_store(mg_lane *l, int at, uint32_t value) {
  __atomic_store_n((uint32_t *)(void *)(l->data + at), value, __ATOMIC_SEQ_CST);
}

#endif
