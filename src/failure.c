// What went wrong, on its way to R.

#include "bits.h"
#include "mangoro.h"

#include <stdarg.h>
#include <stdio.h>

void *mg_fail(mg_failure *f, const char *format, ...) {
  if (f->failed) return NULL;
  f->failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(f->text, sizeof f->text, format, args);
  va_end(args);
  return NULL;
}

void *mg_fail_row(mg_failure *f, int64_t row, const char *text) {
  if (!f->failed) f->row = (double)row + 1;
  return mg_fail(f, "%s", text);
}

static SEXP utf8_text(const char *text) {
  size_t n = strlen(text);
  // What has been cut off may end inside a character.
  for (int i = 0; i < 3 && n > 0 && !mg_is_utf8((const uint8_t *)text, n); i++) n--;
  return Rf_mkCharLenCE(text, (int)n, mg_is_utf8((const uint8_t *)text, n) ? CE_UTF8 : CE_BYTES);
}

// list(path, row, text), of a class that a decoded value cannot have.
SEXP mg_failure_value(const mg_failure *f) {
  const char *names[] = {"path", "row", "text", ""};
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(out, 0, Rf_ScalarString(utf8_text(f->path)));
  SET_VECTOR_ELT(out, 1, Rf_ScalarReal(f->row));
  SET_VECTOR_ELT(out, 2, Rf_ScalarString(utf8_text(f->text)));
  Rf_classgets(out, Rf_mkString("mangoro_codec_failure"));
  UNPROTECT(1);
  return out;
}

void mg_add_text(char *to, size_t room, const char *format, ...) {
  size_t n = strlen(to);
  va_list args;
  va_start(args, format);
  vsnprintf(to + n, room - n, format, args);
  va_end(args);
}

// A failure inside of a column called `name`.
void mg_fail_inside(mg_failure *f, const char *name) {
  char inner[sizeof f->path];
  memcpy(inner, f->path, sizeof inner);
  f->path[0] = 0;
  mg_add_text(f->path, sizeof f->path, "%s", name);
  if (inner[0] != 0) mg_add_text(f->path, sizeof f->path, "$%s", inner);
}
