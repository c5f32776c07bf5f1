// A stream that was received, checked: fields, and columns that lie inside of its bytes.

#ifndef MANGORO_READ_H
#define MANGORO_READ_H

#include "arrow.h"
#include "bits.h"
#include "class.h"
#include "flatbuf.h"
#include "parts.h"

// Rows that no bytes of the stream stand for, such as those of the null type.
#define MAX_UNBACKED INT32_MAX
// The memory that R allocates for them, in bytes, is limited to UNBACKED_FLOOR and
// UNBACKED_FACTOR for each byte of the stream.
#define UNBACKED_FLOOR ((int64_t)64 << 20)
enum { UNBACKED_FACTOR = 128 };

// The option mangoro.int64.
enum {
  INT64_AUTO, // as R counts: integer, double or integer64, as the values of the column need
  INT64_INTEGER64,
  INT64_DOUBLE
};

typedef struct mg_dictionary mg_dictionary;
typedef struct mg_column mg_column;

enum {
  LAYOUT_NULL,
  LAYOUT_BITS,
  LAYOUT_FIXED,  // values of `width` bytes
  LAYOUT_BINARY, // offsets of `width` bytes, data
  LAYOUT_LIST,   // offsets of `width` bytes, a child
  LAYOUT_FIXED_LIST,
  LAYOUT_STRUCT,
  LAYOUT_INDEX, // indices of `width` bytes into a dictionary
  // Of types that R has no vectors for.
  LAYOUT_VIEW,
  LAYOUT_LIST_VIEW, // offsets and sizes of `width` bytes, a child
  LAYOUT_SPARSE,
  LAYOUT_DENSE,
  LAYOUT_RUN_ENDS
};

typedef struct mg_field {
  SEXP name; // a CHARSXP, protected
  int type, layout;
  int64_t width;
  int unit;
  int32_t scale;
  bool is_signed;
  const char *zone;
  mg_class class;
  SEXP attributes; // of mg_read_attributes(), or NULL; protected
  int n_children;
  struct mg_field **children;
  mg_dictionary *dictionary;
  bool ordered;
  bool fractional; // date64: not all are whole days
  bool wide;       // integers: not all are integers of R
  int8_t *codes;   // unions: the child of each type id, or -1
} mg_field;

// The values of a dictionary, in parts: the first, deltas, and what came to
// replace them.
struct mg_dictionary {
  int64_t id;
  mg_field *value;
  int64_t base;  // of the part that indices count from now
  int64_t limit; // of indices now
  int64_t total;
  bool known;
  mg_column *first, *last;
  SEXP values; // decoded
  SEXP codes;  // of levels, if some are there twice: positions among the unique ones
  mg_dictionary *next;
};

struct mg_column {
  int64_t rows, nulls;
  const uint8_t *valid; // NULL without nulls
  const uint8_t *values, *data;
  int64_t data_size;
  int64_t base, limit; // of a dictionary's indices
  mg_column **children;
  mg_column *next; // of the same field in the next batch
};

static inline bool is_valid(const mg_column *c, int64_t i) { return c->valid == NULL || bit_at(c->valid, i); }

typedef struct {
  mg_failure *failure;
  SEXP shelter;
  bool verify_only; // takes all of Arrow's types, and ignores R's metadata
  int int64; // what becomes of integers of 64 bits
  int64_t unbacked; // bytes that may still be allocated for rows without bytes
  int64_t version;
  mg_field **fields;
  int n_fields;
  mg_class class;
  SEXP attributes;
  mg_dictionary *dictionaries; // one that another one's values need stands before that
  mg_column **columns, **last; // by field
  int64_t rows;
  // Where the bodies are if they lie in parts: `segment` is not NULL.
  mg_segment *segment;
  const mg_part *parts;
  uint64_t *starts; // of each part in the address space, and its end
  size_t n_parts;
  uint64_t at; // where the next body begins
  bool no_nan, copied; // see mg_input
  struct mg_range *given; // what has become views
} mg_stream;

// The body of a message: `size` bytes at `data`, or at `at` in the address space of the parts
// if `data` is NULL.
typedef struct {
  const uint8_t *data;
  uint64_t at;
  int64_t size;
} mg_body;

static inline bool needs_children(const mg_stream *s, const mg_field *f, int n) {
  return f->n_children == n ||
         mg_fail(s->failure, "the Arrow type %s cannot have %d children", mg_type_name(f->type), f->n_children);
}

typedef struct {
  const uint8_t *data;
  int64_t size;
} mg_buffer;

bool mg_read_other_type(mg_stream *s, mg_field *f, mg_table t);
bool mg_check_texts(mg_failure *f, const mg_field *type, const mg_column *c);
bool mg_check_views(mg_failure *f, const mg_field *type, const mg_column *c, const mg_buffer *data, int64_t n,
                    int64_t *budget);
bool mg_check_list_views(mg_failure *f, const mg_field *type, const mg_column *c, const uint8_t *sizes,
                         int64_t *budget);
bool mg_check_union(mg_failure *f, const mg_field *type, const mg_column *c, const uint8_t *ids,
                    const uint8_t *offsets);
bool mg_check_run_ends(mg_failure *f, const mg_field *type, const mg_column *c);

// Metadata of a message, and of a field or schema, of which r.class and r.attributes
// are wanted: `class` and `attributes` are NULL, or neither.
bool mg_read_pairs(mg_stream *s, mg_vector pairs, mg_class *class, SEXP *attributes);
bool mg_read_schema(mg_stream *s, mg_table t);
mg_dictionary **mg_find_dictionary(mg_stream *s, int64_t id); // where it is, or would be appended
bool mg_read_batch(mg_stream *s, mg_table t, mg_body body);
bool mg_read_dictionary(mg_stream *s, mg_table t, mg_body body);
// The shelter keeps the owner of the bytes; their number is added to `unbacked`, times
// UNBACKED_FACTOR.
bool mg_read_stream(mg_stream *s, mg_input in);
bool mg_verify(mg_input in, mg_failure *f);

#endif
