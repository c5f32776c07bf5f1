# The codec by itself: what is written is read back the same, to the bit. That Go
# sees the same is in test-codec-go.R, hostile bytes are in test-codec-hostile.R.

trip <- function(x) decode_record(encode_record(x))
trip_row <- function(...) decode_row(encode_row(...))

test_that("every type of vector comes back the same, as a column and as an argument", {
  types <- vector_types()
  for (name in names(types)) {
    expect_same(trip(types[name]), types[name], info = name)
    expect_same(trip_row(types[name]), types[name], info = paste(name, "as a row"))
  }
})

test_that("every data frame comes back the same, as a record and as an argument", {
  types <- frame_types()
  for (name in names(types)) {
    expect_same(trip(types[[name]]), types[[name]], info = name)
    expect_same(trip_row(types[name]), types[name], info = paste(name, "as a row"))
  }
})

test_that("every value without rows comes back the same as an argument", {
  types <- value_types()
  for (name in names(types)) expect_same(trip_row(types[name]), types[name], info = name)
  # All of them at once, and inside each other.
  expect_same(trip_row(types), types)
  expect_same(trip_row(list(all = types)), list(all = types))
})

test_that("values that nest at random come back the same", {
  vectors <- Filter(function(x) length(x) < 100, vector_types())
  frames <- frame_types()[setdiff(names(frame_types()), "altrep")]
  random_value <- function(depth) {
    kind <- sample(6, 1)
    if (depth == 0 || kind < 3) {
      return(vectors[[sample(length(vectors), 1)]])
    }
    if (kind == 3) {
      return(frames[[sample(length(frames), 1)]])
    }
    if (kind == 4) {
      return(NULL)
    }
    n <- sample(0:4, 1)
    value <- lapply(seq_len(n), function(i) random_value(depth - 1))
    if (n > 0 && stats::runif(1) < 0.3) value <- rep(value[1], n)
    if (kind == 5 && n > 0) names(value) <- sample(c("a", "b", "", "\u00e9"), n, TRUE)
    value
  }
  withr::local_seed(1)
  for (i in 1:300) {
    x <- list(x = random_value(4))
    expect_same(trip_row(x), x, info = format(i))
    # As a column it may be refused, but never come back as something else.
    got <- tryCatch(trip(x), mangoro_error_invalid_argument = function(cnd) x)
    expect_same(got, x, info = paste(i, "as a column"))
  }
})

test_that("strings come back in UTF-8, wherever they are from", {
  latin1 <- iconv("\u00e9t\u00e9", "UTF-8", "latin1")
  got <- trip(list(x = c(latin1, "\u00e9", "e\u0301")))$x
  expect_identical(Encoding(got), rep("UTF-8", 3))
  expect_identical(got[[1]], "\u00e9t\u00e9")
  # Both normal forms stay what they are.
  expect_identical(nchar(got[2:3]), 1:2)
  names <- trip(stats::setNames(list(1), latin1))
  expect_identical(names(names), "\u00e9t\u00e9")
})

test_that("an integer64 that has been read prints as one, whoever loads bit64", {
  session <- other_session(c(
    "stopifnot(!isNamespaceLoaded('bit64'))",
    "bytes <- mangoro:::encode_record(list(x = structure(5e-324, class = 'integer64')))",
    "print(mangoro:::decode_record(bytes)$x)"
  ))
  session$wait()
  expect_identical(session$read_all_output_lines(), c("integer64", "[1] 1"))
})

