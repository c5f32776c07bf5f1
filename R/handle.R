# Handles: what stands for a running Go program in R.

#' Handles of Go programs
#'
#' @description
#' [mangoro_start()], [mangoro_connect()] and [mangoro_source()] return a handle.
#' `handle$name` is only ever a Go function, with the names of its arguments, and
#' calling it is [mangoro_call()]. What acts on the handle itself is an R
#' function:
#'
#' * `mangoro_manifest()` asks for the description of the Go functions.
#' * `mangoro_status()` tells how the program is; `mangoro_is_alive()` whether it can be
#'   called.
#' * `mangoro_logs()` returns what the program has printed: to standard error, where
#'   Go's `log` writes, or to standard output (`fmt.Println`) with `stream = "stdout"`.
#'   The last 1 MiB of each is kept, in memory, until the program is started again;
#'   what is older goes, by whole lines.
#' * `mangoro_restart()` starts the program again, built anew if its source has
#'   changed. If that does not compile, the running one is left alone. The
#'   handle and all its functions then go to the new process.
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
#' those of `parallel::mclapply()`, cannot, since NNG does not work in one. One that is
#' saved and loaded again, as by a cached chunk of knitr, is of no use: chunks that make
#' handles need `cache = FALSE`.
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
#'   by itself, `"stopped"`, or for a server of somebody else `"connected"` or
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

new_handle <- function(server) {
  handle <- rlang::new_environment(list(server = server))
  class(handle) <- "mangoro_handle"
  lockEnvironment(handle, bindings = TRUE)
  handle
}

