# R values as Arrow IPC streams and back. The work is done in src/; here are its
# errors, and what r.attributes may say.

# One raw vector: `header`, and the stream of `x`, a data frame or a named list of
# vectors of one length.
encode_record <- function(x, header = raw(), call = rlang::caller_env()) {
  check_encoded(.Call(codec_encode_record, x, header, native_encoding(), mangoro_send_as), call)
}

# A record of one row: each of `args`, a named list, is one value in it.
encode_row <- function(args, header = raw(), call = rlang::caller_env()) {
  check_encoded(.Call(codec_encode_row, args, header, native_encoding(), mangoro_send_as), call)
}

# Vectors with names as Arrow maps, one for each element of a list. In a row they
# are one value, or, where there is but one, that.
as_maps <- function(x) structure(x, class = "mangoro_maps")

as_map <- function(x) structure(list(x), class = "mangoro_map")

# As encode_record(), of arguments that need nothing done to them: vectors of the
# signature's plain types, without attributes and of one length. NULL for others,
# and for what cannot be written.
encode_plain <- function(args, signature, header) {
  bytes <- .Call(codec_encode_plain, args, signature$plain, signature$args, header, native_encoding())
  if (is.raw(bytes)) bytes
}

# The same of a stream or array of nanoarrow.
encode_arrow <- function(x, header = raw(), call = rlang::caller_env()) {
  stream <- nanoarrow::as_nanoarrow_array_stream(x)
  check_encoded(.Call(codec_encode_arrow, stream, header), call)
}

# The stream of `bytes`, as a data frame; as a list if R has written it from one,
# or if it has more rows than a data frame. `ahead` stands before it: a number of
# bytes, or which bytes. NULL if others do.
decode_record <- function(bytes, ahead = 0, call = rlang::caller_env()) {
  check_decoded(.Call(codec_decode_record, bytes, ahead, parser(call)), call)
}

# A stream of one row, as the list that encode_row() took.
decode_row <- function(bytes, ahead = 0, call = rlang::caller_env()) {
  check_decoded(.Call(codec_decode_row, bytes, ahead, parser(call)), call)
}

# In which encoding strings are that are not marked, as src/ counts them.
native_encoding <- function() {
  l10n <- l10n_info()
  if (l10n[["UTF-8"]]) {
    2L
  } else if (l10n$MBCS || l10n[["Latin-1"]] || .Platform$OS.type == "windows") {
    1L
  } else {
    0L
  }
}

check_encoded <- function(value, call) {
  if (!inherits(value, "mangoro_codec_failure")) {
    return(value)
  }
  place <- if (nzchar(value$where)) value$where else "The data"
  abort_invalid_argument(
    sub("[$[].*", "", value$where),
    "{.code {place}} cannot be written as Arrow{at_row(value$row)}: {value$text}.",
    row = if (value$row > 0) value$row,
    call = call
  )
}

check_decoded <- function(value, call) {
  if (!inherits(value, "mangoro_codec_failure")) {
    return(value)
  }
  place <- if (nzchar(value$where)) paste0(", column `", value$where, "`")
  what <- if (value$row > 0) {
    "The reply has a value that R cannot hold"
  } else {
    "The bytes are no Arrow stream that R can read"
  }
  abort_protocol(
    "{what}{place}{at_row(value$row)}: {value$text}.",
    row = if (value$row > 0) value$row,
    call = call
  )
}

at_row <- function(row) if (row > 0) paste0(", row ", format(row, scientific = FALSE))

# --- r.attributes ---

# From the JSON of a peer to list(own, other): attributes that R knows, and others.
# Lengths are held against the vector in src/.
parser <- function(call) {
  function(json) {
    abort <- function(what) abort_protocol("The peer's {.field r.attributes} are not valid: {what}.", call = call)
    parsed <- tryCatch(
      jsonlite::fromJSON(json, simplifyDataFrame = FALSE, simplifyMatrix = FALSE),
      error = function(cnd) abort("no JSON")
    )
    if (!is_object(parsed)) abort("no object")
    unknown <- setdiff(names(parsed), c(names(attribute_readers), "dimnames_names", "other"))
    if (length(unknown) > 0) abort(paste0("\"", unknown[[1]], "\" is not known"))
    list(read_own(parsed, abort), read_other(parsed$other, abort))
  }
}

# jsonlite gives an empty list for {} and [] both.
is_object <- function(x) is.list(x) && (length(x) == 0 || (!is.null(names(x)) && !anyDuplicated(names(x))))

read_own <- function(parsed, abort) {
  own <- list()
  for (name in intersect(names(attribute_readers), names(parsed))) {
    value <- attribute_readers[[name]](parsed[[name]])
    if (is.null(value)) abort(paste0("\"", name, "\" is of another type"))
    own[[if (name == "row_names") "row.names" else name]] <- value
  }
  if (!is.null(parsed[["dimnames_names"]])) {
    labels <- read_strings(parsed[["dimnames_names"]])
    if (is.null(labels) || length(labels) != length(own$dimnames)) abort("\"dimnames_names\" do not fit")
    names(own$dimnames) <- labels
  }
  own
}

