// A stream that came in: its messages and the fields of its schema.

#include "any.h"

enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY = 2, HEADER_RECORDS = 3, VERSION_4 = 3, VERSION_5 = 4 };

const char *arrow_type_name(int type) {
  static const char *const names[] = {"none",
                                      "null",
                                      "int",
                                      "float",
                                      "binary",
                                      "utf8",
                                      "bool",
                                      "decimal",
                                      "date",
                                      "time",
                                      "timestamp",
                                      "interval",
                                      "list",
                                      "struct",
                                      "union",
                                      "fixed-size binary",
                                      "fixed-size list",
                                      "map",
                                      "duration",
                                      "large binary",
                                      "large utf8",
                                      "large list",
                                      "run-end encoded",
                                      "binary view",
                                      "utf8 view",
                                      "list view",
                                      "large list view"};
  return type >= 0 && type <= ARROW_LARGE_LIST_VIEW ? names[type] : "unknown";
}

void shelter(stream *s, SEXP x) {
  PROTECT(x);
  SET_VECTOR_ELT(s->shelter, 0, Rf_cons(x, VECTOR_ELT(s->shelter, 0)));
  UNPROTECT(1);
}

static const char *bytes_of(vector v) { return v.flat == NULL ? "" : (const char *)v.flat->data + v.pos; }

static bool check_text(stream *s, vector v, const char *what) {
  const char *text = bytes_of(v);
  return (is_utf8((const uint8_t *)text, v.n) && memchr(text, 0, v.n) == NULL && v.n <= INT32_MAX) ||
         fail(s->failure, "%s is not UTF-8 text", what);
}

static SEXP text_value(stream *s, vector v, const char *what) {
  if (!check_text(s, v, what)) return R_BlankString;
  return Rf_mkCharLenCE(bytes_of(v), (int)v.n, CE_UTF8);
}

static bool is_key(vector v, const char *key) { return v.n == strlen(key) && memcmp(bytes_of(v), key, v.n) == 0; }

static bool read_pairs(stream *s, vector pairs, r_class *class, SEXP *attributes) {
  if (attributes != NULL) *attributes = NULL;
  for (size_t i = 0; i < pairs.n; i++) {
    table t = vector_table(pairs, i);
    vector key = table_text(t, 0), value = table_text(t, 1);
    if (s->failure->failed) return false;
    if (key.flat == NULL || value.flat == NULL) return fail(s->failure, "its metadata has no key or no value");
    if (s->any || attributes == NULL) continue;
    if (is_key(key, "r.class")) {
      *class = class_from(bytes_of(value), value.n);
      if (class->class == CLASS_UNKNOWN) return fail(s->failure, "its r.class is not known");
    } else if (is_key(key, "r.attributes")) {
      if (!check_text(s, value, "r.attributes")) return false;
      *attributes = read_attributes(s->failure, bytes_of(value));
      if (*attributes == NULL) return false;
      shelter(s, *attributes);
    }
  }
  return !s->failure->failed;
}

// Whether a class can be that of a type.
static bool class_fits(const field *f) {
  bool float64 = f->type == ARROW_FLOAT && f->width == 8;
  switch (f->class.class) {
  case CLASS_NONE: return true;
  case CLASS_DATE: return float64 || f->type == ARROW_DATE;
  case CLASS_POSIXCT: return float64 || f->type == ARROW_TIMESTAMP;
  case CLASS_HMS: return float64 || f->type == ARROW_TIME;
  case CLASS_DIFFTIME: return float64 || f->type == ARROW_DURATION;
  case CLASS_INTEGER64: return f->type == ARROW_INT && f->width == 8;
  case CLASS_RAW: return f->type == ARROW_INT && f->width == 1 && !f->is_signed;
  case CLASS_COMPLEX:
    return f->type == ARROW_FIXED_LIST && f->width == 2 && f->children[0]->type == ARROW_FLOAT &&
           f->children[0]->width == 8 && f->children[0]->dictionary == NULL;
  case CLASS_BLOB: return f->type == ARROW_BINARY || f->type == ARROW_LARGE_BINARY || f->type == ARROW_FIXED_BINARY;
  case CLASS_DATA_FRAME:
  case CLASS_TBL_DF:
  case CLASS_DATA_TABLE: return f->type == ARROW_STRUCT;
  case CLASS_LIST: return f->type == ARROW_LIST || f->type == ARROW_LARGE_LIST;
  case CLASS_MATRIX:
    return f->type == ARROW_FIXED_LIST && f->children[0]->layout != LAYOUT_STRUCT &&
           f->children[0]->class.class != CLASS_MATRIX;
  default: return false;
  }
}

