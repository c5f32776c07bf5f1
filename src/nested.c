// Lists, data frames, and with them any vector, to nodes.

#include "plan.h"

// What an object of a class that is not known here is sent as; NULL after a failure.
SEXP mg_sent(mg_plan *p, const mg_path *at, SEXP x) {
  if (!Rf_isObject(x) || p->send_as == R_NilValue) return x;
  mg_class class = mg_class_of(x);
  if (!class.derived && !Rf_isS4(x)) return x;
  SEXP quoted = PROTECT(Rf_lang2(R_QuoteSymbol, x));
  SEXP call = PROTECT(Rf_lang2(p->send_as, quoted));
  SEXP out = PROTECT(Rf_eval(call, R_BaseEnv));
  if (out != x) mg_keep(p->shelter, out);
  UNPROTECT(3);
  if (out == R_NilValue) mg_fail_at(p, at, 0, 0, "the method of mangoro_send_as() for its class returned NULL");
  return out == R_NilValue ? NULL : out;
}

// The lists of a node with their elements as they are sent.
static bool send_elements(mg_plan *p, const mg_path *at, mg_node *n) {
  SEXP *lists = NULL;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    SEXP list = n->chunks[i];
    for (R_xlen_t k = 0; k < Rf_xlength(list); k++) {
      SEXP x = VECTOR_ELT(list, k), out = mg_sent(p, at, x);
      if (out == NULL) return false;
      if (out == x) continue;
      if (list == n->chunks[i]) list = mg_keep(p->shelter, Rf_shallow_duplicate(list));
      SET_VECTOR_ELT(list, k, out);
    }
    if (list == n->chunks[i]) continue;
    if (lists == NULL) {
      lists = mg_alloc((size_t)n->n_chunks, sizeof *lists);
      memcpy(lists, n->chunks, (size_t)n->n_chunks * sizeof *lists);
    }
    lists[i] = list;
  }
  if (lists != NULL) n->chunks = lists;
  return true;
}

