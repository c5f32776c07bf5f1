# Tasks: calls that run in the background. A task keeps the line of its call (`kept`), which
# is always one over the socket: a call may take long, and the lane has room for one.
#
#   start_task()  sends the call
#   advance()     does what has come since: events, questions, the result
#   end_task()    gives the call up
#
# Nothing advances a task but R code: what asks for it, and the event loop of package later.

#' Call a Go function in the background
#'
#' @description
#' `mangoro_async()` calls a Go function and returns at once, with a task that stands for the
#' call. R goes on meanwhile, and may have hundreds of tasks at the same time.
#'
#' * `mangoro_value()` waits for the result and returns it, or raises what the call would
#'   have raised, each time that it is asked.
#' * `mangoro_is_done()` is whether the call has ended, in whatever way. It does not wait.
#' * `mangoro_cancel()` ends the call: the context of the Go function is done. After that
#'   `mangoro_value()` raises `mangoro_error_cancelled`.
#'
#' @param .fn A Go function of a handle, as `handle$name`. No default.
#' @param ... Its arguments, by position or by their full names, as in [mangoro_call()]. They
#'   are checked before anything is sent.
#' @param .progress What to do with the progress that the function tells: `TRUE` or `FALSE`, whether
#'   to show a progress bar, or a function of `done`, `total` (`NA` if it is not known) and `label`, which
#'   is called with it at most ten times a second. `NULL`, the default, leaves it to the
#'   option `mangoro.progress`, which is whether R is interactive.
#' @param .timeout How long the call may take in seconds, one number above 0. The default,
#'   `Inf`, is as long as it takes.
#' @param task A task. No default.
#' @param timeout How long to wait for the result in seconds, one number above 0. After that
#'   `mangoro_error_timeout` is raised, and the call goes on. `NULL`, the default, waits for as
#'   long as it takes.
#'
#' @details
#' A task that nobody refers to any more is cancelled when R collects it. An interrupt of
#' `mangoro_value()` ends the wait only.
#'
#' Warnings, progress and output of a task appear when R looks at it: in
#' `mangoro_is_done()` and `mangoro_value()`, when it is printed, and, if package later is
#' loaded, whenever its event loop runs.
#'
#' A task is a promise for package promises: `promises::then(task, ...)`, and a function that
#' returns one is what `shiny::ExtendedTask` takes. Nothing polls: the reply of the Go program
#' is the event. A task that was made a promise is kept until it is settled.
#'
#' The Go program runs as many calls at the same time as it was told (64 by default), and
#' up to 1024 more wait for their turn.
#'
#' @returns `mangoro_async()` a task. `mangoro_value()` the result as in a plain call.
#'   `mangoro_is_done()` `TRUE` or `FALSE`. `mangoro_cancel()` whether the call was still
#'   running, invisibly.
#'
#' @section Errors:
#' `mangoro_async()` raises those of [mangoro_call()] about arguments, `mangoro_value()` all
#' others: `mangoro_error_timeout` if `.timeout` is over, or `timeout`, after which the call goes on;
#' `mangoro_error_cancelled` after `mangoro_cancel()`; `mangoro_error_connection` if the program
#' was stopped, started again or has ended. Their call is that of the Go function, as if it had
#' been called directly. A task of another R session, or one that was saved and loaded, is a
#' `mangoro_error_connection` as well, and what is no task a `mangoro_error_invalid_argument`.
#'
#' @seealso [mangoro_map()] for a call for each element.
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/types-example")
#' task <- mangoro_async(server$summarize, c(1, 2, 4))
#' task
#' mangoro_value(task)
#' mangoro_is_done(task)
#' close(server)
#' @export
mangoro_async <- function(.fn, ..., .progress = NULL, .timeout = Inf) {
  matched <- match.call(expand.dots = FALSE)
  call <- rlang::current_env()
  check_function(.fn, call)
  check_progress(.progress)
  check_seconds(.timeout, ".timeout", call)
  start_task(.fn, list(...), .timeout, called_as(.fn, matched$.fn, matched$...), .progress)
}

#' @rdname mangoro_async
#' @export
mangoro_is_done <- function(task) {
  check_task(task)
  advance(task)
  task$state != "running"
}

