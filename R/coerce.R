# Arguments as values of their Go types: single values, vectors, lists, matrices, structs,
# maps, any and Arrow data, within one another.

# `x` as a value of the type `spec`, or an error. `path` is the way to it, for messages:
#   signature, arg  the function and its argument
#   steps           names and indices inside the argument
#   inner           TRUE inside a list, whose elements are of one Arrow type
#   dim             the dimensions, if it is a matrix
#   call            the user's call
#   subject         what messages call the value; NULL: the argument
#   targets         what Go may ask while the call runs, see add_target(); NULL if it does not live
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
    stream = coerce_stream(x, spec, path),
    object = object_argument(x, spec, path),
    `function` = function_argument(x, spec, path),
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

# Small vectors and data frames are sent whole, and all else is what Go asks for part by part.
# A data frame is a stream of one batch. To a server that asks for nothing any other stream is
# sent as one value, its bytes.
coerce_stream <- function(x, spec, path) {
  if (is.function(x) || inherits(x, c("mangoro_stream", "connection"))) {
    check_source(x, spec, path)
    return(source_argument(x, spec, path))
  }
  asks <- !is.null(path$targets)
  x <- sent_as(x)
  records <- is.null(spec$element)
  if (is_arrow(x) || records && !(is.data.frame(x) && !has_stream_method(x))) {
    stream <- rlang::try_fetch(
      if (records) as_record_stream(x, path$call) else as_value_stream(x),
      error = function(cnd) abort_type(x, if (records) "a data frame or an Arrow stream of them" else "a vector", path)
    )
    return(if (asks) source_argument(stream, spec, path) else list(encode_arrow(stream, call = path$call)))
  }
  whole <- if (records) x else coerce_part(x, spec, path)
  if (asks && is_large(x)) source_argument(x, spec, path) else whole
}

# An Arrow stream whose schema can be read.
as_value_stream <- function(x) {
  stream <- nanoarrow::as_nanoarrow_array_stream(x)
  stream$get_schema()
  stream
}

# Values of a stream as one argument: a list of them, or a record.
coerce_part <- function(x, spec, path) {
  if (is.null(spec$element)) {
    x <- sent_as(x)
    if (is.atomic(x)) abort_type(x, "a data frame or an Arrow stream of them", path, advice = "")
    return(coerce_record(x, path))
  }
  if (is_arrow(x)) x <- nanoarrow::convert_array_stream(as_value_stream(x))
  if (is.null(x)) abort_type(x, "a vector", path)
  coerce(x, list(type = "list", nullable = FALSE, element = spec$element), path)
}

check_source <- function(x, spec, path) {
  if (is.null(path$targets)) abort_type(x, "a data frame or an Arrow stream of them", path)
  lines <- identical(spec$element$type, "string")
  if (inherits(x, "connection") && !lines) {
    subject <- describe_path(path)
    abort_arguments(
      path$signature, "{subject} cannot be a connection: only an {.code iter.Seq[string]} takes the lines of one.",
      arg = path$arg, call = path$call
    )
  }
}

# How many bytes a value is sent whole with, and how many values and bytes a part of a larger
# one has, about.
part_bytes <- 2^20
part_rows <- 2^17

is_large <- function(x) {
  NROW(x) > part_rows || as.numeric(utils::object.size(x)) > part_bytes
}

# --- Nested values ----------------------------------------------------------

# A Go slice from a vector, a data frame or a list.
coerce_list <- function(x, spec, path) {
  element <- spec$element
  if (is.null(element)) return(x)
  if (is.null(x) && element$type %in% names(coercers)) {
    abort_type(x, "a vector", path, advice = null_advice(element, path))
  }
  check_length(x, spec, path)
  coerce_column(x, element, path)
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
    # Names that are unknown may be those of optional fields.
    if (length(c(unknown, twice)) == 0) wanted <- setdiff(wanted, spec$optional)
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
    x[name] <- list(coerce(x[[name]], field, path_to(path, name)))
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
  if (!is_list(x) || spec$type %in% c("binary", "object")) {
    return(as_elements(coerce_vector(x, spec, path), spec$type, path))
  }
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
