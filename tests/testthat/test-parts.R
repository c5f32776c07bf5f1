# Calls and results by reference: their values lie in segments. That Go sees the same is in
# test-call.R.

test_that("every type of vector comes back the same", {
  skip_without_segments()
  types <- vector_types()
  for (name in names(types)) {
    expect_same(trip_row_by_reference(types[name]), types[name], info = name)
  }
  frames <- frame_types()
  for (name in names(frames)) expect_same(trip_row_by_reference(frames[name]), frames[name], info = name)
  values <- value_types()
  for (name in names(values)) expect_same(trip_row_by_reference(values[name]), values[name], info = name)
  expect_same(trip_row_by_reference(list(all = c(types, frames, values))), list(all = c(types, frames, values)))
})

large_columns <- function(n = 40000) {
  is_missing <- seq_len(n) %% 7 == 0
  with_na <- function(x) {
    x[is_missing] <- NA
    x
  }
  whole <- seq_len(n)
  list(
    double = with_na(whole + 0.5), nan = replace(whole / 3, 1:3, c(NaN, Inf, NA)), integer = with_na(whole),
    logical = with_na(whole %% 2 == 0), string = with_na(as.character(whole)), raw = as.raw(whole %% 256),
    complex = with_na(complex(real = whole, imaginary = -whole)),
    factor = factor(with_na(c("a", "b", "\u00e9")[whole %% 3 + 1])),
    date = with_na(as.Date("2020-01-01") + whole %% 1000), date_int = structure(with_na(whole), class = "Date"),
    date_half = with_na(as.Date("2020-01-01") + whole / 2),
    time = with_na(as.POSIXct("2020-01-01", tz = "UTC") + whole),
    difftime = with_na(as.difftime(whole + 0, units = "mins")),
    integer64 = structure(replace(whole * 5e-324, is_missing, NA), class = "integer64")
  )
}

test_that("large columns come back the same, and are views where R has them as Arrow does", {
  skip_without_segments()
  columns <- large_columns()
  # The NA of an integer64 is not that of a double.
  columns$integer64[seq(7, 40000, 7)] <- structure(-0, class = "integer64")
  record <- trip_by_reference(columns)
  expect_same(record, columns)
  expect_same(trip_row_by_reference(columns), columns)
  is_view <- vapply(record, function(x) .Call(c_view_is_untouched, x), NA)
  views <- c("double", "nan", "integer", "complex", "date_int", "date_half", "integer64")
  expect_setequal(names(record)[is_view], views)
  none <- lapply(columns, function(x) x[0])
  expect_same(trip_row_by_reference(none), none)
})

test_that("zero rows, several batches and dictionaries come back the same", {
  skip_without_segments()
  message <- row_by_reference(list(x = double(), y = list(), f = factor(character(), "a")))
  expect_same(read_echo(message, decode_row)[1:3], list(x = double(), y = list(), f = factor(character(), "a")))
  # A peer may send the batch again, in further parts.
  n <- 30000
  message <- record_by_reference(list(x = seq_len(n) + 0, f = factor(rep(c("a", NA), n / 2))))
  reply <- echo(message, function(bodies) c(bodies, bodies))
  said <- read_parts(reply)
  frames <- split_stream(said$stream)
  twice <- result_by_reference(said$parts, unlist(frames[c(1:3, 2:4)]))
  got <- read_echo(message, decode_record, twice)
  expect_same(got, list(x = rep(seq_len(n) + 0, 2), f = factor(rep(c("a", NA), n))))
})

test_that("many strings are made when they are looked at", {
  skip_without_segments()
  x <- replace(paste0("\u00e9", seq_len(1e5 + 1)), 7, NA)
  got <- trip_by_reference(list(x = x))$x
  expect_output(.Internal(inspect(got)), "view")
  expect_identical(got[c(1, 7, 1e5 + 1)], x[c(1, 7, 1e5 + 1)])
  expect_identical(got, x)
  # Whatever is wrong with one is found at once.
  message <- record_by_reference(list(x = x))
  reply <- echo(message, function(bodies) {
    at <- find_bytes(bodies[[1]], charToRaw(x[[1e5]]))
    list(replace(bodies[[1]], at + 1, as.raw(0xff)))
  })
  expect_error(read_echo(message, decode_record, reply), "row 100000", class = "mangoro_error_protocol")
})

