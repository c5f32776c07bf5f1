// Records: columns, and rows of boxed values.

#include "plan.h"

static bool check_columns(mg_plan *p, const mg_path *root, mg_node *n) {
  bool counted = false;
  for (int i = 0; i < n->n_children; i++) {
    mg_node *c = n->children[i];
    if (c->type == ARROW_NULL && c->n_chunks == 0) continue;
    if (counted && c->rows != n->rows) {
      mg_path at = path_part(root, c->name, i);
      return mg_fail_at(p, &at, 0, 0, "it has %.0f rows, but the columns before it have %.0f", (double)c->rows,
                        (double)n->rows);
    }
    counted = true;
    n->rows = c->rows;
  }
  for (int i = 0; i < n->n_children; i++) {
    mg_node *c = n->children[i];
    if (c->type == ARROW_NULL) c->rows = c->nulls = n->rows;
  }
  return true;
}

static mg_node *plan_columns(mg_plan *p, const mg_path *root, SEXP x) {
  mg_node *n = mg_with_chunks(mg_node_new(ARROW_STRUCT, ""), mg_chunk(x), 1, 0);
  n->class.class = CLASS_LIST;
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  mg_set_children(n, (int)Rf_xlength(x));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = mg_name_at(p, root, names, i);
    if (name == NULL) return NULL;
    mg_path at = path_part(root, name, i);
    SEXP column = mg_sent(p, &at, VECTOR_ELT(x, i));
    if (column == NULL) return NULL;
    n->children[i] = mg_plan_chunks(p, &at, name, mg_chunk(column), 1, 1);
    if (n->children[i] == NULL) return NULL;
  }
  return check_columns(p, root, n) ? n : NULL;
}

// The rows of a record are those of its columns, and the record itself is no
// column: what is its own goes to the schema.
mg_node *mg_plan_record(mg_plan *p, SEXP x) {
  mg_path root = path_root();
  if (is_frame(x)) return mg_plan_chunks(p, &root, "", mg_chunk(x), 1, 0);
  return plan_columns(p, &root, x);
}

static mg_node *plan_box(mg_plan *p, const mg_path *at, const char *name, SEXP x, int depth);

// A map is one value as it is.
static mg_node *plan_map(mg_plan *p, const mg_path *at, const char *name, SEXP x, int depth) {
  SEXP maps = PROTECT(Rf_shallow_duplicate(x));
  Rf_setAttrib(maps, R_ClassSymbol, Rf_mkString("mangoro_maps"));
  mg_keep(p->shelter, maps);
  UNPROTECT(1);
  return mg_plan_chunks(p, at, name, mg_chunk(maps), 1, depth);
}

static mg_node *box(const char *name, mg_node *child) {
  if (child == NULL) return NULL;
  bool large = child->rows > INT32_MAX;
  mg_node *n = mg_node_new(large ? ARROW_LARGE_LIST : ARROW_LIST, name);
  n->rows = 1;
  n->n_buffers = 2;
  n->size[1] = large ? 16 : 8;
  n->write = mg_write_row;
  mg_set_children(n, 1);
  n->children[0] = child;
  return n;
}

static mg_node *box_vector(mg_plan *p, const mg_path *at, const char *name, SEXP x, int depth) {
  return box(name, mg_plan_chunks(p, at, "item", mg_chunk(x), 1, depth + 1));
}

static mg_node *box_fields(mg_plan *p, const mg_path *at, const char *name, SEXP x, mg_class class, int depth) {
  SEXP names = Rf_getAttrib(x, R_NamesSymbol);
  mg_node *n = mg_with_chunks(mg_node_new(ARROW_STRUCT, name), NULL, 0, 1);
  n->n_buffers = 1;
  n->class = class;
  mg_set_children(n, (int)Rf_xlength(x));
  bool named = false;
  for (int i = 0; i < n->n_children; i++) {
    const char *field = mg_name_at(p, at, names, i);
    if (field == NULL) return NULL;
    named = named || field[0] != 0;
    mg_path inside = path_part(at, field, i);
    n->children[i] = plan_box(p, &inside, field, VECTOR_ELT(x, i), depth + 1);
    if (n->children[i] == NULL) return NULL;
  }
  // The fields say the names, if there is any.
  return mg_plan_attributes(p, at, n, x, class, !named) ? n : NULL;
}

static mg_node *box_list(mg_plan *p, const mg_path *at, const char *name, SEXP x, mg_class class, int depth) {
  if (Rf_getAttrib(x, R_NamesSymbol) == R_NilValue && Rf_xlength(x) < INT32_MAX) {
    mg_node *n = box_vector(p, at, name, x, depth);
    if (n != NULL) return n;
    memset(p->failure, 0, sizeof *p->failure);
  }
  return box_fields(p, at, name, x, class, depth);
}

static mg_node *plan_box(mg_plan *p, const mg_path *at, const char *name, SEXP x, int depth) {
  if (depth > MAX_DEPTH - 4) return mg_fail_at(p, at, 0, 0, "it is nested more than %d levels deep", MAX_DEPTH - 4);
  if (x == R_NilValue) {
    mg_node *n = mg_node_new(ARROW_NULL, name);
    n->rows = n->nulls = 1;
    return n;
  }
  x = mg_sent(p, at, x);
  if (x == NULL) return NULL;
  mg_class class = mg_class_of(x);
  if (class.class == CLASS_MAP) return plan_map(p, at, name, x, depth);
  if (TYPEOF(x) == VECSXP && class.class == CLASS_NONE && !Rf_isS4(x)) {
    return box_list(p, at, name, x, class, depth);
  }
  return box_vector(p, at, name, x, depth);
}

mg_node *mg_plan_row(mg_plan *p, SEXP args) {
  mg_path root = path_root();
  SEXP names = Rf_getAttrib(args, R_NamesSymbol);
  mg_node *n = mg_node_new(ARROW_STRUCT, "");
  n->rows = 1;
  mg_set_children(n, (int)Rf_xlength(args));
  for (int i = 0; i < n->n_children; i++) {
    const char *name = mg_name_at(p, &root, names, i);
    if (name == NULL) return NULL;
    mg_path at = path_part(&root, name, i);
    n->children[i] = plan_box(p, &at, name, VECTOR_ELT(args, i), 1);
    if (n->children[i] == NULL) return NULL;
  }
  return n;
}
