// R values of any column. A value is made in three steps: allocated for all of
// its rows, filled from one column or several (the batches), and finished.

#include "decode.h"

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
SEXP allocate(stream *s, const field *f, int64_t n) {
  if (f->class.class == CLASS_MATRIX) return allocate(s, f->children[0], n * f->width);
  if (f->layout != LAYOUT_STRUCT) return new_vector(type_in_r(s, f), (R_xlen_t)n);
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

// The rows from `from` on as a value of their own; NULL after a failure.
SEXP value_of(stream *s, const field *f, const column *c, int64_t from, int64_t n) {
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
SEXP list_value(stream *s, const field *f, const column *c, int64_t i) {
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
    SEXP x = new_vector(RAWSXP, (R_xlen_t)size);
    if (size > 0) memcpy(RAW(x), p, (size_t)size);
    SET_VECTOR_ELT(to, (R_xlen_t)(at + i), x);
  }
  return true;
}

// The positions of levels among the unique ones, where some are there twice.
static void make_unique(stream *s, dictionary *d) {
  SEXP call = PROTECT(Rf_lang2(Rf_install("unique.default"), d->values));
  SEXP levels = PROTECT(Rf_eval(call, R_BaseEnv));
  if (Rf_xlength(levels) < Rf_xlength(d->values)) {
    d->codes = Rf_match(levels, d->values, NA_INTEGER);
    shelter(s, d->codes);
    d->values = levels;
    shelter(s, d->values);
  }
  UNPROTECT(2);
}

bool read_values(stream *s, dictionary *d) {
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
  if (is_text(d->value)) make_unique(s, d);
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
  case LAYOUT_BINARY: return is_text(f) ? fill_strings(s, f, c, from, n, to, at) : fill_binaries(f, c, from, n, to, at);
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

bool fill(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (fill_values(s, f, c, from, n, to, at)) return true;
  fail_inside(s->failure, CHAR(f->name));
  return false;
}