test_that("offsets that a server changes later never point outside of the text", {
  skip_without_segments()
  n <- 1e5 + 1
  for (x in list(rep("", n), rep("a", n))) {
    message <- record_by_reference(list(x = x))
    offer <- read_parts(message$bytes)$offer
    got <- read_echo(message, decode_record)$x
    expect_output(.Internal(inspect(got)), "view")
    write_to_segment(offer, 4 * (n - 1), little(2^20, 4)) # the end of string n - 1
    expect_error(got[[n - 1]], class = "mangoro_error_protocol")
    expect_error(got[n - 1], class = "mangoro_error_protocol")
  }
})

test_that("NA is under each null, whatever the server has left there", {
  skip_without_segments()
  n <- 40000
  columns <- list(
    d = replace(seq_len(n) + 0, 7, NA), i = replace(seq_len(n), 7, NA),
    z = replace(complex(n, seq_len(n)), 7, NA_complex_)
  )
  message <- record_by_reference(columns)
  reply <- echo(message, function(bodies) {
    bytes <- bodies[[1]]
    d <- find_bytes(bytes, writeBin(columns$d[5:7], raw())) + 16
    i <- find_bytes(bytes, writeBin(columns$i[5:7], raw())) + 8
    z <- find_bytes(bytes, writeBin(columns$z[5:7], raw())) + 32
    list(replace(bytes, c(d + 1:8, i + 1:4, z + 1:16), as.raw(1)))
  })
  got <- read_echo(message, decode_record, reply)
  expect_same(got, columns)
  expect_false(any(vapply(got, function(x) .Call(c_view_is_untouched, x), NA)))
})

test_that("a column that R has changed is sent as it is now, and others by reference", {
  skip_without_segments()
  n <- 40000
  got <- trip_by_reference(list(x = seq_len(n) + 0, y = seq_len(n), z = as.raw(rep(1, 2e5)))["x"])
  expect_true(.Call(c_view_is_untouched, got$x))
  message <- record_by_reference(got)
  # All of it is one part of the segment that it came in, and a bitmap.
  expect_length(read_parts(message$bytes)$parts, 2)
  expect_identical(read_parts(message$bytes)$parts[[2]]$size, 8 * n)
  expect_same(read_echo(message, decode_record), got)
  x <- got$x
  x[[2]] <- -1
  x[[3]] <- NA
  message <- record_by_reference(list(x = x))
  expect_length(read_parts(message$bytes)$parts, 1)
  expect_same(read_echo(message, decode_record), list(x = replace(seq_len(n) + 0, 2:3, c(-1, NA))))
})

test_that("a view that is sent as a copy counts as unchanged", {
  skip_without_segments()
  got <- trip_by_reference(list(x = seq_len(40000) + 0))
  encode_record(got)
  shown <- utils::capture.output(.Internal(inspect(got$x)))
  expect_match(shown[[1]], "view")
  expect_no_match(shown[[1]], "may be changed")
})

test_that("a view is found by reference wherever it is", {
  skip_without_segments()
  columns <- large_columns()[c("double", "integer", "complex", "date_int", "date_half", "integer64")]
  columns$raw <- as.raw(seq_len(2e5) %% 256)
  got <- trip_row_by_reference(columns)
  expect_true(all(vapply(got, function(x) .Call(c_view_is_untouched, x), NA)))
  message <- row_by_reference(list(all = got, again = got$double))
  fds <- vapply(read_parts(message$bytes)$parts, `[[`, 1, "fd")
  expect_length(fds, 1 + length(got) + 1)
  expect_length(unique(fds), 2)
  expect_same(read_echo(message, decode_row)[1:2], list(all = columns, again = columns$double))
})

# The parts of a message that lie in another segment than what is written: views.
staying_parts <- function(...) {
  message <- row_by_reference(list(...))
  on.exit(.Call(c_segments_end, message$segments, FALSE))
  parts <- read_parts(message$bytes)$parts
  Filter(function(part) part$fd != parts[[1]]$fd, parts)
}