test_that("what cannot be carried is refused, with its place and value", {
  bytes <- "caf\xe9"
  Encoding(bytes) <- "bytes"
  broken <- "\xff\xfe"
  Encoding(broken) <- "UTF-8"
  lt <- as.POSIXlt("2024-01-01", tz = "UTC")
  latin1 <- "\xe9t\xe9" # not marked
  if (l10n_info()[["UTF-8"]]) {
    expect_error(encode_record(list(x = latin1)), "is not valid text", class = "mangoro_error_invalid_argument")
  }
  expect_snapshot(error = TRUE, {
    encode_record(list(x = c("a", bytes)))
    encode_record(data.frame(x = c("a", NA, broken)))
    encode_record(data.frame(f = 1, s = I(list("a", broken))))
    encode_record(list(x = quote(a + b)))
    encode_record(list(x = globalenv()))
    encode_record(list(x = lt))
    encode_record(list(x = structure(1, class = "money", rates = sum)))
    encode_record(list(x = structure(list(globalenv()), class = "session")))
    encode_record(list(x = structure("today", class = "Date")))
    encode_record(list(x = structure(1, row.names = "a")))
    encode_record(list(x = list(1, "a")))
    encode_record(list(x = list(1L, NULL, c(a = 2L))))
    encode_record(list(x = list(factor("a"), factor("b"))))
    encode_record(list(x = 1:2, y = 1:3))
    encode_record(list(x = structure(7L, class = "factor", levels = "a")))
    encode_record(list(x = structure(1, class = "difftime", units = "years")))
    encode_record(structure(list(x = 1:2, y = 1), class = "data.frame", row.names = 1:2))
    encode_row(list(x = list(a = 1, b = list(sum))))
    encode_row(list(x = as_map(c(1, 2))))
    encode_row(list(x = as_map(structure(1:2, names = c("a", NA)))))
    encode_record(list(x = structure(list(1:2), class = "vctrs_rcrd")))
    encode_record(structure(
      list(x = 1:2, t = as.POSIXlt(c("2024-01-01", "2024-01-02"))), class = "data.frame", row.names = 1:2
    ))
    encode_record(structure(list(x = 1:2, n = NULL, z = list(NULL)), class = "data.frame", row.names = 1:2))
    encode_record(stats::model.frame(dist ~ speed, datasets::cars))
  })
  cnd <- expect_error(encode_record(list(x = c("a", bytes))), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "x")
  expect_identical(cnd$row, 2)
})

test_that("what would come back changed, or not at all, is refused before it is sent", {
  plain <- list(
    class_na = `class<-`(1, c("x", NA)), dim_named = structure(1:4, dim = c(a = 2L, b = 2L)),
    array_named = array(1:8, c(a = 2, 2, 2), dimnames = list(x = c("u", "v"), NULL, NULL)),
    dimnames_na = structure(1:4, dim = c(2L, 2L), dimnames = structure(list(c("a", "b"), NULL), names = c("r", NA)))
  )
  for (name in names(plain)) {
    expect_same(decode_row(encode_row(plain[name])), plain[name], info = name)
    column <- structure(plain[name], class = "data.frame", row.names = seq_len(NROW(plain[[name]])))
    expect_same(decode_record(encode_record(column)), column, info = name)
  }
  # Attributes of attributes, and objects that are not what their class says.
  with <- function(x, name, ...) {
    attr(x, name) <- structure(...)
    x
  }
  frames_of <- function(...) {
    lapply(list(...), function(m) structure(list(m = m), class = "data.frame", row.names = 1:2))
  }
  refused <- list(
    with(1:2, "names", c("a", "b"), names = c("k", "l")), with(1:4, "dim", c(2L, 2L), class = "foo"),
    with(matrix(1:4, 2), "dimnames", list(c("a", "b"), NULL), class = "dn"),
    with(matrix(1:4, 2), "dimnames", list(structure(c("a", "b"), label = "q"), NULL)),
    with(1, "class", "foo", names = "a"), with(factor("a"), "class", "factor", package = "p"),
    with(data.frame(a = 1), "class", "data.frame", package = "methods"),
    with(data.frame(a = 1:2), "row.names", c("r", "s"), names = c("k", "l")),
    with(data.frame(a = 1:2), "row.names", c("r", NA)), with(data.frame(a = 1:2), "row.names", c(5L, 5L)),
    with(data.frame(a = 1:2), "names", "a", class = "foo"), with(data.frame(a = 1), "dim", c(1L, 1L)),
    `class<-`(list(), "data.frame"), structure(list(1:2), class = "data.frame", row.names = 1:2),
    structure(list(a = 1:2), class = "data.frame"), structure(1:2, levels = c("a", "a"), class = "factor"),
    structure(list(raw()), class = c("blob", "vctrs_list_of", "vctrs_vctr", "list")),
    `dim<-`(stats::ts(1:3), c(1L, 3L)),
    frames_of(matrix(1:4, 2, dimnames = list(NULL, c("a", "b"))), matrix(1:4, 2, dimnames = list(NULL, c("c", "d")))),
    frames_of(array(1:8, c(2, 2, 2)), array(1:8, c(2, 4))),
    frames_of(structure(matrix(1:4, 2), label = "x"), matrix(1:4, 2))
  )
  for (i in seq_along(refused)) {
    expect_error(encode_record(list(x = refused[[i]])), class = "mangoro_error_invalid_argument", info = paste(i))
  }
  for (x in list(asS4(matrix(1:2, 2)), `dim<-`(expression(a, b), 2:1), `dim<-`(pairlist(1, 2), 2:1))) {
    column <- structure(list(x = x), class = "data.frame", row.names = 1:2)
    expect_error(encode_record(column), "cannot be carried", class = "mangoro_error_invalid_argument")
  }
})

