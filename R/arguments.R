# The arguments of a call: matched with a signature and coerced to the types that Go
# wants before anything is sent. Nothing is lost: a whole double becomes an integer, any
# other is an error.

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

check_argument_names <- function(given, signature, call) {
  named <- given[given != ""]
  unknown <- setdiff(named, fixed_arguments(signature))
  if (length(unknown) > 0) {
    shown <- shown_arguments(signature)
    variadic <- intersect(unknown, signature$variadic)
    abort_arguments(
      signature,
      c(
        "{cli::qty(unknown)}it has no argument{?s} {.arg {unknown}}; its arguments are {.arg {shown}}.",
        "i" = if (length(variadic) > 0) "The values of {.arg {variadic}} are given without a name."
      ),
      arg = unknown, call = call
    )
  }
  twice <- unique(named[duplicated(named)])
  if (length(twice) > 0) {
    abort_arguments(signature, "argument{?s} {.arg {twice}} {?is/are} given twice.", arg = twice, call = call)
  }
}

# Each argument as a value of its type.
coerce_arguments <- function(args, signature, call) {
  at <- match(names(args), signature$args)
  for (i in seq_along(args)) {
    path <- list(signature = signature, arg = signature$args[[at[[i]]]], steps = character(), call = call)
    spec <- signature$specs[[at[[i]]]]
    variadic <- path$arg %in% signature$variadic
    coerced <- if (variadic) coerce_variadic(args[[i]], spec, path) else coerce(args[[i]], spec, path)
    if (signature$boxed) check_one(coerced, spec, path)
    if (path$arg %in% signature$paths && is.character(coerced)) coerced <- as_path(coerced, path)
    args[i] <- list(coerced)
  }
  args
}

# Raises unless `x` is one value, if its type is that of one.
check_one <- function(x, spec, path, advice = advice_of_each(path)) {
  if (spec$type %in% names(coercers) && length(x) != 1) {
    subject <- describe_path(path)
    abort_arguments(
      path$signature, c("{subject} must be one value, not {length(x)}.", advice),
      arg = path$arg, call = path$call
    )
  }
}

# What to do where a function takes single values, and several were given.
advice_of_each <- function(path) {
  signature <- path$signature
  if (!signature$boxed || signature$streams || length(path$steps) > 0) return()
  if (length(signature$variadic) > 0 || !all(vapply(signature$specs, is_scalar_type, TRUE))) return()
  if (!signature$returns || !is.null(signature$result) && is_scalar_type(signature$result)) {
    return(c("i" = "It is called once, as {.code //mangoro:once} or {.code rgoipc.Once()} in Go says."))
  }
  c(
    "i" = "It is called once, since its result is not a single value. With {.code //mangoro:each} above it in Go, or
           the option {.code rgoipc.Each()}, it is called for each value, and returns a list."
  )
}

