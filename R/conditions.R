# Every failure of mangoro is raised by a constructor of this file: a condition
# of class mangoro_error_<code> below mangoro_error, with the code and the data
# of the failure as fields. The codes are those of rgoipc.Code in Go.

error_codes <- c(
  "toolchain", "build", "start", "connection", "timeout", "cancelled",
  "protocol", "not_found", "invalid_argument", "handler", "panic",
  "resource_exhausted"
)

# Every condition is raised here. `message` and `hints` are templates, see
# format_inline(), evaluated in `.envir`; `lines`, which are not ours, are shown between
# them as they are. `...` are the fields of the condition.
abort_mangoro <- function(code, message, ..., lines = NULL, hints = NULL, call = NULL, parent = NULL,
                          .envir = parent.frame()) {
  format_each <- function(text) {
    text[] <- vapply(text, format_inline, "", .envir = .envir)
    text
  }
  # As rlang does, except that it sets options on the way, which is slow the first time, and
  # looks at all frames for each condition of a chain.
  trace <- parent$trace
  if (is.null(trace)) {
    trace <- rlang::trace_back(bottom = if (is.environment(call)) call else parent.frame())
    trace$call <- lapply(trace$call, shorten_call)
  }
  shown <- shown_call(call)
  raise(rlang::error_cnd(
    c(paste0("mangoro_error_", code), "mangoro_error"),
    ...,
    message = rlang::format_error_bullets(c(
      format_each(message),
      rlang::set_names(as.character(lines), rep(" ", length(lines))),
      rlang::set_names(format_each(as.character(hints)), rep("i", length(hints)))
    )),
    code = code,
    call = shown,
    own_call = if (!identical(shown, call)) own_call(call),
    parent = parent,
    trace = trace,
    rlang = list(inherit = TRUE) # for rlang::try_fetch(), as rlang::abort() does
  ))
}

# The user's own call, of which conditions show no more than shown_call().
#' @export
conditionCall.mangoro_error <- function(c) c$own_call %||% c$call

own_call <- function(call) if (is.environment(call)) rlang::frame_call(call) else call

# A call, or that of a frame, such as go$Minimize(function(x) x): rlang shows no call of this kind
# that has the code of a function in it.
shown_call <- function(call) {
  known <- own_call(call)
  if (!is.call(known) || !is.call(known[[1]]) || rlang::is_expression(known)) return(call)
  for (i in seq_along(known)[-1]) {
    if (is.call(known[[i]]) && !rlang::is_expression(known[[i]])) known[[i]] <- quote(...)
  }
  known
}

# A call of a backtrace without long texts, such as Go code, which would fill the screen.
shorten_call <- function(call) {
  for (i in seq_along(call)[-1]) {
    if (is.call(call) && has_long_text(call[[i]])) call[[i]] <- quote(...)
  }
  call
}

has_long_text <- function(x) {
  if (rlang::is_missing(x) || !is.call(x)) {
    is.character(x) && sum(nchar(x, "bytes"), na.rm = TRUE) > 60
  } else {
    any(vapply(as.list(x), function(part) !rlang::is_missing(part) && has_long_text(part), NA))
  }
}

# Raises a condition that was caught.
raise <- function(cnd) rlang::cnd_signal(cnd)