#' @rdname mangoro_async
#' @export
mangoro_value <- function(task, timeout = NULL) {
  check_task(task)
  if (!is.null(timeout)) check_seconds(timeout)
  end <- if (is.null(timeout)) Inf else mclock() + 1000 * timeout
  while (task$state == "running") {
    if (is.null(task$line$aio)) abort_own_value(task$signature$name, rlang::current_env())
    await(list(task$line), end)
    advance(task)
    if (task$state == "running" && mclock() >= end) abort_waited(task$signature$name, timeout, task$call)
  }
  if (task$state != "done") raise(task$condition)
  if (task$signature$returns) task$value else invisible(task$value)
}

#' @rdname mangoro_async
#' @export
mangoro_cancel <- function(task) {
  check_task(task)
  advance(task)
  running <- task$state == "running"
  if (running) cancel_task(task)
  invisible(running)
}

check_function <- function(fn, call) {
  check_given(fn, ".fn", call)
  if (!inherits(fn, "mangoro_function")) {
    abort_invalid_argument(
      ".fn",
      c(
        "{.arg .fn} must be a Go function, not {.obj_type_friendly {fn}}.",
        "i" = "The functions of a handle are {.code handle$name}."
      ),
      call = call
    )
  }
}

check_task <- function(task, call = rlang::caller_env()) {
  check_given(task, call = call)
  if (!inherits(task, "mangoro_task")) {
    abort_invalid_argument(
      "task", "{.arg task} must be a task of {.fn mangoro_async}, not {.obj_type_friendly {task}}.",
      call = call
    )
  }
  if (!is_own(task)) {
    abort_connection(
      c(
        "The task belongs to another R process, or was saved and loaded again.",
        "i" = "A task ends with its session: start another one with {.fn mangoro_async}."
      ),
      call = call
    )
  }
}

# The call of the Go function itself, of which conditions tell: go$Fit(x) for
# mangoro_async(go$Fit, x). It is no frame, since that would keep what is in it.
called_as <- function(fn, expr, args) {
  if (!is.symbol(expr) && !is.call(expr)) expr <- as.name(attr(fn, "signature")$name)
  as.call(c(list(expr), args))
}

# --- A task -----------------------------------------------------------------

#   session     the R session that it belongs to
#   line        that of the call, while it runs
#   connection, signature, call
#               as in call_function()
#   layout      what result_value() needs of the message of the call
#   state       "running", "done", "failed" or "cancelled"
#   value       the result, if it is done
#   condition   what mangoro_value() raises, if it is failed or cancelled
#   objects     the objects of Go that the call uses, while it runs
#   settle      a function to call when it has ended, see as.promise(); NULL for none
new_task <- function(line, connection, signature, layout, call) {
  task <- rlang::new_environment(list(
    session = session, line = line, connection = connection, signature = signature, layout = layout, call = call,
    state = "running", value = NULL, condition = NULL, settle = NULL, objects = NULL
  ))
  class(task) <- "mangoro_task"
  task
}

start_task <- function(fn, args, timeout, call, shows = NULL) {
  check_options(call)
  connection <- function_connection(fn, call)
  signature <- attr(fn, "signature")
  if (is.null(signature$receiver)) {
    signature <- find_signature(connection, signature$name, call_timeout(NULL, connection$server, call), call)
  }
  lane <- attach_lane(connection, call)
  flush_releases(connection)
  line <- take_line(connection, call)
  task <- NULL
  on.exit(if (is.null(task)) {
    end_segments(line, given_up = TRUE)
    release_line(line, connection)
  })
  if (signature$lives) {
    line$targets <- new_targets()
    line$shows <- shows
  }
  header <- call_header(signature, timeout, line$id)
  message <- call_message(signature, args, header, call, new_offer(signature, lane), line$targets)
  line$segments <- message$segments
  begin(
    line, connection, request(line$ctx, message$bytes, send_mode = "raw", recv_mode = "raw", cv = line$signal),
    length(message$bytes), signature$name, timeout, call
  )
  started <- new_task(line, connection, signature, message[c("shape", "length", "single")], call)
  reg.finalizer(started, drop_task)
  started$objects <- list(attr(fn, "object"), if (signature$objects) args)
  keep_line(line)
  task <- started
  if (signature$lives) watch_task(task)
  task
}

