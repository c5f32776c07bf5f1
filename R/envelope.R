# The envelope that every request and reply travels in, all lengths big-endian:
# [type:1][name_len:4][name][error_len:4][error][payload]. Go: rgoipc.RPCMessage.

message_types <- c(
  manifest = 0L, call = 1L, result = 2L, error = 3L, cancel = 4L,
  # Only with a server that shares memory: the lane is attached, calls and results whose values
  # lie in segments, and calls whose arguments go through the ring.
  attach = 5L, refer_call = 6L, refer_result = 7L, ring_call = 8L,
  # Only of calls that live, see R/exchange.R: how R goes on with one, and what Go may say
  # before it ends. And what lets objects go.
  continue = 9L, event = 10L, question = 11L, part = 12L, refer_part = 13L, release = 14L
)

#' Bytes of a 32-bit integer
#'
#' The lengths in mangoro's message envelope are 32-bit integers in big-endian
#' byte order. These functions convert between them and R's integers.
#'
#' @param x Integer vector of any length, or whole doubles within the range of
#'   an integer. No `NA`; `NULL` is not accepted.
#' @param bytes Raw vector whose length is a multiple of 4. No default.
#'
#' @returns `mangoro_pack_int32()` a raw vector of 4 bytes for each element of
#'   `x`; `mangoro_unpack_int32()` an integer vector with an element for each 4
#'   bytes (`NA` for the bytes `80 00 00 00`, as R has no such integer).
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` if the argument is anything else.
#'
#' @examples
#' mangoro_pack_int32(258L)
#' mangoro_unpack_int32(as.raw(c(0, 0, 1, 2)))
#' @export
mangoro_pack_int32 <- function(x) {
  if (!rlang::is_integerish(x, finite = TRUE) || any(abs(x) > .Machine$integer.max)) {
    abort_invalid_argument(
      "x",
      "{.arg x} must be 32-bit whole numbers without {.code NA}, not {.obj_type_friendly {x}}.",
      call = rlang::current_env()
    )
  }
  writeBin(as.integer(x), raw(), size = 4, endian = "big")
}

#' @rdname mangoro_pack_int32
#' @export
mangoro_unpack_int32 <- function(bytes) {
  check_raw(bytes)
  if (length(bytes) %% 4 != 0) {
    abort_invalid_argument(
      "bytes",
      "{.arg bytes} must have 4 bytes for each integer, not {length(bytes)} in all.",
      call = rlang::current_env()
    )
  }
  readBin(bytes, "integer", n = length(bytes) / 4, size = 4, endian = "big")
}

#' Messages to and from a Go server
#'
#' @description
#' The parts of [mangoro_rpc_call()], for programs that send and receive messages
#' themselves:
#'
#' * `mangoro_rpc_manifest_request()` is the request for the list of functions.
#' * `mangoro_rpc_call_message()` is the call of a function.
#' * `mangoro_rpc_parse_response()` parses a reply.
#'
#' A message is `[type:1][name_len:4][name][error_len:4][error][payload]`, all
#' lengths big-endian. The types are 0 (manifest), 1 (call), 2 (result),
#' 3 (error) and 4 (cancel). The payload of calls and results is an Arrow IPC
#' stream, that of a manifest JSON. [mangoro_rpc_call()] shares memory with some
#' servers, by messages of the types 5 to 8: a server sends none in reply to the
#' messages that are made here.
#'
#' @param func_name The function to call, one string. No default.
#' @param data The arguments, as [mangoro_rpc_call()] takes them.
#' @param response A reply, a raw vector as [mangoro_rpc_recv()] returns it. No
#'   default.
#'
#' @returns `mangoro_rpc_manifest_request()` and `mangoro_rpc_call_message()` a
#'   raw vector. `mangoro_rpc_parse_response()` a list of `type` (an integer
#'   from 0 to 14), `func_name` and `error_msg` (strings, empty where there is
#'   none) and `data` (the payload, a raw vector). Bytes of `error_msg` that a string in R
#'   cannot hold are replaced: a zero byte by `\x00`, bytes that are not UTF-8 by
#'   U+FFFD. The payload is as it came and has not been verified:
#'   [mangoro_rpc_call()] gives nanoarrow only what has been.
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` for arguments of another kind, or data that
#' Arrow cannot represent; `mangoro_error_protocol` for bytes that are not a reply.
#'
#' @examples
#' mangoro_rpc_manifest_request()
#'
#' msg <- mangoro_rpc_call_message("add", data.frame(x = 1, y = 2))
#' str(mangoro_rpc_parse_response(msg))
#' @name mangoro_rpc_message
NULL

