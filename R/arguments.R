# The arguments of a call, checked against a signature before anything is sent.
# An argument that passes is of the type that Go takes, or goes there without
# loss: a whole double for an integer.

# The arguments in the order of the signature; those left out are not in it.
# `args` are what the user gave, by position or by full name.
match_arguments <- function(args, signature, call) {
  wanted <- signature$args
  given <- match_names(names(args) %||% rep("", length(args)), wanted)
  check_argument_names(given, signature, call)
  free <- setdiff(wanted, given)
  position <- which(given == "")
  if (length(position) > length(free)) {
    abort_arguments(
      signature, "it takes {length(wanted)} argument{?s}{of_names(wanted)}, not {length(args)}.",
      call = call
    )
  }
  given[position] <- free[seq_along(position)]
  names(args) <- given
  missing <- setdiff(wanted[!signature$optional], given)
  if (length(missing) > 0) {
    abort_arguments(signature, "argument{?s} {.arg {missing}} {?is/are} missing.", arg = missing, call = call)
  }
  args <- args[wanted[wanted %in% given]]
  # NULL leaves an argument out.
  optional <- signature$args[signature$optional]
  args[!(names(args) %in% optional & vapply(args, is.null, TRUE))]
}

of_names <- function(names) if (length(names) > 0) format_inline(", {.arg {names}}") else ""

check_argument_names <- function(given, signature, call) {
  named <- given[given != ""]
  unknown <- setdiff(named, signature$args)
  if (length(unknown) > 0) {
    abort_arguments(
      signature,
      "{cli::qty(unknown)}it has no argument{?s} {.arg {unknown}}; its arguments are {.arg {signature$args}}.",
      arg = unknown, call = call
    )
  }
  twice <- unique(named[duplicated(named)])
  if (length(twice) > 0) {
    abort_arguments(signature, "argument{?s} {.arg {twice}} {?is/are} given twice.", arg = twice, call = call)
  }
}

# Each argument as its type asks for it.
fit_arguments <- function(args, signature, call) {
  at <- match(names(args), signature$args)
  for (i in seq_along(args)) {
    where <- list(signature = signature, arg = signature$args[[at[[i]]]], path = character(), call = call)
    spec <- signature$specs[[at[[i]]]]
    fitted <- fit(args[[i]], spec, where)
    if (signature$boxed) check_one(fitted, spec, where)
    args[i] <- list(fitted)
  }
  args
}

# Where an argument is a single value of Go, one is given.
check_one <- function(x, spec, where) {
  if (spec$type %in% names(fitters) && length(x) != 1) {
    place <- describe_place(where)
    abort_arguments(
      where$signature, "{place} must be one value, not {length(x)}.",
      arg = where$arg, call = where$call
    )
  }
}

# --- Values of a type -------------------------------------------------------

# `x` as a value of the type `spec`, or an error that tells `where` it does not
# fit. `where` has the signature, the argument, the path inside it and the call.
fit <- function(x, spec, where) {
  if (where$signature$boxed && is_nil(x, spec)) return(NULL)
  if (spec$type %in% typed) x <- sent_as(x)
  switch(spec$type,
    list = fit_list(x, spec, where),
    struct = fit_struct(x, spec, where),
    map = fit_map(x, spec, where),
    any = fit_any(x, where),
    stream = fit_stream(x, where),
    if (spec$type %in% names(fitters)) fit_vector(x, spec, where) else x
  )
}

typed <- c(
  "list", "struct", "map", "float64", "int32", "int64", "string", "bool", "timestamp", "duration", "binary",
  "complex128"
)

# Go's nil, where that is taken.
is_nil <- function(x, spec) {
  if (!spec$nullable || !spec$type %in% c("list", "struct", "map", "binary")) return(FALSE)
  is.null(x) || spec$type == "struct" && is_bare_na(x)
}

is_bare_na <- function(x) is.logical(x) && all(is.na(x))

