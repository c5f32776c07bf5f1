// Lists, data frames, and with them any vector, to nodes.

#include "plan.h"

// What an object of a class that is not known here is sent as; NULL after a failure.
SEXP sent(plan *p, const where *at, SEXP x) {
  if (!Rf_isObject(x) || p->send_as == R_NilValue) return x;
  r_class class = class_of(x);
  if (!class.derived && !Rf_isS4(x)) return x;
  SEXP quoted = PROTECT(Rf_lang2(R_QuoteSymbol, x));
  SEXP call = PROTECT(Rf_lang2(p->send_as, quoted));
  SEXP out = PROTECT(Rf_eval(call, R_BaseEnv));
  if (out != x) keep(p, out);
  UNPROTECT(3);
  if (out == R_NilValue) fail_at(p, at, 0, 0, "the method of mangoro_send_as() for its class gave NULL");
  return out == R_NilValue ? NULL : out;
}

// The lists of a node with their elements as they are sent.
static bool send_elements(plan *p, const where *at, node *n) {
  SEXP *lists = NULL;
  for (R_xlen_t i = 0; i < n->n_pieces; i++) {
    SEXP list = n->pieces[i];
    for (R_xlen_t k = 0; k < Rf_xlength(list); k++) {
      SEXP x = VECTOR_ELT(list, k), out = sent(p, at, x);
      if (out == NULL) return false;
      if (out == x) continue;
      if (list == n->pieces[i]) {
        list = Rf_shallow_duplicate(list);
        keep(p, list);
      }
      SET_VECTOR_ELT(list, k, out);
    }
    if (list == n->pieces[i]) continue;
    if (lists == NULL) {
      lists = take((size_t)n->n_pieces, sizeof *lists);
      memcpy(lists, n->pieces, (size_t)n->n_pieces * sizeof *lists);
    }
    lists[i] = list;
  }
  if (lists != NULL) n->pieces = lists;
  return true;
}

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

// Without its prototype a blob would come back as another object.
static bool has_ptype(SEXP blob) {
  SEXP ptype = Rf_getAttrib(blob, Rf_install("ptype"));
  return TYPEOF(ptype) == RAWSXP && Rf_xlength(ptype) == 0 && !HAS_ATTRIBUTES(ptype);
}

