// The ring of a lane: through it the columns of a large elementwise call go in chunks, while
// Go computes with those that are there.

#include "lane.h"

enum {
  ARGUMENT_SIZE = 16, // in the payload of the request
  WIDTH = 8,          // bytes of a slot for each value, whatever its type
  STEP = 64           // chunks are so many rows, or a multiple
};

// The length of the longest argument, or 0 if one is empty; -1 if one cannot go.
static R_xlen_t common_rows(SEXP args, const int *types) {
  R_xlen_t longest = 1;
  bool empty = false;
  for (R_xlen_t i = 0; i < Rf_xlength(args); i++) {
    SEXP x = VECTOR_ELT(args, i);
    if (TYPEOF(x) != types[i] || HAS_ATTRIBUTES(x)) return -1;
    if (types[i] != REALSXP && types[i] != INTSXP && types[i] != LGLSXP) return -1;
    empty = empty || Rf_xlength(x) == 0;
    if (Rf_xlength(x) > longest) longest = Rf_xlength(x);
  }
  return empty ? 0 : longest;
}

static bool plan_columns(mg_ring *ring, SEXP args, const int *types) {
  *ring = (mg_ring){.rows = common_rows(args, types)};
  for (R_xlen_t i = 0; i < Rf_xlength(args); i++) {
    SEXP x = VECTOR_ELT(args, i);
    if (Rf_xlength(x) == ring->rows) {
      if (ring->n == RING_COLUMNS) return false;
      ring->columns[ring->n++] = x;
    } else if (Rf_xlength(x) != 1) {
      return false;
    }
  }
  if (ring->rows < 0 || ring->n == 0) return false;
  R_xlen_t fit = (RING_SLOT_SIZE - RING_HEADER) / (WIDTH * ring->n) / STEP * STEP;
  ring->chunk_rows = fit < RING_ROWS ? fit : RING_ROWS;
  return ring->rows / ring->chunk_rows < UINT32_MAX;
}

// --- The request ------------------------------------------------------------

static uint8_t *put(uint8_t *to, const void *value, size_t size) {
  memcpy(to, value, size);
  return to + size;
}

static uint8_t *put_uint32(uint8_t *to, uint32_t value) { return put(to, &value, sizeof value); }

static void put_value(uint8_t *to, SEXP x) {
  if (TYPEOF(x) == REALSXP) {
    double value = REAL_ELT(x, 0);
    put(to, &value, sizeof value);
  } else {
    int value = TYPEOF(x) == INTSXP ? INTEGER_ELT(x, 0) : LOGICAL_ELT(x, 0);
    put(to, &value, sizeof value);
  }
}

size_t mg_ring_plan(mg_lane *l, const uint8_t *header, size_t header_size, SEXP args, const int *types) {
  size_t n = (size_t)Rf_xlength(args), size = header_size + ARGUMENT_SIZE * (1 + n);
  if (size > MAILBOX_SIZE || !plan_columns(&l->ring, args, types)) return 0;
  uint8_t *to = put(mg_lane_box(l), header, header_size);
  uint64_t rows = (uint64_t)l->ring.rows;
  to = put(to, &rows, sizeof rows);
  to = put_uint32(put_uint32(to, (uint32_t)n), 0);
  for (size_t i = 0; i < n; i++) {
    SEXP x = VECTOR_ELT(args, (R_xlen_t)i);
    bool constant = Rf_xlength(x) != l->ring.rows;
    to = put_uint32(put_uint32(to, (uint32_t)TYPEOF(x)), constant);
    memset(to, 0, WIDTH);
    if (constant) put_value(to, x);
    to += WIDTH;
  }
  return size;
}

// --- Chunks -----------------------------------------------------------------

// The copies look for NA on the way. Compilers do not do this for themselves at the level
// that R asks for, and without the prefetch they would wait for memory: 80 MB take 12 ms,
// and 6.5 ms as here, which is the time of memcpy().
#if defined(__GNUC__)
#define AHEAD 128 // values
typedef double doubles __attribute__((vector_size(16)));
typedef int64_t doubles_flags __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));
#endif

