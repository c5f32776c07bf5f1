// The rows of nodes into the buffers of a body: one pass, values and nulls
// together.

#include "mangoro.h"

// Rows between two looks at nulls, and between two at interrupts.
enum { BLOCK = 8192, PATIENCE = 1 << 20 };

// A validity bitmap that is made when the first null is seen. Its bytes are
// there anyway, zeroed if there is none: they must not be left as they were.
typedef struct {
  uint8_t *bits;
  int64_t rows, nulls;
} validity;

static validity validity_of(const node *n, uint8_t *bits) {
  validity v = {n->size[0] > 0 ? bits : NULL, n->rows, 0};
  return v;
}

static void null_at(validity *v, int64_t row) {
  if (v->bits == NULL) return;
  if (v->nulls++ == 0) {
    memset(v->bits, 0xFF, (size_t)bitmap_size(v->rows));
    if (v->rows % 8 != 0) v->bits[v->rows / 8] = (uint8_t)((1u << (v->rows % 8)) - 1);
  }
  clear_bit(v->bits, row);
}

static void validity_end(node *n, const validity *v) {
  n->nulls = v->nulls;
  if (v->nulls == 0 && v->bits != NULL) memset(v->bits, 0, (size_t)bitmap_size(v->rows));
}

static void look_up(int64_t row) {
  if (row % PATIENCE == 0 && row > 0) R_CheckUserInterrupt();
}

static void find_na_doubles(validity *v, int64_t row, const uint8_t *x, int64_t n) {
  for (int64_t i = 0; i < n; i += 64) {
    int64_t size = n - i < 64 ? n - i : 64;
    uint32_t hit = 0;
    if (size == 64) {
      for (int k = 0; k < 64; k++) hit |= load_u32(x + 8 * (i + k)) == 1954;
    }
    for (int64_t k = i; (hit || size < 64) && k < i + size; k++) {
      if (is_na_bits(load_u64(x + 8 * k))) null_at(v, row + k);
    }
  }
}

static void find_na_ints(validity *v, int64_t row, const uint8_t *x, int64_t n) {
  for (int64_t i = 0; i < n; i += 64) {
    int64_t size = n - i < 64 ? n - i : 64;
    uint32_t hit = 0;
    if (size == 64) {
      for (int k = 0; k < 64; k++) hit |= load_i32(x + 4 * (i + k)) == NA_INTEGER;
    }
    for (int64_t k = i; (hit || size < 64) && k < i + size; k++) {
      if (load_i32(x + 4 * k) == NA_INTEGER) null_at(v, row + k);
    }
  }
}

static int64_t block_size(int64_t left) { return left < BLOCK ? left : BLOCK; }

// A vector that is not in memory (1:n) is computed into its place.
static void copy_ints(SEXP x, int64_t from, int64_t n, uint8_t *to) {
  const int *p = DATAPTR_OR_NULL(x);
  if (p != NULL) {
    memcpy(to, p + from, (size_t)n * 4);
    return;
  }
  int block[BLOCK];
  INTEGER_GET_REGION(x, (R_xlen_t)from, (R_xlen_t)n, block);
  memcpy(to, block, (size_t)n * 4);
}

static void copy_doubles(SEXP x, int64_t from, int64_t n, uint8_t *to) {
  const double *p = DATAPTR_OR_NULL(x);
  if (p != NULL) {
    memcpy(to, p + from, (size_t)n * 8);
    return;
  }
  double block[BLOCK];
  REAL_GET_REGION(x, (R_xlen_t)from, (R_xlen_t)n, block);
  memcpy(to, block, (size_t)n * 8);
}

void write_ints(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    int64_t length = Rf_xlength(n->pieces[i]);
    for (int64_t k = 0; k < length; k += BLOCK, row += BLOCK) {
      int64_t size = block_size(length - k);
      copy_ints(n->pieces[i], k, size, to[1] + 4 * row);
      if (v.bits != NULL) find_na_ints(&v, row, to[1] + 4 * row, size);
      look_up(k);
      if (size < BLOCK) row += size - BLOCK;
    }
  }
  validity_end(n, &v);
}

