// r.attributes: what R knows of a vector and Arrow does not, as JSON.

#ifndef MANGORO_ATTRIBUTES_H
#define MANGORO_ATTRIBUTES_H

#include "class.h"

// Attributes beyond R's own: R looks through all of them for each.
enum { MAX_OTHERS = 4096 };

bool mg_is_own_attribute(const char *name);
// The name in JSON of the type of a vector, or of NULL; NULL for other types.
const char *mg_data_type(int type);

// list(own, other) from UTF-8 text that ends with a zero: R's own attributes by
// their names, and others. NULL after a failure.
SEXP mg_read_attributes(mg_failure *f, const char *text);
// One of R's own; R_NilValue if it is not there. `attributes` may be NULL.
SEXP mg_own_attribute(SEXP attributes, const char *name);

#endif
