// Messages by reference: calls and results whose Arrow streams have their bodies in
// segments.
//
// The payload has a header, and then the stream without its bodies. The header is
// PARTS_HEADER bytes: descriptor and generation of the segment offered for the result, the
// number of parts, and flags (of a result), a uint32 each; and then PART_SIZE bytes for each part: descriptor
// and generation (uint32), offset and length (uint64). The parts one after the other, each
// padded to a multiple of 8 bytes, are one address space, in which the bodies lie one after
// the other.

#ifndef MANGORO_PARTS_H
#define MANGORO_PARTS_H

#include "segment.h"

enum { PARTS_HEADER = 16, PART_SIZE = 24 };
// A flag of the header of a result: no double in it is NaN or NA.
enum { PARTS_NO_NAN = 1 };
#define NO_SEGMENT UINT32_MAX

// Types of messages, see R/envelope.R.
enum {
  MESSAGE_CALL = 1,
  MESSAGE_RESULT = 2,
  MESSAGE_ERROR = 3,
  MESSAGE_REFER_CALL = 6,
  MESSAGE_REFER_RESULT = 7,
  MESSAGE_RING_CALL = 8,
  MESSAGE_EVENT = 10,
  MESSAGE_QUESTION = 11,
  MESSAGE_REFER_PART = 13
};

// Bodies that are smaller, in bytes, are part of the message.
#define PARTS_FLOOR ((int64_t)64 << 10)

// What a call uses of segments, an external pointer with room for so many. A use ends when
// the call has ended (mg_uses_end()), or when nothing refers to the pointer any more.
SEXP mg_uses_new(size_t room);
mg_segment *mg_uses_take(SEXP uses, mg_segment_role role, size_t size, uint32_t peer); // NULL: there is none
void mg_uses_add(SEXP uses, mg_segment *s);
void mg_uses_add_offer(SEXP uses, mg_segment *s); // that was taken for the result by the caller
// With `given_up`, the call may still use them.
void mg_uses_end(SEXP uses, bool given_up);
// The one that was taken for the result; NULL if there is none, or the call has ended.
mg_segment *mg_uses_offer(SEXP uses);
void mg_uses_note(SEXP uses, size_t taken); // how many bytes of it the result has

static inline size_t parts_header_size(size_t n_parts) { return PARTS_HEADER + PART_SIZE * n_parts; }
void mg_write_parts_header(uint8_t *to, const mg_segment *offer, const mg_part *parts, size_t n_parts);

// Bytes, and the R object that keeps them alive: R_NilValue if it is not R that does. Of a
// message by reference, `segment` is not NULL, and its bodies lie in the parts.
typedef struct {
  SEXP owner;
  const uint8_t *data;
  size_t size;
  mg_segment *segment;
  const mg_part *parts;
  size_t n_parts;
  bool no_nan; // the server says that no double in it is NaN or NA
  bool copied; // its values are copied, so that its segment can be used again at once
} mg_input;

// Reads the header at the beginning of `in`, which is the stream then. Each part must lie in
// `offer`, which is mapped anew if it has grown; NULL: there was none. The bytes of `in` must
// not be in shared memory themselves.
bool mg_read_parts(mg_input *in, mg_segment *offer, mg_failure *f);
// As far as the parts reach in their segment.
size_t mg_parts_end(const mg_input *in);

#endif
