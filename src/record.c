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
    SEXP column = sent(p, &at, VECTOR_ELT(x, i));
    if (column == NULL) return NULL;
    n->children[i] = plan_pieces(p, &at, name, one(column), 1, 1);
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

// A map is one value as it is.
static node *plan_map(plan *p, const where *at, const char *name, SEXP x, int depth) {
  SEXP maps = PROTECT(Rf_shallow_duplicate(x));
  Rf_setAttrib(maps, R_ClassSymbol, Rf_mkString("mangoro_maps"));
  keep(p, maps);
  UNPROTECT(1);
  return plan_pieces(p, at, name, one(maps), 1, depth);
}

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
  return plan_attributes(p, at, n, x, class, !named) ? n : NULL;
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
  x = sent(p, at, x);
  if (x == NULL) return NULL;
  r_class class = class_of(x);
  if (class.class == CLASS_MAP) return plan_map(p, at, name, x, depth);
  if (TYPEOF(x) == VECSXP && class.class == CLASS_NONE && !Rf_isS4(x)) {
    return box_list(p, at, name, x, class, depth);
  }
  return box_vector(p, at, name, x, depth);
}

node *plan_row(plan *p, SEXP args) {
  where root = {NULL, "", 0, NULL, 0};
  SEXP names = Rf_getAttrib(args, R_NamesSymbol);
  node *n = node_new(ARROW_STRUCT, "");
  n->rows = 1;
  set_children(n, (int)Rf_xlength(args));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = name_at(p, &root, names, i);
    if (name == NULL) return NULL;
    where at = {&root, name, i + 1, NULL, 0};
    n->children[i] = plan_box(p, &at, name, VECTOR_ELT(args, i), 1);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}
