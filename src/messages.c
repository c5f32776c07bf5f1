// A tree of nodes as the messages of an Arrow IPC stream: schema, dictionaries, batches.
// They are measured first, and then written to memory of that size.

#include "node.h"

static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

static void put_i16(mg_bytes *b, size_t table, int slot, int value) {
  int16_t v = (int16_t)value;
  memcpy(b->data + mg_slot(b, table, slot), &v, sizeof v);
}

static void put_i32(mg_bytes *b, size_t table, int slot, int32_t value) {
  store_i32(b->data + mg_slot(b, table, slot), value);
}

static void put_i64(mg_bytes *b, size_t table, int slot, int64_t value) {
  store_i64(b->data + mg_slot(b, table, slot), value);
}

static void put_u8(mg_bytes *b, size_t table, int slot, int value) {
  b->data[mg_slot(b, table, slot)] = (uint8_t)value;
}

static size_t int_table(mg_bytes *b, int bits, bool is_signed) {
  size_t t = mg_put_table(b, 2, (uint8_t[]){4, 1});
  put_i32(b, t, 0, bits);
  put_u8(b, t, 1, is_signed);
  return t;
}

// The table of the type of a node, or of the values of its dictionary.
static size_t type_table(mg_bytes *b, const mg_node *n) {
  size_t t;
  switch (n->type) {
  case ARROW_INT: return int_table(b, n->width, n->is_signed);
  case ARROW_FLOAT:
    t = mg_put_table(b, 1, (uint8_t[]){2});
    put_i16(b, t, 0, n->width == 16 ? 0 : n->width == 32 ? 1 : 2);
    return t;
  case ARROW_FIXED_BINARY:
  case ARROW_FIXED_LIST:
    t = mg_put_table(b, 1, (uint8_t[]){4});
    put_i32(b, t, 0, n->width);
    return t;
  case ARROW_DATE:
  case ARROW_DURATION:
  case ARROW_INTERVAL:
    t = mg_put_table(b, 1, (uint8_t[]){2});
    put_i16(b, t, 0, n->unit);
    return t;
  case ARROW_TIME:
    t = mg_put_table(b, 2, (uint8_t[]){2, 4});
    put_i16(b, t, 0, n->unit);
    put_i32(b, t, 1, n->width);
    return t;
  case ARROW_TIMESTAMP:
    t = mg_put_table(b, 2, (uint8_t[]){2, n->zone == NULL ? 0 : 4});
    put_i16(b, t, 0, n->unit);
    if (n->zone != NULL) mg_put_string(b, mg_slot(b, t, 1), n->zone, strlen(n->zone));
    return t;
  case ARROW_DECIMAL:
    t = mg_put_table(b, 3, (uint8_t[]){4, 4, 4});
    put_i32(b, t, 0, n->precision);
    put_i32(b, t, 1, n->scale);
    put_i32(b, t, 2, n->width);
    return t;
  case ARROW_MAP:
    t = mg_put_table(b, 1, (uint8_t[]){1});
    put_u8(b, t, 0, n->sorted);
    return t;
  case ARROW_UNION: {
    t = mg_put_table(b, 2, (uint8_t[]){2, 4});
    put_i16(b, t, 0, n->dense);
    size_t codes = mg_put_vector(b, mg_slot(b, t, 1), (size_t)n->n_children, 4);
    for (int i = 0; i < n->n_children; i++) store_i32(b->data + codes + 4 * (size_t)i, n->codes[i]);
    return t;
  }
  default: return mg_put_table(b, 0, NULL);
  }
}

static void pair_table(mg_bytes *b, size_t slot, const char *key, size_t key_size, const char *value,
                       size_t value_size) {
  size_t t = mg_put_table(b, 2, (uint8_t[]){4, 4});
  mg_put_link(b, slot, t);
  mg_put_string(b, mg_slot(b, t, 0), key, key_size);
  mg_put_string(b, mg_slot(b, t, 1), value, value_size);
}

static int32_t metadata_pairs(const mg_node *n) {
  return n->metadata == NULL ? 0 : load_i32((const uint8_t *)n->metadata);
}

static bool says_class(const mg_node *n) { return n->class.class != CLASS_NONE || n->class.as_is; }

static size_t pairs_of(const mg_node *n) {
  return (size_t)metadata_pairs(n) + (says_class(n) ? 1 : 0) + (n->attributes != NULL ? 1 : 0);
}

