// R functions that Go calls over the lane, without R code for each call.

#include "entries.h"

// What becomes of a call that lives, in one piece: NULL if R code has to do it.
SEXP mg_c_lane_converse(SEXP pointer, SEXP posted, SEXP line, SEXP targets, SEXP timeout, SEXP templates) {
  (void)pointer, (void)posted, (void)line, (void)targets, (void)timeout, (void)templates;
  return R_NilValue;
}