// The class that a type has in R.
static int class_of_type(const stream *s, const field *f) {
  bool text = f->type == ARROW_UTF8 || f->type == ARROW_LARGE_UTF8;
  if (f->dictionary != NULL) return !text ? CLASS_NONE : f->ordered ? CLASS_ORDERED : CLASS_FACTOR;
  switch (f->type) {
  case ARROW_DATE: return CLASS_DATE;
  case ARROW_TIME: return CLASS_HMS;
  case ARROW_TIMESTAMP: return CLASS_POSIXCT;
  case ARROW_DURATION: return CLASS_DIFFTIME;
  case ARROW_INT: return f->width == 8 && !s->int64_as_double ? CLASS_INTEGER64 : CLASS_NONE;
  case ARROW_STRUCT: return CLASS_DATA_FRAME;
  default: return CLASS_NONE;
  }
}

static bool settle_class(stream *s, field *f) {
  if (s->any) return true;
  if (f->dictionary != NULL ? f->class.class != CLASS_NONE : !class_fits(f)) {
    return fail(s->failure, "its r.class \"%s\" is not for the type %s", class_name(f->class.class),
                arrow_type_name(f->type));
  }
  if (f->class.class == CLASS_LIST || f->class.class == CLASS_INTEGER64) f->class.class = CLASS_NONE;
  if (f->class.class == CLASS_NONE) f->class.class = class_of_type(s, f);
  return true;
}

static bool refuse_type(stream *s, int type) {
  return fail(s->failure, "the Arrow type %s is not supported", arrow_type_name(type));
}

static bool is_unit(int64_t unit) { return unit >= SECOND && unit <= NANO; }

static bool read_int(stream *s, table t, int64_t *width, bool *is_signed) {
  int64_t bits = table_int(t, 0, 4, 0);
  *width = bits / 8;
  *is_signed = table_int(t, 1, 1, 0) != 0;
  if (bits == 8 || bits == 16 || bits == 32 || bits == 64) return true;
  return fail(s->failure, "there are no integers of %.0f bits", (double)bits);
}

static bool read_decimal(stream *s, field *f, table t) {
  int64_t bits = table_int(t, 2, 4, 128), scale = table_int(t, 1, 4, 0);
  f->width = bits / 8;
  f->scale = (int32_t)scale;
  if (bits != 32 && bits != 64 && bits != 128 && bits != 256) {
    return fail(s->failure, "there are no decimals of %.0f bits", (double)bits);
  }
  return (scale > -1000 && scale < 1000) || fail(s->failure, "a decimal has the scale %.0f", (double)scale);
}

static bool read_time(stream *s, field *f, table t) {
  int64_t unit, bits = 64;
  switch (f->type) {
  case ARROW_DATE:
    unit = table_int(t, 0, 2, 1);
    bits = unit == 0 ? 32 : 64;
    if (unit > 1) unit = -1;
    break;
  case ARROW_TIME:
    unit = table_int(t, 0, 2, MILLI);
    bits = table_int(t, 1, 4, 32);
    if (bits != (unit <= MILLI ? 32 : 64)) unit = -1;
    break;
  case ARROW_TIMESTAMP: {
    unit = table_int(t, 0, 2, SECOND);
    vector zone = table_text(t, 1);
    if (zone.n > 0) {
      SEXP text = PROTECT(text_value(s, zone, "a time zone"));
      shelter(s, text);
      f->zone = CHAR(text);
      UNPROTECT(1);
    }
    break;
  }
  default: unit = table_int(t, 0, 2, MILLI);
  }
  f->unit = (int)unit;
  f->width = bits / 8;
  return (is_unit(unit) && !s->failure->failed) || fail(s->failure, "the unit of a time is not known");
}

bool needs_children(stream *s, const field *f, int n) {
  return f->n_children == n ||
         fail(s->failure, "the Arrow type %s cannot have %d children", arrow_type_name(f->type), f->n_children);
}

static bool read_map(stream *s, field *f) {
  const field *entry = f->children[0];
  if (entry->type != ARROW_STRUCT || entry->n_children != 2 || entry->dictionary != NULL) {
    return fail(s->failure, "the entries of a map are no keys and values");
  }
  if (s->any) return true;
  const field *key = entry->children[0];
  if ((key->type != ARROW_UTF8 && key->type != ARROW_LARGE_UTF8) || key->dictionary != NULL) {
    return fail(s->failure, "a map with keys of the Arrow type %s is not supported", arrow_type_name(key->type));
  }
  return true;
}

