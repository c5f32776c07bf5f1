# Vectors as the types of Go's single values. Nothing is lost: a whole double becomes an
# integer, any other is an error.

# Whether a value is one element of a vector, or one row of a data frame of such.
is_scalar_type <- function(spec) {
  spec$type %in% names(coercers) ||
    spec$type == "struct" && length(spec$fields) > 0 && all(vapply(spec$fields, is_scalar_type, TRUE))
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

coerce_vector <- function(x, spec, path) {
  if (spec$type == "object") path$type <- spec$name
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
  binary = list(NULL), object = NA_character_, complex128 = NA_complex_, complex64 = NA_complex_
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
  object = function(x, path) object_ids(x, path$type, path),
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
  } else if (is.character(x) && .Call(c_no_na, x)) { # so that it is not made
    FALSE
  } else if (is.object(x) || anyNA(x)) {
    is.na(x)
  } else {
    FALSE
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

# The number of rows of a matrix or data frame, of values of another vector.
row_count <- function(x) if (length(dim(x)) > 1) nrow(x) else length(x)
