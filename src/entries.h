// What R may call, by .Call(c_<name>, ...).

#ifndef MANGORO_ENTRIES_H
#define MANGORO_ENTRIES_H

#include "mangoro.h"

SEXP mg_c_encode_record(SEXP x, SEXP header, SEXP native, SEXP send_as);
SEXP mg_c_encode_row(SEXP args, SEXP header, SEXP native, SEXP send_as);
SEXP mg_c_encode_plain(SEXP args, SEXP types, SEXP names, SEXP header, SEXP native);
SEXP mg_c_encode_arrow(SEXP stream, SEXP header);
SEXP mg_c_encode_dynamic(SEXP x, SEXP shape, SEXP rows, SEXP native, SEXP send_as);
SEXP mg_c_decode_record(SEXP bytes, SEXP ahead);
SEXP mg_c_decode_row(SEXP bytes, SEXP ahead);
SEXP mg_c_verify(SEXP bytes, SEXP ahead);
SEXP mg_c_constants(void);
SEXP mg_c_log_open(void);
SEXP mg_c_log_lines(SEXP pointer, SEXP which, SEXP lines);
SEXP mg_c_log_crash(SEXP pointer);
SEXP mg_c_log_close(SEXP pointer);
void mg_stop_logs(void); // before this code is unloaded
SEXP mg_c_lock_make(SEXP path);
SEXP mg_c_lock_is_free(SEXP path);
SEXP mg_c_lock_release(SEXP pointer);
SEXP mg_c_file_owners(SEXP paths);
SEXP mg_c_take_pointer(SEXP pointer);
SEXP mg_c_lane_open(SEXP token);
SEXP mg_c_lane_close(SEXP pointer);

#endif
