// The batches of a stream, checked against its fields: whatever is decoded
// of a column lies inside the body.

#include "read.h"

typedef struct {
  mg_stream *s;
  mg_failure *failure;
  const uint8_t *meta;
  mg_body body;
  mg_vector nodes, buffers, views; // views: how many data buffers each view column has
  size_t node, buffer, view;
  int64_t shared; // bytes that the buffers may still claim
  int64_t repeated; // bytes and rows that views may still repeat
} batch;

static bool batch_open(batch *b, mg_stream *s, mg_table t, mg_body body) {
  int64_t size = body.size;
  memset(b, 0, sizeof *b);
  b->s = s;
  b->failure = s->failure;
  b->body = body;
  b->nodes = mg_table_vector(t, 1, 16);
  b->buffers = mg_table_vector(t, 2, 16);
  b->views = mg_table_vector(t, 4, 8);
  b->shared = size > INT64_MAX / SHARE_FACTOR ? INT64_MAX : size * SHARE_FACTOR;
  b->repeated = UNBACKED_FLOOR + (size > MAX_ROWS ? MAX_ROWS : size) * UNBACKED_FACTOR;
  if (s->failure->failed) return false;
  if (mg_table_child(t, 3).flat != NULL) return mg_fail(b->failure, "compressed bodies are not supported");
  b->meta = t.flat->data;
  return !s->failure->failed;
}

static bool batch_end(const batch *b) {
  return (b->node == b->nodes.n && b->buffer == b->buffers.n && b->view == b->views.n) ||
         mg_fail(b->failure, "a batch has %.0f nodes and %.0f buffers, but its schema needs %.0f and %.0f",
                 (double)b->nodes.n, (double)b->buffers.n, (double)b->node, (double)b->buffer);
}

static bool next_node(batch *b, mg_column *c) {
  if (b->node >= b->nodes.n) return mg_fail(b->failure, "a batch has only %.0f nodes", (double)b->nodes.n);
  const uint8_t *p = b->meta + b->nodes.pos + 16 * b->node++;
  c->rows = load_i64(p);
  c->nulls = load_i64(p + 8);
  if (c->rows < 0 || c->rows > MAX_ROWS || c->nulls < -1 || c->nulls > c->rows) {
    return mg_fail(b->failure, "a column claims %.0f rows and %.0f nulls", (double)c->rows, (double)c->nulls);
  }
  return true;
}

// Bytes of the body. They must lie in one part, none lie anywhere; NULL after a failure.
static const uint8_t *bytes_at(const batch *b, int64_t offset, int64_t size) {
  if (b->body.data != NULL) return b->body.data + offset;
  if (size == 0) return b->meta;
  const mg_stream *s = b->s;
  uint64_t at = b->body.at + (uint64_t)offset;
  size_t low = 0, high = s->n_parts; // the part begins at `at` or before, and the next behind it
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (s->starts[middle] <= at) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const mg_part *part = &s->parts[low];
  at -= s->starts[low];
  if (at > part->size || (uint64_t)size > part->size - at) {
    return mg_fail(b->failure, "a buffer of %.0f bytes leaves its part of %.0f bytes", (double)size,
                   (double)part->size);
  }
  return s->segment->data + part->offset + at;
}

// The next buffer, which must hold n values of `width` bytes.
static bool next_buffer(batch *b, int64_t n, int64_t width, const uint8_t **data, int64_t *size) {
  if (b->buffer >= b->buffers.n) return mg_fail(b->failure, "a batch has only %.0f buffers", (double)b->buffers.n);
  const uint8_t *p = b->meta + b->buffers.pos + 16 * b->buffer++;
  int64_t offset = load_i64(p);
  *size = load_i64(p + 8);
  if (offset < 0 || *size < 0 || offset > b->body.size || *size > b->body.size - offset) {
    return mg_fail(b->failure, "a buffer of %.0f bytes at %.0f leaves the body of %.0f bytes", (double)*size,
                   (double)offset, (double)b->body.size);
  }
  if (offset % 8 != 0) return mg_fail(b->failure, "a buffer is misaligned at %.0f", (double)offset);
  if (n > *size / width) {
    return mg_fail(b->failure, "a buffer of %.0f bytes is too small for %.0f x %.0f bytes", (double)*size, (double)n,
                   (double)width);
  }
  b->shared -= *size;
  if (b->shared < 0) return mg_fail(b->failure, "buffers share the same bytes too often");
  *data = bytes_at(b, offset, *size);
  return *data != NULL;
}

