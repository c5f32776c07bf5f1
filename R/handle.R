# Handles: the objects that stand for servers, and the verbs that act on them.

#' Handles of Go programs
#'
#' @description
#' [mangoro_start()], [mangoro_connect()] and [mangoro_source()] return a handle; that of
#' [mangoro_serve()] has no functions, and its verbs tell of files, see there.
#' `handle$name` is only ever a Go function, with the names of its arguments, and
#' calling it is [mangoro_call()]. What acts on the handle itself is an R
#' function:
#'
#' * `mangoro_manifest()` asks the program for the description of its Go functions.
#' * `mangoro_status()` returns the state of the program, `mangoro_is_alive()` whether it
#'   can be called.
#' * `mangoro_logs()` returns what the program has printed: to standard error, where
#'   Go's `log` writes, or to standard output (`fmt.Println`) with `stream = "stdout"`.
#'   The last 1 MiB of each is kept, in memory, until the program is started again;
#'   what is older goes, by whole lines.
#' * `mangoro_restart()` starts the program again, built anew if its source has
#'   changed, with the working directory, environment and time zone that R has now. If it
#'   does not compile, the running one is left alone. Otherwise the handle and all its
#'   functions call the new process.
#' * `mangoro_stop()` and `close()` end the program. For a handle of
#'   [mangoro_connect()] they end the connection only.
#' * `names()` are the names of the Go functions, which the tab key completes;
#'   `as.list()` are the functions.
#'
#' Printing a handle shows its state and its functions. Printing a function, by typing
#' `handle$name`, shows its declaration and documentation in Go; `?handle$name` cannot,
#' since R looks for help on `$` there. `summary()` has those of all functions.
#'
#' @details
#' A program ends with its handle: when nothing refers to the handle or to one of
#' its functions any more, or when R ends, however it ends. A handle belongs to
#' the R process that made it: another session connects by itself with
#' [mangoro_connect()] to the URL that `mangoro_status()` tells. A fork, such as
#' those of `parallel::mclapply()`, cannot, since NNG does not work in one. A handle that
#' was saved and loaded again, as by a cached chunk of knitr, cannot be used: chunks that
#' make handles need `cache = FALSE`.
#'
#' @param h,con A handle. No default.
#' @param n How many lines, the last ones, a whole number of at least 1, or `Inf`
#'   for all that are kept. The default is 50.
#' @param stream `"stderr"`, the default, or `"stdout"`.
#' @param patience How long the program may take to end by itself, in seconds, one
#'   number above 0. After that it is killed. The default is 6; a server of
#'   `rgoipc.Main` gives calls that run 5 seconds.
#' @param ... Nothing.
#'
#' @returns `mangoro_manifest()` the list of [mangoro_rpc_get_manifest()].
#'   `mangoro_status()` a data frame of one row: `state` (`"running"`, `"ended"`
#'   by itself, `"stopped"`, or for a server of [mangoro_connect()] `"connected"` or
#'   `"lost"`), `pid` (`NA` if unknown), `exit_status` (`NA` unless it ended;
#'   negative is a signal) and `url`. `mangoro_is_alive()` is `TRUE` or `FALSE`.
#'   `summary()` a data frame with a row for each function: `name`, `call` (as in R),
#'   `go` (its declaration, `""` if unknown) and `doc` (`""` if there is none).
#'   `mangoro_logs()` a character vector of lines. `mangoro_restart()` the handle,
#'   invisibly. `mangoro_stop()` and `close()` `NULL`, invisibly.
#'
#' @section Errors:
#' `mangoro_error_not_found` for `handle$name` if there is no such function, with
#' those that there are. `mangoro_error_connection` from every call if the process
#' has ended, with the fields `status` and `stderr`, its last lines; of a Go program
#' that crashed, the first lines of the crash; also if it ends during the call.
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/rpc-example")
#' server
#' server$add
#' server$add(c(a = 1, b = NA), 2)
#' mangoro_status(server)
#' mangoro_stop(server)
#' @name handle
NULL

# An environment that has only `server`, see new_server(). What `$` finds in it are the Go
# functions, see handle_function().
new_handle <- function(server, class = NULL) {
  handle <- rlang::new_environment(list(server = server))
  class(handle) <- c(class, "mangoro_handle")
  lockEnvironment(handle, bindings = TRUE)
  handle
}

check_handle <- function(h, arg = rlang::caller_arg(h), call = rlang::caller_env()) {
  if (!inherits(h, "mangoro_handle")) {
    abort_invalid_argument(
      arg,
      c(
        "{.arg {arg}} must be a handle, not {.obj_type_friendly {h}}.",
        "i" = "{.fn mangoro_start}, {.fn mangoro_source}, {.fn mangoro_serve} and {.fn mangoro_connect} make handles."
      ),
      call = call
    )
  }
  server_of(h)
}

