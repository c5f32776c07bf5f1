// What R may call.

#include "entries.h"
#include "system.h"
#include "view.h"

#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>

#define ENTRY(name, args) {"c_" #name, (DL_FUNC)(void (*)(void))mg_c_##name, args}

static const R_CallMethodDef entries[] = {
    ENTRY(encode_record, 5),
    ENTRY(encode_row, 5),
    ENTRY(encode_plain, 6),
    ENTRY(encode_arrow, 2),
    ENTRY(decode_record, 3),
    ENTRY(decode_row, 3),
    ENTRY(segments_end, 2),
    ENTRY(segments_offer, 1),
    ENTRY(verify, 2),
    ENTRY(constants, 0),
    ENTRY(log_open, 0),
    ENTRY(log_lines, 3),
    ENTRY(log_crash, 1),
    ENTRY(log_output, 3),
    ENTRY(log_seen, 1),
    ENTRY(log_wake, 2),
    ENTRY(log_close, 1),
    ENTRY(lock_make, 1),
    ENTRY(lock_is_free, 1),
    ENTRY(lock_release, 1),
    ENTRY(file_owners, 1),
    ENTRY(take_pointer, 1),
    ENTRY(encode_dynamic, 5),
    // Segments and views
    ENTRY(segment_counts, 0),
    ENTRY(segment_problem, 0),
    ENTRY(segment_trim, 0),
    ENTRY(no_na, 1),
    ENTRY(segment_take, 3),
    ENTRY(segment_forget, 1),
    ENTRY(segment_release, 1),
    ENTRY(segment_retire, 1),
    ENTRY(segment_name, 1),
    ENTRY(segment_write, 3),
    ENTRY(segment_grow, 1),
    ENTRY(segment_limit, 2),
    ENTRY(segment_fail, 1),
    ENTRY(segment_collections, 0),
    ENTRY(view, 5),
    ENTRY(string_view, 4),
    ENTRY(view_is_untouched, 1),
    ENTRY(write_through, 2),
    // The lane
    ENTRY(lane_open, 1),
    ENTRY(lane_close, 1),
    ENTRY(ring_chunks, 0),
    ENTRY(lane_post, 4),
    ENTRY(lane_out, 1),
    ENTRY(lane_counts, 1),
    ENTRY(lane_wait, 3),
    ENTRY(lane_take, 2),
    ENTRY(lane_continue, 4),
    ENTRY(lane_release_held, 3),
    ENTRY(lane_age, 1),
    ENTRY(lane_give_up, 2),
    ENTRY(lane_converse, 5),
    ENTRY(question_answer, 2),
    ENTRY(template, 2),
    // Objects, functions and streams
    ENTRY(array_stream, 4),
    ENTRY(releases_new, 0),
    ENTRY(part_stream, 3),
    ENTRY(release_note, 3),
    ENTRY(release_take, 1),
    ENTRY(call_new, 2),
    ENTRY(call_is_known, 2),
    ENTRY(call_know, 11),
    {NULL, NULL, 0},
};

static const R_ExternalMethodDef externals[] = {
    {"c_call", (DL_FUNC)(void (*)(void))mg_c_call, -1},
    {NULL, NULL, 0},
};

void attribute_visible R_init_mangoro(DllInfo *dll) {
  R_registerRoutines(dll, NULL, entries, NULL, externals);
  R_useDynamicSymbols(dll, FALSE);
  R_forceSymbols(dll, TRUE);
  mg_note_main_thread();
  mg_segment_init();
  mg_view_init(dll);
  mg_string_view_init(dll);
}

void attribute_visible R_unload_mangoro(DllInfo *dll) {
  (void)dll;
  mg_stop_logs();
  mg_c_segment_trim();
}
