// Nodes, and their rows into the buffers of a body: one pass, values and nulls together.

#include "copy.h"
#include "node.h"
#include "view.h"

mg_node *mg_node_new(int type, const char *name) {
  mg_node *n = mg_alloc(1, sizeof *n);
  n->type = type;
  n->name = name;
  n->nullable = true;
  return n;
}

void mg_set_children(mg_node *n, int n_children) {
  n->n_children = n_children;
  n->children = mg_alloc((size_t)n_children, sizeof(mg_node *));
}

R_xlen_t mg_chunk_rows(SEXP x) {
  if (TYPEOF(x) == VECSXP && is_frame(x)) return Rf_xlength(Rf_getAttrib(x, R_RowNamesSymbol));
  return Rf_xlength(x);
}

// Rows between two looks at nulls, and between two at interrupts.
enum { BLOCK = 8192, PATIENCE = 1 << 20 };

// A validity bitmap that is made when the first null is seen. Its bytes are
// there anyway, zeroed if there is none: they must not be left as they were.
typedef struct {
  uint8_t *bits;
  int64_t rows, nulls;
} validity;

static validity validity_of(const mg_node *n, uint8_t *bits) {
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

static void validity_end(mg_node *n, const validity *v) {
  n->nulls = v->nulls;
  if (v->nulls == 0 && v->bits != NULL) memset(v->bits, 0, (size_t)bitmap_size(v->rows));
}

static void look_up(int64_t row) {
  if (row % PATIENCE == 0 && row > 0) R_CheckUserInterrupt();
}

// Finds NA among n values at x. A first look at 64 of them has no branches, and takes
// more for NA than is: 1e5 integers are written in 0.31 ms instead of 0.39.
#define NA_FINDER(name, width, maybe_na, is_na)                                        \
  static void name(validity *v, int64_t row, const uint8_t *x, int64_t n) {            \
    for (int64_t i = 0; i < n; i += 64) {                                              \
      int64_t size = n - i < 64 ? n - i : 64;                                          \
      uint32_t hit = size < 64;                                                        \
      for (int k = 0; size == 64 && k < 64; k++) hit |= maybe_na(x + width * (i + k)); \
      for (int64_t k = i; hit && k < i + size; k++) {                                  \
        if (is_na(x + width * k)) null_at(v, row + k);                                 \
      }                                                                                \
    }                                                                                  \
  }

#define IS_NA_INT(p) (load_i32(p) == NA_INTEGER)
#define MAYBE_NA_DOUBLE(p) (load_u32(p) == 1954)
#define IS_NA_DOUBLE(p) is_na_bits(load_u64(p))
#define IS_NA_INT64(p) (load_i64(p) == INT64_MIN)
NA_FINDER(find_na_ints, 4, IS_NA_INT, IS_NA_INT)
NA_FINDER(find_na_int64s, 8, IS_NA_INT64, IS_NA_INT64)
NA_FINDER(find_na_doubles, 8, MAYBE_NA_DOUBLE, IS_NA_DOUBLE)

static bool copy_int64s(uint8_t *to, const uint8_t *from, size_t n) {
  memcpy(to, from, 8 * n);
  return true;
}

// Values that Arrow has as R does. A copy says whether NA may be among them.
typedef struct {
  int64_t width;
  bool (*copy)(uint8_t *to, const uint8_t *from, size_t n);
  void (*find_na)(validity *v, int64_t row, const uint8_t *x, int64_t n);
} values_kind;

// Copies a block, and returns whether NA may be in it. A vector that is not in memory (1:n)
// is computed into its place.
static bool copy_block(const values_kind *kind, SEXP x, int64_t from, int64_t n, uint8_t *to) {
  union {
    int ints[BLOCK];
    double doubles[BLOCK];
  } block;
  const uint8_t *p = mg_view_values(x);
  if (p != NULL) {
    p += kind->width * from;
  } else {
    p = (const uint8_t *)&block;
    if (kind->width == 4) INTEGER_GET_REGION(x, (R_xlen_t)from, (R_xlen_t)n, block.ints);
    if (kind->width == 8) REAL_GET_REGION(x, (R_xlen_t)from, (R_xlen_t)n, block.doubles);
  }
  return kind->copy(to, p, (size_t)n);
}

// Values that are written as they are, if they do not stay where they are. A block in which
// NA may be is still in the cache when it is searched for it.
static void write_blocks(mg_node *n, uint8_t *const to[], const values_kind *kind) {
  validity v = validity_of(n, to[0]);
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    int64_t length = Rf_xlength(n->chunks[i]);
    const uint8_t *there = to[1] == NULL ? mg_staying(n, 1) : NULL;
    for (int64_t k = 0, size; k < length; k += size, row += size) {
      size = length - k < BLOCK ? length - k : BLOCK;
      int64_t at = kind->width * row;
      bool maybe_na = there != NULL || copy_block(kind, n->chunks[i], k, size, to[1] + at);
      if (maybe_na && v.bits != NULL) kind->find_na(&v, row, (there == NULL ? to[1] : there) + at, size);
      look_up(k);
    }
  }
  validity_end(n, &v);
}

