// Between schema.c, batch.c and any.c.

#ifndef MANGORO_ANY_H
#define MANGORO_ANY_H

#include "mangoro.h"

typedef struct {
  const uint8_t *bytes;
  int64_t size;
} view_data;

bool needs_children(stream *s, const field *f, int n);
bool read_any_type(stream *s, field *f, table t);
bool check_texts(failure *f, const field *type, const column *c);
bool check_views(failure *f, const field *type, const column *c, const view_data *data, int64_t n, int64_t *budget);
bool check_list_views(failure *f, const field *type, const column *c, const uint8_t *sizes, int64_t *budget);
bool check_union(failure *f, const field *type, const column *c, const uint8_t *ids, const uint8_t *offsets);
bool check_run_ends(failure *f, const field *type, const column *c);

#endif
