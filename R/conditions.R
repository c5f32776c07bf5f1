# Every failure of mangoro is raised by a constructor of this file: a condition
# of class mangoro_error_<code> below mangoro_error, with the code and the data
# of the failure as fields. The codes are those of rgoipc.Code in Go.

error_codes <- c(
  "toolchain", "build", "start", "connection", "timeout", "cancelled",
  "protocol", "not_found", "invalid_argument", "handler", "panic",
  "resource_exhausted"
)

# The one place that raises: `message` is a cli message vector, evaluated in
# `.envir`, and `...` are the fields of the condition.
abort_mangoro <- function(code, message, ..., call = NULL, parent = NULL,
                          .envir = parent.frame()) {
  cli::cli_abort(
    message,
    ...,
    class = c(paste0("mangoro_error_", code), "mangoro_error"),
    code = code,
    call = call,
    parent = parent,
    .envir = .envir
  )
}

# `candidates` has a row per Go that was looked at: path, source, version,
# problem.
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
      "i" = "Install Go from {.url https://go.dev/dl/}, or name yours with
             {.code options(mangoro.go_path = )} or the environment variable
             {.envvar MANGORO_GO}."
    ),
    candidates = candidates,
    minimum = minimum,
    call = call
  )
}

# `diagnostics` has a row per complaint of the compiler: file, line, column,
# message; `output` is all that Go printed; `hints` say what to do.
abort_build <- function(src, diagnostics, output, status, hints = NULL, call = NULL) {
  shown <- utils::head(output, 20)
  more <- length(output) - length(shown)
  abort_mangoro(
    "build",
    c(
      "Go could not build {.file {src}}.",
      rlang::set_names(escape_braces(shown), rep(" ", length(shown))),
      if (more > 0) c(" " = "... and {more} more line{?s} in the field {.field output}"),
      rlang::set_names(escape_braces(hints), rep("i", length(hints)))
    ),
    src = src,
    diagnostics = diagnostics,
    output = output,
    status = status,
    call = call
  )
}

abort_connection <- function(message, ..., call = NULL, .envir = parent.frame()) {
  abort_mangoro("connection", message, ..., call = call, .envir = .envir)
}

abort_timeout <- function(what, timeout, call = NULL) {
  abort_mangoro(
    "timeout",
    c(
      "{what} did not answer within {timeout} second{?s}.",
      "i" = "Give it longer with {.arg timeout} or {.code options(mangoro.timeout = )}."
    ),
    timeout = timeout,
    call = call
  )
}

# The peer broke the contract: bytes that are no reply, or no Arrow stream.
abort_protocol <- function(message, ..., call = NULL, parent = NULL,
                           .envir = parent.frame()) {
  abort_mangoro("protocol", message, ..., call = call, parent = parent, .envir = .envir)
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

# `functions` are the names of those that the server has.
abort_no_function <- function(func_name, functions, call = NULL) {
  abort_mangoro(
    "not_found",
    c(
      "The server has no function {.fn {func_name}}.",
      "i" = if (length(functions) > 0) "Its functions are {.fn {functions}}."
    ),
    func_name = func_name,
    call = call
  )
}

# An error reply of a server. `detail` is its JSON as a list; a server that
# sends none, or a code we do not know, has reported a failed handler.
abort_reply <- function(func_name, message, detail = list(), call = NULL) {
  code <- detail[["code"]]
  if (!rlang::is_string(code) || !code %in% error_codes) code <- "handler"
  what <- switch(code,
    not_found = "The call of {.fn {func_name}} failed.",
    panic = "The Go function {.fn {func_name}} panicked.",
    timeout = "The Go function {.fn {func_name}} ran out of time.",
    invalid_argument = "The Go function {.fn {func_name}} did not take its arguments.",
    "The Go function {.fn {func_name}} failed."
  )
  abort_mangoro(
    code,
    c(what, "x" = escape_braces(message)),
    func_name = func_name,
    error_msg = message,
    detail = detail,
    stack = detail[["stack"]],
    call = call
  )
}

# Text of others goes through cli's glue unread.
escape_braces <- function(x) gsub("}", "}}", gsub("{", "{{", x, fixed = TRUE), fixed = TRUE)
