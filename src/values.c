// R values of any column. A value is made in three steps: allocated for all of
// its rows, filled from one column or several (the batches), and finished.

#include "decode.h"

static bool fill(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at);

static SEXPTYPE type_in_r(const mg_field *f) {
  if (f->dictionary != NULL) return INTSXP;
  switch (f->class.class) {
  case CLASS_DATE:
  case CLASS_POSIXCT:
  case CLASS_HMS:
  case CLASS_DIFFTIME: return mg_own_attribute(f->attributes, "storage") == R_NilValue ? REALSXP : INTSXP;
  case CLASS_RAW: return RAWSXP;
  case CLASS_COMPLEX: return CPLXSXP;
  default: break;
  }
  switch (f->type) {
  case ARROW_NULL:
  case ARROW_BOOL: return LGLSXP;
  case ARROW_INT: return f->wide || f->class.class == CLASS_INTEGER64 ? REALSXP : INTSXP;
  case ARROW_FLOAT:
  case ARROW_DECIMAL: return REALSXP;
  case ARROW_UTF8:
  case ARROW_LARGE_UTF8: return STRSXP;
  default: return VECSXP;
  }
}

// Room for n rows; where they are those of `c` alone, from `from` on, and can stay where they
// are, a view of them. A frame is a list of its columns.
static SEXP allocate(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  if (f->class.class == CLASS_DYNAMIC) return Rf_allocVector(VECSXP, (R_xlen_t)n);
  if (f->class.class == CLASS_MATRIX) {
    return allocate(s, f->children[0], c == NULL ? NULL : c->children[0], from * f->width, n * f->width);
  }
  if (f->layout != LAYOUT_STRUCT) {
    SEXP view = c == NULL ? NULL : mg_view_rows(s, f, c, from, n, type_in_r(f));
    return view != NULL ? view : mg_new_vector(type_in_r(f), (R_xlen_t)n);
  }
  SEXP frame = PROTECT(Rf_allocVector(VECSXP, f->n_children));
  bool whole = c != NULL && c->nulls == 0; // null rows make nulls of what is in them
  for (int i = 0; i < f->n_children; i++) {
    SET_VECTOR_ELT(frame, i, allocate(s, f->children[i], whole ? c->children[i] : NULL, from, n));
  }
  UNPROTECT(1);
  return frame;
}

SEXP mg_rows_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  SEXP x = PROTECT(allocate(s, f, c, from, n));
  SEXP out = fill(s, f, c, from, n, x, 0) ? mg_finish(s, f, x, n) : NULL;
  UNPROTECT(1);
  return out;
}

SEXP mg_column_value(mg_stream *s, const mg_field *f, const mg_column *first, int64_t n) {
  SEXP x = PROTECT(allocate(s, f, first != NULL && first->rows == n ? first : NULL, 0, n));
  const mg_column *c = first;
  for (int64_t at = 0; c != NULL && fill(s, f, c, 0, c->rows, x, at); c = c->next) {
    at += c->rows;
    R_CheckUserInterrupt();
  }
  SEXP out = c == NULL ? mg_finish(s, f, x, n) : NULL;
  UNPROTECT(1);
  return out;
}

// Which rows of its child the row of a list has.
static void list_row(const mg_field *f, const mg_column *c, int64_t i, int64_t *from, int64_t *n) {
  if (f->layout == LAYOUT_FIXED_LIST) {
    *from = i * f->width;
    *n = f->width;
    return;
  }
  *from = int_at(c->values, i, f->width, true);
  *n = int_at(c->values, i + 1, f->width, true) - *from;
}

// Structs with a name each are no rows of a data frame: a list of them.
static SEXP struct_rows(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)n));
  bool done = true;
  for (int64_t i = 0; done && i < n; i++) done = set_element(out, (R_xlen_t)i, mg_row_value(s, f, c, from + i));
  UNPROTECT(1);
  return done ? out : NULL;
}

static SEXP map_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n) {
  const mg_field *key = f->children[0]->children[0], *value = f->children[0]->children[1];
  mg_column *const *entries = c->children[0]->children;
  SEXP out = is_frame_class(value->class.class) ? struct_rows(s, value, entries[1], from, n)
                                                : mg_rows_value(s, value, entries[1], from, n);
  if (out == NULL) return NULL;
  PROTECT(out);
  SEXP keys = mg_rows_value(s, key, entries[0], from, n);
  if (keys != NULL) Rf_setAttrib(out, R_NamesSymbol, keys);
  UNPROTECT(1);
  return keys == NULL ? NULL : out;
}

static SEXP list_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i) {
  int64_t from, n;
  list_row(f, c, i, &from, &n);
  if (f->type == ARROW_MAP) return map_value(s, f, c, from, n);
  return mg_rows_value(s, f->children[0], c->children[0], from, n);
}

