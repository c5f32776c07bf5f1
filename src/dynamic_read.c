// Values of Go's any to R: lists and single values. The bytes are a peer's, so that
// nothing is believed before it is there; there is no recursion.

#include "dynamic.h"
#include "decode.h"

#include <limits.h>

// A list that is being filled.
typedef struct {
  SEXP list;
  R_xlen_t i, n;
  bool named;
  SEXP names; // NULL as long as they are those of `known`
  SEXP known; // names of the list before it that was as deep, or NULL
} level;

typedef struct {
  mg_stream *s;
  const uint8_t *p, *end;
  int64_t open; // values that the lists around this one still have, of at least a byte each
  int64_t row;
  level *levels;
  int depth, room;
  // The column, and the next row of each of its columns of leaves, with the end.
  const mg_field *f;
  const mg_column *c;
  int64_t *next, *ends;
  mg_leaf_reader leaf;
} tree;

static void *broken(tree *t, const char *what) {
  return mg_fail(t->s->failure, "a value of Go's any is not valid: %s", what);
}

// What is valid, but nothing that R has.
static void *refuse(tree *t, const char *what) { return mg_fail_row(t->s->failure, t->row, what); }

// The head of an item: its major type, and its number. Of a float64, its bits.
static bool read_head(tree *t, uint8_t *major, uint64_t *n) {
  if (t->p == t->end) return broken(t, "it ends too early");
  uint8_t first = *t->p++, info = first & 0x1F;
  *major = first & 0xE0;
  *n = info;
  if (info < 24) return true;
  if (info > 27 || (*major == CBOR_SIMPLE && first != CBOR_FLOAT64)) return broken(t, "it has an unknown item");
  int size = 1 << (info - 24);
  if (t->end - t->p < size) return broken(t, "it ends too early");
  *n = 0;
  for (int i = 0; i < size; i++) *n = *n << 8 | *t->p++;
  if (*major == CBOR_SIMPLE) *major = CBOR_FLOAT64;
  return true;
}

static bool has_bytes(tree *t, uint64_t n) { return n <= (uint64_t)(t->end - t->p) || broken(t, "it ends too early"); }

// A CHARSXP; NULL after a failure.
static SEXP read_text(tree *t, uint64_t n) {
  if (!has_bytes(t, n)) return NULL;
  const uint8_t *text = t->p;
  if (n > INT_MAX) return refuse(t, "a string has more than 2147483647 bytes");
  if (memchr(text, 0, (size_t)n) != NULL) return refuse(t, "a string has a zero byte");
  if (!mg_is_ascii(text, (size_t)n) && !mg_is_utf8(text, (size_t)n)) return broken(t, "a string is not UTF-8");
  t->p += n;
  return Rf_mkCharLenCE((const char *)text, (int)n, CE_UTF8);
}

// Go's whole numbers, as those of a column: integer or double, or else integer64.
static SEXP whole_number(tree *t, bool negative, uint64_t n) {
  bool integer = t->s->int64 == INT64_AUTO && n <= (uint64_t)INT_MAX - negative;
  bool real = t->s->int64 != INT64_INTEGER64 && n <= (uint64_t)MAX_EXACT - negative;
  if (integer) return Rf_ScalarInteger(negative ? -1 - (int)n : (int)n);
  if (real) return Rf_ScalarReal(negative ? -1 - (double)n : (double)n);
  if (t->s->int64 == INT64_DOUBLE) return refuse(t, NOT_EXACT);
  if (negative && n == INT64_MAX) return refuse(t, SMALLEST_INT64);
  if (n > INT64_MAX) return refuse(t, LARGE_UINT64);
  int64_t value = negative ? -1 - (int64_t)n : (int64_t)n;
  SEXP x = PROTECT(Rf_allocVector(REALSXP, 1));
  memcpy(REAL(x), &value, sizeof value);
  mg_set_class(x, (mg_class){.class = CLASS_INTEGER64});
  UNPROTECT(1);
  return x;
}

