// R values to a tree of nodes: the Arrow type of each, how many rows and bytes
// it has, and what R has to be told about it. Nothing is copied here.
//
// A node stands for one or more R vectors, its chunks, one after the other: one for
// a column, all elements for what is inside a list.

#include "plan.h"
#include "view.h"

mg_node *mg_with_chunks(mg_node *n, const SEXP *chunks, R_xlen_t n_chunks, int64_t rows) {
  n->chunks = chunks;
  n->n_chunks = n_chunks;
  n->rows = rows;
  return n;
}

// Validity, and values of `width` bytes. The bitmap has room before it is known
// whether there is a null: values and nulls are then seen in one pass.
static mg_node *fixed(mg_node *n, int64_t width, mg_writer write) {
  n->n_buffers = 2;
  n->size[0] = bitmap_size(n->rows);
  n->size[1] = n->rows * width;
  n->write = write;
  return n;
}

// Values that Arrow has as R has them, and that lie in a segment where nobody has changed
// them, can stay there.
static void find_staying(mg_node *n) {
  mg_part part;
  bool no_na, same = n->write == mg_write_doubles || n->write == mg_write_ints || n->write == mg_write_int64s ||
                     n->write == mg_write_raws || n->write == mg_write_parts;
  if (!same || n->n_chunks != 1 || !mg_is_untouched_view(n->chunks[0], &part, &no_na)) return;
  if (part.size != (size_t)n->size[1] || part.offset % 8 != 0) return;
  n->stays[1] = part;
  if (no_na && n->write != mg_write_int64s) n->size[0] = 0;
}

mg_node *mg_node_numeric(mg_node *n, int type, int32_t bits, mg_writer write) {
  n->type = type;
  n->width = bits;
  n->is_signed = true;
  fixed(n, bits / 8, write);
  find_staying(n);
  return n;
}

// Validity, offsets, and `data` bytes if there are 3 buffers. The nulls are known.
mg_node *mg_node_offsets(mg_node *n, int type, int n_buffers, int64_t data, mg_writer write) {
  n->type = type;
  n->n_buffers = n_buffers;
  n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  n->size[1] = (n->rows + 1) * (is_large_type(type) ? 8 : 4);
  n->size[2] = data;
  n->write = write;
  return n;
}

bool mg_count_rows(mg_plan *p, const mg_path *at, const SEXP *chunks, R_xlen_t n, int64_t *rows) {
  *rows = 0;
  for (R_xlen_t i = 0; i < n; i++) {
    *rows += mg_chunk_rows(chunks[i]);
    if (*rows > MAX_ROWS) return mg_fail_at(p, at, 0, 0, "it has too many elements");
  }
  return true;
}

const SEXP *mg_chunk(SEXP x) {
  SEXP *chunk = mg_alloc(1, sizeof *chunk);
  *chunk = x;
  return chunk;
}

static void *fail_string(mg_plan *p, const mg_path *at, R_xlen_t chunk, R_xlen_t row, SEXP s) {
  char shown[128] = "";
  const unsigned char *c = (const unsigned char *)CHAR(s);
  for (int i = 0; i < LENGTH(s) && i < 24; i++) {
    mg_add_text(shown, sizeof shown, c[i] < 0x20 || c[i] >= 0x7F ? "\\x%02x" : "%c", c[i]);
  }
  return mg_fail_at(p, at, chunk, row, "the string \"%s\" is not valid text", shown);
}

// A view of strings that nobody has changed can stay where it is, and its strings need not be made.
static bool find_staying_strings(mg_node *n) {
  int width;
  if (n->n_chunks != 1 || !mg_is_untouched_string_view(n->chunks[0], n->stays, &width)) return false;
  if (n->stays[0].segment != NULL) n->nulls = mg_count_unset(mg_staying(n, 0), 0, n->rows);
  mg_node_offsets(n, width == 8 ? ARROW_LARGE_UTF8 : ARROW_UTF8, 3, (int64_t)n->stays[2].size, mg_write_string_view);
  if (n->nulls == 0) n->stays[0].segment = NULL;
  return true;
}

