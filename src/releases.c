// Go's objects that R does not refer to any more, until Go is told.

#include "entries.h"

// Notes an object, and how often R has received it.
SEXP mg_c_release_note(SEXP buffer, SEXP id, SEXP received) {
  (void)buffer, (void)id, (void)received;
  return R_NilValue;
}

// Those that are noted, as the payload of a message: NULL if there are none.
SEXP mg_c_release_take(SEXP buffer) {
  (void)buffer;
  return R_NilValue;
}
