// From R values to nodes: path.c, attributes_write.c, plan.c, nested.c, record.c.

#ifndef MANGORO_PLAN_H
#define MANGORO_PLAN_H

#include "attributes.h"
#include "node.h"

typedef struct {
  mg_failure *failure;
  SEXP shelter;
  SEXP send_as;       // an R function: what an object of another class is sent as
  mg_encoding native; // of strings that are not marked
} mg_plan;

// The path to the chunks of a node, for messages: the elements of the lists `lists`,
// or else the part `name` or number `item` of each chunk of `up`.
typedef struct mg_path {
  const struct mg_path *up;
  const char *name;
  R_xlen_t item;
  const SEXP *lists;
  R_xlen_t n_lists;
} mg_path;

static inline mg_path path_root(void) { return (mg_path){.name = ""}; }
static inline mg_path path_part(const mg_path *up, const char *name, R_xlen_t i) {
  return (mg_path){.up = up, .name = name, .item = i + 1};
}
static inline mg_path path_elements(const mg_path *up, const mg_node *lists) {
  return (mg_path){.up = up, .lists = lists->chunks, .n_lists = lists->n_chunks};
}

// Row `row` (from 1; 0: none) of a chunk (from 0) cannot be written. Returns NULL.
void *mg_fail_at(mg_plan *p, const mg_path *at, R_xlen_t chunk, R_xlen_t row, const char *format, ...) FORMAT(5, 6);

// Fills n->attributes from x. `names` says whether its names belong there.
bool mg_plan_attributes(mg_plan *p, const mg_path *at, mg_node *n, SEXP x, mg_class class, bool names);
bool mg_is_left_behind(const char *name, SEXP value, mg_class class);
bool mg_is_cache(const char *name, mg_class class);
bool mg_is_automatic(SEXP row_names);

mg_node *mg_node_numeric(mg_node *n, int type, int32_t bits, mg_writer write);
mg_node *mg_node_offsets(mg_node *n, int type, int n_buffers, int64_t data, mg_writer write);
mg_node *mg_with_chunks(mg_node *n, const SEXP *chunks, R_xlen_t n_chunks, int64_t rows);
const SEXP *mg_chunk(SEXP x); // an array of one
bool mg_count_rows(mg_plan *p, const mg_path *at, const SEXP *chunks, R_xlen_t n, int64_t *rows);
const char *mg_name_at(mg_plan *p, const mg_path *at, SEXP names, R_xlen_t i);

mg_node *mg_plan_strings(mg_plan *p, const mg_path *at, mg_node *n);
mg_node *mg_plan_factor(mg_plan *p, const mg_path *at, mg_node *n, mg_class class);
mg_node *mg_plan_ints(mg_node *n);
mg_node *mg_plan_complex(mg_node *n);
mg_node *mg_plan_dates(mg_node *n);
mg_node *mg_plan_datetimes(mg_plan *p, const mg_path *at, mg_node *n);
const char *mg_plan_zone(mg_plan *p, const mg_path *at, SEXP x); // of times; NULL after a failure
mg_node *mg_plan_differences(mg_plan *p, const mg_path *at, mg_node *n);
mg_node *mg_plan_times_of_day(mg_node *n);

SEXP mg_sent(mg_plan *p, const mg_path *at, SEXP x);
mg_node *mg_plan_chunks(mg_plan *p, const mg_path *at, const char *name, const SEXP *chunks, R_xlen_t n, int depth);

mg_node *mg_plan_record(mg_plan *p, SEXP x);
mg_node *mg_plan_row(mg_plan *p, SEXP args);

#endif