mg_node *mg_plan_strings(mg_plan *p, const mg_path *at, mg_node *n) {
  if (find_staying_strings(n)) return n;
  int64_t bytes = 0;
  mg_seen_string seen[SEEN] = {{NULL, NULL, 0}};
  const void *mark = vmaxget();
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    const SEXP *strings = mg_strings(n->chunks[i]);
    R_xlen_t length = Rf_xlength(n->chunks[i]);
    for (R_xlen_t k = 0; k < length; k++) {
      if (k + 16 < length) PREFETCH(strings[k + 16]);
      const char *text;
      size_t size;
      if (strings[k] == NA_STRING) {
        n->nulls++;
      } else if (mg_seen_bytes(seen, p->native, strings[k], &text, &size)) {
        bytes += (int64_t)size;
      } else {
        return fail_string(p, at, i, k + 1, strings[k]);
      }
    }
    vmaxset(mark);
  }
  n->native = p->native;
  return mg_node_offsets(n, bytes > INT32_MAX ? ARROW_LARGE_UTF8 : ARROW_UTF8, 3, bytes, mg_write_strings);
}

mg_node *mg_plan_factor(mg_plan *p, const mg_path *at, mg_node *n, mg_class class) {
  SEXP levels = Rf_getAttrib(n->chunks[0], R_LevelsSymbol);
  if (TYPEOF(levels) != STRSXP || HAS_ATTRIBUTES(levels)) {
    return mg_fail_at(p, at, 0, 0,
                      "its levels have names or other attributes; levels(x) <- as.character(levels(x)) drops them");
  }
  if (mg_any_twice(levels)) {
    return mg_fail_at(p, at, 0, 0, "its levels are not unique; factor(as.character(x)) makes them so");
  }
  R_xlen_t n_levels = Rf_xlength(levels);
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    const int *codes = INTEGER_RO(n->chunks[i]);
    R_xlen_t length = Rf_xlength(n->chunks[i]);
    for (R_xlen_t k = 0; k < length; k++) {
      if (codes[k] != NA_INTEGER && (codes[k] < 1 || codes[k] > n_levels)) {
        return mg_fail_at(p, at, i, k + 1, "the factor has no level %d", codes[k]);
      }
    }
  }
  mg_path inside = path_part(at, "levels", 0);
  mg_node *values = mg_with_chunks(mg_node_new(0, ""), mg_chunk(mg_keep(p->shelter, levels)), 1, n_levels);
  n->dictionary = mg_plan_strings(p, &inside, values);
  if (n->dictionary == NULL) return NULL;
  n->type = n->dictionary->type;
  n->width = 32;
  n->is_signed = true;
  n->ordered = class.class == CLASS_ORDERED;
  return fixed(n, 4, mg_write_codes);
}

// The name of a column or argument; NULL if it has none.
const char *mg_name_at(mg_plan *p, const mg_path *at, SEXP names, R_xlen_t i) {
  const char *text;
  size_t size;
  if (TYPEOF(names) != STRSXP) return "";
  if (STRING_ELT(names, i) != NA_STRING && mg_string_bytes(p->native, STRING_ELT(names, i), &text, &size)) {
    return text;
  }
  mg_fail_at(p, at, 0, 0, "its name number %.0f is NA or not valid text", (double)i + 1);
  return NULL;
}

mg_node *mg_plan_ints(mg_node *n) {
  mg_node_numeric(n, ARROW_INT, 32, mg_write_ints);
  if (n->n_chunks == 1 && ALTREP(n->chunks[0]) && INTEGER_NO_NA(n->chunks[0])) n->size[0] = 0;
  return n;
}

mg_node *mg_plan_complex(mg_node *n) {
  n->type = ARROW_FIXED_LIST;
  n->width = 2;
  n->class.class = CLASS_COMPLEX;
  n->n_buffers = 1;
  n->size[0] = bitmap_size(n->rows);
  n->write = mg_write_complex;
  mg_set_children(n, 1);
  mg_node *parts = n->children[0] =
      mg_with_chunks(mg_node_new(ARROW_FLOAT, "item"), n->chunks, n->n_chunks, 2 * n->rows);
  mg_node_numeric(parts, ARROW_FLOAT, 64, mg_write_parts);
  parts->nullable = false;
  parts->size[0] = 0;
  return n;
}

