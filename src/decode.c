// R values from checked columns.
//
// A value is made in three steps: allocated for all of its rows, filled from
// one column or several (the batches), and finished, with class and attributes.

#include "mangoro.h"

#include <math.h>

// --- helpers ------------------------------------------------------------

static bool is_valid(const column *c, int64_t i) { return c->valid == NULL || bit_at(c->valid, i); }

// The next null at row i or later and before end; end if there is none.
static int64_t next_null(const column *c, int64_t i, int64_t end) {
  if (c->valid == NULL) return end;
  for (; i < end; i++) {
    if (i % 8 == 0) {
      while (i + 8 <= end && c->valid[i / 8] == 0xFF) i += 8;
      if (i >= end) return end;
    }
    if (!bit_at(c->valid, i)) return i;
  }
  return end;
}

#define EACH_NULL(i) for (int64_t i = next_null(c, from, from + n); i < from + n; i = next_null(c, i + 1, from + n))

static bool fail_row(stream *s, int64_t row, const char *text) {
  if (!s->failure->failed) s->failure->row = (double)row + 1;
  return fail(s->failure, "%s", text);
}

static SEXP attribute(const field *f, const char *name) {
  if (f->attributes == NULL) return R_NilValue;
  SEXP own = VECTOR_ELT(f->attributes, 0);
  SEXP names = Rf_getAttrib(own, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(names); i++) {
    if (strcmp(CHAR(STRING_ELT(names, i)), name) == 0) return VECTOR_ELT(own, i);
  }
  return R_NilValue;
}

static bool is_text(const field *f) { return f->type == ARROW_UTF8 || f->type == ARROW_LARGE_UTF8; }

// Rows that no bytes stand behind.
static bool spend(stream *s, int64_t rows, int64_t each) {
  if (rows > s->unbacked / each) return fail(s->failure, "%.0f rows have no bytes to back them", (double)rows);
  s->unbacked -= rows * each;
  return true;
}

static bool is_backed(const field *f) {
  switch (f->layout) {
  case LAYOUT_NULL: return false;
  case LAYOUT_FIXED_LIST: return f->width > 0 && is_backed(f->children[0]);
  case LAYOUT_STRUCT:
    for (int i = 0; i < f->n_children; i++) {
      if (is_backed(f->children[i])) return true;
    }
    return false;
  default: return true;
  }
}

// --- allocation ---------------------------------------------------------

static SEXPTYPE type_in_r(const stream *s, const field *f) {
  if (f->dictionary != NULL) return INTSXP;
  switch (f->class.class) {
  case CLASS_DATE:
  case CLASS_POSIXCT:
  case CLASS_HMS:
  case CLASS_DIFFTIME: return attribute(f, "storage") == R_NilValue ? REALSXP : INTSXP;
  case CLASS_RAW: return RAWSXP;
  case CLASS_COMPLEX: return CPLXSXP;
  default: break;
  }
  switch (f->type) {
  case ARROW_NULL:
  case ARROW_BOOL: return LGLSXP;
  case ARROW_INT: return f->width < 4 || (f->width == 4 && f->is_signed) ? INTSXP : REALSXP;
  case ARROW_FLOAT:
  case ARROW_DECIMAL: return REALSXP;
  case ARROW_UTF8:
  case ARROW_LARGE_UTF8: return STRSXP;
  default: (void)s; return VECSXP;
  }
}

// Room for n rows; NULL after a failure. A frame is a list of its columns.
static SEXP allocate(stream *s, const field *f, int64_t n) {
  if (f->class.class == CLASS_MATRIX) return allocate(s, f->children[0], n * f->width);
  if (f->layout == LAYOUT_NULL && !spend(s, n, 4)) return NULL;
  if (f->layout == LAYOUT_FIXED_LIST && !is_backed(f) && !spend(s, n, 64)) return NULL;
  if (f->layout != LAYOUT_STRUCT) return Rf_allocVector(type_in_r(s, f), (R_xlen_t)n);
  SEXP frame = PROTECT(Rf_allocVector(VECSXP, f->n_children));
  for (int i = 0; i < f->n_children; i++) {
    SEXP x = allocate(s, f->children[i], n);
    if (x == NULL) {
      UNPROTECT(1);
      return NULL;
    }
    SET_VECTOR_ELT(frame, i, x);
  }
  UNPROTECT(1);
  return frame;
}

// --- numbers ------------------------------------------------------------

static int bool_at(const column *c, int64_t i) {
  return is_valid(c, i) ? bit_at(c->values, i) : NA_LOGICAL;
}

static void fill_bools(const column *c, int64_t from, int64_t n, int *to) {
  int64_t i = 0;
  for (; i < n && (from + i) % 8 != 0; i++) to[i] = bool_at(c, from + i);
  for (; i + 8 <= n; i += 8) {
    unsigned bits = c->values[(from + i) / 8], valid = c->valid == NULL ? 0xFF : c->valid[(from + i) / 8];
    for (int k = 0; k < 8; k++) to[i + k] = valid >> k & 1 ? (int)(bits >> k & 1) : NA_LOGICAL;
  }
  for (; i < n; i++) to[i] = bool_at(c, from + i);
}

