# Objects: Go values that R refers to. Go knows each by its id, and counts how often it has
# sent it; R has one object for an id, and counts how often it has received it. When R does not
# refer to it any more, its finalizer notes both (src/releases.c), and Go is told with the
# next call.

#' Go objects
#'
#' @description
#' A Go function that returns a pointer to a struct with exported methods returns an object: the
#' value stays in Go, and R has an object that stands for it.
#'
#' * `object$Name` is one of its methods, an R function as `handle$name` is. All that
#'   holds for functions holds for methods: elementwise ones, directives,
#'   documentation, [mangoro_async()].
#' * Objects are arguments of other functions and methods, alone or in lists. The same pointer
#'   is the same object in R, [identical()] to it.
#' * `close()` lets Go have the value for itself again, at once. Otherwise that happens some time
#'   after R no longer refers to the object. If it is an `io.Closer` in Go, it is closed then.
#' * `names()` are the names of the methods, which the tab key completes. Printing an object
#'   shows what its method `String()` returns, if it has one, and the methods.
#'
#' @details
#' A pointer to a struct is an object if the struct has a name and an exported method besides
#' `String`, `Error` and those about its encoding (`MarshalJSON`, say), or methods and no
#' exported field. Otherwise it is a row that may be missing, see `vignette("types")`. A
#' function gets objects only, not `NULL`, unless `//mangoro:default x=NULL` says so; what a
#' function returns may be nil, which is `NULL`.
#'
#' An object belongs to the R session and the connection that it was made over. It ends with the
#' program, also if that is started again. R objects are released in batches, with the
#' next call of the program.
#'
#' @param con An object. No default.
#' @param ... Not used.
#'
#' @returns `close()` `NULL`, invisibly.
#'
#' @section Errors:
#' From methods, and functions that objects are given to: `mangoro_error_not_found` if the object
#' was closed, and for `object$Name` if there is no such method; `mangoro_error_connection` if its
#' program was stopped, has ended or was started again, or if the object was saved and loaded.
#'
#' @examplesIf mangoro:::runs_examples()
#' go <- mangoro_source(system.file("examples", "index.go", package = "mangoro"))
#' index <- go$NewIndex(c("beta", "alpha"))
#' index
#' index$Lookup(c("alpha", "gamma"))
#' index$Add("gamma")
#' index$Len()
#' close(index)
#' close(go)
#' @name object
NULL

# How many are made before R's collector is asked, which does not see what they take in Go.
first_objects <- 50000

# An environment that has only `object`, what is known of it:
#   id          by which Go knows it, a string
#   type        the name of its type, without the *
#   connection  that it belongs to
#   received    how often R has received it
#   closed      whether R has let it go
#   methods     the R functions made of its methods so far, by name
#   session     the R session that it belongs to
new_object <- function(id, type, connection) {
  object <- rlang::new_environment(list(
    id = id, type = type, connection = connection, received = 1, closed = FALSE, methods = list(), session = session
  ))
  x <- rlang::new_environment(list(object = object))
  class(x) <- "mangoro_object"
  lockEnvironment(x, bindings = TRUE)
  reg.finalizer(x, drop_object)
  x
}

object_of <- function(x) .subset2(x, "object")

# "*Index of index.go"
describe_object <- function(object) {
  server <- object$connection$server
  of <- if (!is.null(server)) paste(" of", server$label) else ""
  paste0("*", object$type, of)
}

# --- Results ----------------------------------------------------------------

# The values of a result, a list or data frame of one column, with objects for their ids.
result_objects <- function(values, signature, connection) {
  if (is.null(signature$result) || !has_object(signature$result) || length(values) != 1) {
    return(values)
  }
  with_element(values, 1, from_objects(values[[1]], signature$result, connection))
}

with_element <- function(x, i, value) {
  attributes <- attributes(x)
  x <- unclass(x)
  x[i] <- list(value)
  attributes(x) <- attributes
  x
}

