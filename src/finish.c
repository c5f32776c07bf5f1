// Class and attributes of a value that is filled.

#include "decode.h"

// The zone of the times: that of the Arrow type or, of R's numbers, of r.attributes;
// NULL if there is none.
static const char *zone_of(const mg_field *f) {
  if (f->zone != NULL) return f->zone;
  SEXP zone = mg_own_attribute(f->attributes, "zone");
  return zone == R_NilValue ? NULL : CHAR(STRING_ELT(zone, 0));
}

static bool is_session_zone(const char *zone) {
  SEXP own = PROTECT(mg_session_zone());
  bool same = own != NA_STRING && strcmp(CHAR(own), zone) == 0;
  UNPROTECT(1);
  return same;
}

// R's local time names no zone, as long as it is in the zone that R is in now.
static void set_zone(const mg_field *f, SEXP x) {
  SEXP tzone = mg_own_attribute(f->attributes, "tzone");
  const char *zone = zone_of(f);
  if (tzone != R_NilValue && (zone == NULL || !mg_is_local_zone(tzone) || is_session_zone(zone))) {
    if (Rf_xlength(tzone) > 0) Rf_setAttrib(x, Rf_install("tzone"), tzone);
    return;
  }
  SEXP name = PROTECT(mg_zone_in_r(zone == NULL ? "UTC" : zone));
  SEXP value = PROTECT(Rf_ScalarString(name));
  Rf_setAttrib(x, Rf_install("tzone"), value);
  UNPROTECT(2);
}

static void set_units(const mg_field *f, SEXP x) {
  SEXP units = mg_own_attribute(f->attributes, "units");
  units = PROTECT(units == R_NilValue ? Rf_mkString("secs") : units);
  Rf_setAttrib(x, Rf_install("units"), units);
  UNPROTECT(1);
}

void mg_set_row_names(SEXP x, int64_t n) {
  SEXP row_names = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(row_names)[0] = NA_INTEGER;
  INTEGER(row_names)[1] = (int)-n;
  Rf_setAttrib(x, R_RowNamesSymbol, row_names);
  UNPROTECT(1);
}

void mg_set_field_names(SEXP x, mg_field *const fields[], int n) {
  SEXP names = PROTECT(Rf_allocVector(STRSXP, n));
  for (int i = 0; i < n; i++) SET_STRING_ELT(names, i, fields[i]->name);
  Rf_setAttrib(x, R_NamesSymbol, names);
  UNPROTECT(1);
}

static bool finish_frame(mg_stream *s, const mg_field *f, SEXP x, int64_t n) {
  if (n > INT32_MAX) return mg_fail(s->failure, "%.0f rows are too many for a data frame", (double)n);
  for (int i = 0; i < f->n_children; i++) {
    SEXP column = mg_finish(s, f->children[i], VECTOR_ELT(x, i), n);
    if (column == NULL) return false;
    SET_VECTOR_ELT(x, i, column);
  }
  mg_set_field_names(x, f->children, f->n_children);
  return true;
}

static bool set(SEXP x, SEXP name, SEXP value) {
  Rf_setAttrib(x, name, value);
  return true;
}

static bool set_names(mg_stream *s, SEXP x, SEXP value, int64_t n) {
  if (Rf_xlength(value) != n) {
    return mg_fail(s->failure, "r.attributes has %.0f names for %.0f elements", (double)Rf_xlength(value), (double)n);
  }
  return set(x, R_NamesSymbol, value);
}

// A matrix of a data frame has its rows already, and only then a dim.
static bool set_dim(mg_stream *s, SEXP x, SEXP value) {
  SEXP old = Rf_getAttrib(x, R_DimSymbol);
  value = PROTECT(Rf_duplicate(value));
  if (old != R_NilValue) INTEGER(value)[0] = INTEGER_RO(old)[0];
  double size = 1;
  for (R_xlen_t i = 0; i < Rf_xlength(value); i++) size *= INTEGER_RO(value)[i];
  bool done = size == (double)Rf_xlength(x) ||
              mg_fail(s->failure, "the dim of r.attributes has %.0f elements, but the vector has %.0f", size,
                      (double)Rf_xlength(x));
  if (done) Rf_setAttrib(x, R_DimSymbol, value);
  UNPROTECT(1);
  return done;
}

