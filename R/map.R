# Many calls at once: a task for each element.

# How many calls of a map are out at the same time, at most and if the server does not say
# how many it runs.
max_map_calls <- 256L
default_map_calls <- 64L

#' Call a Go function for each element, many at once
#'
#' Calls a Go function with each element of a vector or list, as [lapply()] does, with as many
#' calls at the same time as the Go program runs.
#'
#' @param .fn A Go function of a handle, as `handle$name`. No default.
#' @param .x A vector, list or data frame of any length, whose elements, `.x[[i]]`, are the first
#'   argument of the calls that no name in `...` gives; `NULL` has none. Elements may be `NA` or
#'   `NULL` where the argument may be. No default.
#' @param ... Further arguments, the same for all calls.
#' @param .progress Whether to show a progress bar, `TRUE` or `FALSE`, or a function of `done`,
#'   `total` and `label`, which is called when calls have ended. `NULL`, the default, leaves it to
#'   the option `mangoro.progress`, which is whether R is interactive.
#' @param .timeout How long each call may take in seconds, one number above 0. The default,
#'   `Inf`, is as long as it takes.
#'
#' @details
#' If a call fails, or R is interrupted, the calls that are still out are cancelled, and
#' further ones are not made. The arguments of each call are checked before it is sent.
#'
#' @returns A list of the results in the order of `.x`, with its names.
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` if `.fn` is not a Go function, or another argument not as
#' described. Otherwise those of [mangoro_call()], of the first call that fails, with the field
#' `index`, the number of its element.
#'
#' @seealso [mangoro_async()] for single calls.
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/types-example")
#' mangoro_map(server$summarize, list(a = c(1, 2, 4), b = 3))
#' close(server)
#' @export
mangoro_map <- function(.fn, .x, ..., .progress = NULL, .timeout = Inf) {
  matched <- match.call(expand.dots = FALSE)
  call <- rlang::current_env()
  check_function(.fn, call)
  check_given(.x, ".x", call)
  if (is.environment(.x) || is.function(.x) || !is.vector(.x) && !is.null(.x) && !is.object(.x)) {
    abort_invalid_argument(".x", "{.arg .x} must be a vector or list, not {.obj_type_friendly {(.x)}}.", call = call)
  }
  check_progress(.progress)
  check_seconds(.timeout, ".timeout", call)
  map_tasks(.fn, .x, list(...), .timeout, .progress, called_as(.fn, matched$.fn, c(list(matched$.x), matched$...)))
}

map_tasks <- function(fn, x, args, timeout, progress, call) {
  n <- length(x)
  results <- rlang::set_names(vector("list", n), names(x))
  limit <- map_limit(attr(fn, "server"), call)
  out <- list() # the tasks that run, by their index
  bar <- rlang::new_environment(list(shows = progress))
  on.exit({
    for (task in out) if (task$state == "running") cancel_task(task)
    end_progress(bar)
  })
  started <- 0
  while (started < n || length(out) > 0) {
    while (started < n && length(out) < limit) {
      started <- started + 1
      of_element(started, {
        out[[as.character(started)]] <- start_task(fn, c(list(x[[started]]), args), timeout, call)
      })
    }
    await(lapply(out, `[[`, "line"))
    for (name in names(out)) {
      task <- out[[name]]
      advance(task)
      if (task$state == "running") next
      out[[name]] <- NULL
      i <- as.integer(name)
      if (task$state != "done") of_element(i, raise(task$condition))
      if (!is.null(task$value)) results[[i]] <- task$value
    }
    progress_event(bar, list(done = started - length(out), total = n, label = ""))
  }
  results
}

map_limit <- function(server, call) {
  min(server_connection(server, call)$state$max_calls %||% default_map_calls, max_map_calls)
}

# An error of `expr` is that of element `i`.
of_element <- function(i, expr) {
  tryCatch(expr, mangoro_error = function(cnd) {
    cnd$message <- paste0("In element ", i, ": ", cnd$message)
    cnd$index <- i
    raise(cnd)
  })
}
