// A look at the arguments of a call that need nothing done to them.

#include "mangoro.h"

// The length of all of `args`, if they are vectors of the `types`, without
// attributes and of one length; NA otherwise.
SEXP plain_length(SEXP args, SEXP types) {
  R_xlen_t n = Rf_xlength(args);
  if (n == 0 || n != Rf_xlength(types)) return Rf_ScalarReal(NA_REAL);
  R_xlen_t length = Rf_xlength(VECTOR_ELT(args, 0));
  for (R_xlen_t i = 0; i < n; i++) {
    SEXP x = VECTOR_ELT(args, i);
    if (TYPEOF(x) != INTEGER(types)[i] || HAS_ATTRIBUTES(x) || Rf_xlength(x) != length) {
      return Rf_ScalarReal(NA_REAL);
    }
  }
  return Rf_ScalarReal((double)length);
}