void write_doubles(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    int64_t length = Rf_xlength(n->pieces[i]);
    for (int64_t k = 0; k < length; k += BLOCK, row += BLOCK) {
      int64_t size = block_size(length - k);
      copy_doubles(n->pieces[i], k, size, to[1] + 8 * row);
      find_na_doubles(&v, row, to[1] + 8 * row, size);
      look_up(k);
      if (size < BLOCK) row += size - BLOCK;
    }
  }
  validity_end(n, &v);
}

// The loops over single values: `value` is the value of a row, `x` the data of
// the piece it is in.
#define EACH_VALUE(type, data, body)              \
  int64_t row = 0;                                \
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {    \
    const type *x = data(n->pieces[i]);           \
    int64_t length = Rf_xlength(n->pieces[i]);    \
    for (int64_t k = 0; k < length; k++, row++) { \
      const type value = x[k];                    \
      body                                        \
    }                                             \
    R_CheckUserInterrupt();                       \
  }

// The bits of up to 8 values from row `at` of a byte on, and which of them are
// not NA. Without branches: NA comes at random.
static int64_t pack_bools(const int *x, int64_t at, int64_t n, uint8_t *bits, uint8_t *valid) {
  unsigned values = 0, known = 0;
  int64_t size = n < 8 - at ? n : 8 - at;
  for (int64_t k = 0; k < size; k++) {
    unsigned is_known = x[k] != NA_LOGICAL;
    known |= is_known << (at + k);
    values |= (is_known & (x[k] != 0)) << (at + k);
  }
  *bits = (uint8_t)(*bits | values);
  *valid = (uint8_t)(*valid | known);
  return size;
}

void write_bools(node *n, uint8_t *const to[]) {
  int64_t row = 0;
  if (n->size[1] > 0) {
    memset(to[0], 0, (size_t)n->size[0]);
    memset(to[1], 0, (size_t)n->size[1]);
  }
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    const int *x = LOGICAL_RO(n->pieces[i]);
    int64_t length = Rf_xlength(n->pieces[i]);
    for (int64_t k = 0, size; k < length; k += size, row += size) {
      size = pack_bools(x + k, row % 8, length - k, to[1] + row / 8, to[0] + row / 8);
    }
    R_CheckUserInterrupt();
  }
  n->nulls = count_unset(to[0], 0, n->rows);
  if (n->nulls == 0 && n->size[0] > 0) memset(to[0], 0, (size_t)n->size[0]);
}

void write_ints_as_doubles(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_f64(to[1] + 8 * row, value == NA_INTEGER ? NA_REAL : value);
  })
  validity_end(n, &v);
}

void write_codes(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_i32(to[1] + 4 * row, value == NA_INTEGER ? 0 : value - 1);
  })
  validity_end(n, &v);
}

void write_dates(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(double, REAL_RO, {
    bool na = is_na(value);
    if (na) null_at(&v, row);
    store_i32(to[1] + 4 * row, na ? 0 : (int32_t)value);
  })
  validity_end(n, &v);
}

static void write_whole_times(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_i64(to[1] + 8 * row, value == NA_INTEGER ? 0 : value * n->per);
  })
  validity_end(n, &v);
}

void write_times(node *n, uint8_t *const to[]) {
  if (TYPEOF(n->pieces[0]) == INTSXP) {
    write_whole_times(n, to);
    return;
  }
  validity v = validity_of(n, to[0]);
  EACH_VALUE(double, REAL_RO, {
    int64_t count = 0;
    if (!from_double(value, n->per, &count)) null_at(&v, row);
    store_i64(to[1] + 8 * row, count);
  })
  validity_end(n, &v);
}

