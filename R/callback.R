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
    error = function(cnd) failed_answer(line, cnd)
  )
}

failed_answer <- function(line, cnd) list(payload = raw(), failure = note_failure(line, cnd))

# The answer if a function has returned `value`.
answer_with <- function(line, target, value, signature) {
  tryCatch(
    list(payload = callback_result(value, target, signature), failure = NULL),
    error = function(cnd) failed_answer(line, cnd)
  )
}

callback_arguments <- function(target, payload, connection, call) {
  values <- decode_row(payload, call = call)
  specs <- target$spec$func$args
  if (length(values) != length(specs)) {
    n <- c(length(values), length(specs))
    abort_protocol("The server calls an R function with {n[[1]]} argument{?s}, not {n[[2]]}.", call = call)
  }
  Map(from_objects, unname(values), unname(specs), MoreArgs = list(connection = connection))
}

# The function is called by the name of its parameter, so that conditions and tracebacks have
# a call that can be read.
run_callback <- function(target, args) {
  call <- callback_call(target)
  names(args) <- as.character(call[-1])
  eval(call, rlang::new_environment(c(args, rlang::set_names(list(target$value), target$name)), globalenv()))
}

# f(.x1, .x2): no parameter of Go's has such a name.
callback_call <- function(target) {
  as.call(lapply(c(target$name, sprintf(".x%d", seq_along(target$spec$func$args))), as.name))
}

# The Arrow stream of what it has returned.
callback_result <- function(value, target, signature) {
  spec <- target$spec$func$result
  if (is.null(spec)) return(raw())
  path <- list(
    signature = signature, arg = target$name, steps = character(), call = NULL,
    subject = paste0("the result of `", target$name, "`")
  )
  if (is_scalar_vector(spec)) {
    coerced <- tryCatch(
      {
        coerced <- coerce(value, spec, path)
        check_one(coerced, spec, path)
        coerced
      },
      mangoro_error_invalid_argument = function(cnd) {
        # Of an object that says which one is wanted, and of what program.
        if (inherits(value, "mangoro_object")) raise(cnd) else abort_returned(target, one_value(spec), value)
      }
    )
    return(encode_record(list(result = coerced)))
  }
  if (has_numbers(spec) && is.atomic(value) && !is.object(value)) attributes(value) <- NULL # of names Go knows nothing
  encode_row(list(result = coerce(value, spec, path)))
}

# Whether a result is one element of a vector, which is sent as a column of one row.
is_scalar_vector <- function(spec) spec$type %in% names(coercers) && spec$type != "binary"

# Whether it is numbers that C can write.
has_numbers <- function(spec) {
  spec$type %in% number_types || spec$type == "list" && is.null(spec$length) && spec$element$type %in% number_types
}

number_types <- c("float64", "int32", "int64")

# What a result of a single value must be, in words.
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
    object = paste0("a *", spec$name)
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

# --- Questions that C answers ---------------------------------------------------

# Most questions of a call differ from the one before in their numbers only, and so do the
# answers. C calls the function then (src/question.c): R code takes ten times as long.

# Keeps what C has to know of a target, after R code has answered its question.
learn_question <- function(line, target, question, ahead, answer, signature) {
  spec <- target$spec$func$result
  if (!is.null(spec) && !has_numbers(spec)) return(invisible())
  from <- .Call(c_template, question, ahead)
  to <- if (length(answer) > 0) .Call(c_template, answer, 0)
  known <- if (!is.null(from) && (is.null(spec) || !is.null(to))) {
    list(
      name = as.name(target$name), fun = NULL, call = callback_call(target), question = question, from = from,
      answer = answer, to = to, int64 = getOption("mangoro.int64")
    )
  }
  signature$last$questions[target$name] <- list(known)
  line$talk <- NULL
}

# What C has to know of a call; NULL if it knows none of its targets.
talk_of <- function(line, header, show, server, signature) {
  if (length(signature$last$questions) == 0) return(NULL)
  targets <- lapply(line$targets$list, function(target) {
    known <- if (target$kind == "function") signature$last$questions[[target$name]]
    if (is.null(known) || !identical(known$int64, getOption("mangoro.int64"))) return(NULL)
    known$fun <- target$value
    known
  })
  if (!all(vapply(targets, is.null, NA))) list(header, targets, line$timeout, server$log, show)
}

# --- Errors -----------------------------------------------------------------

# How many conditions of a call are kept.
max_failures <- 100L

# Keeps a condition that a callback has raised, by the number that Go gets with its text.
note_failure <- function(line, cnd) {
  failures <- line$failures %||% list(number = 0L, kept = list())
  number <- failures$number + 1L
  kept <- c(failures$kept, rlang::set_names(list(cnd), number))
  line$failures <- list(number = number, kept = utils::tail(kept, max_failures))
  list(failed = number, message = failure_text(cnd), class = failure_text(class(cnd)[[1]], 200L))
}

# Raises the error reply of a call that has failed because a callback did.
abort_failed_callback <- function(line, connection, message, reply, signature, call) {
  detail <- parse_detail(payload(reply, message))
  number <- detail[["r_error"]]
  failure <- if (rlang::is_scalar_integerish(number, finite = TRUE)) line$failures$kept[[as.character(number)]]
  if (is.null(failure)) return()
  show_output(connection$server, all = TRUE)
  frames <- panic_frames(detail, connection$server)
  abort_reply(signature$name, message$error_msg, detail, frames, call, failure = near_cause(failure))
}

# How many conditions a chain of callbacks has.
max_causes <- 5L

# A condition, or what has caused it if that has further causes: a chain is formatted each time
# that a condition is raised.
near_cause <- function(cnd) {
  chain <- list(cnd)
  while (inherits(parent <- chain[[length(chain)]]$parent, "condition")) chain <- c(chain, list(parent))
  if (length(chain) < max_causes) cnd else chain[[length(chain) - 1]]
}