fit_vector <- function(x, spec, where) {
  x <- plain_values(x)
  if (is_bare_na(x)) {
    x <- shaped_as(rep(typed_na[[spec$type]], length.out = length(x)), x)
  }
  fitted <- fitters[[spec$type]](x, where)
  if (!spec$nullable) check_no_na(fitted, where)
  fitted
}

# A vector without the class and attributes that Go's type does not need, as
# label, tsp or na.action. Those that say what its values are, it keeps.
plain_values <- function(x) {
  has <- names(attributes(x))
  if (is.null(has) || !is.atomic(x)) return(x)
  class <- if (is.object(x)) if (isS4(x)) return(x) else base_class(x)
  kept <- c(if (is.object(x)) base_attributes[[class[[1]]]], shape)
  if (identical(class, oldClass(x)) && all(has %in% c(kept, "class"))) return(x)
  attributes(x) <- c(attributes(x)[has %in% kept], list(class = class[class != "none"]))
  x
}

# The class whose Arrow type is another than that of the vector.
base_class <- function(x) {
  if (inherits(x, "factor")) return("factor")
  if (inherits(x, "Date")) return("Date")
  if (inherits(x, "POSIXct")) return(c("POSIXct", "POSIXt"))
  if (inherits(x, "difftime")) return("difftime")
  if (inherits(x, "integer64")) "integer64" else "none"
}

base_attributes <- list(factor = "levels", POSIXct = "tzone", difftime = "units")

typed_na <- list(
  float64 = NA_real_, int32 = NA_integer_, int64 = NA_integer_, string = NA_character_, bool = NA,
  timestamp = structure(NA_real_, class = c("POSIXct", "POSIXt")),
  duration = structure(NA_real_, class = "difftime", units = "secs"),
  binary = list(NULL), complex128 = NA_complex_
)

fitters <- list(
  float64 = function(x, where) {
    if (is.double(x) && !is.object(x)) return(x)
    if (is.integer(x) && !is.object(x)) return(as_double(x))
    if (is_integer64(x)) return(fit_integer64_to_double(x, where))
    abort_type(x, "numeric", where)
  },
  int32 = function(x, where) {
    if (is.integer(x) && !is.object(x)) return(x)
    if (is_integer64(x)) x <- fit_integer64_to_double(x, where)
    if (!is.double(x) || is.object(x)) abort_type(x, "whole numbers", where)
    check_whole(x, .Machine$integer.max, "that fit 32 bits", where)
    as_integer(x)
  },
  int64 = function(x, where) {
    if (is.integer(x) && !is.object(x) || is_integer64(x)) return(x)
    if (!is.double(x) || is.object(x)) abort_type(x, "whole numbers", where)
    check_whole(x, 2^53, "up to 2^53, or an integer64", where)
    shaped_as(bit64::as.integer64(x), x)
  },
  string = function(x, where) {
    if (is.character(x)) return(x)
    if (is.factor(x)) return(shaped_as(as.character(x), x))
    abort_type(x, "character", where)
  },
  bool = function(x, where) if (is.logical(x) && !is.object(x)) x else abort_type(x, "logical", where),
  timestamp = function(x, where) {
    if (is_base(x, c("POSIXct", "Date"))) return(x)
    if (inherits(x, "POSIXlt")) {
      time <- tryCatch(plain_values(as.POSIXct(x)), error = function(cnd) NULL)
      if (!is.null(time)) return(time)
    }
    abort_type(x, "a date-time", where)
  },
  duration = function(x, where) if (is_base(x, "difftime")) x else abort_type(x, "a difftime", where),
  binary = function(x, where) {
    if (is.raw(x)) return(list(x))
    if (!is_list(x) || is.data.frame(x)) abort_type(x, "a raw vector or a list of them", where)
    attributes(x) <- attributes(x)[intersect(shape, names(attributes(x)))]
    x[] <- lapply(x, sent_as)
    wrong <- which(!vapply(x, function(element) is.raw(element) || is.null(element), TRUE))
    if (length(wrong) > 0) abort_value(x[[wrong[[1]]]], wrong[[1]], "must be a list of raw vectors", where)
    decorated <- !vapply(x, function(element) is.null(attributes(element)), TRUE)
    x[decorated] <- lapply(x[decorated], as.vector)
    x
  },
  complex128 = function(x, where) {
    if (is.complex(x) && !is.object(x)) return(x)
    if (is.numeric(x) && !is.object(x)) return(as.complex(x))
    abort_type(x, "complex", where)
  }
)

