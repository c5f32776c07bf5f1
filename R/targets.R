# Targets: the R functions and sources that a call gives to Go, which asks them while it runs.
# Go knows them by their index, from 0. A target is a list of
#   kind   "function" or "source"
#   value  the function, or what makes the next part of the source
#   spec   the type of the parameter
#   name   that of the parameter, for messages

new_targets <- function() rlang::new_environment(list(list = list()))

# Keeps a target as long as the call is out. Returns what Go knows it by.
add_target <- function(targets, kind, value, spec, name = NULL) {
  targets$list <- c(targets$list, list(list(kind = kind, value = value, spec = spec, name = name)))
  length(targets$list) - 1L
}

# The target of an index that a server says. NULL: there is none of that kind.
find_target <- function(targets, index, kind) {
  if (!rlang::is_scalar_integerish(index, finite = TRUE) || index < 0 || index >= length(targets$list)) return(NULL)
  target <- targets$list[[index + 1]]
  if (target$kind == kind) target
}

# An R function as an argument.
function_argument <- function(x, spec, path) {
  if (!is.function(x)) {
    advice <- if (inherits(x, "formula")) {
      "; write it as {.code function(x) ...}, or convert it with {.fn rlang::as_function}"
    }
    abort_type(x, "a function", path, advice = advice)
  }
  add_target(path$targets, "function", x, spec, path$arg)
}

# What Go reads part by part as an argument: the column of it that says which target it is.
source_argument <- function(x, spec, path) {
  source <- rlang::new_environment(list(from = x, read = NULL, parts = 0, path = replace(path, "call", list(NULL))))
  list(target = add_target(path$targets, "source", source, spec))
}
