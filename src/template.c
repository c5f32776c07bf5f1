// Messages that are equal but for the numbers in them.

#include "template.h"

#include "decode.h"
#include "entries.h"

#include <math.h>

static bool is_plain(const mg_field *f) { return f->class.class == CLASS_NONE && f->attributes == NULL; }

static bool find_slot(mg_numbers *slot, const mg_field *f, const mg_column *c, SEXP message) {
  if (!is_plain(f) || c->next != NULL || c->nulls > 0) return false;
  if (f->layout == LAYOUT_LIST && c->rows == 1) {
    int64_t from = f->width == 8 ? load_i64(c->values) : load_i32(c->values);
    f = f->children[0];
    c = c->children[0];
    if (from != 0 || !is_plain(f) || c->next != NULL || c->nulls > 0) return false;
  }
  bool doubles = f->type == ARROW_FLOAT && f->width == 8;
  bool ints = f->type == ARROW_INT && f->is_signed && (f->width == 4 || f->width == 8);
  if ((!doubles && !ints) || f->dictionary != NULL || c->valid != NULL) return false;
  *slot = (mg_numbers){.type = doubles ? REALSXP : INTSXP, .width = (int)f->width, .n = (R_xlen_t)c->rows};
  if (c->rows > 0) slot->at = (size_t)(c->values - RAW_RO(message));
  return c->rows > 0;
}

static size_t size_of(const mg_numbers *s) { return (size_t)s->width * (size_t)s->n; }

bool mg_template_find(mg_template *t, SEXP message, size_t ahead) {
  size_t size = (size_t)Rf_xlength(message);
  if (ahead > size) return false;
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_stream s = {.failure = &f, .shelter = shelter, .unbacked = UNBACKED_FLOOR};
  (void)mg_int64_option(&s.int64);
  mg_input in = {.owner = message, .data = RAW_RO(message) + ahead, .size = size - ahead};
  bool found = mg_read_stream(&s, in) && s.rows == 1 && s.n_fields <= MAX_SLOTS;
  size_t end = ahead;
  *t = (mg_template){.n = s.n_fields};
  for (int i = 0; found && i < s.n_fields; i++) {
    found =
        s.columns[i] != NULL && find_slot(&t->slots[i], s.fields[i], s.columns[i], message) && t->slots[i].at >= end;
    end = t->slots[i].at + size_of(&t->slots[i]);
  }
  UNPROTECT(1);
  return found;
}

// As a raw vector, which R code keeps; NULL if there is none.
SEXP mg_c_template(SEXP message, SEXP ahead) {
  mg_template t;
  if (!mg_template_find(&t, message, (size_t)Rf_asReal(ahead))) return R_NilValue;
  SEXP out = Rf_allocVector(RAWSXP, sizeof t);
  memcpy(RAW(out), &t, sizeof t);
  return out;
}

bool mg_template_is(const mg_template *t, SEXP message, const uint8_t *data, size_t size) {
  if (size != (size_t)Rf_xlength(message)) return false;
  const uint8_t *bytes = RAW_RO(message);
  size_t from = 0;
  for (int i = 0; i < t->n; i++) {
    const mg_numbers *s = &t->slots[i];
    if (memcmp(data + from, bytes + from, s->at - from) != 0) return false;
    from = s->at + size_of(s);
  }
  return memcmp(data + from, bytes + from, size - from) == 0;
}

bool mg_numbers_read(const mg_numbers *s, const uint8_t *data, SEXP to) {
  data += s->at;
  if (s->type == REALSXP) {
    memcpy(REAL(to), data, size_of(s));
    return true;
  }
  int *x = INTEGER(to);
  bool other = false; // the smallest one is R's NA
  for (R_xlen_t i = 0; i < s->n; i++) {
    int64_t v = s->width == 8 ? load_i64(data + 8 * i) : load_i32(data + 4 * i);
    other |= v <= INT32_MIN || v > INT32_MAX;
    x[i] = (int)v;
  }
  return !other;
}

static void store_int(const mg_numbers *s, uint8_t *data, R_xlen_t i, int64_t v) {
  if (s->width == 8) {
    store_i64(data + 8 * i, v);
  } else {
    store_i32(data + 4 * i, (int32_t)v);
  }
}

static bool write_doubles(const mg_numbers *s, uint8_t *data, const double *x) {
  bool other = false;
  for (R_xlen_t i = 0; i < s->n; i++) {
    if (s->type == REALSXP) {
      other |= x[i] != x[i] && is_na(x[i]);
      store_f64(data + 8 * i, x[i]);
    } else if (s->width == 8 && fabs(x[i]) <= (double)MAX_EXACT && x[i] == trunc(x[i])) {
      store_i64(data + 8 * i, (int64_t)x[i]);
    } else {
      other = true;
    }
  }
  return !other;
}

static bool write_ints(const mg_numbers *s, uint8_t *data, const int *x) {
  bool other = false;
  for (R_xlen_t i = 0; i < s->n; i++) {
    other |= x[i] == NA_INTEGER;
    if (s->type == REALSXP) {
      store_f64(data + 8 * i, x[i]);
    } else {
      store_int(s, data, i, x[i]);
    }
  }
  return !other;
}

bool mg_numbers_write(const mg_numbers *s, uint8_t *data, SEXP x) {
  if (Rf_xlength(x) != s->n || Rf_isObject(x)) return false;
  data += s->at;
  switch (TYPEOF(x)) {
  case REALSXP: return write_doubles(s, data, REAL_RO(x));
  case INTSXP: return write_ints(s, data, INTEGER_RO(x));
  default: return false;
  }
}
