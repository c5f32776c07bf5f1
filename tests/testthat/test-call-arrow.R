# Arrow's own types as parameters and results.

arrow_function <- function(server, name) {
  function(...) {
    if (name == "record") return(echo_record(server$sock, name, ...))
    value <- mangoro_call(server$sock, name, ...)
    if (inherits(value, "mangoro_stream")) mangoro_collect(value) else value
  }
}

# What comes back is what was sent, or it was refused before.
expect_same_or_refused <- function(f, x, info) {
  got <- tryCatch(list(f(x)), mangoro_error_invalid_argument = function(cnd) NULL)
  if (is.null(got)) return(FALSE)
  expect_same(got[[1]], x, info = info)
  TRUE
}

test_that("what Go returns as it came is the same R object, whatever it is", {
  server <- local_server(test_source("arrow"))
  withr::local_timezone("America/New_York")
  withr::local_seed(9)
  kept <- c(array = 0, batch = 0, reader = 0, record = 0)
  for (i in 1:400) {
    x <- any_value()
    info <- paste(i, paste(deparse(x), collapse = " "))
    functions <- if (is.data.frame(x)) names(kept) else "array"
    for (name in functions) {
      kept[[name]] <- kept[[name]] + expect_same_or_refused(arrow_function(server, name), x, paste(name, info))
    }
  }
  expect_true(all(kept > 60), info = deparse(kept))
})

test_that("every type comes back as it came", {
  server <- local_server(test_source("arrow"))
  same <- arrow_function(server, "array")
  for (types in list(vector_types(), frame_types(), value_types())) {
    for (name in names(types)) expect_same_or_refused(same, types[[name]], name)
  }
  for (name in c("batch", "reader", "record")) {
    for (type in names(frame_types())) {
      expect_same_or_refused(arrow_function(server, name), frame_types()[[type]], paste(name, type))
    }
  }
  expect_same(same(datasets::state.x77), datasets::state.x77)
  expect_same(same(list(a = 1, b = "x")), list(a = 1, b = "x"))
  expect_null(same(NULL))
})

test_that("several results, and the columns of a record, come back as they came", {
  server <- local_server(test_source("arrow"))
  x <- as.raw(1:2)
  y <- list(a = 1, b = "x")
  expect_identical(mangoro_call(server$sock, "swap", x, y), list(result1 = y, result2 = x))
  frame <- data.frame(r = as.raw(1:2), f = factor(c("a", NA)), t = as.POSIXct(0:1, "UTC", origin = "1970-01-01"))
  frame$m <- matrix(1:4, 2, dimnames = list(NULL, c("a", "b")))
  frame$d <- data.frame(x = I(1:2))
  for (i in seq_along(frame)) {
    expect_identical(mangoro_call(server$sock, "column", frame, i), frame[[i]], info = names(frame)[[i]])
  }
  expect_identical(echo_record(server$sock, "rebuilt", frame), frame)
})

test_that("what is new has what Arrow's type says, and records what fits their rows", {
  server <- local_server(test_source("arrow"))
  expect_identical(mangoro_call(server$sock, "slice", c(a = 1, b = 2), 1), 1)
  expect_identical(mangoro_call(server$sock, "slice", as.raw(1:2), 1), 1L)
  expect_identical(mangoro_call(server$sock, "slice", factor(c("a", "b")), 1), factor("a", c("a", "b")))
  # Row names of 32 rows are none of 2.
  head <- utils::head(mtcars, 2)
  rownames(head) <- NULL
  expect_identical(mangoro_call(server$sock, "head", mtcars, 2), head)
  expect_identical(mangoro_call(server$sock, "head", mtcars, 32), mtcars)
  labelled <- data.frame(x = structure(c(a = 1, b = 2), label = "L"))
  expect_identical(mangoro_call(server$sock, "head", labelled, 1), data.frame(x = structure(1, label = "L")))
})

# An Arrow stream of a batch for each data frame.
stream_of <- function(...) nanoarrow::basic_array_stream(lapply(list(...), nanoarrow::as_nanoarrow_array))

test_that("a reader sees the batches that were sent", {
  server <- local_server(test_source("arrow"))
  sizes <- arrow_function(server, "sizes")
  expect_identical(sizes(data.frame(x = 1:3), 1), 3L)
  batches <- stream_of(data.frame(x = 1:3), data.frame(x = integer()), data.frame(x = 1L))
  expect_identical(sizes(batches, 2), c(6L, 0L, 2L))
  none <- nanoarrow::basic_array_stream(list(), schema = nanoarrow::na_struct(list(x = nanoarrow::na_int32())))
  expect_identical(sizes(none, 1), integer())
  for (other in list(1:3, NULL, list(x = 1), "x")) {
    expect_error(sizes(other, 1), class = "mangoro_error_invalid_argument")
  }
  read <- stream_of(data.frame(x = 1))
  read$release()
  expect_error(sizes(read, 1), class = "mangoro_error_invalid_argument")
})

