// R values for Go's any, as trees of CBOR: what encoding/json would make of them, with
// times, time differences and raw vectors. There is no recursion.

#include "dynamic.h"
#include "entries.h"
#include "plan.h"

#include <limits.h>
#include <math.h>

// What is being written: the elements of a vector, the rows of a data frame or matrix, or
// the columns of one of these.
typedef enum { ELEMENTS, ROWS, ROW } part;

typedef struct {
  part part;
  SEXP x, names;     // names of elements and columns, R_NilValue for none
  R_xlen_t i, n, at; // at: the row
  const char *shape; // of each element
} level;

typedef struct {
  mg_plan plan;
  SEXP bytes; // raw, with room
  PROTECT_INDEX index;
  R_xlen_t size;
  level *levels;
  int depth, room;
  SEXP tzone; // of the last times, with its zone
  const char *zone;
} tree;

static const mg_path here = {.name = ""};

static void *refuse(tree *t, const char *format, const char *what) { return mg_fail(t->plan.failure, format, what); }

static void *refuse_type(tree *t, SEXP x) {
  const char *type = Rf_isFunction(x) ? "function" : Rf_type2char((SEXPTYPE)TYPEOF(x));
  return refuse(t, "a value of type \"%s\" has no place in Go's any", type);
}

static uint8_t *room_for(tree *t, R_xlen_t n) {
  R_xlen_t room = Rf_xlength(t->bytes);
  if (n > room - t->size) {
    room = 2 * room + n;
    SEXP bytes = mg_new_vector(RAWSXP, room);
    memcpy(RAW(bytes), RAW_RO(t->bytes), (size_t)t->size);
    REPROTECT(t->bytes = bytes, t->index);
  }
  uint8_t *to = RAW(t->bytes) + t->size;
  t->size += n;
  return to;
}