static SEXP read_leaf(tree *t) {
  uint8_t major;
  uint64_t k;
  if (!read_head(t, &major, &k)) return NULL;
  if (major != CBOR_UINT || t->next == NULL || k >= (uint64_t)t->f->n_children - 1 || t->next[k] >= t->ends[k]) {
    return broken(t, "it has a leaf that is not there");
  }
  const mg_field *list = t->f->children[k + 1];
  return t->leaf(t->s, list->children[0], t->c->children[k + 1]->children[0], t->next[k]++);
}

static SEXP read_raw(tree *t, uint64_t n) {
  if (!has_bytes(t, n)) return NULL;
  SEXP x = mg_new_vector(RAWSXP, (R_xlen_t)n);
  if (n > 0) memcpy(RAW(x), t->p, (size_t)n);
  t->p += n;
  return x;
}

// A list for n values, which become a level.
static SEXP open_list(tree *t, uint64_t n, bool named) {
  int64_t left = t->end - t->p - t->open, each = named ? 2 : 1;
  if (n > (uint64_t)left || (int64_t)n * each > left) return broken(t, "it has fewer values than it says");
  if (t->depth > MAX_NESTING + 1) {
    return mg_fail(t->s->failure, "a value is nested more than %d levels deep", MAX_NESTING);
  }
  t->open += (int64_t)n * each;
  if (t->depth == t->room) {
    level *levels = mg_alloc(2 * (size_t)t->room, sizeof *levels);
    memcpy(levels, t->levels, (size_t)t->room * sizeof *levels);
    t->levels = levels;
    t->room *= 2;
  }
  level *l = &t->levels[t->depth++];
  l->list = Rf_allocVector(VECSXP, (R_xlen_t)n);
  l->i = 0;
  l->n = (R_xlen_t)n;
  l->named = named;
  l->names = NULL;
  if (l->known != NULL && Rf_xlength(l->known) != l->n) l->known = NULL;
  return l->list;
}

// The next value, in need of protection; NULL after a failure.
static SEXP read_value(tree *t) {
  uint8_t major;
  uint64_t n;
  if (!read_head(t, &major, &n)) return NULL;
  switch (major) {
  case CBOR_FLOAT64: {
    double x;
    memcpy(&x, &n, sizeof x);
    return Rf_ScalarReal(x);
  }
  case CBOR_TEXT: {
    SEXP text = read_text(t, n);
    if (text == NULL) return NULL;
    PROTECT(text);
    SEXP x = Rf_ScalarString(text);
    UNPROTECT(1);
    return x;
  }
  case CBOR_UINT: return whole_number(t, false, n);
  case CBOR_NEGATIVE: return whole_number(t, true, n);
  case CBOR_BYTES: return read_raw(t, n);
  case CBOR_ARRAY: return open_list(t, n, false);
  case CBOR_MAP: return open_list(t, n, true);
  case CBOR_TAG: return n == TAG_LEAF ? read_leaf(t) : broken(t, "it has an unknown tag");
  default: break;
  }
  switch (major | (uint8_t)n) {
  case CBOR_FALSE: return Rf_ScalarLogical(0);
  case CBOR_TRUE: return Rf_ScalarLogical(1);
  case CBOR_NULL: return R_NilValue;
  case CBOR_UNDEFINED: return Rf_ScalarLogical(NA_LOGICAL);
  default: return broken(t, "it has an unknown item");
  }
}

// Records mostly have the names of the one before, which are then shared: 1e5 records of
// ten fields are read in half the time.
static bool read_name(tree *t, level *l) {
  uint8_t major;
  uint64_t n;
  if (!read_head(t, &major, &n)) return false;
  if (major != CBOR_TEXT) return broken(t, "a name is not text");
  if (!has_bytes(t, n)) return false;
  if (l->names == NULL && l->known != NULL) {
    SEXP known = STRING_ELT(l->known, l->i);
    if ((uint64_t)LENGTH(known) == n && memcmp(CHAR(known), t->p, (size_t)n) == 0) {
      t->p += n;
      return true;
    }
  }
  if (l->names == NULL) {
    l->names = Rf_allocVector(STRSXP, l->n);
    Rf_setAttrib(l->list, R_NamesSymbol, l->names);
    l->names = Rf_getAttrib(l->list, R_NamesSymbol);
    for (R_xlen_t i = 0; i < l->i; i++) SET_STRING_ELT(l->names, i, STRING_ELT(l->known, i));
  }
  SEXP name = read_text(t, n);
  if (name != NULL) SET_STRING_ELT(l->names, l->i, name);
  return name != NULL;
}