# As as.double() and as.integer(), with names and dimensions.
as_double <- function(x) {
  storage.mode(x) <- "double"
  x
}

as_integer <- function(x) {
  storage.mode(x) <- "integer"
  x
}

# `to`, which has none, with the names and dimensions of `from`.
shaped_as <- function(to, from) {
  attributes(to) <- c(attributes(to), attributes(from)[intersect(shape, names(attributes(from)))])
  to
}

shape <- c("dim", "dimnames", "names")

is_integer64 <- function(x) inherits(x, "integer64")

# A pairlist is none: it may have elements that are missing.
is_list <- function(x) typeof(x) == "list"

# A class of times is one of numbers.
is_base <- function(x, class) typeof(x) %in% c("double", "integer") && inherits(x, class) && !isS4(x)

fit_integer64_to_double <- function(x, where) {
  # bit64 warns of what is told here, and what does not come back is NA.
  value <- suppressWarnings(as.double(x))
  back <- suppressWarnings(bit64::as.integer64(value))
  wrong <- which(is.na(back) != is.na(x) | back != x)
  if (length(wrong) > 0) abort_value(x[wrong[[1]]], wrong[[1]], "must be numbers that a double holds exactly", where)
  shaped_as(value, x)
}

check_whole <- function(x, limit, what, where) {
  wrong <- which(!is.na(x) & (x != trunc(x) | abs(x) > limit) | is.nan(x))
  if (length(wrong) > 0) {
    abort_value(x[[wrong[[1]]]], wrong[[1]], paste("must be whole numbers", what), where)
  }
}

check_no_na <- function(x, where) {
  missing <- if (is_list(x)) {
    vapply(x, is.null, TRUE)
  } else if (is.complex(x)) {
    is_na_part(Re(x)) | is_na_part(Im(x))
  } else {
    is.na(x)
  }
  if (any(missing)) {
    abort_value(NA, which(missing)[[1]], "takes no missing values", where)
  }
}

# A NaN in a complex number is a value.
is_na_part <- function(x) is.na(x) & !is.nan(x)

# A list without names goes as a list, and where it cannot as a struct without
# names, which Go has no use for. So it must be one that a column could be.
fit_any <- function(x, where) {
  if (inherits(x, c("nanoarrow_array_stream", "nanoarrow_array", "ArrowObject"))) {
    abort_type(
      x, "a vector or a data frame", where,
      advice = "; {.fn as.data.frame} makes one of it, and a {.code array.RecordReader} in Go takes it batch by batch"
    )
  }
  if (where$signature$boxed && is_list(x) && !is.object(x) && is.null(names(x))) {
    encode_record(rlang::set_names(list(x), where$arg), raw(), where$call)
  }
  x
}

# A data frame is a stream of one batch. What else has batches goes as the Arrow
# stream that it is: one value, which is its bytes.
fit_stream <- function(x, where) {
  x <- sent_as(x)
  if (is.data.frame(x) && !has_stream_method(x)) return(x)
  stream <- rlang::try_fetch(
    as_record_stream(x, where$call),
    error = function(cnd) abort_type(x, "a data frame or an Arrow stream of them", where)
  )
  list(encode_arrow(stream, call = where$call))
}

# --- Nested values ----------------------------------------------------------

# A list is a vector, a data frame or a list, whose elements are those of Go's.
fit_list <- function(x, spec, where) {
  element <- spec$element
  if (is.null(element)) return(x)
  if (is.null(x) && element$type %in% names(fitters)) abort_type(x, "a vector", where)
  fit_column(x, element, where)
}

