// A call of an elementwise function with plain arguments in one piece, from the arguments
// to the value, over the lane. What is known of the last call makes the next one cheap: a
// request of as many rows differs from the last one in its values only, and so does its
// reply. Whatever is not that simple goes back to R code: before the request is posted the
// whole call, later what is left of it.

#include "decode.h"
#include "entries.h"
#include "log.h"
#include "parts.h"
#include "plan.h"
#include "releases.h"
#include "ring.h"
#include "view.h"

#include <math.h>

// How long C waits before R code does, which also looks at the server.
#define FIRST_WAIT 0.02

// What a message has besides its values, and a result in its segment.
#define MESSAGE_MARGIN 4096
#define OFFER_MARGIN 4096

enum { MAX_ARGUMENTS = 16 };

// After how many calls without output no more of it is looked for before the value is returned: to
// look takes two system calls. What a function prints for the first time later is
// shown as soon as the log's thread has read it, with that call or the next one.
enum { QUIET_CALLS = 16 };

// What an external pointer of a call protects.
enum {
  KNOWN_SLOW,   // R code for the whole call
  KNOWN_REST,   // R code for what is left of it once the request is posted
  KNOWN_STATE,  // a raw vector, the `known`
  KNOWN_LANE,   // an external pointer
  KNOWN_TYPES,  // of the arguments
  KNOWN_NAMES,  // of the arguments
  KNOWN_HEADER, // of requests
  KNOWN_RESULT, // the header of results
  KNOWN_REQUEST,
  KNOWN_REPLY,
  KNOWN_LOG,  // an external pointer, what the server prints
  KNOWN_SHOW, // R code to show it
  KNOWN_RELEASES,
  KNOWN_PARTS
};

typedef struct {
  int n; // arguments
  int types[MAX_ARGUMENTS];
  uint32_t given_up; // by the lane when the header was made
  bool own_timeout;  // that of the handle, not that of the option
  bool rings;        // large arguments may go through the ring
  int looks;         // at output, that the next calls have
  const size_t *released; // objects that R code tells Go of
  double timeout;
  // The last request without NA, in KNOWN_REQUEST.
  R_xlen_t rows; // -1: there is none
  size_t at[MAX_ARGUMENTS];
  // The last reply without nulls, in KNOWN_REPLY.
  SEXPTYPE type; // NILSXP: there is none
  R_xlen_t n_values;
  size_t values_at, values_size;
} known;

SEXP mg_c_call_new(SEXP slow, SEXP rest) {
  SEXP parts = PROTECT(Rf_allocVector(VECSXP, KNOWN_PARTS));
  SET_VECTOR_ELT(parts, KNOWN_SLOW, slow);
  SET_VECTOR_ELT(parts, KNOWN_REST, rest);
  SEXP state = Rf_allocVector(RAWSXP, sizeof(known));
  SET_VECTOR_ELT(parts, KNOWN_STATE, state);
  memset(RAW(state), 0, sizeof(known));
  SEXP pointer = R_MakeExternalPtr(RAW(state), R_NilValue, parts);
  UNPROTECT(1);
  return pointer;
}

