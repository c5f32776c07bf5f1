// Between plan.c (single vectors), nested.c (lists, data frames) and record.c.

#ifndef MANGORO_PLAN_H
#define MANGORO_PLAN_H

#include "mangoro.h"

node *with_pieces(node *n, const SEXP *pieces, R_xlen_t n_pieces, int64_t rows);
node *fixed(node *n, int64_t width, row_writer write);
node *numeric(node *n, int type, int32_t bits, row_writer write);
void set_children(node *n, int n_children);
bool count_rows(plan *p, const where *at, const SEXP *pieces, R_xlen_t n, int64_t *rows);
void keep(plan *p, SEXP x);
const SEXP *one(SEXP x);
node *plan_strings(plan *p, const where *at, node *n);
node *plan_factor(plan *p, const where *at, node *n, r_class class);
node *plan_ints(node *n);
node *plan_complex(node *n);
node *plan_dates(node *n);
node *plan_datetimes(plan *p, const where *at, node *n);
node *plan_differences(plan *p, const where *at, node *n);
node *plan_times_of_day(node *n);
SEXP sent(plan *p, const where *at, SEXP x);
node *plan_pieces(plan *p, const where *at, const char *name, const SEXP *pieces, R_xlen_t n, int depth);
const char *name_at(plan *p, const where *at, SEXP names, R_xlen_t i);

#endif
