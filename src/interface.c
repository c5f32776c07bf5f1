#include "mangoro.h"
SEXP encode_arrow(SEXP stream, SEXP header) { (void)stream; return header; }
