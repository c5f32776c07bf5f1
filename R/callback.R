# Callbacks: R functions that Go calls while R waits for a call. They run in the frame of that
# call, as any R code does. An error becomes Go's, and comes back as the parent of what the
# call raises.

# The answer of a target, a function, to the arguments in `payload`, an Arrow stream of one
# row: list(payload = , failure = ), see continue_message().
answer_question <- function(line, connection, target, payload, signature, call) {
  args <- callback_arguments(target, payload, connection, call)
  tryCatch(
    {
      value <- run_callback(target, args)
      list(payload = callback_result(value, target, signature), failure = NULL)
    },
    error = function(cnd) list(payload = raw(), failure = note_failure(line, cnd))
  )
}

callback_arguments <- function(target, payload, connection, call) {
  values <- decode_row(payload, call = call)
  specs <- target$spec$func$args
  if (length(values) != length(specs)) {
    abort_protocol("The server calls an R function with {length(values)} argument{?s}, not {length(specs)}.", call = call)
  }
  Map(from_objects, unname(values), unname(specs), MoreArgs = list(connection = connection))
}

# The function is called by the name of its parameter, so that conditions and tracebacks have
# a call that can be read: f(x1).
run_callback <- function(target, args) {
  names(args) <- sprintf("x%d", seq_along(args))
  frame <- rlang::new_environment(c(args, rlang::set_names(list(target$value), target$name)), globalenv())
  eval(as.call(lapply(c(target$name, names(args)), as.name)), frame)
}

# The Arrow stream of what it has returned.
callback_result <- function(value, target, signature) {
  spec <- target$spec$func$result
  if (is.null(spec)) return(raw())
  path <- list(
    signature = signature, arg = target$name, steps = character(), call = NULL,
    subject = format_inline("the result of {.arg {target$name}}")
  )
  one <- one_value(spec)
  coerced <- rlang::try_fetch(
    {
      value <- coerce(value, spec, path)
      check_one(value, spec, path)
      value
    },
    mangoro_error_invalid_argument = function(cnd) if (is.null(one)) raise(cnd) else abort_returned(target, one, value)
  )
  encode_row(list(result = coerced))
}

# What a result of a single value must be, in words. NULL for other types.
one_value <- function(spec) {
  range <- ranges[[spec$type]]
  if (!is.null(range) && spec$type != "int32") {
    return(paste("one whole number from", paste(format(range, scientific = FALSE, trim = TRUE), collapse = " to ")))
  }
  switch(spec$type,
    float64 = , float32 = "one number",
    int32 = , int64 = , uint64 = "one whole number",
    string = "one string",
    bool = "`TRUE` or `FALSE`",
    complex64 = , complex128 = "one complex number",
    timestamp = "one date-time",
    duration = "one difftime",
    date = "one Date",
    binary = "one raw vector"
  )
}

abort_returned <- function(target, wanted, value) {
  shown <- is.atomic(value) && length(value) == 1 && !is.object(value) && !is.na(value)
  got <- if (shown) show_value(value) else friendly_type(value)
  abort_invalid_argument(
    target$name, "{.arg {target$name}} must return {wanted}, not {got}.",
    value = if (shown) value
  )
}

# --- Errors -----------------------------------------------------------------

# How many conditions of a call are kept, and how long the text is that Go gets of one.
max_failures <- 100L
max_failure_text <- 10000L

# Keeps a condition that a callback has raised, by the number that Go gets with its text.
note_failure <- function(line, cnd) {
  failures <- line$failures %||% list(number = 0L, kept = list())
  number <- failures$number + 1L
  kept <- c(failures$kept, rlang::set_names(list(cnd), number))
  line$failures <- list(number = number, kept = utils::tail(kept, max_failures))
  text <- function(x, limit) make_valid(substr(cli::ansi_strip(enc2utf8(x)), 1, limit))
  list(failed = number, message = text(conditionMessage(cnd), max_failure_text), class = text(class(cnd)[[1]], 200L))
}

# Raises the error reply of a call that has failed because a callback did.
abort_failed_callback <- function(line, connection, message, reply, signature, call) {
  detail <- parse_detail(payload(reply, message))
  number <- detail[["r_error"]]
  failure <- if (rlang::is_scalar_integerish(number, finite = TRUE)) line$failures$kept[[as.character(number)]]
  if (is.null(failure)) return()
  show_output(connection$server, all = TRUE)
  frames <- panic_frames(detail, connection$server)
  abort_reply(signature$name, message$error_msg, detail, frames, call, failure = failure)
}