static bool set_dimnames(mg_stream *s, SEXP x, SEXP value) {
  SEXP dim = Rf_getAttrib(x, R_DimSymbol);
  bool fit = dim != R_NilValue && Rf_xlength(dim) == Rf_xlength(value);
  for (R_xlen_t i = 0; fit && i < Rf_xlength(value); i++) {
    SEXP names = VECTOR_ELT(value, i);
    fit = names == R_NilValue || Rf_xlength(names) == INTEGER_RO(dim)[i];
  }
  if (!fit) return mg_fail(s->failure, "the dimnames of r.attributes do not fit its dim");
  return set(x, R_DimNamesSymbol, value);
}

static bool set_series(mg_stream *s, SEXP x, SEXP value) {
  if (!mg_fits_series(x, value)) return mg_fail(s->failure, "the tsp of r.attributes does not fit its rows");
  return set(x, R_TspSymbol, value);
}

// The class of an object that has more of it than its type in Arrow says.
static bool set_derived(mg_stream *s, int class, SEXP x, SEXP value) {
  mg_class found = mg_class_among(value);
  int base = class >= CLASS_DATE && class <= CLASS_DATA_TABLE ? class : CLASS_NONE;
  if (!found.derived || found.class != base) {
    return mg_fail(s->failure, "the class of r.attributes does not match its type");
  }
  return set(x, R_ClassSymbol, value);
}

static bool set_attribute(mg_stream *s, int class, SEXP x, int64_t n, const char *name, SEXP value) {
  bool frame = is_frame_class(class);
  if (strcmp(name, "row.names") == 0) {
    if (!frame || Rf_xlength(value) != n) {
      return mg_fail(s->failure, "r.attributes has %.0f row names for %.0f rows", (double)Rf_xlength(value), (double)n);
    }
    return set(x, R_RowNamesSymbol, value);
  }
  if (strcmp(name, "tzone") == 0) {
    if (class != CLASS_POSIXCT && Rf_xlength(value) > 0) Rf_setAttrib(x, Rf_install("tzone"), value);
    return true;
  }
  static const char *const said[] = {"units", "storage", "zone", "selfref", "rows"};
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    if (strcmp(name, said[i]) == 0) return true;
  }
  if (strcmp(name, "class") == 0) return set_derived(s, class, x, value);
  if (frame) return mg_fail(s->failure, "r.attributes has %s for a data frame", name);
  if (strcmp(name, "names") == 0) return set_names(s, x, value, n);
  if (strcmp(name, "tsp") == 0) return set_series(s, x, value);
  return strcmp(name, "dim") == 0 ? set_dim(s, x, value) : set_dimnames(s, x, value);
}

// An attribute that is not R's own must not stand for one that the type says.
static bool set_other(mg_stream *s, int class, SEXP x, SEXP name, SEXP value) {
  const char *text = CHAR(name);
  bool said = ((class == CLASS_FACTOR || class == CLASS_ORDERED) && strcmp(text, "levels") == 0) ||
              ((class == CLASS_DIFFTIME || class == CLASS_HMS) && strcmp(text, "units") == 0) ||
              (class == CLASS_POSIXCT && strcmp(text, "tzone") == 0);
  if (said) return mg_fail(s->failure, "r.attributes has %s among the others", text);
  return set(x, Rf_installTrChar(name), value);
}

// Sets what mg_read_attributes() returned. The class and tsp of an object are left out
// where x has other rows than the object: they describe it as a whole.
static bool set_attributes(mg_stream *s, int class, SEXP attributes, SEXP x, int64_t n) {
  SEXP own = VECTOR_ELT(attributes, 0), other = VECTOR_ELT(attributes, 1), rows = mg_own_attribute(attributes, "rows");
  bool whole = rows == R_NilValue || Rf_asReal(rows) == (double)n;
  SEXP names = Rf_getAttrib(own, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(own); i++) {
    const char *name = CHAR(STRING_ELT(names, i));
    if (!whole && (strcmp(name, "class") == 0 || strcmp(name, "tsp") == 0)) continue;
    if (!set_attribute(s, class, x, n, name, VECTOR_ELT(own, i))) return false;
  }
  if (!whole) return true;
  names = Rf_getAttrib(other, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(other); i++) {
    if (!set_other(s, class, x, STRING_ELT(names, i), VECTOR_ELT(other, i))) return false;
  }
  return true;
}

