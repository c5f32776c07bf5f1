// R functions that Go calls. A question that is equal to the last one of its
// target but for its numbers is answered here, without R code but the function itself: R code
// takes ten times as long. It handles all others, and what is known of a target is from there.

#include "bits.h"
#include "entries.h"
#include "lane.h"
#include "log.h"
#include "parts.h"
#include "template.h"

// What is known of a target, a list that R code makes (R/callback.R).
enum {
  TARGET_NAME,              // of the function, for the call
  TARGET_FUNCTION,
  TARGET_CALL,              // of the function, with its arguments by their names
  TARGET_QUESTION,          // a message
  TARGET_QUESTION_TEMPLATE,
  TARGET_ANSWER,            // the payload of a message
  TARGET_ANSWER_TEMPLATE,   // NULL: the function has no result
};

// What is known of a call.
enum {
  TALK_HEADER,  // of answers
  TALK_TARGETS, // each a list, or NULL
  TALK_TIMEOUT,
  TALK_LOG,  // what the server prints
  TALK_SHOW, // R code that shows it
};

// How long C waits before R code does, which also looks at the server.
#define FIRST_WAIT 0.02

// How many questions there are between two looks at interrupts, and how many of the first have
// output looked for before they are answered: to look takes two system calls.
enum { BETWEEN_LOOKS = 64, FIRST_QUESTIONS = 16 };

static const mg_template *template_of(SEXP target, int i) { return (const mg_template *)RAW_RO(VECTOR_ELT(target, i)); }

static SEXP find_target(SEXP targets, const uint8_t *data, size_t size, int *index) {
  for (*index = 0; *index < (int)Rf_xlength(targets); (*index)++) {
    SEXP target = VECTOR_ELT(targets, *index);
    if (target != R_NilValue && mg_template_is(template_of(target, TARGET_QUESTION_TEMPLATE),
                                               VECTOR_ELT(target, TARGET_QUESTION), data, size)) {
      return target;
    }
  }
  return NULL;
}

// The frame in which the function is called, NULL if R has the arguments as other types.
static SEXP frame_of(SEXP target, const uint8_t *data) {
  const mg_template *t = template_of(target, TARGET_QUESTION_TEMPLATE);
  SEXP frame = PROTECT(R_NewEnv(R_GlobalEnv, 0, t->n + 1));
  SEXP name = CDR(VECTOR_ELT(target, TARGET_CALL));
  Rf_defineVar(VECTOR_ELT(target, TARGET_NAME), VECTOR_ELT(target, TARGET_FUNCTION), frame);
  bool read = true;
  for (int i = 0; read && i < t->n; i++, name = CDR(name)) {
    SEXP x = PROTECT(Rf_allocVector(t->slots[i].type, t->slots[i].n));
    read = mg_numbers_read(&t->slots[i], data, x);
    Rf_defineVar(CAR(name), x, frame);
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return read ? frame : NULL;
}

static size_t answer_size(SEXP header, SEXP target) {
  return (size_t)Rf_xlength(header) + (size_t)Rf_xlength(VECTOR_ELT(target, TARGET_ANSWER));
}

// Writes the answer. FALSE: R code has to.
static bool write_answer(uint8_t *to, SEXP header, SEXP target, SEXP value) {
  SEXP answer = VECTOR_ELT(target, TARGET_ANSWER), numbers = VECTOR_ELT(target, TARGET_ANSWER_TEMPLATE);
  size_t ahead = (size_t)Rf_xlength(header), size = (size_t)Rf_xlength(answer);
  memcpy(to, RAW_RO(header), ahead);
  if (size > 0) memcpy(to + ahead, RAW_RO(answer), size);
  return numbers == R_NilValue ||
         mg_numbers_write(&template_of(target, TARGET_ANSWER_TEMPLATE)->slots[0], to + ahead, value);
}

static SEXP unusual(int index, SEXP value) {
  SEXP out = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(out, 0, Rf_ScalarInteger(index));
  SET_VECTOR_ELT(out, 1, value);
  UNPROTECT(1);
  return out;
}

static void show_output(SEXP talk, R_xlen_t questions) {
  SEXP log = VECTOR_ELT(talk, TALK_LOG);
  if (log == R_NilValue) return;
  if (questions < FIRST_QUESTIONS) mg_log_drain(log);
  if (mg_log_news(log)) Rf_eval(VECTOR_ELT(talk, TALK_SHOW), R_BaseEnv);
}

// The message that answers `reply`, a question that a call over the socket has got. NULL if that
// is left to R code; if only the value that a function has returned is left to it,
// list(index of the target, value).
SEXP mg_c_question_answer(SEXP reply, SEXP talk) {
  const uint8_t *data = RAW_RO(reply);
  int index;
  SEXP target = find_target(VECTOR_ELT(talk, TALK_TARGETS), data, (size_t)Rf_xlength(reply), &index);
  SEXP frame = target == NULL ? NULL : frame_of(target, data), header = VECTOR_ELT(talk, TALK_HEADER);
  if (frame == NULL) return R_NilValue;
  PROTECT(frame);
  show_output(talk, 0);
  SEXP value = PROTECT(Rf_eval(VECTOR_ELT(target, TARGET_CALL), frame));
  SEXP out = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)answer_size(header, target)));
  if (!write_answer(RAW(out), header, target, value)) out = unusual(index, value);
  UNPROTECT(3);
  return out;
}