static bool fill_lists(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to,
                       int64_t at) {
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

static bool fill_binaries(const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  for (int64_t i = 0; i < n; i++) {
    if (i % (1 << 16) == 0) R_CheckUserInterrupt();
    if (!is_valid(c, from + i)) continue;
    const uint8_t *p = c->values + f->width * (from + i);
    int64_t size = f->width;
    if (f->layout == LAYOUT_BINARY) {
      int64_t start = int_at(c->values, from + i, f->width, true);
      size = int_at(c->values, from + i + 1, f->width, true) - start;
      p = c->data + start;
    }
    SEXP x = mg_new_vector(RAWSXP, (R_xlen_t)size);
    if (size > 0) memcpy(RAW(x), p, (size_t)size);
    SET_VECTOR_ELT(to, (R_xlen_t)(at + i), x);
  }
  return true;
}

static void fill_codes(const mg_field *f, const mg_column *c, int64_t from, int64_t n, int *to) {
  mg_dictionary *d = f->dictionary;
  const int *codes = d->codes == NULL ? NULL : INTEGER_RO(d->codes);
  if (f->width == 4 && c->valid == NULL && codes == NULL) {
    for (int64_t i = 0; i < n; i++) to[i] = (int)(load_i32(c->values + 4 * (from + i)) + 1 + c->base);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t index = int_at(c->values, from + i, f->width, f->is_signed);
    // Under a null it may be any, and the bitmap may have changed since it was checked.
    if (!is_valid(c, from + i) || (uint64_t)index >= (uint64_t)c->limit) {
      to[i] = NA_INTEGER;
      continue;
    }
    index += c->base;
    to[i] = codes == NULL ? (int)index + 1 : codes[index];
  }
}

static void set_missing(const mg_field *f, SEXP to, int64_t at);

// A null row of a struct is a row of nulls.
static bool fill_frame(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to,
                       int64_t at) {
  for (int i = 0; i < f->n_children; i++) {
    if (!fill(s, f->children[i], c->children[i], from, n, VECTOR_ELT(to, i), at)) return false;
  }
  EACH_NULL(k) set_missing(f, to, at + k - from);
  return true;
}

static void set_missing(const mg_field *f, SEXP to, int64_t at) {
  if (f->layout == LAYOUT_STRUCT && f->class.class != CLASS_DYNAMIC) {
    for (int i = 0; i < f->n_children; i++) set_missing(f->children[i], VECTOR_ELT(to, i), at);
    return;
  }
  if (f->class.class == CLASS_MATRIX) {
    for (int64_t i = 0; i < f->width; i++) set_missing(f->children[0], to, at * f->width + i);
    return;
  }
  mg_set_missing(f, to, at);
}

static bool fill_values(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to,
                        int64_t at) {
  if (ALTREP(to)) return n == 0 || mg_settle_view(s, f, c, from, n, to);
  if (f->dictionary != NULL) {
    fill_codes(f, c, from, n, INTEGER(to) + at);
    return true;
  }
  if (f->class.class == CLASS_DYNAMIC) return mg_fill_dynamic(s, f, c, from, n, to, at, mg_row_value);
  if (f->class.class == CLASS_MATRIX) {
    return fill(s, f->children[0], c->children[0], from * f->width, n * f->width, to, at * f->width);
  }
  if (is_time_class(f->class.class)) return mg_fill_times(s, f, c, from, n, to, at);
  switch (f->layout) {
  case LAYOUT_NULL:
    for (int64_t i = 0; i < n; i++) LOGICAL(to)[at + i] = NA_LOGICAL;
    return true;
  case LAYOUT_BITS: mg_fill_bools(c, from, n, LOGICAL(to) + at); return true;
  case LAYOUT_BINARY:
    return is_text_type(f->type) ? mg_fill_strings(s, f, c, from, n, to, at) : fill_binaries(f, c, from, n, to, at);
  case LAYOUT_STRUCT: return fill_frame(s, f, c, from, n, to, at);
  default: break;
  }
  switch (TYPEOF(to)) {
  case INTSXP: mg_fill_ints(f, c, from, n, INTEGER(to) + at); return true;
  case REALSXP: return mg_fill_doubles(s, f, c, from, n, REAL(to) + at);
  case RAWSXP: return mg_fill_raws(s, c, from, n, RAW(to) + at);
  case CPLXSXP: mg_fill_complex(c, from, n, COMPLEX(to) + at); return true;
  default:
    return f->type == ARROW_FIXED_BINARY ? fill_binaries(f, c, from, n, to, at) : fill_lists(s, f, c, from, n, to, at);
  }
}

static bool fill(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at) {
  if (fill_values(s, f, c, from, n, to, at)) return true;
  mg_fail_inside(s->failure, CHAR(f->name));
  return false;
}

// A tree, or a leaf of another type.
static SEXP dynamic_row(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i) {
  SEXP value = PROTECT(mg_rows_value(s, f, c, i, 1));
  UNPROTECT(1);
  return value == NULL ? NULL : VECTOR_ELT(value, 0);
}

static SEXP struct_row(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, f->n_children));
  bool named = false, done = true;
  for (int k = 0; done && k < f->n_children; k++) {
    done = set_element(out, k, mg_row_value(s, f->children[k], c->children[k], i));
    named = named || LENGTH(f->children[k]->name) > 0;
  }
  if (named) mg_set_field_names(out, f->children, f->n_children);
  if (f->class.as_is) mg_set_class(out, (mg_class){.as_is = true});
  out = done ? mg_with_attributes(s, CLASS_NONE, f->attributes, out, f->n_children) : NULL;
  UNPROTECT(1);
  return out;
}

SEXP mg_row_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i) {
  if (f->class.class == CLASS_DYNAMIC) return dynamic_row(s, f, c, i);
  int type = f->dictionary == NULL ? f->type : ARROW_NONE;
  bool list = type == ARROW_LIST || type == ARROW_LARGE_LIST || type == ARROW_MAP ||
              (type == ARROW_FIXED_LIST && f->class.class == CLASS_NONE);
  bool fields = type == ARROW_STRUCT;
  // One value of bytes is one raw vector.
  bool binary = f->class.class == CLASS_NONE &&
                (type == ARROW_BINARY || type == ARROW_LARGE_BINARY || type == ARROW_FIXED_BINARY);
  if (f->layout == LAYOUT_NULL || ((list || fields || binary) && !is_valid(c, i))) return R_NilValue;
  if (list) return list_value(s, f, c, i);
  if (fields) return struct_row(s, f, c, i);
  SEXP value = mg_rows_value(s, f, c, i, 1);
  return binary && value != NULL ? VECTOR_ELT(value, 0) : value;
}
