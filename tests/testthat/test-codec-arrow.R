# The codec and the Arrow C data interface: arrays of nanoarrow are written, and
# nanoarrow reads what is written.

read_back <- function(bytes) nanoarrow::collect_array_stream(nanoarrow::read_nanoarrow(bytes))
as_frame <- function(bytes) as.data.frame(nanoarrow::read_nanoarrow(bytes))

# A record of one column of a type, from the R vector that nanoarrow converts.
record_of <- function(x, schema) {
  array <- nanoarrow::as_nanoarrow_array(x, schema = schema)
  record <- nanoarrow::nanoarrow_array_init(nanoarrow::na_struct(list(x = schema)))
  nanoarrow::nanoarrow_array_modify(record, list(length = array$length, children = list(x = array)))
}

test_that("nanoarrow reads what the codec writes", {
  frame <- data.frame(
    l = c(TRUE, NA), i = c(1L, NA), d = c(1.5, NA), s = c("\u00e9", NA),
    day = as.Date(c("2024-01-01", NA)), time = as.POSIXct(c("2024-01-01 12:00:00", NA), tz = "UTC")
  )
  expect_equal(suppressWarnings(as_frame(encode_record(frame))), frame)
  nested <- structure(list(p = data.frame(a = 1:2)), class = "data.frame", row.names = 1:2)
  expect_equal(as_frame(encode_record(nested)), nested, ignore_attr = TRUE)
  expect_equal(as_frame(encode_record(list(x = list(1:2, NULL))))$x, list(1:2, NULL), ignore_attr = TRUE)
})

test_that("arrays of every format are written", {
  types <- list(
    bool = list(c(TRUE, NA, FALSE), nanoarrow::na_bool()),
    int8 = list(c(1L, NA, -3L), nanoarrow::na_int8()),
    uint8 = list(c(1L, NA, 3L), nanoarrow::na_uint8()),
    int16 = list(c(1L, NA, -3L), nanoarrow::na_int16()),
    uint16 = list(c(1L, NA, 3L), nanoarrow::na_uint16()),
    int32 = list(c(1L, NA, -3L), nanoarrow::na_int32()),
    uint32 = list(c(1, NA, 3), nanoarrow::na_uint32()),
    half = list(c(1, NA, 3), nanoarrow::na_half_float()),
    float = list(c(1, NA, 3), nanoarrow::na_float()),
    double = list(c(1, NA, 3), nanoarrow::na_double()),
    string = list(c("a", NA, "ccc"), nanoarrow::na_string()),
    large_string = list(c("a", NA, "ccc"), nanoarrow::na_large_string()),
    date32 = list(as.Date(c("2024-01-01", NA, "1960-01-01")), nanoarrow::na_date32()),
    date64 = list(as.Date(c("2024-01-01", NA, "1960-01-01")), nanoarrow::na_date64()),
    timestamp = list(
      as.POSIXct(c(0, NA, 1.5), origin = "1970-01-01", tz = "UTC"), nanoarrow::na_timestamp("us", "UTC")
    ),
    duration = list(structure(c(1, NA, 3), class = "difftime", units = "secs"), nanoarrow::na_duration("ms")),
    list = list(list(1:2, NULL, 3L), nanoarrow::na_list(nanoarrow::na_int32())),
    large_list = list(list(1:2, NULL, 3L), nanoarrow::na_large_list(nanoarrow::na_int32()))
  )
  for (name in names(types)) {
    type <- types[[name]]
    # nanoarrow does not convert to all of them.
    record <- tryCatch(record_of(type[[1]], type[[2]]), error = function(cnd) NULL)
    if (is.null(record)) next
    got <- decode_record(encode_arrow(record))$x
    expect_equal(got, type[[1]], info = name, ignore_attr = is.list(got))
  }
})

test_that("slices are written as what they show", {
  frame <- data.frame(
    l = rep(c(TRUE, NA, FALSE, TRUE), 5), i = c(NA, 2:20), s = c(letters[1:19], NA), x = as.double(1:20)
  )
  record <- nanoarrow::as_nanoarrow_array(frame)
  for (offset in c(0L, 1L, 3L, 8L, 19L, 20L)) {
    slice <- nanoarrow::nanoarrow_array_modify(record, list(offset = offset, length = 20L - offset, null_count = 0L))
    got <- decode_record(encode_arrow(slice))
    expect_identical(got, `rownames<-`(frame[seq_len(20) > offset, ], NULL), info = offset)
  }
  lists <- record_of(list(1:3, NULL, 4L, integer(), 5:6), nanoarrow::na_list(nanoarrow::na_int32()))
  slice <- nanoarrow::nanoarrow_array_modify(lists, list(offset = 2L, length = 3L))
  expect_identical(decode_record(encode_arrow(slice))$x, list(4L, integer(), 5:6))
})

