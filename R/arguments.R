# The arguments of a call: matched with a signature, coerced to the types that Go wants
# before anything is sent, and recycled.

# `args`, given by position or by full name, in the order of the signature, without those
# that are left out. What is beyond the others is one list, for a variadic one.
match_arguments <- function(args, signature, call) {
  wanted <- fixed_arguments(signature)
  given <- match_names(names(args) %||% rep("", length(args)), wanted)
  check_argument_names(given, signature, call)
  free <- setdiff(wanted, given)
  position <- which(given == "")
  beyond <- position[seq_along(position) > length(free)]
  if (length(beyond) > 0 && length(signature$variadic) == 0) {
    abort_arguments(
      signature, "it takes {length(wanted)} argument{?s}{of_names(wanted)}, not {length(args)}.",
      call = call
    )
  }
  position <- setdiff(position, beyond)
  given[position] <- free[seq_along(position)]
  names(args) <- given
  missing <- setdiff(signature$args[!signature$optional], given)
  if (length(missing) > 0) {
    abort_arguments(signature, "argument{?s} {.arg {missing}} {?is/are} missing.", arg = missing, call = call)
  }
  rest <- if (length(beyond) > 0) rlang::set_names(list(unname(args[beyond])), signature$variadic)
  args <- args[wanted[wanted %in% given]]
  # NULL leaves an argument out.
  optional <- signature$args[signature$optional]
  args <- args[!(names(args) %in% optional & vapply(args, is.null, TRUE))]
  # Go would look for the default of a path in its own working directory.
  defaults <- rlang::set_names(signature$defaults, signature$args)[setdiff(signature$paths, names(args))]
  c(args, Filter(rlang::is_string, defaults), rest)
}

# Those that are not R's `...`.
fixed_arguments <- function(signature) setdiff(signature$args, signature$variadic)

# The arguments as R shows them.
shown_arguments <- function(signature) c(fixed_arguments(signature), rep("...", length(signature$variadic)))

of_names <- function(names) if (length(names) > 0) format_inline(", {.arg {names}}") else ""

# The arguments of our own verbs that may be meant by names without their dot, and whose they are.
dotted <- list(
  timeout = c("mangoro_call", "mangoro_async", "mangoro_map"),
  progress = c("mangoro_async", "mangoro_map")
)

dotted_advice <- function(unknown) {
  meant <- intersect(unknown, names(dotted))
  advice <- vapply(meant, function(name) format_inline("{.arg .{name}} is an argument of {.fn {dotted[[name]]}}."), "")
  rlang::set_names(advice, rep("i", length(advice)))
}

check_argument_names <- function(given, signature, call) {
  named <- given[given != ""]
  unknown <- setdiff(named, fixed_arguments(signature))
  if (length(unknown) > 0) {
    shown <- shown_arguments(signature)
    variadic <- intersect(unknown, signature$variadic)
    abort_arguments(
      signature,
      c(
        "{cli::qty(unknown)}it has no argument{?s} {.arg {unknown}};
         {cli::qty(shown)}its argument{?s} {?is/are} {.arg {shown}}.",
        "i" = if (length(variadic) > 0) "The values of {.arg {variadic}} are given without a name.",
        dotted_advice(unknown)
      ),
      arg = unknown, call = call
    )
  }
  twice <- unique(named[duplicated(named)])
  if (length(twice) > 0) {
    abort_arguments(signature, "argument{?s} {.arg {twice}} {?is/are} given twice.", arg = twice, call = call)
  }
}

