// The map of src/: R vectors to Arrow IPC streams and back, and what R lacks to work
// with other processes. A file calls those above it on this page, never one below.
//
// For all (mangoro.h):
//   bits.c             bytes at any address, bitmaps, UTF-8 (bits.h)
//   copy.c             copies of vectors, which look for NA (copy.h)
//   string_cache.h     the strings that were made last
//   failure.c          what went wrong, on its way to R
//   r.c                R's memory, and calls of R's own functions
//
// The format:
//   arrow.c            types, limits (arrow.h)
//   flatbuf.c          flatbuffers, written and read (flatbuf.h)
//   zone.c             time zones: R's own, and fixed offsets (class.h)
//   class.c            R's classes that the format knows, times as counts (class.h)
//   attributes_read.c  r.attributes: JSON to attributes (attributes.h)
//
// Shared memory:
//   segment.c          memory that R makes and Go maps, its pool and its limits (segment.h)
//   view.c             vectors of numbers whose values lie in a segment (view.h)
//   string_view.c      strings that are made when they are looked at (view.h)
//   parts.c            messages by reference, and what a call uses of segments (parts.h)
//
// Writing: R values are planned as a tree of nodes (plan.h), from which a stream is
// measured and then written (node.h):
//   strings.c          the bytes of R's strings
//   write.c            nodes, and the rows of each
//   path.c             the path to a value that cannot be written: x$y[[2]]
//   attributes_write.c r.attributes: attributes to JSON (attributes.h)
//   plan.c             nodes of atomic vectors: type and sizes, nothing is copied
//   nested.c           nodes of lists, data frames and any other vector
//   record.c           nodes of records: columns, or boxed values
//   messages.c         a stream's schema, dictionaries and batches
//   dynamic_write.c    an R value as one of Go's any: a tree (dynamic.h)
//   encode.c           a record as a stream in a raw vector
//   plain.c            plain arguments, which are encoded without coercion in R
//   cdata.c            streams of the Arrow C data interface (cdata.h)
//
// Reading: bytes are checked (read.h), then decoded (decode.h):
//   other_types.c      Arrow types that R has no vectors for
//   schema.c           fields
//   batch.c            columns of batches and dictionaries, checked against fields
//   stream.c           messages
//   verify.c           streams for other readers: checked, not decoded
//   array_stream.c     a result that is read part by part, as a stream of the C data interface
//   atomic.c           values of columns without children
//   in_place.c         views of values that stay in a segment
//   finish.c           class and attributes of a value
//   dynamic_read.c     values of Go's any (dynamic.h)
//   values.c           values of any column
//   decode.c           records, and boxed values
//
// Other processes:
//   system.c           threads, pipes and locks of Unix and Windows (system.h)
//   log.c              what a server prints; log.h is for those that show it
//   lock.c             directories that are locked while this session lives
//   owner.c            who owns a file, and who else can write to it
//   pointer.c          external pointers of other packages
//   releases.c         Go's objects that R does not refer to any more (releases.h)
//   ring.c             columns on their way to Go, in chunks (ring.h)
//   lane.c             messages through shared memory (lane.h)
//   template.c         messages that are equal but for the numbers in them (template.h)
//   question.c         R functions that Go calls over the lane
//   call.c             a plain call over the lane, from its arguments to its value
//
//   segment_test.c     segments and views as tests make them
//   constants.c        what Go and the documentation know as well
//   init.c             what R may call (entries.h)
//
// Memory is R's own (R_alloc or protected), so that an error or interrupt of R
// may leave at any place. A failure of ours fills an mg_failure and returns
// false or NULL all the way up to R code, which raises it.

#ifndef MANGORO_H
#define MANGORO_H

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>
#include <Rversion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define FORMAT(at, from) __attribute__((format(printf, at, from)))
#else
#define FORMAT(at, from)
#endif

#if R_VERSION >= R_Version(4, 5, 0)
#define HAS_ATTRIBUTES(x) ANY_ATTRIB(x)
#else
#define HAS_ATTRIBUTES(x) (ATTRIB(x) != R_NilValue)
#endif

typedef struct {
  bool failed;
  char path[256]; // the argument or column, and the way into it
  double row;     // from 1; 0 if it is not about a row
  char text[512];
} mg_failure;

// The first failure stays. Returns NULL, which is also false: a caller returns it.
void *mg_fail(mg_failure *f, const char *format, ...) FORMAT(2, 3);
void *mg_fail_row(mg_failure *f, int64_t row, const char *text); // a row from 0
SEXP mg_failure_value(const mg_failure *f);
void mg_fail_inside(mg_failure *f, const char *name);
void mg_add_text(char *to, size_t room, const char *format, ...) FORMAT(3, 4);

void *mg_alloc(size_t n, size_t size); // zeroed, of R_alloc
size_t mg_value_size(SEXPTYPE type); // in bytes; 0: R fills such vectors itself
SEXP mg_new_vector(SEXPTYPE type, R_xlen_t n);

// A shelter is a protected list of one: what is kept in it lives as long as it does,
// so that functions need no PROTECT for what they return.
SEXP mg_keep(SEXP shelter, SEXP x); // returns x

// R's own functions; the caller protects the result.
SEXP mg_call(const char *function, SEXP x);
SEXP mg_attributes_of(SEXP x);
SEXP mg_nil_rows(SEXP x); // a list

#endif
