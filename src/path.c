// The path to a value that cannot be written, as R would write it: x$y[[2]].

#include "plan.h"

#include <stdarg.h>
#include <stdio.h>

// The element of the lists that is chunk number `chunk`: which list, and where in it.
static void find_element(const mg_path *at, R_xlen_t chunk, R_xlen_t *list, R_xlen_t *element) {
  for (*list = 0; *list < at->n_lists; (*list)++) {
    SEXP x = at->lists[*list];
    for (*element = 0; *element < Rf_xlength(x); (*element)++) {
      if (VECTOR_ELT(x, *element) != R_NilValue && chunk-- == 0) return;
    }
  }
}

static void describe(const mg_path *at, R_xlen_t chunk, char *to, size_t room) {
  if (at->lists != NULL) {
    R_xlen_t list = 0, element = 0;
    find_element(at, chunk, &list, &element);
    describe(at->up, list, to, room);
    mg_add_text(to, room, "[[%.0f]]", (double)element + 1);
    return;
  }
  if (at->up == NULL) {
    mg_add_text(to, room, "%s", at->name);
    return;
  }
  describe(at->up, chunk, to, room);
  if (at->name != NULL && at->name[0] != 0) {
    mg_add_text(to, room, to[0] == 0 ? "%s" : "$%s", at->name);
  } else {
    mg_add_text(to, room, "[[%.0f]]", (double)at->item);
  }
}

void *mg_fail_at(mg_plan *p, const mg_path *at, R_xlen_t chunk, R_xlen_t row, const char *format, ...) {
  if (p->failure->failed) return NULL;
  describe(at, chunk, p->failure->path, sizeof p->failure->path);
  p->failure->row = (double)row;
  char text[sizeof p->failure->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return mg_fail(p->failure, "%s", text);
}
