// Go's objects that R does not refer to any more, for calls.

#ifndef RELEASES_H
#define RELEASES_H

#include "mangoro.h"

// How many are noted, where that stays as long as the pointer does. NULL: it was loaded from a
// file.
const size_t *mg_releases_pending(SEXP pointer);

#endif
