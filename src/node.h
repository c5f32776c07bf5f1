// What is to be written: a tree of nodes, and the stream of it.

#ifndef MANGORO_NODE_H
#define MANGORO_NODE_H

#include "arrow.h"
#include "bits.h"
#include "class.h"
#include "flatbuf.h"
#include "parts.h"

// In what strings are that R has not marked: R would replace what is not valid there,
// and the bytes of UTF-8 are looked at here.
typedef enum { NATIVE_UNKNOWN, NATIVE_OTHER, NATIVE_UTF8 } mg_encoding;

// A string as UTF-8; false if it has none.
bool mg_string_bytes(mg_encoding native, SEXP s, const char **text, size_t *n);

// Strings lie anywhere: a million of them in random order are written in 220 ms, and in
// 530 ms without this.
#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) ((void)0)
#endif

enum { SEEN = 64 };
typedef struct {
  SEXP string;
  const char *text;
  size_t n;
} mg_seen_string;
bool mg_seen_bytes(mg_seen_string *seen, mg_encoding native, SEXP s, const char **text, size_t *n);

typedef struct mg_node mg_node;
typedef void (*mg_writer)(mg_node *n, uint8_t *const to[]);

struct mg_node {
  // The field.
  const char *name; // UTF-8
  int type;
  int32_t width; // bits of integers, floats, times and decimals; size of fixed ones
  int unit;      // of times
  int32_t precision, scale;
  bool is_signed, nullable, sorted, dense;
  const char *zone;
  mg_class class; // what r.class shall say
  const char *attributes;
  const char *metadata; // further pairs, as the C data interface has them
  const int32_t *codes; // type ids of a union
  mg_node *dictionary;  // its values, if the rows are indices
  int64_t dictionary_id;
  bool ordered;
  int n_children;
  mg_node **children;
  // The rows.
  int64_t rows, nulls;
  int n_buffers;
  int64_t size[3];
  mg_writer write;   // where to[i] is NULL, buffer i stays where it is
  mg_part stays[3];  // where that is, if its segment is not NULL
  // Where they come from: R vectors one after the other ...
  const SEXP *chunks;
  R_xlen_t n_chunks;
  int64_t per;
  mg_encoding native;
  // ... or an array.
  const void *array;
  int64_t from;
};

static inline const uint8_t *mg_staying(const mg_node *n, int buffer) {
  return n->stays[buffer].segment->data + n->stays[buffer].offset;
}

mg_node *mg_node_new(int type, const char *name);
void mg_set_children(mg_node *n, int n_children);
R_xlen_t mg_chunk_rows(SEXP x);

void mg_write_bools(mg_node *n, uint8_t *const to[]);
void mg_write_ints(mg_node *n, uint8_t *const to[]);
void mg_write_doubles(mg_node *n, uint8_t *const to[]);
void mg_write_ints_as_doubles(mg_node *n, uint8_t *const to[]);
void mg_write_strings(mg_node *n, uint8_t *const to[]);
void mg_write_string_view(mg_node *n, uint8_t *const to[]);
void mg_write_codes(mg_node *n, uint8_t *const to[]);
void mg_write_dates(mg_node *n, uint8_t *const to[]);
void mg_write_times(mg_node *n, uint8_t *const to[]);
void mg_write_int64s(mg_node *n, uint8_t *const to[]);
void mg_write_raws(mg_node *n, uint8_t *const to[]);
void mg_write_complex(mg_node *n, uint8_t *const to[]);
void mg_write_parts(mg_node *n, uint8_t *const to[]);
void mg_write_binaries(mg_node *n, uint8_t *const to[]);
void mg_write_lists(mg_node *n, uint8_t *const to[]);
void mg_write_structs(mg_node *n, uint8_t *const to[]);
void mg_write_row(mg_node *n, uint8_t *const to[]);

// A stream that is measured: `metadata` bytes, and `bodies`. If these lie apart, values that
// are in a segment already are not among them; there are `n_parts` at most.
typedef struct {
  bool apart;
  mg_bytes schema;
  struct mg_message *messages;
  int64_t metadata, bodies;
  size_t n_parts;
} mg_measured;

// Of batches that all have the schema of `root`, and that may be `root`. Each brings
// its dictionaries, which replace those of the one before. `shelter` keeps the schema.
bool mg_measure(mg_measured *m, mg_node *root, mg_node *const batches[], R_xlen_t n, SEXP shelter, mg_failure *f);
// The bodies go to `bodies` if they lie apart, and otherwise each behind its metadata.
void mg_write(const mg_measured *m, uint8_t *to, uint8_t *bodies);
// The parts of bodies that lie apart, of which those written begin at `segment`. Returns how
// many there are.
size_t mg_list_parts(const mg_measured *m, mg_segment *segment, mg_part *parts);
// All of it, in a raw vector behind the bytes of `header`, which is that of a call. With
// `offer`, the size of a segment for the result (and who gets it), large bodies lie apart if there is memory for
// that: list(bytes, segments), a message by reference and what it uses. NULL after a failure.
SEXP mg_encode(mg_node *root, mg_node *const batches[], R_xlen_t n, SEXP header, SEXP offer, mg_failure *f);

#endif
