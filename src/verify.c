// Verifies streams for other readers: none is given bytes of a peer that did not pass.

#include "entries.h"
#include "read.h"

// Any Arrow type passes, and R's metadata is ignored. Sizes of tables that are too small
// are corrected in place, for readers that are strict about them.
bool mg_verify(mg_input in, mg_failure *f) {
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_stream s = {.failure = f, .shelter = shelter, .verify_only = true, .unbacked = UNBACKED_FLOOR};
  bool sound = mg_read_stream(&s, in);
  UNPROTECT(1);
  return sound;
}

// The stream behind the first bytes, as a raw vector of its own, or a failure.
SEXP mg_c_verify(SEXP bytes, SEXP ahead) {
  mg_failure f = {0};
  R_xlen_t size = Rf_xlength(bytes), from = (R_xlen_t)Rf_asReal(ahead);
  SEXP out = PROTECT(mg_new_vector(RAWSXP, size - from));
  if (size > from) memcpy(RAW(out), RAW_RO(bytes) + from, (size_t)(size - from));
  if (!mg_verify((mg_input){.owner = out, .data = RAW(out), .size = (size_t)(size - from)}, &f))
    out = mg_failure_value(&f);
  UNPROTECT(1);
  return out;
}