// The smallest int is R's NA; as a value it cannot be kept.
static bool check_smallest(stream *s, const column *c, int64_t from, int64_t n, const int *to) {
  for (int64_t i = 0; i < n; i += 64) {
    int64_t end = i + 64 < n ? i + 64 : n;
    int hit = 0;
    for (int64_t k = i; k < end; k++) hit |= to[k] == NA_INTEGER;
    for (int64_t k = i; hit && k < end; k++) {
      if (to[k] == NA_INTEGER && is_valid(c, from + k)) {
        return fail_row(s, from + k, "the value -2147483648 is no integer of R");
      }
    }
  }
  return true;
}

static bool fill_ints(stream *s, const field *f, const column *c, int64_t from, int64_t n, int *to) {
  if (f->width == 4) {
    if (n > 0) memcpy(to, c->values + 4 * from, 4 * (size_t)n);
    if (!check_smallest(s, c, from, n, to)) return false;
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = (int)index_at(c->values, from + i, f->width, f->is_signed);
  }
  EACH_NULL(k) to[k - from] = NA_INTEGER;
  return true;
}

static bool fill_raws(stream *s, const column *c, int64_t from, int64_t n, uint8_t *to) {
  if (n > 0) memcpy(to, c->values + from, (size_t)n);
  int64_t null = next_null(c, from, from + n);
  return null == from + n || fail_row(s, null, "a raw vector has no NA");
}

static void fill_complex(const column *c, int64_t from, int64_t n, Rcomplex *to) {
  const column *parts = c->children[0];
  if (n > 0) memcpy(to, parts->values + 16 * from, 16 * (size_t)n);
  EACH_NULL(k) {
    Rcomplex *z = to + (k - from);
    if (!R_IsNA(z->r) && !R_IsNA(z->i)) z->r = z->i = NA_REAL;
  }
}