// One that steers later reads, which is copied out of shared memory before it is checked: a
// server that is broken may still write there.
static bool next_steering_buffer(batch *b, int64_t n, int64_t width, const uint8_t **data, int64_t *size) {
  if (!next_buffer(b, n, width, data, size)) return false;
  if (b->s->segment == NULL || *size == 0) return true;
  void *copy = R_alloc((size_t)*size, 1);
  *data = memcpy(copy, *data, (size_t)*size);
  return true;
}

static bool read_validity(batch *b, mg_column *c) {
  int64_t size;
  const uint8_t *bits;
  if (!next_buffer(b, 0, 1, &bits, &size)) return false;
  if (size == 0 && c->nulls <= 0) {
    c->nulls = 0;
    return true;
  }
  if (size < bitmap_size(c->rows)) {
    return mg_fail(b->failure, "a validity bitmap of %.0f bytes is too small for %.0f rows", (double)size,
                   (double)c->rows);
  }
  int64_t nulls = mg_count_unset(bits, 0, c->rows);
  if (c->nulls >= 0 && c->nulls != nulls) {
    return mg_fail(b->failure, "a column claims %.0f nulls, but its validity bitmap has %.0f", (double)c->nulls,
                   (double)nulls);
  }
  c->nulls = nulls;
  if (nulls > 0) c->valid = bits;
  return true;
}

// Offsets begin at 0 or later, never fall, and end at limit or before. No rows
// need no offsets.
static bool check_offsets(batch *b, const mg_column *c, int64_t width, int64_t size, int64_t limit) {
  if (c->rows == 0) return true;
  if (c->rows >= size / width) {
    return mg_fail(b->failure, "%.0f bytes are too small for the offsets of %.0f rows", (double)size, (double)c->rows);
  }
  int64_t last = int_at(c->values, 0, width, true);
  if (last < 0) return mg_fail(b->failure, "the first offset is %.0f", (double)last);
  for (int64_t i = 1; i <= c->rows; i++) {
    int64_t next = int_at(c->values, i, width, true);
    if (next < last) {
      b->failure->row = (double)i;
      return mg_fail(b->failure, "the offset falls from %.0f to %.0f", (double)last, (double)next);
    }
    last = next;
  }
  return last <= limit ||
         mg_fail(b->failure, "the offsets reach %.0f, but the limit is %.0f", (double)last, (double)limit);
}

static bool check_indices(batch *b, const mg_field *f, mg_column *c) {
  mg_dictionary *d = f->dictionary;
  if (!d->known) return mg_fail(b->failure, "its dictionary %.0f is missing", (double)d->id);
  c->base = d->base;
  c->limit = d->limit;
  for (int64_t i = 0; i < c->rows; i++) {
    int64_t index = int_at(c->values, i, f->width, f->is_signed);
    if ((uint64_t)index >= (uint64_t)d->limit && (c->valid == NULL || bit_at(c->valid, i))) {
      b->failure->row = (double)i + 1;
      return mg_fail(b->failure, "the index %.0f is outside its dictionary of %.0f values", (double)index,
                     (double)d->limit);
    }
  }
  return true;
}

// Counts rows that no bytes of the stream stand for; each takes `each` bytes in R.
static bool spend_unbacked(batch *b, int64_t rows, int64_t each) {
  if (rows > MAX_UNBACKED || rows * each > b->s->unbacked) {
    return mg_fail(b->failure, "a column claims %.0f rows without bytes for them", (double)rows);
  }
  b->s->unbacked -= rows * each;
  return true;
}

