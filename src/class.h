// The classes of R that have a place in the format, R's times as counts, time zones.

#ifndef MANGORO_CLASS_H
#define MANGORO_CLASS_H

#include "mangoro.h"

enum {
  CLASS_NONE,
  CLASS_DATE,
  CLASS_POSIXCT,
  CLASS_HMS,
  CLASS_DIFFTIME,
  CLASS_INTEGER64,
  CLASS_FACTOR,
  CLASS_ORDERED,
  CLASS_BLOB,
  CLASS_DATA_FRAME,
  CLASS_TBL_DF,
  CLASS_DATA_TABLE,
  // Not classes of R, but types that Arrow does not tell from others.
  CLASS_RAW,
  CLASS_COMPLEX,
  CLASS_LIST,
  CLASS_MATRIX,
  CLASS_DYNAMIC, // a tree, see dynamic.h
  // Only on the way out: a list of named vectors, each a map, and one such vector.
  CLASS_MAPS,
  CLASS_MAP,
  CLASS_UNKNOWN
};

static inline bool is_frame_class(int class) { return class >= CLASS_DATA_FRAME && class <= CLASS_DATA_TABLE; }
static inline bool is_time_class(int class) { return class >= CLASS_DATE && class <= CLASS_DIFFTIME; }
static inline bool is_factor_class(int class) { return class == CLASS_FACTOR || class == CLASS_ORDERED; }
static inline bool is_frame(SEXP x) { return Rf_inherits(x, "data.frame"); }

// A class of R, or the one of the above that it is derived from: CLASS_NONE if that
// is but a type.
typedef struct {
  int class;
  bool as_is;   // wrapped in I()
  bool derived; // it has further classes
} mg_class;

mg_class mg_class_of(SEXP x);
mg_class mg_class_among(SEXP strings); // of a class attribute
void mg_set_class(SEXP x, mg_class class);
const char *mg_class_name(int class);
mg_class mg_class_from(const char *text, size_t n); // a value of r.class, such as "AsIs Date"

bool mg_any_na(SEXP x);
bool mg_any_twice(SEXP x);
bool mg_are_row_names(SEXP x);
bool mg_fits_series(SEXP x, SEXP tsp);

// Units of an int64 time in one second, minute, ... as R counts; 0 if unknown.
int64_t mg_units_seconds(const char *units);

// A count of `per` units to a whole, as R's double and back. What came from a double
// by mg_from_double() comes back by mg_to_double(), or else mg_from_double() is false.
static inline double mg_to_double(int64_t count, int64_t per) {
  int64_t whole = count / per, rest = count % per;
  if (rest < 0) {
    whole--;
    rest += per;
  }
  return (double)whole + (double)rest / (double)per;
}

static inline bool mg_from_double(double x, int64_t per, int64_t *count) {
  double limit = 9.2e18 / (double)per;
  if (!(x > -limit && x < limit)) return false;
  int64_t whole = (int64_t)x;
  if ((double)whole > x) whole--;
  int64_t rest = (int64_t)((x - (double)whole) * (double)per + 0.5);
  if (rest == per) {
    rest = 0;
    whole++;
  }
  *count = whole * per + rest;
  // mg_to_double() of the count, without its division.
  double back = (double)whole + (double)rest / (double)per;
  return memcmp(&back, &x, sizeof x) == 0;
}

SEXP mg_session_zone(void); // a CHARSXP, protected by the caller
bool mg_is_local_zone(SEXP tzone);
bool mg_zone_offset(const char *zone, int *minutes);
SEXP mg_zone_in_r(const char *zone); // likewise

#endif
