// R values to a tree of nodes: the Arrow type of each, how many rows and bytes
// it has, and what R has to be told about it. Nothing is copied here.
//
// A node stands for one or more R vectors ("pieces") one after the other: one
// for a column, all elements for what is inside a list.

#include "mangoro.h"

#include <stdarg.h>
#include <stdio.h>

// --- failures -----------------------------------------------------------

// The lists' element that is piece number `piece`: which list, and where in it.
static void find_element(const where *at, R_xlen_t piece, R_xlen_t *list, R_xlen_t *element) {
  for (*list = 0; *list < at->n_lists; (*list)++) {
    SEXP x = at->lists[*list];
    for (*element = 0; *element < Rf_xlength(x); (*element)++) {
      if (VECTOR_ELT(x, *element) != R_NilValue && piece-- == 0) return;
    }
  }
}

static void describe(const where *at, R_xlen_t piece, char *to, size_t room) {
  if (at->lists != NULL) {
    R_xlen_t list = 0, element = 0;
    find_element(at, piece, &list, &element);
    describe(at->up, list, to, room);
    add_text(to, room, "[[%.0f]]", (double)element + 1);
    return;
  }
  if (at->up == NULL) {
    add_text(to, room, "%s", at->name);
    return;
  }
  describe(at->up, piece, to, room);
  if (at->name != NULL && at->name[0] != 0) {
    add_text(to, room, to[0] == 0 ? "%s" : "$%s", at->name);
  } else {
    add_text(to, room, "[[%.0f]]", (double)at->item);
  }
}

bool fail_at(plan *p, const where *at, R_xlen_t piece, R_xlen_t row, const char *format, ...) {
  if (p->failure->failed) return false;
  describe(at, piece, p->failure->where, sizeof p->failure->where);
  p->failure->row = (double)row;
  char text[sizeof p->failure->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return fail(p->failure, "%s", text);
}

// --- nodes --------------------------------------------------------------

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

static node *with_pieces(node *n, const SEXP *pieces, R_xlen_t n_pieces, int64_t rows) {
  n->pieces = pieces;
  n->n_pieces = n_pieces;
  n->rows = rows;
  return n;
}

// Validity, and values of `width` bytes. The bitmap has room before it is known
// whether there is a null: values and nulls are then seen in one pass.
static node *fixed(node *n, int64_t width, row_writer write) {
  n->n_buffers = 2;
  n->size[0] = bitmap_size(n->rows);
  n->size[1] = n->rows * width;
  n->write = write;
  return n;
}

static node *numeric(node *n, int type, int32_t bits, row_writer write) {
  n->type = type;
  n->width = bits;
  n->is_signed = true;
  return fixed(n, bits / 8, write);
}

static void set_children(node *n, int n_children) {
  n->n_children = n_children;
  n->children = take((size_t)n_children, sizeof(node *));
}

R_xlen_t piece_rows(SEXP x) {
  if (TYPEOF(x) == VECSXP && is_frame(x)) return Rf_xlength(Rf_getAttrib(x, R_RowNamesSymbol));
  return Rf_xlength(x);
}

static bool count_rows(plan *p, const where *at, const SEXP *pieces, R_xlen_t n, int64_t *rows) {
  *rows = 0;
  for (R_xlen_t i = 0; i < n; i++) {
    *rows += piece_rows(pieces[i]);
    if (*rows > MAX_ROWS) return fail_at(p, at, 0, 0, "it has too many elements");
  }
  return true;
}

static void keep(plan *p, SEXP x) {
  PROTECT(x);
  SET_VECTOR_ELT(p->shelter, 0, Rf_cons(x, VECTOR_ELT(p->shelter, 0)));
  UNPROTECT(1);
}

// --- strings ------------------------------------------------------------

bool string_bytes(bool translates, SEXP s, const char **text, size_t *n) {
  cetype_t encoding = Rf_getCharCE(s);
  *text = CHAR(s);
  *n = (size_t)LENGTH(s);
  if (encoding == CE_BYTES) return false;
  if (is_ascii((const uint8_t *)*text, *n)) return true;
  if (encoding != CE_UTF8) {
    if (encoding == CE_NATIVE && !translates) return false;
    *text = Rf_translateCharUTF8(s);
    *n = strlen(*text);
  }
  return is_utf8((const uint8_t *)*text, *n);
}

// Strings that come again are looked at once. Only those that need no
// translation, whose bytes stay where they are, are remembered.
bool seen_bytes(seen_string *seen, bool translates, SEXP s, const char **text, size_t *n) {
  seen_string *known = seen + ((uintptr_t)s >> 5) % SEEN;
  if (known->string == s) {
    *text = known->text;
    *n = known->n;
    return true;
  }
  if (!string_bytes(translates, s, text, n)) return false;
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

static node *plan_strings(plan *p, const where *at, node *n) {
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
      } else if (seen_bytes(seen, p->translates, strings[k], &text, &size)) {
        bytes += (int64_t)size;
      } else {
        return fail_string(p, at, i, k + 1, strings[k]);
      }
    }
    vmaxset(mark);
  }
  n->translates = p->translates;
  n->type = bytes > INT32_MAX ? ARROW_LARGE_UTF8 : ARROW_UTF8;
  n->n_buffers = 3;
  n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  n->size[1] = (n->rows + 1) * (bytes > INT32_MAX ? 8 : 4);
  n->size[2] = bytes;
  n->write = write_strings;
  return n;
}