// A data.table that can be changed in place at once: its columns have room for more,
// or it says that it comes from outside.
static SEXP revive_table(SEXP x) {
  SEXP name = PROTECT(Rf_mkString("data.table"));
  if (Rf_asLogical(mg_call("isNamespaceLoaded", name))) {
    SEXP function = PROTECT(Rf_lang3(R_DoubleColonSymbol, Rf_install("data.table"), Rf_install("setalloccol")));
    SEXP call = PROTECT(Rf_lang2(function, x));
    x = Rf_eval(call, R_BaseEnv);
    UNPROTECT(2);
  } else {
    SEXP nowhere = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    Rf_setAttrib(x, Rf_install(".internal.selfref"), nowhere);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return x;
}

// `x` with all of its attributes, which may make another object of it; NULL after
// a failure.
SEXP mg_with_attributes(mg_stream *s, int class, SEXP attributes, SEXP x, int64_t n) {
  if (attributes == NULL) return x;
  PROTECT(x);
  if (!set_attributes(s, class, attributes, x, n)) {
    x = NULL;
  } else if (class == CLASS_DATA_TABLE && mg_own_attribute(attributes, "selfref") != R_NilValue) {
    x = revive_table(x);
  }
  UNPROTECT(1);
  return x;
}

static SEXP finish_plain(mg_stream *s, const mg_field *f, SEXP x, int64_t n) {
  mg_class class = f->class;
  switch (class.class) {
  case CLASS_DATE:
    if (f->fractional) {
      class.class = CLASS_POSIXCT;
      set_zone(f, x);
    }
    break;
  case CLASS_POSIXCT: set_zone(f, x); break;
  case CLASS_HMS:
  case CLASS_DIFFTIME: set_units(f, x); break;
  case CLASS_FACTOR:
  case CLASS_ORDERED: Rf_setAttrib(x, R_LevelsSymbol, f->dictionary->values); break;
  case CLASS_BLOB: {
    SEXP ptype = PROTECT(Rf_allocVector(RAWSXP, 0));
    Rf_setAttrib(x, Rf_install("ptype"), ptype);
    UNPROTECT(1);
    break;
  }
  default: break;
  }
  if (is_frame_class(class.class)) {
    if (!finish_frame(s, f, x, n)) return NULL;
    mg_set_row_names(x, n);
  }
  mg_set_class(x, class);
  return x;
}

// The child has the rows one after the other, R the columns.
static SEXP finish_matrix(mg_stream *s, const mg_field *f, SEXP x, int64_t n) {
  SEXP child = mg_finish(s, f->children[0], x, n * f->width);
  if (child == NULL) return NULL;
  if (n > INT32_MAX || f->width > INT32_MAX) return mg_fail(s->failure, "a matrix has too many rows or columns");
  PROTECT(child);
  SEXP dim = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(dim)[0] = (int)f->width;
  INTEGER(dim)[1] = (int)n;
  Rf_setAttrib(child, R_DimSymbol, dim);
  SEXP out = PROTECT(mg_call("t.default", child));
  if (f->class.as_is) mg_set_class(out, (mg_class){.as_is = true});
  UNPROTECT(3);
  return out;
}

// The values of a dictionary that are not strings, each in its place.
static SEXP finish_codes(const mg_field *f, SEXP codes) {
  SEXP call = PROTECT(Rf_lang3(R_BracketSymbol, f->dictionary->values, codes));
  SEXP out = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return out;
}

// Class and attributes of a filled value, which may become another object;
// NULL after a failure.
SEXP mg_finish(mg_stream *s, const mg_field *f, SEXP x, int64_t n) {
  SEXP out;
  if (f->dictionary != NULL && !is_text_type(f->dictionary->value->type)) {
    out = finish_codes(f, x);
  } else if (f->class.class == CLASS_MATRIX) {
    out = finish_matrix(s, f, x, n);
  } else {
    out = finish_plain(s, f, x, n);
  }
  if (out == NULL) return NULL;
  out = mg_with_attributes(s, f->class.class, f->attributes, out, n);
  if (out == NULL) mg_fail_inside(s->failure, CHAR(f->name));
  return out;
}
