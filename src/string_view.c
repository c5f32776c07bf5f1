// Views of strings. R's strings are made when somebody asks for them, a block at a time, and
// kept, since R code holds those that it was given. The view is a use of its segment until R code
// replaces a string or has had a pointer to all of them.
//
// The text was checked when it came, but the program can still write to it. So each use reads
// an offset once, checks it, and copies the bytes before it makes a string of them.

#include "entries.h"
#include "string_cache.h"
#include "view.h"

#include <R_ext/Altrep.h>
#include <limits.h>

enum { BLOCK = 512 };

// data1: an external pointer that protects a raw vector with this, and then a byte for each
// block, 1 if its strings are made; its tag is what `cache` keeps. data2: a character vector
// with the strings, NULL before the first.
typedef struct {
  mg_segment *segment; // NULL once R code can have changed strings: all are made then
  const uint8_t *offsets, *text, *valid;
  size_t text_size;
  int width; // of an offset
  R_xlen_t n;
  R_xlen_t missing; // blocks
  mg_string_cache cache;
  mg_known_string known[STRING_CACHE]; // of the cache
} strings;

static R_altrep_class_t string_views;

// The view that was asked last, as in view.c. A new one may lie where it was.
static struct {
  SEXP x;
  const Rbyte *blocks;
  const SEXP *made;
} recent;

static strings *strings_of(SEXP x) { return (strings *)RAW(R_ExternalPtrProtected(R_altrep_data1(x))); }
static Rbyte *blocks_of(SEXP x) { return RAW(R_ExternalPtrProtected(R_altrep_data1(x))) + sizeof(strings); }

static void end_use(SEXP pointer) {
  strings *v = (strings *)RAW(R_ExternalPtrProtected(pointer));
  if (v->segment) mg_segment_release(v->segment);
  v->segment = NULL;
}

SEXP mg_string_view(mg_segment *s, const uint8_t *offsets, int width, const uint8_t *text, size_t text_size,
                    const uint8_t *valid, R_xlen_t n) {
  R_xlen_t blocks = n / BLOCK + (n % BLOCK != 0);
  SEXP rest = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)sizeof(strings) + blocks));
  SEXP cached = PROTECT(Rf_allocVector(STRSXP, STRING_CACHE));
  memset(RAW(rest), 0, sizeof(strings) + (size_t)blocks);
  *(strings *)RAW(rest) = (strings){
      .segment = s,
      .offsets = offsets,
      .text = text,
      .valid = valid,
      .text_size = text_size,
      .width = width,
      .n = n,
      .missing = blocks,
      .cache = {.known = ((strings *)RAW(rest))->known, .kept = cached},
  };
  SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, cached, rest));
  R_RegisterCFinalizerEx(pointer, end_use, FALSE);
  mg_segment_use(s);
  SEXP x = R_new_altrep(string_views, pointer, R_NilValue);
  recent.x = NULL;
  UNPROTECT(3);
  return x;
}

// --- Strings of the segment ---------------------------------------------------

static void fail_changed(void) {
  SEXP package = PROTECT(Rf_mkString("mangoro"));
  SEXP namespace = PROTECT(Rf_eval(PROTECT(Rf_lang2(Rf_install("getNamespace"), package)), R_BaseEnv));
  (void)Rf_eval(PROTECT(Rf_lang1(Rf_install("abort_changed_string"))), namespace);
  Rf_error("a Go program has changed a string after it had returned it"); // not reached
}

// Offset number i, read once. Negative ones are beyond all text.
static uint64_t offset_at(const strings *v, R_xlen_t i) {
  if (v->width == 4) return ((const volatile uint32_t *)(const void *)v->offsets)[i];
  return ((const volatile uint64_t *)(const void *)v->offsets)[i];
}

static SEXP new_string(const uint8_t *bytes, size_t n) {
  char some[256];
  const void *at = vmaxget();
  char *text = n <= sizeof some ? some : R_alloc(n, 1);
  memcpy(text, bytes, n);
  if (memchr(text, 0, n) || !mg_is_utf8((const uint8_t *)text, n)) fail_changed();
  SEXP string = Rf_mkCharLenCE(text, (int)n, CE_UTF8);
  vmaxset(at);
  return string;
}

static SEXP make_string(strings *v, R_xlen_t i) {
  if (v->valid && !bit_at(v->valid, i)) return NA_STRING;
  uint64_t begin = offset_at(v, i), end = offset_at(v, i + 1);
  if (begin > end || end > v->text_size || end - begin > INT_MAX) fail_changed();
  size_t n = (size_t)(end - begin), place = 0;
  SEXP string = mg_find_string(&v->cache, v->text + begin, n, &place);
  return string != NULL ? string : mg_keep_string(&v->cache, place, new_string(v->text + begin, n));
}

static bool is_made(SEXP x, R_xlen_t i) { return R_altrep_data2(x) != R_NilValue && blocks_of(x)[i / BLOCK] != 0; }

// No R code runs here: R runs finalizers where it evaluates code, not where it allocates memory.
static void make_block(SEXP x, R_xlen_t block) {
  strings *v = strings_of(x);
  if (R_altrep_data2(x) == R_NilValue) R_set_altrep_data2(x, Rf_allocVector(STRSXP, v->n));
  SEXP made = R_altrep_data2(x);
  R_xlen_t from = block * BLOCK, to = v->n - from < BLOCK ? v->n : from + BLOCK;
  for (R_xlen_t i = from; i < to; i++) SET_STRING_ELT(made, i, make_string(v, i));
  blocks_of(x)[block] = 1;
  v->missing--;
}

