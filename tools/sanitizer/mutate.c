// Broken streams for the decoder, by the million: what is left of a good stream
// when some of its bytes are changed. Part of the sanitized build only.

#include "../../src/decode.h"
#include "../../src/entries.h"

#include <stdlib.h>

static uint64_t state;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static size_t below(size_t n) { return n == 0 ? 0 : (size_t)(next_random() % n); }

static int64_t interesting(void) {
  static const int64_t values[] = {0,         1,         2,   3,   4,         7,         8,         16,
                                   63,        64,        255, 256, INT16_MAX, INT32_MAX, INT32_MIN, UINT32_MAX,
                                   INT64_MAX, INT64_MIN, -1,  -2,  -8,        1 << 20,   1 << 24};
  return values[below(sizeof values / sizeof values[0])];
}

static void change(uint8_t *p, size_t n) {
  // The metadata, in which everything is steered, stands in front.
  size_t at = below(next_random() % 3 == 0 ? n : n / 2 + 1);
  int64_t value = interesting();
  switch (next_random() % 8) {
  case 0: p[at] = (uint8_t)(p[at] ^ 1u << below(8)); break;
  case 1: p[at] = (uint8_t)next_random(); break;
  case 2: p[at] = (uint8_t)value; break;
  case 3: p[at] = (uint8_t)(p[at] + (next_random() % 2 ? 1 : -1)); break;
  case 4:
    at -= at % 4;
    if (n - at >= 4) memcpy(p + at, &value, 4);
    break;
  case 5:
    at -= at % 8;
    if (n - at >= 8) memcpy(p + at, &value, 8);
    break;
  case 6: {
    size_t from = below(n), size = below(32);
    if (size <= n - at && size <= n - from) memmove(p + at, p + from, size);
    break;
  }
  default: {
    at -= at % 4;
    if (n - at < 4) break;
    int32_t old = load_i32(p + at);
    store_i32(p + at, (int32_t)((uint32_t)old + (uint32_t)(int32_t)(below(33))-16));
  }
  }
}

typedef struct {
  uint8_t *data;
  size_t size;
  bool row;
  int int64;
  int64_t accepted, refused, raised;
} trial;

static SEXP run(void *data) {
  trial *t = data;
  // A small allowance: a claim of 2^31 rows is legal, but takes its time.
  SEXP x =
      PROTECT(mg_decode((mg_input){.owner = R_NilValue, .data = t->data, .size = t->size}, t->row, t->int64, 1 << 16));
  if (Rf_inherits(x, "mangoro_codec_failure")) {
    t->refused++;
  } else {
    t->accepted++;
    SEXP header = PROTECT(Rf_allocVector(RAWSXP, 0)), yes = PROTECT(Rf_ScalarLogical(1));
    if (t->row) {
      mg_c_encode_row(x, header, yes, R_NilValue, R_NilValue);
    } else {
      mg_c_encode_record(x, header, yes, R_NilValue, R_NilValue);
    }
    UNPROTECT(2);
  }
  UNPROTECT(1);
  return R_NilValue;
}

// What others than our decoder shall read, whatever it is.
static SEXP run_verify(void *data) {
  trial *t = data;
  mg_failure f = {0};
  mg_verify((mg_input){.owner = R_NilValue, .data = t->data, .size = t->size}, &f);
  return R_NilValue;
}

static SEXP raised(SEXP condition, void *data) {
  trial *t = data;
  t->raised++;
  (void)condition;
  return R_NilValue;
}

// Decodes `count` changed copies of the streams. Each lies in memory of its own
// and of its exact size, so that a read beyond it is seen.
SEXP mutate(SEXP streams, SEXP rows, SEXP count, SEXP seed) {
  state = (uint64_t)Rf_asReal(seed) * UINT64_C(0x9E3779B97F4A7C15) + 1;
  trial t = {0};
  double n = Rf_asReal(count);
  for (double i = 0; i < n; i++) {
    R_xlen_t which = (R_xlen_t)below((size_t)Rf_xlength(streams));
    SEXP stream = VECTOR_ELT(streams, which);
    size_t size = (size_t)Rf_xlength(stream);
    if (next_random() % 16 == 0) size = below(size + 1);
    t.data = malloc(size > 0 ? size : 1);
    if (t.data == NULL) Rf_error("no memory");
    memcpy(t.data, RAW_RO(stream), size);
    t.size = size;
    t.row = LOGICAL_RO(rows)[which];
    uint64_t option = next_random() % 8;
    t.int64 = option == 0 ? INT64_DOUBLE : option == 1 ? INT64_INTEGER64 : INT64_AUTO;
    for (size_t k = 1 + below(1 + below(4)); k > 0 && size > 0; k--) change(t.data, size);
    const void *mark = vmaxget();
    R_tryCatchError(run, &t, raised, &t);
    R_tryCatchError(run_verify, &t, raised, &t);
    vmaxset(mark);
    free(t.data);
  }
  SEXP out = PROTECT(Rf_allocVector(REALSXP, 3));
  REAL(out)[0] = (double)t.accepted;
  REAL(out)[1] = (double)t.refused;
  REAL(out)[2] = (double)t.raised;
  UNPROTECT(1);
  return out;
}
