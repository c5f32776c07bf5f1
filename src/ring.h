// The ring of a lane: through it the columns of a large elementwise call go in chunks, while
// Go computes with those that are there. The request, of type 8, says what the columns are.

#ifndef MANGORO_RING_H
#define MANGORO_RING_H

#include "lane.h"

typedef struct {
  SEXP x;
  bool constant; // all rows have its one value, which the request says
} mg_ring_argument;

typedef struct mg_ring {
  mg_ring_argument *arguments;
  int n_arguments;
  int n_columns; // those that are not constant
  R_xlen_t rows;
  R_xlen_t chunk_rows; // of all chunks but the last
  R_xlen_t next;       // the first row that has not been written
  uint32_t written;    // chunks
} mg_ring;

// Whether the arguments, a list in the order of the signature of vectors without attributes that
// have `rows` values or one, can go through the ring: they are doubles, integers and logicals. If
// all of them lie in segments and are large, they should rather go by reference.
// The list must live as long as the ring, whose memory is R_alloc's.
bool mg_ring_plan(mg_ring *ring, SEXP args, R_xlen_t rows);

// The payload of the request.
size_t mg_ring_payload_size(const mg_ring *ring);
void mg_ring_write_payload(const mg_ring *ring, uint8_t *to);

// Writes the next chunk to the ring of `lane`, which is where that is mapped, if there is one,
// and a slot for it. Returns whether it did: the caller then counts an event. It is called after
// the request was posted, until the reply is there. An error of R's may leave from it, since
// a vector may make its values when they are asked for.
bool mg_ring_fill(mg_ring *ring, uint8_t *lane);
// Whether mg_ring_fill() would.
bool mg_ring_can_fill(const mg_ring *ring, const uint8_t *lane);

#endif
