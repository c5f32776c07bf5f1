// The fields of a schema that has come in.

#include "attributes.h"
#include "read.h"

static const char *bytes_of(mg_vector v) { return v.flat == NULL ? "" : (const char *)v.flat->data + v.pos; }

static bool check_text(mg_stream *s, mg_vector v, const char *what) {
  const char *text = bytes_of(v);
  return (mg_is_utf8((const uint8_t *)text, v.n) && memchr(text, 0, v.n) == NULL && v.n <= INT32_MAX) ||
         mg_fail(s->failure, "%s is not UTF-8 text", what);
}

static SEXP text_value(mg_stream *s, mg_vector v, const char *what) {
  if (!check_text(s, v, what)) return R_BlankString;
  return Rf_mkCharLenCE(bytes_of(v), (int)v.n, CE_UTF8);
}

static bool is_key(mg_vector v, const char *key) { return v.n == strlen(key) && memcmp(bytes_of(v), key, v.n) == 0; }

bool mg_read_pairs(mg_stream *s, mg_vector pairs, mg_class *class, SEXP *attributes) {
  if (attributes != NULL) *attributes = NULL;
  for (size_t i = 0; i < pairs.n; i++) {
    mg_table t = mg_vector_table(pairs, i);
    mg_vector key = mg_table_text(t, 0), value = mg_table_text(t, 1);
    if (s->failure->failed) return false;
    if (key.flat == NULL || value.flat == NULL) return mg_fail(s->failure, "its metadata has no key or no value");
    if (s->verify_only || attributes == NULL) continue;
    if (is_key(key, "r.class")) {
      *class = mg_class_from(bytes_of(value), value.n);
      if (class->class == CLASS_UNKNOWN) return mg_fail(s->failure, "its r.class is not known");
    } else if (is_key(key, "r.attributes")) {
      if (!check_text(s, value, "r.attributes")) return false;
      *attributes = mg_read_attributes(s->failure, bytes_of(value));
      if (*attributes == NULL) return false;
      mg_keep(s->shelter, *attributes);
    }
  }
  return !s->failure->failed;
}

// Whether a class can be that of a type.
// Binary values, or a struct of these and of lists for leaves of other types.
static bool is_dynamic(const mg_field *f) {
  if (f->type != ARROW_STRUCT) return f->type == ARROW_BINARY || f->type == ARROW_LARGE_BINARY;
  for (int i = 0; i < f->n_children; i++) {
    const mg_field *child = f->children[i];
    bool fits = i == 0 ? child->type == ARROW_BINARY || child->type == ARROW_LARGE_BINARY
                       : child->type == ARROW_LIST || child->type == ARROW_LARGE_LIST;
    if (!fits || child->dictionary != NULL) return false;
  }
  return f->n_children > 0;
}

static bool class_fits(const mg_field *f) {
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
  case CLASS_DYNAMIC: return is_dynamic(f);
  default: return false;
  }
}

// The class that a type has in R.
static int class_of_type(const mg_stream *s, const mg_field *f) {
  bool text = f->type == ARROW_UTF8 || f->type == ARROW_LARGE_UTF8;
  if (f->dictionary != NULL) return !text ? CLASS_NONE : f->ordered ? CLASS_ORDERED : CLASS_FACTOR;
  switch (f->type) {
  case ARROW_DATE: return CLASS_DATE;
  case ARROW_TIME: return CLASS_HMS;
  case ARROW_TIMESTAMP: return CLASS_POSIXCT;
  case ARROW_DURATION: return CLASS_DIFFTIME;
  case ARROW_INT: return f->width == 8 && s->int64 == INT64_INTEGER64 ? CLASS_INTEGER64 : CLASS_NONE;
  case ARROW_STRUCT: return CLASS_DATA_FRAME;
  default: return CLASS_NONE;
  }
}

static bool settle_class(mg_stream *s, mg_field *f) {
  if (s->verify_only) return true;
  if (f->dictionary != NULL ? f->class.class != CLASS_NONE : !class_fits(f)) {
    return mg_fail(s->failure, "its r.class \"%s\" does not match the type %s", mg_class_name(f->class.class),
                   mg_type_name(f->type));
  }
  bool as_double = f->class.class == CLASS_INTEGER64 && s->int64 == INT64_DOUBLE;
  if (f->class.class == CLASS_LIST || as_double) f->class.class = CLASS_NONE;
  if (f->class.class == CLASS_NONE) f->class.class = class_of_type(s, f);
  f->wide = f->type == ARROW_INT && f->width == 8 && s->int64 == INT64_DOUBLE;
  return true;
}

static bool refuse_type(mg_stream *s, int type) {
  return mg_fail(s->failure, "the Arrow type %s is not supported", mg_type_name(type));
}