// The pairs of the C data interface: each a length and bytes.
static size_t foreign_pairs(mg_bytes *b, const mg_node *n, size_t slots) {
  const uint8_t *p = (const uint8_t *)n->metadata + 4;
  size_t count = (size_t)metadata_pairs(n);
  for (size_t i = 0; i < count; i++) {
    size_t key_size = (size_t)load_i32(p);
    const char *key = (const char *)p + 4;
    p += 4 + key_size;
    size_t value_size = (size_t)load_i32(p);
    pair_table(b, slots + 4 * i, key, key_size, (const char *)p + 4, value_size);
    p += 4 + value_size;
  }
  return count;
}

static void put_metadata(mg_bytes *b, size_t slot, const mg_node *n) {
  size_t slots = mg_put_vector(b, slot, pairs_of(n), 4);
  size_t at = n->metadata == NULL ? 0 : foreign_pairs(b, n, slots);
  if (says_class(n)) {
    char value[32] = "";
    if (n->class.as_is) strcpy(value, n->class.class == CLASS_NONE ? "AsIs" : "AsIs ");
    strcat(value, mg_class_name(n->class.class));
    pair_table(b, slots + 4 * at++, "r.class", 7, value, strlen(value));
  }
  if (n->attributes != NULL) {
    pair_table(b, slots + 4 * at, "r.attributes", 12, n->attributes, strlen(n->attributes));
  }
}

static void encoding_table(mg_bytes *b, size_t slot, const mg_node *n) {
  size_t t = mg_put_table(b, 3, (uint8_t[]){8, 4, 1});
  mg_put_link(b, slot, t);
  put_i64(b, t, 0, n->dictionary_id);
  put_u8(b, t, 2, n->ordered);
  mg_put_link(b, mg_slot(b, t, 1), int_table(b, n->width, n->is_signed));
}

static void field_tables(mg_bytes *b, size_t slot, mg_node *const nodes[], int n_nodes);

static void field_table(mg_bytes *b, size_t slot, const mg_node *n) {
  bool pairs = pairs_of(n) > 0;
  size_t t = mg_put_table(b, 7, (uint8_t[]){4, 1, 1, 4, n->dictionary != NULL ? 4 : 0, 4, pairs ? 4 : 0});
  mg_put_link(b, slot, t);
  put_u8(b, t, 1, n->nullable);
  const mg_node *type = n->dictionary != NULL ? n->dictionary : n;
  put_u8(b, t, 2, type->type);
  mg_put_string(b, mg_slot(b, t, 0), n->name, strlen(n->name));
  mg_put_link(b, mg_slot(b, t, 3), type_table(b, type));
  if (n->dictionary != NULL) encoding_table(b, mg_slot(b, t, 4), n);
  field_tables(b, mg_slot(b, t, 5), type->children, type->n_children);
  if (pairs) put_metadata(b, mg_slot(b, t, 6), n);
}

static void field_tables(mg_bytes *b, size_t slot, mg_node *const nodes[], int n_nodes) {
  size_t slots = mg_put_vector(b, slot, (size_t)n_nodes, 4);
  for (int i = 0; i < n_nodes; i++) field_table(b, slots + 4 * (size_t)i, nodes[i]);
}

// The Message table; returns the slot of its header.
static size_t message_table(mg_bytes *b, int header, int64_t body) {
  mg_bytes_add(b, NULL, 4);
  size_t t = mg_put_table(b, 4, (uint8_t[]){2, 1, 4, 8});
  mg_put_link(b, 0, t);
  put_i16(b, t, 0, VERSION_5);
  put_u8(b, t, 1, header);
  put_i64(b, t, 3, body);
  return mg_slot(b, t, 2);
}

static void schema_message(mg_bytes *b, const mg_node *root) {
  bool pairs = pairs_of(root) > 0;
  size_t slot = message_table(b, HEADER_SCHEMA, 0);
  size_t t = mg_put_table(b, 3, (uint8_t[]){2, 4, pairs ? 4 : 0});
  mg_put_link(b, slot, t);
  field_tables(b, mg_slot(b, t, 1), root->children, root->n_children);
  if (pairs) put_metadata(b, mg_slot(b, t, 2), root);
}

// Buffers in segments begin at cache lines.
static int64_t aligned(int64_t n, bool apart) { return apart ? (n + 63) / 64 * 64 : padded(n); }

// Whether a buffer of a node stays where it is.
static bool stays(const mg_node *n, int buffer, bool apart) { return apart && n->stays[buffer].segment != NULL; }

typedef struct {
  int64_t nodes, buffers;
  int64_t written, staying; // bytes of the body, those that stay after those that are written
  size_t parts;
} extent;

