// R values from a checked stream: a record of columns, or a row of boxed values.

#include "decode.h"
#include "entries.h"

// What a type is in R may depend on all of its values, in every batch: date64 is a Date
// only if all are whole days.
static void find_fractional(mg_field *f, const mg_column *c) {
  for (int64_t i = 0; i < c->rows && !f->fractional; i++) {
    f->fractional = is_valid(c, i) && load_i64(c->values + 8 * i) % (INT64_C(1000) * DAY) != 0;
  }
}

// Integers are those of R if all are, doubles if those are exact, and integer64 otherwise.
static void find_wide(const mg_stream *s, mg_field *f, const mg_column *c) {
  int64_t low = 0, high = 0;
  mg_find_range(f, c, &low, &high);
  if (low <= INT32_MIN || high > INT32_MAX) f->wide = true;
  if (s->int64 == INT64_DOUBLE || f->width < 8) return;
  if (low < (f->is_signed ? -MAX_EXACT : 0) || high > MAX_EXACT) f->class.class = CLASS_INTEGER64;
}

static void settle_chunk(const mg_stream *s, mg_field *f, const mg_column *c) {
  if (f->dictionary != NULL) return;
  if (f->type == ARROW_DATE && f->width == 8) find_fractional(f, c);
  if (f->type == ARROW_INT && f->width >= 4 && f->class.class == CLASS_NONE) find_wide(s, f, c);
  for (int i = 0; i < f->n_children; i++) settle_chunk(s, f->children[i], c->children[i]);
}

static void settle_type(const mg_stream *s, mg_field *f, const mg_column *first) {
  for (const mg_column *c = first; c != NULL; c = c->next) settle_chunk(s, f, c);
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
    settle_type(s, d->value, d->first);
    SEXP values = mg_column_value(s, d->value, d->first, d->total);
    if (values == NULL) return false;
    d->values = mg_keep(s->shelter, values);
    if (is_text_type(d->value->type)) make_unique(s, d);
  }
  return true;
}

SEXP mg_decode(mg_input in, bool row, int int64, int64_t unbacked) {
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_stream s = {.failure = &f, .shelter = shelter, .int64 = int64, .unbacked = unbacked};
  SEXP out = NULL;
  if (mg_read_stream(&s, in) && read_dictionaries(&s)) {
    for (int i = 0; i < s.n_fields; i++) settle_type(&s, s.fields[i], s.columns[i]);
    out = row ? row_value(&s) : record_value(&s);
  }
  if (out == NULL) out = mg_failure_value(&f);
  UNPROTECT(1);
  return out;
}

bool mg_int64_option(int *chosen) {
  SEXP option = Rf_GetOption1(Rf_install("mangoro.int64"));
  *chosen = INT64_AUTO;
  if (option == R_NilValue) return true;
  if (TYPEOF(option) != STRSXP || Rf_xlength(option) != 1) return false;
  const char *text = CHAR(STRING_ELT(option, 0));
  if (strcmp(text, "integer64") == 0) *chosen = INT64_INTEGER64;
  if (strcmp(text, "double") == 0) *chosen = INT64_DOUBLE;
  return *chosen != INT64_AUTO || strcmp(text, "auto") == 0;
}

// Whether bytes begin with the header `ahead` of a result. That of one by reference differs in
// the type alone, the first byte.
static bool begins_with(SEXP bytes, SEXP ahead, bool by_reference) {
  R_xlen_t size = Rf_xlength(ahead), from = by_reference ? 1 : 0;
  return size <= Rf_xlength(bytes) && memcmp(RAW_RO(bytes) + from, RAW_RO(ahead) + from, (size_t)(size - from)) == 0;
}

// `ahead` is a number of bytes, or the bytes themselves. A result may be by reference if
// `segments`, what the call uses, is not NULL.
static SEXP decode(SEXP bytes, SEXP ahead, SEXP segments, bool row) {
  double size = (double)Rf_xlength(bytes), from;
  uint8_t type = size > 0 ? RAW_RO(bytes)[0] : 0;
  bool by_reference = segments != R_NilValue && (type == MESSAGE_REFER_RESULT || type == MESSAGE_REFER_PART);
  if (TYPEOF(ahead) == RAWSXP) {
    from = (double)Rf_xlength(ahead);
    if (!begins_with(bytes, ahead, by_reference)) return R_NilValue;
  } else {
    from = Rf_asReal(ahead);
  }
  if (!(from >= 0 && from <= size)) {
    mg_failure f = {0};
    mg_fail(&f, "it would begin outside its %.0f bytes", size);
    return mg_failure_value(&f);
  }
  mg_input in = {.owner = bytes, .data = RAW_RO(bytes) + (R_xlen_t)from, .size = (size_t)(size - from)};
  in.copied = type == MESSAGE_REFER_PART;
  if (by_reference) {
    mg_failure f = {0};
    if (!mg_read_parts(&in, mg_uses_offer(segments), &f)) return mg_failure_value(&f);
    mg_uses_note(segments, mg_parts_end(&in));
  }
  int int64;
  (void)mg_int64_option(&int64); // R code checks the option before a call
  return mg_decode(in, row, int64, UNBACKED_FLOOR);
}

SEXP mg_c_decode_record(SEXP bytes, SEXP ahead, SEXP segments) { return decode(bytes, ahead, segments, false); }

SEXP mg_c_decode_row(SEXP bytes, SEXP ahead, SEXP segments) { return decode(bytes, ahead, segments, true); }