static void close_list(tree *t) {
  level *l = &t->levels[--t->depth];
  if (!l->named) return;
  if (l->names == NULL) {
    if (l->known == NULL) l->known = Rf_allocVector(STRSXP, 0); // no name was read
    Rf_setAttrib(l->list, R_NamesSymbol, l->known);
  }
  l->known = Rf_getAttrib(l->list, R_NamesSymbol);
}

// Where the failure is: names, as far as there are any.
static void locate(tree *t) {
  for (int i = t->depth - 1; i > 0; i--) {
    level *l = &t->levels[i];
    char item[32];
    SEXP names = l->names != NULL ? l->names : l->known;
    if (l->named && names != NULL && l->i < Rf_xlength(names)) {
      mg_fail_inside(t->s->failure, CHAR(STRING_ELT(names, l->i)));
    } else {
      item[0] = 0;
      mg_add_text(item, sizeof item, "[[%.0f]]", (double)l->i + 1);
      mg_fail_inside(t->s->failure, item);
    }
  }
}

// Fills the one element of `root`.
static bool read_tree(tree *t, SEXP root) {
  for (int i = 0; i < t->room; i++) t->levels[i].known = NULL; // those of other values may be gone
  t->levels[0] = (level){.list = root, .n = 1};
  t->depth = 1;
  t->open = 1;
  for (int64_t seen = 1; t->depth > 0; seen++) {
    if (seen % (1 << 18) == 0) R_CheckUserInterrupt();
    int at = t->depth - 1;
    level *l = &t->levels[at];
    if (l->i == l->n) {
      close_list(t);
      continue;
    }
    t->open -= l->named ? 2 : 1;
    SEXP x = !l->named || read_name(t, l) ? read_value(t) : NULL;
    if (x == NULL) {
      locate(t);
      return false;
    }
    l = &t->levels[at]; // there may be more levels now
    SET_VECTOR_ELT(l->list, l->i++, x);
  }
  return t->p == t->end || broken(t, "something comes after it");
}

bool mg_fill_dynamic(mg_stream *s, const mg_field *f, const mg_column *c, int64_t from, int64_t n, SEXP to, int64_t at,
                     mg_leaf_reader leaf) {
  bool leaves = f->layout == LAYOUT_STRUCT;
  const mg_column *trees = leaves ? c->children[0] : c;
  int64_t width = leaves ? f->children[0]->width : f->width;
  tree t = {.s = s, .f = f, .c = c, .leaf = leaf, .room = 16};
  t.levels = mg_alloc((size_t)t.room, sizeof *t.levels);
  if (leaves) {
    t.next = mg_alloc((size_t)f->n_children, sizeof *t.next);
    t.ends = mg_alloc((size_t)f->n_children, sizeof *t.ends);
  }
  for (int64_t i = from; i < from + n; i++) {
    if (i % (1 << 16) == 0) R_CheckUserInterrupt();
    if (!is_valid(c, i) || !is_valid(trees, i)) continue;
    for (int k = 0; leaves && k + 1 < f->n_children; k++) {
      t.next[k] = int_at(c->children[k + 1]->values, i, f->children[k + 1]->width, true);
      t.ends[k] = int_at(c->children[k + 1]->values, i + 1, f->children[k + 1]->width, true);
    }
    t.row = i;
    t.p = trees->data + int_at(trees->values, i, width, true);
    t.end = trees->data + int_at(trees->values, i + 1, width, true);
    SEXP root = PROTECT(Rf_allocVector(VECSXP, 1));
    bool done = read_tree(&t, root);
    if (done) SET_VECTOR_ELT(to, (R_xlen_t)(at + i - from), VECTOR_ELT(root, 0));
    UNPROTECT(1);
    if (!done) return false;
  }
  return true;
}
