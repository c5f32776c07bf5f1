// Bytes at any address, bitmaps, UTF-8.

#include "bits.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

bool mg_is_ascii(const uint8_t *p, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    uint64_t all = load_u64(p + i) | load_u64(p + i + 8) | load_u64(p + i + 16) | load_u64(p + i + 24);
    if (all & HIGH_BITS) return false;
  }
  uint8_t rest = 0;
  for (; i < n; i++) rest |= p[i];
  return rest < 0x80;
}

// The length of the character at p, of which n > 0 bytes are left; 0 if it is
// none (overlong, a surrogate, beyond U+10FFFF or cut off).
static size_t character(const uint8_t *p, size_t n) {
  if (p[0] < 0xC2) return p[0] < 0x80;
  if (p[0] < 0xE0) return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
  if (p[0] < 0xF0) {
    uint8_t low = p[0] == 0xE0 ? 0xA0 : 0x80, high = p[0] == 0xED ? 0x9F : 0xBF;
    return n >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 ? 3 : 0;
  }
  if (p[0] > 0xF4) return 0;
  uint8_t low = p[0] == 0xF0 ? 0x90 : 0x80, high = p[0] == 0xF4 ? 0x8F : 0xBF;
  return n >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 && (p[3] & 0xC0) == 0x80 ? 4 : 0;
}

bool mg_is_utf8(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n;) {
    if (i + 8 <= n && !(load_u64(p + i) & HIGH_BITS)) {
      i += 8;
      continue;
    }
    size_t length = character(p + i, n - i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

static int64_t ones(uint64_t x) {
  x -= x >> 1 & UINT64_C(0x5555555555555555);
  x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
  x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
  return (int64_t)(x * UINT64_C(0x0101010101010101) >> 56);
}

int64_t mg_count_unset(const uint8_t *bits, int64_t from, int64_t n) {
  int64_t set = 0, i = 0;
  for (; i < n && (from + i) % 8 != 0; i++) set += bit_at(bits, from + i);
  for (; i + 64 <= n; i += 64) set += ones(load_u64(bits + (from + i) / 8));
  for (; i < n; i++) set += bit_at(bits, from + i);
  return n - set;
}

// n bits from bit `first` on to the start of `to`, zeros after them.
void mg_copy_bits(uint8_t *to, const uint8_t *from, int64_t first, int64_t n) {
  int64_t size = bitmap_size(n);
  if (size == 0) return;
  if (first % 8 == 0) {
    memcpy(to, from + first / 8, (size_t)size);
  } else {
    memset(to, 0, (size_t)size);
    for (int64_t i = 0; i < n; i++) {
      if (bit_at(from, first + i)) set_bit(to, i);
    }
  }
  if (n % 8 != 0) to[size - 1] = (uint8_t)(to[size - 1] & ((1u << (n % 8)) - 1));
}