static void write_head(tree *t, uint8_t major, uint64_t n) {
  int size = n < 24 ? 0 : n <= UINT8_MAX ? 1 : n <= UINT16_MAX ? 2 : n <= UINT32_MAX ? 4 : 8;
  static const uint8_t infos[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
  uint8_t *to = room_for(t, 1 + size);
  to[0] = (uint8_t)(major | (size == 0 ? (uint8_t)n : infos[size]));
  for (int i = size; i > 0; i--, n >>= 8) to[i] = (uint8_t)n;
}

static bool write_item(tree *t, uint8_t item) {
  *room_for(t, 1) = item;
  return true;
}

static bool write_number(tree *t, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint8_t *to = room_for(t, 9);
  to[0] = CBOR_FLOAT64;
  for (int i = 8; i > 0; i--, bits >>= 8) to[i] = (uint8_t)bits;
  return true;
}

static void write_whole(tree *t, int64_t n) {
  write_head(t, n < 0 ? CBOR_NEGATIVE : CBOR_UINT, n < 0 ? (uint64_t)(-1 - n) : (uint64_t)n);
}

static bool write_string(tree *t, SEXP s) {
  const char *text;
  size_t n;
  const void *mark = vmaxget();
  if (!mg_string_bytes(t->plan.native, s, &text, &n)) return refuse(t, "it is %s", "a string that is not valid text");
  write_head(t, CBOR_TEXT, n);
  memcpy(room_for(t, (R_xlen_t)n), text, n);
  vmaxset(mark);
  return true;
}

static bool write_zone(tree *t, SEXP x) {
  SEXP tzone = Rf_getAttrib(x, Rf_install("tzone"));
  if (t->zone == NULL || t->tzone != tzone) {
    t->zone = mg_plan_zone(&t->plan, &here, x);
    t->tzone = tzone;
    if (t->zone == NULL) return false;
  }
  write_head(t, CBOR_TEXT, strlen(t->zone));
  memcpy(room_for(t, (R_xlen_t)strlen(t->zone)), t->zone, strlen(t->zone));
  bool local = TYPEOF(tzone) != STRSXP || Rf_xlength(tzone) == 0 || LENGTH(STRING_ELT(tzone, 0)) == 0;
  return write_item(t, local ? CBOR_TRUE : CBOR_FALSE);
}

static double number_at(SEXP x, R_xlen_t i) {
  if (TYPEOF(x) == REALSXP) return REAL_ELT(x, i);
  return INTEGER_ELT(x, i) == NA_INTEGER ? NA_REAL : INTEGER_ELT(x, i);
}

static bool write_time(tree *t, SEXP x, double value, bool date) {
  const char *utc = "UTC";
  if (ISNAN(value)) return write_item(t, CBOR_NULL);
  double seconds = floor(date ? value * 86400 : value);
  if (!(fabs(seconds) < 1e16)) return refuse(t, "it is %s", "no time that Go has");
  double rest = round(((date ? value * 86400 : value) - seconds) * 1e9);
  if (rest >= 1e9) {
    rest -= 1e9;
    seconds++;
  }
  write_head(t, CBOR_TAG, TAG_TIME);
  write_head(t, CBOR_ARRAY, 4);
  write_whole(t, (int64_t)seconds);
  write_whole(t, (int64_t)rest);
  if (!date) return write_zone(t, x);
  write_head(t, CBOR_TEXT, strlen(utc));
  memcpy(room_for(t, (R_xlen_t)strlen(utc)), utc, strlen(utc));
  return write_item(t, CBOR_FALSE);
}

static bool write_difference(tree *t, SEXP x, double value) {
  SEXP units = Rf_getAttrib(x, Rf_install("units"));
  int64_t seconds =
      TYPEOF(units) == STRSXP && Rf_xlength(units) == 1 ? mg_units_seconds(CHAR(STRING_ELT(units, 0))) : 0;
  if (seconds == 0) return refuse(t, "%s", "its units must be secs, mins, hours, days or weeks");
  if (ISNAN(value)) return write_item(t, CBOR_NULL);
  double nanoseconds = round(value * (double)seconds * 1e9);
  if (!(fabs(nanoseconds) < 9.2e18)) return refuse(t, "it is %s", "a time difference of more than 292 years");
  write_head(t, CBOR_TAG, TAG_DURATION);
  write_whole(t, (int64_t)nanoseconds);
  return true;
}

static bool write_integer64(tree *t, double x) {
  int64_t value;
  memcpy(&value, &x, sizeof value);
  if (value == INT64_MIN) return write_item(t, CBOR_NULL);
  if (value > INT64_C(1) << 53 || value < -(INT64_C(1) << 53)) {
    return refuse(t, "it is %s", "an integer64 that is not exact as a float64");
  }
  return write_number(t, (double)value);
}

static bool write_level(tree *t, SEXP x, R_xlen_t i) {
  SEXP levels = Rf_getAttrib(x, R_LevelsSymbol);
  int code = INTEGER_ELT(x, i);
  if (code == NA_INTEGER) return write_item(t, CBOR_NULL);
  if (TYPEOF(levels) != STRSXP || code < 1 || code > Rf_xlength(levels))
    return refuse(t, "it is %s", "a factor without its level");
  SEXP text = STRING_ELT(levels, code - 1);
  return text == NA_STRING ? write_item(t, CBOR_NULL) : write_string(t, text);
}

static bool is_number(SEXP x) { return TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP; }

// Element i of an atomic vector.
static bool write_scalar(tree *t, SEXP x, R_xlen_t i) {
  int class = mg_class_of(x).class;
  switch (class) {
  case CLASS_DATE:
  case CLASS_POSIXCT:
    if (is_number(x)) return write_time(t, x, number_at(x, i), class == CLASS_DATE);
    break;
  case CLASS_HMS:
  case CLASS_DIFFTIME:
    if (is_number(x)) return write_difference(t, x, number_at(x, i));
    break;
  case CLASS_FACTOR:
  case CLASS_ORDERED:
    if (TYPEOF(x) == INTSXP) return write_level(t, x, i);
    break;
  case CLASS_INTEGER64:
    if (TYPEOF(x) == REALSXP) return write_integer64(t, REAL_ELT(x, i));
    break;
  default: break;
  }
  switch (TYPEOF(x)) {
  case LGLSXP: {
    int value = LOGICAL_ELT(x, i);
    return write_item(t, value == NA_LOGICAL ? CBOR_NULL : value ? CBOR_TRUE : CBOR_FALSE);
  }
  case INTSXP: return INTEGER_ELT(x, i) == NA_INTEGER ? write_item(t, CBOR_NULL) : write_number(t, INTEGER_ELT(x, i));
  case REALSXP: return is_na(REAL_ELT(x, i)) ? write_item(t, CBOR_NULL) : write_number(t, REAL_ELT(x, i));
  case STRSXP: return STRING_ELT(x, i) == NA_STRING ? write_item(t, CBOR_NULL) : write_string(t, STRING_ELT(x, i));
  default: return refuse_type(t, x);
  }
}

static bool push(tree *t, level l) {
  if (t->depth == MAX_NESTING) return mg_fail(t->plan.failure, "it is nested more than %d levels deep", MAX_NESTING);
  if (t->depth == t->room) {
    level *levels = mg_alloc(2 * (size_t)t->room, sizeof *levels);
    memcpy(levels, t->levels, (size_t)t->room * sizeof *levels);
    t->levels = levels;
    t->room *= 2;
  }
  t->levels[t->depth++] = l;
  return true;
}

// Names of a map: each is there, and once.
static bool check_names(tree *t, SEXP names) {
  R_xlen_t n = Rf_xlength(names);
  for (R_xlen_t i = 0; i < n; i++) {
    SEXP name = STRING_ELT(names, i);
    if (name == NA_STRING || LENGTH(name) == 0) return refuse(t, "%s", "only some of its elements have names");
    for (R_xlen_t k = 0; n <= 32 && k < i; k++) {
      if (STRING_ELT(names, k) == name) return refuse(t, "it has two elements of the name \"%s\"", CHAR(name));
    }
  }
  return n <= 32 || !mg_any_twice(names) || refuse(t, "%s", "it has two elements of the same name");
}

static bool is_table(SEXP x) { return is_frame(x) || Rf_xlength(Rf_getAttrib(x, R_DimSymbol)) == 2; }

static R_xlen_t rows_of(SEXP x) {
  return is_frame(x) ? (R_xlen_t)mg_chunk_rows(x) : INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[0];
}

// Row `at`: of a data frame a map, of a matrix a list.
static bool write_row(tree *t, SEXP x, R_xlen_t at, const char *shape) {
  level l = {ROW, x, R_NilValue, 0, 0, at, shape};
  if (is_frame(x)) {
    l.names = Rf_getAttrib(x, R_NamesSymbol);
    l.n = Rf_xlength(x);
    if (TYPEOF(l.names) != STRSXP || Rf_xlength(l.names) != l.n)
      return refuse(t, "%s", "it is a data frame without names");
    if (shape[0] == 'l') return refuse(t, "it must be %s", "a list without names");
    if (at == 0 && !check_names(t, l.names)) return false;
  } else {
    l.n = INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[1];
    if (shape[0] == 'm') return refuse(t, "it must be %s", "a named list or vector");
  }
  if (shape[0] != 0) l.shape++;
  write_head(t, is_frame(x) ? CBOR_MAP : CBOR_ARRAY, (uint64_t)l.n);
  return push(t, l);
}

static bool check_type(tree *t, SEXP x) {
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  bool vector = TYPEOF(x) == LGLSXP || TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP || TYPEOF(x) == STRSXP ||
                TYPEOF(x) == RAWSXP || TYPEOF(x) == VECSXP;
  if (Rf_inherits(x, "POSIXlt")) return refuse(t, "it is %s", "a POSIXlt; as.POSIXct() converts it");
  if (Rf_isS4(x) || mg_class_of(x).class == CLASS_UNKNOWN) {
    return refuse(
        t, "an object of class \"%s\" has no place in Go's any; a method of mangoro_send_as() can say how it is sent",
        Rf_xlength(class) > 0 ? CHAR(STRING_ELT(class, 0)) : "");
  }
  if (!vector) return refuse_type(t, x);
  return Rf_xlength(Rf_getAttrib(x, R_DimSymbol)) < 3 || refuse(t, "it is %s", "an array of more than two dimensions");
}

static bool write_raw(tree *t, SEXP x, const char *shape) {
  if (shape[0] == 'm') return refuse(t, "it must be %s", "a named list or vector");
  for (; shape[0] == 'l'; shape++) write_head(t, CBOR_ARRAY, 1);
  write_head(t, CBOR_BYTES, (uint64_t)Rf_xlength(x));
  if (Rf_xlength(x) > 0) memcpy(room_for(t, Rf_xlength(x)), RAW_RO(x), (size_t)Rf_xlength(x));
  return true;
}

// A whole R value. The shape says what Go wants: "l" a list, "m" a map of ... what the
// rest of it says; "" anything.
static bool write_value(tree *t, SEXP x, const char *shape) {
  x = mg_sent(&t->plan, &here, x);
  if (x == NULL) return false;
  if (x == R_NilValue) return write_item(t, CBOR_NULL);
  if (!check_type(t, x)) return false;
  if (TYPEOF(x) == RAWSXP) return write_raw(t, x, shape);
  bool list = shape[0] == 'l', map = shape[0] == 'm';
  level l = {ELEMENTS, x, R_NilValue, 0, Rf_xlength(x), 0, shape[0] == 0 ? shape : shape + 1};
  if (is_table(x)) {
    if (map) return refuse(t, "it must be %s", "a named list or vector");
    l.part = ROWS;
    l.n = rows_of(x);
    write_head(t, CBOR_ARRAY, (uint64_t)l.n);
    return push(t, l);
  }
  if (!list) l.names = Rf_getAttrib(x, R_NamesSymbol);
  bool named = TYPEOF(l.names) == STRSXP;
  if (map && !named && l.n > 0) return refuse(t, "it must be %s", "a named list or vector");
  if (named && !check_names(t, l.names)) return false;
  if (named || map) {
    write_head(t, CBOR_MAP, (uint64_t)l.n);
  } else if (TYPEOF(x) != VECSXP && l.n == 1 && !list && !mg_class_of(x).as_is) {
    return write_scalar(t, x, 0);
  } else {
    write_head(t, CBOR_ARRAY, (uint64_t)l.n);
  }
  return push(t, l);
}

// Element or row i of x.
static bool write_part(tree *t, SEXP x, R_xlen_t i, const char *shape) {
  if (is_table(x)) return write_row(t, x, i, shape);
  if (TYPEOF(x) == VECSXP) return write_value(t, VECTOR_ELT(x, i), shape);
  if (shape[0] == 'm') return refuse(t, "it must be %s", "a named list or vector");
  for (; shape[0] == 'l'; shape++) write_head(t, CBOR_ARRAY, 1);
  return write_scalar(t, x, i);
}

static bool write_next(tree *t) {
  level l = t->levels[t->depth - 1];
  R_xlen_t i = t->levels[t->depth - 1].i++;
  if (l.names != R_NilValue && !write_string(t, STRING_ELT(l.names, i))) return false;
  if (l.part == ROWS) return write_row(t, l.x, i, l.shape);
  if (l.part == ELEMENTS) return write_part(t, l.x, i, l.shape);
  if (!is_frame(l.x)) {
    R_xlen_t at = l.at + i * rows_of(l.x);
    return TYPEOF(l.x) == VECSXP ? write_value(t, VECTOR_ELT(l.x, at), l.shape) : write_scalar(t, l.x, at);
  }
  SEXP column = mg_sent(&t->plan, &here, VECTOR_ELT(l.x, i));
  if (column == NULL || !check_type(t, column)) return false;
  if ((is_table(column) ? rows_of(column) : Rf_xlength(column)) <= l.at) {
    return refuse(t, "%s", "it has fewer rows than its data frame");
  }
  return write_part(t, column, l.at, l.shape);
}

// Where the failure is, as R would write it, below the value as a whole: $a[[2]]$b.
static void locate(const tree *t) {
  mg_failure *f = t->plan.failure;
  f->path[0] = 0;
  for (int k = 0; k < t->depth; k++) {
    const level *l = &t->levels[k];
    if (l->i == 0) continue;
    if (l->names != R_NilValue) {
      mg_add_text(f->path, sizeof f->path, "$%s", CHAR(STRING_ELT(l->names, l->i - 1)));
    } else {
      mg_add_text(f->path, sizeof f->path, "[[%.0f]]", (double)l->i);
    }
  }
}

static bool write_tree(tree *t, bool done) {
  for (int64_t seen = 1; done && t->depth > 0; seen++) {
    if (seen % (1 << 18) == 0) R_CheckUserInterrupt();
    const level *l = &t->levels[t->depth - 1];
    if (l->i == l->n) {
      t->depth--;
    } else {
      done = write_next(t);
    }
  }
  if (!done) locate(t);
  return done;
}

static SEXP taken(const tree *t) {
  SEXP out = mg_new_vector(RAWSXP, t->size);
  if (t->size > 0) memcpy(RAW(out), RAW_RO(t->bytes), (size_t)t->size);
  return out;
}

// A list of raw vectors: one of the whole value, or one for each row of a column.
SEXP mg_c_encode_dynamic(SEXP x, SEXP shape, SEXP rows, SEXP native, SEXP send_as) {
  mg_failure failure = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  tree t = {.plan = {&failure, shelter, send_as, (mg_encoding)Rf_asInteger(native)}, .room = 16};
  t.levels = mg_alloc((size_t)t.room, sizeof *t.levels);
  PROTECT_WITH_INDEX(t.bytes = Rf_allocVector(RAWSXP, 256), &t.index);
  const char *wanted = CHAR(STRING_ELT(shape, 0));
  bool each = Rf_asLogical(rows) == TRUE, done = true;
  R_xlen_t n = !each ? 1 : is_table(x) ? rows_of(x) : Rf_xlength(x);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t i = 0; done && i < n; i++) {
    if (i % (1 << 16) == 0) R_CheckUserInterrupt();
    t.size = 0;
    t.depth = 0;
    done = write_tree(&t, each ? write_part(&t, x, i, wanted) : write_value(&t, x, wanted));
    if (done) SET_VECTOR_ELT(out, i, taken(&t));
    if (!done && each) failure.row = (double)i + 1;
  }
  if (!done) out = mg_failure_value(&failure);
  UNPROTECT(3);
  return out;
}
