// The lane of a connection: a segment through which small messages go. Its layout, of native
// integers, is that of internal/lane in Go.

#ifndef MANGORO_LANE_H
#define MANGORO_LANE_H

#include "segment.h"

enum {
  LANE_VERSION = 1,
  // Written once, before it is attached.
  LANE_MAGIC = 0,    // 8 bytes, "mgolane1"
  LANE_TOKEN = 8,    // 16 random bytes, which the message that attaches it repeats
  LANE_SETTLED = 24, // uint32 version, mailbox bytes, ring slots, bytes of a slot
  // Written by R, uint32 each.
  LANE_R_EVENTS = 64,          // counts what R has done: Go sleeps on it
  LANE_REQUEST = 68,           // number of the last request
  LANE_REQUEST_SIZE = 72,      // its bytes
  LANE_CHUNKS_WRITTEN = 76,    // of a ring call
  LANE_GIVEN_UP = 80,          // number of the last request that R gave up
  LANE_OFFER_FD = 84,          // the segment that the result may be written to; UINT32_MAX: none
  LANE_OFFER_GENERATION = 88,
  LANE_R_SLEEPS = 128,         // 1: wake R when LANE_GO_EVENTS changes
  // Written by Go, uint32 each.
  LANE_GO_EVENTS = 192,        // counts what Go has done: R sleeps on it
  LANE_REPLY = 196,            // number of the last request that is answered
  LANE_REPLY_SIZE = 200,       // bytes of the reply; with REPLY_IN_OFFER it lies in the offered segment
  LANE_CHUNKS_READ = 204,
  LANE_GO_SLEEPS = 256,        // 1: wake Go when LANE_R_EVENTS changes
  // The mailboxes and the ring.
  MAILBOX_SIZE = 65536,
  LANE_REQUEST_BOX = 4096,
  LANE_REPLY_BOX = LANE_REQUEST_BOX + MAILBOX_SIZE,
  RING_SLOTS = 8,
  RING_SLOT_SIZE = 65 * 4096,  // a header, and then the values of each column
  RING_HEADER = 64,            // uint32 rows of the chunk; uint32 bit i: column i has NA
  RING_ROWS = 8192,            // of a chunk, at most
  LANE_RING = LANE_REPLY_BOX + MAILBOX_SIZE,
  LANE_SIZE = LANE_RING + RING_SLOTS * RING_SLOT_SIZE
};

#define REPLY_IN_OFFER UINT32_C(0x80000000)

#endif