test_that("lists that nest too deeply are refused", {
  deep <- list(1)
  for (i in 1:70) deep <- list(deep)
  expect_error(encode_record(list(x = deep)), "nested", class = "mangoro_error_invalid_argument")
  expect_error(encode_row(list(x = deep)), "nested", class = "mangoro_error_invalid_argument")
})

test_that("a header stands before the stream, and a stream is found behind its offset", {
  header <- as.raw(1:13)
  bytes <- encode_record(data.frame(x = 1:3), header)
  expect_identical(bytes[1:13], header)
  expect_identical(decode_record(bytes, ahead = 13), data.frame(x = 1:3))
  expect_identical(decode_row(encode_row(list(x = 1), header), ahead = 13), list(x = 1))
  expect_identical(bytes[-(1:13)], encode_record(data.frame(x = 1:3)))
  for (offset in c(-1, length(bytes) + 1, NA, Inf)) {
    expect_error(decode_record(bytes, offset), class = "mangoro_error_protocol")
  }
})

test_that("a sequence is not brought into memory", {
  x <- 1:1e8
  bytes <- encode_record(list(x = x[1:10], y = 11:20))
  expect_identical(decode_record(bytes), list(x = 1:10, y = 11:20))
  frame <- structure(list(x = 1:1e6), class = "data.frame", row.names = c(NA, -1000000L))
  expect_identical(trip(frame), frame)
})

test_that("maps are rows of keys and values", {
  sent <- list(m = c(a = 1, b = NA), l = list(x = "u", y = "v"), none = structure(double(), names = character()))
  got <- trip_row(lapply(sent, as_map))
  expect_identical(got, list(m = c(a = 1, b = NA), l = list(x = "u", y = "v"), none = sent$none))
  dates <- c(a = as.Date("2024-01-01"), b = NA)
  expect_identical(trip_row(list(d = as_map(dates))), list(d = dates))
  maps <- list(c(a = 1, b = NA), NULL, structure(double(), names = character()), c(a = 3))
  expect_identical(trip_row(list(m = as_maps(maps))), list(m = maps))
  frame <- structure(list(m = as_maps(maps)), class = "data.frame", row.names = 1:4)
  expect_identical(trip(frame)$m, maps)
})

test_that("int64 is double on demand, and only while exact", {
  withr::local_options(mangoro.int64 = "double")
  small <- structure(c(5e-324, 0), class = "integer64") # the bits of 1 and 0
  expect_identical(trip(list(x = small)), list(x = c(1, 0)))
  large <- integer64(0x7fffffff, 1)
  expect_error(trip(list(x = large)), "exact", class = "mangoro_error_protocol")
})

