// Nodes from the Arrow C data interface, which nanoarrow and all other Arrow packages
// of R hand out. Arrays may be slices of others.

#include "cdata.h"
#include "entries.h"
#include "node.h"

#include <stdlib.h>

enum { FLAG_ORDERED = 1, FLAG_NULLABLE = 2, FLAG_SORTED = 4 };

typedef struct ArrowSchema schema;
typedef struct ArrowArray array;

static const uint8_t *buffer_of(const mg_node *n, int i) {
  const array *a = n->array;
  return i < a->n_buffers ? a->buffers[i] : NULL;
}

static void copy_validity(mg_node *n, uint8_t *const to[]) {
  if (n->size[0] > 0) mg_copy_bits(to[0], buffer_of(n, 0), n->from, n->rows);
}

static void copy_values(mg_node *n, uint8_t *const to[]) {
  copy_validity(n, to);
  if (n->size[1] > 0) memcpy(to[1], buffer_of(n, 1) + n->from * n->per, (size_t)n->size[1]);
}

static void copy_bools(mg_node *n, uint8_t *const to[]) {
  copy_validity(n, to);
  if (n->rows > 0) mg_copy_bits(to[1], buffer_of(n, 1), n->from, n->rows);
}

// Offsets of `per` bytes, counted from the first row that is there.
static void copy_offsets(mg_node *n, uint8_t *const to[]) {
  copy_validity(n, to);
  const uint8_t *offsets = buffer_of(n, 1);
  bool large = n->per == 8;
  int64_t first = n->rows > 0 ? int_at(offsets, n->from, n->per, true) : 0;
  for (int64_t i = 0; i <= n->rows; i++) {
    int64_t offset = n->rows > 0 ? int_at(offsets, n->from + i, n->per, true) - first : 0;
    if (large) {
      store_i64(to[1] + 8 * i, offset);
    } else {
      store_i32(to[1] + 4 * i, (int32_t)offset);
    }
  }
  if (n->size[2] > 0) memcpy(to[2], buffer_of(n, 2) + first, (size_t)n->size[2]);
}

static void copy_union(mg_node *n, uint8_t *const to[]) {
  if (n->size[0] > 0) memcpy(to[0], buffer_of(n, 0) + n->from, (size_t)n->size[0]);
  if (n->n_buffers == 2 && n->size[1] > 0) memcpy(to[1], buffer_of(n, 1) + 4 * n->from, (size_t)n->size[1]);
}

static void *fail_type(mg_failure *f, const schema *s, const char *what) {
  return mg_fail(f, "the Arrow format \"%s\" of column \"%s\" %s", s->format, s->name == NULL ? "" : s->name, what);
}

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

// The formats of one letter.
static bool simple_type(mg_node *n, const char *format) {
  static const struct {
    char format;
    int type;
    int32_t width;
    bool is_signed;
  } types[] = {
      {'n', ARROW_NULL, 0, false},   {'b', ARROW_BOOL, 1, false},       {'c', ARROW_INT, 8, true},
      {'C', ARROW_INT, 8, false},    {'s', ARROW_INT, 16, true},        {'S', ARROW_INT, 16, false},
      {'i', ARROW_INT, 32, true},    {'I', ARROW_INT, 32, false},       {'l', ARROW_INT, 64, true},
      {'L', ARROW_INT, 64, false},   {'e', ARROW_FLOAT, 16, false},     {'f', ARROW_FLOAT, 32, false},
      {'g', ARROW_FLOAT, 64, false}, {'z', ARROW_BINARY, 0, false},     {'Z', ARROW_LARGE_BINARY, 0, false},
      {'u', ARROW_UTF8, 0, false},   {'U', ARROW_LARGE_UTF8, 0, false},
  };
  for (size_t i = 0; i < sizeof types / sizeof types[0] && format[1] == 0; i++) {
    if (types[i].format != format[0]) continue;
    n->type = types[i].type;
    n->width = types[i].width;
    n->is_signed = types[i].is_signed;
    return true;
  }
  return false;
}

static int unit_of(char letter) {
  const char *units = "smun", *found = letter == 0 ? NULL : strchr(units, letter);
  return found == NULL ? -1 : (int)(found - units);
}