# Whether a value is one element of a vector, or one row of a data frame of such.
is_scalar_type <- function(spec) {
  spec$type %in% names(coercers) ||
    spec$type == "struct" && length(spec$fields) > 0 && all(vapply(spec$fields, is_scalar_type, TRUE))
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

# --- Values of a type -------------------------------------------------------

# `x` as a value of the type `spec`, or an error. `path` is the way to it, for messages:
#   signature, arg  the function and its argument
#   steps           names and indices inside the argument
#   inner           TRUE inside a list, whose elements are of one Arrow type
#   dim             the dimensions, if it is a matrix
#   call            the user's call
coerce <- function(x, spec, path) {
  if (path$signature$boxed && is_nil(x, spec)) return(NULL)
  if (is_dynamic(spec)) return(coerce_dynamic(x, spec, path))
  if (spec$type %in% typed) x <- sent_as(x)
  switch(spec$type,
    list = coerce_list(x, spec, path),
    struct = coerce_struct(x, spec, path),
    map = coerce_map(x, spec, path),
    matrix = coerce_matrix(x, spec, path),
    any = coerce_any(x, path),
    record = coerce_record(x, path),
    stream = coerce_stream(x, path),
    if (spec$type %in% names(coercers)) coerce_vector(x, spec, path) else x
  )
}

typed <- c(
  "list", "struct", "map", "matrix", "float64", "float32", "int8", "int16", "int32", "int64", "uint8", "uint16",
  "uint32", "uint64", "string", "bool", "timestamp", "duration", "date", "binary", "complex128", "complex64"
)

# Whether `x` is Go's nil, for types that have one.
is_nil <- function(x, spec) {
  if (!spec$nullable || !spec$type %in% c("list", "struct", "map", "matrix", "binary")) return(FALSE)
  is.null(x) || spec$type == "struct" && is_untyped_null(x)
}

is_untyped_null <- function(x) is.logical(x) && all(is.na(x))

coerce_vector <- function(x, spec, path) {
  x <- strip_attributes(x)
  if (is_untyped_null(x)) {
    x <- shaped_as(rep(typed_na[[spec$type]], length.out = length(x)), x)
  } else if (is.logical(x) && spec$type %in% numbers) {
    # As R's arithmetic does.
    x <- as_integer(x)
  }
  coerced <- coercers[[spec$type]](x, path)
  if (!spec$nullable) check_no_na(coerced, path)
  if (spec$type == "binary" && !is.null(spec$length)) {
    for (i in which(vapply(coerced, is.raw, NA))) {
      check_length(coerced[[i]], spec, if (is.raw(x)) path else path_to(path, i))
    }
  }
  coerced
}

# A vector without the class and attributes that say nothing of its values, such as
# label, tsp or na.action.
strip_attributes <- function(x) {
  has <- names(attributes(x))
  if (is.null(has) || !is.atomic(x)) return(x)
  class <- if (is.object(x)) if (isS4(x)) return(x) else base_class(x)
  kept <- c(if (is.object(x)) base_attributes[[class[[1]]]], shape)
  if (identical(class, oldClass(x)) && all(has %in% c(kept, "class"))) return(x)
  attributes(x) <- c(attributes(x)[has %in% kept], list(class = class[class != "none"]))
  x
}

# The class that decides about the Arrow type.
base_class <- function(x) {
  if (inherits(x, "factor")) return("factor")
  if (inherits(x, "Date")) return("Date")
  if (inherits(x, "POSIXct")) return(c("POSIXct", "POSIXt"))
  if (inherits(x, "difftime")) return("difftime")
  if (inherits(x, "integer64")) "integer64" else "none"
}

base_attributes <- list(factor = "levels", POSIXct = "tzone", difftime = "units")

typed_na <- list(
  float64 = NA_real_, float32 = NA_real_, int8 = NA_integer_, int16 = NA_integer_, int32 = NA_integer_,
  int64 = NA_integer_, uint8 = NA_integer_, uint16 = NA_integer_, uint32 = NA_integer_, uint64 = NA_integer_,
  string = NA_character_, bool = NA,
  timestamp = structure(NA_real_, class = c("POSIXct", "POSIXt")),
  duration = structure(NA_real_, class = "difftime", units = "secs"),
  date = structure(NA_real_, class = "Date"),
  binary = list(NULL), complex128 = NA_complex_, complex64 = NA_complex_
)

# The limits of integers; R's own has no -2147483648.
ranges <- list(
  int8 = c(-128, 127), int16 = c(-32768, 32767), int32 = c(-1, 1) * .Machine$integer.max,
  uint8 = c(0, 255), uint16 = c(0, 65535), uint32 = c(0, 2^32 - 1)
)

numbers <- c("float64", "float32", "int64", "uint64", names(ranges), "complex128", "complex64")

float32_max <- (2 - 2^-23) * 2^127

coercers <- list(
  float64 = function(x, path) {
    if (is.double(x) && !is.object(x)) return(x)
    if (is.integer(x) && !is.object(x)) return(as_double(x))
    if (is_integer64(x)) return(integer64_to_double(x, path))
    abort_type(x, "numeric", path)
  },
  float32 = function(x, path) {
    x <- coercers$float64(x, path)
    check_float32(x, x, path)
    x
  },
  int8 = function(x, path) small_integers(x, "int8", path),
  int16 = function(x, path) small_integers(x, "int16", path),
  int32 = function(x, path) if (is.integer(x) && !is.object(x)) x else small_integers(x, "int32", path),
  int64 = function(x, path) {
    if (is.integer(x) && !is.object(x) || is_integer64(x)) return(x)
    if (!is.double(x) || is.object(x)) abort_type(x, "whole numbers", path)
    check_whole(x, c(-2^53, 2^53), "up to 2^53, or an integer64", path)
    shaped_as(bit64::as.integer64(x), x)
  },
  uint8 = function(x, path) if (is.raw(x)) x else small_integers(x, "uint8", path),
  uint16 = function(x, path) small_integers(x, "uint16", path),
  uint32 = function(x, path) {
    x <- whole_numbers(x, path)
    check_range(x, "uint32", path)
    x
  },
  uint64 = function(x, path) {
    wrong <- if (is_integer64(x) || is.numeric(x) && !is.object(x)) which(x < 0)
    if (length(wrong) > 0) {
      abort_value(x, wrong[[1]], "must be whole numbers from 0 to 18446744073709551615", path)
    }
    coercers$int64(x, path)
  },
  string = function(x, path) {
    if (is.character(x)) return(x)
    if (is.factor(x)) return(shaped_as(as.character(x), x))
    abort_type(x, "character", path)
  },
  bool = function(x, path) if (is.logical(x) && !is.object(x)) x else abort_type(x, "logical", path),
  timestamp = function(x, path) {
    if (is_base(x, c("POSIXct", "Date"))) return(x)
    if (inherits(x, "POSIXlt")) {
      time <- tryCatch(strip_attributes(as.POSIXct(x)), error = function(cnd) NULL)
      if (!is.null(time)) return(time)
    }
    abort_type(x, "a date-time", path)
  },
  duration = function(x, path) if (is_base(x, "difftime")) x else abort_type(x, "a difftime", path),
  date = function(x, path) {
    if (!is_base(x, "Date")) abort_type(x, "a Date", path)
    check_days(x, path)
    x
  },
  binary = function(x, path) {
    if (is.raw(x)) return(list(x))
    if (!is_list(x) || is.data.frame(x)) abort_type(x, "a raw vector or a list of them", path)
    attributes(x) <- attributes(x)[intersect(shape, names(attributes(x)))]
    x[] <- lapply(x, sent_as)
    wrong <- which(!vapply(x, function(element) is.raw(element) || is.null(element), TRUE))
    if (length(wrong) > 0) abort_value(x, wrong[[1]], "must be a list of raw vectors", path)
    decorated <- !vapply(x, function(element) is.null(attributes(element)), TRUE)
    x[decorated] <- lapply(x[decorated], as.vector)
    x
  },
  complex128 = function(x, path) {
    if (is.complex(x) && !is.object(x)) return(x)
    if (is.numeric(x) && !is.object(x)) return(as.complex(x))
    abort_type(x, "complex", path)
  },
  complex64 = function(x, path) {
    x <- coercers$complex128(x, path)
    check_float32(pmax(abs(Re(x)), abs(Im(x))), x, path)
    x
  }
)

# Integers from numbers that are whole and in the range of `type`, which R's integer holds.
small_integers <- function(x, type, path) {
  x <- whole_numbers(x, path)
  check_range(x, type, path)
  as_integer(x)
}

# Integers and doubles as they are.
whole_numbers <- function(x, path) {
  if (is_integer64(x)) return(integer64_to_double(x, path))
  if (!is.numeric(x) || is.object(x)) abort_type(x, "whole numbers", path)
  x
}

check_range <- function(x, type, path) {
  range <- ranges[[type]]
  check_whole(x, range, paste("from", paste(format(range, scientific = FALSE, trim = TRUE), collapse = " to ")), path)
}

# `numbers` are those that must be in the range of `x`.
check_float32 <- function(numbers, x, path) {
  if (all_within(numbers, c(-float32_max, float32_max))) return(invisible())
  wrong <- which(abs(numbers) > float32_max & is.finite(numbers))
  if (length(wrong) > 0) {
    what <- paste0("must be numbers from -", float32_max, " to ", float32_max)
    abort_value(x, wrong[[1]], what, path)
  }
}

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

# Not a pairlist, which may have elements that are missing.
is_list <- function(x) typeof(x) == "list"

# Whether `x` is of a class of times, and made of numbers as that is.
is_base <- function(x, class) typeof(x) %in% c("double", "integer") && inherits(x, class) && !isS4(x)

integer64_to_double <- function(x, path) {
  # bit64 warns of what is an error here, and makes NA of it.
  value <- suppressWarnings(as.double(x))
  back <- suppressWarnings(bit64::as.integer64(value))
  wrong <- which(is.na(back) != is.na(x) | back != x)
  if (length(wrong) > 0) abort_value(x, wrong[[1]], "must be numbers that are exact as a double", path)
  shaped_as(value, x)
}

check_whole <- function(x, range, what, path) {
  if (is.integer(x) && all_within(x, range)) return(invisible())
  wrong <- x < range[[1]] | x > range[[2]]
  if (is.double(x)) wrong <- wrong | x != trunc(x) | is.nan(x)
  wrong <- which(wrong)
  if (length(wrong) > 0) {
    abort_value(x, wrong[[1]], paste("must be whole numbers", what), path)
  }
}

# Whether all numbers are in a range, without a vector as long as they are.
all_within <- function(x, range) {
  min(x, range[[1]], na.rm = TRUE) == range[[1]] && max(x, range[[2]], na.rm = TRUE) == range[[2]]
}

# A day that is not whole is a time of the day as well.
check_days <- function(x, path) {
  days <- as.double(x)
  wrong <- which(!is.na(days) & (days != floor(days) | abs(days) > .Machine$integer.max))
  if (length(wrong) > 0) abort_value(x, wrong[[1]], "must be whole days", path)
}

check_no_na <- function(x, path) {
  missing <- if (is_list(x)) {
    vapply(x, is.null, TRUE)
  } else if (is.complex(x)) {
    is_na_part(Re(x)) | is_na_part(Im(x))
  } else if (is.raw(x)) {
    FALSE
  } else {
    is.na(x)
  }
  if (any(missing)) {
    row <- which(missing)[[1]]
    if (length(x) > 1) abort_value(x, row, "takes no missing values", path, value = NA)
    subject <- describe_path(path)
    abort_arguments(
      path$signature, "{subject} must not be NA.",
      arg = path$arg, row = row, value = NA, call = path$call
    )
  }
}

# A NaN in a complex number is a value.
is_na_part <- function(x) is.na(x) & !is.nan(x)

# A list without names would be sent as a struct without names where its elements are
# of several types, and Go has no use for that. So it must be one that a column can be.
coerce_any <- function(x, path) {
  if (is_arrow(x)) {
    abort_type(
      x, "a vector or a data frame", path,
      advice = "; convert it with {.fn as.data.frame}, or take it as an {.code arrow.RecordBatch} or
      {.code array.RecordReader} in Go"
    )
  }
  if (path$signature$boxed && is_list(x) && !is.object(x) && is.null(names(x))) {
    encode_record(rlang::set_names(list(x), path$arg), raw(), path$call)
  }
  x
}

is_arrow <- function(x) inherits(x, c("nanoarrow_array_stream", "nanoarrow_array", "ArrowObject"))

# All batches of a stream become one record in Go.
coerce_record <- function(x, path) {
  x <- sent_as(x)
  if (!is.object(x) || is.data.frame(x) && !has_stream_method(x)) return(coerce_any(x, path))
  stream <- rlang::try_fetch(as_record_stream(x, path$call), mangoro_error_invalid_argument = function(cnd) NULL)
  if (!is.null(stream)) return(list(encode_arrow(stream, call = path$call)))
  if (is_arrow(x)) abort_type(x, "a data frame or an Arrow stream of them", path, advice = "")
  coerce_any(x, path)
}

coerce_dynamic <- function(x, spec, path, rows = FALSE, paths = NULL) {
  values <- dynamic_values(x, spec, rows)
  if (inherits(values, "mangoro_dynamic")) return(values)
  if (!is.null(paths)) path <- paths[[values$row]]
  where <- paste0(paste(c(path$arg, path$steps), collapse = "$"), values$path)
  abort_arguments(
    path$signature, "{.code {where}} cannot be sent{at_row(values$row)}: {values$text}.",
    arg = path$arg, row = if (values$row > 0) values$row, call = path$call
  )
}

# A data frame is a stream of one batch. Any other stream is sent as one value, its bytes.
coerce_stream <- function(x, path) {
  x <- sent_as(x)
  if (is.data.frame(x) && !has_stream_method(x)) return(x)
  stream <- rlang::try_fetch(
    as_record_stream(x, path$call),
    error = function(cnd) abort_type(x, "a data frame or an Arrow stream of them", path)
  )
  list(encode_arrow(stream, call = path$call))
}

# --- Nested values ----------------------------------------------------------

# A Go slice from a vector, a data frame or a list.
coerce_list <- function(x, spec, path) {
  element <- spec$element
  if (is.null(element)) return(x)
  if (is.null(x) && element$type %in% names(coercers)) abort_type(x, "a vector", path)
  check_length(x, spec, path)
  coerce_column(x, element, path)
}

# Raises unless `x` is as long as a Go array.
check_length <- function(x, spec, path) {
  rows <- is.data.frame(x) || identical(spec$element$type, "list")
  n <- if (rows) NROW(x) else length(x)
  if (is.null(spec$length) || n == spec$length) return(invisible())
  subject <- describe_path(path)
  abort_arguments(
    path$signature, "{subject} must have length {spec$length}, not {n}.",
    arg = path$arg, call = path$call
  )
}

# `x` as the elements of a list, or as a column of a data frame.
coerce_column <- function(x, spec, path) {
  x <- sent_as(x)
  if (is_dynamic(spec)) return(coerce_dynamic(x, spec, path, rows = TRUE))
  if (spec$nullable && spec$type %in% c("struct", "list") && is_untyped_null(x)) return(x)
  switch(spec$type,
    struct = coerce_rows(x, spec, path),
    map = coerce_map_rows(x, spec, path),
    list = coerce_lists(x, spec, path),
    if (spec$type %in% names(coercers)) as_elements(coerce_vector(x, spec, path), spec$type, path) else x
  )
}

# The names are dropped: a list with names would be sent as a struct. A matrix is its rows.
coerce_lists <- function(x, spec, path) {
  if (is.atomic(x) && length(attr(x, "dim")) > 1) x <- rows_of(strip_attributes(x), path)
  if (!is_list(x)) abort_type(x, "a list", path)
  element <- spec$element
  if (is.null(element)) return(x)
  attributes(x) <- NULL
  path$inner <- TRUE
  for (i in seq_along(x)) {
    if (!is.null(x[[i]]) || !spec$nullable) x[i] <- list(coerce_list(x[[i]], spec, path_to(path, i)))
  }
  if (element$type == "timestamp") one_zone(x, path) else x
}

# A vector among others in a list: all of them have one Arrow type, and one field, for
# attributes.
as_elements <- function(x, type, path) {
  if (type == "binary") attributes(x) <- NULL
  if (is.null(path$inner)) return(x)
  x <- switch(type,
    int64 = ,
    uint64 = if (is_integer64(x)) x else bit64::as.integer64(x),
    uint32 = as.double(x),
    uint8 = as.integer(x),
    timestamp = if (inherits(x, "Date")) midnight(x) else as_double(as.POSIXct(x)),
    duration = as.difftime(as.double(x, units = "secs"), units = "secs"),
    date = structure(as.double(x), class = "Date"),
    x
  )
  attributes(x) <- attributes(x)[intersect(c("class", "tzone", "units"), names(attributes(x)))]
  x
}

# A date as the time that Go makes of it.
midnight <- function(date) structure(as.double(date) * 86400, class = c("POSIXct", "POSIXt"), tzone = "UTC")

# Local time is the same with an empty tzone and without one.
one_zone <- function(times, path, paths = lapply(seq_along(times), path_to, path = path)) {
  there <- !vapply(times, is.null, TRUE)
  zones <- vapply(times[there], function(x) attr(x, "tzone")[1] %||% "", "")
  other <- which(zones != zones[1])
  if (length(other) > 0) {
    path <- paths[[which(there)[[other[[1]]]]]]
    subject <- describe_path(path)
    shown <- ifelse(zones == "", "local time", zones)
    abort_arguments(
      path$signature,
      "{subject} is in {shown[other[1]]}, but the times before it are in {shown[1]}; all need the same time zone.",
      arg = path$arg, call = path$call
    )
  }
  times[there] <- lapply(times[there], `attr<-`, "tzone", if (any(there)) attr(times[there][[1]], "tzone"))
  times
}

# --- Matrices ---------------------------------------------------------------

# What as.matrix() makes of a value: a vector is one column.
coerce_matrix <- function(x, spec, path) {
  if (is.data.frame(x) && is_list(x)) return(matrix_of_columns(x, spec, path))
  if (isS4(x)) x <- dense(x)
  if (is.null(x)) abort_type(x, "a matrix", path)
  check_dim(x, path)
  if (is.matrix(x)) path$dim <- attr(x, "dim")
  x <- coerce_vector(x, spec$element, path)
  if (is.matrix(x)) return(x)
  names <- if (is.array(x)) dimnames(x)[[1]] else names(x)
  shaped(x, c(length(x), 1L), names, NULL)
}

check_dim <- function(x, path) {
  n <- length(attr(x, "dim"))
  if (n < 3) return(invisible())
  subject <- describe_path(path)
  abort_arguments(
    path$signature,
    "{subject} must be a matrix, not an array of {n} dimensions; send a matrix of it, as {.code x[, , 1]} is, or its
    values, which {.fn as.vector} returns, to a slice.",
    arg = path$arg, call = path$call
  )
}

shaped <- function(x, dim, rows, columns) {
  attributes(x) <- attributes(x)[setdiff(names(attributes(x)), shape)]
  dim(x) <- dim
  if (!is.null(rows) || !is.null(columns)) dimnames(x) <- list(rows, columns)
  x
}

# A matrix of another package's class, such as a sparse one, as one of base R.
dense <- function(x) {
  matrix <- tryCatch(as.matrix(x), error = function(cnd) NULL)
  if (is.matrix(matrix) && is.atomic(matrix) && !is.object(matrix)) matrix else x
}

matrix_of_columns <- function(x, spec, path) {
  path$inner <- TRUE
  columns <- columns_of(x)
  for (i in seq_along(columns)) {
    column <- path_to(path, names(x)[[i]])
    values <- sent_as(columns[[i]])
    if (!is.atomic(values) || length(values) != nrow(x)) abort_type(values, "a vector", column, advice = "")
    columns[[i]] <- as_elements(coerce_vector(values, spec$element, column), spec$element$type, column)
  }
  if (spec$element$type == "timestamp") columns <- one_zone(columns, path)
  values <- if (length(columns) > 0) do.call(c, unname(columns)) else coerce_vector(logical(), spec$element, path)
  shaped(values, dim(x), if (.row_names_info(x) > 0) row.names(x), names(x))
}

rows_of <- function(x, path) {
  check_dim(x, path)
  lapply(seq_len(nrow(x)), function(i) shaped(x[i, ], NULL, NULL, NULL))
}

# --- Structs and maps -------------------------------------------------------

# Structs from the rows of a data frame of any class: Go sees nothing but its columns, and
# of these those that it has a field for.
coerce_rows <- function(x, spec, path) {
  frame <- is.data.frame(x)
  if (!frame && is_list(x) && !is.object(x) && is.null(names(x))) {
    path$inner <- TRUE
    return(coerce_each_row(x, spec, lapply(seq_along(x), path_to, path = path)))
  }
  n <- if (frame) nrow(x) else common_rows(x, path)
  columns <- coerce_fields(columns_of(x), spec, path, coerce_column, absent = rep(NA, n), ignore = frame)
  structure(columns, class = "data.frame", row.names = .set_row_names(n))
}

# The length of all vectors of a named list, which may stand for a data frame.
common_rows <- function(x, path) {
  if (!is_list(x) || is.object(x) || length(x) == 0 || is.null(names(x))) abort_type(x, "a data frame", path)
  n <- vapply(x, NROW, 1L)
  other <- which(n != n[[1]])
  if (length(other) > 0) {
    subject <- describe_path(path)
    names <- names(x)[c(1, other[[1]])]
    lengths <- n[c(1, other[[1]])]
    abort_arguments(
      path$signature,
      "{subject} must have vectors of one length to be a data frame, but {.field {names[1]}} has {lengths[1]} values
      and {.field {names[2]}} has {lengths[2]}.",
      arg = path$arg, call = path$call
    )
  }
  n[[1]]
}

columns_of <- function(x) {
  names <- names(x)
  attributes(x) <- NULL
  rlang::set_names(x, names)
}

# Maps from a list of them, or from the rows of a data frame, whose names are the keys.
coerce_map_rows <- function(x, spec, path) {
  if (is_list(x) && !is.data.frame(x)) return(coerce_maps(x, spec, path))
  if (!is.data.frame(x)) abort_type(x, "a data frame, or a list of named vectors", path)
  check_keys(x, path)
  columns <- columns_of(x)
  for (key in names(x)) columns[[key]] <- coerce_column(columns[[key]], spec$element, path_to(path, key))
  structure(columns, class = "data.frame", row.names = .set_row_names(nrow(x)))
}

coerce_struct <- function(x, spec, path) {
  if (is.null(spec$fields)) return(x)
  if (path$signature$recycles) {
    if (is.null(x)) return(NA)
    return(if (is_untyped_null(x)) x else coerce_as_rows(x, spec, path))
  }
  if (path$signature$vectorized) return(x)
  if (!is_list(x) || is.null(names(x)) && length(x) > 0) abort_type(x, "a named list", path)
  frame <- is.data.frame(x)
  x <- if (frame) fields_of_frame(x, spec, path) else columns_of(x)
  x <- coerce_fields(x, spec, path, coerce, ignore = frame)
  for (name in names(x)) {
    if (!is.null(x[[name]])) check_one(x[[name]], spec$fields[[name]], path_to(path, name))
  }
  x
}

# Raises unless a data frame has one row.
check_row <- function(x, path) {
  if (nrow(x) != 1) {
    subject <- describe_path(path)
    abort_arguments(
      path$signature,
      c("{subject} must be a named list or a data frame of one row, not of {nrow(x)} rows.", advice_of_each(path)),
      arg = path$arg, call = path$call
    )
  }
}

# The fields of a struct from a data frame: its columns if all fields are slices, or its
# only row.
fields_of_frame <- function(x, spec, path) {
  if (nrow(x) != 1) {
    slices <- all(vapply(spec$fields, function(field) field$type == "list", NA))
    if (!slices) check_row(x, path)
    return(columns_of(x))
  }
  lapply(columns_of(x), only_element)
}

# The rows of a data frame, or a named list as the only row of one.
coerce_as_rows <- function(x, spec, path) {
  if (is.data.frame(x)) return(coerce_rows(x, spec, path))
  if (!is_list(x) || is.null(names(x)) && length(x) > 0) abort_type(x, "a data frame or a named list", path)
  path$inner <- TRUE
  coerce_each_row(list(x), spec, list(path))
}

# Structs from a list with a named list, or a data frame of one row, for each. `paths` are
# those of the rows. One that is NULL is nil, which the attribute mangoro_nil says.
coerce_each_row <- function(rows, spec, paths) {
  nil <- vapply(rows, function(x) is.null(x) || spec$nullable && is_untyped_null(x), TRUE)
  if (any(nil) && !spec$nullable) abort_type(NULL, "a named list", paths[[which(nil)[[1]]]])
  rows[nil] <- list(NULL)
  rows[!nil] <- Map(row_fields, rows[!nil], paths[!nil], MoreArgs = list(spec = spec))
  columns <- lapply(rlang::set_names(names(spec$fields)), function(name) {
    cells <- lapply(rows, `[[`, name)
    absent <- vapply(cells, is.null, TRUE)
    if (!name %in% spec$optional) absent <- absent & (nil | spec$fields[[name]]$nullable)
    coerce_cells(cells, absent, spec$fields[[name]], lapply(paths, path_to, name))
  })
  structure(
    columns, class = "data.frame", row.names = .set_row_names(length(rows)), mangoro_nil = if (any(nil)) unname(nil)
  )
}

# The fields of a struct in such a list.
row_fields <- function(x, path, spec) {
  x <- sent_as(x)
  if (!is_list(x) || is.null(names(x)) && length(x) > 0) abort_type(x, "a named list", path)
  frame <- is.data.frame(x)
  if (frame) check_row(x, path)
  x <- if (frame) lapply(columns_of(x), only_element) else columns_of(x)
  coerce_fields(x, spec, path, function(x, spec, path) x, ignore = frame)
}

# A column of the values of a field in each row, which is missing in those of `absent`.
coerce_cells <- function(cells, absent, spec, paths) {
  if (length(cells) > 0 && all(absent) && paths[[1]]$signature$vectorized) return(rep(NA, length(cells)))
  if (spec$type == "struct") return(coerce_each_row(cells, utils::modifyList(spec, list(nullable = TRUE)), paths))
  if (is_dynamic(spec)) return(coerce_dynamic(cells, spec, NULL, rows = TRUE, paths = paths))
  if (!spec$type %in% c("list", "map", names(coercers))) return(cells)
  there <- Map(function(x, path) coerce_cell(x, spec, path), unname(cells)[!absent], paths[!absent])
  scalar <- spec$type %in% names(coercers)
  times <- identical(if (scalar) spec$type else spec$element$type, "timestamp")
  if (times) there <- one_zone(there, paths = paths[!absent])
  if (scalar) there <- do.call(c, there) %||% as_elements(typed_na[[spec$type]][0], spec$type, list(inner = TRUE))
  column <- there[match(seq_along(cells), which(!absent))]
  if (spec$type == "map") as_maps(column) else column
}

coerce_cell <- function(x, spec, path) {
  if (spec$type == "list") return(coerce_list(x, spec, path))
  if (spec$type == "map") {
    if (!goes_as_map(spec)) abort_type(x, "a data frame", path)
    return(map_values(x, spec, path))
  }
  x <- as_elements(coerce_vector(sent_as(x), spec, path), spec$type, path)
  check_one(x, spec, path, advice = c("i" = "Several rows are a data frame."))
  x
}

# The element of a list column of one row.
only_element <- function(x) {
  if (is_list(x) && is.null(names(x)) && !inherits(x, c("data.frame", "POSIXlt"))) x[[1]] else x
}

# `absent` is the value of an optional field that is not there. `ignore` leaves out what is
# no field: a data frame has more columns than one function needs, but a name in a list
# that somebody wrote for it is a mistake.
coerce_fields <- function(x, spec, path, coerce, absent = NULL, ignore = FALSE) {
  wanted <- names(spec$fields)
  if (is.null(wanted)) return(x)
  names(x) <- match_names(names(x), wanted)
  if (ignore) x <- x[names(x) %in% wanted]
  missing <- setdiff(wanted, c(names(x), spec$optional))
  unknown <- setdiff(names(x), wanted)
  twice <- unique(names(x)[duplicated(names(x))])
  if (length(c(missing, unknown, twice)) > 0) {
    abort_fields(wanted, list(missing = missing, unknown = unknown, "given twice" = twice), path)
  }
  left_out <- setdiff(wanted, names(x))
  x[left_out] <- list(absent)
  x <- x[wanted]
  for (name in wanted) {
    # What has no NA is zero in Go, and what is no vector is nil. In an elementwise function
    # all fields may be NA, which an untyped null is not if the field may be left out.
    field <- spec$fields[[name]]
    vector <- field$nullable && field$type %in% names(coercers) && !path$signature$vectorized
    if (name %in% spec$optional && (is.null(x[[name]]) || name %in% left_out && !vector)) next
    x[name] <- list(coerce(x[[name]], spec$fields[[name]], path_to(path, name)))
  }
  x
}

coerce_maps <- function(x, spec, path) {
  if (!goes_as_map(spec)) abort_type(x, "a data frame", path)
  attributes(x) <- NULL
  path$inner <- TRUE
  for (i in seq_along(x)) {
    if (!is.null(x[[i]])) x[[i]] <- map_values(x[[i]], spec, path_to(path, i))
  }
  if (isTRUE(spec$element$type == "timestamp")) x <- one_zone(x, path)
  as_maps(x)
}

coerce_map <- function(x, spec, path) {
  values <- map_values(x, spec, path)
  if (goes_as_map(spec)) as_map(values) else rlang::set_names(as.list(values), names(values))
}

# A vector or list of the values of a map, with their names.
map_values <- function(x, spec, path) {
  x <- sent_as(x)
  element <- spec$element
  frame <- is.data.frame(x)
  if (!is.atomic(x) && !is_list(x) || frame && !identical(element$type, "list")) {
    abort_type(x, "a named vector or list", path)
  }
  if (frame) x <- columns_of(x)
  check_keys(x, path)
  keys <- names(x) %||% character()
  if (is.null(element)) return(rlang::set_names(x, keys))
  values <- if (element$type %in% names(coercers)) coerce_values(x, element, path) else coerce_each(x, element, path)
  rlang::set_names(values, keys)
}

# Whether maps are Arrow maps, whose values are of one type. Others are sent as structs.
goes_as_map <- function(spec) {
  flat <- function(type) is.null(type) || type$type %in% names(coercers)
  spec$type == "map" && (flat(spec$element) || spec$element$type == "list" && flat(spec$element$element))
}

# The values of a map as one vector.
coerce_values <- function(x, spec, path) {
  if (length(x) == 0) x <- logical()
  if (!is_list(x) || spec$type == "binary") return(as_elements(coerce_vector(x, spec, path), spec$type, path))
  path$inner <- TRUE
  coerce_value <- function(value, key) {
    path <- path_to(path, key)
    value <- sent_as(value)
    check_one(value, spec, path)
    as_elements(coerce_vector(value, spec, path), spec$type, path)
  }
  values <- Map(coerce_value, unname(x), names(x))
  do.call(c, unname(if (spec$type == "timestamp") one_zone(values, path) else values))
}

coerce_each <- function(x, spec, path) {
  if (!is_list(x)) abort_type(x, "a named list", path)
  if (spec$type == "list") path$inner <- TRUE
  for (key in names(x)) x[key] <- list(coerce(x[[key]], spec, path_to(path, key)))
  if (spec$type == "list" && identical(spec$element$type, "timestamp")) one_zone(x, path) else x
}

# Raises unless each value of a map has a name of its own.
check_keys <- function(x, path) {
  keys <- names(x) %||% rep("", length(x))
  wrong <- which(is.na(keys) | keys == "" | duplicated(keys))
  if (length(wrong) > 0) {
    subject <- describe_path(path)
    row <- wrong[[1]]
    abort_arguments(
      path$signature, "{subject} needs a unique name for each value, but value {row} has {.val {keys[[row]]}}.",
      arg = path$arg, row = row, call = path$call
    )
  }
}

path_to <- function(path, name) {
  path$steps <- c(path$steps, as.character(name))
  path
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

# A matrix is a column of its rows.
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
  # The name is put in first: it must not count as the quantity of the message.
  head <- escape_braces(format_inline("{.fn {signature$name}}: "))
  message[[1]] <- paste0(head, message[[1]])
  abort_invalid_argument(arg, message, func_name = signature$name, ..., call = call, .envir = .envir)
}

describe_path <- function(path) {
  if (length(path$steps) == 0) return(format_inline("argument {.arg {path$arg}}"))
  steps <- paste(path$steps, collapse = "$")
  format_inline("{.val {steps}} of argument {.arg {path$arg}}")
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

class_advice <- function(x) {
  foreign <- isS4(x) || is.object(x) && is_list(x) && !inherits(x, c("data.frame", "POSIXlt"))
  if (foreign) "; a method of {.fn mangoro_send_as} can say how its class is sent"
}

# Element `row` of `x` is wrong.
abort_value <- function(x, row, what, path, value = if (is_list(x)) x[[row]] else unname(x[row])) {
  subject <- describe_path(path)
  shown <- show_value(value)
  place <- if (is_list(x)) paste("row", row) else position(row, path, x)
  if (place == "") place <- "it"
  abort_arguments(
    path$signature, "{subject} {what}, but {place} is {shown}.",
    arg = path$arg, row = row, value = value, call = path$call
  )
}

# `wrong` are names of fields by what is wrong with them.
abort_fields <- function(wanted, wrong, path) {
  subject <- describe_path(path)
  wanted <- some_names(wanted)
  wrong <- wrong[lengths(wrong) > 0]
  problems <- paste0(names(wrong), ": ", vapply(wrong, some_names, ""), collapse = "; ")
  abort_arguments(
    path$signature, "{subject} must have the fields {wanted}; {problems}.",
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
