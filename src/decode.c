// R values from a checked stream: a record of columns, or a row of boxed values.

#include "decode.h"
#include "entries.h"

// date64 is a Date only if all of it, in every batch, are whole days.
static void find_fractional_in(mg_field *f, const mg_column *c) {
  if (f->dictionary != NULL) return;
  if (f->type == ARROW_DATE && f->width == 8) {
    for (int64_t i = 0; i < c->rows && !f->fractional; i++) {
      f->fractional = is_valid(c, i) && load_i64(c->values + 8 * i) % (INT64_C(1000) * DAY) != 0;
    }
  }
  for (int i = 0; i < f->n_children; i++) find_fractional_in(f->children[i], c->children[i]);
}

static void find_fractional(mg_field *f, const mg_column *first) {
  for (const mg_column *c = first; c != NULL; c = c->next) find_fractional_in(f, c);
}

// A record that R wrote as a list is a list, one of columns too long for a data
// frame as well.
static SEXP record_value(mg_stream *s) {
  bool listed = s->class.class == CLASS_LIST || s->rows > INT32_MAX, done = true;
  SEXP out = PROTECT(Rf_allocVector(VECSXP, s->n_fields));
  for (int i = 0; done && i < s->n_fields; i++) {
    if (listed && s->fields[i]->layout == LAYOUT_NULL) continue;
    done = set_element(out, i, mg_column_value(s, s->fields[i], s->columns[i], s->rows));
  }
  mg_class class = s->class;
  if (!is_frame_class(class.class)) class.class = CLASS_DATA_FRAME;
  mg_set_field_names(out, s->fields, s->n_fields);
  if (done && !listed) {
    mg_set_row_names(out, s->rows);
    mg_set_class(out, class);
  }
  out = done ? mg_with_attributes(s, class.class, s->attributes, out, s->rows) : NULL;
  UNPROTECT(1);
  return out;
}

static SEXP row_value(mg_stream *s) {
  if (s->rows != 1) return mg_fail(s->failure, "it has %.0f rows, but a boxed value has one", (double)s->rows);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, s->n_fields));
  bool done = true;
  for (int i = 0; done && i < s->n_fields; i++) {
    const mg_column *c = s->columns[i];
    while (c->rows == 0) c = c->next;
    done = set_element(out, i, mg_row_value(s, s->fields[i], c, 0));
  }
  mg_set_field_names(out, s->fields, s->n_fields);
  UNPROTECT(1);
  return done ? out : NULL;
}

// Levels that are there twice: codes are then positions among the unique ones.
static void make_unique(mg_stream *s, mg_dictionary *d) {
  SEXP levels = PROTECT(mg_call("unique.default", d->values));
  if (Rf_xlength(levels) < Rf_xlength(d->values)) {
    d->codes = mg_keep(s->shelter, Rf_match(levels, d->values, NA_INTEGER));
    d->values = mg_keep(s->shelter, levels);
  }
  UNPROTECT(1);
}

// Before the columns that use them.
static bool read_dictionaries(mg_stream *s) {
  for (mg_dictionary *d = s->dictionaries; d != NULL; d = d->next) {
    find_fractional(d->value, d->first);
    SEXP values = mg_column_value(s, d->value, d->first, d->total);
    if (values == NULL) return false;
    d->values = mg_keep(s->shelter, values);
    if (is_text_type(d->value->type)) make_unique(s, d);
  }
  return true;
}

SEXP mg_decode(mg_input in, bool row, bool int64_as_double, int64_t unbacked) {
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_stream s = {.failure = &f, .shelter = shelter, .int64_as_double = int64_as_double, .unbacked = unbacked};
  SEXP out = NULL;
  if (mg_read_stream(&s, in) && read_dictionaries(&s)) {
    for (int i = 0; i < s.n_fields; i++) find_fractional(s.fields[i], s.columns[i]);
    out = row ? row_value(&s) : record_value(&s);
  }
  if (out == NULL) out = mg_failure_value(&f);
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
    mg_failure f = {0};
    mg_fail(&f, "it would begin outside its %.0f bytes", size);
    return mg_failure_value(&f);
  }
  mg_input in = {bytes, RAW_RO(bytes) + (R_xlen_t)from, (size_t)(size - from)};
  return mg_decode(in, row, wants_doubles(), UNBACKED_FLOOR);
}

SEXP mg_c_decode_record(SEXP bytes, SEXP ahead) { return decode(bytes, ahead, false); }

SEXP mg_c_decode_row(SEXP bytes, SEXP ahead) { return decode(bytes, ahead, true); }
