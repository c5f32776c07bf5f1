# R values as Arrow IPC streams and back. The work is done in src/, whose failures
# become conditions here.

# One raw vector: `header`, and the stream of `x`, a data frame or a named list of
# vectors of one length. With `offer`, the segment for the result, a large call goes
# by reference, if there is shared memory: list(bytes, segments), see end_segments().
encode_record <- function(x, header = raw(), call = rlang::caller_env(), offer = NULL) {
  check_encoded(.Call(c_encode_record, x, header, native_encoding(), mangoro_send_as, offer), call)
}

# A record of one row: each of `args`, a named list, is one value in it.
encode_row <- function(args, header = raw(), call = rlang::caller_env(), offer = NULL) {
  check_encoded(.Call(c_encode_row, args, header, native_encoding(), mangoro_send_as, offer), call)
}

# Named vectors as Arrow maps: a list of them, and one alone, which is sent as a single
# value.
as_maps <- function(x) structure(x, class = "mangoro_maps")

as_map <- function(x) structure(list(x), class = "mangoro_map")

# As encode_record(), of arguments that need nothing done to them: vectors of the
# signature's plain types, without attributes and of one length. NULL for others,
# and for what cannot be written.
encode_plain <- function(args, signature, header, offer = NULL) {
  message <- .Call(c_encode_plain, args, signature$plain, signature$args, header, native_encoding(), offer)
  if (!inherits(message, "mangoro_codec_failure")) message
}

# The same of a stream or array of nanoarrow.
encode_arrow <- function(x, header = raw(), call = rlang::caller_env()) {
  stream <- nanoarrow::as_nanoarrow_array_stream(x)
  check_encoded(.Call(c_encode_arrow, stream, header), call)
}

# The stream of `bytes`, as a data frame; as a list if R has written it from one,
# or if it has more rows than a data frame. `ahead` is what comes before the stream: a
# number of bytes, or the bytes themselves, and then NULL is returned if `bytes` begins
# with others. With `segments`, of the call, the result may be one by reference.
decode_record <- function(bytes, ahead = 0, call = rlang::caller_env(), segments = NULL) {
  check_decoded(.Call(c_decode_record, bytes, ahead, segments), call)
}

# A stream of one row, as the list that encode_row() took.
decode_row <- function(bytes, ahead = 0, call = rlang::caller_env(), segments = NULL) {
  check_decoded(.Call(c_decode_row, bytes, ahead, segments), call)
}

# The encoding of strings that are not marked, a value of C's mg_encoding.
native_encoding <- function() {
  l10n <- l10n_info()
  if (l10n[["UTF-8"]]) {
    2L
  } else if (l10n$MBCS || l10n[["Latin-1"]] || is_windows()) {
    1L
  } else {
    0L
  }
}

check_encoded <- function(value, call) {
  if (!inherits(value, "mangoro_codec_failure")) {
    return(value)
  }
  path <- if (nzchar(value$path)) value$path else "The data"
  abort_invalid_argument(
    sub("[$[].*", "", value$path),
    "{.code {path}} cannot be written as Arrow{at_row(value$row)}: {value$text}.",
    row = if (value$row > 0) value$row,
    call = call
  )
}

check_decoded <- function(value, call) {
  if (!inherits(value, "mangoro_codec_failure")) {
    return(value)
  }
  path <- if (nzchar(value$path)) paste0(", column `", value$path, "`")
  what <- if (value$row > 0) {
    "The reply has a value that R cannot hold"
  } else {
    "The bytes are not an Arrow stream that R can read"
  }
  abort_protocol(
    "{what}{path}{at_row(value$row)}: {value$text}.",
    row = if (value$row > 0) value$row,
    call = call
  )
}

at_row <- function(row) if (row > 0) paste0(", row ", format(row, scientific = FALSE))