static node *plan_factor(plan *p, const where *at, node *n, r_class class) {
  SEXP levels = Rf_getAttrib(n->pieces[0], R_LevelsSymbol);
  if (TYPEOF(levels) != STRSXP || HAS_ATTRIBUTES(levels)) {
    fail_at(p, at, 0, 0, "its levels are not a plain character vector");
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

// --- numbers ------------------------------------------------------------

static node *plan_ints(node *n) {
  numeric(n, ARROW_INT, 32, write_ints);
  if (n->n_pieces == 1 && ALTREP(n->pieces[0]) && INTEGER_NO_NA(n->pieces[0])) n->size[0] = 0;
  return n;
}

static node *plan_complex(node *n) {
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

// --- dates and times ----------------------------------------------------

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

static node *plan_dates(node *n) {
  bool whole = TYPEOF(n->pieces[0]) == INTSXP;
  if (!whole && !all_days(n)) return as_doubles(n, CLASS_DATE);
  n->unit = 0;
  return numeric(n, ARROW_DATE, 32, whole ? write_ints : write_dates);
}

static const char *zone_of(plan *p, SEXP x) {
  SEXP zone = Rf_getAttrib(x, Rf_install("tzone"));
  const char *text;
  size_t size;
  if (TYPEOF(zone) != STRSXP || Rf_xlength(zone) != 1 || STRING_ELT(zone, 0) == NA_STRING) return "UTC";
  if (!string_bytes(p->translates, STRING_ELT(zone, 0), &text, &size) || size == 0) return "UTC";
  return text;
}

static node *plan_datetimes(plan *p, node *n) {
  static const int units[] = {NANO, MICRO};
  for (int i = 0; i < 2; i++) {
    if (!all_exact(n, per_second[units[i]], 0)) continue;
    n->zone = zone_of(p, n->pieces[0]);
    return counts(n, ARROW_TIMESTAMP, units[i], per_second[units[i]]);
  }
  return as_doubles(n, CLASS_POSIXCT);
}

static node *plan_differences(plan *p, const where *at, node *n) {
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

static node *plan_times_of_day(node *n) {
  int64_t per = per_second[NANO];
  if (!all_exact(n, per, 86400 * per)) return as_doubles(n, CLASS_HMS);
  n->class.class = CLASS_HMS;
  return counts(n, ARROW_TIME, NANO, per);
}

// --- lists --------------------------------------------------------------

static node *plan_pieces(plan *p, const where *at, const char *name, const SEXP *pieces, R_xlen_t n, int depth);

// The elements of all lists that are not NULL, one after the other.
static const SEXP *elements_of(const node *n, R_xlen_t *count) {
  SEXP *elements = take((size_t)n->rows, sizeof *elements);
  *count = 0;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    for (R_xlen_t k = 0; k < Rf_xlength(n->pieces[i]); k++) {
      SEXP x = VECTOR_ELT(n->pieces[i], k);
      if (x != R_NilValue) elements[(*count)++] = x;
    }
  }
  return elements;
}

static bool all_raw(const SEXP *elements, R_xlen_t count) {
  for (R_xlen_t i = 0; i < count; i++) {
    if (TYPEOF(elements[i]) != RAWSXP || HAS_ATTRIBUTES(elements[i])) return false;
  }
  return true;
}

static node *plan_list(plan *p, const where *at, node *n, r_class class, int depth) {
  R_xlen_t count;
  const SEXP *elements = elements_of(n, &count);
  n->nulls = n->rows - count;
  n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  if ((count > 0 || class.class == CLASS_BLOB) && all_raw(elements, count)) {
    int64_t bytes;
    if (!count_rows(p, at, elements, count, &bytes)) return NULL;
    n->type = bytes > INT32_MAX ? ARROW_LARGE_BINARY : ARROW_BINARY;
    n->class.class = class.class;
    n->n_buffers = 3;
    n->size[1] = (n->rows + 1) * (bytes > INT32_MAX ? 8 : 4);
    n->size[2] = bytes;
    n->write = write_binaries;
    return n;
  }
  if (class.class == CLASS_BLOB) {
    fail_at(p, at, 0, 0, "it is a blob with elements that are not plain raw vectors");
    return NULL;
  }
  where inside = {at, NULL, 0, n->pieces, n->n_pieces};
  set_children(n, 1);
  node *child = n->children[0] = plan_pieces(p, &inside, "item", elements, count, depth + 1);
  if (child == NULL) return NULL;
  bool large = child->rows > INT32_MAX;
  n->type = large ? ARROW_LARGE_LIST : ARROW_LIST;
  n->n_buffers = 2;
  n->size[1] = (n->rows + 1) * (large ? 8 : 4);
  n->write = write_lists;
  return n;
}

// --- data frames --------------------------------------------------------

// The name of a column or argument; NULL if it has none.
static const char *name_at(plan *p, const where *at, SEXP names, R_xlen_t i) {
  const char *text;
  size_t size;
  if (TYPEOF(names) != STRSXP) return "";
  if (STRING_ELT(names, i) != NA_STRING && string_bytes(p->translates, STRING_ELT(names, i), &text, &size)) {
    return text;
  }
  fail_at(p, at, 0, 0, "its name number %.0f is NA or not valid text", (double)i + 1);
  return NULL;
}

static bool has_dims(SEXP x) { return Rf_xlength(Rf_getAttrib(x, R_DimSymbol)) >= 2; }

static int64_t rows_as_column(SEXP x) {
  return has_dims(x) ? INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[0] : piece_rows(x);
}

// A matrix in a data frame: its rows one after the other.
static SEXP by_row(SEXP x, R_xlen_t rows, R_xlen_t columns) {
  SEXP bare = PROTECT(Rf_allocVector((SEXPTYPE)TYPEOF(x), Rf_xlength(x)));
  Rf_copyVector(bare, x);
  SEXP dim = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(dim)[0] = (int)rows;
  INTEGER(dim)[1] = (int)columns;
  Rf_setAttrib(bare, R_DimSymbol, dim);
  SEXP call = PROTECT(Rf_lang2(Rf_install("t.default"), bare));
  SEXP turned = PROTECT(Rf_eval(call, R_BaseEnv));
  Rf_setAttrib(turned, R_DimSymbol, R_NilValue);
  UNPROTECT(4);
  return turned;
}

static node *plan_matrix(plan *p, const where *at, const char *name, const SEXP *pieces, R_xlen_t n, int depth) {
  node *matrix = with_pieces(node_new(ARROW_FIXED_LIST, name), pieces, n, 0);
  SEXP *turned = take((size_t)n, sizeof *turned);
  int64_t columns = -1;
  for (R_xlen_t i = 0; i < n; i++) {
    SEXP x = pieces[i];
    r_class class = class_of(x);
    int64_t rows = rows_as_column(x), size = Rf_xlength(x);
    if (class.class != CLASS_NONE || rows == 0 || size == 0 || (columns >= 0 && columns != size / rows)) {
      fail_at(p, at, i, 0, "a matrix in a data frame needs rows and columns, as many in each, and no class");
      return NULL;
    }
    columns = size / rows;
    matrix->rows += rows;
    turned[i] = by_row(x, (R_xlen_t)rows, (R_xlen_t)columns);
    keep(p, turned[i]);
  }
  if (columns > INT32_MAX) {
    fail_at(p, at, 0, 0, "the matrix has too many columns");
    return NULL;
  }
  matrix->width = (int32_t)columns;
  matrix->class.class = CLASS_MATRIX;
  matrix->class.as_is = class_of(pieces[0]).as_is;
  matrix->n_buffers = 1;
  set_children(matrix, 1);
  matrix->children[0] = plan_pieces(p, at, "item", turned, n, depth + 1);
  if (matrix->children[0] == NULL) return NULL;
  return plan_attributes(p, at, matrix, pieces[0], CLASS_MATRIX, true) ? matrix : NULL;
}

// Column i of all pieces.
static node *plan_frame_column(plan *p, const where *at, const node *frame, R_xlen_t i, int depth) {
  SEXP names = Rf_getAttrib(frame->pieces[0], R_NamesSymbol);
  const char *name = name_at(p, at, names, i);
  if (name == NULL) return NULL;
  where inside = {at, name, i + 1, NULL, 0};
  SEXP *columns = take((size_t)frame->n_pieces, sizeof *columns);
  for (R_xlen_t k = 0; k < frame->n_pieces; k++) {
    columns[k] = VECTOR_ELT(frame->pieces[k], i);
    if (rows_as_column(columns[k]) != piece_rows(frame->pieces[k])) {
      fail_at(p, &inside, k, 0, "the column has %.0f rows, and the data frame %.0f", (double)rows_as_column(columns[k]),
              (double)piece_rows(frame->pieces[k]));
      return NULL;
    }
  }
  if (has_dims(columns[0])) return plan_matrix(p, &inside, name, columns, frame->n_pieces, depth);
  return plan_pieces(p, &inside, name, columns, frame->n_pieces, depth + 1);
}

static node *plan_frame(plan *p, const where *at, node *n, r_class class, int depth) {
  R_xlen_t columns = Rf_xlength(n->pieces[0]);
  if (columns > INT32_MAX / 16) {
    fail_at(p, at, 0, 0, "it has too many columns");
    return NULL;
  }
  n->type = ARROW_STRUCT;
  n->n_buffers = 1;
  n->class.class = class.class == CLASS_DATA_FRAME ? CLASS_NONE : class.class;
  set_children(n, (int)columns);
  for (R_xlen_t i = 0; i < columns; i++) {
    n->children[i] = plan_frame_column(p, at, n, i, depth);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}

// --- any vector ---------------------------------------------------------

static node *refuse(plan *p, const where *at, SEXP x) {
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  if (TYPEOF(class) == STRSXP && Rf_xlength(class) > 0) {
    const char *name = CHAR(STRING_ELT(class, 0));
    fail_at(p, at, 0, 0, "an object of class \"%s\" cannot be carried%s", name,
            strcmp(name, "POSIXlt") == 0 ? "; as.POSIXct() makes a time of it" : "");
  } else {
    fail_at(p, at, 0, 0, "a value of type \"%s\" cannot be carried", Rf_type2char((SEXPTYPE)TYPEOF(x)));
  }
  return NULL;
}

static bool is_number(SEXP x) { return TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP; }

static node *plan_vector(plan *p, const where *at, node *n, r_class class, int depth) {
  SEXP x = n->pieces[0];
  int type = TYPEOF(x);
  switch (class.class) {
  case CLASS_NONE:
    switch (type) {
    case LGLSXP:
      n->type = ARROW_BOOL;
      n->n_buffers = 2;
      n->size[0] = n->size[1] = bitmap_size(n->rows);
      n->write = write_bools;
      return n;
    case INTSXP: return plan_ints(n);
    case REALSXP: return numeric(n, ARROW_FLOAT, 64, write_doubles);
    case STRSXP: return plan_strings(p, at, n);
    case CPLXSXP: return plan_complex(n);
    case VECSXP: return plan_list(p, at, n, class, depth);
    case RAWSXP:
      n->class.class = CLASS_RAW;
      numeric(n, ARROW_INT, 8, write_raws);
      n->is_signed = false;
      n->size[0] = 0;
      return n;
    default: return refuse(p, at, x);
    }
  case CLASS_DATE: return is_number(x) ? plan_dates(n) : refuse(p, at, x);
  case CLASS_POSIXCT: return is_number(x) ? plan_datetimes(p, n) : refuse(p, at, x);
  case CLASS_DIFFTIME: return is_number(x) ? plan_differences(p, at, n) : refuse(p, at, x);
  case CLASS_HMS: return is_number(x) ? plan_times_of_day(n) : refuse(p, at, x);
  case CLASS_INTEGER64:
    return type == REALSXP ? numeric(n, ARROW_INT, 64, write_int64s) : refuse(p, at, x);
  case CLASS_FACTOR:
  case CLASS_ORDERED: return type == INTSXP ? plan_factor(p, at, n, class) : refuse(p, at, x);
  case CLASS_BLOB: return type == VECSXP ? plan_list(p, at, n, class, depth) : refuse(p, at, x);
  case CLASS_DATA_FRAME:
  case CLASS_TBL_DF:
  case CLASS_DATA_TABLE: return type == VECSXP ? plan_frame(p, at, n, class, depth) : refuse(p, at, x);
  default: return refuse(p, at, x);
  }
}

// The attributes that must be the same in all elements of a list.
static SEXP common_attributes(SEXP x, int class) {
  SEXP all = PROTECT(attributes_of(x));
  SEXP names = Rf_getAttrib(all, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(all); i++) {
    const char *name = CHAR(STRING_ELT(names, i));
    bool own = (strcmp(name, "row.names") == 0 && is_automatic(VECTOR_ELT(all, i))) ||
               (class == CLASS_DATA_TABLE && (strcmp(name, ".internal.selfref") == 0 || strcmp(name, "index") == 0));
    if (own) SET_VECTOR_ELT(all, i, R_NilValue);
  }
  UNPROTECT(1);
  return all;
}

static bool all_alike(plan *p, const where *at, const SEXP *pieces, R_xlen_t n, int class) {
  if (n < 2) return true;
  SEXP first = pieces[0];
  bool has = HAS_ATTRIBUTES(first);
  SEXP all = PROTECT(has ? common_attributes(first, class) : R_NilValue);
  R_xlen_t i = 1;
  for (; i < n; i++) {
    if (TYPEOF(pieces[i]) != TYPEOF(first) || HAS_ATTRIBUTES(pieces[i]) != has) break;
    if (has) {
      SEXP other = PROTECT(common_attributes(pieces[i], class));
      bool same = R_compute_identical(all, other, 16);
      UNPROTECT(1);
      if (!same) break;
    }
    if (is_frame_class(class) && Rf_xlength(pieces[i]) != Rf_xlength(first)) break;
  }
  UNPROTECT(1);
  return i == n ||
         fail_at(p, at, i, 0, "it is of another type than the elements before it, or has other attributes");
}

static node *plan_pieces(plan *p, const where *at, const char *name, const SEXP *pieces, R_xlen_t n, int depth) {
  if (depth > MAX_DEPTH - 4) {
    fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
    return NULL;
  }
  if (n == 0 || pieces[0] == R_NilValue) return node_new(ARROW_NULL, name);
  r_class class = class_of(pieces[0]);
  if (Rf_isS4(pieces[0])) return refuse(p, at, pieces[0]);
  node *out = with_pieces(node_new(0, name), pieces, n, 0);
  if (!all_alike(p, at, pieces, n, class.class) || !count_rows(p, at, pieces, n, &out->rows)) return NULL;
  out->class.as_is = class.as_is;
  if (plan_vector(p, at, out, class, depth) == NULL) return NULL;
  return plan_attributes(p, at, out, pieces[0], class.class, true) ? out : NULL;
}

static const SEXP *one(SEXP x) {
  SEXP *piece = take(1, sizeof *piece);
  *piece = x;
  return piece;
}

// --- records of columns -------------------------------------------------

static bool check_columns(plan *p, const where *root, node *n) {
  bool counted = false;
  for (int i = 0; i < n->n_children; i++) {
    node *c = n->children[i];
    if (c->type == ARROW_NULL && c->n_pieces == 0) continue;
    if (counted && c->rows != n->rows) {
      where at = {root, c->name, i + 1, NULL, 0};
      return fail_at(p, &at, 0, 0, "it has %.0f rows, and the columns before it %.0f", (double)c->rows,
                     (double)n->rows);
    }
    counted = true;
    n->rows = c->rows;
  }
  for (int i = 0; i < n->n_children; i++) {
    node *c = n->children[i];
    if (c->type == ARROW_NULL) c->rows = c->nulls = n->rows;
  }
  return true;
}

static node *plan_columns(plan *p, const where *root, SEXP x) {
  node *n = with_pieces(node_new(ARROW_STRUCT, ""), one(x), 1, 0);
  n->class.class = CLASS_LIST;
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  set_children(n, (int)Rf_xlength(x));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = name_at(p, root, names, i);
    if (name == NULL) return NULL;
    where at = {root, name, i + 1, NULL, 0};
    n->children[i] = plan_pieces(p, &at, name, one(VECTOR_ELT(x, i)), 1, 1);
    if (n->children[i] == NULL) return NULL;
  }
  return check_columns(p, root, n) ? n : NULL;
}

// The rows of a record are those of its columns, and the record itself is no
// column: what is its own goes to the schema.
node *plan_record(plan *p, SEXP x) {
  where root = {NULL, "", 0, NULL, 0};
  if (is_frame(x)) return plan_pieces(p, &root, "", one(x), 1, 0);
  return plan_columns(p, &root, x);
}

// --- records of one row -------------------------------------------------

static node *plan_box(plan *p, const where *at, const char *name, SEXP x, int depth);

static node *box(const char *name, node *child) {
  if (child == NULL) return NULL;
  bool large = child->rows > INT32_MAX;
  node *n = node_new(large ? ARROW_LARGE_LIST : ARROW_LIST, name);
  n->rows = 1;
  n->n_buffers = 2;
  n->size[1] = large ? 16 : 8;
  n->write = write_row;
  set_children(n, 1);
  n->children[0] = child;
  return n;
}

static node *box_vector(plan *p, const where *at, const char *name, SEXP x, int depth) {
  return box(name, plan_pieces(p, at, "item", one(x), 1, depth + 1));
}

static node *box_fields(plan *p, const where *at, const char *name, SEXP x, r_class class, int depth) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  node *n = with_pieces(node_new(ARROW_STRUCT, name), NULL, 0, 1);
  n->n_buffers = 1;
  n->class = class;
  set_children(n, (int)Rf_xlength(x));
  bool named = false;
  for (int i = 0; i < n->n_children; i++) {
    const char *field = name_at(p, at, names, i);
    if (field == NULL) return NULL;
    named = named || field[0] != 0;
    where inside = {at, field, i + 1, NULL, 0};
    n->children[i] = plan_box(p, &inside, field, VECTOR_ELT(x, i), depth + 1);
    if (n->children[i] == NULL) return NULL;
  }
  // The fields say the names, if there is any.
  return plan_attributes(p, at, n, x, CLASS_NONE, !named) ? n : NULL;
}

static node *box_list(plan *p, const where *at, const char *name, SEXP x, r_class class, int depth) {
  if (Rf_getAttrib(x, R_NamesSymbol) == R_NilValue && Rf_xlength(x) < INT32_MAX) {
    node *n = box_vector(p, at, name, x, depth);
    if (n != NULL) return n;
    memset(p->failure, 0, sizeof *p->failure);
  }
  return box_fields(p, at, name, x, class, depth);
}

static node *plan_box(plan *p, const where *at, const char *name, SEXP x, int depth) {
  if (depth > MAX_DEPTH - 4) {
    fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
    return NULL;
  }
  if (x == R_NilValue) {
    node *n = node_new(ARROW_NULL, name);
    n->rows = n->nulls = 1;
    return n;
  }
  r_class class = class_of(x);
  if (TYPEOF(x) == VECSXP && class.class == CLASS_NONE && !Rf_isS4(x)) {
    return box_list(p, at, name, x, class, depth);
  }
  return box_vector(p, at, name, x, depth);
}

// A map of one row: the names of x are its keys, its elements the values.
static node *plan_map(plan *p, const where *at, const char *name, SEXP x) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  if (Rf_xlength(x) > 0 && TYPEOF(names) != STRSXP) {
    fail_at(p, at, 0, 0, "a map needs names");
    return NULL;
  }
  for (R_xlen_t i = 0; i < Rf_xlength(x); i++) {
    if (STRING_ELT(names, i) == NA_STRING) {
      fail_at(p, at, 0, i + 1, "a map needs a name for each of its elements");
      return NULL;
    }
  }
  node *map = node_new(ARROW_MAP, name), *entries = node_new(ARROW_STRUCT, "entries");
  map->rows = 1;
  map->n_buffers = 2;
  map->size[1] = 8;
  map->write = write_row;
  set_children(map, 1);
  map->children[0] = entries;
  entries->rows = Rf_xlength(x);
  entries->nullable = false;
  entries->n_buffers = 1;
  set_children(entries, 2);
  SEXP keys = TYPEOF(names) == STRSXP ? names : PROTECT(Rf_allocVector(STRSXP, 0));
  keep(p, keys);
  if (keys != names) UNPROTECT(1);
  where key_at = {at, "names", 0, NULL, 0};
  entries->children[0] =
      plan_strings(p, &key_at, with_pieces(node_new(ARROW_UTF8, "key"), one(keys), 1, Rf_xlength(keys)));
  if (entries->children[0] == NULL) return NULL;
  entries->children[0]->nullable = false;
  node *value = plan_pieces(p, at, "value", one(x), 1, 2);
  if (value == NULL) return NULL;
  // The keys are the names.
  value->attributes = NULL;
  entries->children[1] = value;
  return plan_attributes(p, at, value, x, class_of(x).class, false) ? map : NULL;
}

static bool is_among(const char *name, SEXP maps) {
  for (R_xlen_t i = 0; i < Rf_xlength(maps); i++) {
    if (strcmp(name, Rf_translateCharUTF8(STRING_ELT(maps, i))) == 0) return true;
  }
  return false;
}

node *plan_row(plan *p, SEXP args, SEXP maps) {
  where root = {NULL, "", 0, NULL, 0};
  SEXP names = Rf_getAttrib(args, R_NamesSymbol);
  node *n = node_new(ARROW_STRUCT, "");
  n->rows = 1;
  set_children(n, (int)Rf_xlength(args));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = name_at(p, &root, names, i);
    if (name == NULL) return NULL;
    where at = {&root, name, i + 1, NULL, 0};
    SEXP x = VECTOR_ELT(args, i);
    bool map = x != R_NilValue && is_among(name, maps);
    n->children[i] = map ? plan_map(p, &at, name, x) : plan_box(p, &at, name, x, 1);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}
