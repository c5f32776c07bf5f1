// Directories that are locked while this session lives.

#include "entries.h"
#include "system.h"

static void free_lock(SEXP pointer) {
  mg_dir_lock *lock = R_ExternalPtrAddr(pointer);
  if (!lock) return;
  R_ClearExternalPtr(pointer);
  mg_dir_unlock(lock);
  free(lock);
}

// Makes the directory, and returns its lock: an external pointer. NULL if the name is
// taken, FALSE if it cannot be made.
SEXP mg_c_lock_make(SEXP path) {
  mg_dir_lock *lock = malloc(sizeof *lock);
  if (!lock) return R_NilValue;
  SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
  R_RegisterCFinalizerEx(pointer, free_lock, FALSE);
  mg_dir_made made = mg_dir_make_locked(Rf_translateChar(STRING_ELT(path, 0)), lock);
  if (made == DIR_LOCKED) {
    R_SetExternalPtrAddr(pointer, lock);
  } else {
    free(lock);
    pointer = made == DIR_TAKEN ? R_NilValue : Rf_ScalarLogical(0);
  }
  UNPROTECT(1);
  return pointer;
}

SEXP mg_c_lock_release(SEXP pointer) {
  free_lock(pointer);
  return R_NilValue;
}

SEXP mg_c_lock_is_free(SEXP path) {
  return Rf_ScalarLogical(mg_dir_is_unlocked(Rf_translateChar(STRING_ELT(path, 0))));
}
