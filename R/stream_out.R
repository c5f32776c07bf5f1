# Streams: results that R reads part by part. A stream keeps the line of its call (`kept`),
# which goes over the socket. A request for the next part is always out, so that Go works
# while R does:
#
#   open_stream()   the function has returned: asks for the first part
#   next_part()     takes what has come, and asks for the part after it
#   end_stream()    there is nothing more, or the call is given up

#' Read a result part by part
#'
#' @description
#' A Go function that returns an `iter.Seq[T]`, an `iter.Seq2[T, error]`, a channel or an
#' `array.RecordReader` returns a stream to R, whose values are read as they are made.
#'
#' * `mangoro_next()` returns the next part, and `NULL` at the end.
#' * `mangoro_collect()` returns all that is left as one value.
#' * `close()` ends the stream before its end. So does an interrupt while R waits for a part,
#'   and R's collector if nobody refers to the stream any more.
#'
#' @param s A stream. No default.
#' @param timeout How long to wait for the next part in seconds, one number above 0. After
#'   that `mangoro_error_timeout` is raised, and the stream stays open. `NULL`, the default,
#'   waits for as long as it takes.
#' @param con A stream. No default.
#' @param ... Not used.
#'
#' @details
#' A part has up to 524,288 values and about 4 MB, or what has come within 100
#' milliseconds. Go runs ahead of R by a part that is on its way, and one that is full: then
#' the iteration waits, in `yield` or before it receives from the channel.
#'
#' When a stream is closed, `yield` returns `false`, and the context of the function ends, by
#' which it tells whoever sends to its channel.
#'
#' A stream is also an iterator of package coro, `coro::loop(for (part in s) ...)`. If its
#' values are structs or records, it is what `nanoarrow::as_nanoarrow_array_stream()` and
#' `arrow::as_record_batch_reader()` take, and so all that reads these: nothing but the part
#' that is read is held in memory.
#'
#' @returns `mangoro_next()` a vector, or a data frame if the values are structs or records;
#'   `NULL` at the end, and each time after that. `mangoro_collect()` the same with all values
#'   that were left, of length 0 if there were none. `close()` `NULL`, invisibly.
#'
#' @section Errors:
#' An error of the Go function is raised at its place, after the values before it, and again
#' each time that the stream is read; its call is that of the Go function. A stream that was
#' closed raises `mangoro_error_cancelled`, one of another R session or that was saved and loaded
#' `mangoro_error_connection`. `mangoro_error_timeout` after `timeout`, `mangoro_error_protocol` if
#' parts have types that cannot be one value, `mangoro_error_invalid_argument` if `s` is not a
#' stream, and those of [mangoro_call()].
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_source(code = '
#' import "iter"
#'
#' func Squares(n int) iter.Seq[float64] {
#'   return func(yield func(float64) bool) {
#'     for i := range n {
#'       if !yield(float64(i * i)) {
#'         return
#'       }
#'     }
#'   }
#' }')
#' s <- server$Squares(3e5)
#' length(mangoro_next(s))
#' length(mangoro_collect(s))
#' mangoro_next(s)
#' close(server)
#' @export
mangoro_next <- function(s, timeout = NULL) {
  check_stream(s)
  if (!is.null(timeout)) check_seconds(timeout)
  next_part(s, timeout)
}

#' @rdname mangoro_next
#' @export
mangoro_collect <- function(s) {
  check_stream(s)
  parts <- list()
  while (!is.null(part <- next_part(s))) parts[[length(parts) + 1]] <- part
  if (length(parts) > 0) {
    return(rlang::try_fetch(combine_parts(parts), error = function(cnd) abort_parts(s, cnd)))
  }
  if (length(s$none) > 0) part_value(decode_record(s$none, call = s$call), s$signature)
}

#' @rdname mangoro_next
#' @export
close.mangoro_stream <- function(con, ...) {
  check_stream(con)
  if (con$state == "open") close_stream(con)
  invisible(NULL)
}

check_stream <- function(s, call = rlang::caller_env()) {
  check_given(s, call = call)
  if (!inherits(s, "mangoro_stream")) {
    abort_invalid_argument(
      "s", "{.arg s} must be a stream that a Go function has returned, not {.obj_type_friendly {s}}.",
      call = call
    )
  }
  if (!is_own(s)) {
    abort_connection(
      c(
        "The stream belongs to another R process, or was saved and loaded again.",
        "i" = "A stream ends with its session: call its function again for another one."
      ),
      call = call
    )
  }
}

# --- A stream ---------------------------------------------------------------

# Whether the result of a call is read part by part. Of a server whose calls do not live it is
# one data frame.
opens_stream <- function(signature) signature$streams && signature$lives

# Whether a reply has a part, or says that the stream is open.
has_part <- function(reply) {
  length(reply) > 0 && reply[[1]] %in% as.raw(message_types[c("part", "refer_part")])
}

#   session     the R session that it belongs to
#   line        that of the call, while it is open
#   arguments   what the call uses of segments, see end_use()
#   offer       what the request that is out uses of them
#   connection, signature, call
#               as in call_function()
#   header      that of a part
#   state       "open", "ended", "failed" or "closed"
#   condition   what is raised if it is failed or closed
#   none        a stream of its schema, once it has ended
#   schema      of the parts that were read as Arrow data
#   parts, rows how many have been read
#
# The stream of the call that is out on `line`, once its function has returned one. `call`
# may be a frame, which is not kept.
open_stream <- function(line, connection, signature, call) {
  call <- if (is.environment(call)) rlang::frame_call(call) else call
  s <- rlang::new_environment(list(
    session = session, line = line, arguments = line$segments, offer = NULL, connection = connection,
    signature = signature,
    call = call, header = envelope_header("part", signature$name), state = "open", condition = NULL, none = NULL,
    schema = NULL, parts = 0, rows = 0
  ))
  class(s) <- "mangoro_stream"
  line$segments <- NULL
  line$timeout <- Inf
  line$call <- call
  reg.finalizer(s, drop_stream)
  ask_ahead(s)
  keep_line(line)
  s
}

# Asks for the next part, for which a segment is offered if there is shared memory.
ask_ahead <- function(s) {
  line <- s$line
  size <- new_offer(s$signature, usable_lane(s$connection))
  offer <- if (!is.null(size)) .Call(c_segments_offer, size)
  s$offer <- offer$segments
  line$offer <- offer$name
  line$talk <- NULL # what C says for this call names the offer
  bytes <- continue_message(s$signature$name, line$id, offer = line$offer)
  send_continue(line, s$connection, bytes, s$signature, s$call)
}

# The next part as an R value, NULL at the end. `read` makes it of the reply.
next_part <- function(s, timeout = NULL, read = read_part) {
  if (s$state == "ended") return(NULL)
  if (s$state != "open") raise(s$condition)
  end <- mclock() + 1000 * (timeout %||% Inf)
  if (!is_ready(s, end)) abort_no_part(s$signature$name, timeout, s$call)
  on.exit(if (s$state == "open" && !done) close_stream(s))
  done <- FALSE
  failed <- function(cnd) if (s$state == "open") end_stream(s, "failed", about_program(s, cnd)) else raise(cnd)
  part <- tryCatch(take_part(s, end, read), error = failed)
  if (s$state == "failed") raise(s$condition)
  done <- TRUE
  if (identical(part, not_yet)) abort_no_part(s$signature$name, timeout, s$call)
  part
}

not_yet <- structure(list(), class = "mangoro_not_yet")

# Waits for the reply. FALSE: there is none yet. An interrupt closes the stream.
is_ready <- function(s, end) {
  line <- s$line
  if (is.null(line$aio)) abort_own_part(s$signature$name, s$call)
  waited <- FALSE
  on.exit(if (!waited) close_stream(s))
  repeat {
    await(list(line), end)
    left <- look(line)
    if (left == 0 || mclock() >= end) break
  }
  waited <- TRUE
  left == 0
}

# The part that has come, NULL at the end.
take_part <- function(s, end, read) {
  line <- s$line
  repeat {
    reply <- finish(line)
    if (has_part_header(s, reply)) break
    bytes <- exchange_step(line, s$connection, reply, s$signature, s$call)
    if (s$state != "open") raise(s$condition) # R code that Go has called has closed it
    if (is.null(bytes)) break
    send_continue(line, s$connection, bytes, s$signature, s$call)
    if (!is_ready(s, end)) return(not_yet)
  }
  if (has_part(reply)) {
    offer <- s$offer
    ask_ahead(s)
    part <- read(s, reply, offer)
    s$parts <- s$parts + 1
    return(part)
  }
  start <- check_reply(reply, "result", s$signature$name, s$connection$server, s$call)$start
  s$none <- reply[-seq_len(start)]
  end_stream(s, "ended")
  NULL
}

read_part <- function(s, reply, segments) {
  start <- part_start(s, reply)
  values <- decode_record(reply, start, s$call, segments)
  note_part(s, segments)
  part <- part_value(values, s$signature)
  s$rows <- s$rows + row_count(part)
  part
}

# The next part may be as large as the largest so far, also that of another stream.
note_part <- function(s, segments) {
  taken <- end_use(segments, given_up = FALSE)
  if (taken > (s$signature$last$taken %||% 0)) note_taken(s$signature, taken)
}

# Where the payload of a part begins.
part_start <- function(s, reply) {
  if (has_part_header(s, reply)) return(length(s$header))
  type <- names(message_types)[message_types == reply[[1]]]
  check_reply(reply, type, s$signature$name, s$connection$server, s$call)$start
}

# Whether it begins with the header of most parts, which says nothing else.
has_part_header <- function(s, reply) {
  n <- length(s$header)
  has_part(reply) && length(reply) >= n && identical(reply[2:n], s$header[2:n])
}

# Records and structs are a data frame, other values a vector.
part_value <- function(values, signature) if (has_records(signature)) values else .subset2(values, 1)

has_records <- function(signature) {
  element <- signature$result$element
  is.null(element) || element$type == "struct" && !element$nullable
}

close_stream <- function(s) end_stream(s, "closed", closed_condition(s$signature$name, s$call))

# Ends a stream, and the call if that is still out.
end_stream <- function(s, state, condition = NULL) {
  line <- s$line
  s$state <- state
  s$condition <- condition
  s$line <- NULL
  end_use(s$arguments, given_up = state != "ended")
  end_use(s$offer, given_up = state != "ended")
  s$arguments <- s$offer <- NULL
  line$offer <- NULL
  unkeep_line(line)
  release_line(line, s$connection)
}

# Ends what is used of segments. Returns how many bytes a part has there.
end_use <- function(segments, given_up) if (is.null(segments)) 0 else .Call(c_segments_end, segments, given_up)

# The finalizer.
drop_stream <- function(s) if (s$state == "open" && is_own(s)) drop_line(s$line)

# --- All parts as one -------------------------------------------------------

combine_parts <- function(parts) {
  first <- parts[[1]]
  if (length(parts) == 1) return(first)
  if (is.data.frame(first)) return(combine_frames(parts))
  if (is.factor(first)) return(combine_factors(parts))
  if (any(vapply(parts, inherits, NA, "integer64"))) parts <- lapply(parts, bit64::as.integer64)
  kept <- attributes(parts[[1]])
  kept <- kept[setdiff(names(kept), "names")]
  dim <- dim(first)
  if (length(dim) == 2) {
    return(do.call(rbind, parts))
  }
  values <- do.call(c, lapply(parts, function(part) as.vector(unclass(part))))
  attributes(values) <- kept
  values
}

combine_frames <- function(parts) {
  first <- parts[[1]]
  columns <- lapply(seq_along(first), function(i) combine_parts(lapply(parts, .subset2, i)))
  kept <- attributes(first)
  kept$row.names <- .set_row_names(sum(vapply(parts, nrow, 1)))
  attributes(columns) <- kept
  columns
}

combine_factors <- function(parts) {
  levels <- unique(unlist(lapply(parts, levels)))
  codes <- unlist(lapply(parts, function(part) match(levels(part), levels)[part]))
  structure(codes, levels = levels, class = class(parts[[1]]))
}

# --- As a source ------------------------------------------------------------

#' @exportS3Method NULL
part_reader.mangoro_stream <- function(x) {
  check_stream(x)
  function() next_part(x)
}

# --- For other packages -----------------------------------------------------

#' @exportS3Method coro::as_iterator
as_iterator.mangoro_stream <- function(x) {
  check_stream(x)
  function() {
    part <- next_part(x)
    if (is.null(part)) coro::exhausted() else part
  }
}

# Its parts as they are in Arrow, values that are no records as the column "result".
#' @exportS3Method nanoarrow::as_nanoarrow_array_stream
as_nanoarrow_array_stream.mangoro_stream <- function(x, ..., schema = NULL) {
  check_stream(x)
  ahead <- NULL
  or_message <- function(f) {
    function() tryCatch(f(), error = function(cnd) paste(cli::ansi_strip(conditionMessage(cnd))))
  }
  schema_of <- or_message(function() {
    if (is.null(x$schema)) {
      ahead <<- next_part(x, read = read_arrow)
      if (is.null(ahead)) read_schema(x, check_decoded(.Call(c_verify, x$none, 0), x$call))
    }
    copy <- nanoarrow::nanoarrow_allocate_schema() # the one that is handed over is moved
    nanoarrow::nanoarrow_pointer_export(x$schema, copy)
    copy
  })
  next_of <- or_message(function() {
    part <- ahead %||% next_part(x, read = read_arrow)
    ahead <<- NULL
    if (!is.null(part)) part$get_next()
  })
  stream <- nanoarrow::nanoarrow_allocate_array_stream()
  .Call(c_array_stream, stream, next_of, schema_of, function() close(x))
  if (is.null(schema)) stream else nanoarrow::as_nanoarrow_array_stream(stream, schema = schema)
}

# A part as a stream of nanoarrow.
read_arrow <- function(s, reply, offer) {
  bytes <- check_decoded(.Call(c_part_stream, reply, part_start(s, reply), offer), s$call)
  note_part(s, offer)
  read_schema(s, bytes)
}

# An Arrow stream, which must have the types of those before: whoever reads the parts takes
# their memory for that.
read_schema <- function(s, bytes) {
  stream <- nanoarrow::read_nanoarrow(bytes)
  schema <- stream$get_schema()
  if (is.null(s$schema)) s$schema <- schema
  if (!has_layout(schema, s$schema)) abort_parts(s)
  stream
}

# Whether two schemas have the same fields and types, whatever their metadata.
has_layout <- function(schema, other) {
  if (is.null(schema) || is.null(other)) return(is.null(schema) && is.null(other))
  identical(schema$format, other$format) && identical(names(schema$children), names(other$children)) &&
    all(unlist(Map(has_layout, schema$children, other$children))) && has_layout(schema$dictionary, other$dictionary)
}

abort_parts <- function(s, parent = NULL) {
  abort_protocol(
    c(
      "The parts of the stream of {.fn {s$signature$name}} do not fit together: their types differ.",
      "i" = "Read them one by one, with {.fn mangoro_next}."
    ),
    call = s$call, parent = parent
  )
}

# --- Printing ---------------------------------------------------------------

#' @export
format.mangoro_stream <- function(x, ...) {
  call <- paste(deparse(x$call %||% call(x$signature$name), nlines = 1), collapse = "")
  read <- sprintf("%s with %s read", quantity(x$parts, "part"), quantity(x$rows, "row"))
  c(
    paste("<mangoro stream>", call),
    if (!is_own(x)) {
      lost_text
    } else {
      paste0(x$state, ", ", read)
    },
    if (is_own(x) && x$state == "failed") conditionMessage(x$condition)
  )
}

# It is one thing, whatever is kept of it: how many parts there are nobody knows.
#' @export
length.mangoro_stream <- function(x) 1L

#' @export
names.mangoro_stream <- function(x) NULL

#' @export
print.mangoro_stream <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}

# What it prints is all there is to say.
#' @export
summary.mangoro_stream <- function(object, ...) object

#' @export
str.mangoro_stream <- function(object, ...) cat("", format(object)[[1]], "\n")