// bit64 keeps int64 in the bits of doubles, NA as the smallest.
void write_int64s(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(double, REAL_RO, {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (bits == INT64_MIN) null_at(&v, row);
    store_i64(to[1] + 8 * row, bits);
  })
  validity_end(n, &v);
}

void write_raws(node *n, uint8_t *const to[]) {
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    int64_t length = Rf_xlength(n->pieces[i]);
    if (length > 0) memcpy(to[1] + row, RAW_RO(n->pieces[i]), (size_t)length);
    row += length;
  }
}

// The nulls of a complex column; write_parts() has its values.
void write_complex(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(Rcomplex, COMPLEX_RO, {
    if (is_na(value.r) || is_na(value.i)) null_at(&v, row);
  })
  validity_end(n, &v);
}

void write_parts(node *n, uint8_t *const to[]) {
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    int64_t length = Rf_xlength(n->pieces[i]);
    if (length > 0) memcpy(to[1] + 16 * row, COMPLEX_RO(n->pieces[i]), 16 * (size_t)length);
    row += length;
  }
}

static void store_offset(uint8_t *offsets, bool large, int64_t i, int64_t value) {
  if (large) {
    store_i64(offsets + 8 * i, value);
  } else {
    store_i32(offsets + 4 * i, (int32_t)value);
  }
}

// What does not fit was something else when it was counted.
static void check_room(int64_t at, int64_t size, int64_t room) {
  if (size > room - at) Rf_error("a vector has changed while it was written");
}

void write_strings(node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  bool large = n->type == ARROW_LARGE_UTF8;
  int64_t at = 0, row = 0;
  seen_string seen[SEEN] = {{NULL, NULL, 0}};
  const void *mark = vmaxget();
  store_offset(to[1], large, 0, 0);
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    const SEXP *strings = STRING_PTR_RO(n->pieces[i]);
    int64_t length = Rf_xlength(n->pieces[i]);
    for (int64_t k = 0; k < length; k++, row++) {
      if (k + 16 < length) PREFETCH(strings[k + 16]);
      const char *text;
      size_t size = 0;
      if (strings[k] == NA_STRING) {
        null_at(&v, row);
      } else {
        seen_bytes(seen, n->native, strings[k], &text, &size);
        check_room(at, (int64_t)size, n->size[2]);
        memcpy(to[2] + at, text, size);
        at += (int64_t)size;
      }
      store_offset(to[1], large, row + 1, at);
      look_up(k);
    }
    vmaxset(mark);
  }
  validity_end(n, &v);
}

// The offsets of the elements of lists; with `data`, the bytes of raw ones.
static void write_elements(node *n, uint8_t *const to[], bool large, uint8_t *data, int64_t room) {
  validity v = validity_of(n, to[0]);
  int64_t at = 0, row = 0;
  store_offset(to[1], large, 0, 0);
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    int64_t length = Rf_xlength(n->pieces[i]);
    for (int64_t k = 0; k < length; k++, row++) {
      SEXP x = VECTOR_ELT(n->pieces[i], (R_xlen_t)k);
      int64_t size = x == R_NilValue ? 0 : piece_rows(x);
      if (x == R_NilValue) null_at(&v, row);
      check_room(at, size, room);
      if (data != NULL && size > 0) memcpy(data + at, RAW_RO(x), (size_t)size);
      at += size;
      store_offset(to[1], large, row + 1, at);
      look_up(k);
    }
  }
  validity_end(n, &v);
}

void write_binaries(node *n, uint8_t *const to[]) {
  write_elements(n, to, n->type == ARROW_LARGE_BINARY, to[2], n->size[2]);
}

void write_lists(node *n, uint8_t *const to[]) {
  write_elements(n, to, n->type == ARROW_LARGE_LIST, NULL, n->children[0]->rows);
}

// The one row of a boxed vector.
void write_row(node *n, uint8_t *const to[]) {
  bool large = n->type == ARROW_LARGE_LIST;
  store_offset(to[1], large, 0, 0);
  store_offset(to[1], large, 1, n->children[0]->rows);
}
