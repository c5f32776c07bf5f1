// The bytes of R's strings.

#include "node.h"

bool mg_string_bytes(mg_encoding native, SEXP s, const char **text, size_t *n) {
  cetype_t encoding = Rf_getCharCE(s);
  *text = CHAR(s);
  *n = (size_t)LENGTH(s);
  if (encoding == CE_BYTES) return false;
  if (mg_is_ascii((const uint8_t *)*text, *n)) return true;
  if (encoding != CE_UTF8 && !(encoding == CE_NATIVE && native == NATIVE_UTF8)) {
    if (encoding == CE_NATIVE && native == NATIVE_UNKNOWN) return false;
    *text = Rf_translateCharUTF8(s);
    *n = strlen(*text);
  }
  return mg_is_utf8((const uint8_t *)*text, *n);
}

// Strings that come again are looked at once. Only those that need no translation, whose
// bytes stay where they are, are remembered. 1e5 of three strings are written in 2.0 ms
// instead of 4.2; where all are different it costs a quarter.
bool mg_seen_bytes(mg_seen_string *seen, mg_encoding native, SEXP s, const char **text, size_t *n) {
  mg_seen_string *known = seen + ((uintptr_t)s >> 5) % SEEN;
  if (known->string == s) {
    *text = known->text;
    *n = known->n;
    return true;
  }
  if (!mg_string_bytes(native, s, text, n)) return false;
  if (*text == CHAR(s)) {
    known->string = s;
    known->text = *text;
    known->n = *n;
  }
  return true;
}
