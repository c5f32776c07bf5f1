#' Call a function of a Go server
#'
#' @description
#' `mangoro_rpc_call()` calls a function of a running Go server with a data
#' frame of arguments and waits for its result.
#'
#' `mangoro_rpc_get_manifest()` asks the server which functions it has, and
#' with which arguments and results.
#'
#' Both may be called as soon as the server's process is started: a server that
#' does not listen yet is waited for. A call can be interrupted (Ctrl-C): the
#' server is told, which ends the context of the Go function, and the socket works
#' for the next call. A call is sent once: a server that dies is an error, not a
#' reason to send it again.
#'
#' @param sock A handle of [mangoro_start()] or one of its kin, or a nanonext
#'   socket of protocol `"req"` that dials the server:
#'   `nanonext::socket("req", dial = url)`. No default.
#' @param func_name The function to call, one string. No default.
#' @param data The arguments: a data frame with a column for each, or anything
#'   else with an [nanoarrow::as_nanoarrow_array_stream()] method that gives
#'   records. Columns may hold `NA`. A column may be a logical, integer, double,
#'   character, complex or raw vector, a factor (an Arrow dictionary), a `Date`,
#'   `POSIXct`, `difftime`, `hms`, `integer64` or `blob`, a list of vectors of
#'   one type, a matrix, or a data frame (an Arrow struct), and any vector of
#'   another class, as what it is made of. Their classes and attributes travel as
#'   metadata of the field; what cannot travel is an error. A data frame may be of any
#'   class, see `vignette("types")` and [mangoro_send_as()]. `NULL`, the default, is a
#'   record without columns.
#' @param timeout The longest time to wait for the answer in seconds, one
#'   number above 0; `Inf` waits for ever. `NULL`, the default, is the time that
#'   the handle was made with, or else the option `mangoro.timeout`, or 60.
#'
#' @returns `mangoro_rpc_call()` a nanoarrow array stream of the result (see
#'   [nanoarrow::as_nanoarrow_array_stream()]); [as.data.frame()] makes it a data frame.
#'   `mangoro_rpc_get_manifest()` a list with an element for each function, of
#'   `Args` (a data frame), `ReturnType`, `Vectorized` and `Metadata`.
#'
#' @section Errors:
#' All have the class `mangoro_error` and one of:
#'
#' * `mangoro_error_not_found`: the server has no such function.
#' * `mangoro_error_invalid_argument`: `data` has other columns or types than
#'   the function takes, or cannot be written as Arrow.
#' * `mangoro_error_handler`: the function returned an error. Of an elementwise
#'   function the field `row` is where, from 1, and `value` a list of the
#'   arguments there.
#' * `mangoro_error_panic`: the function panicked; the field `stack` has the Go
#'   stack, and `row` and `value` are as above. The server lives on.
#' * `mangoro_error_timeout`: no answer in time. The fields `given_up` and
#'   `running` say how many calls of which function go on after they were told to
#'   stop, and run, as named integers; `NULL` if the server does not say.
#' * `mangoro_error_connection`: nobody listens, or the server went away.
#' * `mangoro_error_protocol`: the answer is no valid message.
#' * `mangoro_error_resource_exhausted`: the answer needs more memory than
#'   there is, or too many calls wait for their turn, or go on after they were
#'   told to stop, for the server to take another one.
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- file.path(system.file("go", package = "mangoro"), "cmd", "rpc-example", "main.go")
#' bin <- mangoro_go_build(server, tempfile())
#' url <- create_ipc_path()
#' proc <- processx::process$new(bin, args = url)
#' sock <- nanonext::socket("req", dial = url)
#'
#' names(mangoro_rpc_get_manifest(sock))
#' as.data.frame(mangoro_rpc_call(sock, "add", data.frame(x = c(1, NA), y = c(2, 3))))
#'
#' close(sock)
#' proc$kill()
#' @export
mangoro_rpc_call <- function(sock, func_name, data = NULL, timeout = NULL) {
  check_string(func_name)
  rpc_call(sock, func_name, data, timeout, call = rlang::current_env())
}

rpc_call <- function(sock, func_name, data, timeout = NULL, call, read = read_stream) {
  connection <- connection_of(sock, call)
  timeout <- call_timeout(timeout, connection$server, call)
  header <- envelope_header("call", func_name, call_metadata(timeout, free_line(connection, call)$id))
  message <- write_stream(data, header, call)
  reply <- roundtrip(connection, message, what = paste0("`", func_name, "()`"), timeout, call)
  read(reply, check_reply(reply, "result", func_name, connection$server, call)$start, call)
}

#' @rdname mangoro_rpc_call
#' @export
mangoro_rpc_get_manifest <- function(sock, timeout = NULL) {
  call <- rlang::current_env()
  get_manifest(connection_of(sock, call), timeout, call)
}

