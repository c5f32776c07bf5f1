# The methods of Go's objects, as the functions of a handle are (R/functions.R), and how an
# object is shown.

#' @export
`$.mangoro_object` <- function(x, name) {
  known <- .subset2(object_of(x)$methods, name)
  if (is.null(known)) object_method(x, name, rlang::current_env()) else known
}

#' @export
`[[.mangoro_object` <- function(x, i, ...) {
  check_string(i)
  object_method(x, i, rlang::current_env())
}

#' @export
names.mangoro_object <- function(x) names(object_class(x)$signatures)

#' @export
length.mangoro_object <- function(x) length(names(x))

#' @exportS3Method utils::.DollarNames
.DollarNames.mangoro_object <- function(x, pattern = "") grep(pattern, names(x), value = TRUE)

# What the manifest says of its type.
object_class <- function(x) {
  object <- object_of(x)
  object$connection$state$classes[[object$type]]
}

# One of its methods as an R function, which is made the first time.
object_method <- function(x, name, call) {
  object <- object_of(x)
  if (is.null(object$methods[[name]])) {
    connection <- object_connection(x, call)
    signature <- object_class(x)$signatures[[name]]
    if (is.null(signature)) abort_no_method(object, name, names(x), connection, call)
    object$methods[[name]] <- make_function(
      connection$server, method_signature(signature, object), connection,
      object = x
    )
  }
  object$methods[[name]]
}

# The signature of a method of one object.
method_signature <- function(signature, object) {
  signature$receiver <- object$id
  signature$last <- new.env(parent = emptyenv())
  at_home(signature, object$connection$state)
}

abort_no_method <- function(object, name, methods, connection, call) {
  left_out <- connection$state$left_out
  reason <- left_out$reason[match(paste0(object$type, ".", name), left_out$name)]
  abort_no_function(name, methods, call, reason = reason, of = paste0("*", object$type))
}

# --- Printing ---------------------------------------------------------------

object_states <- c(
  lost = lost_text,
  closed = "closed", disconnected = "gone: its socket was closed", stopped = "gone: its program was stopped",
  restarted = "gone: its program was started again",
  ended = "gone: its process has ended"
)

#' @export
format.mangoro_object <- function(x, ...) {
  object <- object_of(x)
  state <- object_state(object)
  shown <- paste("<Go object>", describe_object(object))
  if (state != "alive") {
    return(c(shown, object_states[[state]]))
  }
  methods <- vapply(object_class(x)$signatures, function(signature) {
    fn <- make_function(object$connection$server, method_signature(signature, object), object = x)
    text <- paste0("  ", describe_function(fn))
    if (nzchar(signature$go)) paste0(text, "   ", signature$go) else text
  }, "", USE.NAMES = FALSE)
  c(shown, object_text(x), methods)
}

# How long printing waits for String() in seconds, which may wait for what never comes.
text_timeout <- 5

# What its method String() says.
object_text <- function(x) {
  signature <- object_class(x)$signatures$String
  if (is.null(signature) || length(signature$args) > 0) {
    return(NULL)
  }
  text <- tryCatch(
    call_string(x, signature, rlang::current_env()),
    error = function(cnd) paste("String() failed:", conditionMessage(cnd))
  )
  if (is.character(text)) strsplit(paste(text, collapse = "\n"), "\n")[[1]]
}

call_string <- function(x, signature, call) {
  connection <- object_connection(x, call)
  timeout <- min(text_timeout, call_timeout(NULL, connection$server, call))
  method <- method_signature(signature, object_of(x))
  about_object(x, call, call_function(connection, signature$name, list(), timeout, call, method))
}

#' @export
print.mangoro_object <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}

# What it prints is all there is to say.
#' @export
summary.mangoro_object <- function(object, ...) object

#' @export
str.mangoro_object <- function(object, ...) cat(sprintf(" <Go object> %s\n", describe_object(object_of(object))))
