// Between flat_values.c, values.c, finish.c and decode.c.

#ifndef MANGORO_DECODE_H
#define MANGORO_DECODE_H

#include "mangoro.h"

enum { DAY = 86400 };

static inline bool is_valid(const column *c, int64_t i) { return c->valid == NULL || bit_at(c->valid, i); }

#define EACH_NULL(i) for (int64_t i = next_null(c, from, from + n); i < from + n; i = next_null(c, i + 1, from + n))

int64_t next_null(const column *c, int64_t i, int64_t end);
bool fail_row(stream *s, int64_t row, const char *text);
SEXP own_attribute(SEXP attributes, const char *name);
SEXP attribute(const field *f, const char *name);
bool is_text(const field *f);
void fill_bools(const column *c, int64_t from, int64_t n, int *to);
bool fill_ints(stream *s, const field *f, const column *c, int64_t from, int64_t n, int *to);
bool fill_raws(stream *s, const column *c, int64_t from, int64_t n, uint8_t *to);
void fill_complex(const column *c, int64_t from, int64_t n, Rcomplex *to);
bool fill_doubles(stream *s, const field *f, const column *c, int64_t from, int64_t n, double *to);
bool fill_times(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at);
bool fill_strings(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at);
SEXP allocate(stream *s, const field *f, int64_t n);
bool fill(stream *s, const field *f, const column *c, int64_t from, int64_t n, SEXP to, int64_t at);
SEXP value_of(stream *s, const field *f, const column *c, int64_t from, int64_t n);
SEXP list_value(stream *s, const field *f, const column *c, int64_t i);
bool read_values(stream *s, dictionary *d);
SEXP finish(stream *s, const field *f, SEXP x, int64_t n);
void set_field_names(SEXP x, field *const fields[], int n);
void set_row_names(SEXP x, int64_t n);
SEXP with_attributes(stream *s, int class, SEXP attributes, SEXP x, int64_t n);

#endif