// Copies n doubles, perhaps in place, and returns whether there is NA or NaN.
static bool copy_doubles(double *to, const double *from, size_t n) {
  size_t i = 0;
  bool found = false;
#if defined(__GNUC__)
  doubles_flags nan = {0};
  for (; i + 8 <= n; i += 8) {
    doubles v[4];
    __builtin_prefetch(from + i + AHEAD);
    memcpy(v, from + i, sizeof v);
    memcpy(to + i, v, sizeof v);
    nan |= (v[0] != v[0]) | (v[1] != v[1]) | (v[2] != v[2]) | (v[3] != v[3]);
  }
  found = (nan[0] | nan[1]) != 0;
#endif
  for (; i < n; i++) {
    to[i] = from[i];
    found = found || from[i] != from[i];
  }
  return found;
}

// Does so for integers and logicals.
static bool copy_ints(int *to, const int *from, size_t n) {
  size_t i = 0;
  bool found = false;
#if defined(__GNUC__)
  ints na = {0}, smallest = {NA_INTEGER, NA_INTEGER, NA_INTEGER, NA_INTEGER};
  for (; i + 16 <= n; i += 16) {
    ints v[4];
    __builtin_prefetch(from + i + 2 * AHEAD);
    memcpy(v, from + i, sizeof v);
    memcpy(to + i, v, sizeof v);
    na |= (v[0] == smallest) | (v[1] == smallest) | (v[2] == smallest) | (v[3] == smallest);
  }
  found = (na[0] | na[1] | na[2] | na[3]) != 0;
#endif
  for (; i < n; i++) {
    to[i] = from[i];
    found = found || from[i] == NA_INTEGER;
  }
  return found;
}

// Writes rows [from, from + n) of a column, and returns whether there is NA.
static bool write_column(SEXP x, R_xlen_t from, R_xlen_t n, void *to) {
  const void *values = DATAPTR_OR_NULL(x);
  if (TYPEOF(x) == REALSXP) {
    if (values != NULL) return copy_doubles(to, (const double *)values + from, (size_t)n);
    REAL_GET_REGION(x, from, n, to);
    return copy_doubles(to, to, (size_t)n);
  }
  if (values != NULL) return copy_ints(to, (const int *)values + from, (size_t)n);
  if (TYPEOF(x) == INTSXP) {
    INTEGER_GET_REGION(x, from, n, to);
  } else {
    LOGICAL_GET_REGION(x, from, n, to);
  }
  return copy_ints(to, to, (size_t)n);
}

static void write_chunk(mg_lane *l) {
  mg_ring *ring = &l->ring;
  uint8_t *slot = l->data + LANE_RING + ring->chunks % RING_SLOTS * RING_SLOT_SIZE, *to = slot + RING_HEADER;
  R_xlen_t left = ring->rows - ring->written, n = left < ring->chunk_rows ? left : ring->chunk_rows;
  uint32_t na = 0;
  for (int i = 0; i < ring->n; i++) {
    if (write_column(ring->columns[i], ring->written, n, to)) na |= UINT32_C(1) << i;
    to += WIDTH * ring->chunk_rows;
  }
  put_uint32(put_uint32(slot, (uint32_t)n), na);
  ring->written += n;
  ring->chunks++;
  lane_store(l, LANE_CHUNKS_WRITTEN, ring->chunks);
  mg_lane_event(l);
}

// Whether there is a slot for the next chunk. There is none if what the server says makes no
// sense, and the call then takes too long.
static bool has_slot(const mg_lane *l) { return l->ring.chunks - lane_load(l, LANE_CHUNKS_READ) < RING_SLOTS; }

static bool can_go_on(const mg_lane *l) { return has_slot(l) || mg_lane_answered(l); }

bool mg_ring_write(mg_lane *l, double end) {
  while (l->ring.written < l->ring.rows) {
    if (mg_seconds() >= end || !mg_lane_wait(l, can_go_on, end)) return false;
    if (mg_lane_answered(l)) return true;
    write_chunk(l);
  }
  return true;
}