// Notes how the function is called from now on: over which lane, with arguments of which
// types, and with which headers. `flags` say whether the time-out is the handle's own, and
// whether arguments may go through the ring. `log` is what the server prints, and `show` the R
// code that shows it. `releases` has the objects that R code tells Go of.
SEXP mg_c_call_know(SEXP pointer, SEXP lane, SEXP types, SEXP names, SEXP header, SEXP result_header, SEXP timeout,
                    SEXP flags, SEXP log, SEXP show, SEXP releases) {
  known *k = R_ExternalPtrAddr(pointer);
  SEXP parts = R_ExternalPtrProtected(pointer);
  const mg_lane *l = mg_lane_of(lane);
  if (k == NULL) return R_NilValue;
  SET_VECTOR_ELT(parts, KNOWN_LANE, R_NilValue);
  const size_t *released = mg_releases_pending(releases);
  if (l == NULL || released == NULL || Rf_xlength(types) > MAX_ARGUMENTS) return R_NilValue;
  *k = (known){.n = (int)Rf_xlength(types), .given_up = l->given_up, .rows = -1, .type = NILSXP, .looks = QUIET_CALLS};
  for (int i = 0; i < k->n; i++) k->types[i] = INTEGER(types)[i];
  k->timeout = Rf_asReal(timeout);
  k->own_timeout = LOGICAL(flags)[0];
  k->rings = LOGICAL(flags)[1];
  SET_VECTOR_ELT(parts, KNOWN_TYPES, types);
  SET_VECTOR_ELT(parts, KNOWN_NAMES, names);
  SET_VECTOR_ELT(parts, KNOWN_HEADER, header);
  SET_VECTOR_ELT(parts, KNOWN_RESULT, result_header);
  SET_VECTOR_ELT(parts, KNOWN_LOG, log);
  SET_VECTOR_ELT(parts, KNOWN_SHOW, show);
  k->released = released;
  SET_VECTOR_ELT(parts, KNOWN_RELEASES, releases);
  SET_VECTOR_ELT(parts, KNOWN_LANE, lane);
  return R_NilValue;
}

// Whether what it has been told is still true.
SEXP mg_c_call_is_known(SEXP pointer, SEXP lane) {
  const known *k = R_ExternalPtrAddr(pointer);
  const mg_lane *l = mg_lane_of(lane);
  return Rf_ScalarLogical(
      k == NULL || l == NULL ||
      (k->given_up == l->given_up && VECTOR_ELT(R_ExternalPtrProtected(pointer), KNOWN_LANE) == lane));
}

static SEXP part(SEXP pointer, int i) { return VECTOR_ELT(R_ExternalPtrProtected(pointer), i); }

// --- Before the request -----------------------------------------------------

static bool is_flag(SEXP option) {
  return TYPEOF(option) == LGLSXP && Rf_xlength(option) == 1 && LOGICAL(option)[0] != NA_LOGICAL;
}

// Whether options are what they were when R code last looked at them, or else it looks again.
static bool are_options_the_same(const known *k) {
  SEXP shared = Rf_GetOption1(Rf_install("mangoro.shared_memory"));
  if (shared != R_NilValue && !(is_flag(shared) && LOGICAL(shared)[0] == 1)) return false;
  SEXP output = Rf_GetOption1(Rf_install("mangoro.output"));
  if (output != R_NilValue && !is_flag(output)) return false;
  int int64;
  if (!mg_int64_option(&int64)) return false;
  if (k->own_timeout) return true;
  SEXP timeout = Rf_GetOption1(Rf_install("mangoro.timeout"));
  if (timeout == R_NilValue) return k->timeout == 60;
  if (HAS_ATTRIBUTES(timeout) || Rf_xlength(timeout) != 1) return false;
  return (TYPEOF(timeout) == REALSXP && REAL(timeout)[0] == k->timeout) ||
         (TYPEOF(timeout) == INTSXP && INTEGER(timeout)[0] == k->timeout);
}

static mg_lane *free_lane(SEXP pointer, const known *k) {
  mg_lane *l = mg_lane_of(part(pointer, KNOWN_LANE));
  return l != NULL && *k->released == 0 && l->given_up == k->given_up && mg_lane_is_free(l) ? l : NULL;
}

// The rows of plain arguments, each of them as long or of length 1; -1 if they are not that.
static R_xlen_t common_rows(const known *k, SEXP args) {
  R_xlen_t rows = 1;
  int i = 0;
  for (; args != R_NilValue; args = CDR(args), i++) {
    SEXP x = CAR(args);
    if (i == k->n || (int)TYPEOF(x) != k->types[i] || HAS_ATTRIBUTES(x)) return -1;
    R_xlen_t n = Rf_xlength(x);
    if (n == 0 || (n != rows && n != 1 && rows != 1)) return -1;
    if (n > rows) rows = n;
  }
  return i == k->n && i > 0 ? rows : -1;
}

