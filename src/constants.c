// Constants that Go and the documentation repeat, for a test that compares them.

#include "arrow.h"
#include "class.h"
#include "dynamic.h"
#include "entries.h"
#include "lane.h"
#include "parts.h"

typedef struct {
  const char *name;
  int value;
} constant;

#define CONSTANT(id) {#id, (int)id},
#define ARROW_CONSTANT(id, name) {#id, ARROW_##id},

static SEXP named_ints(const constant constants[], int n) {
  SEXP out = PROTECT(Rf_allocVector(INTSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  for (int i = 0; i < n; i++) {
    INTEGER(out)[i] = constants[i].value;
    SET_STRING_ELT(names, i, Rf_mkChar(constants[i].name));
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

// list(limits, types, classes, dynamic, lane, parts)
SEXP mg_c_constants(void) {
  static const constant types[] = {ARROW_TYPES(ARROW_CONSTANT)};
  static const constant limits[] = {CONSTANT(MAX_DEPTH) CONSTANT(SHARE_FACTOR) CONSTANT(MAX_METADATA) CONSTANT(
      HEADER_SCHEMA) CONSTANT(HEADER_DICTIONARY) CONSTANT(HEADER_RECORDS) CONSTANT(VERSION_4) CONSTANT(VERSION_5)};
  static const constant dynamic[] = {CONSTANT(MAX_NESTING) CONSTANT(TAG_LEAF) CONSTANT(TAG_TIME)
                                         CONSTANT(TAG_DURATION)};
  static const constant lane[] = {
      CONSTANT(LANE_VERSION) CONSTANT(LANE_MAGIC) CONSTANT(LANE_TOKEN) CONSTANT(LANE_SETTLED) CONSTANT(LANE_R_EVENTS)
          CONSTANT(LANE_REQUEST) CONSTANT(LANE_REQUEST_SIZE) CONSTANT(LANE_CHUNKS_WRITTEN) CONSTANT(LANE_GIVEN_UP)
              CONSTANT(LANE_OFFER_FD) CONSTANT(LANE_OFFER_GENERATION) CONSTANT(LANE_R_SLEEPS) CONSTANT(LANE_GO_EVENTS)
                  CONSTANT(LANE_REPLY) CONSTANT(LANE_REPLY_SIZE) CONSTANT(LANE_CHUNKS_READ) CONSTANT(LANE_CLOSED)
                      CONSTANT(LANE_GO_SLEEPS) CONSTANT(MAILBOX_SIZE) CONSTANT(LANE_REQUEST_BOX)
                          CONSTANT(LANE_REPLY_BOX) CONSTANT(RING_SLOTS) CONSTANT(RING_SLOT_SIZE) CONSTANT(RING_HEADER)
                              CONSTANT(RING_ROWS) CONSTANT(LANE_RING) CONSTANT(LANE_SIZE)};
  static const constant parts[] = {CONSTANT(PARTS_HEADER) CONSTANT(PART_SIZE)};
  const char *names[] = {"limits", "types", "classes", "dynamic", "lane", "parts", ""};
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(out, 0, named_ints(limits, sizeof limits / sizeof limits[0]));
  SET_VECTOR_ELT(out, 1, named_ints(types, sizeof types / sizeof types[0]));
  SEXP classes = Rf_allocVector(STRSXP, CLASS_DYNAMIC - CLASS_DATE);
  SET_VECTOR_ELT(out, 2, classes);
  for (int i = CLASS_DATE; i < CLASS_DYNAMIC; i++) SET_STRING_ELT(classes, i - CLASS_DATE, Rf_mkChar(mg_class_name(i)));
  SET_VECTOR_ELT(out, 3, named_ints(dynamic, sizeof dynamic / sizeof dynamic[0]));
  SET_VECTOR_ELT(out, 4, named_ints(lane, sizeof lane / sizeof lane[0]));
  SET_VECTOR_ELT(out, 5, named_ints(parts, sizeof parts / sizeof parts[0]));
  UNPROTECT(1);
  return out;
}
