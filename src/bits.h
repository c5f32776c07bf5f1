// Bytes at any address, bitmaps, UTF-8.

#ifndef MANGORO_BITS_H
#define MANGORO_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef WORDS_BIGENDIAN
#error "mangoro writes and reads little-endian data in place"
#endif

bool mg_is_ascii(const uint8_t *p, size_t n);
bool mg_is_utf8(const uint8_t *p, size_t n);
// Count of the unset among n bits from bit `from` on.
int64_t mg_count_unset(const uint8_t *bits, int64_t from, int64_t n);
void mg_copy_bits(uint8_t *to, const uint8_t *from, int64_t first, int64_t n);

static inline bool bit_at(const uint8_t *bits, int64_t i) { return bits[i / 8] >> (i % 8) & 1; }
static inline void clear_bit(uint8_t *bits, int64_t i) { bits[i / 8] = (uint8_t)(bits[i / 8] & ~(1u << (i % 8))); }
static inline void set_bit(uint8_t *bits, int64_t i) { bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8)); }
static inline int64_t bitmap_size(int64_t rows) { return rows / 8 + (rows % 8 != 0); }

// The values of a stream lie at any address.
#define LOADER(name, type)                    \
  static inline type name(const uint8_t *p) { \
    type v;                                   \
    memcpy(&v, p, sizeof v);                  \
    return v;                                 \
  }
LOADER(load_u16, uint16_t)
LOADER(load_i16, int16_t)
LOADER(load_u32, uint32_t)
LOADER(load_i32, int32_t)
LOADER(load_i64, int64_t)
LOADER(load_u64, uint64_t)
LOADER(load_f32, float)
LOADER(load_f64, double)
static inline void store_u32(uint8_t *p, uint32_t v) { memcpy(p, &v, sizeof v); }
static inline void store_i32(uint8_t *p, int32_t v) { memcpy(p, &v, sizeof v); }
static inline void store_i64(uint8_t *p, int64_t v) { memcpy(p, &v, sizeof v); }
static inline void store_f64(uint8_t *p, double v) { memcpy(p, &v, sizeof v); }

// Number i of the integers of `width` bytes.
static inline int64_t int_at(const uint8_t *values, int64_t i, int64_t width, bool is_signed) {
  switch (width) {
  case 1: return is_signed ? (int8_t)values[i] : values[i];
  case 2: return is_signed ? load_i16(values + 2 * i) : load_u16(values + 2 * i);
  case 4: return is_signed ? load_i32(values + 4 * i) : (int64_t)load_u32(values + 4 * i);
  default: return load_i64(values + 8 * i);
  }
}

// R_IsNA(), inline.
static inline bool is_na_bits(uint64_t bits) { return (uint32_t)bits == 1954 && (bits >> 52 & 0x7FF) == 0x7FF; }
static inline bool is_na(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return is_na_bits(bits);
}

#endif