test_that("a view of strings is sent by reference until R changes it", {
  skip_without_segments()
  n <- 1e5 + 8
  some <- rep_len(c("a", "\u00e9", ""), n)
  for (x in list(some, replace(some, 3:4, NA), rep(NA_character_, n), rep("", n))) {
    got <- trip_by_reference(list(x = x))$x
    sizes <- vapply(staying_parts(got), `[[`, 1, "size")
    # Bitmap, offsets and text, as far as there is any of them.
    expect_identical(sizes, c(if (anyNA(x)) n / 8, 4 * (n + 1), setdiff(sum(nchar(x, "bytes")[!is.na(x)]), 0)))
    # What is looked at is not changed.
    expect_identical(nchar(got), nchar(x))
    expect_length(staying_parts(got), length(sizes))
    expect_same(trip_by_reference(list(x = got))$x, x)
    # Nor what is not by reference.
    expect_same(decode_record(encode_record(list(x = got)))$x, x)
    expect_same(trip_row_by_reference(list(a = got, b = list(got, "b"))), list(a = x, b = list(x, "b")))
    expect_length(staying_parts(got), length(sizes))
    changed <- got
    changed[[2]] <- "new"
    expect_length(staying_parts(got), length(sizes))
    expect_length(staying_parts(changed), 0)
    expect_same(trip_by_reference(list(x = changed))$x, replace(x, 2, "new"))
    got[[2]] <- NA
    expect_length(staying_parts(got), 0)
    expect_same(trip_by_reference(list(x = got))$x, replace(x, 2, NA))
  }
})

test_that("a view of strings whose buffers cannot be parts is written anew", {
  skip_without_segments()
  x <- rep_len(c("abc", NA, "\u00e9"), 3000)
  made <- as_string_view(x, 8)
  expect_length(staying_parts(made$view), 3)
  expect_same(trip_row_by_reference(list(x = made$view))$x, x)
  # The first string begins behind the beginning of the text.
  write_segment(made$segment, 1L)
  expect_length(staying_parts(made$view), 0)
  expect_identical(trip_row_by_reference(list(x = made$view))$x[1:4], c("bc", NA, "\u00e9", "abc"))
  # The last one ends behind its end.
  made <- as_string_view(x, 8)
  write_segment(made$segment, 1e6L, 8 * 3000)
  expect_error(staying_parts(made$view), class = "mangoro_error_protocol")
  # The text is misaligned.
  s <- take_segment(1e6)
  write_segment(s, rep(as.raw(97), 3001), 3)
  write_segment(s, 0:3000, 8192)
  view <- .Call(c_string_view, s, c(8192, 3, NA, 3000), 4, 3000)
  expect_length(staying_parts(view), 0)
  expect_same(trip_row_by_reference(list(x = view))$x, rep("a", 3000))
})

test_that("the segments of a call are used again, unless it was given up", {
  skip_without_segments()
  gc() # those of views that nobody has any more
  message <- record_by_reference(list(x = 1:40000 + 0))
  name <- read_parts(message$bytes)
  expect_identical(.Call(c_segments_end, message$segments, FALSE), 0)
  expect_identical(.Call(c_segments_end, message$segments, FALSE), 0)
  message <- record_by_reference(list(x = 1:40000 + 0))
  again <- read_parts(message$bytes)
  expect_identical(again$offer, name$offer)
  expect_identical(again$parts[[1]][c("fd", "generation")], name$parts[[1]][c("fd", "generation")])
  .Call(c_segments_end, message$segments, TRUE)
  message <- record_by_reference(list(x = 1:40000 + 0))
  other <- read_parts(message$bytes)
  expect_false(identical(other$offer$generation, name$offer$generation))
  expect_false(identical(other$parts[[1]]$generation, name$parts[[1]]$generation))
  .Call(c_segments_end, message$segments, FALSE)
})

test_that("what a result took of its segment is known at the end", {
  skip_without_segments()
  message <- record_by_reference(list(x = 1:40000 + 0))
  size <- read_parts(message$bytes)$parts[[1]]$size
  decode_record(echo(message), envelope_header("result", "f"), segments = message$segments)
  expect_identical(.Call(c_segments_end, message$segments, FALSE), size)
})

# --- Results that are broken ---