# `candidates` has a row for each Go that was looked at: path, source, version, problem.
abort_toolchain <- function(candidates, minimum, call = NULL) {
  looked_at <- if (nrow(candidates) == 0) {
    c("i" = "No {.command go} was found in any of the usual places.")
  } else {
    tried <- sprintf("%s (%s): %s", candidates$path, candidates$source, candidates$problem)
    c("Looked at:", rlang::set_names(escape_braces(tried), rep("x", length(tried))))
  }
  abort_mangoro(
    "toolchain",
    c(
      "No Go toolchain of version {minimum} or newer was found.",
      looked_at,
      "i" = "Name yours with {.code options(mangoro.go_path = )} or the environment
             variable {.envvar MANGORO_GO}, or install Go from
             {.url https://go.dev/dl/}.",
      "i" = "{.run mangoro::mangoro_install_go()} installs it for you alone."
    ),
    candidates = candidates,
    minimum = minimum,
    call = call
  )
}

# A Go that cannot be installed.
abort_install <- function(message, parent = NULL, call = NULL, .envir = parent.frame()) {
  abort_mangoro(
    "toolchain",
    c(message, "i" = "See {.url https://go.dev/doc/install} for other ways to install Go."),
    parent = parent, call = call, .envir = .envir
  )
}

# A program that cannot be built. `lines` are what is shown of `output`, what the
# compiler said; `diagnostics` are its complaints, see find_diagnostics().
abort_build <- function(src, lines, hints = NULL, diagnostics = NULL, output = lines, status = 1L, call = NULL) {
  abort_mangoro(
    "build",
    if (identical(src, inline_name)) "Go could not build this code." else "Go could not build {.file {src}}.",
    lines = lines, hints = escape_braces(hints),
    src = src, diagnostics = diagnostics, output = output, status = status, call = call
  )
}

abort_connection <- function(message, ..., call = NULL, .envir = parent.frame()) {
  abort_mangoro("connection", message, ..., call = call, .envir = .envir)
}

# A program that does not become a server. `reason` follows its name in the message;
# `end` is its exit status and last lines, NULL while it runs; `own_main` is TRUE if the user
# wrote its main function.
abort_start <- function(label, reason, end = NULL, own_main = TRUE, parent = NULL, call = NULL,
                        .envir = parent.frame()) {
  abort_mangoro(
    "start",
    paste("{.file {label}}", reason),
    lines = end$stderr,
    hints = if (!is.null(end) && own_main) c(
      "A server takes its URL as its only argument, listens there and serves
       until it is told to stop; see {.code rgoipc.Main}."
    ),
    status = end$status, stderr = end$stderr,
    parent = parent, call = call,
    .envir = rlang::env(.envir, label = label)
  )
}

# The process behind a handle is gone; `end` is its exit status and last lines.
abort_ended <- function(label, url, end, call = NULL) {
  how <- describe_status(end$status)
  abort_mangoro(
    "connection",
    "The Go process of {.file {label}} {how}.",
    lines = end$stderr,
    hints = c(
      if (identical(end$status, -tools::SIGKILL)) "Linux kills programs with this signal when memory runs out.",
      "Start it again with {.fn mangoro_restart}."
    ),
    url = url, status = end$status, stderr = end$stderr, call = call
  )
}

# "has ended with status 3", "was killed by signal 9".
describe_status <- function(status) {
  if (is.na(status)) "has ended"
  else if (status < 0) paste("was killed by signal", -status)
  else paste("has ended with status", status)
}

# `load` is what the server is busy with, see parse_load(); NULL if it does not say.
abort_timeout <- function(what, timeout, call = NULL, load = NULL) {
  given_up <- load$given_up
  abort_mangoro(
    "timeout",
    c(
      "{what} did not answer within {timeout} second{?s}.",
      if (length(given_up) > 0) c(
        "i" = "Still running after {cli::qty(sum(given_up))}{?it was/they were} told to stop:
               {count_calls(given_up)}. {.fn mangoro_restart} ends {cli::qty(sum(given_up))}{?it/them}."
      ),
      if (!is.null(load) && sum(load$running) >= load$max_calls) c(
        "i" = "The server runs as many calls as it may at the same time: {count_calls(load$running)}.
               Further ones wait for their turn."
      ),
      "i" = "Allow more time with {.code options(mangoro.timeout = )} or the time-out of the call or handle.",
      if (is.null(load)) c(
        "i" = "A function that takes no context may still be at work; {.fn mangoro_restart} ends it."
      )
    ),
    timeout = timeout,
    running = load$running,
    given_up = given_up,
    call = call
  )
}

# The wait for a task is over, which goes on.
abort_waited <- function(name, timeout, call) {
  abort_mangoro(
    "timeout",
    c(
      "{.fn {name}} did not answer within {timeout} second{?s}.",
      "i" = "It goes on: ask again with {.fn mangoro_value}, or end it with {.fn mangoro_cancel}."
    ),
    timeout = timeout, call = call
  )
}

# There is no next part of a stream yet.
abort_no_part <- function(name, timeout, call) {
  abort_mangoro(
    "timeout",
    c(
      "{.fn {name}} made no further values within {timeout} second{?s}.",
      "i" = "Its stream is still open: ask again with {.fn mangoro_next}, or end it with {.fn close}."
    ),
    timeout = timeout, call = call
  )
}

# R code that the own call of a stream waits for asks for its next part.
abort_own_part <- function(name, call) {
  abort_invalid_argument(
    "s",
    c(
      "The call of {.fn {name}} waits for the R code that reads its stream.",
      "i" = "The next part comes once that code has returned."
    ),
    call = call
  )
}

# R code that the own call of a task waits for asks for its value.
abort_own_value <- function(name, call) {
  abort_invalid_argument(
    "task",
    c(
      "The call of {.fn {name}} waits for the R code that asks for its value.",
      "i" = "The value comes once that code has returned."
    ),
    call = call
  )
}

# What `expr` raises, for later.
condition_of <- function(expr) tryCatch(expr, mangoro_error = identity)

# Of a stream that was closed before its end.
closed_condition <- function(name, call) {
  condition_of(abort_mangoro(
    "cancelled",
    c("The stream of {.fn {name}} was closed.", "i" = "Call {.fn {name}} again for a new one."),
    func_name = name, call = call
  ))
}

# Of a task that was cancelled.
cancelled_condition <- function(name, call) {
  condition_of(abort_mangoro("cancelled", "The call of {.fn {name}} was cancelled.", func_name = name, call = call))
}

# Of a task or stream whose program was stopped or started again, as `what` says.
program_condition <- function(name, what, call) {
  condition_of(abort_connection(
    c(
      "The call of {.fn {name}} has ended: its program was {what}.",
      "i" = if (what == "stopped") "Start it again with {.fn mangoro_restart}.",
      "i" = if (what != "stopped") "Call {.fn {name}} again."
    ),
    call = call
  ))
}

# "3 of `slow()` and 1 of `wait()`"
count_calls <- function(n) {
  n <- sort(n, decreasing = TRUE)
  format_inline("{paste0(n, ' of `', names(n), '()`')}")
}

# The peer broke the protocol: its bytes are not a reply, or not an Arrow stream.
abort_protocol <- function(message, ..., call = NULL, parent = NULL,
                           .envir = parent.frame()) {
  abort_mangoro("protocol", message, ..., call = call, parent = parent, .envir = .envir)
}

# A string of a result, which R reads when it is looked at. C calls this (src/string_view.c).
abort_changed_string <- function() {
  abort_protocol(
    c(
      "This character vector cannot be read: the Go program has changed its strings after it had returned them.",
      "i" = "Call the function again. It must not write to what it has returned."
    )
  )
}

abort_invalid_argument <- function(arg, message, ..., call = NULL, parent = NULL,
                                   .envir = parent.frame()) {
  abort_mangoro(
    "invalid_argument", message, ...,
    arg = arg, call = call, parent = parent, .envir = .envir
  )
}

abort_resource_exhausted <- function(message, ..., call = NULL, parent = NULL,
                                     .envir = parent.frame()) {
  abort_mangoro("resource_exhausted", message, ..., call = call, parent = parent, .envir = .envir)
}

# `functions` are the names of the server's functions, `reason` is why it has left this
# one out, NA if it does not say. `of` is the type of objects whose methods they are, "*Index".
abort_no_function <- function(func_name, functions, call = NULL, reason = NA_character_, of = NULL) {
  similar <- if (is.na(reason)) similar_names(func_name, functions)
  similar <- paste(vapply(similar, function(name) format_inline("{.fn {name}}"), ""), collapse = " or ")
  abort_mangoro(
    "not_found",
    c(
      if (is.null(of)) "The server has no function {.fn {func_name}}." else "A {of} has no method {.fn {func_name}}.",
      "x" = if (!is.na(reason)) paste("R cannot call it:", escape_braces(shorten(reason))),
      "i" = if (nzchar(similar)) "Is {similar} meant?",
      "i" = if (length(functions) > 0) "Its {if (is.null(of)) 'functions' else 'methods'} are {.fn {functions}}."
    ),
    func_name = func_name,
    call = call
  )
}

# Those of `names` that `name` may be a misspelling of, at most three.
similar_names <- function(name, names) {
  if (is.na(as_utf8(name)) || length(names) == 0) return(character())
  distance <- utils::adist(name, names, ignore.case = TRUE)
  close <- which(distance <= nchar(name) / 3)
  utils::head(names[close[order(distance[close])]], 3)
}

# An error reply of a server. `detail` is its JSON as a list; without a code that we know,
# it is that of a handler that failed. `frames` are the user's own lines of a panic. The
# fields `arg`, `row`, from 1, and `value` say where it failed; `value` is a string or,
# for several arguments, a list. `failure` is the condition of R code that has made it fail.
abort_reply <- function(func_name, message, detail = list(), frames = NULL, call = NULL, failure = NULL) {
  code <- detail[["code"]]
  if (!rlang::is_string(code) || !code %in% error_codes) code <- "handler"
  row <- detail[["row"]]
  value <- detail[["value"]]
  shown <- shorten(message)
  what <- switch(code,
    not_found = ,
    resource_exhausted = "The call of {.fn {func_name}} failed.",
    panic = "The Go function {.fn {func_name}} panicked.",
    timeout = "The Go function {.fn {func_name}} ran out of time.",
    invalid_argument = "The Go function {.fn {func_name}} rejected its arguments.",
    "The Go function {.fn {func_name}} failed."
  )
  if (!is.null(failure) && identical(message, failure_text(failure))) { # which shows the text
    what <- "The Go function {.fn {func_name}} failed because of an error in R."
    shown <- NULL
  }
  at <- if (NROW(frames) > 0) show_frames(frames)
  abort_mangoro(
    code,
    c(what, "x" = escape_braces(shown), rlang::set_names(escape_braces(at), rep(" ", length(at)))),
    hints = if (!is.null(detail[["result"]]) && grepl("must be UTF-8", message, fixed = TRUE)) c(
      "R has no such strings: return bytes as {.code []byte}, take characters of a text from {.code []rune},
       or make the text valid with {.code strings.ToValidUTF8()}."
    ),
    func_name = func_name,
    error_msg = message,
    arg = if (rlang::is_string(detail[["arg"]])) detail[["arg"]],
    row = if (rlang::is_scalar_integerish(row, finite = TRUE) && row >= 1) row,
    value = if (rlang::is_string(value) || is_object(value)) value,
    detail = detail,
    stack = detail[["stack"]],
    frames = frames,
    parent = chain_condition(detail[["chain"]], message, failure),
    call = call
  )
}

# The text that Go gets of a condition, or of a string: as it was if it has come from Go.
failure_text <- function(x, limit = 10000L) {
  text <- if (!inherits(x, "condition")) x else if (inherits(x, "mangoro_error")) x$error_msg
  make_valid(substr(cli::ansi_strip(enc2utf8(text %||% conditionMessage(x))), 1, limit))
}

# A warning of Go code.
warn_of_go <- function(text, call) rlang::warn(text, class = "mangoro_warning", call = call, use_cli_format = FALSE)

# What Go code has written to standard error. `level` is "stderr", "log", "debug", "info",
# "warn" or "error".
tell_output <- function(text, level) {
  message(structure(
    class = c(paste0("mangoro_message_", level), "mangoro_message", "message", "condition"),
    list(message = text, call = NULL, level = level)
  ))
}

# A file server that is not started. `reason` is text that is not ours.
abort_not_served <- function(reason, ..., call = NULL) {
  abort_mangoro("handler", c("The files cannot be served.", "x" = escape_braces(shorten(reason))), ..., call = call)
}

# As much of a text as a person would read; cli is slow with long ones.
shorten <- function(text, limit = 2000) {
  n <- nchar(text)
  if (n <= limit) text else paste0(substr(text, 1, limit), "... (", n - limit, " characters more in `error_msg`)")
}

# The errors that the error of a handler wraps: each is the parent of the one before. An
# error that ends with the text of its cause, as those of Go's `%w` do, has shown it. The
# condition of R code is the last parent, and shows its text itself.
chain_condition <- function(chain, message, failure = NULL) {
  if (is.data.frame(chain)) chain <- chain$message
  if (!is.character(chain) || anyNA(chain)) chain <- character()
  causes <- utils::head(chain[-1], 20)
  causes <- causes[!endsWith(c(message, causes)[seq_along(causes)], causes)]
  if (!is.null(failure)) causes <- setdiff(causes, failure_text(failure))
  parent <- failure
  for (cause in rev(causes)) parent <- rlang::error_cnd(message = cause, parent = parent)
  parent
}

# What messages and line directives call code that is not in a file. It says nothing of
# the script that the code is in: the program stays the same when the lines above change.
inline_name <- "<inline>"

# "stats.go:3:15"
format_location <- function(file, line, column = NA) {
  paste0(file, ":", line, ifelse(is.na(column), "", paste0(":", column)))
}

# "stats.go:3 in Mean"
show_frames <- function(frames) paste(format_location(frames$file, frames$line), "in", frames[["function"]])

# Text that is not ours, which is not a template.
escape_braces <- function(x) gsub("}", "}}", gsub("{", "{{", as.character(x), fixed = TRUE), fixed = TRUE)

abort_no_element <- function(name, call = NULL) {
  abort_mangoro(
    "not_found",
    c(
      "A site has no element {.val {name}}.",
      "i" = "{.fn mangoro_status} has its URL and counts, {.fn mangoro_logs} the last requests."
    ),
    call = call
  )
}