static bool is_backed(const mg_field *f) {
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

static mg_column *read_column(batch *b, const mg_field *f);

static bool read_children(batch *b, const mg_field *f, mg_column *c) {
  c->children = mg_alloc((size_t)f->n_children, sizeof *c->children);
  for (int i = 0; i < f->n_children; i++) {
    c->children[i] = read_column(b, f->children[i]);
    if (c->children[i] == NULL) return false;
  }
  return true;
}

static bool covers(batch *b, const mg_column *child, int64_t rows) {
  return child->rows >= rows ||
         mg_fail(b->failure, "a child has %.0f rows, but its parent needs %.0f", (double)child->rows, (double)rows);
}

static bool children_cover(batch *b, const mg_field *f, const mg_column *c) {
  for (int i = 0; i < f->n_children; i++) {
    if (!covers(b, c->children[i], c->rows)) return false;
  }
  return true;
}

// Checks the text of a column that is not decoded: decoding does so by itself.
static bool check_binary(batch *b, const mg_field *f, const mg_column *c) {
  return !b->s->verify_only || !is_text_type(f->type) || mg_check_texts(b->failure, f, c);
}

static bool read_views(batch *b, const mg_field *f, mg_column *c) {
  int64_t size;
  if (b->view >= b->views.n) return mg_fail(b->failure, "a batch does not say how many buffers its views have");
  int64_t n = load_i64(b->meta + b->views.pos + 8 * b->view++);
  if (!next_buffer(b, c->rows, 16, &c->values, &size)) return false;
  if (n < 0 || n > (int64_t)(b->buffers.n - b->buffer)) {
    return mg_fail(b->failure, "a column of views claims %.0f buffers", (double)n);
  }
  mg_buffer *data = mg_alloc((size_t)n, sizeof *data);
  for (int64_t i = 0; i < n; i++) {
    if (!next_buffer(b, 0, 1, &data[i].data, &data[i].size)) return false;
  }
  return mg_check_views(b->failure, f, c, data, n, &b->repeated);
}

static bool read_list_views(batch *b, const mg_field *f, mg_column *c) {
  int64_t size;
  const uint8_t *sizes;
  return next_buffer(b, c->rows, f->width, &c->values, &size) && next_buffer(b, c->rows, f->width, &sizes, &size) &&
         read_children(b, f, c) && mg_check_list_views(b->failure, f, c, sizes, &b->repeated);
}

static bool read_union(batch *b, const mg_field *f, mg_column *c) {
  int64_t size;
  const uint8_t *ids, *offsets = NULL;
  bool dense = f->layout == LAYOUT_DENSE;
  return next_buffer(b, c->rows, 1, &ids, &size) && (!dense || next_buffer(b, c->rows, 4, &offsets, &size)) &&
         read_children(b, f, c) && (dense || children_cover(b, f, c)) && mg_check_union(b->failure, f, c, ids, offsets);
}

static bool read_buffers(batch *b, const mg_field *f, mg_column *c) {
  int64_t size;
  switch (f->layout) {
  case LAYOUT_BITS: return next_buffer(b, bitmap_size(c->rows), 1, &c->values, &size);
  case LAYOUT_FIXED: return next_buffer(b, c->rows, f->width, &c->values, &size);
  case LAYOUT_INDEX: return next_steering_buffer(b, c->rows, f->width, &c->values, &size) && check_indices(b, f, c);
  case LAYOUT_BINARY:
    // Offsets of text may stay where they are: they are checked again when they are used.
    return (is_text_type(f->type) ? next_buffer : next_steering_buffer)(b, 0, 1, &c->values, &size) &&
           next_buffer(b, 0, 1, &c->data, &c->data_size) && check_offsets(b, c, f->width, size, c->data_size) &&
           check_binary(b, f, c);
  case LAYOUT_LIST:
    return next_steering_buffer(b, 0, 1, &c->values, &size) && read_children(b, f, c) &&
           check_offsets(b, c, f->width, size, c->children[0]->rows);
  case LAYOUT_FIXED_LIST:
    return spend_unbacked(b, c->rows, is_backed(f) ? 0 : 64) && read_children(b, f, c) &&
           covers(b, c->children[0], c->rows * f->width);
  case LAYOUT_STRUCT:
    if (!spend_unbacked(b, c->rows, f->n_children > 0 ? 0 : 4) || !read_children(b, f, c)) return false;
    return children_cover(b, f, c);
  case LAYOUT_VIEW: return read_views(b, f, c);
  case LAYOUT_LIST_VIEW: return read_list_views(b, f, c);
  case LAYOUT_SPARSE:
  case LAYOUT_DENSE: return read_union(b, f, c);
  default: return spend_unbacked(b, c->rows, 8) && read_children(b, f, c) && mg_check_run_ends(b->failure, f, c);
  }
}

static mg_column *read_column(batch *b, const mg_field *f) {
  mg_column *c = mg_alloc(1, sizeof *c);
  bool done = next_node(b, c);
  if (done && f->layout == LAYOUT_NULL) {
    c->nulls = c->rows;
    done = spend_unbacked(b, c->rows, 4);
  } else if (done && f->layout >= LAYOUT_SPARSE) {
    done = (c->nulls <= 0 || mg_fail(b->failure, "a column of the Arrow type %s has %.0f nulls of its own",
                                     mg_type_name(f->type), (double)c->nulls)) &&
           read_buffers(b, f, c);
  } else if (done) {
    done = read_validity(b, c) && read_buffers(b, f, c);
  }
  if (done) return c;
  mg_fail_inside(b->failure, CHAR(f->name));
  return NULL;
}

bool mg_read_batch(mg_stream *s, mg_table t, mg_body body) {
  batch b;
  int64_t rows = mg_table_int(t, 0, 8, 0);
  if (!batch_open(&b, s, t, body)) return false;
  if (rows < 0 || rows > MAX_ROWS || (s->n_fields == 0 && rows > MAX_UNBACKED - s->rows)) {
    return mg_fail(s->failure, "a batch claims %.0f rows", (double)rows);
  }
  if (s->n_fields == 0 && !spend_unbacked(&b, rows, 4)) return false;
  for (int i = 0; i < s->n_fields; i++) {
    mg_column *c = read_column(&b, s->fields[i]);
    if (c == NULL) return false;
    if (c->rows != rows) {
      return mg_fail(s->failure, "a column has %.0f rows, but its batch has %.0f", (double)c->rows, (double)rows);
    }
    if (s->last[i] == NULL) {
      s->columns[i] = c;
    } else {
      s->last[i]->next = c;
    }
    s->last[i] = c;
  }
  s->rows += rows;
  if (s->rows > MAX_ROWS) return mg_fail(s->failure, "the batches have too many rows");
  return batch_end(&b);
}

// A delta goes on counting; anything else starts anew, behind what earlier
// batches refer to.
bool mg_read_dictionary(mg_stream *s, mg_table t, mg_body body) {
  batch b;
  int64_t id = mg_table_int(t, 0, 8, 0);
  bool delta = mg_table_int(t, 2, 1, 0) != 0;
  mg_table data = mg_table_child(t, 1);
  if (s->failure->failed) return false;
  if (data.flat == NULL) return mg_fail(s->failure, "a dictionary has no data");
  if (!batch_open(&b, s, data, body)) return false;
  mg_dictionary *d = *mg_find_dictionary(s, id);
  if (d == NULL) return mg_fail(s->failure, "no column uses dictionary %.0f", (double)id);
  if (delta && !d->known) return mg_fail(s->failure, "dictionary %.0f is extended before it is defined", (double)id);
  mg_column *c = read_column(&b, d->value);
  if (c == NULL) return false;
  if (mg_table_int(data, 0, 8, 0) != c->rows) return mg_fail(s->failure, "dictionary %.0f has two lengths", (double)id);
  if (d->total > INT32_MAX - c->rows) return mg_fail(s->failure, "dictionary %.0f has too many values", (double)id);
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
