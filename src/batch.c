// The batches of a stream, checked against its fields: whatever decode.c reads
// of a column lies inside the body.

#include "any.h"

typedef struct {
  stream *s;
  failure *failure;
  const uint8_t *meta, *body;
  int64_t size;
  vector nodes, buffers, views; // views: how many data buffers each view column has
  size_t node, buffer, view;
  int64_t shared; // bytes that the buffers may still claim
  int64_t repeated; // bytes and rows that views may still repeat
} batch;

static bool batch_open(batch *b, stream *s, table t, const uint8_t *body, int64_t size) {
  memset(b, 0, sizeof *b);
  b->s = s;
  b->failure = s->failure;
  b->body = body;
  b->size = size;
  b->nodes = table_vector(t, 1, 16);
  b->buffers = table_vector(t, 2, 16);
  b->views = table_vector(t, 4, 8);
  b->shared = size > INT64_MAX / SHARE_FACTOR ? INT64_MAX : size * SHARE_FACTOR;
  b->repeated = UNBACKED_FLOOR + (size > MAX_ROWS ? MAX_ROWS : size) * UNBACKED_FACTOR;
  if (s->failure->failed) return false;
  if (table_child(t, 3).flat != NULL) return fail(b->failure, "compressed bodies are not supported");
  b->meta = t.flat->data;
  return !s->failure->failed;
}

static bool batch_end(const batch *b) {
  return (b->node == b->nodes.n && b->buffer == b->buffers.n && b->view == b->views.n) ||
         fail(b->failure, "a batch has %.0f nodes and %.0f buffers, and its schema %.0f and %.0f", (double)b->nodes.n,
              (double)b->buffers.n, (double)b->node, (double)b->buffer);
}

static bool next_node(batch *b, column *c) {
  if (b->node >= b->nodes.n) return fail(b->failure, "a batch has only %.0f nodes", (double)b->nodes.n);
  const uint8_t *p = b->meta + b->nodes.pos + 16 * b->node++;
  c->rows = load_i64(p);
  c->nulls = load_i64(p + 8);
  if (c->rows < 0 || c->rows > MAX_ROWS || c->nulls < -1 || c->nulls > c->rows) {
    return fail(b->failure, "a column claims %.0f rows and %.0f nulls", (double)c->rows, (double)c->nulls);
  }
  return true;
}

// The next buffer, which must hold n values of `width` bytes.
static bool next_buffer(batch *b, int64_t n, int64_t width, const uint8_t **data, int64_t *size) {
  if (b->buffer >= b->buffers.n) return fail(b->failure, "a batch has only %.0f buffers", (double)b->buffers.n);
  const uint8_t *p = b->meta + b->buffers.pos + 16 * b->buffer++;
  int64_t offset = load_i64(p);
  *size = load_i64(p + 8);
  if (offset < 0 || *size < 0 || offset > b->size || *size > b->size - offset) {
    return fail(b->failure, "a buffer of %.0f bytes at %.0f leaves the body of %.0f bytes", (double)*size,
                (double)offset, (double)b->size);
  }
  if (offset % 8 != 0) return fail(b->failure, "a buffer is misaligned at %.0f", (double)offset);
  if (n > *size / width) {
    return fail(b->failure, "a buffer of %.0f bytes is too small for %.0f x %.0f bytes", (double)*size, (double)n,
                (double)width);
  }
  b->shared -= *size;
  if (b->shared < 0) return fail(b->failure, "buffers share the same bytes too often");
  *data = b->body + offset;
  return true;
}

static bool read_validity(batch *b, column *c) {
  int64_t size;
  const uint8_t *bits;
  if (!next_buffer(b, 0, 1, &bits, &size)) return false;
  if (size == 0 && c->nulls <= 0) {
    c->nulls = 0;
    return true;
  }
  if (size < bitmap_size(c->rows)) {
    return fail(b->failure, "a validity bitmap of %.0f bytes is too small for %.0f rows", (double)size,
                (double)c->rows);
  }
  int64_t nulls = count_unset(bits, 0, c->rows);
  if (c->nulls >= 0 && c->nulls != nulls) {
    return fail(b->failure, "a column claims %.0f nulls, and its validity bitmap has %.0f", (double)c->nulls,
                (double)nulls);
  }
  c->nulls = nulls;
  if (nulls > 0) c->valid = bits;
  return true;
}

int64_t index_at(const uint8_t *values, int64_t i, int64_t width, bool is_signed) {
  switch (width) {
  case 1: return is_signed ? (int8_t)values[i] : values[i];
  case 2: return is_signed ? load_i16(values + 2 * i) : load_u16(values + 2 * i);
  case 4: return is_signed ? load_i32(values + 4 * i) : (int64_t)load_u32(values + 4 * i);
  default: return load_i64(values + 8 * i);
  }
}