# Each argument as a value of its type. What Go may ask while the call runs is kept in
# `targets`.
coerce_arguments <- function(args, signature, call, targets = NULL) {
  at <- match(names(args), signature$args)
  for (i in seq_along(args)) {
    path <- list(
      signature = signature, arg = signature$args[[at[[i]]]], steps = character(), call = call, targets = targets
    )
    spec <- signature$specs[[at[[i]]]]
    variadic <- path$arg %in% signature$variadic
    coerced <- if (variadic) coerce_variadic(args[[i]], spec, path) else coerce(args[[i]], spec, path)
    if (signature$boxed) check_one(coerced, spec, path)
    if (path$arg %in% signature$paths && is.character(coerced)) coerced <- as_path(coerced, path)
    args[i] <- list(coerced)
  }
  args
}

# Paths that Go can use, whatever its working directory is.
as_path <- function(x, path) {
  if (is.null(getwd()) && !all(is.na(x) | is_absolute(x))) {
    subject <- describe_path(path)
    abort_arguments(
      path$signature, "{subject} is a relative path, but R's working directory does not exist.",
      arg = path$arg, call = path$call
    )
  }
  absolute_path(x)
}

# The values of R's `...` as one argument: vectors are combined as by c(), and so are the
# rows of data frames; anything else is one element.
coerce_variadic <- function(values, spec, path) {
  path$arg <- "..."
  path$inner <- TRUE
  # Bytes are a raw vector, which is one value.
  element <- if (spec$type == "list") spec$element else spec
  if (is_dynamic(spec)) return(coerce_dynamic(values, spec, path))
  if (identical(element$type, "struct")) return(coerce_variadic_rows(values, element, path))
  if (!isTRUE(element$type %in% names(coercers))) return(coerce_list(values, spec, path))
  there <- which(!vapply(values, is.null, TRUE))
  parts <- lapply(there, function(i) {
    as_elements(coerce_vector(sent_as(values[[i]]), element, path_to(path, i)), element$type, path)
  })
  if (length(parts) == 0) return(NULL)
  combined <- do.call(c, parts)
  if (spec$type == "binary") list(do.call(c, combined)) else combined
}

coerce_variadic_rows <- function(values, spec, path) {
  if (length(values) == 1 && is.data.frame(values[[1]])) return(coerce_rows(values[[1]], spec, path_to(path, 1)))
  rows <- list()
  paths <- list()
  for (i in which(!vapply(values, is.null, TRUE))) {
    x <- sent_as(values[[i]])
    more <- if (is.data.frame(x)) frame_rows(x) else list(x)
    rows <- c(rows, more)
    paths <- c(paths, rep(list(path_to(path, i)), length(more)))
  }
  if (length(rows) > 0) coerce_each_row(rows, spec, paths)
}

# The rows of a data frame, each a data frame.
frame_rows <- function(x) {
  columns <- columns_of(x)
  lapply(seq_len(nrow(x)), function(i) {
    row <- lapply(columns, function(column) if (length(dim(column)) == 2) column[i, , drop = FALSE] else column[i])
    structure(row, class = "data.frame", row.names = 1L)
  })
}

# --- Lengths ----------------------------------------------------------------

# The length of the result of an elementwise call: the longest argument's, which those of
# the others must divide, or 0 if one is empty.
common_length <- function(args, signature, call) {
  n <- vapply(args, row_count, 1)
  if (length(n) == 0) return(1)
  if (any(n == 0)) return(0)
  wrong <- which(max(n) %% n != 0)
  if (length(wrong) > 0) {
    longest <- names(args)[[which.max(n)]]
    arg <- names(args)[[wrong[[1]]]]
    length <- n[[wrong[[1]]]]
    abort_arguments(
      signature,
      "argument {.arg {arg}} of length {length} cannot be recycled to the length of {.arg {longest}}, {max(n)}.",
      arg = arg, call = call
    )
  }
  max(n)
}

recycle <- function(x, n) {
  if (row_count(x) == n) return(x)
  index <- rep_len(seq_len(row_count(x)), n)
  if (length(dim(x)) < 2) return(x[index])
  others <- rep(list(rlang::missing_arg()), length(dim(x)) - 1)
  do.call(`[`, c(list(x, index), others, list(drop = FALSE)))
}