test_that("a reader as a result is a stream, which is collected to one data frame", {
  server <- local_server(test_source("arrow"))
  reader <- arrow_function(server, "reader")
  a <- data.frame(x = 1:2, f = factor(c("a", "b")), s = c("u", NA))
  b <- data.frame(x = 3L, f = factor("c"), s = "v")
  expect_identical(reader(stream_of(a, b)), data.frame(x = 1:3, f = factor(c("a", "b", "c")), s = c("u", NA, "v")))
  expect_identical(reader(stream_of(a)), a)
  expect_identical(reader(a), a)
  none <- nanoarrow::basic_array_stream(
    list(),
    schema = nanoarrow::na_struct(list(x = nanoarrow::na_int32(), t = nanoarrow::na_timestamp("us", "Asia/Tokyo")))
  )
  expect_identical(reader(none), data.frame(x = integer(), t = as.POSIXct(character(), "Asia/Tokyo")))
  expect_null(mangoro_call(server$sock, "nobody"))
  expect_error(arrow_function(server, "broken")(a), "the second batch is lost", class = "mangoro_error_handler")
  row <- structure(list(x = list(a)), class = "data.frame", row.names = 1L)
  expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "reader", row))$x, 1:2)
})

test_that("an Arrow stream is a record, and no vector", {
  server <- local_server(test_source("arrow"))
  batch <- function(x) mangoro_call(server$sock, "batch", x)
  expect_error(
    mangoro_call(server$sock, "array", stream_of(mtcars)), "RecordReader", class = "mangoro_error_invalid_argument"
  )
  a <- data.frame(x = c(1.5, NA), f = factor(c("lo", "hi")), t = .POSIXct(c(0, 1), tz = "UTC"))
  expect_identical(batch(a), a)
  expect_identical(batch(nanoarrow::as_nanoarrow_array(a)), a)
  expect_identical(batch(stream_of(a, a[0, ], a[2, ])), a[c(1, 2, 2), ], ignore_attr = "row.names")
  none <- nanoarrow::basic_array_stream(list(), schema = nanoarrow::na_struct(list(x = nanoarrow::na_int32())))
  expect_identical(batch(none), data.frame(x = integer()))
  registerS3method(
    "as_nanoarrow_array_stream", "mangoro_test_table", function(x, ...) stream_of(x$frame, x$frame),
    envir = asNamespace("nanoarrow")
  )
  twice <- structure(list(frame = data.frame(x = 1:2)), class = "mangoro_test_table")
  expect_identical(batch(twice), data.frame(x = c(1:2, 1:2)))
  expect_identical(arrow_function(server, "reader")(twice), data.frame(x = c(1:2, 1:2)))
  expect_error(
    batch(nanoarrow::as_nanoarrow_array(1:3)), "must be a data frame or an Arrow stream of them",
    class = "mangoro_error_invalid_argument"
  )
  expect_error(batch(1:3), "must be a data frame, not int32", class = "mangoro_error_invalid_argument")
})

test_that("one []byte is one raw vector", {
  server <- local_server(test_source("arrow"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("zeros", 2L), raw(2))
  expect_identical(call("zeros", 0L), raw())
  expect_null(call("zeros", integer()))
  expect_identical(call("two", 1L), list(result1 = raw(1), result2 = NULL))
  sent <- as.POSIXct("2024-02-29", "UTC")
  for (body in list(as.raw(1:3), raw(), NULL)) {
    packet <- list(body = body, sent = sent)
    expect_identical(call("packet", packet), packet)
  }
  packets <- data.frame(body = I(list(as.raw(1), NULL, raw())), sent = sent)
  got <- call("packets", packets)
  expect_identical(got$body, unclass(packets$body))
})

test_that("several []byte are a list, as many as there are", {
  server <- local_server(test_source("arrow"))
  call <- function(...) mangoro_call(server$sock, ...)
  for (x in list(list(as.raw(1)), list(as.raw(1), NULL, raw()), list())) expect_identical(call("bytes", x), x)
  expect_identical(call("bytes", as.raw(1:2)), list(as.raw(1:2)))
  expect_identical(call("nils", list(raw(), NULL)), c(FALSE, TRUE))
})

test_that("an elementwise []byte is a list, but of one raw vector one", {
  server <- local_server(test_source("arrow"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("each", as.raw(1:2)), as.raw(1:2))
  expect_identical(call("each", raw()), raw())
  for (x in list(list(as.raw(1:2)), list(NULL), list(raw(), NULL, as.raw(1)), list())) {
    expect_identical(call("each", x), x)
  }
  expect_identical(call("fill", 2L), list(raw(2)))
  expect_identical(call("fill", c(1L, NA)), list(raw(1), NULL))
})
