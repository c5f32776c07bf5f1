// External pointers of other packages.

#include "entries.h"

// Empties `pointer`, so that its finalizer finds nothing to do, and returns one like it
// that has no finalizer.
SEXP mg_c_take_pointer(SEXP pointer) {
  SEXP taken = PROTECT(
      R_MakeExternalPtr(R_ExternalPtrAddr(pointer), R_ExternalPtrTag(pointer), R_ExternalPtrProtected(pointer)));
  SHALLOW_DUPLICATE_ATTRIB(taken, pointer);
  R_ClearExternalPtr(pointer);
  UNPROTECT(1);
  return taken;
}
