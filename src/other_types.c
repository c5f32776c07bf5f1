// Arrow types that R has no vectors for, and that others read: what steers a later
// memory access is checked, as in Go's internal/arrowipc.

#include "read.h"

enum { MAX_CODES = 128, INLINE_VIEW = 12 };

// A union without type ids numbers its children.
static bool read_union_type(mg_stream *s, mg_field *f, mg_table t) {
  int64_t mode = mg_table_int(t, 0, 2, 0);
  mg_vector ids = mg_table_vector(t, 1, 4);
  if (s->failure->failed) return false;
  if (mode != 0 && mode != 1) return mg_fail(s->failure, "the mode of a union is not known");
  if (f->n_children > MAX_CODES || (ids.n > 0 && ids.n != (size_t)f->n_children)) {
    return mg_fail(s->failure, "a union has %d children and %.0f type ids", f->n_children, (double)ids.n);
  }
  f->layout = mode == 0 ? LAYOUT_SPARSE : LAYOUT_DENSE;
  f->codes = mg_alloc(MAX_CODES, 1);
  memset(f->codes, -1, MAX_CODES);
  for (int i = 0; i < f->n_children; i++) {
    int64_t code = ids.n > 0 ? load_i32(ids.flat->data + ids.pos + 4 * (size_t)i) : i;
    if (code < 0 || code >= MAX_CODES || f->codes[code] >= 0) {
      return mg_fail(s->failure, "the type id %.0f of a union is out of range or appears twice", (double)code);
    }
    f->codes[code] = (int8_t)i;
  }
  return true;
}

static bool read_run_ends_type(mg_stream *s, mg_field *f) {
  f->layout = LAYOUT_RUN_ENDS;
  if (!needs_children(s, f, 2)) return false;
  const mg_field *ends = f->children[0];
  return (ends->type == ARROW_INT && ends->dictionary == NULL && ends->is_signed && ends->width > 1) ||
         mg_fail(s->failure, "the run ends are not int16, int32 or int64");
}

bool mg_read_other_type(mg_stream *s, mg_field *f, mg_table t) {
  bool of_version_5 = f->type == ARROW_UNION || f->type == ARROW_RUN_ENDS;
  if (of_version_5 && s->version < VERSION_5) {
    return mg_fail(s->failure, "the Arrow type %s is not supported in version 4 metadata", mg_type_name(f->type));
  }
  switch (f->type) {
  case ARROW_INTERVAL:
    f->unit = (int)mg_table_int(t, 0, 2, 0);
    if (f->unit < 0 || f->unit > 2) return mg_fail(s->failure, "the unit of an interval is not known");
    f->width = 4 << f->unit;
    return needs_children(s, f, 0);
  case ARROW_BINARY_VIEW:
  case ARROW_UTF8_VIEW: f->layout = LAYOUT_VIEW; return needs_children(s, f, 0);
  case ARROW_LIST_VIEW:
  case ARROW_LARGE_LIST_VIEW:
    f->layout = LAYOUT_LIST_VIEW;
    f->width = f->type == ARROW_LIST_VIEW ? 4 : 8;
    return needs_children(s, f, 1);
  case ARROW_UNION: return read_union_type(s, f, t);
  case ARROW_RUN_ENDS: return read_run_ends_type(s, f);
  default: return mg_fail(s->failure, "the Arrow type %s is not supported", mg_type_name(f->type));
  }
}

// The strings in data are UTF-8 if all of it is and no offset, all of which have
// been checked, splits a character. Between strings there may be anything.
bool mg_check_texts(mg_failure *f, const mg_field *type, const mg_column *c) {
  if (c->rows == 0) return true;
  int64_t first = int_at(c->values, 0, type->width, true), last = int_at(c->values, c->rows, type->width, true);
  bool whole = mg_is_utf8(c->data + first, (size_t)(last - first));
  for (int64_t i = 0; whole && i < c->rows; i++) {
    int64_t at = int_at(c->values, i, type->width, true);
    whole = at == last || (c->data[at] & 0xC0) != 0x80;
  }
  for (int64_t i = 0; !whole && i < c->rows; i++) {
    int64_t from = int_at(c->values, i, type->width, true), to = int_at(c->values, i + 1, type->width, true);
    if (is_valid(c, i) && !mg_is_utf8(c->data + from, (size_t)(to - from))) {
      return mg_fail_row(f, i, "the string is not UTF-8 text");
    }
  }
  return true;
}

