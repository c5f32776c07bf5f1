// Messages that are equal but for the numbers in them: all other bytes of one that was read
// or written once need not be looked at again.

#ifndef MANGORO_TEMPLATE_H
#define MANGORO_TEMPLATE_H

#include "mangoro.h"

enum { MAX_SLOTS = 16 };

// Where the values of a column lie in a message, or those of the one list that it is.
typedef struct {
  SEXPTYPE type; // as R has them
  int width;     // in bytes
  R_xlen_t n;
  size_t at;
} mg_numbers;

typedef struct {
  int n;
  mg_numbers slots[MAX_SLOTS]; // in the order in which they lie there
} mg_template;

// That of a message with a stream of one record behind `ahead` bytes. False if it has none: its
// columns must be numbers without nulls, class and attributes.
bool mg_template_find(mg_template *t, SEXP message, size_t ahead);
// Whether a message differs from the template's, a raw vector, in its numbers only.
bool mg_template_is(const mg_template *t, SEXP message, const uint8_t *data, size_t size);

// Copies the numbers of a slot to a vector of its type and length. False if R has them as
// another type.
bool mg_numbers_read(const mg_numbers *s, const uint8_t *data, SEXP to);
// Copies those of a vector to it. False if they are not numbers that the slot can have as they are.
bool mg_numbers_write(const mg_numbers *s, uint8_t *data, SEXP x);

#endif