# `x` as the elements of a list, or as a column of a data frame.
fit_column <- function(x, spec, where) {
  x <- sent_as(x)
  if (spec$nullable && spec$type %in% c("struct", "list") && is_bare_na(x)) return(x)
  switch(spec$type,
    struct = fit_rows(x, spec, where),
    map = fit_map_rows(x, spec, where),
    list = fit_lists(x, spec, where),
    if (spec$type %in% names(fitters)) as_elements(fit_vector(x, spec, where), spec$type, where) else x
  )
}

# A list with names would go as a struct.
fit_lists <- function(x, spec, where) {
  if (!is_list(x)) abort_type(x, "a list", where)
  element <- spec$element
  if (is.null(element)) return(x)
  attributes(x) <- NULL
  where$inner <- TRUE
  for (i in seq_along(x)) {
    if (!is.null(x[[i]]) || !spec$nullable) x[i] <- list(fit_list(x[[i]], spec, inside(where, i)))
  }
  if (element$type == "timestamp") one_zone(x, where) else x
}

# A vector among others in a list: Arrow has one type for all of them, and one
# place for attributes.
as_elements <- function(x, type, where) {
  if (type == "binary") attributes(x) <- NULL
  if (is.null(where$inner)) return(x)
  x <- switch(type,
    int64 = if (is_integer64(x)) x else bit64::as.integer64(x),
    timestamp = if (inherits(x, "Date")) midnight(x) else as_double(as.POSIXct(x)),
    duration = as.difftime(as.double(x, units = "secs"), units = "secs"),
    x
  )
  attributes(x) <- attributes(x)[intersect(c("class", "tzone", "units"), names(attributes(x)))]
  x
}

# As Go has a date among times.
midnight <- function(date) structure(as.double(date) * 86400, class = c("POSIXct", "POSIXt"), tzone = "UTC")

# Local time is the same with an empty tzone and without one.
one_zone <- function(times, where) {
  there <- !vapply(times, is.null, TRUE)
  zones <- vapply(times[there], function(x) attr(x, "tzone")[1] %||% "", "")
  other <- which(zones != zones[1])
  if (length(other) > 0) {
    place <- describe_place(inside(where, which(there)[[other[[1]]]]))
    shown <- ifelse(zones == "", "local time", zones)
    abort_arguments(
      where$signature,
      "{place} is in {shown[other[1]]}, and the times before it in {shown[1]}; they need one time zone.",
      arg = where$arg, call = where$call
    )
  }
  times[there] <- lapply(times[there], `attr<-`, "tzone", if (any(there)) attr(times[there][[1]], "tzone"))
  times
}

# A data frame of any class, for the fields of structs: they are all that Go sees.
fit_rows <- function(x, spec, where) {
  if (!is.data.frame(x)) abort_type(x, "a data frame", where)
  columns <- fit_fields(columns_of(x), spec, where, fit_column, absent = rep(NA, nrow(x)))
  structure(columns, class = "data.frame", row.names = .set_row_names(nrow(x)))
}

columns_of <- function(x) {
  names <- names(x)
  attributes(x) <- NULL
  rlang::set_names(x, names)
}

# Maps in a column are a list of them, or the rows of a data frame: its names are
# the keys.
fit_map_rows <- function(x, spec, where) {
  if (is_list(x) && !is.data.frame(x)) return(fit_maps(x, spec, where))
  if (!is.data.frame(x)) abort_type(x, "a data frame, or a list of named vectors", where)
  check_keys(x, where)
  columns <- columns_of(x)
  for (key in names(x)) columns[[key]] <- fit_column(columns[[key]], spec$element, inside(where, key))
  structure(columns, class = "data.frame", row.names = .set_row_names(nrow(x)))
}

