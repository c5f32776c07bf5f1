// r.attributes: what R knows of a vector and Arrow does not, as JSON.

#include "plan.h"

#include <math.h>
#include <stdio.h>

// An object that has members only if something is written.
typedef struct {
  mg_plan *plan;
  const mg_path *at;
  mg_bytes out;
  bool failed;
} json;

static void member(json *j, const char *name) {
  mg_bytes_text(&j->out, j->out.size == 0 ? "{\"" : ",\"");
  mg_bytes_text(&j->out, name);
  mg_bytes_text(&j->out, "\":");
}

static void json_text(json *j, const char *text, size_t n) {
  mg_bytes_add(&j->out, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F) continue;
    mg_bytes_add(&j->out, text + from, i - from);
    char escape[8];
    snprintf(escape, sizeof escape, "\\u%04x", c);
    mg_bytes_text(&j->out, escape);
    from = i + 1;
  }
  mg_bytes_add(&j->out, text + from, n - from);
  mg_bytes_add(&j->out, "\"", 1);
}

static void json_string(json *j, SEXP s) {
  const char *text;
  size_t n;
  if (s == NA_STRING) {
    mg_bytes_text(&j->out, "null");
  } else if (mg_string_bytes(j->plan->native, s, &text, &n)) {
    json_text(j, text, n);
  } else {
    j->failed = true;
  }
}

// Doubles are hexadecimal text: JSON has neither NaN nor exact fractions.
static void json_double(json *j, double x) {
  char text[64];
  if (R_IsNA(x)) {
    mg_bytes_text(&j->out, "\"NA\"");
  } else if (isnan(x)) {
    mg_bytes_text(&j->out, "\"NaN\"");
  } else if (isinf(x)) {
    mg_bytes_text(&j->out, x > 0 ? "\"Inf\"" : "\"-Inf\"");
  } else {
    snprintf(text, sizeof text, "\"%a\"", x);
    mg_bytes_text(&j->out, text);
  }
}

static void json_element(json *j, SEXP x, R_xlen_t i) {
  char text[32];
  switch (TYPEOF(x)) {
  case STRSXP: json_string(j, STRING_ELT(x, i)); break;
  case REALSXP: json_double(j, REAL_ELT(x, i)); break;
  case LGLSXP: {
    int value = LOGICAL_ELT(x, i);
    mg_bytes_text(&j->out, value == NA_LOGICAL ? "null" : value ? "true" : "false");
    break;
  }
  case CPLXSXP: {
    Rcomplex value = COMPLEX_ELT(x, i);
    json_double(j, value.r);
    mg_bytes_text(&j->out, ",");
    json_double(j, value.i);
    break;
  }
  case RAWSXP:
    snprintf(text, sizeof text, "%d", RAW_ELT(x, i));
    mg_bytes_text(&j->out, text);
    break;
  default: {
    int value = INTEGER_ELT(x, i);
    snprintf(text, sizeof text, "%d", value);
    mg_bytes_text(&j->out, value == NA_INTEGER ? "null" : text);
  }
  }
}

static void json_array(json *j, SEXP x) {
  mg_bytes_text(&j->out, "[");
  R_xlen_t n = Rf_xlength(x);
  for (R_xlen_t i = 0; i < n; i++) {
    if (i > 0) mg_bytes_text(&j->out, ",");
    json_element(j, x, i);
  }
  mg_bytes_text(&j->out, "]");
}

static void write_array(json *j, const char *name, SEXP x) {
  member(j, name);
  json_array(j, x);
}

static void write_text(json *j, const char *name, const char *text) {
  member(j, name);
  mg_bytes_text(&j->out, text);
}

bool mg_is_automatic(SEXP row_names) {
  if (TYPEOF(row_names) != INTSXP) return false;
  int block[1024];
  R_xlen_t n = Rf_xlength(row_names);
  for (R_xlen_t i = 0; i < n; i += 1024) {
    R_xlen_t got = INTEGER_GET_REGION(row_names, i, 1024, block);
    for (R_xlen_t k = 0; k < got; k++) {
      if (block[k] != i + k + 1) return false;
    }
  }
  return true;
}

static void write_names_of(json *j, const char *name, SEXP x) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  if (names != R_NilValue) write_array(j, name, names);
}