# Each is the R value, or NULL for one of another type.
read_strings <- function(x) {
  if (is.list(x) && length(x) == 0) {
    return(character())
  }
  if (is.character(x)) x else if (is.logical(x) && all(is.na(x))) as.character(x)
}

read_whole <- function(x) {
  if (is.list(x) && length(x) == 0) {
    return(integer())
  }
  if (is.logical(x) && all(is.na(x))) x <- as.integer(x)
  if (is.numeric(x) && all(is.na(x) | (x == trunc(x) & abs(x) <= .Machine$integer.max))) as.integer(x)
}

read_row_names <- function(x) {
  value <- if (is.numeric(x)) read_whole(x) else read_strings(x)
  if (!anyNA(value) && !anyDuplicated(value)) value
}

read_zones <- function(x) {
  zones <- read_strings(x)
  if (!anyNA(zones)) zones
}

read_units <- function(x) {
  if (rlang::is_string(x) && x %in% c("secs", "mins", "hours", "days", "weeks")) x
}

read_dim <- function(x) {
  dim <- read_whole(x)
  if (length(dim) > 0 && !anyNA(dim) && all(dim >= 0)) dim
}

read_dimnames <- function(x) {
  # jsonlite makes a vector of [null, null].
  if (is.logical(x) && all(is.na(x))) x <- vector("list", length(x))
  if (!is.list(x)) {
    return()
  }
  names <- lapply(x, function(i) if (!is.null(i)) read_strings(i))
  # No names at all are NULL in R.
  if (all(vapply(x, is.null, NA) == vapply(names, is.null, NA))) names
}

read_class <- function(x) {
  class <- read_strings(x)
  if (length(class) > 0 && !anyNA(class)) class
}

read_series <- function(x) {
  series <- read_plain("double", x)
  if (length(series) == 3 && !anyNA(series)) series
}

attribute_readers <- list(
  names = read_strings,
  dim = read_dim,
  dimnames = read_dimnames,
  tzone = read_zones,
  units = read_units,
  tsp = read_series,
  storage = function(x) if (identical(x, "integer")) x,
  selfref = function(x) if (isTRUE(x)) x,
  class = read_class,
  row_names = read_row_names
)

own_attributes <- c("class", "names", "dim", "dimnames", "row.names", "tsp", ".internal.selfref")

read_other <- function(other, abort) {
  if (is.null(other)) {
    return(list())
  }
  if (!is_object(other)) abort("\"other\" is no object")
  bad <- c("", own_attributes)
  for (name in names(other)) {
    if (name %in% bad) abort(paste0("\"", name, "\" cannot be among the others"))
    value <- other[[name]]
    if (!is_value(value)) abort(paste0("\"", name, "\" has no value"))
    value <- read_value(value)
    if (is.null(value) || name == "comment" && !is.character(value)) abort(paste0("\"", name, "\" is of another type"))
    other[[name]] <- value
  }
  other
}

is_value <- function(x) {
  is_object(x) && setequal(setdiff(names(x), "attributes"), c("type", "value"))
}

# A vector with its attributes, or NULL.
read_value <- function(x) {
  if (!is_value(x)) {
    return()
  }
  value <- if (identical(x$type, "list")) read_list(x$value) else read_plain(x$type, x$value)
  if (is.null(value) || is.null(x$attributes)) {
    return(value)
  }
  if (!is_object(x$attributes)) {
    return()
  }
  attributes <- lapply(x$attributes, read_value)
  if (any(vapply(attributes, is.null, NA))) {
    return()
  }
  # R itself refuses what does not fit the vector.
  tryCatch(
    {
      attributes(value) <- attributes
      value
    },
    error = function(cnd) NULL
  )
}

read_list <- function(x) {
  if (!is.list(x) || !is.null(names(x))) {
    return()
  }
  values <- lapply(x, read_value)
  null <- vapply(x, function(value) is_value(value) && identical(value$type, "null"), NA)
  if (!any(vapply(values[!null], is.null, NA))) values
}

# Doubles are text, so that none is rounded and there are NaN and Inf.
read_plain <- function(type, x) {
  if (!rlang::is_string(type)) {
    return()
  }
  if (is.list(x) && length(x) == 0 && type %in% c("logical", "integer", "double", "character", "complex", "raw")) {
    return(vector(type, 0))
  }
  switch(type,
    logical = if (is.logical(x)) x,
    integer = read_whole(x),
    double = if (is.character(x)) suppressWarnings(as.double(x)) else if (is.numeric(x)) as.double(x),
    character = read_strings(x),
    complex = read_complex(read_plain("double", x)),
    raw = read_bytes(read_whole(x))
  )
}

read_complex <- function(parts) {
  real <- seq_along(parts) %% 2 == 1
  if (!is.null(parts) && length(parts) %% 2 == 0) complex(real = parts[real], imaginary = parts[!real])
}

read_bytes <- function(x) if (!is.null(x) && !anyNA(x) && all(x >= 0 & x <= 255)) as.raw(x)
