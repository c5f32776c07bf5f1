// What R may call, by .Call(c_<name>, ...).

#ifndef MANGORO_ENTRIES_H
#define MANGORO_ENTRIES_H

#include "mangoro.h"

SEXP mg_c_encode_record(SEXP x, SEXP header, SEXP native, SEXP send_as, SEXP offer);
SEXP mg_c_encode_row(SEXP args, SEXP header, SEXP native, SEXP send_as, SEXP offer);
SEXP mg_c_encode_plain(SEXP args, SEXP types, SEXP names, SEXP header, SEXP native, SEXP offer);
SEXP mg_c_encode_arrow(SEXP stream, SEXP header);
SEXP mg_c_encode_dynamic(SEXP x, SEXP shape, SEXP rows, SEXP native, SEXP send_as);
SEXP mg_c_decode_record(SEXP bytes, SEXP ahead, SEXP segments);
SEXP mg_c_decode_row(SEXP bytes, SEXP ahead, SEXP segments);
SEXP mg_c_segments_end(SEXP segments, SEXP given_up);
SEXP mg_c_segments_offer(SEXP size);
SEXP mg_c_verify(SEXP bytes, SEXP ahead);
SEXP mg_c_constants(void);
SEXP mg_c_log_open(void);
SEXP mg_c_log_lines(SEXP pointer, SEXP which, SEXP lines);
SEXP mg_c_log_crash(SEXP pointer);
SEXP mg_c_log_output(SEXP pointer, SEXP limit, SEXP all);
SEXP mg_c_log_seen(SEXP pointer);
SEXP mg_c_log_wake(SEXP pointer, SEXP run);
SEXP mg_c_log_close(SEXP pointer);
void mg_stop_logs(void); // before this code is unloaded
SEXP mg_c_lock_make(SEXP path);
SEXP mg_c_lock_is_free(SEXP path);
SEXP mg_c_lock_release(SEXP pointer);
SEXP mg_c_file_owners(SEXP paths);
SEXP mg_c_take_pointer(SEXP pointer);
SEXP mg_c_no_na(SEXP x);         // whether it is known of strings that none is NA
SEXP mg_c_segment_counts(void);  // bytes leased, bytes in the pool, segments
SEXP mg_c_segment_problem(void); // why there is no shared memory; NULL if there is
SEXP mg_c_segment_trim(void);    // closes those in the pool

// For tests (segment_test.c).
SEXP mg_c_segment_take(SEXP role, SEXP size, SEXP peer);
SEXP mg_c_segment_forget(SEXP peer);
SEXP mg_c_segment_release(SEXP lease);
SEXP mg_c_segment_retire(SEXP lease);
SEXP mg_c_segment_name(SEXP lease);
SEXP mg_c_segment_write(SEXP lease, SEXP offset, SEXP x);
SEXP mg_c_segment_grow(SEXP lease);
SEXP mg_c_segment_limit(SEXP bytes, SEXP segments);
SEXP mg_c_segment_fail(SEXP at);
SEXP mg_c_segment_collections(void);
SEXP mg_c_view(SEXP lease, SEXP offset, SEXP like, SEXP n, SEXP no_na);
SEXP mg_c_string_view(SEXP lease, SEXP at, SEXP width, SEXP n);
SEXP mg_c_view_is_untouched(SEXP x);
SEXP mg_c_write_through(SEXP x, SEXP value);
SEXP mg_c_lane_open(SEXP token);
SEXP mg_c_lane_close(SEXP pointer);
SEXP mg_c_ring_chunks(void); // written so far, for tests
SEXP mg_c_lane_post(SEXP pointer, SEXP message, SEXP line, SEXP segments);
SEXP mg_c_lane_out(SEXP pointer);
SEXP mg_c_lane_counts(SEXP pointer);
SEXP mg_c_lane_wait(SEXP pointer, SEXP posted, SEXP timeout);
SEXP mg_c_lane_take(SEXP pointer, SEXP posted);
SEXP mg_c_lane_continue(SEXP pointer, SEXP posted, SEXP message, SEXP line);
SEXP mg_c_lane_release_held(SEXP pointer, SEXP posted, SEXP reply);
SEXP mg_c_lane_age(SEXP pointer);
SEXP mg_c_lane_give_up(SEXP pointer, SEXP posted);
SEXP mg_c_question_answer(SEXP reply, SEXP talk);
SEXP mg_c_lane_converse(SEXP pointer, SEXP posted, SEXP line, SEXP reply, SEXP talk);
SEXP mg_c_template(SEXP message, SEXP ahead);
SEXP mg_c_array_stream(SEXP pointer, SEXP next, SEXP schema, SEXP close);
SEXP mg_c_part_stream(SEXP bytes, SEXP ahead, SEXP segments);
SEXP mg_c_releases_new(void);
SEXP mg_c_release_note(SEXP pointer, SEXP id, SEXP received);
SEXP mg_c_release_take(SEXP pointer);
SEXP mg_c_call_new(SEXP slow, SEXP rest);
SEXP mg_c_call_know(SEXP pointer, SEXP lane, SEXP types, SEXP names, SEXP header, SEXP result_header, SEXP timeout,
                    SEXP flags, SEXP log, SEXP show, SEXP releases);
SEXP mg_c_call_is_known(SEXP pointer, SEXP lane);
SEXP mg_c_call(SEXP call, SEXP op, SEXP args, SEXP env);

#endif