static double half_float(uint16_t bits) {
  int exponent = bits >> 10 & 0x1F, fraction = bits & 0x3FF;
  double value = exponent == 0x1F  ? (fraction ? R_NaN : R_PosInf)
                 : exponent == 0 ? ldexp(fraction, -24)
                                 : ldexp(fraction + 1024, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

// A decimal with at most 15 digits is a double; bytes beyond 64 bits only
// repeat the sign.
static bool decimal(const uint8_t *p, const field *f, double *to) {
  int64_t value = f->width == 4 ? load_i32(p) : load_i64(p);
  for (int64_t i = 8; i < f->width; i++) {
    if (p[i] != (value < 0 ? 0xFF : 0)) return false;
  }
  if (value > INT64_C(1000000000000000) || value < -INT64_C(1000000000000000)) return false;
  *to = f->scale >= 0 ? (double)value / pow(10, f->scale) : (double)value * pow(10, -f->scale);
  return true;
}

static bool fill_int64s(stream *s, const field *f, const column *c, int64_t from, int64_t n, double *to) {
  const int64_t exact = INT64_C(1) << 53;
  for (int64_t i = 0; i < n; i++) {
    int64_t value = load_i64(c->values + 8 * (from + i));
    bool valid = is_valid(c, from + i);
    if (!valid) value = INT64_MIN;
    if (valid && !f->is_signed && value < 0) return fail_row(s, from + i, "the uint64 is too large for an integer64");
    if (valid && value == INT64_MIN) return fail_row(s, from + i, "the smallest int64 is no integer64");
    if (!s->int64_as_double) {
      memcpy(to + i, &value, sizeof value);
    } else if (valid && (value > exact || value < -exact)) {
      return fail_row(s, from + i, "the int64 is no exact double");
    } else {
      to[i] = valid ? (double)value : NA_REAL;
    }
  }
  return true;
}

static bool fill_doubles(stream *s, const field *f, const column *c, int64_t from, int64_t n, double *to) {
  if (f->type == ARROW_FLOAT && f->width == 8) {
    if (n > 0) memcpy(to, c->values + 8 * from, 8 * (size_t)n);
  } else if (f->type == ARROW_FLOAT && f->width == 4) {
    for (int64_t i = 0; i < n; i++) to[i] = load_f32(c->values + 4 * (from + i));
  } else if (f->type == ARROW_FLOAT) {
    for (int64_t i = 0; i < n; i++) to[i] = half_float(load_u16(c->values + 2 * (from + i)));
  } else if (f->type == ARROW_INT && f->width == 8) {
    return fill_int64s(s, f, c, from, n, to);
  } else if (f->type == ARROW_INT) {
    for (int64_t i = 0; i < n; i++) to[i] = load_u32(c->values + 4 * (from + i));
  } else {
    for (int64_t i = 0; i < n; i++) {
      if (!is_valid(c, from + i) || decimal(c->values + f->width * (from + i), f, to + i)) continue;
      return fail_row(s, from + i, "the decimal has too many digits for a double");
    }
  }
  EACH_NULL(k) to[k - from] = NA_REAL;
  return true;
}

// --- dates and times ----------------------------------------------------

enum { DAY = 86400 };

// Arrow's counts to a whole of R's: a day, a second, or the units of a difftime.
static int64_t per_whole(const field *f) {
  if (f->type == ARROW_DATE) return f->width == 4 ? 1 : f->fractional ? 1000 : INT64_C(1000) * DAY;
  int64_t seconds = 1;
  if (f->class.class == CLASS_DIFFTIME) {
    SEXP units = attribute(f, "units");
    if (units != R_NilValue) seconds = units_seconds(CHAR(STRING_ELT(units, 0)));
  }
  return seconds * per_second[f->unit];
}

static bool fill_whole_times(stream *s, const field *f, const column *c, int64_t from, int64_t n, int *to) {
  int64_t per = f->type == ARROW_FLOAT ? 1 : per_whole(f);
  for (int64_t i = 0; i < n; i++) {
    if (!is_valid(c, from + i)) {
      to[i] = NA_INTEGER;
      continue;
    }
    double value = f->type == ARROW_FLOAT ? load_f64(c->values + 8 * (from + i))
                                          : to_double(index_at(c->values, from + i, f->width, true), per);
    if (!(value > INT32_MIN && value <= INT32_MAX) || value != floor(value)) {
      return fail_row(s, from + i, "the time is no integer, as its storage says");
    }
    to[i] = (int)value;
  }
  return true;
}

static bool fill_times(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (TYPEOF(to) == INTSXP) return fill_whole_times(s, f, c, from, n, INTEGER(to) + at);
  double *x = REAL(to) + at;
  if (f->type == ARROW_FLOAT) return fill_doubles(s, f, c, from, n, x);
  int64_t per = per_whole(f);
  if (f->width == 8 && per == per_second[NANO]) {
    // The usual one, with a constant to divide by.
    for (int64_t i = 0; i < n; i++) x[i] = to_double(load_i64(c->values + 8 * (from + i)), 1000000000);
  } else if (per == 1) {
    for (int64_t i = 0; i < n; i++) x[i] = (double)index_at(c->values, from + i, f->width, true);
  } else {
    for (int64_t i = 0; i < n; i++) x[i] = to_double(index_at(c->values, from + i, f->width, true), per);
  }
  EACH_NULL(k) x[k - from] = NA_REAL;
  return true;
}

// --- strings ------------------------------------------------------------

// Strings that come again are found here sooner than among all of R's.
typedef struct {
  const uint8_t *text;
  size_t n;
  SEXP string;
} known_string;

enum { KNOWN = 1024, TRIAL = 4096 };

typedef struct {
  known_string *known; // NULL once it has proved useless
  int64_t asked, found;
} string_cache;

static size_t string_hash(const uint8_t *p, size_t n) {
  uint64_t h = n * UINT64_C(0x9E3779B97F4A7C15);
  if (n >= 8) {
    h ^= load_u64(p) ^ load_u64(p + n - 8) * 31;
  } else {
    for (size_t i = 0; i < n; i++) h = h * 31 + p[i];
  }
  h *= UINT64_C(0x9E3779B97F4A7C15);
  return (size_t)(h >> 54) % KNOWN;
}

static SEXP make_string(string_cache *cache, const uint8_t *p, size_t n) {
  if (cache->known == NULL) return Rf_mkCharLenCE((const char *)p, (int)n, CE_UTF8);
  known_string *k = cache->known + string_hash(p, n);
  cache->asked++;
  if (k->string != NULL && k->n == n && memcmp(k->text, p, n) == 0) {
    cache->found++;
    return k->string;
  }
  k->text = p;
  k->n = n;
  k->string = Rf_mkCharLenCE((const char *)p, (int)n, CE_UTF8);
  SEXP string = k->string;
  if (cache->asked == TRIAL && cache->found < TRIAL / 8) cache->known = NULL;
  return string;
}

static bool is_string(const uint8_t *p, size_t n) { return memchr(p, 0, n) == NULL && is_utf8(p, n); }

static bool begins_character(const uint8_t *data, int64_t at, int64_t end) {
  return at == end || (data[at] & 0xC0) != 0x80;
}

// Whether all strings of the rows are text. Usually all of their bytes taken
// together are, and none begins or ends inside a character.
static bool check_strings(stream *s, const field *f, const column *c, int64_t from, int64_t n) {
  if (n == 0) return true;
  int64_t first = index_at(c->values, from, f->width, true), last = index_at(c->values, from + n, f->width, true);
  const uint8_t *p = c->data + first;
  size_t size = (size_t)(last - first);
  bool all = size == 0 || memchr(p, 0, size) == NULL;
  if (all && is_ascii(p, size)) return true;
  all = all && is_utf8(p, size);
  for (int64_t i = from; i < from + n; i++) {
    int64_t start = index_at(c->values, i, f->width, true), end = index_at(c->values, i + 1, f->width, true);
    if (all && begins_character(c->data, start, last) && begins_character(c->data, end, last)) continue;
    if (is_valid(c, i) && !is_string(c->data + start, (size_t)(end - start))) {
      return fail_row(s, i, "the string is not UTF-8 text, or has a zero byte");
    }
  }
  return true;
}

static bool fill_strings(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (!check_strings(s, f, c, from, n)) return false;
  string_cache cache = {n >= 64 ? take(KNOWN, sizeof(known_string)) : NULL, 0, 0};
  bool large = f->width == 8;
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *offsets = c->values + f->width * (from + i);
    int64_t start = large ? load_i64(offsets) : load_i32(offsets);
    int64_t end = large ? load_i64(offsets + 8) : load_i32(offsets + 4);
    if (!is_valid(c, from + i)) {
      SET_STRING_ELT(to, (R_xlen_t)(at + i), NA_STRING);
      continue;
    }
    if (end - start > INT32_MAX) return fail_row(s, from + i, "the string has more than 2147483647 bytes");
    SET_STRING_ELT(to, (R_xlen_t)(at + i), make_string(&cache, c->data + start, (size_t)(end - start)));
    if (i % (1 << 18) == 0 && i > 0) R_CheckUserInterrupt();
  }
  return true;
}

// --- lists --------------------------------------------------------------

static bool fill(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at);
static SEXP finish(stream *s, const field *f, SEXP x, int64_t n);

// The rows from `from` on as a value of their own; NULL after a failure.
static SEXP value_of(stream *s, const field *f, const column *c, int64_t from, int64_t n) {
  SEXP x = allocate(s, f, n);
  if (x == NULL) return NULL;
  PROTECT(x);
  if (fill(s, f, c, from, n, x, 0)) {
    x = finish(s, f, x, n);
  } else {
    x = NULL;
  }
  UNPROTECT(1);
  return x;
}

// Which rows of its child the row of a list has.
static void list_row(const field *f, const column *c, int64_t i, int64_t *from, int64_t *n) {
  if (f->layout == LAYOUT_FIXED_LIST) {
    *from = i * f->width;
    *n = f->width;
    return;
  }
  *from = index_at(c->values, i, f->width, true);
  *n = index_at(c->values, i + 1, f->width, true) - *from;
}

static SEXP map_value(stream *s, const field *f, const column *c, int64_t from, int64_t n) {
  const field *entry = f->children[0];
  const column *entries = c->children[0];
  SEXP value = value_of(s, entry->children[1], entries->children[1], from, n);
  if (value == NULL) return NULL;
  PROTECT(value);
  SEXP keys = value_of(s, entry->children[0], entries->children[0], from, n);
  if (keys != NULL && entry->children[1]->class.class == CLASS_DATA_FRAME) {
    fail(s->failure, "a map with values of the Arrow type struct is not supported");
    keys = NULL;
  }
  if (keys != NULL) {
    PROTECT(keys);
    Rf_setAttrib(value, R_NamesSymbol, keys);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return keys == NULL ? NULL : value;
}

// The value of a row of a list or map.
static SEXP list_value(stream *s, const field *f, const column *c, int64_t i) {
  int64_t from, n;
  list_row(f, c, i, &from, &n);
  if (f->type == ARROW_MAP) return map_value(s, f, c, from, n);
  return value_of(s, f->children[0], c->children[0], from, n);
}

static bool fill_lists(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  const void *mark = vmaxget();
  for (int64_t i = 0; i < n; i++) {
    if (i % (1 << 16) == 0) R_CheckUserInterrupt();
    if (!is_valid(c, from + i)) continue;
    SEXP x = list_value(s, f, c, from + i);
    if (x == NULL) return false;
    SET_VECTOR_ELT(to, (R_xlen_t)(at + i), x);
    if (i % 256 == 0) vmaxset(mark);
  }
  return true;
}

static bool fill_binaries(const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  for (int64_t i = 0; i < n; i++) {
    if (i % (1 << 16) == 0) R_CheckUserInterrupt();
    if (!is_valid(c, from + i)) continue;
    const uint8_t *p = c->values + f->width * (from + i);
    int64_t size = f->width;
    if (f->layout == LAYOUT_BINARY) {
      int64_t start = index_at(c->values, from + i, f->width, true);
      size = index_at(c->values, from + i + 1, f->width, true) - start;
      p = c->data + start;
    }
    SEXP x = Rf_allocVector(RAWSXP, (R_xlen_t)size);
    if (size > 0) memcpy(RAW(x), p, (size_t)size);
    SET_VECTOR_ELT(to, (R_xlen_t)(at + i), x);
  }
  return true;
}

// --- dictionaries -------------------------------------------------------

// The positions of levels among the unique ones, where some are there twice.
static void make_unique(dictionary *d) {
  SEXP call = PROTECT(Rf_lang2(Rf_install("unique.default"), d->values));
  SEXP levels = PROTECT(Rf_eval(call, R_BaseEnv));
  if (Rf_xlength(levels) < Rf_xlength(d->values)) {
    d->codes = Rf_match(levels, d->values, NA_INTEGER);
    d->values = levels;
  }
  UNPROTECT(2);
}

static bool read_values(stream *s, dictionary *d) {
  if (d->values != NULL) return true;
  SEXP x = allocate(s, d->value, d->total);
  if (x == NULL) return false;
  PROTECT(x);
  int64_t at = 0;
  bool done = true;
  for (const column *c = d->first; done && c != NULL; c = c->next) {
    done = fill(s, d->value, c, 0, c->rows, x, at);
    at += c->rows;
  }
  if (done) d->values = finish(s, d->value, x, d->total);
  done = done && d->values != NULL;
  UNPROTECT(1);
  if (!done) return false;
  shelter(s, d->values);
  if (is_text(d->value)) {
    make_unique(d);
    shelter(s, d->values);
    if (d->codes != NULL) shelter(s, d->codes);
  }
  return true;
}

static bool fill_codes(stream *s, const field *f, const column *c, int64_t from, int64_t n, int *to) {
  dictionary *d = f->dictionary;
  if (!read_values(s, d)) return false;
  const int *codes = d->codes == NULL ? NULL : INTEGER_RO(d->codes);
  if (f->width == 4 && c->valid == NULL && codes == NULL) {
    for (int64_t i = 0; i < n; i++) to[i] = (int)(load_i32(c->values + 4 * (from + i)) + 1 + c->base);
    return true;
  }
  for (int64_t i = 0; i < n; i++) {
    if (!is_valid(c, from + i)) {
      to[i] = NA_INTEGER;
      continue;
    }
    int64_t index = c->base + index_at(c->values, from + i, f->width, f->is_signed);
    to[i] = codes == NULL ? (int)index + 1 : codes[index];
  }
  return true;
}

// --- any column ---------------------------------------------------------

static void set_missing(const field *f, SEXP to, int64_t at);

// A null row of a struct is a row of nulls.
static bool fill_frame(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  for (int i = 0; i < f->n_children; i++) {
    if (!fill(s, f->children[i], c->children[i], from, n, VECTOR_ELT(to, i), at)) return false;
  }
  EACH_NULL(k) set_missing(f, to, at + k - from);
  return true;
}

static void set_missing(const field *f, SEXP to, int64_t at) {
  if (f->layout == LAYOUT_STRUCT) {
    for (int i = 0; i < f->n_children; i++) set_missing(f->children[i], VECTOR_ELT(to, i), at);
    return;
  }
  if (f->class.class == CLASS_MATRIX) {
    for (int64_t i = 0; i < f->width; i++) set_missing(f->children[0], to, at * f->width + i);
    return;
  }
  switch (TYPEOF(to)) {
  case LGLSXP: LOGICAL(to)[at] = NA_LOGICAL; break;
  case INTSXP: INTEGER(to)[at] = NA_INTEGER; break;
  case REALSXP: {
    int64_t smallest = INT64_MIN;
    if (f->class.class == CLASS_INTEGER64) {
      memcpy(REAL(to) + at, &smallest, sizeof smallest);
    } else {
      REAL(to)[at] = NA_REAL;
    }
    break;
  }
  case CPLXSXP: COMPLEX(to)[at].r = COMPLEX(to)[at].i = NA_REAL; break;
  case STRSXP: SET_STRING_ELT(to, (R_xlen_t)at, NA_STRING); break;
  case VECSXP: SET_VECTOR_ELT(to, (R_xlen_t)at, R_NilValue); break;
  default: break;
  }
}

static bool fill_values(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (f->dictionary != NULL) return fill_codes(s, f, c, from, n, INTEGER(to) + at);
  if (f->class.class == CLASS_MATRIX) {
    return fill(s, f->children[0], c->children[0], from * f->width, n * f->width, to, at * f->width);
  }
  if (is_time_class(f->class.class)) return fill_times(s, f, c, from, n, to, at);
  switch (f->layout) {
  case LAYOUT_NULL:
    for (int64_t i = 0; i < n; i++) LOGICAL(to)[at + i] = NA_LOGICAL;
    return true;
  case LAYOUT_BITS: fill_bools(c, from, n, LOGICAL(to) + at); return true;
  case LAYOUT_BINARY:
    return is_text(f) ? fill_strings(s, f, c, from, n, to, at) : fill_binaries(f, c, from, n, to, at);
  case LAYOUT_STRUCT: return fill_frame(s, f, c, from, n, to, at);
  default: break;
  }
  switch (TYPEOF(to)) {
  case INTSXP: return fill_ints(s, f, c, from, n, INTEGER(to) + at);
  case REALSXP: return fill_doubles(s, f, c, from, n, REAL(to) + at);
  case RAWSXP: return fill_raws(s, c, from, n, RAW(to) + at);
  case CPLXSXP: fill_complex(c, from, n, COMPLEX(to) + at); return true;
  default:
    return f->type == ARROW_FIXED_BINARY ? fill_binaries(f, c, from, n, to, at) : fill_lists(s, f, c, from, n, to, at);
  }
}

static bool fill(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (fill_values(s, f, c, from, n, to, at)) return true;
  fail_inside(s->failure, CHAR(f->name));
  return false;
}

// --- class and attributes -----------------------------------------------

static void set_zone(const field *f, SEXP x) {
  SEXP zone = attribute(f, "tzone");
  if (zone != R_NilValue) {
    if (Rf_xlength(zone) > 0) Rf_setAttrib(x, Rf_install("tzone"), zone);
    return;
  }
  SEXP value = PROTECT(Rf_ScalarString(Rf_mkCharCE(f->zone == NULL ? "UTC" : f->zone, CE_UTF8)));
  Rf_setAttrib(x, Rf_install("tzone"), value);
  UNPROTECT(1);
}

static void set_units(const field *f, SEXP x) {
  SEXP units = attribute(f, "units");
  units = PROTECT(units == R_NilValue ? Rf_mkString("secs") : units);
  Rf_setAttrib(x, Rf_install("units"), units);
  UNPROTECT(1);
}

static void set_row_names(SEXP x, int64_t n) {
  SEXP row_names = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(row_names)[0] = NA_INTEGER;
  INTEGER(row_names)[1] = (int)-n;
  Rf_setAttrib(x, R_RowNamesSymbol, row_names);
  UNPROTECT(1);
}

static void set_field_names(SEXP x, field *const fields[], int n) {
  SEXP names = PROTECT(Rf_allocVector(STRSXP, n));
  for (int i = 0; i < n; i++) SET_STRING_ELT(names, i, fields[i]->name);
  Rf_setAttrib(x, R_NamesSymbol, names);
  UNPROTECT(1);
}

static bool finish_frame(stream *s, const field *f, SEXP x, int64_t n) {
  if (n > INT32_MAX) return fail(s->failure, "%.0f rows are too many for a data frame", (double)n);
  for (int i = 0; i < f->n_children; i++) {
    SEXP column = finish(s, f->children[i], VECTOR_ELT(x, i), n);
    if (column == NULL) return false;
    SET_VECTOR_ELT(x, i, column);
  }
  set_field_names(x, f->children, f->n_children);
  return true;
}

static bool set_names(stream *s, SEXP x, SEXP value, int64_t n) {
  if (Rf_xlength(value) != n) {
    return fail(s->failure, "r.attributes has %.0f names for %.0f elements", (double)Rf_xlength(value), (double)n);
  }
  Rf_setAttrib(x, R_NamesSymbol, value);
  return true;
}

// A matrix of a data frame has its rows already, and only then a dim.
static bool set_dim(stream *s, SEXP x, SEXP value) {
  SEXP old = Rf_getAttrib(x, R_DimSymbol);
  value = PROTECT(Rf_duplicate(value));
  if (old != R_NilValue) INTEGER(value)[0] = INTEGER_RO(old)[0];
  double size = 1;
  for (R_xlen_t i = 0; i < Rf_xlength(value); i++) size *= INTEGER_RO(value)[i];
  bool done = size == (double)Rf_xlength(x) ||
              fail(s->failure, "the dim of r.attributes has %.0f elements, and the vector %.0f", size,
                   (double)Rf_xlength(x));
  if (done) Rf_setAttrib(x, R_DimSymbol, value);
  UNPROTECT(1);
  return done;
}

static bool set_dimnames(stream *s, SEXP x, SEXP value) {
  SEXP dim = Rf_getAttrib(x, R_DimSymbol);
  bool fit = dim != R_NilValue && Rf_xlength(dim) == Rf_xlength(value);
  for (R_xlen_t i = 0; fit && i < Rf_xlength(value); i++) {
    SEXP names = VECTOR_ELT(value, i);
    fit = names == R_NilValue || Rf_xlength(names) == INTEGER_RO(dim)[i];
  }
  if (!fit) return fail(s->failure, "the dimnames of r.attributes do not fit its dim");
  Rf_setAttrib(x, R_DimNamesSymbol, value);
  return true;
}

static bool set_attribute(stream *s, int class, SEXP x, int64_t n, const char *name, SEXP value) {
  bool frame = is_frame_class(class);
  if (strcmp(name, "row.names") == 0) {
    if (!frame || Rf_xlength(value) != n) {
      return fail(s->failure, "r.attributes has %.0f row names for %.0f rows", (double)Rf_xlength(value), (double)n);
    }
    Rf_setAttrib(x, R_RowNamesSymbol, value);
    return true;
  }
  if (strcmp(name, "tzone") == 0) {
    if (class != CLASS_POSIXCT && Rf_xlength(value) > 0) Rf_setAttrib(x, Rf_install("tzone"), value);
    return true;
  }
  if (strcmp(name, "units") == 0 || strcmp(name, "storage") == 0) return true;
  if (frame) return fail(s->failure, "r.attributes has %s for a data frame", name);
  if (strcmp(name, "names") == 0) return set_names(s, x, value, n);
  return strcmp(name, "dim") == 0 ? set_dim(s, x, value) : set_dimnames(s, x, value);
}

// list(own, other), as R has parsed them: R's own attributes by their name, and
// others.
static bool set_attributes(stream *s, int class, SEXP attributes, SEXP x, int64_t n) {
  if (attributes == NULL) return true;
  SEXP own = VECTOR_ELT(attributes, 0), other = VECTOR_ELT(attributes, 1);
  SEXP names = Rf_getAttrib(own, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(own); i++) {
    if (!set_attribute(s, class, x, n, CHAR(STRING_ELT(names, i)), VECTOR_ELT(own, i))) return false;
  }
  names = Rf_getAttrib(other, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(other); i++) {
    Rf_setAttrib(x, Rf_installTrChar(STRING_ELT(names, i)), VECTOR_ELT(other, i));
  }
  return true;
}

static SEXP finish_plain(stream *s, const field *f, SEXP x, int64_t n) {
  r_class class = f->class;
  switch (class.class) {
  case CLASS_DATE:
    if (f->fractional) {
      class.class = CLASS_POSIXCT;
      set_zone(f, x);
    }
    break;
  case CLASS_POSIXCT: set_zone(f, x); break;
  case CLASS_HMS:
  case CLASS_DIFFTIME: set_units(f, x); break;
  case CLASS_FACTOR:
  case CLASS_ORDERED:
    if (!read_values(s, f->dictionary)) return NULL;
    Rf_setAttrib(x, R_LevelsSymbol, f->dictionary->values);
    break;
  case CLASS_BLOB: {
    SEXP ptype = PROTECT(Rf_allocVector(RAWSXP, 0));
    Rf_setAttrib(x, Rf_install("ptype"), ptype);
    UNPROTECT(1);
    break;
  }
  default: break;
  }
  if (is_frame_class(class.class)) {
    if (!finish_frame(s, f, x, n)) return NULL;
    set_row_names(x, n);
  }
  set_class(x, class);
  return x;
}

// The child has the rows one after the other, R the columns.
static SEXP finish_matrix(stream *s, const field *f, SEXP x, int64_t n) {
  SEXP child = finish(s, f->children[0], x, n * f->width);
  if (child == NULL) return NULL;
  if (n > INT32_MAX || f->width > INT32_MAX) {
    fail(s->failure, "a matrix has too many rows or columns");
    return NULL;
  }
  PROTECT(child);
  SEXP dim = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(dim)[0] = (int)f->width;
  INTEGER(dim)[1] = (int)n;
  Rf_setAttrib(child, R_DimSymbol, dim);
  SEXP call = PROTECT(Rf_lang2(Rf_install("t.default"), child));
  SEXP out = PROTECT(Rf_eval(call, R_BaseEnv));
  if (f->class.as_is) set_class(out, (r_class){CLASS_NONE, true});
  UNPROTECT(4);
  return out;
}

// The values of a dictionary that are no strings, each in its place.
static SEXP finish_codes(stream *s, const field *f, SEXP codes) {
  if (!read_values(s, f->dictionary)) return NULL;
  SEXP call = PROTECT(Rf_lang3(R_BracketSymbol, f->dictionary->values, codes));
  SEXP out = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return out;
}

// Class and attributes of a filled value, which may become another object;
// NULL after a failure.
static SEXP finish(stream *s, const field *f, SEXP x, int64_t n) {
  SEXP out;
  if (f->dictionary != NULL && !is_text(f->dictionary->value)) {
    out = finish_codes(s, f, x);
  } else if (f->class.class == CLASS_MATRIX) {
    out = finish_matrix(s, f, x, n);
  } else {
    out = finish_plain(s, f, x, n);
  }
  if (out == NULL || f->attributes == NULL) return out;
  PROTECT(out);
  bool done = set_attributes(s, f->class.class, f->attributes, out, n);
  UNPROTECT(1);
  if (!done) fail_inside(s->failure, CHAR(f->name));
  return done ? out : NULL;
}

// --- records ------------------------------------------------------------

// date64 is a Date only if all of it, in every batch, are whole days.
static void find_fractional_in(field *f, const column *c) {
  if (f->dictionary != NULL) return;
  if (f->type == ARROW_DATE && f->width == 8) {
    for (int64_t i = 0; i < c->rows && !f->fractional; i++) {
      f->fractional = is_valid(c, i) && load_i64(c->values + 8 * i) % (INT64_C(1000) * DAY) != 0;
    }
  }
  for (int i = 0; i < f->n_children; i++) find_fractional_in(f->children[i], c->children[i]);
}

static void find_fractional(field *f, const column *first) {
  for (const column *c = first; c != NULL; c = c->next) find_fractional_in(f, c);
}

static SEXP column_value(stream *s, const field *f, const column *first) {
  SEXP x = allocate(s, f, s->rows);
  if (x == NULL) return NULL;
  PROTECT(x);
  int64_t at = 0;
  for (const column *c = first; c != NULL; c = c->next) {
    if (!fill(s, f, c, 0, c->rows, x, at)) {
      UNPROTECT(1);
      return NULL;
    }
    at += c->rows;
    R_CheckUserInterrupt();
  }
  x = finish(s, f, x, s->rows);
  UNPROTECT(1);
  return x;
}

// A record that R wrote as a list is a list, one of columns too long for a data
// frame as well.
static SEXP record_value(stream *s) {
  bool listed = s->class.class == CLASS_LIST || s->rows > INT32_MAX;
  SEXP out = PROTECT(Rf_allocVector(VECSXP, s->n_fields));
  for (int i = 0; i < s->n_fields; i++) {
    field *f = s->fields[i];
    if (listed && f->layout == LAYOUT_NULL) continue;
    SEXP x = column_value(s, f, s->columns[i]);
    if (x == NULL) {
      UNPROTECT(1);
      return NULL;
    }
    SET_VECTOR_ELT(out, i, x);
  }
  set_field_names(out, s->fields, s->n_fields);
  if (!listed) {
    set_row_names(out, s->rows);
    r_class class = s->class;
    if (class.class == CLASS_NONE) class.class = CLASS_DATA_FRAME;
    set_class(out, class);
  }
  bool done = set_attributes(s, CLASS_DATA_FRAME, s->attributes, out, s->rows);
  UNPROTECT(1);
  return done ? out : NULL;
}

// --- one row ------------------------------------------------------------

static SEXP unbox(stream *s, const field *f, const column *c, int64_t i);

static SEXP unbox_fields(stream *s, const field *f, const column *c, int64_t i) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, f->n_children));
  bool named = false;
  for (int k = 0; k < f->n_children; k++) {
    SEXP x = unbox(s, f->children[k], c->children[k], i);
    if (x == NULL) {
      UNPROTECT(1);
      return NULL;
    }
    SET_VECTOR_ELT(out, k, x);
    named = named || LENGTH(f->children[k]->name) > 0;
  }
  if (named) set_field_names(out, f->children, f->n_children);
  if (f->class.as_is) set_class(out, (r_class){CLASS_NONE, true});
  bool done = set_attributes(s, CLASS_NONE, f->attributes, out, f->n_children);
  UNPROTECT(1);
  return done ? out : NULL;
}

