// The numbers of the Arrow format for types, messages and units, and our limits.

#ifndef MANGORO_ARROW_H
#define MANGORO_ARROW_H

#include "mangoro.h"

// As in Go's internal/arrowipc, which a test compares.
enum { MAX_DEPTH = 64, SHARE_FACTOR = 16 };
#define MAX_METADATA ((size_t)64 << 20)
// Rows of anything that R can hold; a sum of two never overflows.
#define MAX_ROWS ((int64_t)1 << 52)

// The Type union of the metadata, in its order.
#define ARROW_TYPES(X)                 \
  X(NULL, "null")                      \
  X(INT, "int")                        \
  X(FLOAT, "float")                    \
  X(BINARY, "binary")                  \
  X(UTF8, "utf8")                      \
  X(BOOL, "bool")                      \
  X(DECIMAL, "decimal")                \
  X(DATE, "date")                      \
  X(TIME, "time")                      \
  X(TIMESTAMP, "timestamp")            \
  X(INTERVAL, "interval")              \
  X(LIST, "list")                      \
  X(STRUCT, "struct")                  \
  X(UNION, "union")                    \
  X(FIXED_BINARY, "fixed-size binary") \
  X(FIXED_LIST, "fixed-size list")     \
  X(MAP, "map")                        \
  X(DURATION, "duration")              \
  X(LARGE_BINARY, "large binary")      \
  X(LARGE_UTF8, "large utf8")          \
  X(LARGE_LIST, "large list")          \
  X(RUN_ENDS, "run-end encoded")       \
  X(BINARY_VIEW, "binary view")        \
  X(UTF8_VIEW, "utf8 view")            \
  X(LIST_VIEW, "list view")            \
  X(LARGE_LIST_VIEW, "large list view")
#define ARROW_ENUMERATOR(id, name) ARROW_##id,
enum { ARROW_NONE, ARROW_TYPES(ARROW_ENUMERATOR) ARROW_N_TYPES };

const char *mg_type_name(int type);
static inline bool is_large_type(int type) { return type >= ARROW_LARGE_BINARY && type <= ARROW_LARGE_LIST; }
static inline bool is_text_type(int type) { return type == ARROW_UTF8 || type == ARROW_LARGE_UTF8; }

enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY, HEADER_RECORDS };
enum { VERSION_4 = 3, VERSION_5 };
enum { UNIT_SECOND, UNIT_MILLI, UNIT_MICRO, UNIT_NANO };
static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};

#endif