// How many bytes their values have in a message, as far as that is known: those that are not
// numbers count as 1.
static size_t bytes_of(const known *k, R_xlen_t rows) {
  size_t bytes = 0;
  for (int i = 0; i < k->n; i++) bytes += (k->types[i] == REALSXP ? 8 : k->types[i] == INTSXP ? 4 : 1) * (size_t)rows;
  return bytes;
}

static size_t width_of(SEXPTYPE type) { return type == REALSXP ? 8 : type == INTSXP ? 4 : 0; }

// --- The request ------------------------------------------------------------

// Copies values, the one again and again if there is one only. False if one is NA.
static bool put_doubles(uint8_t *to, SEXP x, const double *values, R_xlen_t rows) {
  bool recycled = Rf_xlength(x) != rows, found = false;
  for (R_xlen_t i = 0; i < rows; i++) {
    double v = values[recycled ? 0 : i];
    found |= v != v && is_na(v);
    store_f64(to + 8 * i, v);
  }
  return !found;
}

static bool put_ints(uint8_t *to, SEXP x, const int *values, R_xlen_t rows) {
  bool recycled = Rf_xlength(x) != rows, found = false;
  for (R_xlen_t i = 0; i < rows; i++) {
    int v = values[recycled ? 0 : i];
    found |= v == NA_INTEGER;
    store_i32(to + 4 * i, v);
  }
  return !found;
}

// Where an R vector of a plain type has its values. It may make them now.
static const void *values_of(SEXP x) {
  const void *values = mg_view_values(x);
  if (values != NULL) return values;
  return TYPEOF(x) == REALSXP ? (const void *)REAL_RO(x) : INTEGER_RO(x);
}

// Writes a request like the last one to the mailbox; returns its size, 0 if it is not like it.
static size_t write_again(SEXP pointer, const known *k, const mg_lane *l, SEXP args, const void *const values[],
                          R_xlen_t rows) {
  SEXP last = part(pointer, KNOWN_REQUEST);
  if (k->rows != rows) return 0;
  uint8_t *box = mg_lane_box(l);
  size_t size = (size_t)Rf_xlength(last);
  memcpy(box, RAW_RO(last), k->at[0]);
  for (int i = 0; i < k->n; i++, args = CDR(args)) {
    bool whole = k->types[i] == REALSXP ? put_doubles(box + k->at[i], CAR(args), values[i], rows)
                                        : put_ints(box + k->at[i], CAR(args), values[i], rows);
    if (!whole) return 0;
    size_t end = k->at[i] + width_of((SEXPTYPE)k->types[i]) * (size_t)rows, next = i + 1 < k->n ? k->at[i + 1] : size;
    memcpy(box + end, RAW_RO(last) + end, next - end);
  }
  return size;
}

static SEXP recycled(SEXP x, R_xlen_t rows) {
  if (Rf_xlength(x) == rows) return x;
  SEXP out = PROTECT(Rf_allocVector((SEXPTYPE)TYPEOF(x), rows));
  for (R_xlen_t i = 0; i < rows; i++) {
    switch (TYPEOF(x)) {
    case REALSXP: REAL(out)[i] = REAL_ELT(x, 0); break;
    case INTSXP: INTEGER(out)[i] = INTEGER_ELT(x, 0); break;
    case LGLSXP: LOGICAL(out)[i] = LOGICAL_ELT(x, 0); break;
    default: SET_STRING_ELT(out, i, STRING_ELT(x, 0)); break;
    }
  }
  UNPROTECT(1);
  return out;
}