static bool time_type(mg_node *n, const char *format) {
  n->width = 64;
  if (starts(format, "tdD") || starts(format, "tdm")) {
    n->type = ARROW_DATE;
    n->unit = format[2] == 'm';
    n->width = n->unit ? 64 : 32;
    return true;
  }
  if (starts(format, "ti")) {
    const char *units = "MDn", *found = format[2] == 0 ? NULL : strchr(units, format[2]);
    n->type = ARROW_INTERVAL;
    n->unit = found == NULL ? 0 : (int)(found - units);
    n->width = 32 << n->unit;
    return found != NULL;
  }
  n->unit = strlen(format) < 3 ? -1 : unit_of(format[2]);
  if (starts(format, "tt")) {
    n->type = ARROW_TIME;
    n->width = n->unit <= UNIT_MILLI ? 32 : 64;
  } else if (starts(format, "tD")) {
    n->type = ARROW_DURATION;
  } else if (starts(format, "ts") && format[2] != 0 && format[3] == ':') {
    n->type = ARROW_TIMESTAMP;
    n->zone = format[4] == 0 ? NULL : format + 4;
  } else {
    return false;
  }
  return n->unit >= 0;
}

static bool decimal_type(mg_node *n, const char *format) {
  char *end;
  n->type = ARROW_DECIMAL;
  n->width = 128;
  n->precision = (int32_t)strtol(format + 2, &end, 10);
  if (*end != ',') return false;
  n->scale = (int32_t)strtol(end + 1, &end, 10);
  if (*end == ',') n->width = (int32_t)strtol(end + 1, &end, 10);
  return *end == 0 && (n->width == 32 || n->width == 64 || n->width == 128 || n->width == 256);
}

static bool union_type(mg_node *n, const char *format, int64_t n_children) {
  n->type = ARROW_UNION;
  n->dense = format[2] == 'd';
  int32_t *codes = mg_alloc((size_t)n_children, sizeof *codes);
  char *at = (char *)(uintptr_t)(format + 4);
  for (int64_t i = 0; i < n_children; i++) {
    char *end;
    codes[i] = (int32_t)strtol(at, &end, 10);
    if (end == at) return false;
    at = *end == ',' ? end + 1 : end;
  }
  n->codes = codes;
  return *at == 0;
}

static bool nested_type(mg_node *n, const char *format, int64_t n_children) {
  if (strcmp(format, "+l") == 0) {
    n->type = ARROW_LIST;
  } else if (strcmp(format, "+L") == 0) {
    n->type = ARROW_LARGE_LIST;
  } else if (strcmp(format, "+s") == 0) {
    n->type = ARROW_STRUCT;
    return true;
  } else if (strcmp(format, "+m") == 0) {
    n->type = ARROW_MAP;
  } else if (starts(format, "+w:")) {
    n->type = ARROW_FIXED_LIST;
    n->width = (int32_t)strtol(format + 3, NULL, 10);
    if (n->width < 0) return false;
  } else if (starts(format, "+ud:") || starts(format, "+us:")) {
    return union_type(n, format, n_children);
  } else {
    return false;
  }
  return n_children == 1;
}

static bool read_format(mg_node *n, const schema *s) {
  const char *format = s->format;
  if (s->n_children < 0 || s->n_children > INT32_MAX / 16) return false;
  if (format[0] == '+') return nested_type(n, format, s->n_children);
  if (s->n_children != 0) return false;
  if (simple_type(n, format)) return true;
  if (format[0] == 't') return time_type(n, format);
  if (starts(format, "d:")) return decimal_type(n, format);
  if (!starts(format, "w:")) return false;
  n->type = ARROW_FIXED_BINARY;
  n->width = (int32_t)strtol(format + 2, NULL, 10);
  return n->width > 0;
}

static mg_node *node_of(mg_failure *f, const schema *s, const array *a, int64_t from, int64_t rows, int depth);

static bool lay_out_values(mg_node *n, int64_t width) {
  n->n_buffers = 2;
  n->per = width;
  n->size[1] = n->rows * width;
  n->write = copy_values;
  return true;
}

// Offsets, and how far they reach: a range of the child, or of the data.
static bool lay_out_offsets(mg_failure *f, mg_node *n, int64_t width, int64_t *first, int64_t *size) {
  const uint8_t *offsets = buffer_of(n, 1);
  *first = *size = 0;
  n->per = width;
  n->size[1] = (n->rows + 1) * width;
  n->write = copy_offsets;
  if (n->rows == 0) return true;
  if (offsets == NULL) return mg_fail(f, "column \"%s\" has no offsets", n->name);
  int64_t last = *first = int_at(offsets, n->from, width, true);
  for (int64_t i = 1; i <= n->rows; i++) {
    int64_t next = int_at(offsets, n->from + i, width, true);
    if (next < last || last < 0) return mg_fail(f, "the offsets of column \"%s\" fall", n->name);
    last = next;
  }
  *size = last - *first;
  return true;
}