#' @rdname mangoro_rpc_message
#' @export
mangoro_rpc_manifest_request <- function() {
  envelope_header("manifest")
}

#' @rdname mangoro_rpc_message
#' @export
mangoro_rpc_call_message <- function(func_name, data = NULL) {
  check_string(func_name)
  write_stream(data, header = envelope_header("call", func_name), call = rlang::current_env())
}

#' @rdname mangoro_rpc_message
#' @export
mangoro_rpc_parse_response <- function(response) {
  check_raw(response)
  message <- parse_envelope(response, call = rlang::current_env())
  list(
    type = message$type,
    func_name = message$func_name,
    error_msg = message$error_msg,
    data = payload(response, message)
  )
}

# All of a message but its payload. `metadata` is the JSON of a request.
envelope_header <- function(type, func_name = "", metadata = "") {
  name <- charToRaw(enc2utf8(func_name))
  error <- charToRaw(metadata)
  c(
    as.raw(message_types[[type]]),
    mangoro_pack_int32(length(name)), name,
    mangoro_pack_int32(length(error)), error
  )
}

# What a server is told about a call: its name, how long it is waited for, whether it lives,
# and the id of the object whose method it calls.
call_metadata <- function(timeout, id, lives = FALSE, object = NULL) {
  limit <- if (is.finite(timeout)) sprintf(",\"timeout_ms\":%.0f", max(1, 1000 * timeout)) else ""
  method <- if (!is.null(object)) sprintf(",\"object\":\"%s\"", object) else ""
  sprintf("{\"call_id\":\"%s\"%s%s%s}", id, limit, if (lives) ",\"lives\":1" else "", method)
}

# Whether a reply to a call that lives does not end it: R has the word.
is_talk <- function(reply) is.raw(reply) && length(reply) > 0 && reply[[1]] >= 10L && reply[[1]] <= 13L

# Tells a server to end the call of this name. The reply is a result without payload,
# whose metadata says what the server is busy with, see parse_load().
cancel_message <- function(id) envelope_header("cancel", metadata = sprintf("{\"call_id\":\"%s\"}", id))

# The fields of a message, and the number of bytes before its payload, `start`.
parse_envelope <- function(bytes, call) {
  name <- envelope_field(bytes, at = 1, field = "name", call = call)
  error <- envelope_field(bytes, at = name$end, field = "error", call = call)
  type <- as.integer(bytes[[1]])
  if (!type %in% message_types) {
    abort_protocol("The reply is of type {type}, which mangoro does not know.", call = call)
  }
  list(
    type = type,
    func_name = name$value,
    error_msg = error$value,
    start = error$end
  )
}

payload <- function(bytes, message) {
  if (message$start < length(bytes)) bytes[seq.int(message$start + 1, length(bytes))] else raw()
}

read_length <- function(bytes) {
  n <- readBin(bytes, "integer", endian = "big")
  if (is.na(n)) 2^31 else if (n < 0) n + 2^32 else n
}

# The field whose length stands behind the first `at` bytes. Lengths are
# doubles here: 32 bits hold more than an integer does.
envelope_field <- function(bytes, at, field, call) {
  if (length(bytes) < at + 4) {
    abort_protocol(
      "The reply is not a message: it has {length(bytes)} byte{?s} and ends before its field {.val {field}}.",
      call = call
    )
  }
  size <- read_length(bytes[at + 1:4])
  end <- at + 4 + size
  if (size == 0) {
    return(list(value = "", end = end))
  }
  if (end > length(bytes)) {
    lengths <- format(c(size, length(bytes) - at - 4), big.mark = ",", trim = TRUE)
    abort_protocol(
      "The reply is not a message: the length of its field {.val {field}} is {lengths[[1]]} bytes,
       more than the {lengths[[2]]} that are left.",
      call = call
    )
  }
  text <- bytes[at + 4 + seq_len(size)]
  value <- readable(text)
  # The message of an error is shown, whatever its bytes are.
  if (field != "error" && !identical(charToRaw(value), text)) {
    abort_protocol("The reply is not a message: its field {.val {field}} is not UTF-8 text.", call = call)
  }
  list(value = value, end = end)
}
