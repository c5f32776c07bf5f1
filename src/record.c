// Records: columns, and rows of boxed values.

#include "plan.h"

static bool check_columns(plan *p, const where *root, node *n) {
  bool counted = false;
  for (int i = 0; i < n->n_children; i++) {
    node *c = n->children[i];
    if (c->type == ARROW_NULL && c->n_pieces == 0) continue;
    if (counted && c->rows != n->rows) {
      where at = {root, c->name, i + 1, NULL, 0};
      return fail_at(p, &at, 0, 0, "it has %.0f rows, and the columns before it %.0f", (double)c->rows,
                     (double)n->rows);
    }
    counted = true;
    n->rows = c->rows;
  }
  for (int i = 0; i < n->n_children; i++) {
    node *c = n->children[i];
    if (c->type == ARROW_NULL) c->rows = c->nulls = n->rows;
  }
  return true;
}

static node *plan_columns(plan *p, const where *root, SEXP x) {
  node *n = with_pieces(node_new(ARROW_STRUCT, ""), one(x), 1, 0);
  n->class.class = CLASS_LIST;
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  set_children(n, (int)Rf_xlength(x));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = name_at(p, root, names, i);
    if (name == NULL) return NULL;
    where at = {root, name, i + 1, NULL, 0};
    n->children[i] = plan_pieces(p, &at, name, one(VECTOR_ELT(x, i)), 1, 1);
    if (n->children[i] == NULL) return NULL;
  }
  return check_columns(p, root, n) ? n : NULL;
}

// The rows of a record are those of its columns, and the record itself is no
// column: what is its own goes to the schema.
node *plan_record(plan *p, SEXP x) {
  where root = {NULL, "", 0, NULL, 0};
  if (is_frame(x)) return plan_pieces(p, &root, "", one(x), 1, 0);
  return plan_columns(p, &root, x);
}

static node *plan_box(plan *p, const where *at, const char *name, SEXP x, int depth);

static node *box(const char *name, node *child) {
  if (child == NULL) return NULL;
  bool large = child->rows > INT32_MAX;
  node *n = node_new(large ? ARROW_LARGE_LIST : ARROW_LIST, name);
  n->rows = 1;
  n->n_buffers = 2;
  n->size[1] = large ? 16 : 8;
  n->write = write_row;
  set_children(n, 1);
  n->children[0] = child;
  return n;
}

static node *box_vector(plan *p, const where *at, const char *name, SEXP x, int depth) {
  return box(name, plan_pieces(p, at, "item", one(x), 1, depth + 1));
}

static node *box_fields(plan *p, const where *at, const char *name, SEXP x, r_class class, int depth) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  node *n = with_pieces(node_new(ARROW_STRUCT, name), NULL, 0, 1);
  n->n_buffers = 1;
  n->class = class;
  set_children(n, (int)Rf_xlength(x));
  bool named = false;
  for (int i = 0; i < n->n_children; i++) {
    const char *field = name_at(p, at, names, i);
    if (field == NULL) return NULL;
    named = named || field[0] != 0;
    where inside = {at, field, i + 1, NULL, 0};
    n->children[i] = plan_box(p, &inside, field, VECTOR_ELT(x, i), depth + 1);
    if (n->children[i] == NULL) return NULL;
  }
  // The fields say the names, if there is any.
  return plan_attributes(p, at, n, x, CLASS_NONE, !named) ? n : NULL;
}

static node *box_list(plan *p, const where *at, const char *name, SEXP x, r_class class, int depth) {
  if (Rf_getAttrib(x, R_NamesSymbol) == R_NilValue && Rf_xlength(x) < INT32_MAX) {
    node *n = box_vector(p, at, name, x, depth);
    if (n != NULL) return n;
    memset(p->failure, 0, sizeof *p->failure);
  }
  return box_fields(p, at, name, x, class, depth);
}

static node *plan_box(plan *p, const where *at, const char *name, SEXP x, int depth) {
  if (depth > MAX_DEPTH - 4) {
    fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
    return NULL;
  }
  if (x == R_NilValue) {
    node *n = node_new(ARROW_NULL, name);
    n->rows = n->nulls = 1;
    return n;
  }
  r_class class = class_of(x);
  if (TYPEOF(x) == VECSXP && class.class == CLASS_NONE && !Rf_isS4(x)) {
    return box_list(p, at, name, x, class, depth);
  }
  return box_vector(p, at, name, x, depth);
}

// A map of one row: the names of x are its keys, its elements the values.
static node *plan_map(plan *p, const where *at, const char *name, SEXP x) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  if (Rf_xlength(x) > 0 && TYPEOF(names) != STRSXP) {
    fail_at(p, at, 0, 0, "a map needs names");
    return NULL;
  }
  for (R_xlen_t i = 0; i < Rf_xlength(x); i++) {
    if (STRING_ELT(names, i) == NA_STRING) {
      fail_at(p, at, 0, i + 1, "a map needs a name for each of its elements");
      return NULL;
    }
  }
  node *map = node_new(ARROW_MAP, name), *entries = node_new(ARROW_STRUCT, "entries");
  map->rows = 1;
  map->n_buffers = 2;
  map->size[1] = 8;
  map->write = write_row;
  set_children(map, 1);
  map->children[0] = entries;
  entries->rows = Rf_xlength(x);
  entries->nullable = false;
  entries->n_buffers = 1;
  set_children(entries, 2);
  SEXP keys = TYPEOF(names) == STRSXP ? names : PROTECT(Rf_allocVector(STRSXP, 0));
  keep(p, keys);
  if (keys != names) UNPROTECT(1);
  where key_at = {at, "names", 0, NULL, 0};
  entries->children[0] =
      plan_strings(p, &key_at, with_pieces(node_new(ARROW_UTF8, "key"), one(keys), 1, Rf_xlength(keys)));
  if (entries->children[0] == NULL) return NULL;
  entries->children[0]->nullable = false;
  node *value = plan_pieces(p, at, "value", one(x), 1, 2);
  if (value == NULL) return NULL;
  // The keys are the names.
  value->attributes = NULL;
  entries->children[1] = value;
  return plan_attributes(p, at, value, x, class_of(x).class, false) ? map : NULL;
}

static bool is_among(const char *name, SEXP maps) {
  for (R_xlen_t i = 0; i < Rf_xlength(maps); i++) {
    if (strcmp(name, Rf_translateCharUTF8(STRING_ELT(maps, i))) == 0) return true;
  }
  return false;
}

node *plan_row(plan *p, SEXP args, SEXP maps) {
  where root = {NULL, "", 0, NULL, 0};
  SEXP names = Rf_getAttrib(args, R_NamesSymbol);
  node *n = node_new(ARROW_STRUCT, "");
  n->rows = 1;
  set_children(n, (int)Rf_xlength(args));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = name_at(p, &root, names, i);
    if (name == NULL) return NULL;
    where at = {&root, name, i + 1, NULL, 0};
    SEXP x = VECTOR_ELT(args, i);
    bool map = x != R_NilValue && is_among(name, maps);
    n->children[i] = map ? plan_map(p, &at, name, x) : plan_box(p, &at, name, x, 1);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}