void mg_write_ints(mg_node *n, uint8_t *const to[]) {
  static const values_kind ints = {4, mg_copy_ints, find_na_ints};
  write_blocks(n, to, &ints);
}

void mg_write_doubles(mg_node *n, uint8_t *const to[]) {
  static const values_kind doubles = {8, mg_copy_doubles, find_na_doubles};
  write_blocks(n, to, &doubles);
}

// bit64 keeps int64 in the bits of doubles, NA as the smallest.
void mg_write_int64s(mg_node *n, uint8_t *const to[]) {
  static const values_kind int64s = {8, copy_int64s, find_na_int64s};
  write_blocks(n, to, &int64s);
}

// The loops over single values: `value` is the value of a row, `x` the data of
// the chunk it is in.
#define EACH_VALUE(type, data, body)              \
  int64_t row = 0;                                \
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {    \
    const type *x = data(n->chunks[i]);           \
    int64_t length = Rf_xlength(n->chunks[i]);    \
    for (int64_t k = 0; k < length; k++, row++) { \
      const type value = x[k];                    \
      body                                        \
    }                                             \
    R_CheckUserInterrupt();                       \
  }

// The bits of up to 8 values from row `at` of a byte on, and which of them are
// not NA. Without branches, as NA comes at random: 1e5 take 0.24 ms instead of 0.50.
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

void mg_write_bools(mg_node *n, uint8_t *const to[]) {
  int64_t row = 0;
  if (n->size[1] > 0) {
    memset(to[0], 0, (size_t)n->size[0]);
    memset(to[1], 0, (size_t)n->size[1]);
  }
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    const int *x = LOGICAL_RO(n->chunks[i]);
    int64_t length = Rf_xlength(n->chunks[i]);
    for (int64_t k = 0, size; k < length; k += size, row += size) {
      size = pack_bools(x + k, row % 8, length - k, to[1] + row / 8, to[0] + row / 8);
    }
    R_CheckUserInterrupt();
  }
  n->nulls = mg_count_unset(to[0], 0, n->rows);
  if (n->nulls == 0 && n->size[0] > 0) memset(to[0], 0, (size_t)n->size[0]);
}

void mg_write_ints_as_doubles(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_f64(to[1] + 8 * row, value == NA_INTEGER ? NA_REAL : value);
  })
  validity_end(n, &v);
}

void mg_write_codes(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_i32(to[1] + 4 * row, value == NA_INTEGER ? 0 : value - 1);
  })
  validity_end(n, &v);
}

void mg_write_dates(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(double, REAL_RO, {
    bool na = is_na(value);
    if (na) null_at(&v, row);
    store_i32(to[1] + 4 * row, na ? 0 : (int32_t)value);
  })
  validity_end(n, &v);
}

static void write_whole_times(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(int, INTEGER_RO, {
    if (value == NA_INTEGER) null_at(&v, row);
    store_i64(to[1] + 8 * row, value == NA_INTEGER ? 0 : value * n->per);
  })
  validity_end(n, &v);
}