fit_struct <- function(x, spec, where) {
  if (is.null(spec$fields) || where$signature$vectorized) return(x)
  if (!is_list(x) || is.null(names(x)) && length(x) > 0) abort_type(x, "a named list", where)
  if (is.data.frame(x) && nrow(x) != 1) abort_type(x, "a named list or a data frame of one row", where)
  one_row <- is.data.frame(x)
  x <- columns_of(x)
  if (one_row) x <- lapply(x, only_element)
  x <- fit_fields(x, spec, where, fit)
  for (name in names(x)) {
    if (!is.null(x[[name]])) check_one(x[[name]], spec$fields[[name]], inside(where, name))
  }
  x
}

# What a list column of one row holds.
only_element <- function(x) {
  if (is_list(x) && is.null(names(x)) && !inherits(x, c("data.frame", "POSIXlt"))) x[[1]] else x
}

# `absent` is what stands for an optional field that is not there.
fit_fields <- function(x, spec, where, fit, absent = NULL) {
  wanted <- names(spec$fields)
  if (is.null(wanted)) return(x)
  names(x) <- match_names(names(x), wanted)
  missing <- setdiff(wanted, c(names(x), spec$optional))
  unknown <- setdiff(names(x), wanted)
  twice <- unique(names(x)[duplicated(names(x))])
  if (length(c(missing, unknown, twice)) > 0) {
    abort_fields(wanted, list(missing = missing, unknown = unknown, "given twice" = twice), where)
  }
  x[setdiff(wanted, names(x))] <- list(absent)
  x <- x[wanted]
  for (name in wanted) {
    if (is.null(x[[name]]) && name %in% spec$optional) next
    x[name] <- list(fit(x[[name]], spec$fields[[name]], inside(where, name)))
  }
  x
}

fit_maps <- function(x, spec, where) {
  if (!goes_as_map(spec)) abort_type(x, "a data frame", where)
  attributes(x) <- NULL
  where$inner <- TRUE
  for (i in seq_along(x)) {
    if (!is.null(x[[i]])) x[[i]] <- map_values(x[[i]], spec, inside(where, i))
  }
  if (isTRUE(spec$element$type == "timestamp")) x <- one_zone(x, where)
  as_maps(x)
}

fit_map <- function(x, spec, where) {
  values <- map_values(x, spec, where)
  if (goes_as_map(spec)) as_map(values) else rlang::set_names(as.list(values), names(values))
}

# A vector or list of the values of a map, with their names.
map_values <- function(x, spec, where) {
  x <- sent_as(x)
  if (!is.atomic(x) && !is_list(x) || is.data.frame(x)) abort_type(x, "a named vector or list", where)
  check_keys(x, where)
  element <- spec$element
  keys <- names(x) %||% character()
  if (is.null(element)) return(rlang::set_names(x, keys))
  values <- if (element$type %in% names(fitters)) fit_values(x, element, where) else fit_each(x, element, where)
  rlang::set_names(values, keys)
}

# A map of Arrow's has values of one type. Others go as the structs that named
# lists are.
goes_as_map <- function(spec) {
  flat <- function(type) is.null(type) || type$type %in% names(fitters)
  spec$type == "map" && (flat(spec$element) || spec$element$type == "list" && flat(spec$element$element))
}

# The values of a map as one vector.
fit_values <- function(x, spec, where) {
  if (length(x) == 0) x <- logical()
  if (!is_list(x) || spec$type == "binary") return(as_elements(fit_vector(x, spec, where), spec$type, where))
  where$inner <- TRUE
  fit_value <- function(value, key) {
    where <- inside(where, key)
    value <- sent_as(value)
    check_one(value, spec, where)
    as_elements(fit_vector(value, spec, where), spec$type, where)
  }
  values <- Map(fit_value, unname(x), names(x))
  do.call(c, unname(if (spec$type == "timestamp") one_zone(values, where) else values))
}

fit_each <- function(x, spec, where) {
  if (!is_list(x)) abort_type(x, "a named list", where)
  if (spec$type == "list") where$inner <- TRUE
  for (key in names(x)) x[key] <- list(fit(x[[key]], spec, inside(where, key)))
  if (spec$type == "list" && identical(spec$element$type, "timestamp")) one_zone(x, where) else x
}

