// Go's objects that R does not refer to any more, until Go is told.

#include "releases.h"

#include "bits.h"
#include "entries.h"

// An object: its id, and how often R has received it.
enum { ID_SIZE = 16, ENTRY_SIZE = ID_SIZE + 4 };

// How many are noted at first, and told at most in one message.
enum { FIRST_ROOM = 64, MOST = 1024 };

// What the external pointer protects.
enum { HEADER, ENTRIES, PARTS };

typedef struct {
  size_t n, room;
} releases;

static void set_entries(SEXP pointer, releases *r, SEXP entries) {
  SET_VECTOR_ELT(R_ExternalPtrProtected(pointer), ENTRIES, entries);
  r->room = (size_t)Rf_xlength(entries) / ENTRY_SIZE;
}

static uint8_t *entries_of(SEXP pointer) { return RAW(VECTOR_ELT(R_ExternalPtrProtected(pointer), ENTRIES)); }

SEXP mg_c_releases_new(void) {
  SEXP parts = PROTECT(Rf_allocVector(VECSXP, PARTS));
  SET_VECTOR_ELT(parts, HEADER, Rf_allocVector(RAWSXP, sizeof(releases)));
  releases *r = (releases *)RAW(VECTOR_ELT(parts, HEADER));
  memset(r, 0, sizeof *r);
  SEXP pointer = PROTECT(R_MakeExternalPtr(r, R_NilValue, parts));
  set_entries(pointer, r, Rf_allocVector(RAWSXP, (R_xlen_t)FIRST_ROOM * ENTRY_SIZE));
  UNPROTECT(2);
  return pointer;
}

const size_t *mg_releases_pending(SEXP pointer) {
  const releases *r = R_ExternalPtrAddr(pointer);
  return r == NULL ? NULL : &r->n;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_id(const char *text, uint8_t *id) {
  if (strlen(text) != (size_t)2 * ID_SIZE) return false;
  for (int i = 0; i < ID_SIZE; i++) {
    int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    id[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

// Notes an object by its id, and how often R has received it. A finalizer does that, amid any
// other code: also while room is made for another one.
SEXP mg_c_release_note(SEXP pointer, SEXP id, SEXP received) {
  releases *r = R_ExternalPtrAddr(pointer);
  uint8_t entry[ENTRY_SIZE];
  if (r == NULL || !parse_id(CHAR(STRING_ELT(id, 0)), entry)) return R_NilValue;
  double n = Rf_asReal(received);
  store_u32(entry + ID_SIZE, n < UINT32_MAX ? (uint32_t)n : UINT32_MAX);
  while (r->n == r->room) {
    size_t room = r->room;
    SEXP larger = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)(2 * room * ENTRY_SIZE)));
    if (r->room == room) {
      memcpy(RAW(larger), entries_of(pointer), r->n * ENTRY_SIZE);
      set_entries(pointer, r, larger);
    }
    UNPROTECT(1);
  }
  memcpy(entries_of(pointer) + r->n * ENTRY_SIZE, entry, ENTRY_SIZE);
  r->n++;
  return R_NilValue;
}

// Some of those that are noted, as the payload of a message: NULL if there are none.
SEXP mg_c_release_take(SEXP pointer) {
  releases *r = R_ExternalPtrAddr(pointer);
  if (r == NULL || r->n == 0) return R_NilValue;
  size_t n = r->n < MOST ? r->n : MOST;
  SEXP payload = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)(n * ENTRY_SIZE))); // there may be more by now
  r->n -= n;
  memcpy(RAW(payload), entries_of(pointer) + r->n * ENTRY_SIZE, n * ENTRY_SIZE);
  if (r->n == 0 && r->room > MOST) {
    SEXP entries = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)FIRST_ROOM * ENTRY_SIZE));
    if (r->n == 0) set_entries(pointer, r, entries);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return payload;
}
