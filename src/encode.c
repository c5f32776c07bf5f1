// R values as a raw vector: a header, then a stream.

#include "entries.h"
#include "plan.h"

SEXP mg_encode(mg_node *root, mg_node *const batches[], R_xlen_t n, SEXP header, mg_failure *f) {
  mg_measured m = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1)), out = NULL;
  if (mg_measure(&m, root, batches, n, shelter, f)) {
    R_xlen_t ahead = Rf_xlength(header);
    out = PROTECT(mg_new_vector(RAWSXP, ahead + (R_xlen_t)m.size));
    if (ahead > 0) memcpy(RAW(out), RAW_RO(header), (size_t)ahead);
    mg_write(&m, RAW(out) + ahead);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return out;
}

static SEXP encode(SEXP x, SEXP header, SEXP native, SEXP send_as, bool row) {
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_plan p = {.failure = &f, .shelter = shelter, .send_as = send_as, .native = (mg_encoding)Rf_asInteger(native)};
  mg_node *root = row ? mg_plan_row(&p, x) : mg_plan_record(&p, x);
  SEXP out = root == NULL ? NULL : mg_encode(root, &root, 1, header, &f);
  if (out == NULL) out = mg_failure_value(&f);
  UNPROTECT(1);
  return out;
}

SEXP mg_c_encode_record(SEXP x, SEXP header, SEXP native, SEXP send_as) {
  return encode(x, header, native, send_as, false);
}

SEXP mg_c_encode_row(SEXP args, SEXP header, SEXP native, SEXP send_as) {
  return encode(args, header, native, send_as, true);
}