# Each value of a map has a name of its own.
check_keys <- function(x, where) {
  keys <- names(x) %||% rep("", length(x))
  wrong <- which(is.na(keys) | keys == "" | duplicated(keys))
  if (length(wrong) > 0) {
    place <- describe_place(where)
    row <- wrong[[1]]
    abort_arguments(
      where$signature, "{place} needs a unique name for each value, and value {row} has {.val {keys[[row]]}}.",
      arg = where$arg, row = row, call = where$call
    )
  }
}

inside <- function(where, name) {
  where$path <- c(where$path, as.character(name))
  where
}

# --- Lengths ----------------------------------------------------------------

# The length of the result of a vectorized call: each argument's divides it, and
# one of length 0 makes it 0.
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

# A matrix is a column of as many rows.
row_count <- function(x) if (length(dim(x)) > 1) nrow(x) else length(x)

recycle <- function(x, n) {
  if (row_count(x) == n) return(x)
  index <- rep_len(seq_len(row_count(x)), n)
  if (length(dim(x)) < 2) return(x[index])
  others <- rep(list(rlang::missing_arg()), length(dim(x)) - 1)
  do.call(`[`, c(list(x, index), others, list(drop = FALSE)))
}

# --- What is wrong ----------------------------------------------------------

# `message` is what is wrong, after the name of the function.
abort_arguments <- function(signature, message, arg = NULL, ..., call, .envir = parent.frame()) {
  # cli takes one quantity a message: the name of the function is put in here.
  head <- escape_braces(format_inline("{.fn {signature$name}}: "))
  abort_invalid_argument(arg, paste0(head, message), func_name = signature$name, ..., call = call, .envir = .envir)
}

describe_place <- function(where) {
  if (length(where$path) == 0) return(format_inline("argument {.arg {where$arg}}"))
  path <- paste(where$path, collapse = "$")
  format_inline("{.val {path}} of argument {.arg {where$arg}}")
}

abort_type <- function(x, wanted, where, advice = class_advice(x)) {
  place <- describe_place(where)
  row <- if (is.atomic(x) && length(x) > 0) which(!is.na(x))[1] else NA
  got <- if (is.na(row)) {
    format_inline("{.obj_type_friendly {x}}")
  } else {
    paste0(friendly_class(x), " (row ", row, ": ", show_value(x[[row]]), ")")
  }
  abort_arguments(
    where$signature, paste0("{place} must be {wanted}, not {got}", advice, "."),
    arg = where$arg, row = row, call = where$call
  )
}

class_advice <- function(x) {
  foreign <- isS4(x) || is.object(x) && is_list(x) && !inherits(x, c("data.frame", "POSIXlt"))
  if (foreign) "; a method of {.fn mangoro_send_as} says how its class is sent"
}

abort_value <- function(value, row, what, where) {
  place <- describe_place(where)
  shown <- show_value(value)
  abort_arguments(
    where$signature, "{place} {what}, and row {row} is {shown}.",
    arg = where$arg, row = row, value = value, call = where$call
  )
}

# `wrong` are names of fields by what is wrong with them.
abort_fields <- function(wanted, wrong, where) {
  place <- describe_place(where)
  wanted <- some_names(wanted)
  wrong <- wrong[lengths(wrong) > 0]
  problems <- paste0(names(wrong), ": ", vapply(wrong, some_names, ""), collapse = "; ")
  abort_arguments(
    where$signature, "{place} must have the fields {wanted}; {problems}.",
    arg = where$arg, call = where$call
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
    # What is no text is shown by its bytes.
    text <- as_utf8(x)
    if (is.na(text)) return(strtrim(encodeString(x, quote = "\""), 50))
    return(encodeString(strtrim(text, 50), quote = "\""))
  }
  if (is.numeric(x) && !is.object(x)) return(format(x, digits = 15))
  strtrim(paste(format(x), collapse = " "), 50)
}
