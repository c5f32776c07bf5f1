# Sources: what Go reads part by part from R while a call runs.

# The next part of a target, a source: list(payload = , failure = ), see continue_message().
# No payload: there are no more.
answer_source <- function(line, connection, target, signature, call) {
  source <- target$value
  tryCatch(
    {
      if (is.null(source$read)) source$read <- part_reader(source$from)
      part <- read_source(source)
      list(payload = if (is.null(part)) raw() else encode_part(part, source, target$spec, call), failure = NULL)
    },
    error = function(cnd) list(payload = raw(), failure = note_failure(line, cnd))
  )
}

# A function of the user's is called by the name of the parameter, as a callback is.
read_source <- function(source) {
  name <- source$path$arg
  eval(as.call(list(as.name(name))), rlang::new_environment(rlang::set_names(list(source$read), name), globalenv()))
}

# `call` is that of the call as it is now: a stream outlives the frame it began in.
encode_part <- function(part, source, spec, call) {
  source$parts <- source$parts + 1
  path <- source$path
  path$subject <- paste("part", source$parts, "of", describe_path(path))
  path["call"] <- list(call)
  encode_row(list(result = coerce_part(part, spec, path)), call = call)
}

# A function that returns the next part of `x`, NULL at the end.
part_reader <- function(x) UseMethod("part_reader")

#' @exportS3Method NULL
part_reader.default <- function(x) {
  n <- row_count(x)
  rows <- min(part_rows, max(1, floor(part_bytes * n / as.numeric(utils::object.size(x)))))
  from <- 0
  function() {
    if (from >= n) return(NULL)
    some <- rows_between(x, from + 1, min(from + rows, n))
    from <<- from + rows
    some
  }
}

# Rows of a vector, or of a data frame without its row names.
rows_between <- function(x, from, to) {
  rows <- seq.int(from, to)
  if (is.data.frame(x)) {
    columns <- lapply(columns_of(x), rows_between, from, to)
    return(structure(columns, class = "data.frame", row.names = .set_row_names(length(rows))))
  }
  if (length(dim(x)) == 2) x[rows, , drop = FALSE] else x[rows]
}

#' @exportS3Method NULL
part_reader.function <- function(x) x

# Lines. A connection that was not open is closed at the end, or when nothing refers to it any more.
#' @exportS3Method NULL
part_reader.connection <- function(x) {
  opened <- !isOpen(x)
  if (opened) open(x, "rt")
  function() {
    lines <- readLines(x, part_lines, warn = FALSE)
    if (length(lines) > 0) return(lines)
    if (opened) close(x)
    NULL
  }
}

part_lines <- 10000L

# Arrow arrays. Without any, Go is told of the columns.
#' @exportS3Method NULL
part_reader.nanoarrow_array_stream <- function(x) {
  schema <- x$get_schema()
  first <- identical(schema$format, "+s")
  function() {
    array <- x$get_next()
    if (is.null(array) && first) array <- nanoarrow::basic_array_stream(list(), schema = schema)
    first <<- FALSE
    array
  }
}
