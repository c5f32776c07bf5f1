// A result that is read part by part, as a stream of the Arrow C data interface.

#include "entries.h"

// Fills the stream of a pointer: NULL if it is not.
SEXP mg_c_array_stream(SEXP pointer, SEXP next, SEXP schema, SEXP close) {
  (void)pointer, (void)next, (void)schema, (void)close;
  return R_NilValue;
}
