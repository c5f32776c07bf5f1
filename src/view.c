// Views of numbers and the like. A view is one use of its segment, and a range of it is one
// view's alone: R maps results privately, so what R writes to a view stays with R, and a
// vector is changed in place as any other.
//
// A view has no serialized state: what saveRDS() or another process gets is an ordinary
// vector.

#include "view.h"

#include <R_ext/Altrep.h>

// data1: an external pointer to the values. What it protects is a raw vector with the rest.
typedef struct {
  mg_segment *segment;
  R_xlen_t n;
  size_t size; // in bytes
  bool no_na;
} view;

static R_altrep_class_t double_views, integer_views, raw_views, complex_views;

static view *view_of(SEXP x) { return (view *)RAW(R_ExternalPtrProtected(R_altrep_data1(x))); }
static void *values_of(SEXP x) { return R_ExternalPtrAddr(R_altrep_data1(x)); }

// The view that was asked last. R asks for the pointer, the length or an element again for each
// element in c(), cumsum() and is.na(), and finding these takes longer than reading them. A new
// view may lie where one was that has gone, so mg_view() forgets it.
static struct {
  SEXP x;
  void *values;
  R_xlen_t n;
  mg_segment *segment;
} recent;

static void remember(SEXP x) {
  const view *v = view_of(x);
  recent.x = x;
  recent.values = values_of(x);
  recent.n = v->n;
  recent.segment = v->segment;
}

static inline void make_recent(SEXP x) {
  if (x != recent.x) remember(x);
}

static void end_view(SEXP pointer) {
  view *v = (view *)RAW(R_ExternalPtrProtected(pointer));
  R_ClearExternalPtr(pointer);
  mg_segment_release(v->segment);
}

static R_altrep_class_t class_of(SEXPTYPE type) {
  switch (type) {
  case INTSXP: return integer_views;
  case RAWSXP: return raw_views;
  case CPLXSXP: return complex_views;
  default: return double_views;
  }
}

SEXP mg_view(mg_segment *s, size_t offset, SEXPTYPE type, R_xlen_t n, bool no_na) {
  SEXP rest = PROTECT(Rf_allocVector(RAWSXP, sizeof(view)));
  *(view *)RAW(rest) = (view){.segment = s, .n = n, .size = (size_t)n * mg_value_size(type), .no_na = no_na};
  SEXP pointer = PROTECT(R_MakeExternalPtr(s->data + offset, R_NilValue, rest));
  R_RegisterCFinalizerEx(pointer, end_view, FALSE);
  mg_segment_use(s);
  SEXP x = R_new_altrep(class_of(type), pointer, R_NilValue);
  recent.x = NULL;
  UNPROTECT(2);
  return x;
}

static bool is_view(SEXP x) {
  return ALTREP(x) && (R_altrep_inherits(x, double_views) || R_altrep_inherits(x, integer_views) ||
                       R_altrep_inherits(x, raw_views) || R_altrep_inherits(x, complex_views));
}

const void *mg_view_values(SEXP x) { return is_view(x) ? values_of(x) : DATAPTR_OR_NULL(x); }

bool mg_is_untouched_view(SEXP x, mg_part *part, bool *no_na) {
  if (!is_view(x)) return false;
  view *v = view_of(x);
  part->segment = v->segment;
  part->offset = (size_t)((uint8_t *)values_of(x) - v->segment->data);
  part->size = v->size;
  *no_na = v->no_na;
  return mg_segment_is_untouched(part);
}

// --- Methods of all types -----------------------------------------------------

static R_xlen_t length(SEXP x) {
  make_recent(x);
  return recent.n;
}

// Some C and C++ code writes through a pointer that it has asked for to read.
static const void *dataptr_or_null(SEXP x) {
  make_recent(x);
  recent.segment->exposed = true;
  return recent.values;
}

static void *dataptr(SEXP x, Rboolean writable) {
  (void)writable;
  return (void *)(uintptr_t)dataptr_or_null(x);
}

// Of an ordinary vector that we have made.
static void *new_values(SEXP x) { return (void *)(uintptr_t)DATAPTR_RO(x); }

// R's own way to copy asks for a pointer to write to.
static SEXP duplicate(SEXP x, Rboolean deep) {
  (void)deep;
  view *v = view_of(x);
  SEXP copy = PROTECT(mg_new_vector((SEXPTYPE)TYPEOF(x), v->n));
  if (v->n > 0) memcpy(new_values(copy), values_of(x), v->size);
  UNPROTECT(1);
  return copy;
}

static Rboolean inspect(SEXP x, int pre, int deep, int pvec, void (*inspect_subtree)(SEXP, int, int, int)) {
  (void)pre;
  (void)deep;
  (void)pvec;
  (void)inspect_subtree;
  view *v = view_of(x);
  Rprintf(" view of segment %d (generation %u)%s\n", v->segment->fd, (unsigned)v->segment->generation,
          v->segment->exposed ? ", may be changed" : "");
  return TRUE;
}