get_manifest <- function(connection, timeout, call) {
  json <- fetch_manifest(connection, call_timeout(timeout, connection$server, call), call)
  manifest <- rlang::try_fetch(
    parse_json(json),
    error = function(cnd) {
      abort_protocol("The manifest of the server is no JSON.", call = call, parent = cnd)
    }
  )
  if (!is_object(manifest)) {
    abort_protocol("The manifest of the server is no JSON object.", call = call)
  }
  manifest
}

# The manifest as JSON. What the server has left out of it is kept for the connection.
fetch_manifest <- function(connection, timeout, call) {
  reply <- roundtrip(connection, mangoro_rpc_manifest_request(), what = "The server", timeout, call)
  message <- check_reply(reply, "manifest", "", connection$server, call)
  connection$state$left_out <- parse_left_out(message$error_msg)
  json <- payload(reply, message)
  if (any(json == 0)) abort_protocol("The manifest of the server is no JSON.", call = call)
  readable(json)
}

# The functions that R cannot call, from the metadata of a manifest: a data frame of
# name, reason, file and line, the last two "" and NA where they are not known. What has
# another form is not there: a peer need not send any.
parse_left_out <- function(metadata) {
  functions <- tryCatch(as.list(jsonlite::parse_json(metadata)$left_out), error = function(cnd) NULL)
  functions <- Filter(function(f) is.list(f) && rlang::is_string(f$name) && rlang::is_string(f$reason), functions)
  part <- function(name) vapply(functions, function(f) if (rlang::is_string(f[[name]])) f[[name]] else "", "")
  line <- function(f) if (rlang::is_scalar_integerish(f$line, finite = TRUE)) as.integer(f$line) else NA_integer_
  data.frame(name = part("name"), reason = part("reason"), file = part("file"), line = vapply(functions, line, 1L))
}

#' Send a message, receive a reply
#'
#' `mangoro_rpc_send()` and `mangoro_rpc_recv()` are the two halves of
#' [mangoro_rpc_call()] for messages that a program makes and takes apart by
#' itself. A `mangoro_rpc_send()` while a reply is outstanding gives that reply
#' up. What is sent is sent once: a socket that was given to a function of mangoro
#' never sends a request again, as NNG would after a minute, or when a server comes
#' back. If its server goes away, `mangoro_rpc_recv()` raises an error at once.
#'
#' @param sock A nanonext socket of protocol `"req"`, or a handle. No default.
#' @param msg The message, a raw vector. No default.
#' @param max_attempts For how many seconds to try, one whole number of at
#'   least 1. The default is 20 to send; `NULL`, the default to receive, is the
#'   time-out of [mangoro_rpc_call()].
#'
#' @returns `mangoro_rpc_send()` 0, invisibly; `mangoro_rpc_recv()` the reply as
#'   a raw vector.
#'
#' @section Errors:
#' `mangoro_error_timeout`, `mangoro_error_connection` and
#' `mangoro_error_invalid_argument`, as for [mangoro_rpc_call()].
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- file.path(system.file("go", package = "mangoro"), "cmd", "rpc-example", "main.go")
#' bin <- mangoro_go_build(server, tempfile())
#' url <- create_ipc_path()
#' proc <- processx::process$new(bin, args = url)
#' sock <- nanonext::socket("req", dial = url)
#'
#' mangoro_rpc_send(sock, mangoro_rpc_manifest_request())
#' mangoro_rpc_parse_response(mangoro_rpc_recv(sock))$type
#'
#' close(sock)
#' proc$kill()
#' @export
mangoro_rpc_send <- function(sock, msg, max_attempts = 20) {
  call <- rlang::current_env()
  connection <- connection_of(sock, call)
  check_raw(msg)
  check_count(max_attempts)
  usable(resend_never(connection$sock), call) # whatever a program has set
  aio <- nanonext::send_aio(connection$sock, msg, mode = "raw")
  on.exit(nanonext::stop_aio(aio))
  if (!wait_for(aio, cv(), connection, max_attempts, call)) abort_timeout("The server", max_attempts, call)
  on.exit()
  check_result(aio$result, length(msg), connection$server, call)
  invisible(0L)
}

#' @rdname mangoro_rpc_send
#' @export
mangoro_rpc_recv <- function(sock, max_attempts = NULL) {
  call <- rlang::current_env()
  connection <- connection_of(sock, call)
  if (!is.null(max_attempts)) check_count(max_attempts)
  timeout <- call_timeout(max_attempts, connection$server, call)
  signal <- cv()
  aio <- nanonext::recv_aio(connection$sock, mode = "raw", cv = signal)
  on.exit(nanonext::stop_aio(aio))
  if (!wait_for(aio, signal, connection, timeout, call)) abort_timeout("The server", timeout, call)
  on.exit()
  check_result(aio$data, 0, connection$server, call)
}
