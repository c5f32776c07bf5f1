// Plain arguments: the vectors of most calls, of bool, int32, float64 or utf8, without
// attributes. They need not be coerced, nor looked at one by one in R: two numbers take
// 10 us on the way to a message instead of 110.

#include "entries.h"

static bool are_named(SEXP args, SEXP names) {
  SEXP given = Rf_getAttrib(args, R_NamesSymbol);
  if (given == R_NilValue) return true;
  for (R_xlen_t i = 0; i < Rf_xlength(names); i++) {
    if (STRING_ELT(given, i) != STRING_ELT(names, i)) return false;
  }
  return true;
}

static bool are_plain(SEXP args, SEXP types) {
  R_xlen_t length = Rf_xlength(VECTOR_ELT(args, 0));
  for (R_xlen_t i = 0; i < Rf_xlength(args); i++) {
    SEXP x = VECTOR_ELT(args, i);
    if (TYPEOF(x) != INTEGER(types)[i] || HAS_ATTRIBUTES(x) || Rf_xlength(x) != length) return false;
  }
  return true;
}

// The record of `args`, if they are vectors of the `types` without attributes, of
// one length and, where they have names, of these `names`; NULL otherwise.
SEXP mg_c_encode_plain(SEXP args, SEXP types, SEXP names, SEXP header, SEXP native, SEXP offer) {
  R_xlen_t n = Rf_xlength(args);
  if (n == 0 || n != Rf_xlength(types) || !are_named(args, names) || !are_plain(args, types)) return R_NilValue;
  SEXP record = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t i = 0; i < n; i++) SET_VECTOR_ELT(record, i, VECTOR_ELT(args, i));
  Rf_setAttrib(record, R_NamesSymbol, names);
  SEXP out = mg_c_encode_record(record, header, native, R_NilValue, offer);
  UNPROTECT(1);
  return out;
}