// Offsets begin at 0 or later, never fall, and end at limit or before. No rows
// need no offsets.
static bool check_offsets(batch *b, const column *c, int64_t width, int64_t size, int64_t limit) {
  if (c->rows == 0) return true;
  if (c->rows >= size / width) {
    return fail(b->failure, "%.0f bytes are too small for the offsets of %.0f rows", (double)size, (double)c->rows);
  }
  int64_t last = index_at(c->values, 0, width, true);
  if (last < 0) return fail(b->failure, "the first offset is %.0f", (double)last);
  for (int64_t i = 1; i <= c->rows; i++) {
    int64_t next = index_at(c->values, i, width, true);
    if (next < last) {
      b->failure->row = (double)i;
      return fail(b->failure, "the offset falls from %.0f to %.0f", (double)last, (double)next);
    }
    last = next;
  }
  return last <= limit ||
         fail(b->failure, "the offsets reach %.0f, and there is only %.0f", (double)last, (double)limit);
}

static bool check_indices(batch *b, const field *f, column *c) {
  dictionary *d = f->dictionary;
  if (!d->known) return fail(b->failure, "its dictionary %.0f is missing", (double)d->id);
  c->base = d->base;
  c->limit = d->limit;
  for (int64_t i = 0; i < c->rows; i++) {
    int64_t index = index_at(c->values, i, f->width, f->is_signed);
    if ((uint64_t)index >= (uint64_t)d->limit && (c->valid == NULL || bit_at(c->valid, i))) {
      b->failure->row = (double)i + 1;
      return fail(b->failure, "the index %.0f is outside its dictionary of %.0f values", (double)index,
                  (double)d->limit);
    }
  }
  return true;
}

// Rows that no bytes stand behind, of `each` bytes in R.
static bool unbacked(batch *b, int64_t rows, int64_t each) {
  if (rows > MAX_UNBACKED || rows * each > b->s->unbacked) {
    return fail(b->failure, "a column claims %.0f rows without bytes for them", (double)rows);
  }
  b->s->unbacked -= rows * each;
  return true;
}

static bool is_backed(const field *f) {
  switch (f->layout) {
  case LAYOUT_NULL:
  case LAYOUT_RUN_ENDS: return false;
  case LAYOUT_FIXED_LIST: return f->width > 0 && is_backed(f->children[0]);
  case LAYOUT_STRUCT:
    for (int i = 0; i < f->n_children; i++) {
      if (is_backed(f->children[i])) return true;
    }
    return false;
  default: return true;
  }
}

static column *read_column(batch *b, const field *f);

static bool read_children(batch *b, const field *f, column *c) {
  c->children = take((size_t)f->n_children, sizeof *c->children);
  for (int i = 0; i < f->n_children; i++) {
    c->children[i] = read_column(b, f->children[i]);
    if (c->children[i] == NULL) return false;
  }
  return true;
}

static bool covers(batch *b, const column *child, int64_t rows) {
  return child->rows >= rows ||
         fail(b->failure, "a child has %.0f rows, and its parent needs %.0f", (double)child->rows, (double)rows);
}

static bool cover(batch *b, const field *f, const column *c) {
  for (int i = 0; i < f->n_children; i++) {
    if (!covers(b, c->children[i], c->rows)) return false;
  }
  return true;
}

// All text, where nobody looks at it again.
static bool check_binary(batch *b, const field *f, const column *c) {
  return !b->s->any || (f->type != ARROW_UTF8 && f->type != ARROW_LARGE_UTF8) || check_texts(b->failure, f, c);
}

static bool read_views(batch *b, const field *f, column *c) {
  int64_t size;
  if (b->view >= b->views.n) return fail(b->failure, "a batch does not count the buffers of its views");
  int64_t n = load_i64(b->meta + b->views.pos + 8 * b->view++);
  if (!next_buffer(b, c->rows, 16, &c->values, &size)) return false;
  if (n < 0 || n > (int64_t)(b->buffers.n - b->buffer)) {
    return fail(b->failure, "a column of views claims %.0f buffers", (double)n);
  }
  view_data *data = take((size_t)n, sizeof *data);
  for (int64_t i = 0; i < n; i++) {
    if (!next_buffer(b, 0, 1, &data[i].bytes, &data[i].size)) return false;
  }
  return check_views(b->failure, f, c, data, n, &b->repeated);
}

static bool read_list_views(batch *b, const field *f, column *c) {
  int64_t size;
  const uint8_t *sizes;
  return next_buffer(b, c->rows, f->width, &c->values, &size) && next_buffer(b, c->rows, f->width, &sizes, &size) &&
         read_children(b, f, c) && check_list_views(b->failure, f, c, sizes, &b->repeated);
}

static bool read_union(batch *b, const field *f, column *c) {
  int64_t size;
  const uint8_t *ids, *offsets = NULL;
  bool dense = f->layout == LAYOUT_DENSE;
  return next_buffer(b, c->rows, 1, &ids, &size) && (!dense || next_buffer(b, c->rows, 4, &offsets, &size)) &&
         read_children(b, f, c) && (dense || cover(b, f, c)) && check_union(b->failure, f, c, ids, offsets);
}