static void write_dim(json *j, SEXP dim) {
  write_array(j, "dim", dim);
  write_names_of(j, "dim_names", dim);
}

static void write_dimnames(json *j, SEXP dimnames) {
  write_text(j, "dimnames", "[");
  for (R_xlen_t i = 0; i < Rf_xlength(dimnames); i++) {
    if (i > 0) mg_bytes_text(&j->out, ",");
    SEXP names = VECTOR_ELT(dimnames, i);
    if (names == R_NilValue) {
      mg_bytes_text(&j->out, "null");
    } else {
      json_array(j, names);
    }
  }
  mg_bytes_text(&j->out, "]");
  write_names_of(j, "dimnames_names", dimnames);
}

enum { MAX_NESTED = 16 };

// Whether a value is a vector whose attributes are the same, and where it is a
// list, its elements.
static bool is_data(SEXP x, int depth) {
  if (mg_data_type(TYPEOF(x)) == NULL || Rf_isS4(x) || depth > MAX_NESTED) return false;
  for (R_xlen_t i = 0; TYPEOF(x) == VECSXP && i < Rf_xlength(x); i++) {
    if (!is_data(VECTOR_ELT(x, i), depth + 1)) return false;
  }
  if (!HAS_ATTRIBUTES(x)) return true;
  SEXP all = PROTECT(mg_attributes_of(x));
  bool data = true;
  for (R_xlen_t i = 0; data && i < Rf_xlength(all); i++) data = is_data(VECTOR_ELT(all, i), depth + 1);
  UNPROTECT(1);
  return data;
}

// One that this class has no place for, or another.
static bool is_own(const char *name, int class) {
  return mg_is_own_attribute(name) || (strcmp(name, "levels") == 0 && is_factor_class(class)) ||
         (strcmp(name, "units") == 0 && (class == CLASS_DIFFTIME || class == CLASS_HMS)) ||
         (strcmp(name, "tzone") == 0 && class == CLASS_POSIXCT);
}

// A class below data.frame may describe its rows in attributes of its own, which
// change with them: only those that are vectors without attributes are sent.
bool mg_is_left_behind(const char *name, SEXP value, mg_class class) {
  if (!class.derived || !is_frame_class(class.class) || is_own(name, class.class)) return false;
  return TYPEOF(value) == VECSXP || !is_data(value, 1);
}

static bool is_one_string(SEXP x) { return TYPEOF(x) == STRSXP && Rf_xlength(x) == 1 && !HAS_ATTRIBUTES(x); }

static bool is_tzone(SEXP x) {
  if (TYPEOF(x) != STRSXP || HAS_ATTRIBUTES(x) || Rf_xlength(x) == 0) return false;
  for (R_xlen_t i = 0; i < Rf_xlength(x); i++) {
    if (STRING_ELT(x, i) == NA_STRING) return false;
  }
  return true;
}

bool mg_is_cache(const char *name, mg_class class) {
  return class.class == CLASS_DATA_TABLE && (strcmp(name, ".internal.selfref") == 0 || strcmp(name, "index") == 0);
}

// Whether the class says all of an attribute.
static bool is_implied(const char *name, int class) {
  return strcmp(name, "class") == 0 || (strcmp(name, "names") == 0 && is_frame_class(class)) ||
         (strcmp(name, "levels") == 0 && is_factor_class(class)) || (strcmp(name, "ptype") == 0 && class == CLASS_BLOB);
}

static bool is_series(SEXP x, SEXP tsp) {
  return TYPEOF(tsp) == REALSXP && Rf_xlength(tsp) == 3 && !HAS_ATTRIBUTES(tsp) && mg_fits_series(x, tsp);
}

// Whether x has no attributes but names, or none: R's own attributes have a place for
// these only.
static bool has_names_only(SEXP x) {
  if (!HAS_ATTRIBUTES(x)) return true;
  SEXP all = PROTECT(mg_attributes_of(x));
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  bool only = Rf_xlength(all) == 1 && names != R_NilValue && !HAS_ATTRIBUTES(names);
  UNPROTECT(1);
  return only;
}

