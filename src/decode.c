// R values from a checked stream: a record of columns, or a row of boxed values.

#include "decode.h"

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
  r_class class = s->class;
  if (!is_frame_class(class.class)) class.class = CLASS_DATA_FRAME;
  if (!listed) {
    set_row_names(out, s->rows);
    set_class(out, class);
  }
  out = with_attributes(s, class.class, s->attributes, out, s->rows);
  UNPROTECT(1);
  return out;
}

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
  if (f->class.as_is) set_class(out, (r_class){.as_is = true});
  out = with_attributes(s, CLASS_NONE, f->attributes, out, f->n_children);
  UNPROTECT(1);
  return out;
}

static SEXP unbox(stream *s, const field *f, const column *c, int64_t i) {
  bool list = f->dictionary == NULL && (f->type == ARROW_LIST || f->type == ARROW_LARGE_LIST || f->type == ARROW_MAP ||
                                        (f->type == ARROW_FIXED_LIST && f->class.class == CLASS_NONE));
  bool fields = f->dictionary == NULL && f->type == ARROW_STRUCT;
  // One value of bytes is one raw vector.
  bool binary = f->dictionary == NULL && f->class.class == CLASS_NONE &&
                (f->type == ARROW_BINARY || f->type == ARROW_LARGE_BINARY || f->type == ARROW_FIXED_BINARY);
  if (f->layout == LAYOUT_NULL) return R_NilValue;
  if ((list || fields || binary) && !is_valid(c, i)) return R_NilValue;
  if (list) return list_value(s, f, c, i);
  if (fields) return unbox_fields(s, f, c, i);
  SEXP value = value_of(s, f, c, i, 1);
  return binary && value != NULL ? VECTOR_ELT(value, 0) : value;
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

// The value of a stream, or a failure. `unbacked` bytes may be made of nothing, and
// more for each of its own.
SEXP decode_stream(const uint8_t *data, size_t size, bool row, bool int64_as_double, int64_t unbacked) {
  failure f = {0};
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  stream s = {
      .failure = &f,
      .shelter = cell,
      .int64_as_double = int64_as_double,
      .unbacked = unbacked + (int64_t)size * UNBACKED_FACTOR,
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

static bool wants_doubles(void) {
  SEXP option = Rf_GetOption1(Rf_install("mangoro.int64"));
  return TYPEOF(option) == STRSXP && Rf_xlength(option) == 1 && strcmp(CHAR(STRING_ELT(option, 0)), "double") == 0;
}

// `ahead` is a number of bytes, or the bytes themselves.
static SEXP decode(SEXP bytes, SEXP ahead, bool row) {
  double size = (double)Rf_xlength(bytes), from;
  if (TYPEOF(ahead) == RAWSXP) {
    from = (double)Rf_xlength(ahead);
    if (from > size || memcmp(RAW_RO(bytes), RAW_RO(ahead), (size_t)from) != 0) return R_NilValue;
  } else {
    from = Rf_asReal(ahead);
  }
  if (!(from >= 0 && from <= size)) {
    failure f = {0};
    fail(&f, "it would begin outside of its %.0f bytes", size);
    return failure_value(&f);
  }
  return decode_stream(RAW_RO(bytes) + (R_xlen_t)from, (size_t)(size - from), row, wants_doubles(), UNBACKED_FLOOR);
}

SEXP decode_record(SEXP bytes, SEXP ahead) { return decode(bytes, ahead, false); }

SEXP decode_row(SEXP bytes, SEXP ahead) { return decode(bytes, ahead, true); }