test_that("a record need not have rows or columns", {
  expect_identical(trip(list()), structure(list(), names = character()))
  expect_identical(trip(data.frame()), data.frame())
  expect_identical(trip(list(a = NULL)), list(a = NULL))
  expect_identical(trip(list(a = NULL, b = 1:2)), list(a = NULL, b = 1:2))
  expect_identical(trip_row(list()), structure(list(), names = character()))
})

test_that("the bytes of a vector are written once and in order", {
  x <- c(1, NA, 3)
  bytes <- encode_record(list(x = x))
  expect_identical(length(bytes) %% 8, 0)
  values <- writeBin(x, raw(), endian = "little")
  found <- vapply(seq_len(length(bytes) - 23), function(i) identical(bytes[i + 0:23], values), NA)
  expect_identical(sum(found), 1L)
  expect_identical(which(found) %% 8L, 1L)
})

test_that("vectors without NA have no validity bitmap", {
  with_na <- nanoarrow::collect_array_stream(nanoarrow::read_nanoarrow(encode_record(list(x = c(1, NA)))))[[1]]
  without <- nanoarrow::collect_array_stream(nanoarrow::read_nanoarrow(encode_record(list(x = c(1, 2)))))[[1]]
  expect_identical(with_na$children$x$null_count, 1L)
  expect_identical(as.integer(without$children$x$buffers[[1]]$size_bytes), 0L)
})

test_that("the collector may run at any time", {
  skip_on_cran()
  types <- vector_types()
  types <- types[lengths(types) < 100]
  encoded <- lapply(seq_along(types), function(i) encode_record(types[i]))
  row <- encode_row(value_types())
  frames <- frame_types()[c("row_names", "frame_as_is", "matrix_column", "list_column", "attributes")]
  gctorture2(31)
  withr::defer(gctorture2(0))
  got <- lapply(encoded, decode_record)
  again <- lapply(seq_along(types), function(i) encode_record(types[i]))
  got_row <- decode_row(row)
  got_frames <- lapply(frames, trip)
  gctorture2(0)
  for (i in seq_along(types)) expect_same(got[[i]], types[i], info = names(types)[[i]])
  expect_identical(again, encoded)
  expect_identical(got_row, value_types())
  expect_identical(got_frames, frames)
})

test_that("text that looks like something else stays text wherever it is", {
  for (text in c("NA", "NaN", "Inf", "-Inf", "null", "true", "1", "0x1p3", "\"", "\\", "\n\t\u00e9\U1F951", "")) {
    both <- c(text, NA)
    label <- structure(1:2, label = text, both = both)
    expect_same(trip(list(x = label)), list(x = label), info = text)
    expect_same(trip(list(x = structure(1:2, names = both))), list(x = structure(1:2, names = both)), info = text)
    matrix <- matrix(1:4, 2, dimnames = structure(list(both, c(text, "b")), names = c(text, "k")))
    expect_same(trip(list(x = matrix)), list(x = matrix), info = text)
    rows <- data.frame(x = 1:2, row.names = c(text, "b"))
    expect_same(trip(rows), rows, info = text)
    expect_same(trip(rows[1, , drop = FALSE]), rows[1, , drop = FALSE], info = text)
    factor <- factor(both, levels = both, exclude = NULL)
    expect_same(trip(list(x = factor)), list(x = factor), info = text)
    if (nzchar(text)) {
      named <- structure(list(1), names = text)
      attr(named[[1]], text) <- "attribute"
      expect_same(trip_row(named), named, info = text)
    }
    times <- structure(c(0, 1), class = c("POSIXct", "POSIXt"), tzone = c("", text, "CEST"))
    expect_same(trip(list(x = times)), list(x = times), info = text)
  }
})
