// R values to a tree of nodes: the Arrow type of each, how many rows and bytes
// it has, and what R has to be told about it. Nothing is copied here.
//
// A node stands for one or more R vectors ("pieces") one after the other: one
// for a column, all elements for what is inside a list.

#include "plan.h"

void *take(size_t n, size_t size) {
  void *p = R_alloc(n > 0 ? n : 1, (int)size);
  memset(p, 0, n * size);
  return p;
}

node *node_new(int type, const char *name) {
  node *n = take(1, sizeof *n);
  n->type = type;
  n->name = name;
  n->nullable = true;
  return n;
}

node *with_pieces(node *n, const SEXP *pieces, R_xlen_t n_pieces, int64_t rows) {
  n->pieces = pieces;
  n->n_pieces = n_pieces;
  n->rows = rows;
  return n;
}

// Validity, and values of `width` bytes. The bitmap has room before it is known
// whether there is a null: values and nulls are then seen in one pass.
node *fixed(node *n, int64_t width, row_writer write) {
  n->n_buffers = 2;
  n->size[0] = bitmap_size(n->rows);
  n->size[1] = n->rows * width;
  n->write = write;
  return n;
}

node *numeric(node *n, int type, int32_t bits, row_writer write) {
  n->type = type;
  n->width = bits;
  n->is_signed = true;
  return fixed(n, bits / 8, write);
}

void set_children(node *n, int n_children) {
  n->n_children = n_children;
  n->children = take((size_t)n_children, sizeof(node *));
}

R_xlen_t piece_rows(SEXP x) {
  if (TYPEOF(x) == VECSXP && is_frame(x)) return Rf_xlength(Rf_getAttrib(x, R_RowNamesSymbol));
  return Rf_xlength(x);
}

bool count_rows(plan *p, const where *at, const SEXP *pieces, R_xlen_t n, int64_t *rows) {
  *rows = 0;
  for (R_xlen_t i = 0; i < n; i++) {
    *rows += piece_rows(pieces[i]);
    if (*rows > MAX_ROWS) return fail_at(p, at, 0, 0, "it has too many elements");
  }
  return true;
}

void keep(plan *p, SEXP x) {
  PROTECT(x);
  SET_VECTOR_ELT(p->shelter, 0, Rf_cons(x, VECTOR_ELT(p->shelter, 0)));
  UNPROTECT(1);
}

const SEXP *one(SEXP x) {
  SEXP *piece = take(1, sizeof *piece);
  *piece = x;
  return piece;
}

bool string_bytes(native_encoding native, SEXP s, const char **text, size_t *n) {
  cetype_t encoding = Rf_getCharCE(s);
  *text = CHAR(s);
  *n = (size_t)LENGTH(s);
  if (encoding == CE_BYTES) return false;
  if (is_ascii((const uint8_t *)*text, *n)) return true;
  if (encoding != CE_UTF8 && !(encoding == CE_NATIVE && native == NATIVE_UTF8)) {
    if (encoding == CE_NATIVE && native == NATIVE_UNKNOWN) return false;
    *text = Rf_translateCharUTF8(s);
    *n = strlen(*text);
  }
  return is_utf8((const uint8_t *)*text, *n);
}

// Strings that come again are looked at once. Only those that need no
// translation, whose bytes stay where they are, are remembered.
bool seen_bytes(seen_string *seen, native_encoding native, SEXP s, const char **text, size_t *n) {
  seen_string *known = seen + ((uintptr_t)s >> 5) % SEEN;
  if (known->string == s) {
    *text = known->text;
    *n = known->n;
    return true;
  }
  if (!string_bytes(native, s, text, n)) return false;
  if (*text == CHAR(s)) {
    known->string = s;
    known->text = *text;
    known->n = *n;
  }
  return true;
}

static node *fail_string(plan *p, const where *at, R_xlen_t piece, R_xlen_t row, SEXP s) {
  char shown[128] = "";
  const unsigned char *c = (const unsigned char *)CHAR(s);
  for (int i = 0; i < LENGTH(s) && i < 24; i++) {
    add_text(shown, sizeof shown, c[i] < 0x20 || c[i] >= 0x7F ? "\\x%02x" : "%c", c[i]);
  }
  fail_at(p, at, piece, row, "the string \"%s\" is not valid text", shown);
  return NULL;
}