static void add_extent(const mg_node *n, bool apart, extent *e) {
  e->nodes++;
  e->buffers += n->n_buffers;
  for (int i = 0; i < n->n_buffers; i++) {
    if (stays(n, i, apart)) {
      e->staying += padded(n->size[i]);
      e->parts++;
    } else {
      e->written += aligned(n->size[i], apart);
    }
  }
  for (int i = 0; i < n->n_children; i++) add_extent(n->children[i], apart, e);
}

typedef struct {
  mg_bytes *b;
  bool apart;
  size_t node, buffer;
  int64_t written, staying; // where the next one of each is
} batch_writer;

static void describe_buffer(batch_writer *w, const mg_node *n, int i) {
  // A bitmap without nulls is left out, its bytes stay.
  bool absent = i == 0 && n->nulls == 0 && n->type != ARROW_UNION;
  int64_t *at = stays(n, i, w->apart) ? &w->staying : &w->written;
  uint8_t *buffer = w->b->data + w->buffer;
  store_i64(buffer, *at);
  store_i64(buffer + 8, absent ? 0 : n->size[i]);
  *at += at == &w->staying ? padded(n->size[i]) : aligned(n->size[i], w->apart);
  w->buffer += 16;
}

static void describe_node(batch_writer *w, const mg_node *n) {
  uint8_t *node = w->b->data + w->node;
  store_i64(node, n->rows);
  store_i64(node + 8, n->nulls);
  w->node += 16;
  for (int i = 0; i < n->n_buffers; i++) describe_buffer(w, n, i);
  for (int i = 0; i < n->n_children; i++) describe_node(w, n->children[i]);
}

// A message with rows: a dictionary or a batch.
typedef struct mg_message {
  mg_node **nodes;
  int n_nodes;
  bool apart;
  int64_t rows, dictionary; // -1: a batch
  extent extent;
  int64_t metadata; // its size
  struct mg_message *next;
} message;

static size_t batch_table(mg_bytes *b, const message *m) {
  size_t t = mg_put_table(b, 3, (uint8_t[]){8, 4, 4});
  put_i64(b, t, 0, m->rows);
  size_t node_at = mg_put_vector(b, mg_slot(b, t, 1), (size_t)m->extent.nodes, 16);
  size_t buffer_at = mg_put_vector(b, mg_slot(b, t, 2), (size_t)m->extent.buffers, 16);
  batch_writer w = {b, m->apart, node_at, buffer_at, 0, m->extent.written};
  for (int i = 0; i < m->n_nodes; i++) describe_node(&w, m->nodes[i]);
  return t;
}

static void rows_message(mg_bytes *b, const message *m) {
  bool batch = m->dictionary < 0;
  int64_t body = m->extent.written + m->extent.staying;
  size_t slot = message_table(b, batch ? HEADER_RECORDS : HEADER_DICTIONARY, body);
  if (!batch) {
    size_t t = mg_put_table(b, 2, (uint8_t[]){8, 4});
    mg_put_link(b, slot, t);
    put_i64(b, t, 0, m->dictionary);
    slot = mg_slot(b, t, 1);
  }
  size_t t = batch_table(b, m);
  mg_put_link(b, slot, t);
}

static message *message_new(mg_node **nodes, int n_nodes, int64_t rows, int64_t dictionary, bool apart) {
  message *m = mg_alloc(1, sizeof *m);
  *m = (message){.nodes = nodes, .n_nodes = n_nodes, .apart = apart, .rows = rows, .dictionary = dictionary};
  for (int i = 0; i < n_nodes; i++) add_extent(nodes[i], apart, &m->extent);
  return m;
}

// Where the messages of a stream are appended, and the number of its next dictionary.
typedef struct {
  message **end;
  int64_t next_id;
  bool apart;
} sequence;

static void append(sequence *q, mg_node **nodes, int n_nodes, int64_t rows, int64_t dictionary) {
  *q->end = message_new(nodes, n_nodes, rows, dictionary, q->apart);
  q->end = &(*q->end)->next;
}

// Numbers the dictionaries below a node and appends a message for each.
static void append_dictionaries(sequence *q, mg_node *n) {
  if (n->dictionary != NULL) {
    append_dictionaries(q, n->dictionary);
    n->dictionary_id = q->next_id++;
    append(q, &n->dictionary, 1, n->dictionary->rows, n->dictionary_id);
  }
  for (int i = 0; i < n->n_children; i++) append_dictionaries(q, n->children[i]);
}

static void append_batch(sequence *q, mg_node *root) {
  q->next_id = 0;
  for (int i = 0; i < root->n_children; i++) append_dictionaries(q, root->children[i]);
  append(q, root->children, root->n_children, root->rows, -1);
}

