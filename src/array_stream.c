// A result that is read part by part, as a stream of the Arrow C data interface, whose
// functions are closures of R.

#include "cdata.h"
#include "entries.h"
#include "read.h"
#include "system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

// --- The stream of a part ---------------------------------------------------

// Writes messages whose bodies lie in parts as a stream, to memory for all of both.
static bool write_whole(const mg_input *in, uint8_t *to, size_t bodies, mg_failure *f) {
  uint8_t *space = mg_alloc(bodies + 1, 1);
  for (size_t i = 0, at = 0; i < in->n_parts; i++) {
    memcpy(space + at, in->segment->data + in->parts[i].offset, in->parts[i].size);
    at += (in->parts[i].size + 7) / 8 * 8;
  }
  size_t at = 0, used = 0;
  while (in->size - at >= 8) {
    uint32_t length = load_u32(in->data + at + 4);
    if (load_u32(in->data + at) != UINT32_MAX || length > in->size - at - 8) break;
    memcpy(to, in->data + at, 8 + (size_t)length);
    to += 8 + (size_t)length;
    if (length > 0) {
      mg_flat flat = mg_flat_new(in->data + at + 8, length, f);
      int64_t size = mg_table_int(mg_flat_root(&flat), 3, 8, 0);
      if (f->failed || size < 0 || (uint64_t)size > bodies - used) break;
      memcpy(to, space + used, (size_t)size);
      to += size;
      used += (size_t)size;
    }
    at += 8 + (size_t)length;
  }
  return (at == in->size && used == bodies) || mg_fail(f, "its messages do not fit its parts");
}

// As mg_c_verify(), of a part of a stream, which may lie in a segment that is used by
// `segments`.
SEXP mg_c_part_stream(SEXP bytes, SEXP ahead, SEXP segments) {
  if (RAW_RO(bytes)[0] != MESSAGE_REFER_PART) return mg_c_verify(bytes, ahead);
  mg_failure f = {0};
  R_xlen_t from = (R_xlen_t)Rf_asReal(ahead);
  mg_input in = {.owner = bytes, .data = RAW_RO(bytes) + from, .size = (size_t)(Rf_xlength(bytes) - from)};
  SEXP out = R_NilValue;
  if (mg_read_parts(&in, segments == R_NilValue ? NULL : mg_uses_offer(segments), &f)) {
    mg_uses_note(segments, mg_parts_end(&in));
    size_t bodies = 0;
    for (size_t i = 0; i < in.n_parts; i++) bodies += (in.parts[i].size + 7) / 8 * 8;
    out = PROTECT(mg_new_vector(RAWSXP, (R_xlen_t)(in.size + bodies)));
    if (write_whole(&in, RAW(out), bodies, &f)) {
      (void)mg_verify((mg_input){.owner = out, .data = RAW(out), .size = in.size + bodies}, &f);
    }
    UNPROTECT(1);
  }
  if (f.failed) out = mg_failure_value(&f);
  return out;
}

// --- The interface ----------------------------------------------------------

enum { NEXT, SCHEMA, CLOSE };

// Memory of C, which others may release at any time.
typedef struct {
  SEXP closures; // a list of them, preserved
  char error[512];
} state;

static state *state_of(struct ArrowArrayStream *s) { return s->private_data; }

// Calls a closure without arguments. No error or interrupt of R leaves it: whoever reads the
// stream may be C++ code. A closure returns a string if it fails. NULL: it has failed. The caller protects the value.
static SEXP call_closure(state *s, int which) {
  if (!mg_is_main_thread()) {
    snprintf(s->error, sizeof s->error, "a Go stream can be read in R's own thread only");
    return NULL;
  }
  int failed = 0;
  SEXP call = PROTECT(Rf_lang1(VECTOR_ELT(s->closures, which)));
  SEXP value = R_tryEvalSilent(call, R_BaseEnv, &failed);
  UNPROTECT(1);
  if (!failed && TYPEOF(value) != STRSXP) return value;
  snprintf(s->error, sizeof s->error, "%s", failed ? "it was interrupted" : CHAR(STRING_ELT(value, 0)));
  return NULL;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  SEXP value = call_closure(state_of(stream), SCHEMA);
  struct ArrowSchema *schema = value != NULL && TYPEOF(value) == EXTPTRSXP ? R_ExternalPtrAddr(value) : NULL;
  if (schema == NULL) return EIO;
  *out = *schema;
  schema->release = NULL;
  return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  SEXP value = call_closure(state_of(stream), NEXT);
  if (value == NULL) return EIO;
  *out = (struct ArrowArray){0};
  struct ArrowArray *array = TYPEOF(value) == EXTPTRSXP ? R_ExternalPtrAddr(value) : NULL;
  if (array == NULL) return 0; // the end
  *out = *array;
  array->release = NULL;
  return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) { return state_of(stream)->error; }

// In another thread, what R has is left alone: it ends with the session.
static void release(struct ArrowArrayStream *stream) {
  state *s = state_of(stream);
  stream->release = NULL;
  if (mg_is_main_thread()) {
    (void)call_closure(s, CLOSE);
    R_ReleaseObject(s->closures);
  }
  free(s);
}

// Fills the stream of a pointer. NULL: there is no memory.
SEXP mg_c_array_stream(SEXP pointer, SEXP next, SEXP schema, SEXP close) {
  struct ArrowArrayStream *stream = R_ExternalPtrAddr(pointer);
  SEXP closures = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(closures, NEXT, next);
  SET_VECTOR_ELT(closures, SCHEMA, schema);
  SET_VECTOR_ELT(closures, CLOSE, close);
  R_PreserveObject(closures);
  state *s = stream == NULL ? NULL : malloc(sizeof *s);
  if (s == NULL) {
    R_ReleaseObject(closures);
    UNPROTECT(1);
    return R_NilValue;
  }
  *s = (state){.closures = closures};
  *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, s};
  UNPROTECT(1);
  return pointer;
}
