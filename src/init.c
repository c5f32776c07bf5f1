#include "mangoro.h"

#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>

#define NAMED(entry, name, args) {entry, (DL_FUNC)(void (*)(void))name, args}
#define ENTRY(name, args) NAMED("codec_" #name, name, args)
#define SYSTEM(name, args) NAMED("system_" #name, name, args)

static const R_CallMethodDef entries[] = {
    ENTRY(encode_record, 4), ENTRY(encode_row, 4),
    ENTRY(decode_record, 2), ENTRY(decode_row, 2),
    ENTRY(verified, 2),      ENTRY(encode_arrow, 2),
    ENTRY(encode_plain, 5),  {"clear_pointer", (DL_FUNC)(void (*)(void))clear_pointer, 1},
    SYSTEM(log_open, 0),     SYSTEM(log_lines, 3),
    SYSTEM(log_crash, 1),    SYSTEM(log_close, 1),
    SYSTEM(lock_make, 1),    SYSTEM(lock_is_free, 1),
    SYSTEM(lock_release, 1), {"file_owners", (DL_FUNC)(void (*)(void))file_owners, 1},
    {NULL, NULL, 0},
};

void attribute_visible R_init_mangoro(DllInfo *dll) {
  R_registerRoutines(dll, NULL, entries, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
  R_forceSymbols(dll, TRUE);
}

void attribute_visible R_unload_mangoro(DllInfo *dll) {
  (void)dll;
  stop_logs();
}
