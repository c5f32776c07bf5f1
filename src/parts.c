// The parts of messages by reference, and what a call uses of segments.

#include "parts.h"

#include "arrow.h"
#include "bits.h"
#include "entries.h"

typedef struct {
  mg_segment *offer;
  size_t taken; // bytes of it that the result has
  size_t n, room;
  mg_segment *segments[];
} uses;

static uses *uses_of(SEXP pointer) { return TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : NULL; }

void mg_uses_end(SEXP pointer, bool given_up) {
  uses *u = uses_of(pointer);
  if (u == NULL) return;
  R_ClearExternalPtr(pointer);
  for (size_t i = 0; i < u->n; i++) {
    if (given_up) mg_segment_retire(u->segments[i]);
    mg_segment_release(u->segments[i]);
  }
}

static void finalize(SEXP pointer) { mg_uses_end(pointer, true); }

SEXP mg_uses_new(size_t room) {
  SEXP memory = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)(sizeof(uses) + room * sizeof(mg_segment *))));
  uses *u = (void *)RAW(memory);
  *u = (uses){.room = room};
  SEXP pointer = PROTECT(R_MakeExternalPtr(u, R_NilValue, memory));
  R_RegisterCFinalizer(pointer, finalize);
  UNPROTECT(2);
  return pointer;
}

static void add(uses *u, mg_segment *s) {
  if (u->n == u->room) Rf_error("a call uses more segments than it has said");
  u->segments[u->n++] = s;
}

mg_segment *mg_uses_take(SEXP pointer, mg_segment_role role, size_t size, uint32_t peer) {
  mg_segment *s = mg_segment_take(role, size, peer);
  if (s == NULL) return NULL;
  uses *u = uses_of(pointer);
  add(u, s);
  if (role == SEGMENT_RESULTS) u->offer = s;
  return s;
}

void mg_uses_add(SEXP pointer, mg_segment *s) {
  add(uses_of(pointer), s);
  mg_segment_use(s);
}

void mg_uses_add_offer(SEXP pointer, mg_segment *s) {
  mg_uses_add(pointer, s);
  uses_of(pointer)->offer = s;
}

mg_segment *mg_uses_offer(SEXP pointer) {
  uses *u = uses_of(pointer);
  return u == NULL ? NULL : u->offer;
}

void mg_uses_note(SEXP pointer, size_t taken) { uses_of(pointer)->taken = taken; }

// Ends the uses of a call. One that was given up (`given_up`) may still write to what it was
// offered. Returns how many bytes its result had there.
SEXP mg_c_segments_end(SEXP pointer, SEXP given_up) {
  uses *u = uses_of(pointer);
  double taken = u == NULL ? 0 : (double)u->taken;
  mg_uses_end(pointer, Rf_asLogical(given_up) != 0);
  return Rf_ScalarReal(taken);
}

// Uses with a segment for a part of a stream, and its name: list(segments, name). `size` is its
// size, and the server, see mg_segment_take(). NULL: there is none.
SEXP mg_c_segments_offer(SEXP size) {
  SEXP segments = PROTECT(mg_uses_new(1)), out = R_NilValue;
  const mg_segment *s = mg_uses_take(segments, SEGMENT_RESULTS, (size_t)REAL_RO(size)[0], (uint32_t)REAL_RO(size)[1]);
  if (s != NULL) {
    const char *names[] = {"segments", "name", ""};
    out = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(out, 0, segments);
    SEXP name = Rf_allocVector(REALSXP, 2);
    SET_VECTOR_ELT(out, 1, name);
    REAL(name)[0] = s->fd;
    REAL(name)[1] = s->generation;
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return out;
}

void mg_write_parts_header(uint8_t *to, const mg_segment *offer, const mg_part *parts, size_t n_parts) {
  store_u32(to, offer == NULL ? NO_SEGMENT : (uint32_t)offer->fd);
  store_u32(to + 4, offer == NULL ? 0 : offer->generation);
  store_u32(to + 8, (uint32_t)n_parts);
  store_u32(to + 12, 0);
  to += PARTS_HEADER;
  for (size_t i = 0; i < n_parts; i++, to += PART_SIZE) {
    store_u32(to, (uint32_t)parts[i].segment->fd);
    store_u32(to + 4, parts[i].segment->generation);
    store_i64(to + 8, (int64_t)parts[i].offset);
    store_i64(to + 16, (int64_t)parts[i].size);
  }
}

static bool read_part(const uint8_t *p, mg_segment *offer, mg_part *part, mg_failure *f) {
  if (load_u32(p) != (uint32_t)offer->fd || load_u32(p + 4) != offer->generation) {
    return mg_fail(f, "a part of it lies in a segment that was not offered");
  }
  uint64_t offset = load_u64(p + 8), size = load_u64(p + 16);
  if (offset > offer->size || size > offer->size - offset) {
    return mg_fail(f, "a part of %.0f bytes at %.0f leaves its segment of %.0f bytes", (double)size, (double)offset,
                   (double)offer->size);
  }
  if (offset % 8 != 0) return mg_fail(f, "a part is misaligned at %.0f", (double)offset);
  *part = (mg_part){offer, (size_t)offset, (size_t)size};
  return true;
}

bool mg_read_parts(mg_input *in, mg_segment *offer, mg_failure *f) {
  if (offer == NULL) return mg_fail(f, "it lies in a segment, but none was offered");
  if (in->size < PARTS_HEADER) return mg_fail(f, "it ends before its parts");
  size_t n = load_u32(in->data + 8);
  if (n > (in->size - PARTS_HEADER) / PART_SIZE) return mg_fail(f, "it claims %.0f parts", (double)n);
  if (!mg_segment_grow(offer)) return mg_fail(f, "its segment cannot be mapped");
  mg_part *parts = mg_alloc(n, sizeof *parts);
  size_t bytes = 0;
  for (size_t i = 0; i < n; i++) {
    if (!read_part(in->data + PARTS_HEADER + PART_SIZE * i, offer, &parts[i], f)) return false;
    bytes += parts[i].size;
    if (bytes > SHARE_FACTOR * offer->size) return mg_fail(f, "its parts share the same bytes too often");
  }
  size_t header = parts_header_size(n);
  bool no_nan = (load_u32(in->data + 12) & PARTS_NO_NAN) != 0;
  *in = (mg_input){in->owner, in->data + header, in->size - header, offer, parts, n, no_nan, in->copied};
  return true;
}

size_t mg_parts_end(const mg_input *in) {
  size_t end = 0;
  for (size_t i = 0; i < in->n_parts; i++) {
    size_t here = in->parts[i].offset + in->parts[i].size;
    if (here > end) end = here;
  }
  return end;
}
