# What nanoarrow is given to read, and what it is not.

reply_of <- function(server, name) {
  ask(server$sock, envelope_header("call", name))
}

test_that("every Arrow type passes the verifier", {
  server <- local_server(test_source("types"))
  names <- decode_record(reply_of(server, "names"), 9)$name
  expect_gt(length(names), 60)
  for (name in c(names, "batches", "replaced", "slice", "float16_special")) {
    reply <- reply_of(server, name)
    expect_identical(.Call(c_verify, reply, 9), reply[-(1:9)], info = name)
  }
})

test_that("every type that nanoarrow reads is a result", {
  server <- local_server(test_source("types"))
  for (name in decode_record(reply_of(server, "names"), 9)$name) {
    alone <- tryCatch(nanoarrow::read_nanoarrow(reply_of(server, name)[-(1:9)]), error = function(cnd) NULL)
    if (is.null(alone)) {
      # It does not know views, list views and run ends.
      expect_error(mangoro_rpc_call(server$sock, name), class = "mangoro_error_protocol", info = name)
    } else {
      got <- mangoro_rpc_call(server$sock, name)
      expect_identical(format(got$get_schema()$children[[1]]), format(alone$get_schema()$children[[1]]), info = name)
    }
  }
  union <- as.data.frame(mangoro_rpc_call(server$sock, "dense_union"))
  expect_identical(union$dense_union, data.frame(i = c(1L, NA, 2L), s = c(NA, "a", NA)))
})

# A little-endian number in the place of some bytes, counted from 0.
patch <- function(bytes, at, value, size) {
  bytes[at + seq_len(size)] <- as.raw(value %/% 256^(seq_len(size) - 1) %% 256)
  bytes
}

test_that("a message without a header is refused", {
  bytes <- encode_record(data.frame(x = c("a", "b", NA)))
  second <- frames_of(c(raw(9), bytes))[[2]][["meta"]] - 9
  table <- second + le(bytes, second, 4)
  bytes <- patch(bytes, table - le(bytes, table, 4) + 4 + 2 * 2, 0, 2)
  expect_error(read_stream(bytes), "no header", class = "mangoro_error_protocol")
  puppet <- local_puppet()
  puppet$answer(c(as.raw(2), raw(8), bytes))
  expect_error(mangoro_rpc_call(puppet$sock, "f"), "no header", class = "mangoro_error_protocol")
})

# A stream of 77 rows that are said to be `rows`.
claiming <- function(bytes, rows) {
  here <- frames_of(c(raw(9), bytes))[[2]] - 9
  at <- seq(here[["meta"]], here[["body"]] - 8, by = 4)
  at <- at[vapply(at, function(i) le(bytes, i, 8) == 77, NA)]
  for (i in at) bytes <- patch(bytes, i, rows, 8)
  bytes
}

# A record of 77 rows of nulls.
null_record <- function() {
  x <- nanoarrow::nanoarrow_array_init(nanoarrow::na_na())
  x <- nanoarrow::nanoarrow_array_modify(x, list(length = 77, null_count = 77))
  record <- nanoarrow::nanoarrow_array_init(nanoarrow::na_struct(list(x = nanoarrow::na_na())))
  nanoarrow::nanoarrow_array_modify(record, list(length = 77, children = list(x = x)))
}

test_that("a few bytes are not billions of rows", {
  nulls <- encode_arrow(null_record())
  nothing <- encode_record(data.frame(row.names = 1:77))
  for (rows in c(2^31 - 1, 2^31, 2^27, 2^40)) {
    for (stream in list(nulls, nothing)) {
      bytes <- claiming(stream, rows)
      expect_error(read_stream(bytes), "claims", class = "mangoro_error_protocol")
      expect_error(decode_record(bytes), "claims", class = "mangoro_error_protocol")
    }
  }
  # As many as a session bears.
  expect_identical(nrow(decode_record(claiming(nothing, 1e6))), 1000000L)
  expect_identical(nrow(as.data.frame(read_stream(claiming(nulls, 1e6)))), 1000000L)
})

test_that("text that is not UTF-8 is refused", {
  bytes <- encode_record(data.frame(s = c("ab", "cd")))
  bytes[which(bytes == charToRaw("b"))] <- as.raw(0xff)
  expect_error(read_stream(bytes), "row 1.*not UTF-8", class = "mangoro_error_protocol")
})

test_that("compressed bodies are refused", {
  server <- local_server(test_source("types"))
  expect_error(mangoro_rpc_call(server$sock, "compressed"), "compressed", class = "mangoro_error_protocol")
})

test_that("the controller of the file server answers with its two columns", {
  puppet <- local_puppet()
  header <- envelope_header("result")
  puppet$answer(encode_record(data.frame(status = "ok", message = "up"), header))
  expect_identical(mangoro_http_status(puppet$sock), data.frame(status = "ok", message = "up"))
  others <- list(list(status = "ok", message = "up"), data.frame(status = "ok"), data.frame(status = 1, message = "up"))
  for (x in others) {
    puppet$answer(encode_record(x, header))
    expect_error(mangoro_http_status(puppet$sock), class = "mangoro_error_protocol")
  }
})

test_that("every type that nanoarrow reads is sent as it is", {
  server <- local_server(test_source("types"))
  echo <- function(payload) {
    ask(server$sock, c(envelope_header("call", "echo"), payload))[-(1:9)]
  }
  values <- function(bytes) as.data.frame(nanoarrow::read_nanoarrow(bytes))
  sent <- 0
  for (name in decode_record(reply_of(server, "names"), 9)$name) {
    bytes <- reply_of(server, name)[-(1:9)]
    # It does not know views, list views and run ends.
    stream <- tryCatch(nanoarrow::read_nanoarrow(bytes), error = function(cnd) NULL)
    if (is.null(stream)) next
    got <- echo(encode_arrow(stream))
    # The ids of dictionaries, and what lies under the rows of other members of a sparse
    # union, are the writer's choice.
    if (grepl("dictionary|sparse", name)) {
      expect_identical(values(got), values(echo(bytes)), info = name)
    } else {
      expect_identical(got, echo(bytes), info = name)
    }
    sent <- sent + 1
  }
  expect_gt(sent, 50)
})