# Does what has come for a task since it was last looked at. It never raises: an error is
# the task's.
advance <- function(task) {
  while (task$state == "running" && !is.null(task$line$aio) && look(task$line) == 0) {
    advance_once(task)
  }
}

advance_once <- function(task) {
  # Whoever leaves with the word has given the call up: Go waits for it.
  on.exit(if (task$state == "running" && is.null(task$line$aio)) cancel_task(task))
  tryCatch(take_reply(task), error = function(cnd) end_task(task, "failed", condition = about_program(task, cnd)))
}

take_reply <- function(task) {
  line <- task$line
  reply <- finish(line)
  bytes <- exchange_step(line, task$connection, reply, task$signature, task$call)
  if (task$state != "running") { # R code that it has called may have ended it
    return(invisible())
  }
  if (!is.null(bytes)) {
    send_continue(line, task$connection, bytes, task$signature, task$call)
    watch_task(task)
    return(invisible())
  }
  if (opens_stream(task$signature) && has_part(reply)) {
    return(end_task(task, "done", value = open_stream(line, task$connection, task$signature, task$call)))
  }
  values <- reply_values(reply, task$signature, task$connection, task$call, line$segments)
  note_taken(task$signature, end_segments(line, given_up = FALSE))
  end_task(task, "done", value = result_value(values, task$signature, task$layout, task$connection))
}

cancel_task <- function(task) {
  end_task(task, "cancelled", condition = cancelled_condition(task$signature$name, task$call))
}

# Ends a task that runs, and the call if that is still out.
end_task <- function(task, state, value = NULL, condition = NULL) {
  line <- task$line
  task$value <- value
  task$condition <- condition
  task$state <- state
  task$line <- task$objects <- NULL
  if (!inherits(value, "mangoro_stream")) { # which keeps the line
    end_segments(line, given_up = TRUE)
    unkeep_line(line)
    release_line(line, task$connection)
  }
  if (!is.null(task$settle)) task$settle(task)
  task$settle <- NULL
}

# The finalizer.
drop_task <- function(task) if (task$state == "running" && is_own(task)) drop_line(task$line)

# --- The event loop ---------------------------------------------------------

# Has later's event loop advance a task when the reply comes that it waits for. nanonext
# keeps what is to be done until then, so that has no more than a weak reference: only a
# task that is a promise is kept.
watch_task <- function(task) {
  is_promise <- !is.null(task$settle)
  if (!is_promise && !has_event_loop()) {
    return(invisible())
  }
  left <- task$line$timeout - seconds_out(task$line)
  on_reply(task$line$aio, left, advance_later(if (is_promise) task else rlang::new_weakref(task)))
}

# Runs a function when a reply comes, or the time is over that is left for it. It is a
# function of its own so that no frame that is kept has the task.
on_reply <- function(aio, left, run) {
  force(run)
  promises::then(promises::as.promise(aio), run, run)
  if (is.finite(left)) later::later(run, max(0, left))
  invisible()
}

has_event_loop <- function() isNamespaceLoaded("later") && requireNamespace("promises", quietly = TRUE)

advance_later <- function(ref) {
  force(ref)
  function(...) {
    task <- if (rlang::is_weakref(ref)) rlang::wref_key(ref) else ref
    if (!is.null(task) && is_own(task)) advance(task)
    invisible()
  }
}

# --- Printing ---------------------------------------------------------------

#' @export
format.mangoro_task <- function(x, ...) {
  own <- is_own(x)
  if (own) advance(x)
  c(
    paste("<mangoro task>", paste(deparse(x$call, nlines = 1), collapse = "")),
    if (!own) {
      lost_text
    } else if (x$state == "failed") {
      paste("failed:", conditionMessage(x$condition))
    } else {
      x$state
    }
  )
}

# It is one thing, whatever is kept of it.
#' @export
length.mangoro_task <- function(x) 1L

#' @export
names.mangoro_task <- function(x) NULL

#' @export
print.mangoro_task <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}

# What it prints is all there is to say.
#' @export
summary.mangoro_task <- function(object, ...) object

#' @export
str.mangoro_task <- function(object, ...) cat("", format(object)[[1]], "\n")
