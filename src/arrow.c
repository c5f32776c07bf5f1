// The names of Arrow's types.

#include "arrow.h"

#define ARROW_NAME(id, name) name,

const char *mg_type_name(int type) {
  static const char *const names[] = {"none", ARROW_TYPES(ARROW_NAME)};
  return type >= 0 && type < ARROW_N_TYPES ? names[type] : "unknown";
}
