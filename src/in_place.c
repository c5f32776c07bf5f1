// Rows that stay where they are: R's vector is a view of the segment that they came in.

#include "decode.h"
#include "view.h"

// Strings are made when they are looked at if there are more.
enum { LAZY = 100000 };

// Bytes that have become part of a view. R may write to a view, so that no other may see
// them.
typedef struct mg_range {
  const uint8_t *from, *to;
  struct mg_range *next;
} range;

static bool is_given(const mg_stream *s, const uint8_t *from, size_t size) {
  for (const range *r = s->given; r != NULL; r = r->next) {
    if (from < r->to && r->from < from + size) return true;
  }
  return false;
}

static void give(mg_stream *s, const uint8_t *from, size_t size) {
  range *r = mg_alloc(1, sizeof *r);
  *r = (range){from, from + size, s->given};
  s->given = r;
}

// The values of a column, if R has them in the same form.
static const uint8_t *values_in_r(const mg_field *f, const mg_column *c, SEXPTYPE type) {
  bool whole = f->type == ARROW_INT || f->type == ARROW_DATE;
  if (f->dictionary != NULL) return NULL;
  switch (type) {
  case REALSXP:
    if (f->width != 8) return NULL;
    return f->type == ARROW_FLOAT || f->class.class == CLASS_INTEGER64 ? c->values : NULL;
  case INTSXP: return whole && f->width == 4 ? c->values : NULL;
  case RAWSXP: return c->values;
  case CPLXSXP: return c->children[0]->values;
  default: return NULL;
  }
}

static SEXP view_strings(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  if (n <= LAZY || from % 8 != 0) return NULL;
  const uint8_t *offsets = c->values + f->width * from, *valid = c->valid == NULL ? NULL : c->valid + from / 8;
  size_t size = (size_t)(f->width * (n + 1));
  if (is_given(s, offsets, size) || is_given(s, c->data, (size_t)c->data_size) ||
      (valid != NULL && is_given(s, valid, (size_t)bitmap_size(n)))) {
    return NULL;
  }
  give(s, offsets, size);
  give(s, c->data, (size_t)c->data_size);
  if (valid != NULL) give(s, valid, (size_t)bitmap_size(n));
  return mg_string_view(s->segment, offsets, (int)f->width, c->data, (size_t)c->data_size, valid, (R_xlen_t)n);
}

SEXP mg_view_rows(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXPTYPE type) {
  if (s->segment == NULL || s->copied) return NULL;
  if (type == STRSXP) return view_strings(s, f, c, from, n);
  const uint8_t *values = values_in_r(f, c, type);
  if (values == NULL) return NULL;
  size_t size = mg_value_size(type) * (size_t)n;
  values += mg_value_size(type) * (size_t)from;
  if (size < VIEW_FLOOR || is_given(s, values, size)) return NULL;
  give(s, values, size);
  // R takes NaN for NA here, of which only the server knows.
  bool no_na = c->nulls == 0 && (type == INTSXP || (f->type == ARROW_FLOAT && s->no_nan));
  return mg_view(s->segment, (size_t)(values - s->segment->data), type, (R_xlen_t)n, no_na);
}

// --- Values of a view ---------------------------------------------------------

// No value may be less than `least`, which stands for what R does not have.
#define CHECK_LEAST(name, load, width)                                              \
  static int64_t name(const mg_column *c, int64_t from, int64_t n, int64_t least) { \
    int64_t low = INT64_MAX;                                                        \
    for (int64_t i = from; i < from + n; i++) {                                     \
      int64_t v = load(c->values + width * i);                                      \
      low = v < low ? v : low;                                                      \
    }                                                                               \
    for (int64_t i = from; low < least && i < from + n; i++) {                      \
      if (is_valid(c, i) && load(c->values + width * i) < least) return i;          \
    }                                                                               \
    return from + n;                                                                \
  }
CHECK_LEAST(first_small_int, load_i32, 4)
CHECK_LEAST(first_small_int64, load_i64, 8)

// The first row whose value a view cannot have, and why.
static int64_t first_refused(const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXPTYPE type,
                             const char **why) {
  if (type == RAWSXP) {
    *why = NO_NULL_RAW;
    return mg_next_null(c, from, from + n);
  }
  if (f->class.class == CLASS_INTEGER64) {
    *why = f->is_signed ? SMALLEST_INT64 : LARGE_UINT64;
    return first_small_int64(c, from, n, f->is_signed ? INT64_MIN + 1 : 0);
  }
  // Of other integers it is known, see find_wide() in decode.c.
  if (f->type == ARROW_DATE) {
    *why = NO_WHOLE_TIME;
    return first_small_int(c, from, n, INT32_MIN + 1);
  }
  return from + n;
}

static bool is_missing(const mg_field *f, SEXPTYPE type, const uint8_t *p) {
  switch (type) {
  case INTSXP: return load_i32(p) == NA_INTEGER;
  case CPLXSXP: return is_na_bits(load_u64(p)) || is_na_bits(load_u64(p + 8));
  default: return f->class.class == CLASS_INTEGER64 ? load_i64(p) == INT64_MIN : is_na_bits(load_u64(p));
  }
}

static bool settle_strings(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  for (int64_t i = from; f->width == 8 && i < from + n; i++) {
    if (load_i64(c->values + 8 * (i + 1)) - load_i64(c->values + 8 * i) <= INT32_MAX || !is_valid(c, i)) continue;
    return mg_fail_row(s->failure, i, LONG_STRING);
  }
  return mg_check_strings(s, f, c, from, n);
}

bool mg_settle_view(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP x) {
  SEXPTYPE type = (SEXPTYPE)TYPEOF(x);
  if (type == STRSXP) return settle_strings(s, f, c, from, n);
  const char *why = NULL;
  int64_t refused = first_refused(f, c, from, n, type, &why);
  if (refused < from + n) return mg_fail_row(s->failure, refused, why);
  const uint8_t *values = values_in_r(f, c, type);
  EACH_NULL(k) {
    if (!is_missing(f, type, values + mg_value_size(type) * (size_t)k)) mg_set_missing(f, x, k - from);
  }
  return true;
}