check_handle <- function(h, arg = rlang::caller_arg(h), call = rlang::caller_env()) {
  if (!inherits(h, "mangoro_handle")) {
    abort_invalid_argument(
      arg,
      c(
        "{.arg {arg}} must be a handle, not {.obj_type_friendly {h}}.",
        "i" = "{.fn mangoro_start} and {.fn mangoro_connect} make handles."
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
  process <- server$process
  status <- if (!is.null(process)) process$get_exit_status()
  data.frame(
    state = server_state(server),
    pid = if (is.null(process)) NA_integer_ else process$get_pid(),
    exit_status = status %||% NA_integer_,
    url = server$url
  )
}

server_state <- function(server) {
  if (!is_ours(server)) {
    "lost"
  } else if (is.null(server$connection)) {
    "stopped"
  } else if (!is.null(server$process)) {
    if (server$process$is_alive()) "running" else "ended"
  } else if (is_connected(server$connection$sock)) {
    "connected"
  } else {
    "lost"
  }
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
}

#' @rdname handle
#' @export
close.mangoro_handle <- function(con, ...) mangoro_stop(con)

# --- From a recipe to a server that answers ---------------------------------

# Builds first: what does not compile leaves the running process alone.
start_server <- function(server, call) {
  check_no_fork(call)
  dir <- new_server_dir()
  ready <- FALSE
  on.exit(if (!ready) unlink(dir, recursive = TRUE))
  retry_when_cleaned(function() {
    program <- server$launch(dir, call)
    stop_server(server)
    start_process(server, program, dir, call)
  })
  on.exit(if (!ready) end_server(server), add = TRUE, after = FALSE)
  open_socket(server, call)
  await_server(server, call)
  ready <- TRUE
  if (!is.null(server$recipe)) tell_left_out(server)
}

connect_server <- function(server, call) {
  check_no_fork(call)
  open_socket(server, call)
  ready <- FALSE
  on.exit(if (!ready) close_socket(server))
  fetch_signatures(server$connection, min(call_timeout(NULL, server, call), connect_timeout()), call)
  server$functions <- list()
  ready <- TRUE
}

# The first answer tells that the server is there.
await_server <- function(server, call) {
  server$functions <- list()
  patience <- connect_timeout()
  started <- seconds()
  rlang::try_fetch(
    fetch_signatures(server$connection, patience, call),
    mangoro_error = function(cnd) {
      end <- server_end(server)
      if (!is.null(end)) {
        abort_start(server$label, paste(describe_status(end$status), "and served nobody."), end, call = call)
      }
      end <- list(stderr = last_words(server))
      if (seconds() - started >= patience) {
        abort_start(
          server$label, "has not answered at the URL that it was given within {patience} second{?s}.", end,
          call = call
        )
      }
      abort_start(server$label, "does not answer as a server does.", end, parent = cnd, call = call)
    }
  )
}

stop_server <- function(server, patience = 6) {
  close_socket(server)
  stop_process(server, patience)
  remove_traces(server)
  server$functions <- list()
  invisible()
}

# A program that was generated says each time that it starts what is left out of it:
# what the generator knows, with its place, and what rgoipc refuses.
tell_left_out <- function(server) {
  lines <- log_lines(server, "stderr", Inf)
  said <- sub("^[0-9/]+ [0-9:]+ left out: ", "", lines)
  said <- said[said != lines]
  if (length(said) == 0) {
    return(invisible())
  }
  said <- sub("^rgoipc: function \"(.*?)\": ", "\\1: ", said, perl = TRUE)
  placed <- regmatches(said, regexec("^(\\S+ at )(.*?):([0-9]+)(: .*)$", said, perl = TRUE))
  at <- which(lengths(placed) > 0)
  part <- function(i) vapply(placed[at], `[[`, "", i)
  rows <- data.frame(file = server$recipe$shown(system_path(part(3))), line = as.integer(part(4)))
  if (!is.null(server$recipe$location)) rows <- relocate(rows, server$recipe$location)
  said[at] <- paste0(part(2), format_location(rows$file, rows$line), part(5))
  cli::cli_inform(c("Left out:", rlang::set_names(escape_braces(said), rep("*", length(said)))))
}

# --- The functions ----------------------------------------------------------

#' @export
`$.mangoro_handle` <- function(x, name) handle_function(server_of(x), name, rlang::current_env())

#' @export
`[[.mangoro_handle` <- function(x, i, ...) {
  check_string(i)
  handle_function(server_of(x), i, rlang::current_env())
}

#' @export
names.mangoro_handle <- function(x) names(known_signatures(server_of(x)))

#' @export
length.mangoro_handle <- function(x) length(names(x))

#' @export
as.list.mangoro_handle <- function(x, ...) {
  lapply(rlang::set_names(names(x)), function(name) x[[name]])
}

#' @exportS3Method utils::.DollarNames
.DollarNames.mangoro_handle <- function(x, pattern = "") {
  grep(pattern, names(x), value = TRUE)
}

# Those that the manifest had when it was last asked for.
known_signatures <- function(server) server$connection$state$signatures %||% list()

handle_function <- function(server, name, call) {
  if (is.null(server$functions[[name]])) {
    connection <- server_connection(server, call)
    signature <- find_signature(connection, name, call_timeout(NULL, server, call), call)
    server$functions[[name]] <- make_function(server, signature)
  }
  server$functions[[name]]
}

# An R function with the arguments of the Go function. One that takes any
# columns has `...`. What is called is in its body: it needs no environment.
make_function <- function(server, signature) {
  name <- signature$name
  run <- function(args, frame = parent.frame()) {
    call_function(server_connection(server, frame), name, args, NULL, frame)
  }
  args <- rlang::syms(rlang::set_names(symbol_names(signature$args)))
  required <- args[!signature$optional]
  if (length(args) == 0 && !signature$boxed) {
    formals <- rlang::pairlist2(... = )
    body <- rlang::call2(run, quote(list(...)))
  } else {
    formals <- function_formals(signature)
    body <- rlang::call2(run, rlang::call2(list, !!!args))
    if (length(required) > 0) {
      partly <- function(frame = parent.frame()) run(given_arguments(signature, frame), frame)
      missing <- Reduce(function(a, b) call("||", a, b), lapply(unname(required), function(arg) call("missing", arg)))
      body <- call("if", missing, rlang::call2(partly), body)
    }
  }
  structure(
    rlang::new_function(formals, body, env = baseenv()),
    class = c("mangoro_function", "function"), signature = signature
  )
}

# What was given to a call that lacks an argument, to be told what it lacks.
given_arguments <- function(signature, frame) {
  given <- mget(symbol_names(signature$args), envir = frame)
  given[!vapply(given, rlang::is_missing, TRUE)]
}

function_formals <- function(signature) {
  formals <- rep(list(rlang::missing_arg()), length(signature$args))
  formals[signature$optional] <- signature$defaults[signature$optional]
  as.pairlist(rlang::set_names(formals, symbol_names(signature$args)))
}

# --- How they look ----------------------------------------------------------

#' @export
format.mangoro_function <- function(x, ...) {
  signature <- attr(x, "signature")
  c(
    paste("<Go function>", describe_function(x)),
    if (nzchar(signature$go)) strsplit(signature$go, "\n")[[1]],
    if (nzchar(signature$doc)) c("", strsplit(trimws(signature$doc), "\n")[[1]])
  )
}

#' @export
print.mangoro_function <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}

#' @export
str.mangoro_function <- function(object, ...) cat("", format(object)[[1]], "\n")

# "scaled(x, by = 10)"
describe_function <- function(fn) {
  formals <- formals(fn)
  defaults <- vapply(formals, function(value) {
    if (rlang::is_missing(value)) "" else paste(" =", paste(deparse(value), collapse = " "))
  }, "")
  sprintf("%s(%s)", attr(fn, "signature")$name, paste0(names(formals), defaults, collapse = ", "))
}

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
        sprintf("lost: nobody listens at %s", server$url)
      } else {
        "lost: it belongs to another R process, or was saved and loaded again"
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