// Answers `reply`, a question that a call over the lane has got, and those that follow. Returns
// `reply` if that is left to R code; NULL if a reply is to come that is, or has come; and, if
// only the value that a function has returned is left to it, list(index of the target, value).
// Whether R has the word is noted as `word` of the environment `line`, since the function may
// raise an error.
SEXP mg_c_lane_converse(SEXP pointer, SEXP posted, SEXP line, SEXP reply, SEXP talk) {
  SEXP targets = VECTOR_ELT(talk, TALK_TARGETS), header = VECTOR_ELT(talk, TALK_HEADER);
  SEXP word = Rf_install("word"), number = PROTECT(Rf_ScalarReal(Rf_asReal(posted)));
  double timeout = Rf_asReal(VECTOR_ELT(talk, TALK_TIMEOUT));
  const uint8_t *data = RAW_RO(reply);
  size_t size = (size_t)Rf_xlength(reply);
  Rf_defineVar(Rf_install("posted"), number, line);
  SEXP out = R_NilValue;
  for (R_xlen_t i = 0;; i++) {
    if (i % BETWEEN_LOOKS == BETWEEN_LOOKS - 1) R_CheckUserInterrupt();
    int index;
    SEXP target = find_target(targets, data, size, &index), frame = target == NULL ? NULL : frame_of(target, data);
    mg_lane *l = mg_lane_in(pointer, REAL(number)[0], i == 0 ? REQUEST_HELD : REQUEST_OUT);
    if (frame == NULL || l == NULL) {
      out = i == 0 ? reply : R_NilValue;
      break;
    }
    l->state = REQUEST_HELD;
    PROTECT(frame);
    Rf_defineVar(word, Rf_ScalarLogical(1), line);
    show_output(talk, i);
    SEXP value = PROTECT(Rf_eval(VECTOR_ELT(target, TARGET_CALL), frame));
    l = mg_lane_in(pointer, REAL(number)[0], REQUEST_HELD);
    size_t answer = answer_size(header, target);
    bool in_time = l != NULL && mg_seconds() - l->posted < timeout && answer <= MAILBOX_SIZE;
    if (!in_time || !write_answer(mg_lane_box(l), header, target, value)) {
      out = unusual(index, value);
      UNPROTECT(2);
      break;
    }
    mg_lane_continue(l, answer);
    REAL(number)[0] = l->request;
    Rf_defineVar(word, R_NilValue, line);
    UNPROTECT(2);
    double now = mg_seconds(), late = l->posted + timeout;
    if (mg_lane_wait(l, now + FIRST_WAIT < late ? now + FIRST_WAIT : late) != LANE_ANSWERED) break;
    if (!mg_lane_reply(l, &data, &size) || size == 0 || size > MAILBOX_SIZE || data[0] != MESSAGE_QUESTION) break;
  }
  UNPROTECT(1);
  return out;
}
