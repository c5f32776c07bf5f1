# Refused arguments: what is wrong with a value, and where in the argument it is.

# `message` is what is wrong, after the name of the function.
abort_arguments <- function(signature, message, arg = NULL, ..., call, .envir = parent.frame()) {
  # The name is put in first: it must not count as the quantity of the message.
  head <- escape_braces(format_inline("{.fn {signature$name}}: "))
  message[[1]] <- paste0(head, message[[1]])
  abort_invalid_argument(arg, message, func_name = signature$name, ..., call = call, .envir = .envir)
}

describe_path <- function(path) {
  whole <- path$subject %||% format_inline("argument {.arg {path$arg}}")
  if (length(path$steps) == 0) return(whole)
  steps <- paste(path$steps, collapse = "$")
  paste(format_inline("{.val {steps}} of"), whole)
}

abort_type <- function(x, wanted, path, advice = conversion_advice(x, wanted) %||% class_advice(x)) {
  subject <- describe_path(path)
  row <- if (is.atomic(x) && length(x) > 0) which(!is.na(x))[1] else NA
  got <- if (is.na(row)) {
    format_inline("{.obj_type_friendly {x}}")
  } else {
    paste0(friendly_class(x), " (", position(row, path, x, ": "), show_value(x[[row]]), ")")
  }
  abort_arguments(
    path$signature, paste0("{subject} must be {wanted}, not {got}", advice, "."),
    arg = path$arg, row = row, call = path$call
  )
}

# Where element `row` of `x` is, in a matrix with its column. The only one needs no place.
position <- function(row, path, x, end = "") {
  if (!is.null(path$dim)) {
    at <- arrayInd(row, path$dim)
    return(sprintf("row %d, column %d%s", at[[1]], at[[2]], end))
  }
  if (length(x) > 1) paste0("row ", format(row, scientific = FALSE), end) else ""
}

# The function of base R that converts `x` to what is wanted, if it can convert the first value.
conversion_advice <- function(x, wanted) {
  if (!is.object(x) && is_list(x) && wanted %in% c("numeric", "whole numbers", "character", "logical")) {
    single <- length(x) > 0 && all(vapply(x, function(element) is.atomic(element) && length(element) == 1, TRUE))
    return(if (single) "; convert it with {.fn unlist}")
  }
  if (wanted == "a difftime" && is.numeric(x) && !is.object(x)) {
    return("; convert it with {.code as.difftime(x, units = \"secs\")}")
  }
  name <- converter(x, wanted)
  if (is.null(name)) return()
  first <- x[!is.na(x)][1]
  converted <- tryCatch(suppressWarnings(get(name, baseenv())(first)), error = function(cnd) NA)
  if (length(converted) > 0 && !anyNA(converted)) paste0("; convert it with {.fn ", name, "}")
}

converter <- function(x, wanted) {
  plain <- !is.object(x)
  number <- plain && (is.numeric(x) || is.logical(x))
  text <- plain && is.character(x)
  switch(wanted,
    numeric = ,
    "whole numbers" = if (text || number) "as.numeric",
    character = if (number || inherits(x, c("Date", "POSIXct", "integer64"))) "as.character",
    logical = if (text || number) "as.logical",
    "a Date" = if (text || inherits(x, "POSIXt")) "as.Date",
    "a date-time" = if (text) "as.POSIXct",
    "a raw vector or a list of them" = if (text) "charToRaw"
  )
}

# What to send instead of NULL to a slice of `element`.
null_advice <- function(element, path) {
  empty <- switch(element$type, string = "character()", bool = "logical()", float64 = "numeric()", int64 = "integer()")
  advice <- c(
    if (!is.null(empty)) format_inline("an empty one is {.code {empty}}"),
    if (length(path$steps) == 0 && is.null(path$subject)) {
      format_inline("{.code //mangoro:default {path$arg}=NULL} in Go takes NULL as nil")
    }
  )
  if (length(advice) > 0) paste0("; ", paste(advice, collapse = ", and "))
}

class_advice <- function(x) {
  foreign <- isS4(x) || is.object(x) && is_list(x) && !inherits(x, c("data.frame", "POSIXlt"))
  if (foreign) "; a method of {.fn mangoro_send_as} can say how its class is sent"
}

# Element `row` of `x` is wrong.
abort_value <- function(x, row, what, path, value = if (is_list(x)) x[[row]] else unname(x[row])) {
  subject <- describe_path(path)
  shown <- show_value(value)
  place <- if (is_list(x)) paste("row", row) else position(row, path, x)
  got <- if (place == "") paste("not", shown) else paste("but", place, "is", shown)
  abort_arguments(
    path$signature, "{subject} {what}, {got}.",
    arg = path$arg, row = row, value = value, call = path$call
  )
}

# `wrong` are names of fields by what is wrong with them.
abort_fields <- function(wanted, wrong, path) {
  subject <- describe_path(path)
  fields <- if (length(wanted) == 1) "field" else "fields"
  wanted <- some_names(wanted)
  wrong <- wrong[lengths(wrong) > 0]
  problems <- paste0(names(wrong), ": ", vapply(wrong, some_names, ""), collapse = "; ")
  abort_arguments(
    path$signature, "{subject} must have the {fields} {wanted}; {problems}.",
    arg = path$arg, call = path$call
  )
}

# The first few of many names.
some_names <- function(names) {
  more <- length(names) - 5
  if (more < 1) return(format_inline("{.field {names}}"))
  names <- names[1:5]
  shown <- vapply(names, function(name) format_inline("{.field {name}}"), "")
  paste0(paste(shown, collapse = ", "), " and ", more, " more")
}

friendly_class <- function(x) if (is.object(x)) class(x)[[1]] else if (is.double(x)) "numeric" else typeof(x)

show_value <- function(x) {
  if (is.character(x)) {
    # Bytes that are not text are shown as such.
    text <- as_utf8(x)
    if (is.na(text)) return(strtrim(encodeString(x, quote = "\""), 50))
    return(encodeString(strtrim(text, 50), quote = "\""))
  }
  if (is.numeric(x) && !is.object(x)) return(show_number(x))
  if (is_base(x, "Date")) {
    days <- as.double(x)
    if (!is.finite(days)) return(format(days))
    if (days != floor(days)) x <- as.POSIXct(x)
  }
  strtrim(paste(format(x), collapse = " "), 50)
}

# With as many digits as tell it from a whole number.
show_number <- function(x) {
  shown <- format(x, digits = 15)
  if (is.finite(x) && as.numeric(shown) != x) format(x, digits = 17) else shown
}

path_to <- function(path, name) {
  path$steps <- c(path$steps, as.character(name))
  path
}
