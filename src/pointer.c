// External pointers of other packages.

#include "mangoro.h"

// Empties `pointer`, so that its finalizer finds nothing to do.
SEXP clear_pointer(SEXP pointer) {
  R_ClearExternalPtr(pointer);
  return R_NilValue;
}