static bool is_unit(int64_t unit) { return unit >= UNIT_SECOND && unit <= UNIT_NANO; }

static bool read_int(mg_stream *s, mg_table t, int64_t *width, bool *is_signed) {
  int64_t bits = mg_table_int(t, 0, 4, 0);
  *width = bits / 8;
  *is_signed = mg_table_int(t, 1, 1, 0) != 0;
  if (bits == 8 || bits == 16 || bits == 32 || bits == 64) return true;
  return mg_fail(s->failure, "integers of %.0f bits are not supported", (double)bits);
}

static bool read_decimal(mg_stream *s, mg_field *f, mg_table t) {
  int64_t bits = mg_table_int(t, 2, 4, 128), scale = mg_table_int(t, 1, 4, 0);
  f->width = bits / 8;
  f->scale = (int32_t)scale;
  if (bits != 32 && bits != 64 && bits != 128 && bits != 256) {
    return mg_fail(s->failure, "decimals of %.0f bits are not supported", (double)bits);
  }
  return (scale > -1000 && scale < 1000) || mg_fail(s->failure, "a decimal has the scale %.0f", (double)scale);
}

static bool read_time(mg_stream *s, mg_field *f, mg_table t) {
  int64_t unit, bits = 64;
  switch (f->type) {
  case ARROW_DATE:
    unit = mg_table_int(t, 0, 2, 1);
    bits = unit == 0 ? 32 : 64;
    if (unit > 1) unit = -1;
    break;
  case ARROW_TIME:
    unit = mg_table_int(t, 0, 2, UNIT_MILLI);
    bits = mg_table_int(t, 1, 4, 32);
    if (bits != (unit <= UNIT_MILLI ? 32 : 64)) unit = -1;
    break;
  case ARROW_TIMESTAMP: {
    unit = mg_table_int(t, 0, 2, UNIT_SECOND);
    mg_vector zone = mg_table_text(t, 1);
    if (zone.n > 0) {
      SEXP text = PROTECT(text_value(s, zone, "a time zone"));
      mg_keep(s->shelter, text);
      f->zone = CHAR(text);
      UNPROTECT(1);
    }
    break;
  }
  default: unit = mg_table_int(t, 0, 2, UNIT_MILLI);
  }
  f->unit = (int)unit;
  f->width = bits / 8;
  return (is_unit(unit) && !s->failure->failed) || mg_fail(s->failure, "the unit of a time is not known");
}

static bool read_map(mg_stream *s, mg_field *f) {
  const mg_field *entry = f->children[0];
  if (entry->type != ARROW_STRUCT || entry->n_children != 2 || entry->dictionary != NULL) {
    return mg_fail(s->failure, "the entries of a map are not keys and values");
  }
  if (s->verify_only) return true;
  const mg_field *key = entry->children[0];
  if ((key->type != ARROW_UTF8 && key->type != ARROW_LARGE_UTF8) || key->dictionary != NULL) {
    return mg_fail(s->failure, "a map with keys of the Arrow type %s is not supported", mg_type_name(key->type));
  }
  return true;
}