static bool all_days(const mg_node *n) {
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    const double *x = REAL_RO(n->chunks[i]);
    R_xlen_t length = Rf_xlength(n->chunks[i]);
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
static bool all_exact(const mg_node *n, int64_t per, int64_t below) {
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    SEXP x = n->chunks[i];
    const int *ints = TYPEOF(x) == INTSXP ? INTEGER_RO(x) : NULL;
    const double *doubles = ints == NULL ? REAL_RO(x) : NULL;
    R_xlen_t length = Rf_xlength(x);
    for (R_xlen_t k = 0; k < length; k++) {
      double value = ints != NULL ? ints[k] : doubles[k];
      if (ints != NULL ? ints[k] == NA_INTEGER : is_na(value)) continue;
      int64_t count;
      if (!mg_from_double(value, per, &count)) return false;
      if (below > 0 && (count < 0 || count >= below)) return false;
    }
  }
  return true;
}

static mg_node *counts(mg_node *n, int type, int unit, int64_t per) {
  n->unit = unit;
  n->per = per;
  return mg_node_numeric(n, type, 64, mg_write_times);
}

// As R has them, when Arrow's counts would not be exact.
static mg_node *as_doubles(mg_node *n, int class) {
  n->class.class = class;
  bool whole = TYPEOF(n->chunks[0]) == INTSXP;
  return mg_node_numeric(n, ARROW_FLOAT, 64, whole ? mg_write_ints_as_doubles : mg_write_doubles);
}

mg_node *mg_plan_dates(mg_node *n) {
  bool whole = TYPEOF(n->chunks[0]) == INTSXP;
  if (!whole && !all_days(n)) return as_doubles(n, CLASS_DATE);
  n->unit = 0;
  return mg_node_numeric(n, ARROW_DATE, 32, whole ? mg_write_ints : mg_write_dates);
}

static bool has_text(SEXP x) { return TYPEOF(x) == STRSXP && Rf_xlength(x) > 0 && STRING_ELT(x, 0) != NA_STRING; }

// The zone that the times are in: the one that they name, or R's own; NULL after a
// failure.
const char *mg_plan_zone(mg_plan *p, const mg_path *at, SEXP x) {
  SEXP zones = Rf_getAttrib(x, Rf_install("tzone"));
  const char *text;
  size_t size;
  if (has_text(zones) && LENGTH(STRING_ELT(zones, 0)) > 0) {
    if (mg_string_bytes(p->native, STRING_ELT(zones, 0), &text, &size)) return text;
    mg_fail_at(p, at, 0, 0, "its time zone is not valid text");
    return NULL;
  }
  SEXP own = mg_keep(p->shelter, mg_session_zone());
  if (own != NA_STRING) return CHAR(own);
  mg_fail_at(p, at, 0, 0, "it is in R's own time zone, whose name R does not know; Sys.setenv(TZ = ) sets it");
  return NULL;
}

mg_node *mg_plan_datetimes(mg_plan *p, const mg_path *at, mg_node *n) {
  static const int units[] = {UNIT_NANO, UNIT_MICRO};
  n->zone = mg_plan_zone(p, at, n->chunks[0]);
  if (n->zone == NULL) return NULL;
  for (int i = 0; i < 2; i++) {
    if (!all_exact(n, per_second[units[i]], 0)) continue;
    return counts(n, ARROW_TIMESTAMP, units[i], per_second[units[i]]);
  }
  return as_doubles(n, CLASS_POSIXCT);
}

mg_node *mg_plan_differences(mg_plan *p, const mg_path *at, mg_node *n) {
  SEXP units = Rf_getAttrib(n->chunks[0], Rf_install("units"));
  int64_t seconds = 0;
  if (TYPEOF(units) == STRSXP && Rf_xlength(units) == 1 && !HAS_ATTRIBUTES(units)) {
    seconds = mg_units_seconds(CHAR(STRING_ELT(units, 0)));
  }
  if (seconds == 0) return mg_fail_at(p, at, 0, 0, "its units must be secs, mins, hours, days or weeks");
  int64_t per = seconds * per_second[UNIT_NANO];
  if (!all_exact(n, per, 0)) return as_doubles(n, CLASS_DIFFTIME);
  n->class.class = CLASS_DIFFTIME;
  return counts(n, ARROW_DURATION, UNIT_NANO, per);
}

mg_node *mg_plan_times_of_day(mg_node *n) {
  int64_t per = per_second[UNIT_NANO];
  if (!all_exact(n, per, 86400 * per)) return as_doubles(n, CLASS_HMS);
  n->class.class = CLASS_HMS;
  return counts(n, ARROW_TIME, UNIT_NANO, per);
}
