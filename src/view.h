// Views: R vectors (ALTREP) whose values lie in a segment.

#ifndef MANGORO_VIEW_H
#define MANGORO_VIEW_H

#include "segment.h"

#include <R_ext/Rdynload.h>

// What is shorter than this many bytes is copied out, so that it keeps no segment.
#define VIEW_FLOOR ((size_t)128 << 10)

// A vector of n values at `offset` of a segment, of which it is one more use. Of type
// REALSXP, INTSXP, LGLSXP, RAWSXP or CPLXSXP, whose range is no other's. `no_na`: none of them
// is NA, nor NaN.
SEXP mg_view(mg_segment *s, size_t offset, SEXPTYPE type, R_xlen_t n, bool no_na);

// A character vector of n strings, made when they are looked at. `offsets` (n + 1 of `width`
// 4 or 8 bytes), `text` and `valid` (a bitmap, or NULL) were checked and lie in the segment;
// `text` need not if it has no bytes.
SEXP mg_string_view(mg_segment *s, const uint8_t *offsets, int width, const uint8_t *text, size_t text_size,
                    const uint8_t *valid, R_xlen_t n);

// The values of a vector, if they are in memory. Of a view it is not noted that R code could
// write to them: the caller must not.
const void *mg_view_values(SEXP x);

// Whether x is a view that R cannot have changed, and where its values lie.
bool mg_is_untouched_view(SEXP x, mg_part *part, bool *no_na);

// The strings of a vector, which are made if it is a view. Of that it is not noted that R code
// could write to them: the caller must not.
const SEXP *mg_strings(SEXP x);

// Whether x is a view of strings that R cannot have changed, and where its buffers lie: bitmap,
// offsets of `width` bytes, from 0 on, and text. One that is not there has no segment.
bool mg_is_untouched_string_view(SEXP x, mg_part parts[3], int *width);

void mg_view_init(DllInfo *dll);
void mg_string_view_init(DllInfo *dll);

#endif
