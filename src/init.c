#include "mangoro.h"

#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>

#define ENTRY(name, args) {"codec_" #name, (DL_FUNC)(void (*)(void))name, args}

static const R_CallMethodDef entries[] = {
    ENTRY(encode_record, 4),
    ENTRY(encode_row, 4),
    ENTRY(decode_record, 3),
    ENTRY(decode_row, 3),
    ENTRY(encode_arrow, 2),
    ENTRY(encode_plain, 5),
    {NULL, NULL, 0},
};

void attribute_visible R_init_mangoro(DllInfo *dll) {
  R_registerRoutines(dll, NULL, entries, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
  R_forceSymbols(dll, TRUE);
}
