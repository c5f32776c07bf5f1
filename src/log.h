// What a server has printed that R has not shown yet.

#ifndef MANGORO_LOG_H
#define MANGORO_LOG_H

#include "mangoro.h"

// Reads what is there, so that what was printed before an answer is among it.
void mg_log_drain(SEXP pointer);
// Whether something is to be shown, of what has been read. It makes no system call.
bool mg_log_news(SEXP pointer);

#endif