static SEXP unbox(stream *s, const field *f, const column *c, int64_t i) {
  bool list = f->dictionary == NULL && (f->type == ARROW_LIST || f->type == ARROW_LARGE_LIST || f->type == ARROW_MAP ||
                                        (f->type == ARROW_FIXED_LIST && f->class.class == CLASS_NONE));
  bool fields = f->dictionary == NULL && f->type == ARROW_STRUCT;
  if (f->layout == LAYOUT_NULL) return R_NilValue;
  if ((list || fields) && !is_valid(c, i)) return R_NilValue;
  if (list) return list_value(s, f, c, i);
  if (fields) return unbox_fields(s, f, c, i);
  return value_of(s, f, c, i, 1);
}

static SEXP row_value(stream *s) {
  if (s->rows != 1) {
    fail(s->failure, "it has %.0f rows, and a boxed value one", (double)s->rows);
    return NULL;
  }
  SEXP out = PROTECT(Rf_allocVector(VECSXP, s->n_fields));
  for (int i = 0; i < s->n_fields; i++) {
    const column *c = s->columns[i];
    while (c->rows == 0) c = c->next;
    SEXP x = unbox(s, s->fields[i], c, 0);
    if (x == NULL) {
      UNPROTECT(1);
      return NULL;
    }
    SET_VECTOR_ELT(out, i, x);
  }
  set_field_names(out, s->fields, s->n_fields);
  UNPROTECT(1);
  return out;
}

