// What tests of segments and views need: segments without a call, and a peer's part.

#include "entries.h"
#include "view.h"

#ifndef _WIN32
#include <unistd.h>
#endif

// NULL after its end.
static mg_segment *leased(SEXP lease) { return TYPEOF(lease) == EXTPTRSXP ? R_ExternalPtrAddr(lease) : NULL; }

static void end_lease(SEXP lease) {
  mg_segment *s = leased(lease);
  if (!s) return;
  R_ClearExternalPtr(lease);
  mg_segment_release(s);
}

// A segment on an external pointer, which ends its use when it is collected, if
// mg_c_segment_release() did not before. NULL: there is none.
SEXP mg_c_segment_take(SEXP role, SEXP size, SEXP peer) {
  SEXP lease = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
  R_RegisterCFinalizerEx(lease, end_lease, FALSE);
  mg_segment *s =
      mg_segment_take((mg_segment_role)Rf_asInteger(role), (size_t)Rf_asReal(size), (uint32_t)Rf_asReal(peer));
  R_SetExternalPtrAddr(lease, s);
  UNPROTECT(1);
  return s ? lease : R_NilValue;
}

SEXP mg_c_segment_forget(SEXP peer) {
  mg_segment_forget((uint32_t)Rf_asReal(peer));
  return R_NilValue;
}

static mg_segment *segment_of(SEXP lease) {
  mg_segment *s = leased(lease);
  if (!s) Rf_error("the lease has ended");
  return s;
}

SEXP mg_c_segment_release(SEXP lease) {
  end_lease(lease);
  return R_NilValue;
}

SEXP mg_c_segment_retire(SEXP lease) {
  mg_segment_retire(segment_of(lease));
  return R_NilValue;
}

// What Go knows of it: its descriptor, generation and size.
SEXP mg_c_segment_name(SEXP lease) {
  mg_segment *s = segment_of(lease);
  SEXP name = PROTECT(Rf_allocVector(REALSXP, 3));
  REAL(name)[0] = s->fd;
  REAL(name)[1] = s->generation;
  REAL(name)[2] = (double)s->size;
  UNPROTECT(1);
  return name;
}

// Writes the values of a vector at an offset of the file, as Go does, which may make it longer.
SEXP mg_c_segment_write(SEXP lease, SEXP offset, SEXP x) {
  size_t size = (size_t)XLENGTH(x);
  if (TYPEOF(x) == CPLXSXP)
    size *= 16;
  else if (TYPEOF(x) == REALSXP)
    size *= 8;
  else if (TYPEOF(x) != RAWSXP)
    size *= 4;
  const char *from = DATAPTR_RO(x);
  size_t at = (size_t)Rf_asReal(offset);
#ifndef _WIN32
  while (size > 0) {
    ssize_t n = pwrite(segment_of(lease)->fd, from, size, (off_t)at);
    if (n <= 0) return Rf_ScalarLogical(0);
    from += n;
    at += (size_t)n;
    size -= (size_t)n;
  }
#endif
  return Rf_ScalarLogical(1);
}

SEXP mg_c_segment_grow(SEXP lease) { return Rf_ScalarLogical(mg_segment_grow(segment_of(lease))); }

SEXP mg_c_segment_limit(SEXP bytes, SEXP segments) {
  mg_segment_limit((size_t)Rf_asReal(bytes), (size_t)Rf_asReal(segments));
  return R_NilValue;
}

SEXP mg_c_segment_fail(SEXP at) { return Rf_ScalarInteger(mg_segment_fail(Rf_asInteger(at))); }

SEXP mg_c_segment_collections(void) { return Rf_ScalarInteger(mg_segment_collections()); }

// Of the type of `like`.
SEXP mg_c_view(SEXP lease, SEXP offset, SEXP like, SEXP n, SEXP no_na) {
  return mg_view(segment_of(lease), (size_t)Rf_asReal(offset), (SEXPTYPE)TYPEOF(like), (R_xlen_t)Rf_asReal(n),
                 Rf_asLogical(no_na));
}

// `at`: where the offsets and the text lie, and the bitmap, or NA; and how long the text is.
SEXP mg_c_string_view(SEXP lease, SEXP at, SEXP width, SEXP n) {
  mg_segment *s = segment_of(lease);
  const double *offset = REAL(at);
  const uint8_t *valid = ISNAN(offset[2]) ? NULL : s->data + (size_t)offset[2];
  return mg_string_view(s, s->data + (size_t)offset[0], Rf_asInteger(width), s->data + (size_t)offset[1],
                        (size_t)offset[3], valid, (R_xlen_t)Rf_asReal(n));
}

// Whether x is a view that R has not changed.
SEXP mg_c_view_is_untouched(SEXP x) {
  mg_part part;
  bool no_na;
  return Rf_ScalarLogical(mg_is_untouched_view(x, &part, &no_na));
}

// Writes to the first value of a vector of doubles through a pointer that is to be read from,
// as C++ code does that has cast its const away.
SEXP mg_c_write_through(SEXP x, SEXP value) {
  *(double *)(uintptr_t)REAL_RO(x) = Rf_asReal(value);
  return R_NilValue;
}