# --- Verbs ------------------------------------------------------------------

#' @rdname handle
#' @export
mangoro_manifest <- function(h) {
  server <- check_handle(h)
  call <- rlang::current_env()
  get_manifest(server_connection(server, call), NULL, call)
}

#' @rdname handle
#' @export
mangoro_status <- function(h) {
  server <- check_handle(h)
  if (!is.null(server$site)) return(site_status(server, rlang::current_env()))
  process <- server$process
  status <- if (!is.null(process)) process$get_exit_status()
  data.frame(
    state = server_state(server),
    pid = if (is.null(process)) NA_integer_ else process$get_pid(),
    exit_status = status %||% NA_integer_,
    url = server$url
  )
}

#' @rdname handle
#' @export
mangoro_is_alive <- function(h) {
  server_state(check_handle(h)) %in% c("running", "connected")
}

#' @rdname handle
#' @export
mangoro_logs <- function(h, n = 50, stream = c("stderr", "stdout")) {
  server <- check_handle(h)
  if (!identical(n, Inf)) check_count(n)
  if (missing(stream) && !is.null(server$site)) return(site_requests(server, n, rlang::current_env()))
  if (missing(stream)) stream <- "stderr"
  if (!rlang::is_string(stream, c("stderr", "stdout"))) {
    abort_invalid_argument(
      "stream", "{.arg stream} must be {.val stderr} or {.val stdout}, not {.obj_type_friendly {stream}}.",
      call = rlang::current_env()
    )
  }
  check_owner(server, rlang::current_env())
  log_lines(server, stream, n)
}

#' @rdname handle
#' @export
mangoro_restart <- function(h) {
  server <- check_handle(h)
  call <- rlang::current_env()
  check_owner(server, call)
  if (is.null(server$launch)) {
    close_socket(server)
    connect_server(server, call)
  } else {
    start_server(server, call)
  }
  invisible(h)
}

#' @rdname handle
#' @export
mangoro_stop <- function(h, patience = 6) {
  server <- check_handle(h)
  check_seconds(patience)
  check_owner(server, rlang::current_env())
  stop_server(server, patience)
  the$sites[[server$id]] <- NULL
  invisible()
}

#' @rdname handle
#' @export
close.mangoro_handle <- function(con, ...) mangoro_stop(con)

# --- Printing ----------------------------------------------------------

#' @export
format.mangoro_handle <- function(x, ...) {
  server <- server_of(x)
  process <- server$process
  state <- server_state(server)
  c(
    sprintf("<mangoro handle> %s", server$label),
    switch(state,
      running = sprintf("running, pid %d, at %s", process$get_pid(), server$url),
      ended = sprintf("ended: the process %s", describe_status(process$get_exit_status())),
      stopped = "stopped",
      connected = sprintf("connected to %s", server$url),
      lost = if (is_ours(server)) {
        sprintf("lost: no server listens at %s", server$url)
      } else {
        lost_text
      }
    ),
    vapply(known_signatures(server), function(signature) {
      shown <- paste0("  ", describe_function(make_function(server, signature)))
      if (nzchar(signature$go)) paste0(shown, "   ", signature$go) else shown
    }, "", USE.NAMES = FALSE)
  )
}

#' @rdname handle
#' @param object A handle.
#' @export
summary.mangoro_handle <- function(object, ...) {
  signatures <- unname(known_signatures(server_of(object)))
  part <- function(name) vapply(signatures, `[[`, "", name)
  structure(
    data.frame(
      name = part("name"),
      call = vapply(signatures, function(s) describe_function(make_function(server_of(object), s)), ""),
      go = part("go"),
      doc = trimws(part("doc"))
    ),
    class = c("summary.mangoro_handle", "data.frame")
  )
}

#' @export
print.summary.mangoro_handle <- function(x, ...) {
  for (i in seq_len(nrow(x))) {
    cat(c(if (i > 1) "", x$call[[i]], if (nzchar(x$go[[i]])) x$go[[i]]), sep = "\n")
    if (nzchar(x$doc[[i]])) cat(paste0("  ", strsplit(x$doc[[i]], "\n")[[1]]), sep = "\n")
  }
  invisible(x)
}

#' @export
print.mangoro_handle <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}

#' @importFrom utils str
#' @export
str.mangoro_handle <- function(object, ...) {
  cat(sprintf(" <mangoro handle> %s: %s\n", server_of(object)$label, paste0(names(object), "()", collapse = ", ")))
}