// Where the values of the arguments lie in a message: what comes before each does not depend
// on them. Nothing is known of a message with NA.
static void remember_request(SEXP pointer, known *k, SEXP message, SEXP args, R_xlen_t rows) {
  k->rows = -1;
  size_t end = (size_t)Rf_xlength(message) - 8, body = 0, bitmap = ((size_t)bitmap_size(rows) + 7) / 8 * 8;
  for (int i = 0; i < k->n; i++) {
    size_t width = width_of((SEXPTYPE)k->types[i]);
    if (width == 0) return;
    k->at[i] = body + bitmap;
    body = k->at[i] + (width * (size_t)rows + 7) / 8 * 8;
  }
  if (body > end) return;
  for (int i = 0; i < k->n; i++, args = CDR(args)) {
    k->at[i] += end - body;
    // It has the values there if the encoder lays them out as we think.
    SEXP x = CAR(args);
    size_t size = width_of((SEXPTYPE)k->types[i]) * (size_t)rows;
    uint8_t *copy = (uint8_t *)R_alloc(size, 1);
    bool whole =
        TYPEOF(x) == REALSXP ? put_doubles(copy, x, values_of(x), rows) : put_ints(copy, x, values_of(x), rows);
    if (!whole || memcmp(copy, RAW_RO(message) + k->at[i], size) != 0) return;
  }
  SET_VECTOR_ELT(R_ExternalPtrProtected(pointer), KNOWN_REQUEST, message);
  k->rows = rows;
}

// The request as a raw vector; NULL if it cannot be written.
static SEXP encode(SEXP pointer, known *k, SEXP args, R_xlen_t rows) {
  SEXP record = PROTECT(Rf_allocVector(VECSXP, k->n)), rest = args;
  for (int i = 0; i < k->n; i++, rest = CDR(rest)) SET_VECTOR_ELT(record, i, recycled(CAR(rest), rows));
  // Strings that R has not marked are left to R code, which knows what they are in.
  SEXP native = PROTECT(Rf_ScalarInteger(NATIVE_UNKNOWN));
  SEXP message = mg_c_encode_plain(record, part(pointer, KNOWN_TYPES), part(pointer, KNOWN_NAMES),
                                   part(pointer, KNOWN_HEADER), native, R_NilValue);
  UNPROTECT(2);
  return TYPEOF(message) == RAWSXP ? message : NULL;
}

// Posts a request. False if it has to go another way.
static bool post(SEXP pointer, known *k, SEXP args, R_xlen_t rows) {
  const void *values[MAX_ARGUMENTS];
  int i = 0;
  bool alike = k->rows == rows;
  for (SEXP rest = args; alike && rest != R_NilValue; rest = CDR(rest)) values[i++] = values_of(CAR(rest));
  mg_lane *l = free_lane(pointer, k);
  // Without room for a large result it would be an error, which it is not over the socket.
  if (l == NULL || l->standing == NULL) return false;
  size_t size = alike ? write_again(pointer, k, l, args, values, rows) : 0;
  if (size > 0) {
    mg_lane_post(l, size, NULL);
    return true;
  }
  SEXP message = encode(pointer, k, args, rows);
  if (message == NULL || Rf_xlength(message) > MAILBOX_SIZE) return false;
  PROTECT(message);
  remember_request(pointer, k, message, args, rows);
  UNPROTECT(1);
  l = free_lane(pointer, k); // R code may have run
  if (l == NULL) return false;
  memcpy(mg_lane_box(l), RAW_RO(message), (size_t)Rf_xlength(message));
  mg_lane_post(l, (size_t)Rf_xlength(message), NULL);
  return true;
}

// Posts a call whose arguments go through the ring. Its memory is R_alloc's, and so lasts
// until C returns to R.
static bool post_ring(SEXP pointer, const known *k, SEXP args, R_xlen_t rows) {
  SEXP list = PROTECT(Rf_allocVector(VECSXP, k->n)), header = PROTECT(part(pointer, KNOWN_HEADER));
  for (int i = 0; i < k->n; i++, args = CDR(args)) SET_VECTOR_ELT(list, i, CAR(args));
  mg_ring *ring = mg_alloc(1, sizeof *ring);
  bool posted = k->rings && mg_ring_plan(ring, list, rows);
  size_t ahead = (size_t)Rf_xlength(header), size = posted ? ahead + mg_ring_payload_size(ring) : 0;
  mg_lane *l = free_lane(pointer, k);
  if (posted && l != NULL && size <= MAILBOX_SIZE) {
    posted = mg_lane_offer(l, sizeof(double) * (size_t)rows + OFFER_MARGIN);
    l = free_lane(pointer, k);
  }
  posted = posted && l != NULL && l->standing != NULL && size <= MAILBOX_SIZE;
  if (posted) {
    uint8_t *box = mg_lane_box(l);
    memcpy(box, RAW_RO(header), ahead);
    box[0] = MESSAGE_RING_CALL;
    mg_ring_write_payload(ring, box + ahead);
    mg_lane_post(l, size, NULL);
    l->ring = ring;
  }
  UNPROTECT(2);
  return posted;
}