static bool add_children(mg_failure *f, mg_node *n, const schema *s, int64_t from, int64_t rows, int depth) {
  const array *a = n->array;
  mg_set_children(n, (int)s->n_children);
  for (int i = 0; i < n->n_children; i++) {
    const array *child = a == NULL ? NULL : a->children[i];
    int64_t child_rows = n->dense && child != NULL ? child->length : rows;
    n->children[i] = node_of(f, s->children[i], child, from, child_rows, depth + 1);
    if (n->children[i] == NULL) return false;
  }
  return true;
}

static bool lay_out(mg_failure *f, mg_node *n, const schema *s, int depth) {
  int64_t first = 0, size = 0;
  switch (n->dictionary != NULL ? ARROW_INT : n->type) {
  case ARROW_NULL: return true;
  case ARROW_BOOL:
    n->n_buffers = 2;
    n->size[1] = bitmap_size(n->rows);
    n->write = copy_bools;
    return true;
  case ARROW_BINARY:
  case ARROW_UTF8:
  case ARROW_LARGE_BINARY:
  case ARROW_LARGE_UTF8:
    n->n_buffers = 3;
    if (!lay_out_offsets(f, n, is_large_type(n->type) ? 8 : 4, &first, &size)) return false;
    n->size[2] = size;
    return true;
  case ARROW_LIST:
  case ARROW_LARGE_LIST:
  case ARROW_MAP:
    n->n_buffers = 2;
    return lay_out_offsets(f, n, is_large_type(n->type) ? 8 : 4, &first, &size) &&
           add_children(f, n, s, first, size, depth);
  case ARROW_FIXED_LIST:
    n->n_buffers = 1;
    n->write = copy_validity;
    if (n->rows > MAX_ROWS / (n->width + 1)) return mg_fail(f, "column \"%s\" is too large", n->name);
    return add_children(f, n, s, n->from * n->width, n->rows * n->width, depth);
  case ARROW_STRUCT:
    n->n_buffers = 1;
    n->write = copy_validity;
    return add_children(f, n, s, n->from, n->rows, depth);
  case ARROW_UNION:
    n->n_buffers = n->dense ? 2 : 1;
    n->size[0] = n->rows;
    n->size[1] = n->dense ? 4 * n->rows : 0;
    n->write = copy_union;
    return add_children(f, n, s, n->dense ? 0 : n->from, n->rows, depth);
  case ARROW_FIXED_BINARY: return lay_out_values(n, n->width);
  default: return lay_out_values(n, n->width / 8);
  }
}

static void count_nulls(mg_node *n) {
  const array *a = n->array;
  if (n->type == ARROW_NULL && n->dictionary == NULL) {
    n->nulls = n->rows;
  } else if ((n->type != ARROW_UNION || n->dictionary != NULL) && a->null_count != 0 && buffer_of(n, 0) != NULL) {
    n->nulls = mg_count_unset(buffer_of(n, 0), n->from, n->rows);
    n->size[0] = n->nulls > 0 ? bitmap_size(n->rows) : 0;
  }
}

static bool check_array(mg_failure *f, const schema *s, const array *a, int64_t from, int64_t rows) {
  if (a->length < 0 || a->offset < 0 || a->length > MAX_ROWS || a->offset > MAX_ROWS || from < 0 || rows < 0 ||
      from > a->length || rows > a->length - from || a->n_children != s->n_children) {
    return mg_fail(f, "the array of column \"%s\" does not match its schema", s->name == NULL ? "" : s->name);
  }
  return true;
}

