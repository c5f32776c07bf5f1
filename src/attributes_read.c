// r.attributes, read. Each value has the type that its key says, and nothing is
// guessed from how it looks: the string "NA" is one, and null is NA.

#include "arrow.h"
#include "attributes.h"

#include <R_ext/Utils.h>

// R's own attributes, in the order in which they are set.
enum {
  NAMES,
  DIM,
  DIMNAMES,
  TZONE,
  ZONE,
  UNITS,
  TSP,
  STORAGE,
  ROW_NAMES,
  SELFREF,
  ROWS,
  CLASS,
  DIM_NAMES,
  DIMNAMES_NAMES,
  N_OWN
};

static const char *const own_keys[] = {"names", "dim",   "dimnames",  "tzone",         "zone",
                                       "units", "tsp",   "storage",   "row_names",     "selfref",
                                       "rows",  "class", "dim_names", "dimnames_names"};

// An attribute that R keeps in order for all classes.
bool mg_is_own_attribute(const char *name) {
  static const char *const own[] = {"class", "names", "dim", "dimnames", "row.names", "tsp"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    if (strcmp(name, own[i]) == 0) return true;
  }
  return false;
}

static const struct {
  const char *name;
  int type;
} data_types[] = {{"null", NILSXP},      {"logical", LGLSXP},  {"integer", INTSXP}, {"double", REALSXP},
                  {"character", STRSXP}, {"complex", CPLXSXP}, {"raw", RAWSXP},     {"list", VECSXP}};
enum { N_DATA_TYPES = sizeof data_types / sizeof data_types[0] };

const char *mg_data_type(int type) {
  int i = 0;
  while (i < N_DATA_TYPES && data_types[i].type != type) i++;
  return i < N_DATA_TYPES ? data_types[i].name : NULL;
}

static int type_of_data(const char *name) {
  int i = 0;
  while (i < N_DATA_TYPES && strcmp(data_types[i].name, name) != 0) i++;
  return i < N_DATA_TYPES ? data_types[i].type : -1;
}

// The longest name of a symbol, in bytes.
enum { MAX_SYMBOL = 10000 };

// What is left of the text, which ends with a zero.
typedef struct {
  const char *at;
  mg_failure *failure;
} json;

static void *no_json(json *j) { return mg_fail(j->failure, "its r.attributes are not JSON"); }

static void *other_type(json *j, const char *key) {
  return mg_fail(j->failure, "\"%.200s\" of its r.attributes is of another type", key);
}

