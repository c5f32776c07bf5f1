// What went wrong, on its way to R.

#include "mangoro.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(failure *f, const char *format, ...) {
  if (f->failed) return false;
  f->failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(f->text, sizeof f->text, format, args);
  va_end(args);
  return false;
}

static SEXP utf8_text(const char *text) {
  size_t n = strlen(text);
  // What has been cut off may end inside a character.
  for (int i = 0; i < 3 && n > 0 && !is_utf8((const uint8_t *)text, n); i++) n--;
  return Rf_mkCharLenCE(text, (int)n, is_utf8((const uint8_t *)text, n) ? CE_UTF8 : CE_BYTES);
}

// list(where, row, text), which no stream and no value of a stream is.
SEXP failure_value(const failure *f) {
  const char *names[] = {"where", "row", "text", ""};
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(out, 0, Rf_ScalarString(utf8_text(f->where)));
  SET_VECTOR_ELT(out, 1, Rf_ScalarReal(f->row));
  SET_VECTOR_ELT(out, 2, Rf_ScalarString(utf8_text(f->text)));
  Rf_classgets(out, Rf_mkString("mangoro_codec_failure"));
  UNPROTECT(1);
  return out;
}

void add_text(char *to, size_t room, const char *format, ...) {
  size_t n = strlen(to);
  va_list args;
  va_start(args, format);
  vsnprintf(to + n, room - n, format, args);
  va_end(args);
}

// A failure inside of a column called `name`.
void fail_inside(failure *f, const char *name) {
  char inner[sizeof f->where];
  memcpy(inner, f->where, sizeof inner);
  f->where[0] = 0;
  add_text(f->where, sizeof f->where, "%s", name);
  if (inner[0] != 0) add_text(f->where, sizeof f->where, "$%s", inner);
}