// The rows of `a` from its row `from` on; of a schema alone if it is NULL.
static mg_node *node_of(mg_failure *f, const schema *s, const array *a, int64_t from, int64_t rows, int depth) {
  if (depth > MAX_DEPTH) return fail_type(f, s, "is nested too deeply");
  mg_node *n = mg_node_new(0, s->name == NULL ? "" : s->name);
  if (!mg_is_utf8((const uint8_t *)n->name, strlen(n->name))) return fail_type(f, s, "has a name that is not UTF-8");
  if (!read_format(n, s)) return fail_type(f, s, "is not supported");
  n->nullable = (s->flags & FLAG_NULLABLE) != 0;
  n->ordered = (s->flags & FLAG_ORDERED) != 0;
  n->sorted = (s->flags & FLAG_SORTED) != 0;
  n->metadata = s->metadata;
  if (a != NULL && !check_array(f, s, a, from, rows)) return NULL;
  if (s->dictionary != NULL) {
    if (n->type != ARROW_INT) return fail_type(f, s, "cannot be the type of dictionary indices");
    const array *values = a == NULL ? NULL : a->dictionary;
    n->dictionary = node_of(f, s->dictionary, values, 0, values == NULL ? 0 : values->length, depth + 1);
    if (n->dictionary == NULL) return NULL;
  }
  if (a == NULL) return add_children(f, n, s, 0, 0, depth) ? n : NULL;
  n->array = a;
  n->from = a->offset + from;
  n->rows = rows;
  count_nulls(n);
  return lay_out(f, n, s, depth) ? n : NULL;
}

static void release_schema(SEXP pointer) {
  schema *s = R_ExternalPtrAddr(pointer);
  if (s == NULL) return;
  if (s->release != NULL) s->release(s);
  free(s);
  R_ClearExternalPtr(pointer);
}

static void release_array(SEXP pointer) {
  array *a = R_ExternalPtrAddr(pointer);
  if (a == NULL) return;
  if (a->release != NULL) a->release(a);
  free(a);
  R_ClearExternalPtr(pointer);
}

// A zeroed structure that R frees, whatever happens.
static void *owned(SEXP shelter, size_t size, R_CFinalizer_t release) {
  SEXP pointer = mg_keep(shelter, R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
  R_RegisterCFinalizer(pointer, release);
  void *p = calloc(1, size);
  if (p == NULL) Rf_error("there is not enough memory for an Arrow array");
  R_SetExternalPtrAddr(pointer, p);
  return p;
}

static void *fail_stream(mg_failure *f, struct ArrowArrayStream *in) {
  const char *why = in->get_last_error(in);
  return mg_fail(f, "its stream fails: %s", why == NULL ? "it does not say why" : why);
}

static mg_node *read_batches(mg_failure *f, struct ArrowArrayStream *in, SEXP shelter, mg_node ***batches,
                             R_xlen_t *n) {
  schema *s = owned(shelter, sizeof *s, release_schema);
  if (in->get_schema(in, s) != 0) return fail_stream(f, in);
  mg_node *root = node_of(f, s, NULL, 0, 0, 0);
  if (root == NULL) return NULL;
  R_xlen_t room = 0;
  for (*n = 0;; (*n)++) {
    array *a = owned(shelter, sizeof *a, release_array);
    if (in->get_next(in, a) != 0) return fail_stream(f, in);
    if (a->release == NULL) return root;
    mg_node *batch = node_of(f, s, a, 0, a->length, 0);
    if (batch != NULL && batch->nulls > 0) mg_fail(f, "a record cannot be null, as %.0f are", (double)batch->nulls);
    if (f->failed) return NULL;
    if (*n == room) {
      mg_node **more = mg_alloc((size_t)(2 * room + 8), sizeof *more);
      if (room > 0) memcpy(more, *batches, (size_t)room * sizeof *more);
      *batches = more;
      room = 2 * room + 8;
    }
    (*batches)[*n] = batch;
    R_CheckUserInterrupt();
  }
}

static void release_all(SEXP shelter) {
  for (SEXP p = VECTOR_ELT(shelter, 0); p != R_NilValue; p = CDR(p)) {
    SEXP pointer = CAR(p);
    if (CDR(p) == R_NilValue) {
      release_schema(pointer); // the first that was made
    } else {
      release_array(pointer);
    }
  }
}

SEXP mg_c_encode_arrow(SEXP pointer, SEXP header) {
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  struct ArrowArrayStream *in = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL;
  SEXP out = NULL;
  if (in == NULL || in->release == NULL) {
    mg_fail(&f, "the stream has been read or released already");
  } else {
    mg_node **batches = NULL;
    R_xlen_t n = 0;
    mg_node *root = read_batches(&f, in, shelter, &batches, &n);
    if (root != NULL) out = mg_encode(root, batches, n, header, R_NilValue, &f);
    PROTECT(out == NULL ? R_NilValue : out);
    release_all(shelter);
    UNPROTECT(1);
  }
  if (out == NULL) out = mg_failure_value(&f);
  UNPROTECT(1);
  return out;
}