static char peek(json *j) {
  while (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r') j->at++;
  return *j->at;
}

static bool next_is(json *j, char c) {
  if (peek(j) != c) return false;
  j->at++;
  return true;
}

static bool next_is_word(json *j, const char *word) {
  size_t n = strlen(word);
  peek(j);
  if (strncmp(j->at, word, n) != 0) return false;
  j->at += n;
  return true;
}

// Behind the string that begins here; NULL if it does not end.
static const char *string_end(const char *at) {
  for (at++; *at != '"'; at++) {
    if (*at == '\\') at++;
    if (*at == 0) return NULL;
  }
  return at + 1;
}

// Over a value of any kind, without a look at it.
static bool skip_value(json *j) {
  int64_t depth = 0;
  peek(j);
  const char *from = j->at;
  for (; *j->at != 0; j->at++) {
    char c = *j->at;
    if (c == '"') {
      const char *end = string_end(j->at);
      if (end == NULL) return no_json(j);
      j->at = end - 1;
    } else if (c == '[' || c == '{') {
      depth++;
    } else if (depth == 0 && (c == ',' || c == ']' || c == '}')) {
      break;
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return (depth == 0 && j->at > from) || no_json(j);
}

static int hex_digit(char c) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c == 0 ? NULL : strchr(digits, c);
  return found == NULL ? -1 : (int)(found - digits) % 16;
}

// The code unit of \uXXXX, of which `at` is the u; -1 if the digits are not valid.
static int32_t code_unit(const char *at) {
  int32_t unit = 0;
  for (int i = 1; i <= 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

static size_t put_character(char *to, uint32_t c) {
  if (c < 0x80) {
    to[0] = (char)c;
    return 1;
  }
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3F));
  to[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
  return n;
}

// The character of the escape at `at`, behind its backslash; moves `at` to its end.
static bool read_escape(const char **at, uint32_t *c) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *found = **at == 0 ? NULL : strchr(from, **at);
  if (found != NULL) {
    *c = (uint8_t)to[found - from];
    *at += 1;
    return true;
  }
  int32_t unit = **at == 'u' ? code_unit(*at) : -1;
  if (unit <= 0 || (unit >= 0xDC00 && unit < 0xE000)) return false;
  *at += 5;
  *c = (uint32_t)unit;
  if (unit < 0xD800 || unit >= 0xE000) return true;
  int32_t low = (*at)[0] == '\\' && (*at)[1] == 'u' ? code_unit(*at + 1) : -1;
  if (low < 0xDC00 || low >= 0xE000) return false;
  *at += 6;
  *c = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
  return true;
}

static SEXP escaped_string(json *j, const char *from, const char *end) {
  const void *mark = vmaxget();
  char *text = R_alloc((size_t)(end - from) + 1, 1);
  size_t n = 0;
  while (from < end) {
    if (*from != '\\') {
      text[n++] = *from++;
      continue;
    }
    uint32_t c;
    from++;
    if (!read_escape(&from, &c)) return no_json(j);
    n += put_character(text + n, c);
  }
  SEXP out = Rf_mkCharLenCE(text, (int)n, CE_UTF8);
  vmaxset(mark);
  return out;
}

// The string that is next, which the caller protects; NULL if there is none.
static SEXP read_string(json *j) {
  if (peek(j) != '"') return NULL;
  const char *from = j->at + 1, *end = string_end(j->at);
  if (end == NULL) return no_json(j);
  j->at = end;
  size_t n = (size_t)(end - 1 - from);
  if (memchr(from, '\\', n) != NULL) return escaped_string(j, from, end - 1);
  return Rf_mkCharLenCE(from, (int)n, CE_UTF8);
}

static bool read_number(json *j, double *x) {
  peek(j);
  size_t n = strspn(j->at, "+-.0123456789eE");
  char *end;
  if (n == 0) return false;
  *x = R_strtod(j->at, &end);
  if (end != j->at + n) return false;
  j->at = end;
  return true;
}

// Opens the array that is next, and counts its elements; -1 if there is none.
static R_xlen_t open_array(json *j) {
  if (!next_is(j, '[')) return -1;
  json ahead = *j;
  if (peek(&ahead) == ']') return 0;
  for (R_xlen_t n = 1;; n++) {
    if (!skip_value(&ahead)) return -1;
    if (*ahead.at != ',') return n;
    ahead.at++;
  }
}

// What stands behind element i of n.
static bool behind(json *j, R_xlen_t i, R_xlen_t n) { return next_is(j, i + 1 < n ? ',' : ']') || no_json(j); }

// Doubles are text, so that none is rounded and there are NaN and Inf.
static bool read_double(const char *text, double *x) {
  char *end;
  if (strcmp(text, "NA") == 0) {
    *x = NA_REAL;
  } else if (strcmp(text, "NaN") == 0) {
    *x = R_NaN;
  } else if (strcmp(text, "Inf") == 0 || strcmp(text, "-Inf") == 0) {
    *x = text[0] == '-' ? R_NegInf : R_PosInf;
  } else {
    if (text[0] == 0 || strchr("-0123456789", text[0]) == NULL) return false;
    *x = R_strtod(text, &end);
    return *end == 0 && end != text;
  }
  return true;
}

static bool read_element(json *j, SEXP to, R_xlen_t i, const char *key, int depth) {
  (void)key;
  (void)depth;
  double x;
  switch (TYPEOF(to)) {
  case STRSXP: {
    SEXP text = next_is_word(j, "null") ? NA_STRING : read_string(j);
    if (text != NULL) SET_STRING_ELT(to, i, text);
    return text != NULL;
  }
  case LGLSXP:
    LOGICAL(to)[i] = next_is_word(j, "true") ? 1 : next_is_word(j, "false") ? 0 : NA_LOGICAL;
    return LOGICAL(to)[i] != NA_LOGICAL || next_is_word(j, "null");
  case INTSXP:
    INTEGER(to)[i] = NA_INTEGER;
    if (next_is_word(j, "null")) return true;
    if (!read_number(j, &x) || !(x >= -INT32_MAX && x <= INT32_MAX) || x != (int)x) return false;
    INTEGER(to)[i] = (int)x;
    return true;
  default: {
    REAL(to)[i] = NA_REAL;
    if (next_is_word(j, "null") || read_number(j, REAL(to) + i)) return true;
    SEXP text = read_string(j);
    return text != NULL && read_double(CHAR(text), REAL(to) + i);
  }
  }
}

// Reads element i of an array into `to`; false if it is of another type.
typedef bool element_reader(json *j, SEXP to, R_xlen_t i, const char *key, int depth);

// The array that is next, as a vector of this type; NULL for any other value.
static SEXP read_array(json *j, const char *key, SEXPTYPE type, element_reader *read, int depth) {
  R_xlen_t n = open_array(j);
  if (n < 0) return other_type(j, key);
  SEXP out = PROTECT(Rf_allocVector(type, n));
  for (R_xlen_t i = 0; i < n && !j->failure->failed; i++) {
    if (!read(j, out, i, key, depth)) {
      other_type(j, key);
    } else {
      behind(j, i, n);
    }
  }
  if (n == 0) behind(j, 0, 0);
  UNPROTECT(1);
  return j->failure->failed ? NULL : out;
}

static SEXP read_vector(json *j, const char *key, SEXPTYPE type) { return read_array(j, key, type, read_element, 0); }

static bool read_names(json *j, SEXP to, R_xlen_t i, const char *key, int depth) {
  (void)depth;
  if (next_is_word(j, "null")) return true;
  SEXP names = read_vector(j, key, STRSXP);
  if (names != NULL) SET_VECTOR_ELT(to, i, names);
  return names != NULL;
}

static SEXP read_dimnames(json *j) { return read_array(j, own_keys[DIMNAMES], VECSXP, read_names, 0); }

// "zone", "units" and "storage": a string, and of the last two one that is known.
static SEXP read_choice(json *j, int key) {
  SEXP text = read_string(j);
  if (text == NULL) return NULL;
  bool known = key == ZONE    ? LENGTH(text) > 0
               : key == UNITS ? mg_units_seconds(CHAR(text)) > 0
                              : strcmp(CHAR(text), "integer") == 0;
  return known ? Rf_ScalarString(text) : NULL;
}

static SEXP read_row_names(json *j) {
  json ahead = *j;
  bool numbers = next_is(&ahead, '[') && peek(&ahead) != '"' && peek(&ahead) != ']';
  SEXP names = read_vector(j, own_keys[ROW_NAMES], numbers ? INTSXP : STRSXP);
  if (names == NULL) return NULL;
  PROTECT(names);
  bool sound = mg_are_row_names(names);
  UNPROTECT(1);
  return sound ? names : NULL;
}

static SEXP read_dim(json *j) {
  SEXP dim = read_vector(j, own_keys[DIM], INTSXP);
  if (dim == NULL || Rf_xlength(dim) == 0 || mg_any_na(dim)) return NULL;
  for (R_xlen_t i = 0; i < Rf_xlength(dim); i++) {
    if (INTEGER(dim)[i] < 0) return NULL;
  }
  return dim;
}

static SEXP read_series(json *j) {
  SEXP tsp = read_vector(j, own_keys[TSP], REALSXP);
  return tsp != NULL && Rf_xlength(tsp) == 3 && !mg_any_na(tsp) ? tsp : NULL;
}

static SEXP read_class(json *j) {
  SEXP class = read_vector(j, own_keys[CLASS], STRSXP);
  return class != NULL && Rf_xlength(class) > 0 ? class : NULL;
}

static SEXP read_own(json *j, int key) {
  switch (key) {
  case DIM: return read_dim(j);
  case DIMNAMES: return read_dimnames(j);
  case ZONE:
  case UNITS:
  case STORAGE: return read_choice(j, key);
  case TSP: return read_series(j);
  case CLASS: return read_class(j);
  case ROW_NAMES: return read_row_names(j);
  case ROWS: {
    double rows;
    return read_number(j, &rows) ? Rf_ScalarReal(rows) : NULL;
  }
  case SELFREF: return next_is_word(j, "true") ? Rf_ScalarLogical(1) : NULL;
  default: {
    SEXP out = read_vector(j, own_keys[key], STRSXP);
    return out != NULL && key == TZONE && mg_any_na(out) ? NULL : out;
  }
  }
}

// A member's name, with its colon; NULL if there is none. The caller protects it.
static SEXP read_key(json *j) {
  SEXP key = read_string(j);
  if (key != NULL && next_is(j, ':')) return key;
  no_json(j);
  return NULL;
}

// --- Values with their type ---

// Real and imaginary parts take turns.
static SEXP read_complex(json *j, const char *name) {
  SEXP parts = read_vector(j, name, REALSXP);
  if (parts == NULL) return NULL;
  PROTECT(parts);
  R_xlen_t n = Rf_xlength(parts);
  SEXP out = n % 2 == 0 ? Rf_allocVector(CPLXSXP, n / 2) : NULL;
  if (out == NULL) other_type(j, name);
  if (n > 0 && out != NULL) memcpy(COMPLEX(out), REAL(parts), (size_t)n * sizeof(double));
  UNPROTECT(1);
  return out;
}

static SEXP read_raw(json *j, const char *name) {
  SEXP numbers = read_vector(j, name, INTSXP);
  if (numbers == NULL) return NULL;
  PROTECT(numbers);
  R_xlen_t n = Rf_xlength(numbers);
  SEXP out = PROTECT(Rf_allocVector(RAWSXP, n));
  for (R_xlen_t i = 0; i < n; i++) {
    int value = INTEGER(numbers)[i];
    if (value < 0 || value > 255) other_type(j, name);
    RAW(out)[i] = (Rbyte)value;
  }
  UNPROTECT(2);
  return j->failure->failed ? NULL : out;
}

static SEXP read_value(json *j, const char *name, int depth);

static bool read_list_element(json *j, SEXP to, R_xlen_t i, const char *key, int depth) {
  SEXP element = read_value(j, key, depth + 1);
  if (element != NULL) SET_VECTOR_ELT(to, i, element);
  return element != NULL;
}

static SEXP read_list(json *j, const char *name, int depth) {
  return read_array(j, name, VECSXP, read_list_element, depth);
}

static bool read_named(json *j, SEXP cell, int depth);
static SEXP named_list(SEXP pairs);

// Sets attributes as R does, which refuses those that do not fit.
static SEXP set_each(void *data) {
  SEXP call = PROTECT(Rf_lang3(Rf_install("attributes<-"), ((SEXP *)data)[0], ((SEXP *)data)[1]));
  SEXP out = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return out;
}

static SEXP none_set(SEXP condition, void *data) {
  (void)condition;
  (void)data;
  return R_NilValue;
}

static SEXP with_value_attributes(json *j, SEXP x, const char *name, int depth) {
  PROTECT(x);
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  SEXP out = NULL;
  if (read_named(j, cell, depth + 1)) {
    SEXP attributes = PROTECT(named_list(VECTOR_ELT(cell, 0)));
    SEXP both[] = {x, attributes};
    out = R_tryCatchError(set_each, both, none_set, NULL);
    if (out == R_NilValue) {
      other_type(j, name);
      out = NULL;
    }
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return out;
}

// {"type": "double", "value": [...], "attributes": {...}}, in any order and without
// the last where there are none. NULL in R is of the type "null".
static SEXP read_value(json *j, const char *name, int depth) {
  static const char *const keys[] = {"\"type\"", "\"value\"", "\"attributes\""};
  const char *found[3] = {NULL, NULL, NULL};
  if (depth > MAX_DEPTH) return mg_fail(j->failure, "\"%.200s\" of its r.attributes is nested too deeply", name);
  if (next_is(j, '{')) {
    do {
      int key = 0;
      while (key < 3 && !next_is_word(j, keys[key])) key++;
      if (key == 3 || found[key] != NULL || !next_is(j, ':')) break;
      peek(j);
      found[key] = j->at;
      if (!skip_value(j)) return NULL;
    } while (next_is(j, ','));
  }
  if (found[0] == NULL || found[1] == NULL || !next_is(j, '}')) {
    return mg_fail(j->failure, "\"%.200s\" of its r.attributes has no value", name);
  }
  json from = {found[0], j->failure};
  SEXP text = read_string(&from), out;
  int type = text == NULL ? -1 : type_of_data(CHAR(text));
  from.at = found[1];
  switch (type) {
  case -1: other_type(j, name); return NULL;
  case NILSXP: return R_NilValue;
  case CPLXSXP: out = read_complex(&from, name); break;
  case RAWSXP: out = read_raw(&from, name); break;
  case VECSXP: out = read_list(&from, name, depth); break;
  default: out = read_vector(&from, name, (SEXPTYPE)type);
  }
  if (out == NULL || found[2] == NULL) return out;
  from.at = found[2];
  return with_value_attributes(&from, out, name, depth);
}

// Values, each with its name, as a pairlist in `cell`.
static bool read_named(json *j, SEXP cell, int depth) {
  if (!next_is(j, '{')) return other_type(j, "other");
  if (next_is(j, '}')) return true;
  int n = 0;
  do {
    SEXP key = read_key(j);
    if (key == NULL) return false;
    PROTECT(key);
    const char *name = CHAR(key);
    bool wrong = LENGTH(key) == 0 || LENGTH(key) > MAX_SYMBOL || ++n > MAX_OTHERS;
    if (wrong || (depth == 0 && (mg_is_own_attribute(name) || strcmp(name, ".internal.selfref") == 0))) {
      mg_fail(j->failure, "\"%.200s\" cannot be among the others of its r.attributes", name);
    }
    for (SEXP p = VECTOR_ELT(cell, 0); p != R_NilValue; p = CDR(p)) {
      if (STRING_ELT(CAR(CAR(p)), 0) == key) mg_fail(j->failure, "\"%.200s\" appears twice in its r.attributes", name);
    }
    SEXP value = j->failure->failed ? NULL : read_value(j, name, depth);
    if (value == R_NilValue || (value != NULL && strcmp(name, "comment") == 0 && TYPEOF(value) != STRSXP)) {
      other_type(j, name);
      value = NULL;
    }
    if (value != NULL) {
      PROTECT(value);
      SEXP string = PROTECT(Rf_ScalarString(key));
      SEXP pair = PROTECT(Rf_cons(string, value));
      SET_VECTOR_ELT(cell, 0, Rf_cons(pair, VECTOR_ELT(cell, 0)));
      UNPROTECT(3);
    }
    UNPROTECT(1);
    if (value == NULL) return false;
  } while (next_is(j, ','));
  return next_is(j, '}') || no_json(j);
}

// The pairlist goes from the last to the first.
static SEXP named_list(SEXP pairs) {
  R_xlen_t n = Rf_xlength(pairs);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  for (; pairs != R_NilValue; pairs = CDR(pairs)) {
    SET_STRING_ELT(names, --n, STRING_ELT(CAR(CAR(pairs)), 0));
    SET_VECTOR_ELT(out, n, CDR(CAR(pairs)));
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

// --- The members ---

static bool read_member(json *j, SEXP own, SEXP others) {
  SEXP name = read_key(j);
  if (name == NULL) return false;
  if (strcmp(CHAR(name), "other") == 0) return read_named(j, others, 0);
  int key = 0;
  while (key < N_OWN && strcmp(CHAR(name), own_keys[key]) != 0) key++;
  if (key == N_OWN) return mg_fail(j->failure, "\"%.200s\" of its r.attributes is not known", CHAR(name));
  if (VECTOR_ELT(own, key) != R_NilValue) {
    return mg_fail(j->failure, "\"%s\" appears twice in its r.attributes", own_keys[key]);
  }
  SEXP value = read_own(j, key);
  if (value == NULL || j->failure->failed) return other_type(j, own_keys[key]);
  SET_VECTOR_ELT(own, key, value);
  return true;
}

static bool read_members(json *j, SEXP own, SEXP others) {
  if (!next_is(j, '{')) return mg_fail(j->failure, "its r.attributes are not a JSON object");
  if (!next_is(j, '}')) {
    do {
      if (!read_member(j, own, others)) return false;
    } while (next_is(j, ','));
    if (!next_is(j, '}')) return no_json(j);
  }
  return peek(j) == 0 || no_json(j);
}

// The names of dim and dimnames are members of their own.
static bool name_own(json *j, SEXP own, int key, int names_key) {
  SEXP names = VECTOR_ELT(own, names_key), value = VECTOR_ELT(own, key);
  if (names == R_NilValue) return true;
  if (value == R_NilValue || Rf_xlength(names) != Rf_xlength(value)) {
    return mg_fail(j->failure, "\"%s\" of its r.attributes do not fit", own_keys[names_key]);
  }
  Rf_setAttrib(value, R_NamesSymbol, names);
  return true;
}

static SEXP own_list(SEXP own) {
  R_xlen_t n = 0;
  for (int key = 0; key < DIM_NAMES; key++) n += VECTOR_ELT(own, key) != R_NilValue;
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  n = 0;
  for (int key = 0; key < DIM_NAMES; key++) {
    if (VECTOR_ELT(own, key) == R_NilValue) continue;
    SET_VECTOR_ELT(out, n, VECTOR_ELT(own, key));
    SET_STRING_ELT(names, n++, Rf_mkChar(key == ROW_NAMES ? "row.names" : own_keys[key]));
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

// list(own, other) from UTF-8 text that ends with a zero: R's own attributes by
// their names, and others. NULL after a failure. Their lengths are held against
// the vector later.
SEXP mg_read_attributes(mg_failure *f, const char *text) {
  json j = {text, f};
  SEXP own = PROTECT(Rf_allocVector(VECSXP, N_OWN)), others = PROTECT(Rf_allocVector(VECSXP, 1));
  SEXP out = NULL;
  if (read_members(&j, own, others) && name_own(&j, own, DIM, DIM_NAMES) &&
      name_own(&j, own, DIMNAMES, DIMNAMES_NAMES)) {
    out = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(out, 0, own_list(own));
    SET_VECTOR_ELT(out, 1, named_list(VECTOR_ELT(others, 0)));
    UNPROTECT(1);
  }
  UNPROTECT(2);
  return out;
}

SEXP mg_own_attribute(SEXP attributes, const char *name) {
  if (attributes == NULL) return R_NilValue;
  SEXP own = VECTOR_ELT(attributes, 0);
  SEXP names = Rf_getAttrib(own, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(names); i++) {
    if (strcmp(CHAR(STRING_ELT(names, i)), name) == 0) return VECTOR_ELT(own, i);
  }
  return R_NilValue;
}