static bool measure_messages(mg_measured *m, mg_failure *f) {
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_bytes b = mg_bytes_new(cell);
  bool done = true;
  for (message *rows = m->messages; done && rows != NULL; rows = rows->next) {
    b.size = 0;
    rows_message(&b, rows);
    rows->metadata = padded((int64_t)b.size);
    m->metadata += 8 + rows->metadata;
    m->bodies += rows->extent.written;
    m->n_parts += rows->extent.parts + 1;
    int64_t body = rows->extent.written + rows->extent.staying;
    done = (b.size <= MAX_METADATA && body <= MAX_ROWS && m->metadata <= MAX_ROWS && m->bodies <= MAX_ROWS) ||
           mg_fail(f, "it is too large");
  }
  UNPROTECT(1);
  return done;
}

bool mg_measure(mg_measured *m, mg_node *root, mg_node *const batches[], R_xlen_t n, SEXP shelter, mg_failure *f) {
  message *unused = NULL;
  append_batch(&(sequence){&unused, 0, m->apart}, root); // the schema numbers its dictionaries
  sequence q = {&m->messages, 0, m->apart};
  for (R_xlen_t i = 0; i < n; i++) append_batch(&q, batches[i]);
  m->schema = mg_bytes_new(mg_keep(shelter, Rf_allocVector(VECSXP, 1)));
  schema_message(&m->schema, root);
  if (m->schema.size > MAX_METADATA) return mg_fail(f, "its names and attributes take more than 64 MiB");
  m->metadata = 8 + padded((int64_t)m->schema.size) + 8;
  return measure_messages(m, f);
}

static uint8_t *write_node(mg_node *n, bool apart, uint8_t *to) {
  uint8_t *buffers[3] = {NULL};
  for (int i = 0; i < n->n_buffers; i++) {
    if (stays(n, i, apart)) continue;
    buffers[i] = to;
    int64_t size = aligned(n->size[i], apart);
    if (size > n->size[i]) memset(to + n->size[i], 0, (size_t)(size - n->size[i]));
    to += size;
  }
  if (n->write != NULL) n->write(n, buffers);
  for (int i = 0; i < n->n_children; i++) to = write_node(n->children[i], apart, to);
  return to;
}

// The marker and length before metadata of so many bytes, which end with zeros.
static uint8_t *write_length(uint8_t *to, size_t size) {
  int64_t whole = padded((int64_t)size);
  store_i32(to, -1);
  store_i32(to + 4, (int32_t)whole);
  memset(to + 8 + size, 0, (size_t)whole - size);
  return to + 8;
}

// The metadata of a message is written after its rows, in which nulls are counted. Returns
// the end of its body.
static uint8_t *write_message(const message *m, uint8_t *to, uint8_t *body) {
  for (int i = 0; i < m->n_nodes; i++) body = write_node(m->nodes[i], m->apart, body);
  mg_bytes b = mg_bytes_at(to + 8, (size_t)m->metadata);
  rows_message(&b, m);
  write_length(to, b.size);
  return body;
}

void mg_write(const mg_measured *m, uint8_t *to, uint8_t *bodies) {
  memcpy(write_length(to, m->schema.size), m->schema.data, m->schema.size);
  to += 8 + padded((int64_t)m->schema.size);
  for (const message *rows = m->messages; rows != NULL; rows = rows->next) {
    uint8_t *end = to + 8 + rows->metadata;
    if (m->apart) {
      bodies = write_message(rows, to, bodies);
      to = end;
    } else {
      to = write_message(rows, to, end);
    }
  }
  write_length(to, 0);
}

static mg_part *list_staying(const mg_node *n, mg_part *parts) {
  for (int i = 0; i < n->n_buffers; i++) {
    if (stays(n, i, true)) *parts++ = n->stays[i];
  }
  for (int i = 0; i < n->n_children; i++) parts = list_staying(n->children[i], parts);
  return parts;
}

// The bytes that are written of a body, which lie behind those of the one before, and then
// those that stay.
size_t mg_list_parts(const mg_measured *m, mg_segment *segment, mg_part *parts) {
  mg_part *next = parts, *last = NULL;
  size_t at = 0;
  for (const message *rows = m->messages; rows != NULL; rows = rows->next) {
    size_t size = (size_t)rows->extent.written;
    if (size > 0 && last != NULL && last + 1 == next) {
      last->size += size;
    } else if (size > 0) {
      last = next;
      *next++ = (mg_part){segment, at, size};
    }
    at += size;
    for (int i = 0; i < rows->n_nodes; i++) next = list_staying(rows->nodes[i], next);
  }
  return (size_t)(next - parts);
}