// Where the bytes of a view are; NULL if they are nowhere.
static const uint8_t *view_bytes(const uint8_t *view, int64_t size, const mg_buffer *data, int64_t n) {
  if (size <= INLINE_VIEW) return view + 4;
  int64_t buffer = load_i32(view + 8), at = load_i32(view + 12);
  if (buffer < 0 || buffer >= n || at < 0 || at > data[buffer].size || size > data[buffer].size - at) return NULL;
  const uint8_t *bytes = data[buffer].data + at;
  return memcmp(view + 4, bytes, 4) == 0 ? bytes : NULL;
}

bool mg_check_views(mg_failure *f, const mg_field *type, const mg_column *c, const mg_buffer *data, int64_t n,
                    int64_t *budget) {
  for (int64_t i = 0; i < c->rows; i++) {
    if (!is_valid(c, i)) continue;
    const uint8_t *view = c->values + 16 * i;
    int64_t size = load_i32(view);
    const uint8_t *bytes = size < 0 ? NULL : view_bytes(view, size, data, n);
    if (bytes == NULL) return mg_fail_row(f, i, "the view refers to bytes that do not exist");
    *budget -= size;
    if (*budget < 0) return mg_fail(f, "views repeat the same bytes too often");
    if (type->type == ARROW_UTF8_VIEW && !mg_is_utf8(bytes, (size_t)size)) {
      return mg_fail_row(f, i, "the string is not UTF-8 text");
    }
  }
  return true;
}

bool mg_check_list_views(mg_failure *f, const mg_field *type, const mg_column *c, const uint8_t *sizes,
                         int64_t *budget) {
  int64_t limit = c->children[0]->rows;
  for (int64_t i = 0; i < c->rows; i++) {
    int64_t at = int_at(c->values, i, type->width, true), size = int_at(sizes, i, type->width, true);
    if (at < 0 || size < 0 || at > limit || size > limit - at) {
      return mg_fail_row(f, i, "the list reaches beyond its child");
    }
    *budget -= size > INT64_MAX / 8 ? INT64_MAX : 8 * size;
    if (*budget < 0) return mg_fail(f, "views repeat the same rows too often");
  }
  return true;
}

// The offsets of a dense union must not fall for any one child.
bool mg_check_union(mg_failure *f, const mg_field *type, const mg_column *c, const uint8_t *ids,
                    const uint8_t *offsets) {
  int32_t last[MAX_CODES] = {0};
  for (int64_t i = 0; i < c->rows; i++) {
    int child = ids[i] < MAX_CODES ? type->codes[ids[i]] : -1;
    if (child < 0) return mg_fail_row(f, i, "the type id is not one of its union");
    if (offsets == NULL) continue;
    int32_t at = load_i32(offsets + 4 * i);
    if (at < last[child] || at >= c->children[child]->rows) {
      return mg_fail_row(f, i, "the offset falls, or reaches beyond its child");
    }
    last[child] = at;
  }
  return true;
}

// Run ends rise from 1 or more to the number of rows or more.
bool mg_check_run_ends(mg_failure *f, const mg_field *type, const mg_column *c) {
  const mg_column *ends = c->children[0], *values = c->children[1];
  int64_t last = 0;
  if (ends->nulls > 0) return mg_fail(f, "run ends cannot be null");
  for (int64_t i = 0; i < ends->rows; i++) {
    int64_t end = int_at(ends->values, i, type->children[0]->width, true);
    if (end <= last) return mg_fail(f, "the run end %.0f follows %.0f", (double)end, (double)last);
    last = end;
  }
  return (last >= c->rows && ends->rows <= values->rows) ||
         mg_fail(f, "%.0f runs of %.0f values end at %.0f, but there are %.0f rows", (double)ends->rows,
                 (double)values->rows, (double)last, (double)c->rows);
}