static SEXP make_all(SEXP x) {
  const strings *v = strings_of(x);
  R_xlen_t blocks = v->n / BLOCK + (v->n % BLOCK != 0);
  if (blocks == 0 && R_altrep_data2(x) == R_NilValue) R_set_altrep_data2(x, Rf_allocVector(STRSXP, 0));
  for (R_xlen_t i = 0; i < blocks && v->missing > 0; i++) {
    if (!blocks_of(x)[i]) make_block(x, i);
  }
  return R_altrep_data2(x);
}

// All strings, for R code that may change them.
static SEXP expose(SEXP x) {
  SEXP made = make_all(x);
  end_use(R_altrep_data1(x));
  return made;
}

static bool is_string_view(SEXP x) { return ALTREP(x) && R_altrep_inherits(x, string_views); }

const SEXP *mg_strings(SEXP x) { return STRING_PTR_RO(is_string_view(x) ? make_all(x) : x); }

static bool find_part(const strings *v, const uint8_t *data, uint64_t size, mg_part *part) {
  *part = (mg_part){0};
  if (size == 0) return true;
  *part = (mg_part){v->segment, (size_t)(data - v->segment->data), (size_t)size};
  return part->offset % 8 == 0;
}

bool mg_is_untouched_string_view(SEXP x, mg_part parts[3], int *width) {
  if (!is_string_view(x) || strings_of(x)->segment == NULL || strings_of(x)->n == 0) return false;
  const strings *v = strings_of(x);
  uint64_t end = offset_at(v, v->n);
  *width = v->width;
  bool whole = offset_at(v, 0) == 0 && end <= v->text_size &&
               find_part(v, v->valid, v->valid == NULL ? 0 : (uint64_t)bitmap_size(v->n), &parts[0]) &&
               find_part(v, v->offsets, (uint64_t)(v->n + 1) * (uint64_t)v->width, &parts[1]) &&
               find_part(v, v->text, end, &parts[2]);
  if (!whole) memset(parts, 0, 3 * sizeof *parts);
  return whole;
}

// --- Methods ------------------------------------------------------------------

static R_xlen_t length(SEXP x) { return strings_of(x)->n; }

static SEXP elt(SEXP x, R_xlen_t i) {
  if (x == recent.x && recent.blocks[i / BLOCK]) return recent.made[i];
  if (!is_made(x, i)) make_block(x, i / BLOCK);
  recent.x = x;
  recent.blocks = blocks_of(x);
  recent.made = STRING_PTR_RO(R_altrep_data2(x));
  return recent.made[i];
}

static void set_elt(SEXP x, R_xlen_t i, SEXP string) { SET_STRING_ELT(expose(x), i, string); }

static void *dataptr(SEXP x, Rboolean writable) {
  (void)writable;
  return (void *)(uintptr_t)DATAPTR_RO(expose(x));
}

static const void *dataptr_or_null(SEXP x) {
  return strings_of(x)->segment == NULL ? DATAPTR_RO(R_altrep_data2(x)) : NULL;
}

static SEXP duplicate(SEXP x, Rboolean deep) {
  (void)deep;
  return Rf_duplicate(make_all(x));
}

// A few of many are made without their blocks.
static SEXP extract_subset(SEXP x, SEXP indexes, SEXP call) {
  (void)call;
  if (TYPEOF(indexes) != INTSXP && TYPEOF(indexes) != REALSXP) return NULL;
  strings *v = strings_of(x);
  R_xlen_t n = XLENGTH(indexes);
  if (n > v->n / 16) return NULL;
  SEXP subset = PROTECT(Rf_allocVector(STRSXP, n));
  for (R_xlen_t i = 0; i < n; i++) {
    double index = TYPEOF(indexes) == INTSXP ? INTEGER_ELT(indexes, i) : REAL_ELT(indexes, i);
    SEXP string = NA_STRING;
    if (index >= 1 && index < (double)v->n + 1) { // not NA_integer_, which is negative
      R_xlen_t at = (R_xlen_t)index - 1;
      string = is_made(x, at) ? STRING_ELT(R_altrep_data2(x), at) : make_string(v, at);
    }
    SET_STRING_ELT(subset, i, string);
  }
  UNPROTECT(1);
  return subset;
}

// Only if nobody can have written one.
static int no_na(SEXP x) { return strings_of(x)->segment != NULL && strings_of(x)->valid == NULL; }

SEXP mg_c_no_na(SEXP x) { return Rf_ScalarLogical(STRING_NO_NA(x)); }

static Rboolean inspect(SEXP x, int pre, int deep, int pvec, void (*inspect_subtree)(SEXP, int, int, int)) {
  (void)pre;
  (void)deep;
  (void)pvec;
  (void)inspect_subtree;
  const strings *v = strings_of(x);
  if (v->segment) {
    R_xlen_t blocks = v->n / BLOCK + (v->n % BLOCK != 0);
    Rprintf(" view of segment %d (generation %u), %.0f of %.0f blocks made\n", v->segment->fd,
            (unsigned)v->segment->generation, (double)(blocks - v->missing), (double)blocks);
  } else {
    Rprintf(" view that may be changed\n");
  }
  return TRUE;
}

void mg_string_view_init(DllInfo *dll) {
  string_views = R_make_altstring_class("string_view", "mangoro", dll);
  R_set_altrep_Length_method(string_views, length);
  R_set_altrep_Duplicate_method(string_views, duplicate);
  R_set_altrep_Inspect_method(string_views, inspect);
  R_set_altvec_Dataptr_method(string_views, dataptr);
  R_set_altvec_Dataptr_or_null_method(string_views, dataptr_or_null);
  R_set_altvec_Extract_subset_method(string_views, extract_subset);
  R_set_altstring_Elt_method(string_views, elt);
  R_set_altstring_Set_elt_method(string_views, set_elt);
  R_set_altstring_No_NA_method(string_views, no_na);
}
