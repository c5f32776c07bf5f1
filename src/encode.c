// R values as a raw vector: a header, then a stream.

#include "entries.h"
#include "plan.h"

static SEXP raw_behind(SEXP header, int64_t size, uint8_t **to) {
  R_xlen_t ahead = Rf_xlength(header);
  SEXP out = PROTECT(mg_new_vector(RAWSXP, ahead + (R_xlen_t)size));
  if (ahead > 0) memcpy(RAW(out), RAW_RO(header), (size_t)ahead);
  *to = RAW(out) + ahead;
  UNPROTECT(1);
  return out;
}

// `offer` is the size of the segment for the result and, if there is one, the server, see
// mg_segment_take().
static SEXP encode_apart(const mg_measured *m, SEXP header, SEXP offer) {
  uint32_t peer = TYPEOF(offer) == REALSXP && Rf_xlength(offer) > 1 ? (uint32_t)REAL_RO(offer)[1] : 0;
  SEXP segments = PROTECT(mg_uses_new(m->n_parts + 2)), bytes = R_NilValue, out = NULL;
  const mg_segment *results = mg_uses_take(segments, SEGMENT_RESULTS, (size_t)Rf_asReal(offer), peer);
  mg_segment *s = m->bodies > 0 ? mg_uses_take(segments, SEGMENT_ARGUMENTS, (size_t)m->bodies, peer) : NULL;
  if (s != NULL || m->bodies == 0) {
    mg_part *parts = mg_alloc(m->n_parts, sizeof *parts);
    size_t n = mg_list_parts(m, s, parts);
    for (size_t i = 0; i < n; i++) mg_uses_add(segments, parts[i].segment);
    uint8_t *to;
    bytes = PROTECT(raw_behind(header, (int64_t)parts_header_size(n) + m->metadata, &to));
    RAW(bytes)[0] = MESSAGE_REFER_CALL;
    mg_write_parts_header(to, results, parts, n);
    mg_write(m, to + parts_header_size(n), s == NULL ? NULL : s->data);
    const char *names[] = {"bytes", "segments", ""};
    out = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(out, 0, bytes);
    SET_VECTOR_ELT(out, 1, segments);
    UNPROTECT(2);
  } else {
    mg_uses_end(segments, false);
  }
  UNPROTECT(1);
  return out;
}

static SEXP encode_inline(const mg_measured *m, SEXP header) {
  uint8_t *to;
  SEXP out = PROTECT(raw_behind(header, m->metadata + m->bodies, &to));
  mg_write(m, to, NULL);
  UNPROTECT(1);
  return out;
}

SEXP mg_encode(mg_node *root, mg_node *const batches[], R_xlen_t n, SEXP header, SEXP offer, mg_failure *f) {
  mg_measured m = {0}, apart = {.apart = true};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1)), out = NULL;
  bool done = mg_measure(&m, root, batches, n, shelter, f);
  if (done && offer != R_NilValue && m.bodies >= PARTS_FLOOR) {
    done = mg_measure(&apart, root, batches, n, shelter, f);
    if (done) out = encode_apart(&apart, header, offer);
  }
  if (done && out == NULL) out = encode_inline(&m, header);
  UNPROTECT(1);
  return out;
}

static SEXP encode(SEXP x, SEXP header, SEXP native, SEXP send_as, SEXP offer, bool row) {
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_plan p = {.failure = &f, .shelter = shelter, .send_as = send_as, .native = (mg_encoding)Rf_asInteger(native)};
  mg_node *root = row ? mg_plan_row(&p, x) : mg_plan_record(&p, x);
  SEXP out = root == NULL ? NULL : mg_encode(root, &root, 1, header, offer, &f);
  if (out == NULL) out = mg_failure_value(&f);
  UNPROTECT(1);
  return out;
}

SEXP mg_c_encode_record(SEXP x, SEXP header, SEXP native, SEXP send_as, SEXP offer) {
  return encode(x, header, native, send_as, offer, false);
}

SEXP mg_c_encode_row(SEXP args, SEXP header, SEXP native, SEXP send_as, SEXP offer) {
  return encode(args, header, native, send_as, offer, true);
}
