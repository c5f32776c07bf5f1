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
#' @param sock A handle, as [mangoro_start()] returns it, or a nanonext
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
#' * `mangoro_error_handler`: the function returned an error. If it is elementwise,
#'   the field `row` is the number of the row, from 1, and `value` a list of the
#'   arguments in it.
#' * `mangoro_error_panic`: the function panicked; the field `stack` has the Go
#'   stack, and `row` and `value` are as above. The server lives on.
#' * `mangoro_error_timeout`: no answer in time. The fields `given_up` and
#'   `running` say how many calls of which function go on after they were told to
#'   stop, and run, as named integers; `NULL` if the server does not say.
#' * `mangoro_error_cancelled`: the function returned Go's `context.Canceled`.
#' * `mangoro_error_connection`: no server listens, or it went away.
#' * `mangoro_error_protocol`: the answer is not a valid message.
#' * `mangoro_error_resource_exhausted`: the answer needs more memory than
#'   there is, or too many calls wait for their turn, or go on after they were
#'   told to stop, for the server to take another one.
#'
#' @examplesIf mangoro:::runs_examples()
#' # With a socket of nanonext, for a program that was started by other means.
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
#' @order 1
#' @export
mangoro_rpc_call <- function(sock, func_name, data = NULL, timeout = NULL) {
  check_string(func_name)
  rpc_call(sock, func_name, data, timeout, call = rlang::current_env())
}

rpc_call <- function(sock, func_name, data, timeout = NULL, call, read = read_stream) {
  connection <- connection_of(sock, call)
  timeout <- call_timeout(timeout, connection$server, call)
  line <- take_line(connection, call)
  on.exit(release_line(line, connection))
  message <- write_stream(data, envelope_header("call", func_name, call_metadata(timeout, line$id)), call)
  reply <- roundtrip(line, connection, message, func_name, timeout, call)
  read(reply, check_reply(reply, "result", func_name, connection$server, call)$start, call)
}

#' Send a message, receive a reply
#'
#' `mangoro_rpc_send()` and `mangoro_rpc_recv()` are the two halves of
#' [mangoro_rpc_call()], for programs that make and parse messages themselves. A
#' `mangoro_rpc_send()` while a reply is outstanding gives up that reply. A message is
#' sent once: a socket that was given to a function of mangoro never sends a request
#' again, as NNG would after a minute, or when a server comes back. If its server goes
#' away, `mangoro_rpc_recv()` raises an error at once.
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
#' server <- mangoro_start("cmd/rpc-example")
#' mangoro_rpc_send(server, mangoro_rpc_manifest_request())
#' mangoro_rpc_parse_response(mangoro_rpc_recv(server))$type
#' close(server)
#' @export
mangoro_rpc_send <- function(sock, msg, max_attempts = 20) {
  call <- rlang::current_env()
  connection <- connection_of(sock, call)
  check_raw(msg)
  check_count(max_attempts)
  usable(resend_never(connection$sock), call) # whatever a program has set
  line <- new_line()
  on.exit(release_line(line, connection))
  aio <- nanonext::send_aio(connection$sock, msg, mode = "raw")
  begin(line, connection, aio, length(msg), name = NULL, max_attempts, call)
  await(list(line))
  finish(line)
  invisible(0L)
}

#' @rdname mangoro_rpc_send
#' @export
mangoro_rpc_recv <- function(sock, max_attempts = NULL) {
  call <- rlang::current_env()
  connection <- connection_of(sock, call)
  if (!is.null(max_attempts)) check_count(max_attempts)
  timeout <- call_timeout(max_attempts, connection$server, call)
  line <- new_line()
  on.exit(release_line(line, connection))
  aio <- nanonext::recv_aio(connection$sock, mode = "raw", cv = line$signal)
  begin(line, connection, aio, sent = 0, name = NULL, timeout, call)
  await(list(line))
  finish(line)
}
