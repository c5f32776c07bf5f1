// Streams that others than decode.c shall read: nothing foreign is given to them
// that has not passed here.

#include "mangoro.h"

// Any Arrow type passes, and what is R's in the metadata is not looked at. The sizes
// of tables are made true, for readers that are strict about them.
bool verify_stream(uint8_t *data, size_t size, failure *f) {
  SEXP cell = PROTECT(Rf_allocVector(VECSXP, 1));
  stream s = {
      .failure = f,
      .shelter = cell,
      .any = true,
      .unbacked = UNBACKED_FLOOR + (int64_t)size * UNBACKED_FACTOR,
  };
  bool sound = read_stream(&s, data, size);
  UNPROTECT(1);
  return sound;
}

// The stream behind the first bytes, as a raw vector of its own, or a failure.
SEXP verified(SEXP bytes, SEXP ahead) {
  failure f = {0};
  R_xlen_t size = Rf_xlength(bytes), from = (R_xlen_t)Rf_asReal(ahead);
  SEXP out = PROTECT(new_vector(RAWSXP, size - from));
  if (size > from) memcpy(RAW(out), RAW_RO(bytes) + from, (size_t)(size - from));
  if (!verify_stream(RAW(out), (size_t)(size - from), &f)) out = failure_value(&f);
  UNPROTECT(1);
  return out;
}