static bool has_no_more(const char *name, SEXP value) {
  if (strcmp(name, "dim") == 0) return has_names_only(value);
  if (strcmp(name, "dimnames") != 0) return !HAS_ATTRIBUTES(value);
  for (R_xlen_t i = 0; i < Rf_xlength(value); i++) {
    if (HAS_ATTRIBUTES(VECTOR_ELT(value, i))) return false;
  }
  return has_names_only(value);
}

// Writes an attribute that has a key of its own; false for any other.
static bool write_known(json *j, const char *name, SEXP x, SEXP value, int class, bool names) {
  if (strcmp(name, "names") == 0) {
    if (names) write_array(j, "names", value);
  } else if (is_frame_class(class) && strcmp(name, "row.names") != 0 && mg_is_own_attribute(name)) {
    return false; // R has no such data frames
  } else if (strcmp(name, "dim") == 0) {
    // The rows and columns of a matrix in a data frame are the Arrow type's.
    if (class != CLASS_MATRIX || Rf_xlength(value) > 2 || HAS_ATTRIBUTES(value)) write_dim(j, value);
  } else if (strcmp(name, "dimnames") == 0) {
    write_dimnames(j, value);
  } else if (strcmp(name, "tsp") == 0 && is_series(x, value)) {
    write_array(j, "tsp", value);
  } else if (strcmp(name, "row.names") == 0 && is_frame_class(class)) {
    if (mg_is_automatic(value)) return true;
    if (!mg_are_row_names(value)) return false;
    write_array(j, "row_names", value);
  } else if (strcmp(name, "units") == 0 && (class == CLASS_DIFFTIME || class == CLASS_HMS) && is_one_string(value)) {
    member(j, "units");
    json_string(j, STRING_ELT(value, 0));
  } else if (strcmp(name, "tzone") == 0 && is_tzone(value)) {
    // One zone is the Arrow type's, and an offset has another name in R.
    int minutes;
    bool implied = class == CLASS_POSIXCT && Rf_xlength(value) == 1 && !mg_is_local_zone(value) &&
                   !mg_zone_offset(CHAR(STRING_ELT(value, 0)), &minutes);
    if (!implied) write_array(j, "tzone", value);
  } else {
    return false;
  }
  return true;
}

static void write_value(json *j, SEXP x) {
  mg_bytes_text(&j->out, "{\"type\":\"");
  mg_bytes_text(&j->out, mg_data_type(TYPEOF(x)));
  mg_bytes_text(&j->out, "\",\"value\":");
  if (TYPEOF(x) == VECSXP) {
    for (R_xlen_t i = 0; i < Rf_xlength(x); i++) {
      mg_bytes_text(&j->out, i == 0 ? "[" : ",");
      write_value(j, VECTOR_ELT(x, i));
    }
    mg_bytes_text(&j->out, Rf_xlength(x) == 0 ? "[]" : "]");
  } else {
    json_array(j, x);
  }
  if (HAS_ATTRIBUTES(x)) {
    SEXP all = PROTECT(mg_attributes_of(x));
    SEXP names = PROTECT(Rf_getAttrib(all, R_NamesSymbol));
    mg_bytes_text(&j->out, ",\"attributes\":{");
    for (R_xlen_t i = 0; i < Rf_xlength(all); i++) {
      if (i > 0) mg_bytes_text(&j->out, ",");
      json_string(j, STRING_ELT(names, i));
      mg_bytes_text(&j->out, ":");
      write_value(j, VECTOR_ELT(all, i));
    }
    mg_bytes_text(&j->out, "}");
    UNPROTECT(2);
  }
  mg_bytes_text(&j->out, "}");
}

// A member of "other", which is gathered apart.
static bool write_other(json *j, mg_bytes *others, SEXP name, SEXP value, int class) {
  if (is_own(CHAR(name), class) || !is_data(value, 1)) {
    const char *type = Rf_type2char((SEXPTYPE)TYPEOF(value));
    return mg_fail_at(j->plan, j->at, 0, 0,
                      "its attribute \"%s\" (%s) cannot be carried; attr(x, \"%s\") <- NULL drops it", CHAR(name), type,
                      CHAR(name));
  }
  mg_bytes known = j->out;
  j->out = *others;
  mg_bytes_text(&j->out, j->out.size == 0 ? "{" : ",");
  json_string(j, name);
  mg_bytes_text(&j->out, ":");
  write_value(j, value);
  *others = j->out;
  j->out = known;
  return true;
}