// The elements of all lists that are not NULL, one after the other.
static const SEXP *elements_of(const mg_node *n, R_xlen_t *count) {
  SEXP *elements = mg_alloc((size_t)n->rows, sizeof *elements);
  *count = 0;
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    for (R_xlen_t k = 0; k < Rf_xlength(n->chunks[i]); k++) {
      SEXP x = VECTOR_ELT(n->chunks[i], k);
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

static mg_node *plan_list(mg_plan *p, const mg_path *at, mg_node *n, mg_class class, int depth) {
  R_xlen_t count;
  if (class.class == CLASS_BLOB && !has_ptype(n->chunks[0])) {
    return mg_fail_at(p, at, 0, 0, "it is a blob whose attribute \"ptype\" is not raw()");
  }
  if (!send_elements(p, at, n)) return NULL;
  const SEXP *elements = elements_of(n, &count);
  n->nulls = n->rows - count;
  if ((count > 0 || class.class == CLASS_BLOB || class.class == CLASS_DYNAMIC) && all_raw(elements, count)) {
    int64_t bytes;
    if (!mg_count_rows(p, at, elements, count, &bytes)) return NULL;
    n->class.class = class.class;
    return mg_node_offsets(n, bytes > INT32_MAX ? ARROW_LARGE_BINARY : ARROW_BINARY, 3, bytes, mg_write_binaries);
  }
  if (class.class == CLASS_BLOB) {
    return mg_fail_at(p, at, 0, 0, "it is a blob with elements that are not raw vectors without attributes");
  }
  mg_path inside = path_elements(at, n);
  mg_set_children(n, 1);
  mg_node *child = n->children[0] = mg_plan_chunks(p, &inside, "item", elements, count, depth + 1);
  if (child == NULL) return NULL;
  return mg_node_offsets(n, child->rows > INT32_MAX ? ARROW_LARGE_LIST : ARROW_LIST, 2, 0, mg_write_lists);
}

static void *refuse(mg_plan *p, const mg_path *at, SEXP x) {
  SEXP class = Rf_getAttrib(x, R_ClassSymbol);
  if (TYPEOF(class) != STRSXP || Rf_xlength(class) == 0) {
    return mg_fail_at(p, at, 0, 0, "a value of type \"%s\" cannot be carried", Rf_type2char((SEXPTYPE)TYPEOF(x)));
  }
  bool lt = Rf_inherits(x, "POSIXlt");
  return mg_fail_at(p, at, 0, 0, "an object of class \"%s\" cannot be carried; %s", CHAR(STRING_ELT(class, 0)),
                    lt ? "as.POSIXct() converts it" : "a method of mangoro_send_as() can say how it is sent");
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
  return has_dims(x) ? INTEGER_RO(Rf_getAttrib(x, R_DimSymbol))[0] : mg_chunk_rows(x);
}

// The attributes of a matrix but for the number of its rows.
static SEXP attributes_but_rows(SEXP x) {
  SEXP all = PROTECT(mg_attributes_of(x));
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
  SEXP copy = PROTECT(Rf_allocVector((SEXPTYPE)TYPEOF(x), Rf_xlength(x)));
  Rf_copyVector(copy, x);
  SEXP dim = PROTECT(Rf_allocVector(INTSXP, 2));
  INTEGER(dim)[0] = (int)rows;
  INTEGER(dim)[1] = (int)columns;
  Rf_setAttrib(copy, R_DimSymbol, dim);
  SEXP turned = PROTECT(mg_call("t.default", copy));
  Rf_setAttrib(turned, R_DimSymbol, R_NilValue);
  UNPROTECT(3);
  return turned;
}

static mg_node *plan_matrix(mg_plan *p, const mg_path *at, const char *name, const SEXP *chunks, R_xlen_t n,
                            int depth) {
  mg_node *matrix = mg_with_chunks(mg_node_new(ARROW_FIXED_LIST, name), chunks, n, 0);
  SEXP *turned = mg_alloc((size_t)n, sizeof *turned);
  int64_t columns = -1;
  for (R_xlen_t i = 0; i < n; i++) {
    SEXP x = chunks[i];
    mg_class class = mg_class_of(x);
    int64_t rows = rows_as_column(x), size = Rf_xlength(x);
    if (class.class != CLASS_NONE || rows == 0 || size == 0 || (columns >= 0 && columns != size / rows)) {
      return mg_fail_at(p, at, i, 0,
                        "a matrix in a data frame needs rows, columns and no class, and all must have as many columns");
    }
    if (i > 0 && !alike_but_rows(x, chunks[0])) {
      return mg_fail_at(p, at, i, 0, "its attributes differ from those of the matrices before it");
    }
    columns = size / rows;
    matrix->rows += rows;
    turned[i] = mg_keep(p->shelter, by_row(x, (R_xlen_t)rows, (R_xlen_t)columns));
  }
  if (columns > INT32_MAX) return mg_fail_at(p, at, 0, 0, "the matrix has too many columns");
  matrix->width = (int32_t)columns;
  matrix->class.class = CLASS_MATRIX;
  matrix->class.as_is = mg_class_of(chunks[0]).as_is;
  matrix->n_buffers = 1;
  mg_set_children(matrix, 1);
  matrix->children[0] = mg_plan_chunks(p, at, "item", turned, n, depth + 1);
  if (matrix->children[0] == NULL) return NULL;
  mg_class class = {CLASS_MATRIX, false, mg_class_of(chunks[0]).derived};
  return mg_plan_attributes(p, at, matrix, chunks[0], class, true) ? matrix : NULL;
}

// Column i of all chunks.
static mg_node *plan_frame_column(mg_plan *p, const mg_path *at, const mg_node *frame, R_xlen_t i, int depth) {
  SEXP names = Rf_getAttrib(frame->chunks[0], R_NamesSymbol);
  const char *name = mg_name_at(p, at, names, i);
  if (name == NULL) return NULL;
  mg_path inside = path_part(at, name, i);
  SEXP *columns = mg_alloc((size_t)frame->n_chunks, sizeof *columns);
  for (R_xlen_t k = 0; k < frame->n_chunks; k++) {
    columns[k] = mg_sent(p, &inside, VECTOR_ELT(frame->chunks[k], i));
    if (columns[k] == NULL) return NULL;
    if (columns[k] == R_NilValue) return mg_fail_at(p, &inside, k, 0, "the column is NULL");
    if (mg_class_of(columns[k]).class == CLASS_UNKNOWN || !is_vector(columns[k])) return refuse(p, &inside, columns[k]);
    if (rows_as_column(columns[k]) != mg_chunk_rows(frame->chunks[k])) {
      return mg_fail_at(p, &inside, k, 0, "the column has %.0f rows, but the data frame has %.0f",
                        (double)rows_as_column(columns[k]), (double)mg_chunk_rows(frame->chunks[k]));
    }
  }
  if (has_dims(columns[0])) return plan_matrix(p, &inside, name, columns, frame->n_chunks, depth);
  return mg_plan_chunks(p, &inside, name, columns, frame->n_chunks, depth + 1);
}

static bool is_whole_frame(SEXP x) {
  return TYPEOF(Rf_getAttrib(x, R_NamesSymbol)) == STRSXP && Rf_getAttrib(x, R_RowNamesSymbol) != R_NilValue;
}

static mg_node *plan_frame(mg_plan *p, const mg_path *at, mg_node *n, mg_class class, int depth) {
  R_xlen_t columns = Rf_xlength(n->chunks[0]);
  if (!is_whole_frame(n->chunks[0])) {
    return mg_fail_at(p, at, 0, 0, "it is a data frame without names or without row names");
  }
  if (columns > INT32_MAX / 16) return mg_fail_at(p, at, 0, 0, "it has too many columns");
  for (R_xlen_t i = 0; i < n->n_chunks; i++) {
    SEXP nil = mg_nil_rows(n->chunks[i]);
    if (nil == R_NilValue) continue;
    if (TYPEOF(nil) != LGLSXP || Rf_xlength(nil) != mg_chunk_rows(n->chunks[i])) {
      return mg_fail_at(p, at, i, 0, "its attribute \"mangoro_nil\" is not a logical value for each row");
    }
    n->size[0] = bitmap_size(n->rows);
    n->write = mg_write_structs;
  }
  n->type = ARROW_STRUCT;
  n->n_buffers = 1;
  n->class.class = class.class == CLASS_DATA_FRAME ? CLASS_NONE : class.class;
  mg_set_children(n, (int)columns);
  for (R_xlen_t i = 0; i < columns; i++) {
    n->children[i] = plan_frame_column(p, at, n, i, depth);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}

// A map has keys and values: a list of vectors and their names. NULL is none.
static mg_node *plan_maps(mg_plan *p, const mg_path *at, mg_node *n, int depth) {
  R_xlen_t count;
  if (!send_elements(p, at, n)) return NULL;
  const SEXP *elements = elements_of(n, &count);
  SEXP *keys = mg_alloc((size_t)count, sizeof *keys), *values = mg_alloc((size_t)count, sizeof *values);
  for (R_xlen_t i = 0; i < count; i++) {
    keys[i] = Rf_getAttrib(elements[i], R_NamesSymbol);
    if (keys[i] == R_NilValue && Rf_xlength(elements[i]) == 0) keys[i] = Rf_allocVector(STRSXP, 0);
    if (TYPEOF(keys[i]) != STRSXP) return mg_fail_at(p, at, i, 0, "a map needs names");
    mg_keep(p->shelter, keys[i]);
    values[i] = mg_keep(p->shelter, Rf_shallow_duplicate(elements[i]));
    Rf_setAttrib(values[i], R_NamesSymbol, R_NilValue);
  }
  mg_node *entries = mg_node_new(ARROW_STRUCT, "entries");
  if (!mg_count_rows(p, at, keys, count, &entries->rows)) return NULL;
  if (entries->rows > INT32_MAX) return mg_fail_at(p, at, 0, 0, "its maps have too many values");
  entries->nullable = false;
  entries->n_buffers = 1;
  mg_set_children(entries, 2);
  mg_path inside = path_elements(at, n), key_at = path_part(&inside, "names", 0);
  mg_node *key = mg_with_chunks(mg_node_new(ARROW_UTF8, "key"), keys, count, entries->rows);
  entries->children[0] = mg_plan_strings(p, &key_at, key);
  if (entries->children[0] == NULL) return NULL;
  if (key->nulls > 0) return mg_fail_at(p, at, 0, 0, "a map needs a name for each of its elements");
  key->nullable = false;
  entries->children[1] = mg_plan_chunks(p, &inside, "value", values, count, depth + 1);
  if (entries->children[1] == NULL) return NULL;
  n->class.class = CLASS_NONE;
  n->nulls = n->rows - count;
  mg_set_children(n, 1);
  n->children[0] = entries;
  return mg_node_offsets(n, ARROW_MAP, 2, 0, mg_write_lists);
}

static bool is_number(SEXP x) { return TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP; }

static mg_node *plan_vector(mg_plan *p, const mg_path *at, mg_node *n, mg_class class, int depth) {
  SEXP x = n->chunks[0];
  int type = TYPEOF(x);
  switch (class.class) {
  case CLASS_NONE:
    switch (type) {
    case LGLSXP:
      n->type = ARROW_BOOL;
      n->n_buffers = 2;
      n->size[0] = n->size[1] = bitmap_size(n->rows);
      n->write = mg_write_bools;
      return n;
    case INTSXP: return mg_plan_ints(n);
    case REALSXP: return mg_node_numeric(n, ARROW_FLOAT, 64, mg_write_doubles);
    case STRSXP: return mg_plan_strings(p, at, n);
    case CPLXSXP: return mg_plan_complex(n);
    case VECSXP: return plan_list(p, at, n, class, depth);
    case RAWSXP:
      n->class.class = CLASS_RAW;
      mg_node_numeric(n, ARROW_INT, 8, mg_write_raws);
      n->is_signed = false;
      n->size[0] = 0;
      return n;
    default: return refuse(p, at, x);
    }
  case CLASS_DATE: return is_number(x) ? mg_plan_dates(n) : refuse(p, at, x);
  case CLASS_POSIXCT: return is_number(x) ? mg_plan_datetimes(p, at, n) : refuse(p, at, x);
  case CLASS_DIFFTIME: return is_number(x) ? mg_plan_differences(p, at, n) : refuse(p, at, x);
  case CLASS_HMS: return is_number(x) ? mg_plan_times_of_day(n) : refuse(p, at, x);
  case CLASS_INTEGER64:
    if (type != REALSXP) return refuse(p, at, x);
    n->class.class = CLASS_INTEGER64; // others of 64 bits are as R counts
    return mg_node_numeric(n, ARROW_INT, 64, mg_write_int64s);
  case CLASS_FACTOR:
  case CLASS_ORDERED: return type == INTSXP ? mg_plan_factor(p, at, n, class) : refuse(p, at, x);
  case CLASS_DYNAMIC:
  case CLASS_BLOB: return type == VECSXP ? plan_list(p, at, n, class, depth) : refuse(p, at, x);
  case CLASS_DATA_FRAME:
  case CLASS_TBL_DF:
  case CLASS_DATA_TABLE: return type == VECSXP ? plan_frame(p, at, n, class, depth) : refuse(p, at, x);
  case CLASS_MAPS: return type == VECSXP ? plan_maps(p, at, n, depth) : refuse(p, at, x);
  default: return refuse(p, at, x);
  }
}

// The attributes that must be the same in all elements of a list.
static SEXP common_attributes(SEXP x, mg_class class) {
  SEXP all = PROTECT(mg_attributes_of(x));
  SEXP names = Rf_getAttrib(all, R_NamesSymbol);
  bool whole = true;
  for (R_xlen_t i = 0; i < Rf_xlength(all); i++) {
    const char *name = CHAR(STRING_ELT(names, i));
    SEXP value = VECTOR_ELT(all, i);
    bool left = mg_is_left_behind(name, value, class);
    bool own = (strcmp(name, "row.names") == 0 && mg_is_automatic(value)) || mg_is_cache(name, class);
    if (left || own) SET_VECTOR_ELT(all, i, R_NilValue);
    whole = whole && !left;
  }
  for (R_xlen_t i = 0; !whole && i < Rf_xlength(all); i++) {
    if (strcmp(CHAR(STRING_ELT(names, i)), "class") == 0) SET_VECTOR_ELT(all, i, R_NilValue);
  }
  UNPROTECT(1);
  return all;
}

static bool all_alike(mg_plan *p, const mg_path *at, const SEXP *chunks, R_xlen_t n, mg_class class) {
  if (n < 2) return true;
  SEXP first = chunks[0];
  bool has = HAS_ATTRIBUTES(first);
  SEXP all = PROTECT(has ? common_attributes(first, class) : R_NilValue);
  R_xlen_t i = 1;
  for (; i < n; i++) {
    if (TYPEOF(chunks[i]) != TYPEOF(first) || HAS_ATTRIBUTES(chunks[i]) != has) break;
    if (has) {
      SEXP other = PROTECT(common_attributes(chunks[i], class));
      bool same = R_compute_identical(all, other, 16);
      UNPROTECT(1);
      if (!same) break;
    }
    if (is_frame_class(class.class) && Rf_xlength(chunks[i]) != Rf_xlength(first)) break;
  }
  UNPROTECT(1);
  return i == n || mg_fail_at(p, at, i, 0, "its type or attributes differ from those of the elements before it");
}

mg_node *mg_plan_chunks(mg_plan *p, const mg_path *at, const char *name, const SEXP *chunks, R_xlen_t n, int depth) {
  if (depth > MAX_DEPTH - 4) return mg_fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
  if (n == 0 || chunks[0] == R_NilValue) return mg_node_new(ARROW_NULL, name);
  mg_class class = mg_class_of(chunks[0]);
  if (Rf_isS4(chunks[0])) return refuse(p, at, chunks[0]);
  mg_node *out = mg_with_chunks(mg_node_new(0, name), chunks, n, 0);
  if (!all_alike(p, at, chunks, n, class) || !mg_count_rows(p, at, chunks, n, &out->rows)) return NULL;
  out->class.as_is = class.as_is;
  if (plan_vector(p, at, out, class, depth) == NULL) return NULL;
  return mg_plan_attributes(p, at, out, chunks[0], class, true) ? out : NULL;
}