// The layout and parameters of a type.
static bool read_type(mg_stream *s, mg_field *f, mg_table t) {
  f->layout = LAYOUT_FIXED;
  switch (f->type) {
  case ARROW_NULL: f->layout = LAYOUT_NULL; break;
  case ARROW_BOOL: f->layout = LAYOUT_BITS; break;
  case ARROW_INT:
    if (!read_int(s, t, &f->width, &f->is_signed)) return false;
    break;
  case ARROW_FLOAT: {
    int64_t precision = mg_table_int(t, 0, 2, 0);
    if (precision < 0 || precision > 2) return mg_fail(s->failure, "the precision of a float is not known");
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
    f->width = mg_table_int(t, 0, 4, 0);
    if (f->width <= 0) return mg_fail(s->failure, "a fixed-size binary has the width %.0f", (double)f->width);
    break;
  case ARROW_LIST:
  case ARROW_LARGE_LIST:
  case ARROW_MAP:
    f->layout = LAYOUT_LIST;
    f->width = f->type == ARROW_LARGE_LIST ? 8 : 4;
    return needs_children(s, f, 1) && (f->type != ARROW_MAP || read_map(s, f));
  case ARROW_FIXED_LIST:
    f->layout = LAYOUT_FIXED_LIST;
    f->width = mg_table_int(t, 0, 4, 0);
    if (f->width < 0) return mg_fail(s->failure, "a fixed-size list has the size %.0f", (double)f->width);
    return needs_children(s, f, 1);
  case ARROW_STRUCT: f->layout = LAYOUT_STRUCT; return true;
  default: return s->verify_only ? mg_read_other_type(s, f, t) : refuse_type(s, f->type);
  }
  return needs_children(s, f, 0);
}

static bool same_type(const mg_field *a, const mg_field *b) {
  if (a->type != b->type || a->layout != b->layout || a->width != b->width || a->is_signed != b->is_signed ||
      a->unit != b->unit || a->scale != b->scale || a->n_children != b->n_children || a->dictionary != b->dictionary) {
    return false;
  }
  for (int i = 0; i < a->n_children; i++) {
    if (!same_type(a->children[i], b->children[i])) return false;
  }
  return true;
}

mg_dictionary **mg_find_dictionary(mg_stream *s, int64_t id) {
  mg_dictionary **at = &s->dictionaries;
  while (*at != NULL && (*at)->id != id) at = &(*at)->next;
  return at;
}

static bool read_encoding(mg_stream *s, mg_field *f, mg_table t) {
  int64_t id = mg_table_int(t, 0, 8, 0);
  mg_field *value = mg_alloc(1, sizeof *value);
  *value = *f;
  value->class.class = CLASS_NONE;
  value->class.as_is = false;
  value->attributes = NULL;
  if (!s->verify_only && (value->type == ARROW_STRUCT || value->type == ARROW_MAP)) {
    return mg_fail(s->failure, "a dictionary of the Arrow type %s is not supported", mg_type_name(value->type));
  }
  mg_dictionary **at = mg_find_dictionary(s, id), *d = *at;
  if (d != NULL && !same_type(d->value, value)) {
    return mg_fail(s->failure, "dictionary %.0f has two different types", (double)id);
  }
  if (!read_int(s, mg_table_child(t, 1), &f->width, &f->is_signed)) return false;
  if (!settle_class(s, value)) return false;
  if (d == NULL) {
    *at = d = mg_alloc(1, sizeof *d);
    d->id = id;
    d->value = value;
  }
  f->dictionary = d;
  f->ordered = mg_table_int(t, 2, 1, 0) != 0;
  f->layout = LAYOUT_INDEX;
  return true;
}

static mg_field **read_fields(mg_stream *s, mg_vector v, int depth, int *n);

static bool read_field(mg_stream *s, mg_table t, mg_field *f, int depth) {
  if (depth > MAX_DEPTH) return mg_fail(s->failure, "types are nested more than %d levels deep", MAX_DEPTH);
  SEXP name = PROTECT(text_value(s, mg_table_text(t, 0), "the name of a column"));
  mg_keep(s->shelter, name);
  UNPROTECT(1);
  f->name = name;
  f->type = (int)mg_table_int(t, 2, 1, 0);
  mg_table type = mg_table_child(t, 3);
  if (!s->failure->failed && type.flat == NULL) mg_fail(s->failure, "a column has no type");
  f->children = read_fields(s, mg_table_vector(t, 5, 4), depth + 1, &f->n_children);
  bool done = !s->failure->failed && read_type(s, f, type) &&
              mg_read_pairs(s, mg_table_vector(t, 6, 4), &f->class, &f->attributes);
  if (done) {
    mg_table encoding = mg_table_child(t, 4);
    done = !s->failure->failed && (encoding.flat == NULL || read_encoding(s, f, encoding)) && settle_class(s, f);
  }
  if (!done) mg_fail_inside(s->failure, CHAR(name));
  return done;
}

static mg_field **read_fields(mg_stream *s, mg_vector v, int depth, int *n) {
  *n = 0;
  if (s->failure->failed || v.n == 0) return NULL;
  if (v.n > INT32_MAX / 16) return mg_fail(s->failure, "the schema has too many columns");
  mg_field **fields = mg_alloc(v.n, sizeof *fields);
  mg_field *all = mg_alloc(v.n, sizeof *all);
  for (size_t i = 0; i < v.n; i++) {
    fields[i] = all + i;
    if (!read_field(s, mg_vector_table(v, i), fields[i], depth)) return NULL;
  }
  *n = (int)v.n;
  return fields;
}

bool mg_read_schema(mg_stream *s, mg_table t) {
  if (mg_table_int(t, 0, 2, 0) != 0) return mg_fail(s->failure, "big-endian data is not supported");
  s->fields = read_fields(s, mg_table_vector(t, 1, 4), 1, &s->n_fields);
  if (s->failure->failed || !mg_read_pairs(s, mg_table_vector(t, 2, 4), &s->class, &s->attributes)) return false;
  if (s->class.class != CLASS_NONE && s->class.class != CLASS_LIST && !is_frame_class(s->class.class)) {
    return mg_fail(s->failure, "the r.class \"%s\" is not for a record", mg_class_name(s->class.class));
  }
  s->columns = mg_alloc((size_t)s->n_fields, sizeof *s->columns);
  s->last = mg_alloc((size_t)s->n_fields, sizeof *s->last);
  return true;
}