broken_parts <- function(reply, segment_size) {
  said <- read_parts(reply)
  part <- said$parts[[1]]
  with_part <- function(...) result_by_reference(list(utils::modifyList(part, list(...))), said$stream)
  all_ones <- function(at) replace(reply, said$start + 16 + at + 1:8, as.raw(255))
  half <- part$size %/% 128 * 64
  list(
    another_descriptor = list(with_part(fd = part$fd + 1), "was not offered"),
    another_generation = list(with_part(generation = part$generation + 1), "was not offered"),
    offset_outside = list(with_part(offset = segment_size, size = 8), "leaves its segment"),
    offset_huge = list(all_ones(8), "leaves its segment"),
    length_outside = list(with_part(size = segment_size + 8), "leaves its segment"),
    length_huge = list(all_ones(16), "leaves its segment"),
    length_and_offset = list(with_part(offset = 64, size = segment_size), "leaves its segment"),
    misaligned = list(with_part(offset = 4, size = part$size - 8), "misaligned"),
    too_short = list(with_part(size = part$size - 64), "claims a body"),
    too_long = list(result_by_reference(c(said$parts, list(part)), said$stream), "its parts"),
    not_whole = list(
      result_by_reference(list(utils::modifyList(part, list(size = half)), utils::modifyList(
        part, list(offset = half, size = part$size - half)
      )), said$stream), "leaves its part"
    ),
    parts_claimed = list(replace(reply, said$start + 8 + 1:4, as.raw(c(0, 0, 0, 255))), "parts"),
    parts_missing = list(result_by_reference(list(), said$stream), "claims a body"),
    shared_too_often = list(result_by_reference(rep(list(part), 40), said$stream), "too often"),
    no_stream = list(result_by_reference(said$parts, raw()), "no schema"),
    cut_in_the_header = list(reply[seq_len(said$start + 10)], "ends before its parts"),
    cut_in_the_parts = list(reply[seq_len(said$start + 20)], "parts"),
    empty = list(reply[seq_len(said$start)], "ends before its parts")
  )
}

test_that("each broken result is refused with what is broken", {
  skip_without_segments()
  message <- record_by_reference(list(x = seq_len(30000) + 0))
  reply <- echo(message)
  header <- envelope_header("result", "f")
  size <- file.size(file_of_segment(read_parts(message$bytes)$offer))
  broken <- broken_parts(reply, size)
  for (name in names(broken)) {
    cnd <- expect_error(
      decode_record(broken[[!!name]][[1]], header, segments = message$segments), class = "mangoro_error_protocol"
    )
    expect_match(gsub("\\s+", " ", conditionMessage(cnd)), broken[[name]][[2]], info = name)
  }
  # It is a good one.
  expect_same(decode_record(reply, header, segments = message$segments), list(x = seq_len(30000) + 0))
  # Nobody has offered a segment, or does any more.
  expect_null(decode_record(reply, header))
  .Call(c_segments_end, message$segments, FALSE)
  expect_error(decode_record(reply, header, segments = message$segments), class = "mangoro_error_protocol")
})

test_that("parts that lie over each other are read, each vector by itself", {
  skip_without_segments()
  n <- 30000
  message <- record_by_reference(list(x = seq_len(n) + 0, y = seq_len(n) + 0))
  reply <- echo(message, function(bodies) {
    bytes <- bodies[[1]]
    at <- find_bytes(bytes, writeBin(seq_len(n) + 0, raw()))
    list(bytes[seq_len(at)], bytes[at + seq_len(8 * n)])
  })
  said <- read_parts(reply)
  # The values of both columns, with the bitmap of the second between them.
  values <- said$parts[[2]]
  gap <- said$parts[[1]]
  stretch <- (8 * n + 63) %/% 64 * 64
  values$size <- stretch
  parts <- list(gap, values, gap, values)
  got <- read_echo(message, decode_record, result_by_reference(parts, said$stream))
  expect_same(got, list(x = seq_len(n) + 0, y = seq_len(n) + 0))
  x <- got$x
  y <- got$y
  x[[1]] <- -1
  expect_identical(y[[1]], 1)
})

test_that("no broken result is more than an error", {
  skip_without_segments()
  columns <- large_columns(2000)
  message <- encode_row(c(columns, list(f = frame_types()[["plain"]], added = raw(2^16))), call_header_of(), offer = 0)
  reply <- echo(message)
  header <- envelope_header("result", "f")
  local_mocked_bindings(abort_mangoro = abort_at_once)
  withr::local_seed(1)
  outcomes <- vapply(1:3000, function(i) {
    bytes <- reply
    for (k in seq_len(sample(3, 1))) {
      at <- sample(seq(length(header), length(bytes) - 8), 1)
      size <- sample(c(1, 4, 8), 1)
      bytes <- put_le(bytes, at, any_of(c(odd_numbers, sample(256, 1))), size)
    }
    tryCatch({
      decode_row(bytes, header, segments = message$segments)
      "read"
    }, mangoro_error_protocol = function(cnd) "refused")
  }, "")
  expect_setequal(outcomes, c("read", "refused"))
  .Call(c_segments_end, message$segments, FALSE)
})