test_that("streams of several batches, and of none, are written", {
  frame <- data.frame(x = 1:3, s = c("a", "b", NA))
  batches <- lapply(1:3, function(i) nanoarrow::as_nanoarrow_array(frame[i, , drop = FALSE]))
  stream <- nanoarrow::basic_array_stream(batches)
  expect_identical(decode_record(encode_arrow(stream)), frame)
  stream$release()
  expect_error(write_stream(stream, call = NULL), class = "mangoro_error_invalid_argument")
  none <- nanoarrow::basic_array_stream(list(), schema = nanoarrow::na_struct(list(x = nanoarrow::na_int32())))
  expect_identical(decode_record(encode_arrow(none)), data.frame(x = integer()))
})

test_that("dictionaries and metadata of fields are kept", {
  frame <- data.frame(f = factor(c("b", "a", NA), levels = c("b", "a")), o = c(1, 2, 3))
  bytes <- encode_record(frame)
  again <- encode_arrow(nanoarrow::read_nanoarrow(bytes))
  expect_identical(decode_record(again), frame)
  labelled <- data.frame(x = structure(c(1, 2), label = "a label"))
  again <- encode_arrow(nanoarrow::read_nanoarrow(encode_record(labelled)))
  expect_identical(decode_record(again), labelled)
  dated <- data.frame(d = structure(c(1.5, NA), class = "Date"))
  expect_identical(decode_record(encode_arrow(nanoarrow::read_nanoarrow(encode_record(dated)))), dated)
})

test_that("every type survives the way through nanoarrow's arrays", {
  for (types in list(vector_types(), frame_types())) {
    for (name in names(types)) {
      x <- types[[name]]
      # nanoarrow cannot hold these: an ordered dictionary, rows without columns.
      if (name %in% c("factor_ordered", "no_columns")) next
      record <- if (is.data.frame(x)) x else types[name]
      again <- encode_arrow(nanoarrow::read_nanoarrow(encode_record(record)))
      expect_same(decode_record(again), record, info = name)
    }
  }
})

test_that("streams of nanoarrow's writer are read", {
  frame <- data.frame(x = c(1, NA), s = c("a", NA), i = 1:2, l = c(NA, TRUE))
  con <- rawConnection(raw(), "wb")
  withr::defer(close(con))
  nanoarrow::write_nanoarrow(frame, con)
  expect_identical(decode_record(rawConnectionValue(con)), frame)
  got <- decode_record(nanoarrow::example_ipc_stream())
  expect_identical(got, data.frame(some_col = 0:2))
})

test_that("formats that cannot be written are refused by name", {
  schema <- nanoarrow::na_struct(list(v = nanoarrow::na_string_view()))
  none <- nanoarrow::basic_array_stream(list(), schema = schema)
  cnd <- expect_error(encode_arrow(none), class = "mangoro_error_invalid_argument")
  expect_match(conditionMessage(cnd), "vu", fixed = TRUE)
})

test_that("a null row of a struct is NA in each of its fields", {
  fields <- list(
    l = c(TRUE, FALSE), i = 1:2, d = c(1.5, 2.5), s = c("a", "b"), n = integer64(c(0, 0), c(1, 2)), z = c(1i, 2i),
    t = as.POSIXct(c(0, 1), origin = "1970-01-01", tz = "UTC"), f = factor(c("u", "v")), v = list(1:2, 3L),
    m = matrix(c(1, 2, 3, 4), 2), p = data.frame(a = 1:2)
  )
  frame <- structure(fields, class = "data.frame", row.names = 1:2)
  inside <- structure(list(p = frame), class = "data.frame", row.names = 1:2)
  record <- nanoarrow::collect_array_stream(nanoarrow::read_nanoarrow(encode_record(inside)))[[1]]
  struct <- record$children$p
  buffers <- struct$buffers
  buffers[[1]] <- nanoarrow::as_nanoarrow_buffer(as.raw(1))
  struct <- nanoarrow::nanoarrow_array_modify(struct, list(buffers = buffers, null_count = 1L))
  record <- nanoarrow::nanoarrow_array_modify(record, list(children = list(p = struct)))
  got <- decode_record(encode_arrow(record))$p
  wanted <- frame[c(1, NA), ]
  for (name in names(fields)) {
    expect_identical(got[[name]], wanted[[name]], info = name, ignore_attr = "row.names")
  }
})