static void write_rows(json *j, SEXP x, int class) {
  double rows = (double)(class == CLASS_MATRIX ? INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[0] : mg_chunk_rows(x));
  char text[32];
  snprintf(text, sizeof text, "%.0f", rows);
  write_text(j, "rows", text);
}

// What is known of all attributes together.
typedef struct {
  bool zoned, series, left; // one of them was left behind
} seen;

static bool write_each(json *j, mg_bytes *others, SEXP x, mg_class class, bool with_names, seen *s) {
  SEXP all = PROTECT(mg_attributes_of(x));
  SEXP names = PROTECT(Rf_getAttrib(all, R_NamesSymbol));
  bool done = Rf_xlength(all) <= MAX_OTHERS || mg_fail_at(j->plan, j->at, 0, 0, "it has too many attributes");
  for (R_xlen_t i = 0; done && i < Rf_xlength(all); i++) {
    const char *name = CHAR(STRING_ELT(names, i));
    SEXP value = VECTOR_ELT(all, i);
    s->zoned = s->zoned || strcmp(name, "tzone") == 0;
    s->series = s->series || strcmp(name, "tsp") == 0;
    if (mg_is_own_attribute(name) && !has_no_more(name, value)) {
      done = mg_fail_at(j->plan, j->at, 0, 0, "its attribute \"%s\" has attributes of its own, which cannot be carried",
                        name);
    } else if (mg_is_cache(name, class)) {
      // What data.table needs to change it in place is made anew.
      if (strcmp(name, "index") != 0) write_text(j, "selfref", "true");
    } else if (mg_is_left_behind(name, value, class)) {
      s->left = true;
    } else if (!is_implied(name, class.class) && !write_known(j, name, x, value, class.class, with_names)) {
      done = write_other(j, others, STRING_ELT(names, i), value, class.class);
    }
  }
  UNPROTECT(2);
  return done;
}

static bool write_all(json *j, mg_bytes *others, const mg_node *n, SEXP x, mg_class class, bool with_names) {
  seen s = {false, false, false};
  if (!write_each(j, others, x, class, with_names, &s)) return false;
  if (class.class == CLASS_POSIXCT && !s.zoned) write_text(j, "tzone", "[]");
  if (class.class == CLASS_POSIXCT && n->type == ARROW_FLOAT) {
    member(j, "zone");
    json_text(j, n->zone, strlen(n->zone));
  }
  if (is_time_class(class.class) && TYPEOF(x) == INTSXP) write_text(j, "storage", "\"integer\"");
  // Without some of its attributes an object would not be what its class says, nor
  // with some of its rows.
  bool whole = class.derived && !s.left;
  if (n->n_chunks < 2 && (whole || s.series)) write_rows(j, x, class.class);
  if (whole) write_array(j, "class", Rf_getAttrib(x, R_ClassSymbol));
  if (others->size > 0) {
    member(j, "other");
    mg_bytes_add(&j->out, others->data, others->size);
    mg_bytes_text(&j->out, "}");
  }
  return true;
}

bool mg_plan_attributes(mg_plan *p, const mg_path *at, mg_node *n, SEXP x, mg_class class, bool names) {
  if (!HAS_ATTRIBUTES(x)) return true;
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  SEXP other_cell = PROTECT(Rf_allocVector(VECSXP, 1));
  json j = {.plan = p, .at = at, .out = mg_bytes_new(cell)};
  mg_bytes others = mg_bytes_new(other_cell);
  bool done = write_all(&j, &others, n, x, class, names);
  if (done && j.failed) done = mg_fail_at(p, at, 0, 0, "its attributes hold a string that is not valid text");
  if (done && j.out.size > MAX_METADATA / 2) {
    done = mg_fail_at(p, at, 0, 0, "its names and other attributes take more than 32 MiB");
  }
  if (done && j.out.size > 0) {
    char *text = R_alloc(j.out.size + 2, 1);
    memcpy(text, j.out.data, j.out.size);
    memcpy(text + j.out.size, "}", 2);
    n->attributes = text;
  }
  UNPROTECT(2);
  return done;
}