# The value of a result, in which the objects of the type `spec` are R objects.
from_objects <- function(value, spec, connection) {
  if (is.null(value) || !has_object(spec)) {
    return(value)
  }
  if (spec$type == "object") {
    return(object_list(value, spec, connection)[[1]])
  }
  if (spec$type == "struct") {
    rows <- is.data.frame(value)
    for (name in intersect(names(value), names(spec$fields))) {
      field <- spec$fields[[name]]
      if (has_object(field)) {
        convert <- if (rows) from_rows else from_objects
        value <- with_element(value, match(name, names(value)), convert(value[[name]], field, connection))
      }
    }
    return(value)
  }
  from_rows(value, spec$element, connection)
}

# The same of a vector whose elements are of the type `spec`.
from_rows <- function(value, spec, connection) {
  if (is.null(value) || is.null(spec)) {
    return(value)
  }
  if (spec$type == "object") {
    return(object_list(value, spec, connection))
  }
  if (is.data.frame(value)) {
    return(from_objects(value, spec, connection))
  }
  if (is_list(value)) {
    for (i in seq_along(value)) value <- with_element(value, i, from_objects(value[[i]], spec, connection))
  }
  value
}

# A list of the objects of these ids: a vector, or a list where each row of a call has one.
object_list <- function(ids, spec, connection) {
  names <- names(ids)
  if (is_list(ids)) ids <- vapply(ids, function(id) if (is.null(id)) NA_character_ else as.character(id)[[1]], "")
  if (all(is.na(ids))) ids <- as.character(ids)
  if (!is.character(ids) || !all(grepl("^[0-9a-f]{32}$", ids) | is.na(ids))) {
    abort_protocol("The server's reply has an object without an id.", call = NULL)
  }
  rlang::set_names(lapply(unname(ids), receive_object, spec, connection), names)
}

# The object of an id that was received. NULL for nil.
receive_object <- function(id, spec, connection) {
  if (is.na(id)) {
    return(NULL)
  }
  state <- connection$state
  known <- find_object(state, id)
  if (!is.null(known)) {
    object <- object_of(known)
    object$received <- object$received + 1
    return(known)
  }
  make_room(state)
  x <- new_object(id, spec$name, connection)
  utils::sethash(state$objects, id, rlang::new_weakref(x))
  x
}

# The object that R has for an id, NULL for none.
find_object <- function(state, id) {
  known <- utils::gethash(state$objects, id)
  x <- if (!is.null(known)) rlang::wref_key(known)
  if (!is.null(x) && !object_of(x)$closed) x
}

# R's collector knows nothing of Go's memory. It runs when as many objects were made as its
# last run has left, and half as many again.
make_room <- function(state) {
  state$made <- state$made + 1
  if (state$made > max(first_objects, state$due)) {
    gc(verbose = FALSE)
    state$made <- 0
    state$due <- 2 * utils::numhash(state$objects)
  }
}

# --- Arguments --------------------------------------------------------------

# An object as an argument: its id.
object_argument <- function(x, spec, path) {
  if (is.null(x) && length(path$steps) > 0) {
    return(NA_character_)
  }
  object_id(x, spec$name, path)
}

# A list of objects of a type, or one, as their ids.
object_ids <- function(x, type, path) {
  if (is.character(x) && all(is.na(x))) { # what NA and NULL were made
    return(x)
  }
  if (inherits(x, "mangoro_object")) {
    return(object_id(x, type, path))
  }
  if (!is_list(x) || is.object(x)) abort_type(x, paste0("a list of *", type), path, advice = "")
  ids <- vapply(seq_along(x), function(i) {
    if (is.null(x[[i]])) NA_character_ else object_id(x[[i]], type, path_to(path, i))
  }, "")
  rlang::set_names(ids, names(x))
}

object_id <- function(x, type, path) {
  if (!inherits(x, "mangoro_object")) abort_type(x, paste0("a *", type), path, advice = "")
  object <- object_of(x)
  if (object$type != type) {
    abort_arguments(
      path$signature, "{describe_path(path)} must be a *{type}, not a *{object$type}.",
      arg = path$arg, call = path$call
    )
  }
  check_object(object, path$call)
  if (!identical(object$connection$state, path$signature$home)) {
    abort_arguments(
      path$signature,
      "{describe_path(path)} is the {describe_object(object)}: an object can only be used in its own program.",
      arg = path$arg, call = path$call
    )
  }
  object$id
}

# --- Their end ----------------------------------------------------------------