// The value of a stream, or a failure. `unbacked` bounds the bytes made of nothing.
SEXP decode_stream(const uint8_t *data, size_t size, bool row, bool int64_as_double, SEXP parse, int64_t unbacked) {
  failure f = {0};
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  stream s = {
      .failure = &f,
      .shelter = cell,
      .parse = parse,
      .int64_as_double = int64_as_double,
      .unbacked = unbacked,
  };
  SEXP out = NULL;
  if (read_stream(&s, data, size)) {
    for (int i = 0; i < s.n_fields; i++) find_fractional(s.fields[i], s.columns[i]);
    for (dictionary *d = s.dictionaries; d != NULL; d = d->next) find_fractional(d->value, d->first);
    out = row ? row_value(&s) : record_value(&s);
  }
  if (out == NULL) out = failure_value(&f);
  UNPROTECT(1);
  return out;
}

static SEXP decode(SEXP bytes, SEXP offset, SEXP int64_as_double, SEXP parse, bool row) {
  double from = Rf_asReal(offset), size = (double)Rf_xlength(bytes);
  if (!(from >= 0 && from <= size)) {
    failure f = {0};
    fail(&f, "it would begin outside of its %.0f bytes", size);
    return failure_value(&f);
  }
  return decode_stream(RAW_RO(bytes) + (R_xlen_t)from, (size_t)(size - from), row, Rf_asLogical(int64_as_double) == 1,
                       parse, (int64_t)MAX_UNBACKED * 4);
}

SEXP decode_record(SEXP bytes, SEXP offset, SEXP int64_as_double, SEXP parse) {
  return decode(bytes, offset, int64_as_double, parse, false);
}

SEXP decode_row(SEXP bytes, SEXP offset, SEXP int64_as_double, SEXP parse) {
  return decode(bytes, offset, int64_as_double, parse, true);
}