node *plan_strings(plan *p, const where *at, node *n) {
  int64_t bytes = 0;
  seen_string seen[SEEN] = {{NULL, NULL, 0}};
  const void *mark = vmaxget();
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    const SEXP *strings = STRING_PTR_RO(n->pieces[i]);
    R_xlen_t length = Rf_xlength(n->pieces[i]);
    for (R_xlen_t k = 0; k < length; k++) {
      if (k + 16 < length) PREFETCH(strings[k + 16]);
      const char *text;
      size_t size;
      if (strings[k] == NA_STRING) {
        n->nulls++;
      } else if (seen_bytes(seen, p->native, strings[k], &text, &size)) {
        bytes += (int64_t)size;
      } else {
        return fail_string(p, at, i, k + 1, strings[k]);
      }
    }
    vmaxset(mark);
  }
  n->native = p->native;
  n->type = bytes > INT32_MAX ? ARROW_LARGE_UTF8 : ARROW_UTF8;
  n->n_buffers = 3;
  n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  n->size[1] = (n->rows + 1) * (bytes > INT32_MAX ? 8 : 4);
  n->size[2] = bytes;
  n->write = write_strings;
  return n;
}

node *plan_factor(plan *p, const where *at, node *n, r_class class) {
  SEXP levels = Rf_getAttrib(n->pieces[0], R_LevelsSymbol);
  if (TYPEOF(levels) != STRSXP || HAS_ATTRIBUTES(levels)) {
    fail_at(p, at, 0, 0, "its levels have names or other attributes; levels(x) <- as.character(levels(x)) drops them");
    return NULL;
  }
  if (any_twice(levels)) {
    fail_at(p, at, 0, 0, "its levels are not all different; factor(as.character(x)) makes them so");
    return NULL;
  }
  R_xlen_t n_levels = Rf_xlength(levels);
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    const int *codes = INTEGER_RO(n->pieces[i]);
    R_xlen_t length = Rf_xlength(n->pieces[i]);
    for (R_xlen_t k = 0; k < length; k++) {
      if (codes[k] != NA_INTEGER && (codes[k] < 1 || codes[k] > n_levels)) {
        fail_at(p, at, i, k + 1, "the factor has no level %d", codes[k]);
        return NULL;
      }
    }
  }
  keep(p, levels);
  SEXP *piece = take(1, sizeof *piece);
  *piece = levels;
  where inside = {at, "levels", 0, NULL, 0};
  n->dictionary = plan_strings(p, &inside, with_pieces(node_new(ARROW_UTF8, ""), piece, 1, n_levels));
  if (n->dictionary == NULL) return NULL;
  n->type = n->dictionary->type;
  n->width = 32;
  n->is_signed = true;
  n->ordered = class.class == CLASS_ORDERED;
  return fixed(n, 4, write_codes);
}

// The name of a column or argument; NULL if it has none.
const char *name_at(plan *p, const where *at, SEXP names, R_xlen_t i) {
  const char *text;
  size_t size;
  if (TYPEOF(names) != STRSXP) return "";
  if (STRING_ELT(names, i) != NA_STRING && string_bytes(p->native, STRING_ELT(names, i), &text, &size)) {
    return text;
  }
  fail_at(p, at, 0, 0, "its name number %.0f is NA or not valid text", (double)i + 1);
  return NULL;
}

node *plan_ints(node *n) {
  numeric(n, ARROW_INT, 32, write_ints);
  if (n->n_pieces == 1 && ALTREP(n->pieces[0]) && INTEGER_NO_NA(n->pieces[0])) n->size[0] = 0;
  return n;
}

node *plan_complex(node *n) {
  n->type = ARROW_FIXED_LIST;
  n->width = 2;
  n->class.class = CLASS_COMPLEX;
  n->n_buffers = 1;
  n->size[0] = bitmap_size(n->rows);
  n->write = write_complex;
  set_children(n, 1);
  node *parts = n->children[0] = with_pieces(node_new(ARROW_FLOAT, "item"), n->pieces, n->n_pieces, 2 * n->rows);
  numeric(parts, ARROW_FLOAT, 64, write_parts);
  parts->nullable = false;
  parts->size[0] = 0;
  return n;
}

static bool all_days(const node *n) {
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    const double *x = REAL_RO(n->pieces[i]);
    R_xlen_t length = Rf_xlength(n->pieces[i]);
    for (R_xlen_t k = 0; k < length; k++) {
      if (is_na(x[k])) continue;
      if (!(x[k] > INT32_MIN && x[k] <= INT32_MAX)) return false;
      double back = (int32_t)x[k];
      if (memcmp(&back, &x[k], sizeof back) != 0) return false;
    }
  }
  return true;
}

