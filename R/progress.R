# The progress of a call, which Go tells as events: what the user's function does with it, a
# condition of progressr where somebody listens for these, or else a bar of cli.

# Shows an event of the call on `line`: list(done, total, label).
progress_event <- function(line, event) {
  total <- if (event$total > 0) event$total
  done <- max(0, event$done)
  if (!is.null(total)) done <- min(done, total)
  if (!is.null(line$progress) && !identical(line$progress$total, total)) end_progress(line) # another part begins
  if (is.null(line$progress)) line$progress <- new_progress(total, event$label, line$shows)
  line$progress$update(done, event$label)
  invisible()
}

# Ends the bar of the call on `line`, if there is one.
end_progress <- function(line) {
  progress <- line$progress
  line$progress <- NULL
  if (!is.null(progress)) progress$end()
}

# `shows` is the argument `.progress`.
new_progress <- function(total, label, shows = NULL) {
  if (is.function(shows)) {
    .progress <- shows # the name that the user knows
    update <- function(done, label) .progress(done, total %||% NA_real_, label)
    list(total = total, update = update, end = function() NULL)
  } else if (!isFALSE(shows) && has_progressr()) {
    progressr_progress(total, label)
  } else if (shows %||% isTRUE(getOption("mangoro.progress", rlang::is_interactive()))) {
    cli_progress(total, label)
  } else {
    list(total = total, update = function(done, label) NULL, end = function() NULL)
  }
}

check_progress <- function(.progress, call = rlang::caller_env()) {
  if (!is.null(.progress) && !is.function(.progress) && !rlang::is_bool(.progress)) {
    abort_invalid_argument(
      ".progress",
      "{.arg .progress} must be {.code TRUE}, {.code FALSE}, {.code NULL} or a function,
       not {.obj_type_friendly {(.progress)}}.",
      call = call
    )
  }
}

# Whether somebody listens for the conditions of progressr.
has_progressr <- function() {
  if (!isNamespaceLoaded("progressr")) {
    return(FALSE)
  }
  within <- function(i) identical(sys.function(i), progressr::with_progress)
  isTRUE(progressr::handlers(global = NA)) || any(vapply(seq_len(sys.nframe()), within, NA))
}

progressr_progress <- function(total, label) {
  last <- 0
  tell <- progressr::progressor(steps = total %||% 1, message = label, on_exit = FALSE, auto_finish = FALSE,
    envir = rlang::current_env()
  )
  list(
    total = total,
    update = function(done, label) {
      tell(label, amount = if (is.null(total)) 0 else max(0, done - last))
      last <<- max(last, done)
    },
    end = function() tell(type = "finish")
  )
}

# The format of a bar. One without a total has no time left.
bar_formats <- c(
  known = "{cli::pb_status} {cli::pb_bar} {cli::pb_percent} | {cli::pb_rate} | ETA: {cli::pb_eta}",
  unknown = "{cli::pb_spin} {cli::pb_status} {cli::pb_current} | {cli::pb_rate} | {cli::pb_elapsed}"
)

cli_progress <- function(total, label) {
  frame <- rlang::current_env()
  id <- cli::cli_progress_bar(
    name = label, status = label, total = total %||% NA, type = "custom",
    format = bar_formats[[if (is.null(total)) "unknown" else "known"]], auto_terminate = FALSE,
    .auto_close = FALSE, .envir = frame
  )
  list(
    total = total,
    update = function(done, label) cli::cli_progress_update(set = done, status = label, id = id, .envir = frame),
    end = function() cli::cli_progress_done(id = id, .envir = frame)
  )
}
