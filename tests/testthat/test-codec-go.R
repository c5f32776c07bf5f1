# The codec against Go: arrow-go reads what it writes, and it reads what arrow-go
# writes.

# The stream that the server answers a stream with.
answer <- function(server, name, stream = raw()) {
  message <- c(envelope_header("call", name), stream)
  reply <- ask(server$sock, message)
  payload(reply, check_reply(reply, "result", name, NULL, call = NULL))
}

column <- function(server, name) decode_record(answer(server, name))[[name]]

test_that("Go returns every type as it came", {
  server <- local_server(test_source("types"))
  for (types in list(vector_types(), frame_types())) {
    for (name in names(types)) {
      x <- types[[name]]
      record <- if (is.data.frame(x)) x else types[name]
      expect_same(decode_record(answer(server, "echo", encode_record(record))), record, info = name)
    }
  }
  for (types in list(vector_types(), frame_types(), value_types())) {
    got <- decode_row(answer(server, "echo", encode_row(types)))
    expect_same(got, types)
  }
  map <- list(m = c(a = 1, b = NA))
  expect_identical(decode_row(answer(server, "echo", encode_row(lapply(map, as_map)))), map)
})

test_that("a handler of rgoipc gets every type and returns it", {
  server <- local_server(test_source("server"))
  for (types in list(vector_types(), frame_types())) {
    for (name in names(types)) {
      x <- types[[name]]
      record <- if (is.data.frame(x)) x else types[name]
      expect_same(decode_record(answer(server, "echo", encode_record(record))), record, info = name)
    }
  }
})

test_that("the types that only others write are read", {
  server <- local_server(test_source("types"))
  utc <- function(x) structure(x, class = c("POSIXct", "POSIXt"), tzone = "UTC")
  noon <- 1709208000
  hms <- function(x) structure(x, class = c("hms", "difftime"), units = "secs")
  seconds <- function(x) structure(x, class = "difftime", units = "secs")
  wanted <- list(
    int8 = c(-128L, NA, 127L),
    int16 = c(-32768L, NA, 32767L),
    int64 = integer64(c(0x80000000, 0x80000000, 0x7fffffff), c(1, 0, 0xffffffff)),
    int32_smallest = c(1, -2147483648),
    int64_small = c(-2147483647L, NA, 2147483647L),
    int64_exact = c(-2^53, NA, 2147483648),
    int64_inexact = integer64(c(0, 0x80000000, 0x200000), c(1, 0, 1)),
    int64_null = c(NA_integer_, NA_integer_),
    int64_none = integer(),
    int64_lists = list(1, NULL, c(2147483648, NA), double()),
    int64_fixed_lists = list(1:2, NULL, 3:4),
    int64_maps = list(
      structure(integer64(0, 1), names = "a"), structure(integer64(0xffdfffff, 0xffffffff), names = "b")
    ),
    int64_struct = data.frame(a = c(1L, NA)),
    uint32_small = c(0L, NA, 2147483647L),
    uint64_small = c(0L, NA, 2147483647L),
    uint64_exact = c(0, NA, 2^53),
    dictionary_of_int64 = c(1, NA, 2^32, 1),
    uint8 = c(0L, NA, 255L),
    uint16 = c(0L, NA, 65535L),
    uint32 = c(0, NA, 4294967295),
    uint64 = integer64(c(0, 0x80000000, 0x7fffffff), c(0, 0, 0xffffffff)),
    float16 = c(1.5, NA, -0.25),
    float16_special = c(Inf, -Inf, NaN, 65504, -0),
    float32 = c(1.5, NA, -13421773 / 2^27),
    large_utf8 = c("a", NA, "\u00e9"),
    large_binary = list(charToRaw("ab"), NULL),
    fixed_binary = list(charToRaw("ab"), NULL),
    large_list = list(c(1L, NA), NULL, integer()),
    fixed_list = list(c(1L, NA), NULL, 3:4),
    date32 = as.Date(c("1969-12-31", NA)),
    date64 = as.Date(c("1969-12-31", NA)),
    date64_fraction = utc(c(1.5, NA)),
    timestamp_s = utc(c(noon, NA)),
    timestamp_ms = utc(c(-0.5, NA)),
    timestamp_us = utc(c(noon + 0.25, NA)),
    timestamp_ns = utc(c(noon + 0.25, NA)),
    timestamp_no_zone = utc(c(noon, NA)),
    timestamp_zone = structure(utc(noon), tzone = "Asia/Tokyo"),
    time32_s = hms(c(3600, NA)),
    time32_ms = hms(c(1.5, NA)),
    time64_us = hms(c(1.5, NA)),
    time64_ns = hms(c(1.5, NA)),
    duration_s = seconds(c(90, NA)),
    duration_ms = seconds(c(1.5, NA)),
    duration_us = seconds(c(-1.5, NA)),
    duration_ns = seconds(c(1.5, NA)),
    decimal128 = c(123.45, NA, -0.01),
    decimal256 = c(123.456, NA, -0.001),
    decimal_negative_scale = 1200,
    dictionary_double = c(1.5, NA, 2.5, 1.5),
    null = c(NA, NA),
    struct = data.frame(a = c(1L, NA)),
    map = list(c(a = 1.5), NULL, structure(double(), names = character())),
    nested = list(
      structure(list(l = list(c("a", NA), NULL)), class = "data.frame", row.names = 1:2),
      structure(list(l = list()), class = "data.frame", row.names = integer())
    ),
    slice = c("one", NA, "three")
  )
  for (index in c("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")) {
    wanted[[paste0("dictionary_", index)]] <- factor(c("b", NA, "a", "b"), levels = c("b", "a"))
  }
  for (name in names(wanted)) expect_same(column(server, name), wanted[[name]], info = name)
})

