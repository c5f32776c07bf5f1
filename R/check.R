# Argument checks shared by the verbs. Each returns its argument invisibly or
# raises mangoro_error_invalid_argument, naming the argument and the value.

check_string <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is_nonempty(x)) {
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be one non-empty string, not {.obj_type_friendly {x}}.",
      call = call
    )
  }
  invisible(x)
}

is_nonempty <- function(x) rlang::is_string(x) && nzchar(x)

# That an argument was given at all.
check_given <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (missing(x)) abort_invalid_argument(arg, "{.arg {arg}} is missing.", call = call)
}

check_flag <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!rlang::is_bool(x)) {
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be {.code TRUE} or {.code FALSE}, not {.obj_type_friendly {x}}.",
      call = call
    )
  }
  invisible(x)
}

# A whole number from `min` to `max`.
check_count <- function(x, min = 1, max = Inf, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!rlang::is_scalar_integerish(x, finite = TRUE) || x < min || x > max) {
    upper <- if (is.finite(max)) paste(" and at most", format(max, scientific = FALSE)) else ""
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be a whole number of at least {min}{upper}, not {describe_number(x)}.",
      call = call
    )
  }
  invisible(x)
}

# A number by its value, anything else by its type.
describe_number <- function(x) {
  if (is.numeric(x) && length(x) == 1) format(x, scientific = FALSE) else format_inline("{.obj_type_friendly {x}}")
}

is_number <- function(x) is.numeric(x) && length(x) == 1 && !is.na(x)

# How long something is kept, or how much of it; Inf has no limit.
is_limit <- function(x) is_number(x) && x >= 0

# A length of time in seconds, more than 0; Inf waits for ever.
is_seconds <- function(x) is_number(x) && x > 0

check_seconds <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is_seconds(x)) {
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be a number of seconds above 0, not {describe_number(x)}.",
      call = call
    )
  }
  invisible(x)
}

check_raw <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is.raw(x)) {
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be a raw vector, not {.obj_type_friendly {x}}.",
      call = call
    )
  }
  invisible(x)
}

# Not a pairlist, which may have elements that are missing.
is_list <- function(x) typeof(x) == "list"

# Whether `x` is of a class of times, and made of numbers as that is.
is_base <- function(x, class) typeof(x) %in% c("double", "integer") && inherits(x, class) && !isS4(x)

is_untyped_null <- function(x) is.logical(x) && all(is.na(x))
