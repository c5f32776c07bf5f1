// Flatbuffers, in which the metadata of Arrow is written.

#ifndef MANGORO_FLATBUF_H
#define MANGORO_FLATBUF_H

#include "mangoro.h"

// Bytes that grow. `cell` is a protected list of one: their owner.
typedef struct {
  SEXP cell;
  uint8_t *data;
  size_t size, room;
} mg_bytes;

mg_bytes mg_bytes_new(SEXP cell);
mg_bytes mg_bytes_at(uint8_t *data, size_t room); // given memory, which does not grow
size_t mg_bytes_add(mg_bytes *b, const void *data, size_t n); // NULL: zeros
void mg_bytes_text(mg_bytes *b, const char *text);

// A flatbuffer is written front to back: a table first, with a slot for each
// field (of so many bytes; 0 for an absent one), then what its slots refer to.
size_t mg_put_table(mg_bytes *b, int slots, const uint8_t sizes[]);
size_t mg_slot(const mg_bytes *b, size_t table, int slot);
void mg_put_link(mg_bytes *b, size_t slot, size_t target);
void mg_put_string(mg_bytes *b, size_t slot, const char *text, size_t n);
size_t mg_put_vector(mg_bytes *b, size_t slot, size_t n, size_t size);

// A flatbuffer that is read is not trusted: each access is checked. After the first
// failure all accessors return zeros.
typedef struct {
  const uint8_t *data;
  size_t size;
  int64_t tables; // how many more tables may be visited
  int64_t left;   // how many more bytes may be read
  uint8_t *mend;  // the data again, to correct the sizes of tables in; NULL: leave them
  mg_failure *failure;
} mg_flat;

typedef struct {
  mg_flat *flat; // NULL: absent
  size_t pos, size, vtable;
  int slots;
} mg_table;

typedef struct {
  mg_flat *flat;
  size_t pos, n, size;
} mg_vector;

mg_flat mg_flat_new(const uint8_t *data, size_t size, mg_failure *f);
mg_table mg_flat_root(mg_flat *f);
int64_t mg_table_int(mg_table t, int slot, size_t size, int64_t otherwise);
mg_table mg_table_child(mg_table t, int slot);
mg_vector mg_table_vector(mg_table t, int slot, size_t size);
mg_vector mg_table_text(mg_table t, int slot);
mg_table mg_vector_table(mg_vector v, size_t i);

#endif