// What was known of values holds until R has written others.
static int no_na(SEXP x) {
  mg_part part;
  bool known;
  return mg_is_untouched_view(x, &part, &known) && known;
}

// --- Methods of each type -----------------------------------------------------

static Rcomplex na_complex;

static R_xlen_t region(SEXP x, R_xlen_t from, R_xlen_t n, void *to, size_t size) {
  R_xlen_t left = view_of(x)->n - from;
  if (n > left) n = left;
  if (n > 0) memcpy(to, (const uint8_t *)values_of(x) + (size_t)from * size, (size_t)n * size);
  return n;
}

// Indexes from 1 of either type, some at a time; 0 for NA and what is beyond the end.
enum { INDEXES = 256 };

static R_xlen_t get_indexes(SEXP indexes, R_xlen_t from, R_xlen_t n, R_xlen_t *to) {
  union {
    int integers[INDEXES];
    double doubles[INDEXES];
  } some;
  R_xlen_t got;
  if (TYPEOF(indexes) == INTSXP) {
    got = INTEGER_GET_REGION(indexes, from, INDEXES, some.integers);
    for (R_xlen_t i = 0; i < got; i++) to[i] = some.integers[i] >= 1 && some.integers[i] <= n ? some.integers[i] : 0;
  } else {
    got = REAL_GET_REGION(indexes, from, INDEXES, some.doubles);
    for (R_xlen_t i = 0; i < got; i++) {
      to[i] = some.doubles[i] >= 1 && some.doubles[i] < (double)n + 1 ? (R_xlen_t)some.doubles[i] : 0;
    }
  }
  return got;
}

#define METHODS(name, type, sexptype, na)                                                \
  static type name##_elt(SEXP x, R_xlen_t i) {                                           \
    make_recent(x);                                                                      \
    return ((const type *)recent.values)[i];                                             \
  }                                                                                      \
  static R_xlen_t name##_region(SEXP x, R_xlen_t from, R_xlen_t n, type *to) {           \
    return region(x, from, n, to, sizeof(type));                                         \
  }                                                                                      \
  static SEXP name##_subset(SEXP x, SEXP indexes, SEXP call) {                           \
    (void)call;                                                                          \
    if (TYPEOF(indexes) != INTSXP && TYPEOF(indexes) != REALSXP) return NULL;            \
    const type *from = values_of(x);                                                     \
    R_xlen_t n = XLENGTH(indexes), size = view_of(x)->n, at[INDEXES];                    \
    SEXP subset = PROTECT(Rf_allocVector(sexptype, n));                                  \
    type *to = new_values(subset);                                                       \
    for (R_xlen_t i = 0, got; i < n; i += got) {                                         \
      got = get_indexes(indexes, i, size, at);                                           \
      for (R_xlen_t j = 0; j < got; j++) to[i + j] = at[j] > 0 ? from[at[j] - 1] : (na); \
    }                                                                                    \
    UNPROTECT(1);                                                                        \
    return subset;                                                                       \
  }

METHODS(double, double, REALSXP, NA_REAL)
METHODS(integer, int, INTSXP, NA_INTEGER)
METHODS(raw, Rbyte, RAWSXP, 0)
METHODS(complex, Rcomplex, CPLXSXP, na_complex)

static void set_common_methods(R_altrep_class_t class) {
  R_set_altrep_Length_method(class, length);
  R_set_altrep_Duplicate_method(class, duplicate);
  R_set_altrep_Inspect_method(class, inspect);
  R_set_altvec_Dataptr_method(class, dataptr);
  R_set_altvec_Dataptr_or_null_method(class, dataptr_or_null);
}

void mg_view_init(DllInfo *dll) {
  na_complex.r = na_complex.i = NA_REAL;

  double_views = R_make_altreal_class("double_view", "mangoro", dll);
  set_common_methods(double_views);
  R_set_altreal_Elt_method(double_views, double_elt);
  R_set_altreal_Get_region_method(double_views, double_region);
  R_set_altvec_Extract_subset_method(double_views, double_subset);
  R_set_altreal_No_NA_method(double_views, no_na);

  integer_views = R_make_altinteger_class("integer_view", "mangoro", dll);
  set_common_methods(integer_views);
  R_set_altinteger_Elt_method(integer_views, integer_elt);
  R_set_altinteger_Get_region_method(integer_views, integer_region);
  R_set_altvec_Extract_subset_method(integer_views, integer_subset);
  R_set_altinteger_No_NA_method(integer_views, no_na);

  raw_views = R_make_altraw_class("raw_view", "mangoro", dll);
  set_common_methods(raw_views);
  R_set_altraw_Elt_method(raw_views, raw_elt);
  R_set_altraw_Get_region_method(raw_views, raw_region);
  R_set_altvec_Extract_subset_method(raw_views, raw_subset);

  complex_views = R_make_altcomplex_class("complex_view", "mangoro", dll);
  set_common_methods(complex_views);
  R_set_altcomplex_Elt_method(complex_views, complex_elt);
  R_set_altcomplex_Get_region_method(complex_views, complex_region);
  R_set_altvec_Extract_subset_method(complex_views, complex_subset);
}
