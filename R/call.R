#' Call a Go function like an R function
#'
#' `mangoro_call()` calls a function of a running Go server with R vectors, data
#' frames and lists, and returns an ordinary R object. The server's manifest says
#' which arguments there are; they are checked before anything is sent.
#'
#' @param .sock A handle, as [mangoro_start()] returns it, or a nanonext
#'   socket of protocol `"req"` that dials the server. No default.
#' @param .name The function to call, one string. No default.
#' @param ... The arguments, by position or by their full names. Their types are
#'   those of the Go function, see `vignette("types")`. A whole double is accepted for
#'   an integer, and a logical `NA` for any type. `NULL` leaves out an optional
#'   argument.
#' @param .timeout The longest time to wait for the answer in seconds, one number
#'   above 0; `Inf` waits for ever. `NULL`, the default, is the time that the
#'   handle was made with, or else the option `mangoro.timeout`, or 60.
#'
#' @details
#' An elementwise Go function, one whose parameters and results are all single values, is
#' applied to vectors as R's arithmetic is: shorter arguments are recycled, and
#' names, dimensions and their names are those of the arguments. Unlike in R,
#' every length must divide the longest. A struct of single values is a row of a data frame;
#' a named list is one row. If no argument is longer than one and a struct was given as a
#' list, a struct comes back as one.
#'
#' Any other function is called once. One that Go registers with the option `Each()` takes
#' vectors as an elementwise function does, and returns a list with an element for each
#' element; where an argument is `NA`, that is `NULL`.
#'
#' The values of a variadic parameter, `...` in R, are combined as by [c()]: vectors of any
#' lengths, or the rows of data frames. Where it takes slices or maps, each value is one.
#'
#' The manifest is fetched with the first call over a connection.
#'
#' @returns The result: a vector, matrix, factor, list or data frame. Several results of a
#'   Go function are a named list; no result is `NULL`, invisibly. A function on records
#'   whose manifest calls its result a struct, or does not say, returns a data frame;
#'   any other its only column.
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` if an argument cannot be sent to the function, with the fields
#' `func_name`, `arg` and, where there is one, `row` and `value`;
#' `mangoro_error_not_found` if there is no such function; and those of
#' [mangoro_rpc_call()].
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/types-example")
#' mangoro_call(server, "hypot", c(a = 3, b = NA), 4)
#' mangoro_call(server, "summarize", c(1, 2, 4), .timeout = 10)
#' close(server)
#' @export
mangoro_call <- function(.sock, .name, ..., .timeout = NULL) {
  call <- rlang::current_env()
  check_string(.name, "name", call)
  call_function(connection_of(.sock, call), .name, list(...), .timeout, call)
}

# `method` is the signature of one, NULL for a function. `known` is what C knows of calls of it.
call_function <- function(connection, name, args, timeout, call, method = NULL, known = NULL) {
  timeout <- call_timeout(timeout, connection$server, call)
  signature <- if (is.null(method)) find_signature(connection, name, timeout, call) else method
  flush_releases(connection)
  lane <- attach_lane(connection, call)
  if (!is.null(known)) know_call(known, connection, lane, signature, call)
  line <- take_line(connection, call)
  on.exit({
    end_segments(line, given_up = TRUE)
    release_line(line, connection)
  })
  if (signature$lives) line$targets <- new_targets()
  streams <- opens_stream(signature)
  header <- call_header(signature, if (streams) Inf else timeout, line$id)
  message <- call_message(signature, args, header, call, new_offer(signature, lane), line$targets)
  line$segments <- message$segments
  reply <- roundtrip(line, connection, message$bytes, name, timeout, call, if (!streams) lane)
  if (signature$lives) reply <- settle_call(line, connection, reply, signature, call)
  show_output(connection$server, all = TRUE)
  if (streams && has_part(reply)) return(open_stream(line, connection, signature, call))
  values <- reply_values(reply, signature, connection, call, line$segments)
  note_taken(signature, end_segments(line, given_up = FALSE))
  result_value(values, signature, message, connection)
}

# --- The request ------------------------------------------------------------

# The message of a call: `bytes`, and `segments` if it is by reference. Of an elementwise one
# also what its result takes from the arguments: `shape`, `length` and `single`, see
# result_value(). `offer` is the segment for its result, see new_offer(). `targets` gets what Go
# may ask while a call that lives runs.
call_message <- function(signature, args, header, call, offer = NULL, targets = NULL) {
  encoded <- if (!is.null(signature$plain)) encode_plain(args, signature, header, offer)
  if (!is.null(encoded)) {
    return(as_message(encoded))
  }
  # Without arguments in its signature, a function may take any columns.
  if (length(signature$args) == 0 && !signature$boxed) {
    return(as_message(encode_record(as_columns(args, signature, call), header, call, offer)))
  }
  args <- match_arguments(args, signature, call)
  given <- args
  args <- coerce_arguments(args, signature, call, targets)
  if (signature$boxed) {
    return(as_message(encode_row(args, header, call, offer)))
  }
  columns <- lapply(args, without_shape)
  n <- common_length(columns, signature, call)
  shape <- if (signature$vectorized) shape_of(args, n, signature, call)
  encoded <- if (signature$recycles && any(vapply(columns, row_count, 1) != n)) {
    encode_row(columns, header, call, offer)
  } else {
    encode_record(lapply(columns, recycle, n), header, call, offer)
  }
  single <- n == 1 && any(vapply(given[signature$alike], is_single, NA))
  c(as_message(encoded), list(shape = shape, length = n, single = single))
}

as_message <- function(encoded) if (is.raw(encoded)) list(bytes = encoded) else encoded

# Ends what the call on a line uses of segments; the server may still use it if the call was
# given up. Returns how many bytes its result has in them.
end_segments <- function(line, given_up) {
  segments <- line$segments
  line$segments <- NULL
  if (is.null(segments)) 0 else .Call(c_segments_end, segments, given_up)
}

# Whether an argument of an elementwise function is one value, and not a vector or data
# frame of one: a raw vector for a []byte, or a named list for a struct.
is_single <- function(x) is.raw(x) || is_list(x) && !is.data.frame(x) && !is.null(names(x))

# The header of a call. It is the same as long as the time-out and the line are: to make
# it takes 20 us of a small call's 200.
call_header <- function(signature, timeout, id) {
  last <- signature$last
  if (!identical(last$timeout, timeout) || !identical(last$id, id)) {
    metadata <- call_metadata(timeout, id, signature$lives, signature$receiver)
    last$header <- envelope_header("call", signature$name, metadata)
    last$timeout <- timeout
    last$id <- id
  }
  last$header
}

# The record of a function that takes any columns: one data frame, or its columns.
as_columns <- function(args, signature, call) {
  if (length(args) == 1 && is.null(names(args)) && is.data.frame(frame <- sent_as(args[[1]]))) return(frame)
  if (length(args) > 0 && (is.null(names(args)) || any(names(args) == ""))) {
    abort_arguments(signature, "its arguments must be named, or one data frame.", call = call)
  }
  args <- Filter(Negate(is.null), lapply(args, sent_as))
  n <- if (length(args) > 0) common_length(args, signature, call) else 0
  columns <- rlang::set_names(lapply(args, recycle, n), names(args) %||% character())
  structure(columns, class = "data.frame", row.names = .set_row_names(n))
}

# --- Names and dimensions ---------------------------------------------------

# What R's arithmetic would give the result: the dimensions of an array among the
# arguments, or else the names of the first argument that is as long.
shape_of <- function(args, n, signature, call) {
  arrays <- Filter(function(x) !is.null(dim(x)) && !is.data.frame(x), args)
  if (length(arrays) > 0) {
    for (arg in names(arrays)) {
      if (!identical(dim(arrays[[arg]]), dim(arrays[[1]]))) {
        abort_arguments(
          signature, "arguments {.arg {names(arrays)}} are arrays of different dimensions.",
          arg = arg, call = call
        )
      }
    }
    if (prod(dim(arrays[[1]])) != n) return(NULL)
    named <- Filter(function(x) !is.null(dimnames(x)), arrays)
    return(list(dim = dim(arrays[[1]]), dimnames = if (length(named) > 0) dimnames(named[[1]])))
  }
  for (x in args) {
    if (length(x) == n && !is.null(names(x)) && !is.data.frame(x)) return(list(names = names(x)))
  }
  NULL
}

# Without names and dimensions, which are not sent in an elementwise call.
without_shape <- function(x) {
  if (is.data.frame(x)) return(x)
  if (!is.null(dim(x))) dim(x) <- NULL
  if (!is.null(names(x))) names(x) <- NULL
  x
}

# --- The result -------------------------------------------------------------

# The values of a reply. Nearly all begin with the same header, which the codec compares:
# to parse it takes 20 us of a small call's 200.
reply_values <- function(reply, signature, connection, call, segments = NULL) {
  decode <- if (signature$boxed || signature$each) decode_row else decode_record
  if (!signature$streams && length(reply) > length(signature$result_header)) {
    values <- decode(reply, signature$result_header, call, segments)
    if (!is.null(values)) return(values)
  }
  type <- if (is_by_reference(reply, segments)) "refer_result" else "result"
  start <- check_reply(reply, type, signature$name, connection$server, call)$start
  if (signature$streams) {
    if (start < length(reply)) decode_record(reply, start, call, segments)
  } else if (start == length(reply)) {
    data.frame()
  } else {
    decode(reply, start, call, segments)
  }
}

# Whether a reply to a call that uses segments is a result in one of them.
is_by_reference <- function(reply, segments) {
  !is.null(segments) && length(reply) > 0 && reply[[1]] == message_types[["refer_result"]]
}

result_value <- function(values, signature, message, connection) {
  if (signature$streams) {
    return(values)
  }
  if (signature$objects) values <- result_objects(values, signature, connection)
  if (!signature$returns) {
    return(invisible(NULL))
  }
  if (signature$record || length(values) > 1) {
    return(if (signature$boxed) values else record_value(values, signature$result))
  }
  if (length(values) == 0) {
    return(invisible(NULL))
  }
  result <- .subset2(values, 1)
  if (is.null(message$length)) {
    return(result)
  }
  if (signature$each) {
    if (length(result) == message$length) names(result) <- message$shape$names
    return(result)
  }
  # What a function returns for a single value is one, too.
  if (message$single) result <- only_row(result)
  if (!is.null(message$shape) && length(result) == message$length && is.null(dim(result))) {
    attributes(result) <- c(attributes(result), message$shape)
  }
  result
}

# The row of a data frame as a named list, or the element of a list.
only_row <- function(x) if (is.data.frame(x)) lapply(columns_of(x), only_row) else if (is_list(x)) x[[1]] else x

# A record as a data frame. The struct that the manifest describes is the record itself,
# or its only column.
record_value <- function(values, spec) {
  if (length(values) == 1 && is.data.frame(values[[1]]) && !has_fields(values, spec) && has_fields(values[[1]], spec)) {
    return(values[[1]])
  }
  if (is.data.frame(values)) {
    return(values)
  }
  # A list of columns, from a handler that returned what R had sent as one.
  n <- max(vapply(values, row_count, 1), 0)
  values[vapply(values, is.null, TRUE)] <- list(rep(NA, n))
  if (n <= .Machine$integer.max) structure(values, class = "data.frame", row.names = .set_row_names(n)) else values
}

has_fields <- function(x, spec) {
  fields <- spec$fields
  if (is.null(fields)) return(TRUE)
  fits <- function(name) {
    type <- fields[[name]]$type
    type %in% c("any", "record") || (type == "struct") == is.data.frame(x[[name]])
  }
  all(names(x) %in% names(fields)) && all(setdiff(names(fields), spec$optional) %in% names(x)) &&
    all(vapply(names(x), fits, NA))
}

# --- Calls in one piece -------------------------------------------------------

# Most calls have plain arguments and one vector as their result. src/call.c does all of
# such a call over the lane: to evaluate R code for it takes twice as long as all else.

# Tells C what the next call of a function over a lane may be like.
know_call <- function(known, connection, lane, signature, call) {
  if (is.null(lane) || is.null(signature$plain) || !returns_column(signature) ||
    .Call(c_call_is_known, known, lane$pointer)) {
    return(invisible())
  }
  server <- connection$server
  timeout <- call_timeout(NULL, server, call)
  .Call(
    c_call_know, known, lane$pointer, signature$plain, signature$args,
    envelope_header("call", signature$name, call_metadata(timeout, lane$line$id, signature$lives, signature$receiver)),
    signature$result_header,
    timeout, c(!is.null(server$timeout), signature$recycles), server$log, rlang::call2(show_output, server, all = TRUE),
    connection$state$releases
  )
}

# Whether result_value() takes the only column of what a plain call returns.
returns_column <- function(signature) {
  signature$returns && !signature$record && !signature$each && !signature$boxed && !signature$streams
}

# What is left of a call that C has posted.
finish_call <- function(connection, name, call, method = NULL) {
  lane <- connection$state$lane
  line <- lane$line
  line$lane <- lane
  line$connection <- connection
  on.exit({
    end_segments(line, given_up = TRUE)
    release_line(line, connection)
  })
  line$posted <- .Call(c_lane_out, lane$pointer) # from here on, whatever ends this call cancels it
  signature <- method %||% connection$state$signatures[[name]]
  timeout <- call_timeout(NULL, connection$server, call)
  note_request(line, connection, sent = 0, name, timeout, call)
  line$started <- line$started - 1000 * .Call(c_lane_age, lane$pointer)
  if (signature$lives) line$targets <- new_targets()
  reply <- await_lane(line, lane, line$posted)
  if (signature$lives) reply <- settle_call(line, connection, reply, signature, call)
  show_output(connection$server, all = TRUE)
  values <- reply_values(reply, signature, connection, call, line$segments)
  end_segments(line, given_up = FALSE)
  result_value(values, signature, list(), connection)
}
