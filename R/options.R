# The options of the package, which are checked before they are used.

# Whether a value is what an option may be, and what to say of others. NULL is the default of each.
option_rule <- function(is_valid, wanted) list(is_valid = is_valid, wanted = wanted)

seconds_rule <- option_rule(is_seconds, "a number of seconds above 0")
flag_rule <- option_rule(rlang::is_bool, "{.code TRUE} or {.code FALSE}")
limit_rule <- option_rule(is_limit, "a number of at least 0")
name_rule <- option_rule(is_nonempty, "one non-empty string")

option_rules <- list(
  mangoro.timeout = seconds_rule,
  mangoro.connect_timeout = seconds_rule,
  mangoro.go_path = name_rule,
  mangoro.cache_dir = name_rule,
  mangoro.cache_max_age = limit_rule,
  mangoro.cache_max_size = limit_rule,
  mangoro.int64 = option_rule(
    function(x) rlang::is_string(x, c("auto", "integer64", "double")), "{.val auto}, {.val integer64} or {.val double}"
  ),
  mangoro.shared_memory = flag_rule,
  mangoro.output = flag_rule,
  mangoro.progress = flag_rule,
  mangoro.go_site = name_rule
)

# The value of an option, `default` if it is not set.
read_option <- function(name, default = NULL, call = NULL) {
  value <- getOption(name)
  if (is.null(value)) return(default)
  check_option(name, value, call)
  value
}

# Checks the options that a call uses, before anything is sent. C and what shows output and progress
# take those that are not valid for the default. Nearly always they are what they were.
check_options <- function(call = rlang::caller_env()) {
  values <- options(
    "mangoro.timeout", "mangoro.connect_timeout", "mangoro.int64", "mangoro.shared_memory", "mangoro.output",
    "mangoro.progress"
  )
  if (identical(values, the$options)) {
    return(invisible())
  }
  for (name in names(values)) if (!is.null(values[[name]])) check_option(name, values[[name]], call)
  the$options <- values
}

check_option <- function(name, value, call) {
  rule <- option_rules[[name]]
  if (rule$is_valid(value)) {
    return(invisible())
  }
  got <- if (rlang::is_string(value)) format_inline("{.val {value}}") else describe_number(value)
  abort_invalid_argument(
    name, paste0("The option {.code {name}} must be ", rule$wanted, ", not {got}."),
    call = call
  )
}
