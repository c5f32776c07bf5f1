// Segments: shared memory that this session has made and that a Go program can map. R owns
// all of it: no segment outlives the session, whoever is killed. Only segment.c knows the
// operating system; where it has no such memory, mg_segment_take() returns NULL, and the
// caller does without.

#ifndef MANGORO_SEGMENT_H
#define MANGORO_SEGMENT_H

#include "mangoro.h"

// What a segment is for. R writes arguments, and Go only reads them. Go writes results, and
// what R writes there later stays in R (a private mapping). Both write a lane.
typedef enum { SEGMENT_ARGUMENTS, SEGMENT_RESULTS, SEGMENT_LANE } mg_segment_role;

typedef struct mg_segment {
  mg_segment_role role;
  int fd;              // by which Go opens it: /proc/<pid>/fd/<fd>
  uint32_t generation; // tells it from others that have had the same descriptor
  uint32_t peer;       // the server that may have it mapped, see mg_segment_take()
  uint8_t *data;       // where it is mapped
  size_t size;         // of it
  int uses;            // 1 for who took it, and 1 for each view
  bool retired;        // when its last use ends it is closed, not kept for the next call
  bool exposed;        // of results: R code has had a pointer to it, and may have written
  unsigned forks;      // how often this process had forked when it was taken
  double pooled_at;    // when it came into the pool
  struct mg_segment *next;
} mg_segment;

// A range of a segment.
typedef struct {
  mg_segment *segment;
  size_t offset, size;
} mg_part;

void mg_segment_init(void); // when this code is loaded

double mg_seconds(void); // of a clock that nobody sets; 0 where there are no segments

// Whether there is shared memory at all: the system has it, no limit on file sizes would
// kill us, and this is not a fork.
bool mg_segment_possible(void);

// A segment of at least `size` bytes, from the pool or a new one, with one use. NULL if there
// is none, or none within the budget, even after R's collector has run: it may run here. What
// was in it before is still there. A server keeps what it has mapped, so the pool gives it to
// the same server only: `peer` is the generation of its lane's own segment, 0 for no server.
mg_segment *mg_segment_take(mg_segment_role role, size_t size, uint32_t peer);
mg_segment *mg_segment_take_pooled(mg_segment_role role, size_t size, uint32_t peer); // only from the pool
void mg_segment_forget(uint32_t peer); // closes those in the pool that only this server may have
void mg_segment_use(mg_segment *s);
void mg_segment_release(mg_segment *s); // ends one use; does nothing in a fork
// A call that was given up may still use it: it is closed after its last use, and never
// used for another call.
void mg_segment_retire(mg_segment *s);
// Maps what Go has added to a segment of results that has no views yet. It may move.
bool mg_segment_grow(mg_segment *s);
// Whether Go has added to it what is not mapped, or the system does not say.
bool mg_segment_has_grown(const mg_segment *s);
// Whether R has written nothing to this part of a segment of results, as far as we can tell.
bool mg_segment_is_untouched(const mg_part *part);

// For tests: limits of the bytes and the number of segments (0: the usual ones), and a system
// call that fails: number `at` from now, 0 for none. Returns how many there have been.
void mg_segment_limit(size_t bytes, size_t segments);
int mg_segment_fail(int at);
int mg_segment_collections(void); // how often R's collector was run for them

#endif
