// Values of Go's any: trees of CBOR (RFC 8949), as Go's internal/codec/dynamic_tree.go has them.

#ifndef MANGORO_DYNAMIC_H
#define MANGORO_DYNAMIC_H

#include "mangoro.h"

// The upper three bits of the first byte of an item, and some first bytes.
enum {
  CBOR_UINT = 0x00,
  CBOR_NEGATIVE = 0x20,
  CBOR_BYTES = 0x40,
  CBOR_TEXT = 0x60,
  CBOR_ARRAY = 0x80,
  CBOR_MAP = 0xA0,
  CBOR_TAG = 0xC0,
  CBOR_SIMPLE = 0xE0,
  CBOR_FALSE = 0xF4,
  CBOR_TRUE = 0xF5,
  CBOR_NULL = 0xF6,
  CBOR_UNDEFINED = 0xF7,
  CBOR_FLOAT64 = 0xFB
};

// How deep lists may be nested, and tags of our own: what each means is in dynamic_tree.go.
enum { MAX_NESTING = 1000, TAG_LEAF = 60001, TAG_TIME = 60002, TAG_DURATION = 60003 };

#endif
