// The classes of R that have a place in the format, and R's times as counts.

#include "class.h"

#include <math.h>

// The class attribute of each CLASS_*. What has none is known by the name that r.class gives it.
static const struct {
  const char *name;
  int length;
  const char *class[4];
} classes[] = {
    [CLASS_NONE] = {"", 0, {NULL}},
    [CLASS_DATE] = {"Date", 1, {"Date"}},
    [CLASS_POSIXCT] = {"POSIXct", 2, {"POSIXct", "POSIXt"}},
    [CLASS_HMS] = {"hms", 2, {"hms", "difftime"}},
    [CLASS_DIFFTIME] = {"difftime", 1, {"difftime"}},
    [CLASS_INTEGER64] = {"integer64", 1, {"integer64"}},
    [CLASS_FACTOR] = {"factor", 1, {"factor"}},
    [CLASS_ORDERED] = {"ordered", 2, {"ordered", "factor"}},
    [CLASS_BLOB] = {"blob", 4, {"blob", "vctrs_list_of", "vctrs_vctr", "list"}},
    [CLASS_DATA_FRAME] = {"data.frame", 1, {"data.frame"}},
    [CLASS_TBL_DF] = {"tbl_df", 3, {"tbl_df", "tbl", "data.frame"}},
    [CLASS_DATA_TABLE] = {"data.table", 2, {"data.table", "data.frame"}},
    [CLASS_RAW] = {"raw", 0, {NULL}},
    [CLASS_COMPLEX] = {"complex", 0, {NULL}},
    [CLASS_LIST] = {"list", 0, {NULL}},
    [CLASS_MATRIX] = {"matrix", 0, {NULL}},
    [CLASS_DYNAMIC] = {"dynamic", 0, {NULL}},
};

static bool has(SEXP strings, const char *name) {
  for (R_xlen_t i = 0; i < Rf_xlength(strings); i++) {
    if (strcmp(CHAR(STRING_ELT(strings, i)), name) == 0) return true;
  }
  return false;
}

static int base_among(SEXP class) {
  // Each element has several fields: neither rows nor columns.
  if (has(class, "POSIXlt") || has(class, "vctrs_rcrd")) return CLASS_UNKNOWN;
  if (has(class, "data.frame")) {
    if (has(class, "data.table")) return CLASS_DATA_TABLE;
    return has(class, "tbl_df") ? CLASS_TBL_DF : CLASS_DATA_FRAME;
  }
  if (has(class, "factor")) return has(class, "ordered") ? CLASS_ORDERED : CLASS_FACTOR;
  if (has(class, "Date")) return CLASS_DATE;
  if (has(class, "POSIXct")) return CLASS_POSIXCT;
  if (has(class, "difftime")) return has(class, "hms") ? CLASS_HMS : CLASS_DIFFTIME;
  if (has(class, "integer64")) return CLASS_INTEGER64;
  return has(class, "blob") ? CLASS_BLOB : CLASS_NONE;
}

static bool class_equals(SEXP class, R_xlen_t from, int is) {
  if (Rf_xlength(class) - from != classes[is].length) return false;
  for (int i = 0; i < classes[is].length; i++) {
    if (strcmp(CHAR(STRING_ELT(class, from + i)), classes[is].class[i]) != 0) return false;
  }
  return true;
}

mg_class mg_class_among(SEXP class) {
  mg_class found = {CLASS_NONE, false, false};
  R_xlen_t n = Rf_xlength(class), from = 0;
  if (n > 0 && strcmp(CHAR(STRING_ELT(class, 0)), "AsIs") == 0) {
    found.as_is = true;
    from = 1;
  }
  if (n - from == 1 && has(class, "mangoro_map")) {
    found.class = CLASS_MAP;
  } else if (n - from == 1 && has(class, "mangoro_maps")) {
    found.class = CLASS_MAPS;
  } else if (n - from == 1 && has(class, "mangoro_dynamic")) {
    found.class = CLASS_DYNAMIC;
  } else if (n > from) {
    found.class = base_among(class);
    found.derived = found.class == CLASS_UNKNOWN || !class_equals(class, from, found.class);
  }
  return found;
}

mg_class mg_class_of(SEXP x) {
  mg_class found = {CLASS_NONE, false, false};
  if (!Rf_isObject(x)) return found;
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  return TYPEOF(class) == STRSXP ? mg_class_among(class) : found;
}

// Without its methods an integer64 looks like a double near 0.
static void load_bit64(void) {
  static bool loaded = false;
  if (loaded) return;
  mg_call("loadNamespace", PROTECT(Rf_mkString("bit64")));
  loaded = true;
  UNPROTECT(1);
}

void mg_set_class(SEXP x, mg_class class) {
  int n = classes[class.class].length, from = class.as_is ? 1 : 0;
  if (n + from == 0) return;
  if (class.class == CLASS_INTEGER64) load_bit64();
  SEXP value = PROTECT(Rf_allocVector(STRSXP, n + from));
  if (from) SET_STRING_ELT(value, 0, Rf_mkChar("AsIs"));
  for (int i = 0; i < n; i++) SET_STRING_ELT(value, from + i, Rf_mkChar(classes[class.class].class[i]));
  Rf_classgets(x, value);
  UNPROTECT(1);
}

const char *mg_class_name(int class) { return classes[class].name; }

mg_class mg_class_from(const char *text, size_t n) {
  mg_class found = {CLASS_UNKNOWN, false, false};
  if (n >= 4 && memcmp(text, "AsIs", 4) == 0 && (n == 4 || text[4] == ' ')) {
    found.as_is = true;
    if (n == 4) {
      found.class = CLASS_NONE;
      return found;
    }
    text += 5;
    n -= 5;
  }
  for (int is = CLASS_DATE; is <= CLASS_DYNAMIC; is++) {
    if (strlen(classes[is].name) == n && memcmp(text, classes[is].name, n) == 0) found.class = is;
  }
  return found;
}

int64_t mg_units_seconds(const char *units) {
  static const struct {
    const char *name;
    int64_t seconds;
  } known[] = {{"secs", 1}, {"mins", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 604800}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(units, known[i].name) == 0) return known[i].seconds;
  }
  return 0;
}

bool mg_any_na(SEXP x) {
  for (R_xlen_t i = 0; i < Rf_xlength(x); i++) {
    switch (TYPEOF(x)) {
    case STRSXP:
      if (STRING_ELT(x, i) == NA_STRING) return true;
      break;
    case REALSXP:
      if (ISNAN(REAL(x)[i])) return true;
      break;
    default:
      if (INTEGER(x)[i] == NA_INTEGER) return true;
    }
  }
  return false;
}

bool mg_any_twice(SEXP x) { return Rf_asInteger(mg_call("anyDuplicated.default", x)) > 0; }

// As R has row names: each is there once.
bool mg_are_row_names(SEXP x) { return !mg_any_na(x) && !mg_any_twice(x); }

// Whether tsp, three numbers, fits the rows of x, as R has it.
bool mg_fits_series(SEXP x, SEXP tsp) {
  SEXP dim = Rf_getAttrib(x, R_DimSymbol);
  double n = dim == R_NilValue ? (double)Rf_xlength(x) : INTEGER_RO(dim)[0];
  double start = REAL_RO(tsp)[0], end = REAL_RO(tsp)[1], frequency = REAL_RO(tsp)[2];
  return n > 0 && frequency > 0 && fabs(end - start - (n - 1) / frequency) <= 1e-5;
}