// --- The reply --------------------------------------------------------------

// The value of a reply that differs from the last one in its values only, into `to`.
static bool read_again(SEXP pointer, const known *k, mg_lane *l, SEXP to) {
  SEXP last = part(pointer, KNOWN_REPLY);
  const uint8_t *data = NULL;
  size_t size = 0, end = k->values_at + k->values_size;
  if (!mg_lane_reply(l, &data, &size) || size != (size_t)Rf_xlength(last)) return false;
  if (memcmp(data, RAW_RO(last), k->values_at) != 0 || memcmp(data + end, RAW_RO(last) + end, size - end) != 0) {
    return false;
  }
  if (k->type == REALSXP) {
    memcpy(REAL(to), data + k->values_at, k->values_size);
    return true;
  }
  int *x = INTEGER(to);
  memcpy(x, data + k->values_at, k->values_size);
  bool found = false;
  for (R_xlen_t i = 0; i < k->n_values; i++) found |= x[i] == NA_INTEGER; // which is no NA in Go
  return !found;
}

// Where the values of a reply lie, if they are one vector without nulls and attributes.
static void remember_reply(SEXP pointer, known *k, SEXP reply, SEXP value) {
  k->type = NILSXP;
  if ((TYPEOF(value) != REALSXP && TYPEOF(value) != INTSXP) || HAS_ATTRIBUTES(value)) return;
  mg_failure f = {0};
  SEXP shelter = PROTECT(Rf_allocVector(VECSXP, 1));
  mg_stream s = {.failure = &f, .shelter = shelter};
  size_t ahead = (size_t)Rf_xlength(part(pointer, KNOWN_RESULT)), size = (size_t)Rf_xlength(reply);
  mg_input in = {.owner = reply, .data = RAW_RO(reply) + ahead, .size = size - ahead};
  if (mg_read_stream(&s, in) && s.n_fields == 1) {
    const mg_field *field = s.fields[0];
    const mg_column *c = s.columns[0];
    bool doubles = field->type == ARROW_FLOAT && field->width == 8 && TYPEOF(value) == REALSXP;
    bool ints = field->type == ARROW_INT && field->width == 4 && field->is_signed && TYPEOF(value) == INTSXP;
    if ((doubles || ints) && c->next == NULL && c->valid == NULL && c->rows == Rf_xlength(value)) {
      k->type = (SEXPTYPE)TYPEOF(value);
      k->n_values = Rf_xlength(value);
      k->values_at = (size_t)(c->values - RAW_RO(reply));
      k->values_size = width_of(k->type) * (size_t)k->n_values;
      SET_VECTOR_ELT(R_ExternalPtrProtected(pointer), KNOWN_REPLY, reply);
    }
  }
  UNPROTECT(1);
}

typedef struct {
  SEXP pointer, env;
  known *k;
  uint32_t request;
  double end; // until when C waits
  bool answered;
} settling;

// The lane if the request is still out over it.
static mg_lane *lane_of(const settling *s) {
  mg_lane *l = mg_lane_of(part(s->pointer, KNOWN_LANE));
  return l != NULL && l->state == REQUEST_OUT && l->request == s->request ? l : NULL;
}

// What a call uses of the segment that its reply lies in, NULL if it does not.
static SEXP uses_of(const mg_lane *l, SEXP reply) {
  if (!mg_lane_refers(l, reply)) return R_NilValue;
  SEXP uses = PROTECT(mg_uses_new(1));
  mg_uses_add_offer(uses, l->offer);
  UNPROTECT(1);
  return uses;
}