// Whether all are exact counts of `per` units to one of R's, and not negative
// nor `below` or more, if that is not 0.
static bool all_exact(const node *n, int64_t per, int64_t below) {
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    SEXP x = n->pieces[i];
    const int *ints = TYPEOF(x) == INTSXP ? INTEGER_RO(x) : NULL;
    const double *doubles = ints == NULL ? REAL_RO(x) : NULL;
    R_xlen_t length = Rf_xlength(x);
    for (R_xlen_t k = 0; k < length; k++) {
      double value = ints != NULL ? ints[k] : doubles[k];
      if (ints != NULL ? ints[k] == NA_INTEGER : is_na(value)) continue;
      int64_t count;
      if (!from_double(value, per, &count)) return false;
      if (below > 0 && (count < 0 || count >= below)) return false;
    }
  }
  return true;
}

static node *counts(node *n, int type, int unit, int64_t per) {
  n->unit = unit;
  n->per = per;
  return numeric(n, type, 64, write_times);
}

// As R has them, when Arrow's counts would not be exact.
static node *as_doubles(node *n, int class) {
  n->class.class = class;
  bool whole = TYPEOF(n->pieces[0]) == INTSXP;
  return numeric(n, ARROW_FLOAT, 64, whole ? write_ints_as_doubles : write_doubles);
}

node *plan_dates(node *n) {
  bool whole = TYPEOF(n->pieces[0]) == INTSXP;
  if (!whole && !all_days(n)) return as_doubles(n, CLASS_DATE);
  n->unit = 0;
  return numeric(n, ARROW_DATE, 32, whole ? write_ints : write_dates);
}

static bool has_text(SEXP x) { return TYPEOF(x) == STRSXP && Rf_xlength(x) > 0 && STRING_ELT(x, 0) != NA_STRING; }

// The zone that the times are in: the one that they name, or R's own; NULL after a
// failure.
static const char *zone_of(plan *p, const where *at, SEXP x) {
  SEXP zones = Rf_getAttrib(x, Rf_install("tzone"));
  const char *text;
  size_t size;
  if (has_text(zones) && LENGTH(STRING_ELT(zones, 0)) > 0) {
    if (string_bytes(p->native, STRING_ELT(zones, 0), &text, &size)) return text;
    fail_at(p, at, 0, 0, "its time zone is not valid text");
    return NULL;
  }
  SEXP own = PROTECT(session_zone());
  keep(p, own);
  UNPROTECT(1);
  if (own != NA_STRING) return CHAR(own);
  fail_at(p, at, 0, 0, "it is in R's own time zone, whose name R does not know; Sys.setenv(TZ = ) says it");
  return NULL;
}

node *plan_datetimes(plan *p, const where *at, node *n) {
  static const int units[] = {NANO, MICRO};
  n->zone = zone_of(p, at, n->pieces[0]);
  if (n->zone == NULL) return NULL;
  for (int i = 0; i < 2; i++) {
    if (!all_exact(n, per_second[units[i]], 0)) continue;
    return counts(n, ARROW_TIMESTAMP, units[i], per_second[units[i]]);
  }
  return as_doubles(n, CLASS_POSIXCT);
}

node *plan_differences(plan *p, const where *at, node *n) {
  SEXP units = Rf_getAttrib(n->pieces[0], Rf_install("units"));
  int64_t seconds = 0;
  if (TYPEOF(units) == STRSXP && Rf_xlength(units) == 1 && !HAS_ATTRIBUTES(units)) {
    seconds = units_seconds(CHAR(STRING_ELT(units, 0)));
  }
  if (seconds == 0) {
    fail_at(p, at, 0, 0, "its units are none of secs, mins, hours, days and weeks");
    return NULL;
  }
  int64_t per = seconds * per_second[NANO];
  if (!all_exact(n, per, 0)) return as_doubles(n, CLASS_DIFFTIME);
  n->class.class = CLASS_DIFFTIME;
  return counts(n, ARROW_DURATION, NANO, per);
}

node *plan_times_of_day(node *n) {
  int64_t per = per_second[NANO];
  if (!all_exact(n, per, 86400 * per)) return as_doubles(n, CLASS_HMS);
  n->class.class = CLASS_HMS;
  return counts(n, ARROW_TIME, NANO, per);
}
