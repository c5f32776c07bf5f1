// From checked columns to R values: atomic.c, in_place.c, finish.c, values.c, decode.c.

#ifndef MANGORO_DECODE_H
#define MANGORO_DECODE_H

#include "attributes.h"
#include "read.h"

enum { DAY = 86400 };
// A double tells all whole numbers up to it from their neighbours.
#define MAX_EXACT (INT64_C(1) << 53)

// Why R cannot hold a value.
#define NOT_EXACT \
  "the integer is not exact as a double; with the option mangoro.int64 = \"auto\" it can be an integer64"
#define SMALLEST_INT64 "the smallest int64 is not an integer64, but its NA"
#define LONG_STRING "the string has more than 2147483647 bytes"
#define NO_NULL_RAW "a raw vector has no NA"
#define NO_WHOLE_TIME "the time is not a whole number, but its storage is integer"
#define LARGE_UINT64 "the uint64 is larger than an integer64 can be; a Go function can return it as a string"

#define EACH_NULL(i) \
  for (int64_t i = mg_next_null(c, from, from + n); i < from + n; i = mg_next_null(c, i + 1, from + n))

// Rows `from` on of a column, n of them, into R's memory; false after a failure.
int64_t mg_next_null(const mg_column *c, int64_t i, int64_t end);
void mg_set_missing(const mg_field *f, SEXP x, int64_t i); // of a vector, not of a frame or matrix
void mg_find_range(const mg_field *f, const mg_column *c, int64_t *low, int64_t *high);
void mg_fill_bools(const mg_column *c, int64_t from, int64_t n, int *to);
void mg_fill_ints(const mg_field *f, const mg_column *c, int64_t from, int64_t n, int *to);
bool mg_fill_raws(mg_stream *s, const mg_column *c, int64_t from, int64_t n, uint8_t *to);
void mg_fill_complex(const mg_column *c, int64_t from, int64_t n, Rcomplex *to);
bool mg_fill_doubles(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, double *to);
bool mg_fill_times(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at);
bool mg_check_strings(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n);
bool mg_fill_strings(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at);

// Rows that R can leave where they are, in a segment: a view of them, not yet checked; NULL
// if they have to be copied.
SEXP mg_view_rows(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXPTYPE type);
// Checks the values of a view, and that NA is under each null.
bool mg_settle_view(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP x);

// After a failure x is NULL.
static inline bool set_element(SEXP list, R_xlen_t i, SEXP x) {
  if (x != NULL) SET_VECTOR_ELT(list, i, x);
  return x != NULL;
}

// The same of Go's any. `leaf` reads a row of a column of leaves: see mg_row_value().
typedef SEXP (*mg_leaf_reader)(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i);
bool mg_fill_dynamic(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at,
                     mg_leaf_reader leaf);

// Class and attributes. What returns a SEXP returns NULL after a failure.
SEXP mg_finish(mg_stream *s, const mg_field *f, SEXP x, int64_t n);
SEXP mg_with_attributes(mg_stream *s, int class, SEXP attributes, SEXP x, int64_t n);
void mg_set_field_names(SEXP x, mg_field *const fields[], int n);
void mg_set_row_names(SEXP x, int64_t n);

// Values: of a field in all batches, of some rows as a vector, and of one row as what is
// in it.
SEXP mg_column_value(mg_stream *s, const mg_field *f, const mg_column *first, int64_t n);
SEXP mg_rows_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n);
SEXP mg_row_value(mg_stream *s, const mg_field *f, const mg_column *c, int64_t i);

// The option mangoro.int64, which is INT64_AUTO if it is not set, or not valid: then false.
bool mg_int64_option(int *chosen);

// The value of a stream, or a failure. `unbacked` is the limit for rows without bytes
// before those of the stream are counted, see read.h.
SEXP mg_decode(mg_input in, bool row, int int64, int64_t unbacked);

#endif
