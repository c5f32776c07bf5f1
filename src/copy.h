// Copies of vectors, which look for NA on the way.

#ifndef MANGORO_COPY_H
#define MANGORO_COPY_H

#include "mangoro.h"

// Copy n values between any addresses, perhaps in place. Return whether one of them is NA,
// or, of doubles, NaN.
bool mg_copy_doubles(uint8_t *to, const uint8_t *from, size_t n);
bool mg_copy_ints(uint8_t *to, const uint8_t *from, size_t n);

#endif
