# The functions of a handle: a Go function as an R function.

#' @export
`$.mangoro_handle` <- function(x, name) {
  server <- .subset2(x, "server")
  known <- .subset2(server$functions, name)
  if (is.null(known)) handle_function(server, name, rlang::current_env()) else known
}

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

# Those of the manifest that was last fetched.
known_signatures <- function(server) server$connection$state$signatures %||% list()

handle_function <- function(server, name, call) {
  if (is.null(server$functions[[name]])) {
    connection <- server_connection(server, call)
    signature <- find_signature(connection, name, call_timeout(NULL, server, call), call)
    server$functions[[name]] <- make_function(server, signature, connection)
  }
  server$functions[[name]]
}

# An R function with the arguments of the Go function, or `...` if that takes any columns.
# Its body contains the functions that it calls: the names of arguments may be any. With a
# connection C is told at once what it knows of a call. `object` is whose method it is.
make_function <- function(server, signature, connection = NULL, object = NULL) {
  force(connection) # which is not kept, as the frame of the first caller would be
  name <- signature$name
  method <- if (!is.null(object)) signature
  over <- function(frame) if (is.null(object)) server_connection(server, frame) else object_connection(object, frame)
  run <- function(args, frame = parent.frame()) {
    if (is.null(object)) return(call_function(over(frame), name, args, NULL, frame, known = known))
    about_object(object, frame, call_function(over(frame), name, args, NULL, frame, method, known))
  }
  args <- rlang::syms(rlang::set_names(symbol_names(fixed_arguments(signature))))
  required <- args[!signature$optional[seq_along(args)]]
  known <- NULL
  if (length(signature$args) == 0 && !signature$boxed) {
    formals <- rlang::pairlist2(... = )
    body <- rlang::call2(run, quote(list(...)))
  } else {
    formals <- function_formals(signature)
    if (length(signature$variadic) > 0) args <- c(args, quote(...))
    body <- rlang::call2(run, rlang::call2(list, !!!args))
    if (!is.null(signature$plain) && !"c_call" %in% names(args)) {
      finish <- function(frame = parent.frame()) {
        about_object(object, frame, finish_call(over(frame), name, frame, method))
      }
      known <- .Call(c_call_new, body, rlang::call2(finish))
      if (!is.null(connection)) know_call(known, connection, usable_lane(connection), signature, NULL)
      body <- rlang::call2(.External2, quote(c_call), known, !!!unname(args))
    }
    if (length(required) > 0) {
      partly <- function(frame = parent.frame()) run(given_arguments(signature, frame), frame)
      missing <- Reduce(function(a, b) call("||", a, b), lapply(unname(required), function(arg) call("missing", arg)))
      body <- call("if", missing, rlang::call2(partly), body)
    }
  }
  structure(
    rlang::new_function(formals, body, env = topenv()),
    class = c("mangoro_function", "function"), signature = signature, server = server, object = object
  )
}

# The arguments that were given to a call that lacks one, for the message.
given_arguments <- function(signature, frame) {
  given <- mget(symbol_names(fixed_arguments(signature)), envir = frame)
  given[!vapply(given, rlang::is_missing, TRUE)]
}

function_formals <- function(signature) {
  formals <- rep(list(rlang::missing_arg()), length(signature$args))
  defaults <- signature$optional & !signature$args %in% signature$variadic
  formals[defaults] <- signature$defaults[defaults]
  as.pairlist(rlang::set_names(formals, symbol_names(shown_arguments(signature))))
}

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

# The name of a method without that of its type.
shown_name <- function(signature) {
  if (is.null(signature$receiver)) signature$name else sub("^.*[.]", "", signature$name)
}

# The connection that a function is called over.
function_connection <- function(fn, call) {
  object <- attr(fn, "object")
  if (is.null(object)) server_connection(attr(fn, "server"), call) else object_connection(object, call)
}

# "scaled(x, by = 10)"
describe_function <- function(fn) {
  formals <- formals(fn)
  defaults <- vapply(formals, function(value) {
    if (rlang::is_missing(value)) "" else paste(" =", paste(deparse(value), collapse = " "))
  }, "")
  sprintf("%s(%s)", shown_name(attr(fn, "signature")), paste0(names(formals), defaults, collapse = ", "))
}