test_that("the option says what integers of 64 bits are", {
  server <- local_server(test_source("types"))
  withr::local_options(mangoro.int64 = "integer64")
  expect_identical(column(server, "int64_small"), integer64(c(0xffffffff, 0x80000000, 0), c(0x80000001, 0, 0x7fffffff)))
  expect_identical(column(server, "int64_none"), integer64(double(), double()))
  expect_identical(column(server, "int64_fixed_lists")[[3]], integer64(c(0, 0), c(3, 4)))
  expect_identical(column(server, "uint64_small"), integer64(c(0, 0x80000000, 0), c(0, 0, 0x7fffffff)))
  expect_identical(column(server, "uint32_small"), c(0L, NA, 2147483647L))
  withr::local_options(mangoro.int64 = "double")
  expect_identical(column(server, "int64_small"), c(-2147483647, NA, 2147483647))
  expect_identical(column(server, "int64_none"), double())
  expect_identical(column(server, "uint64_exact"), c(0, NA, 2^53))
  expect_error(column(server, "int64_inexact"), "row 3: .* not exact as a double", class = "mangoro_error_protocol")
  expect_error(column(server, "uint64_largest"), "not exact as a double", class = "mangoro_error_protocol")
})

test_that("what R cannot hold is refused by name", {
  server <- local_server(test_source("types"))
  expect_error(column(server, "uint64_largest"), "return it as a string", class = "mangoro_error_protocol")
  refused <- c("int64_smallest", "uint64_largest", "decimal_large", "interval", "view")
  for (name in refused) {
    cnd <- expect_error(column(server, name), class = "mangoro_error_protocol")
    expect_match(conditionMessage(cnd), name, fixed = TRUE)
  }
})

test_that("batches are joined, with dictionaries that grow or are replaced", {
  server <- local_server(test_source("types"))
  for (name in c("batches", "replaced")) {
    got <- decode_record(answer(server, name))
    # Of the numbers of all batches, one is too large for an integer.
    x <- c(0, 0, 1, 1, 3) * 2^30
    expect_identical(got, data.frame(f = factor(c("a", "b", "c", "a", "b")), x = x), info = name)
  }
})

test_that("compressed bodies are refused", {
  server <- local_server(test_source("types"))
  expect_error(decode_record(answer(server, "compressed")), "compressed", class = "mangoro_error_protocol")
})

test_that("a label and two factors are a stream that all can read", {
  x <- data.frame(z = 1, a = factor("x"), b = factor("y"))
  attr(x$z, "label") <- "L"
  for (source in c("types", "server")) {
    server <- local_server(test_source(source))
    expect_same(decode_record(answer(server, "echo", encode_record(x))), x, info = source)
    expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", x)), data.frame(z = 1, a = "x", b = "y"))
  }
})

test_that("frames of random columns are the same for us, for nanoarrow and for Go", {
  plain <- local_server(test_source("types")) # writes with arrow-go alone
  server <- local_server(test_source("server"))
  withr::local_seed(1)
  for (i in 1:200) {
    frame <- random_frame()
    bytes <- encode_record(frame)
    expect_same(decode_record(bytes), frame, info = format(i))
    from_go <- answer(server, "echo", bytes)
    expect_same(decode_record(from_go), frame, info = paste(i, "by rgoipc"))
    expect_same(decode_record(answer(plain, "echo", bytes)), frame, info = paste(i, "by arrow-go"))
    for (stream in list(bytes, from_go)) {
      read <- nanoarrow::read_nanoarrow(stream)
      expect_identical(as.character(names(read$get_schema()$children)), names(frame), info = format(i))
      expect_identical(nanoarrow::collect_array_stream(read)[[1]]$length, nrow(frame), info = format(i))
    }
  }
})