# What has become of an object, "alive" if it can be used.
object_state <- function(object) {
  if (!is_own(object)) {
    return("lost")
  }
  connection <- object$connection
  server <- connection$server
  if (object$closed) {
    "closed"
  } else if (is.null(server)) {
    if (attr(connection$sock, "state") == "opened") "alive" else "disconnected"
  } else if (is.null(server$connection)) {
    "stopped"
  } else if (!identical(server$connection$state, connection$state)) {
    "restarted"
  } else if (!is.null(server$process) && !server$process$is_alive()) {
    "ended"
  } else {
    "alive"
  }
}

# Raises unless an object is alive.
check_object <- function(object, call) {
  state <- object_state(object)
  if (state != "alive") abort_object(describe_object(object), state, object$connection$server, call)
}

# An object of Go that cannot be used, `what`: see object_state().
abort_object <- function(what, state, server, call) {
  if (state == "closed") {
    abort_mangoro("not_found", c("The {what} was closed.", "i" = "Create a new one."), call = call)
  }
  end <- if (state == "ended") server_end(server)
  abort_connection(
    c(
      switch(state,
        lost = "The {what} was saved and loaded again, or sent to another R process.",
        disconnected = "The {what} is gone: its socket was closed.",
        stopped = "The {what} is gone: its program was stopped.",
        restarted = "The {what} is gone: its program was started again.",
        ended = "The {what} is gone: its process {describe_status(end$status)}."
      ),
      if (state == "ended") c("i" = "Start the program again with {.fn mangoro_restart}."),
      "i" = if (state == "lost") {
        "Go's objects live in their program: each session makes its own."
      } else {
        "Go's objects live no longer than their program: create it again."
      }
    ),
    lines = end$stderr, url = server$url, status = end$status, stderr = end$stderr, call = call
  )
}

# The connection of an object that is alive. It takes no look at the process: that is seen when
# the call fails, see about_object().
object_connection <- function(x, call) {
  object <- object_of(x)
  if (!is_own(object) || object$closed) check_object(object, call)
  server <- object$connection$server
  if (is.null(server)) {
    check_socket(object$connection$sock, call)
    return(object$connection)
  }
  check_owner(server, call)
  if (!identical(server$connection$state, object$connection$state)) check_object(object, call)
  server$connection
}

# The value of `expr`, a call of a method. If it fails because the process has ended, the object
# has, too.
about_object <- function(x, call, expr) {
  if (is.null(x)) {
    return(expr)
  }
  rlang::try_fetch(expr, mangoro_error_connection = function(cnd) {
    check_object(object_of(x), call)
    rlang::zap()
  })
}

# The finalizer. R runs it amid any code.
drop_object <- function(x) {
  object <- object_of(x)
  if (!object$closed && is_own(object)) note_release(object)
}

# Notes that R does not refer to an object any more. There may be another one of its id.
note_release <- function(object) {
  object$closed <- TRUE
  state <- object$connection$state
  if (is.null(find_object(state, object$id))) utils::remhash(state$objects, object$id)
  .Call(c_release_note, state$releases, object$id, object$received)
}

# Tells Go which objects R does not refer to any more. It is not waited for.
flush_releases <- function(connection) {
  state <- connection$state
  while (!is.null(payload <- .Call(c_release_take, state$releases))) {
    if (!state$closed) send_parting(connection, release_message(payload), parting_name(state$partings))
  }
}

# One that is free: R frees no symbols, so names are used again.
parting_name <- function(partings) {
  names <- paste0("release", seq_len(length(partings) + 1))
  setdiff(names, names(partings))[[1]]
}

release_message <- function(payload) c(envelope_header("release"), payload)

#' @rdname object
#' @export
close.mangoro_object <- function(con, ...) {
  object <- object_of(con)
  call <- rlang::current_env()
  if (object_state(object) != "alive") {
    if (is_own(object)) object$closed <- TRUE
    return(invisible())
  }
  connection <- object$connection
  note_release(object)
  payload <- .Call(c_release_take, connection$state$releases)
  line <- take_line(connection, call)
  on.exit(release_line(line, connection))
  timeout <- call_timeout(NULL, connection$server, call)
  reply <- roundtrip(line, connection, release_message(payload), NULL, timeout, call)
  check_reply(reply, "result", "", connection$server, call)
  invisible()
}