// The value of the reply. NULL if R code must look at it, where it still lies.
static SEXP decode(settling *s) {
  const uint8_t *data = NULL;
  size_t size = 0, again = 0;
  mg_lane *l = lane_of(s);
  if (l == NULL || !mg_lane_reply(l, &data, &size) || size > MAILBOX_SIZE) return NULL;
  SEXP reply = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)size)), value = NULL;
  l = lane_of(s);
  if (l == NULL || !mg_lane_reply(l, &data, &again) || again != size) {
    UNPROTECT(1);
    return NULL;
  }
  memcpy(RAW(reply), data, size);
  SEXP uses = PROTECT(uses_of(l, reply));
  SEXP values = PROTECT(mg_c_decode_record(reply, part(s->pointer, KNOWN_RESULT), uses));
  // A failure of the decoder has more elements.
  if (TYPEOF(values) == VECSXP && Rf_xlength(values) == 1) value = VECTOR_ELT(values, 0);
  if (value != NULL && uses == R_NilValue) remember_reply(s->pointer, s->k, reply, value);
  l = lane_of(s);
  if (l != NULL && value != NULL) mg_lane_finish(l, uses != R_NilValue);
  mg_uses_end(uses, false);
  UNPROTECT(3);
  return value;
}

static SEXP settle(void *data) {
  settling *s = data;
  mg_lane *l = lane_of(s);
  if (!s->answered && l != NULL) s->answered = mg_lane_wait(l, s->end) == LANE_ANSWERED;
  SEXP value = s->answered ? decode(s) : NULL;
  return value != NULL ? value : Rf_eval(part(s->pointer, KNOWN_REST), s->env);
}

static void end(void *data) {
  mg_lane *l = lane_of(data);
  if (l != NULL) mg_lane_give_up(l);
}

// Shows what the server has printed.
static void show_output(SEXP pointer, known *k, SEXP env) {
  SEXP log = part(pointer, KNOWN_LOG);
  if (k->looks > 0) {
    k->looks--;
    mg_log_drain(log);
  }
  if (!mg_log_news(log)) return;
  k->looks = QUIET_CALLS;
  Rf_eval(part(pointer, KNOWN_SHOW), env);
}

// .External2(c_call, pointer, ...), in the frame of the function that the user has called.
SEXP mg_c_call(SEXP call, SEXP op, SEXP args, SEXP env) {
  (void)call, (void)op;
  SEXP pointer = CADR(args);
  args = CDDR(args);
  known *k = R_ExternalPtrAddr(pointer);
  PROTECT(k == NULL ? R_NilValue : part(pointer, KNOWN_LANE));
  mg_lane *l = k == NULL || !are_options_the_same(k) ? NULL : free_lane(pointer, k);
  R_xlen_t rows = l == NULL ? -1 : common_rows(k, args);
  bool posted = false, large = rows > 0 && bytes_of(k, rows) > MAILBOX_SIZE - MESSAGE_MARGIN;
  SEXP to = R_NilValue;
  if (rows > 0 && !large) {
    if (!mg_lane_offer(l, 1) || common_rows(k, args) != rows) rows = -1; // R code may have changed what is known
    if (k->type != NILSXP) to = Rf_allocVector(k->type, k->n_values);
  }
  PROTECT(to);
  if (rows > 0) posted = large ? post_ring(pointer, k, args, rows) : post(pointer, k, args, rows);
  if (!posted) {
    UNPROTECT(2);
    return Rf_eval(part(pointer, KNOWN_SLOW), env);
  }
  l = mg_lane_of(part(pointer, KNOWN_LANE));
  double wait = k->timeout < FIRST_WAIT ? k->timeout : FIRST_WAIT;
  settling s = {.pointer = pointer, .env = env, .k = k, .request = l->request, .end = l->posted + wait};
  if (!large) s.answered = mg_lane_wait(l, s.end) == LANE_ANSWERED;
  if (s.answered && to != R_NilValue && (SEXPTYPE)TYPEOF(to) == k->type && Rf_xlength(to) == k->n_values &&
      read_again(pointer, k, l, to)) {
    mg_lane_free(l);
  } else {
    to = R_ExecWithCleanup(settle, &s, end, &s);
  }
  PROTECT(to);
  show_output(pointer, k, env);
  UNPROTECT(3);
  return to;
}