static bool read_buffers(batch *b, const field *f, column *c) {
  int64_t size;
  switch (f->layout) {
  case LAYOUT_BITS: return next_buffer(b, bitmap_size(c->rows), 1, &c->values, &size);
  case LAYOUT_FIXED: return next_buffer(b, c->rows, f->width, &c->values, &size);
  case LAYOUT_INDEX: return next_buffer(b, c->rows, f->width, &c->values, &size) && check_indices(b, f, c);
  case LAYOUT_BINARY:
    return next_buffer(b, 0, 1, &c->values, &size) && next_buffer(b, 0, 1, &c->data, &c->data_size) &&
           check_offsets(b, c, f->width, size, c->data_size) && check_binary(b, f, c);
  case LAYOUT_LIST:
    return next_buffer(b, 0, 1, &c->values, &size) && read_children(b, f, c) &&
           check_offsets(b, c, f->width, size, c->children[0]->rows);
  case LAYOUT_FIXED_LIST:
    return unbacked(b, c->rows, is_backed(f) ? 0 : 64) && read_children(b, f, c) &&
           covers(b, c->children[0], c->rows * f->width);
  case LAYOUT_STRUCT:
    if (!unbacked(b, c->rows, f->n_children > 0 ? 0 : 4) || !read_children(b, f, c)) return false;
    return cover(b, f, c);
  case LAYOUT_VIEW: return read_views(b, f, c);
  case LAYOUT_LIST_VIEW: return read_list_views(b, f, c);
  case LAYOUT_SPARSE:
  case LAYOUT_DENSE: return read_union(b, f, c);
  default: return unbacked(b, c->rows, 8) && read_children(b, f, c) && check_run_ends(b->failure, f, c);
  }
}

static column *read_column(batch *b, const field *f) {
  column *c = take(1, sizeof *c);
  bool done = next_node(b, c);
  if (done && f->layout == LAYOUT_NULL) {
    c->nulls = c->rows;
    done = unbacked(b, c->rows, 4);
  } else if (done && f->layout >= LAYOUT_SPARSE) {
    done = (c->nulls <= 0 || fail(b->failure, "a column of the Arrow type %s has %.0f nulls of its own",
                                  arrow_type_name(f->type), (double)c->nulls)) &&
           read_buffers(b, f, c);
  } else if (done) {
    done = read_validity(b, c) && read_buffers(b, f, c);
  }
  if (done) return c;
  fail_inside(b->failure, CHAR(f->name));
  return NULL;
}

bool read_batch(stream *s, table t, const uint8_t *body, int64_t size) {
  batch b;
  int64_t rows = table_int(t, 0, 8, 0);
  if (!batch_open(&b, s, t, body, size)) return false;
  if (rows < 0 || rows > MAX_ROWS || (s->n_fields == 0 && rows > MAX_UNBACKED - s->rows)) {
    return fail(s->failure, "a batch claims %.0f rows", (double)rows);
  }
  if (s->n_fields == 0 && !unbacked(&b, rows, 4)) return false;
  for (int i = 0; i < s->n_fields; i++) {
    column *c = read_column(&b, s->fields[i]);
    if (c == NULL) return false;
    if (c->rows != rows) {
      return fail(s->failure, "a column has %.0f rows, and its batch %.0f", (double)c->rows, (double)rows);
    }
    if (s->last[i] == NULL) {
      s->columns[i] = c;
    } else {
      s->last[i]->next = c;
    }
    s->last[i] = c;
  }
  s->rows += rows;
  if (s->rows > MAX_ROWS) return fail(s->failure, "the batches have too many rows");
  return batch_end(&b);
}

// A delta goes on counting; anything else starts anew, behind what earlier
// batches refer to.
bool read_dictionary(stream *s, table t, const uint8_t *body, int64_t size) {
  batch b;
  int64_t id = table_int(t, 0, 8, 0);
  bool delta = table_int(t, 2, 1, 0) != 0;
  table data = table_child(t, 1);
  if (s->failure->failed) return false;
  if (data.flat == NULL) return fail(s->failure, "a dictionary has no data");
  if (!batch_open(&b, s, data, body, size)) return false;
  dictionary *d = s->dictionaries;
  while (d != NULL && d->id != id) d = d->next;
  if (d == NULL) return fail(s->failure, "no column uses dictionary %.0f", (double)id);
  if (delta && !d->known) return fail(s->failure, "dictionary %.0f is extended before it is there", (double)id);
  column *c = read_column(&b, d->value);
  if (c == NULL) return false;
  if (table_int(data, 0, 8, 0) != c->rows) return fail(s->failure, "dictionary %.0f has two lengths", (double)id);
  if (d->total > INT32_MAX - c->rows) return fail(s->failure, "dictionary %.0f has too many values", (double)id);
  if (!delta) {
    d->base = d->total;
    d->limit = 0;
  }
  d->known = true;
  d->total += c->rows;
  d->limit += c->rows;
  if (d->last == NULL) {
    d->first = c;
  } else {
    d->last->next = c;
  }
  d->last = c;
  return batch_end(&b);
}