void mg_write_times(mg_node *n, uint8_t *const to[]) {
  if (TYPEOF(n->chunks[0]) == INTSXP) {
    write_whole_times(n, to);
    return;
  }
  validity v = validity_of(n, to[0]);
  EACH_VALUE(double, REAL_RO, {
    int64_t count = 0;
    if (!mg_from_double(value, n->per, &count)) null_at(&v, row);
    store_i64(to[1] + 8 * row, count);
  })
  validity_end(n, &v);
}

void mg_write_raws(mg_node *n, uint8_t *const to[]) {
  if (to[1] == NULL) return;
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    int64_t length = Rf_xlength(n->chunks[i]);
    if (length > 0) memcpy(to[1] + row, RAW_RO(n->chunks[i]), (size_t)length);
    row += length;
  }
}

// The nulls of a complex column; mg_write_parts() writes its values.
void mg_write_complex(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  EACH_VALUE(Rcomplex, COMPLEX_RO, {
    if (is_na(value.r) || is_na(value.i)) null_at(&v, row);
  })
  validity_end(n, &v);
}

void mg_write_parts(mg_node *n, uint8_t *const to[]) {
  if (to[1] == NULL) return;
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    int64_t length = Rf_xlength(n->chunks[i]);
    if (length > 0) memcpy(to[1] + 16 * row, COMPLEX_RO(n->chunks[i]), 16 * (size_t)length);
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

void mg_write_strings(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  bool large = is_large_type(n->type);
  int64_t at = 0, row = 0;
  mg_seen_string seen[SEEN] = {{NULL, NULL, 0}};
  const void *mark = vmaxget();
  store_offset(to[1], large, 0, 0);
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    const SEXP *strings = mg_strings(n->chunks[i]);
    int64_t length = Rf_xlength(n->chunks[i]);
    for (int64_t k = 0; k < length; k++, row++) {
      if (k + 16 < length) PREFETCH(strings[k + 16]);
      const char *text;
      size_t size = 0;
      if (strings[k] == NA_STRING) {
        null_at(&v, row);
      } else {
        mg_seen_bytes(seen, n->native, strings[k], &text, &size);
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

// The buffers of a view, of which those that do not stay where they are are copied.
void mg_write_string_view(mg_node *n, uint8_t *const to[]) {
  for (int i = 0; i < n->n_buffers; i++) {
    if (to[i] != NULL && n->size[i] > 0) memcpy(to[i], mg_staying(n, i), (size_t)n->size[i]);
  }
}

// The offsets of the elements of lists; with `data`, the bytes of raw ones.
static void write_elements(mg_node *n, uint8_t *const to[], uint8_t *data, int64_t room) {
  validity v = validity_of(n, to[0]);
  bool large = is_large_type(n->type);
  int64_t at = 0, row = 0;
  store_offset(to[1], large, 0, 0);
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    int64_t length = Rf_xlength(n->chunks[i]);
    for (int64_t k = 0; k < length; k++, row++) {
      SEXP x = VECTOR_ELT(n->chunks[i], (R_xlen_t)k);
      int64_t size = x == R_NilValue ? 0 : mg_chunk_rows(x);
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

void mg_write_binaries(mg_node *n, uint8_t *const to[]) { write_elements(n, to, to[2], n->size[2]); }

void mg_write_lists(mg_node *n, uint8_t *const to[]) { write_elements(n, to, NULL, n->children[0]->rows); }

// Which rows of a data frame are nil.
void mg_write_structs(mg_node *n, uint8_t *const to[]) {
  validity v = validity_of(n, to[0]);
  int64_t row = 0;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    SEXP nil = mg_nil_rows(n->chunks[i]);
    int64_t length = mg_chunk_rows(n->chunks[i]);
    for (int64_t k = 0; nil != R_NilValue && k < length; k++) {
      if (LOGICAL_RO(nil)[k]) null_at(&v, row + k);
    }
    row += length;
  }
  validity_end(n, &v);
}

// The one row of a boxed vector.
void mg_write_row(mg_node *n, uint8_t *const to[]) {
  bool large = is_large_type(n->type);
  store_offset(to[1], large, 0, 0);
  store_offset(to[1], large, 1, n->children[0]->rows);
}
