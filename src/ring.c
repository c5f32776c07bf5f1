// The ring of a lane, R's end.

#include "ring.h"

#include "copy.h"
#include "entries.h"
#include "view.h"

#include <stdatomic.h>

enum {
  MAX_COLUMNS = 8 * (RING_HEADER - (int)sizeof(uint32_t)), // for which a slot's header has a bit
  ARGUMENT_SIZE = 16,                                      // in the payload of the request
  WIDTH = 8,                                               // bytes of a slot for each value, whatever its type
  STEP = 64                                                // chunks are so many rows, or a multiple
};

static bool can_go(SEXP x) {
  if (x == R_NilValue) return true; // a missing argument
  return (TYPEOF(x) == REALSXP || TYPEOF(x) == INTSXP || TYPEOF(x) == LGLSXP) && !HAS_ATTRIBUTES(x);
}

// The length of the longest argument, or 0 if one is empty, and -1 if one cannot go.
static R_xlen_t common_rows(SEXP args) {
  R_xlen_t longest = 1;
  bool empty = false;
  for (R_xlen_t i = 0; i < Rf_xlength(args); i++) {
    SEXP x = VECTOR_ELT(args, i);
    if (!can_go(x)) return -1;
    if (x == R_NilValue) continue;
    empty = empty || Rf_xlength(x) == 0;
    if (Rf_xlength(x) > longest) longest = Rf_xlength(x);
  }
  return empty ? 0 : longest;
}

// A call by reference takes longer to begin with, and is faster if nothing has to be copied.
// One vector that has to be is faster through the ring, with all others.
#define REFERENCE_BYTES ((R_xlen_t)2 << 20)

static bool should_be_referred_to(const mg_ring *ring) {
  if (WIDTH * ring->rows * ring->n_columns < REFERENCE_BYTES) return false;
  mg_part part;
  bool no_na;
  for (int i = 0; i < ring->n_arguments; i++) {
    const mg_ring_argument *a = &ring->arguments[i];
    if (!a->constant && !mg_is_untouched_view(a->x, &part, &no_na)) return false;
  }
  return true;
}

bool mg_ring_plan(mg_ring *ring, SEXP args) {
  R_xlen_t rows = common_rows(args);
  if (rows < 0 || Rf_xlength(args) > MAX_COLUMNS) return false;
  *ring = (mg_ring){.n_arguments = (int)Rf_xlength(args), .rows = rows};
  ring->arguments = mg_alloc((size_t)ring->n_arguments, sizeof *ring->arguments);
  for (int i = 0; i < ring->n_arguments; i++) {
    SEXP x = VECTOR_ELT(args, i);
    bool column = x != R_NilValue && Rf_xlength(x) == rows;
    if (!column && x != R_NilValue && Rf_xlength(x) != 1) return false;
    ring->arguments[i] = (mg_ring_argument){.x = x, .constant = !column};
    ring->n_columns += column;
  }
  if (ring->n_columns == 0) return false;
  R_xlen_t fits = (RING_SLOT_SIZE - RING_HEADER) / (WIDTH * ring->n_columns) / STEP * STEP;
  ring->chunk_rows = fits < RING_ROWS ? fits : RING_ROWS;
  return rows / ring->chunk_rows < UINT32_MAX && !should_be_referred_to(ring);
}

// --- The request ------------------------------------------------------------

static uint8_t *put(uint8_t *to, const void *value, size_t size) {
  memcpy(to, value, size);
  return to + size;
}

static uint8_t *put_uint32(uint8_t *to, uint32_t value) { return put(to, &value, sizeof value); }

size_t mg_ring_payload_size(const mg_ring *ring) { return ARGUMENT_SIZE + ARGUMENT_SIZE * (size_t)ring->n_arguments; }

static void put_value(uint8_t *to, SEXP x) {
  if (TYPEOF(x) == REALSXP) {
    double value = REAL_ELT(x, 0);
    memcpy(to, &value, sizeof value);
  } else {
    int value = TYPEOF(x) == INTSXP ? INTEGER_ELT(x, 0) : LOGICAL_ELT(x, 0);
    memcpy(to, &value, sizeof value);
  }
}

void mg_ring_write_payload(const mg_ring *ring, uint8_t *to) {
  uint64_t rows = (uint64_t)ring->rows;
  to = put(to, &rows, sizeof rows);
  to = put_uint32(put_uint32(to, (uint32_t)ring->n_arguments), 0);
  for (int i = 0; i < ring->n_arguments; i++) {
    const mg_ring_argument *a = &ring->arguments[i];
    to = put_uint32(put_uint32(to, (uint32_t)TYPEOF(a->x)), a->constant);
    memset(to, 0, WIDTH);
    if (a->constant && a->x != R_NilValue) put_value(to, a->x);
    to += WIDTH;
  }
}

// --- Chunks -----------------------------------------------------------------

// Writes rows [from, from + n) of a column, and returns whether there is NA.
static bool write_column(SEXP x, R_xlen_t from, R_xlen_t n, void *to) {
  const uint8_t *values = mg_view_values(x);
  if (TYPEOF(x) == REALSXP) {
    if (values != NULL) return mg_copy_doubles(to, values + sizeof(double) * (size_t)from, (size_t)n);
    REAL_GET_REGION(x, from, n, to);
    return mg_copy_doubles(to, to, (size_t)n);
  }
  if (values != NULL) return mg_copy_ints(to, values + sizeof(int) * (size_t)from, (size_t)n);
  if (TYPEOF(x) == INTSXP) {
    INTEGER_GET_REGION(x, from, n, to);
  } else {
    LOGICAL_GET_REGION(x, from, n, to);
  }
  return mg_copy_ints(to, to, (size_t)n);
}

static _Atomic uint32_t *word(const uint8_t *lane, size_t at) { return (_Atomic uint32_t *)(uintptr_t)(lane + at); }

// There is no slot if what the server says makes no sense, and the call then takes too long.
bool mg_ring_can_fill(const mg_ring *ring, const uint8_t *lane) {
  uint32_t read = atomic_load_explicit(word(lane, LANE_CHUNKS_READ), memory_order_acquire);
  return ring->next < ring->rows && ring->written - read < RING_SLOTS;
}

// Of all rings, for tests.
static double chunks_written = 0;

SEXP mg_c_ring_chunks(void) { return Rf_ScalarReal(chunks_written); }

bool mg_ring_fill(mg_ring *ring, uint8_t *lane) {
  if (!mg_ring_can_fill(ring, lane)) return false;
  uint8_t *slot = lane + LANE_RING + ring->written % RING_SLOTS * RING_SLOT_SIZE;
  R_xlen_t left = ring->rows - ring->next, n = left < ring->chunk_rows ? left : ring->chunk_rows;
  uint8_t header[RING_HEADER] = {0};
  put_uint32(header, (uint32_t)n);
  size_t column = 0;
  for (int i = 0; i < ring->n_arguments; i++) {
    if (ring->arguments[i].constant) continue;
    void *to = slot + RING_HEADER + column * WIDTH * (size_t)ring->chunk_rows;
    if (write_column(ring->arguments[i].x, ring->next, n, to)) {
      header[sizeof(uint32_t) + column / 8] |= (uint8_t)(1u << column % 8);
    }
    column++;
  }
  memcpy(slot, header, sizeof header);
  ring->next += n;
  ring->written++;
  chunks_written++;
  atomic_store_explicit(word(lane, LANE_CHUNKS_WRITTEN), ring->written, memory_order_release);
  return true;
}