static node *plan_list(plan *p, const where *at, node *n, r_class class, int depth) {
  R_xlen_t count;
  if (class.class == CLASS_BLOB && !has_ptype(n->pieces[0])) {
    fail_at(p, at, 0, 0, "it is a blob whose attribute \"ptype\" is not raw()");
    return NULL;
  }
  if (!send_elements(p, at, n)) return NULL;
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

static node *refuse(plan *p, const where *at, SEXP x) {
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  if (TYPEOF(class) == STRSXP && Rf_xlength(class) > 0) {
    const char *name = CHAR(STRING_ELT(class, 0));
    const char *advice = "a method of mangoro_send_as() says how it is sent";
    if (Rf_inherits(x, "POSIXlt")) advice = "as.POSIXct() makes a time of it";
    fail_at(p, at, 0, 0, "an object of class \"%s\" cannot be carried; %s", name, advice);
  } else {
    fail_at(p, at, 0, 0, "a value of type \"%s\" cannot be carried", Rf_type2char((SEXPTYPE)TYPEOF(x)));
  }
  return NULL;
}

static bool is_vector(SEXP x) {
  switch (TYPEOF(x)) {
  case LGLSXP:
  case INTSXP:
  case REALSXP:
  case STRSXP:
  case CPLXSXP:
  case RAWSXP:
  case VECSXP: return !Rf_isS4(x);
  default: return false;
  }
}

static bool has_dims(SEXP x) { return Rf_xlength(Rf_getAttrib(x, R_DimSymbol)) >= 2; }

static int64_t rows_as_column(SEXP x) {
  return has_dims(x) ? INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[0] : piece_rows(x);
}

// The attributes of a matrix but for the number of its rows.
static SEXP attributes_but_rows(SEXP x) {
  SEXP all = PROTECT(attributes_of(x));
  SEXP names = Rf_getAttrib(all, R_NamesSymbol);
  for (R_xlen_t i = 0; i < Rf_xlength(all); i++) {
    if (strcmp(CHAR(STRING_ELT(names, i)), "dim") != 0) continue;
    SEXP dim = Rf_duplicate(VECTOR_ELT(all, i));
    SET_VECTOR_ELT(all, i, dim);
    INTEGER(dim)[0] = 0;
  }
  UNPROTECT(1);
  return all;
}

static bool alike_but_rows(SEXP x, SEXP y) {
  SEXP a = PROTECT(attributes_but_rows(x)), b = PROTECT(attributes_but_rows(y));
  bool alike = R_compute_identical(a, b, 16);
  UNPROTECT(2);
  return alike;
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
    if (i > 0 && !alike_but_rows(x, pieces[0])) {
      fail_at(p, at, i, 0, "it has other attributes than the matrices before it");
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
  r_class class = {CLASS_MATRIX, false, class_of(pieces[0]).derived};
  return plan_attributes(p, at, matrix, pieces[0], class, true) ? matrix : NULL;
}

// Column i of all pieces.
static node *plan_frame_column(plan *p, const where *at, const node *frame, R_xlen_t i, int depth) {
  SEXP names = Rf_getAttrib(frame->pieces[0], R_NamesSymbol);
  const char *name = name_at(p, at, names, i);
  if (name == NULL) return NULL;
  where inside = {at, name, i + 1, NULL, 0};
  SEXP *columns = take((size_t)frame->n_pieces, sizeof *columns);
  for (R_xlen_t k = 0; k < frame->n_pieces; k++) {
    columns[k] = sent(p, &inside, VECTOR_ELT(frame->pieces[k], i));
    if (columns[k] == NULL) return NULL;
    if (columns[k] == R_NilValue) {
      fail_at(p, &inside, k, 0, "the column is NULL");
      return NULL;
    }
    if (class_of(columns[k]).class == CLASS_UNKNOWN || !is_vector(columns[k])) return refuse(p, &inside, columns[k]);
    if (rows_as_column(columns[k]) != piece_rows(frame->pieces[k])) {
      fail_at(p, &inside, k, 0, "the column has %.0f rows, and the data frame %.0f", (double)rows_as_column(columns[k]),
              (double)piece_rows(frame->pieces[k]));
      return NULL;
    }
  }
  if (has_dims(columns[0])) return plan_matrix(p, &inside, name, columns, frame->n_pieces, depth);
  return plan_pieces(p, &inside, name, columns, frame->n_pieces, depth + 1);
}

static bool is_whole_frame(SEXP x) {
  return TYPEOF(Rf_getAttrib(x, R_NamesSymbol)) == STRSXP && Rf_getAttrib(x, R_RowNamesSymbol) != R_NilValue;
}

static node *plan_frame(plan *p, const where *at, node *n, r_class class, int depth) {
  R_xlen_t columns = Rf_xlength(n->pieces[0]);
  if (!is_whole_frame(n->pieces[0])) {
    fail_at(p, at, 0, 0, "it is a data frame without names or without row names");
    return NULL;
  }
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

// A map has keys and values: a list of vectors and their names. NULL is none.
static node *plan_maps(plan *p, const where *at, node *n, int depth) {
  R_xlen_t count;
  if (!send_elements(p, at, n)) return NULL;
  const SEXP *elements = elements_of(n, &count);
  SEXP *keys = take((size_t)count, sizeof *keys), *values = take((size_t)count, sizeof *values);
  for (R_xlen_t i = 0; i < count; i++) {
    keys[i] = Rf_getAttrib(elements[i], R_NamesSymbol);
    if (keys[i] == R_NilValue && Rf_xlength(elements[i]) == 0) keys[i] = Rf_allocVector(STRSXP, 0);
    if (TYPEOF(keys[i]) != STRSXP) {
      fail_at(p, at, i, 0, "a map needs names");
      return NULL;
    }
    keep(p, keys[i]);
    values[i] = Rf_shallow_duplicate(elements[i]);
    keep(p, values[i]);
    Rf_setAttrib(values[i], R_NamesSymbol, R_NilValue);
  }
  node *entries = node_new(ARROW_STRUCT, "entries");
  if (!count_rows(p, at, keys, count, &entries->rows)) return NULL;
  if (entries->rows > INT32_MAX) {
    fail_at(p, at, 0, 0, "its maps have too many values");
    return NULL;
  }
  entries->nullable = false;
  entries->n_buffers = 1;
  set_children(entries, 2);
  where inside = {at, NULL, 0, n->pieces, n->n_pieces}, key_at = {&inside, "names", 0, NULL, 0};
  node *key = with_pieces(node_new(ARROW_UTF8, "key"), keys, count, entries->rows);
  entries->children[0] = plan_strings(p, &key_at, key);
  if (entries->children[0] == NULL) return NULL;
  if (key->nulls > 0) {
    fail_at(p, at, 0, 0, "a map needs a name for each of its elements");
    return NULL;
  }
  key->nullable = false;
  entries->children[1] = plan_pieces(p, &inside, "value", values, count, depth + 1);
  if (entries->children[1] == NULL) return NULL;
  n->type = ARROW_MAP;
  n->class.class = CLASS_NONE;
  n->nulls = n->rows - count;
  n->n_buffers = 2;
  n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  n->size[1] = (n->rows + 1) * 4;
  n->write = write_lists;
  set_children(n, 1);
  n->children[0] = entries;
  return n;
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
  case CLASS_POSIXCT: return is_number(x) ? plan_datetimes(p, at, n) : refuse(p, at, x);
  case CLASS_DIFFTIME: return is_number(x) ? plan_differences(p, at, n) : refuse(p, at, x);
  case CLASS_HMS: return is_number(x) ? plan_times_of_day(n) : refuse(p, at, x);
  case CLASS_INTEGER64: return type == REALSXP ? numeric(n, ARROW_INT, 64, write_int64s) : refuse(p, at, x);
  case CLASS_FACTOR:
  case CLASS_ORDERED: return type == INTSXP ? plan_factor(p, at, n, class) : refuse(p, at, x);
  case CLASS_BLOB: return type == VECSXP ? plan_list(p, at, n, class, depth) : refuse(p, at, x);
  case CLASS_DATA_FRAME:
  case CLASS_TBL_DF:
  case CLASS_DATA_TABLE: return type == VECSXP ? plan_frame(p, at, n, class, depth) : refuse(p, at, x);
  case CLASS_MAPS: return type == VECSXP ? plan_maps(p, at, n, depth) : refuse(p, at, x);
  default: return refuse(p, at, x);
  }
}

// The attributes that must be the same in all elements of a list.
static SEXP common_attributes(SEXP x, r_class class) {
  SEXP all = PROTECT(attributes_of(x));
  SEXP names = Rf_getAttrib(all, R_NamesSymbol);
  bool whole = true;
  for (R_xlen_t i = 0; i < Rf_xlength(all); i++) {
    const char *name = CHAR(STRING_ELT(names, i));
    SEXP value = VECTOR_ELT(all, i);
    bool left = is_left_behind(name, value, class);
    bool own = (strcmp(name, "row.names") == 0 && is_automatic(value)) || is_cache(name, class);
    if (left || own) SET_VECTOR_ELT(all, i, R_NilValue);
    whole = whole && !left;
  }
  for (R_xlen_t i = 0; !whole && i < Rf_xlength(all); i++) {
    if (strcmp(CHAR(STRING_ELT(names, i)), "class") == 0) SET_VECTOR_ELT(all, i, R_NilValue);
  }
  UNPROTECT(1);
  return all;
}

static bool all_alike(plan *p, const where *at, const SEXP *pieces, R_xlen_t n, r_class class) {
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
    if (is_frame_class(class.class) && Rf_xlength(pieces[i]) != Rf_xlength(first)) break;
  }
  UNPROTECT(1);
  return i == n || fail_at(p, at, i, 0, "it is of another type than the elements before it, or has other attributes");
}

node *plan_pieces(plan *p, const where *at, const char *name, const SEXP *pieces, R_xlen_t n, int depth) {
  if (depth > MAX_DEPTH - 4) {
    fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
    return NULL;
  }
  if (n == 0 || pieces[0] == R_NilValue) return node_new(ARROW_NULL, name);
  r_class class = class_of(pieces[0]);
  if (Rf_isS4(pieces[0])) return refuse(p, at, pieces[0]);
  node *out = with_pieces(node_new(0, name), pieces, n, 0);
  if (!all_alike(p, at, pieces, n, class) || !count_rows(p, at, pieces, n, &out->rows)) return NULL;
  out->class.as_is = class.as_is;
  if (plan_vector(p, at, out, class, depth) == NULL) return NULL;
  return plan_attributes(p, at, out, pieces[0], class, true) ? out : NULL;
}
