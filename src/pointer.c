// External pointers of other packages.

#include "entries.h"

// Empties `pointer`, so that its finalizer finds nothing to do.
SEXP mg_c_clear_pointer(SEXP pointer) {
  R_ClearExternalPtr(pointer);
  return R_NilValue;
}