// The layout and parameters of a type.
static bool read_type(stream *s, field *f, table t) {
  f->layout = LAYOUT_FIXED;
  switch (f->type) {
  case ARROW_NULL: f->layout = LAYOUT_NULL; break;
  case ARROW_BOOL: f->layout = LAYOUT_BITS; break;
  case ARROW_INT:
    if (!read_int(s, t, &f->width, &f->is_signed)) return false;
    break;
  case ARROW_FLOAT: {
    int64_t precision = table_int(t, 0, 2, 0);
    if (precision < 0 || precision > 2) return fail(s->failure, "the precision of a float is not known");
    f->width = 2 << precision;
    break;
  }
  case ARROW_DECIMAL:
    if (!read_decimal(s, f, t)) return false;
    break;
  case ARROW_DATE:
  case ARROW_TIME:
  case ARROW_TIMESTAMP:
  case ARROW_DURATION:
    if (!read_time(s, f, t)) return false;
    break;
  case ARROW_BINARY:
  case ARROW_UTF8:
  case ARROW_LARGE_BINARY:
  case ARROW_LARGE_UTF8:
    f->layout = LAYOUT_BINARY;
    f->width = f->type >= ARROW_LARGE_BINARY ? 8 : 4;
    break;
  case ARROW_FIXED_BINARY:
    f->width = table_int(t, 0, 4, 0);
    if (f->width <= 0) return fail(s->failure, "a fixed-size binary has the width %.0f", (double)f->width);
    break;
  case ARROW_LIST:
  case ARROW_LARGE_LIST:
  case ARROW_MAP:
    f->layout = LAYOUT_LIST;
    f->width = f->type == ARROW_LARGE_LIST ? 8 : 4;
    return needs_children(s, f, 1) && (f->type != ARROW_MAP || read_map(s, f));
  case ARROW_FIXED_LIST:
    f->layout = LAYOUT_FIXED_LIST;
    f->width = table_int(t, 0, 4, 0);
    if (f->width < 0) return fail(s->failure, "a fixed-size list has the size %.0f", (double)f->width);
    return needs_children(s, f, 1);
  case ARROW_STRUCT: f->layout = LAYOUT_STRUCT; return true;
  default: return s->any ? read_any_type(s, f, t) : refuse_type(s, f->type);
  }
  return needs_children(s, f, 0);
}

static bool same_type(const field *a, const field *b) {
  if (a->type != b->type || a->layout != b->layout || a->width != b->width || a->is_signed != b->is_signed ||
      a->unit != b->unit || a->scale != b->scale || a->n_children != b->n_children || a->dictionary != b->dictionary) {
    return false;
  }
  for (int i = 0; i < a->n_children; i++) {
    if (!same_type(a->children[i], b->children[i])) return false;
  }
  return true;
}

static dictionary *find_dictionary(stream *s, int64_t id) {
  dictionary *d = s->dictionaries;
  while (d != NULL && d->id != id) d = d->next;
  return d;
}

static bool read_encoding(stream *s, field *f, table t) {
  int64_t id = table_int(t, 0, 8, 0);
  field *value = take(1, sizeof *value);
  *value = *f;
  value->class.class = CLASS_NONE;
  value->class.as_is = false;
  value->attributes = NULL;
  if (!s->any && (value->type == ARROW_STRUCT || value->type == ARROW_MAP)) {
    return fail(s->failure, "a dictionary of the Arrow type %s is not supported", arrow_type_name(value->type));
  }
  dictionary *d = find_dictionary(s, id);
  if (d != NULL && !same_type(d->value, value)) {
    return fail(s->failure, "dictionary %.0f has two different types", (double)id);
  }
  if (!read_int(s, table_child(t, 1), &f->width, &f->is_signed)) return false;
  if (!settle_class(s, value)) return false;
  if (d == NULL) {
    d = take(1, sizeof *d);
    d->id = id;
    d->value = value;
    d->next = s->dictionaries;
    s->dictionaries = d;
  }
  f->dictionary = d;
  f->ordered = table_int(t, 2, 1, 0) != 0;
  f->layout = LAYOUT_INDEX;
  return true;
}

static field **read_fields(stream *s, vector v, int depth, int *n);

static bool read_field(stream *s, table t, field *f, int depth) {
  if (depth > MAX_DEPTH) return fail(s->failure, "types are nested more than %d levels deep", MAX_DEPTH);
  SEXP name = PROTECT(text_value(s, table_text(t, 0), "the name of a column"));
  shelter(s, name);
  UNPROTECT(1);
  f->name = name;
  f->type = (int)table_int(t, 2, 1, 0);
  table type = table_child(t, 3);
  if (!s->failure->failed && type.flat == NULL) fail(s->failure, "a column has no type");
  f->children = read_fields(s, table_vector(t, 5, 4), depth + 1, &f->n_children);
  bool done =
      !s->failure->failed && read_type(s, f, type) && read_pairs(s, table_vector(t, 6, 4), &f->class, &f->attributes);
  if (done) {
    table encoding = table_child(t, 4);
    done = !s->failure->failed && (encoding.flat == NULL || read_encoding(s, f, encoding)) && settle_class(s, f);
  }
  if (!done) fail_inside(s->failure, CHAR(name));
  return done;
}

static field **read_fields(stream *s, vector v, int depth, int *n) {
  *n = 0;
  if (s->failure->failed || v.n == 0) return NULL;
  if (v.n > INT32_MAX / 16) {
    fail(s->failure, "the schema has too many columns");
    return NULL;
  }
  field **fields = take(v.n, sizeof *fields);
  field *all = take(v.n, sizeof *all);
  for (size_t i = 0; i < v.n; i++) {
    fields[i] = all + i;
    if (!read_field(s, vector_table(v, i), fields[i], depth)) return NULL;
  }
  *n = (int)v.n;
  return fields;
}

bool read_schema(stream *s, table t) {
  if (table_int(t, 0, 2, 0) != 0) return fail(s->failure, "big-endian data is not supported");
  s->fields = read_fields(s, table_vector(t, 1, 4), 1, &s->n_fields);
  if (s->failure->failed || !read_pairs(s, table_vector(t, 2, 4), &s->class, &s->attributes)) return false;
  if (s->class.class != CLASS_NONE && s->class.class != CLASS_LIST && !is_frame_class(s->class.class)) {
    return fail(s->failure, "the r.class \"%s\" is not for a record", class_name(s->class.class));
  }
  s->columns = take((size_t)s->n_fields, sizeof *s->columns);
  s->last = take((size_t)s->n_fields, sizeof *s->last);
  return true;
}

static bool read_message(stream *s, const uint8_t *data, size_t metadata, size_t left, size_t *body, bool first) {
  flat f = flat_new(data, metadata, s->failure);
  if (s->any) f.mend = (uint8_t *)(uintptr_t)data;
  table t = flat_root(&f);
  int64_t version = table_int(t, 0, 2, 0), kind = table_int(t, 1, 1, 0), size = table_int(t, 3, 8, 0);
  table header = table_child(t, 2);
  if (s->failure->failed) return false;
  if (header.flat == NULL) return fail(s->failure, "a message has no header");
  if (version != VERSION_4 && version != VERSION_5) {
    return fail(s->failure, "metadata version %.0f is not supported", (double)version + 1);
  }
  if (size < 0 || (uint64_t)size > left) {
    return fail(s->failure, "a message claims a body of %.0f bytes, and %.0f are left", (double)size, (double)left);
  }
  if (!read_pairs(s, table_vector(t, 4, 4), NULL, NULL)) return false;
  if (first) s->version = version;
  if (version != s->version) return fail(s->failure, "the messages are of different metadata versions");
  if ((kind == HEADER_SCHEMA) != first) return fail(s->failure, "the first message, and no other, must be a schema");
  *body = (size_t)size;
  const uint8_t *at = data + metadata;
  switch (kind) {
  case HEADER_SCHEMA: return read_schema(s, header) && !s->failure->failed;
  case HEADER_DICTIONARY: return read_dictionary(s, header, at, size);
  case HEADER_RECORDS: return read_batch(s, header, at, size);
  default: return fail(s->failure, "messages of type %.0f are not supported", (double)kind);
  }
}

// A message has a continuation marker (none before Arrow 0.15) and the length of
// its metadata; 0 ends the stream. The end may be missing between messages.
bool read_stream(stream *s, const uint8_t *data, size_t size) {
  size_t at = 0;
  bool first = true;
  while (at < size) {
    if (size - at < 4) return fail(s->failure, "it ends inside a message");
    uint32_t length = load_u32(data + at);
    at += 4;
    if (length == UINT32_MAX) {
      if (size - at < 4) return fail(s->failure, "it ends inside a message");
      length = load_u32(data + at);
      at += 4;
    }
    if (length == 0) break;
    if (length < 4 || length > MAX_METADATA || length > size - at) {
      return fail(s->failure, "a message claims %.0f bytes of metadata, and %.0f are left", (double)length,
                  (double)(size - at));
    }
    size_t body = 0;
    if (!read_message(s, data + at, length, size - at - length, &body, first)) return false;
    at += length + body;
    first = false;
  }
  if (first) return fail(s->failure, "it has no schema");
  return at == size || fail(s->failure, "%.0f bytes follow its end", (double)(size - at));
}
