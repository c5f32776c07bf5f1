test_that("records come back as they went", {
  server <- local_server(test_source("server"))
  frames <- list(
    numbers = data.frame(i = c(1L, NA, -3L), d = c(1.5, NA, Inf), l = c(TRUE, NA, FALSE)),
    text = data.frame(s = c("a", NA, "", "\u00e9", "\U1F951")),
    dates = data.frame(d = as.Date(c("1969-12-31", NA, "2024-02-29"))),
    nested = data.frame(x = 1:2, p = I(data.frame(a = c("u", "v"), b = c(1, 2)))),
    no_rows = data.frame(x = double(), s = character())
  )
  for (name in names(frames)) {
    sent <- frames[[name]]
    got <- as.data.frame(mangoro_rpc_call(server$sock, "echo", sent))
    expect_equal(got, sent, ignore_attr = TRUE, info = name)
    expect_named(got, names(sent))
  }
})

test_that("no data is a record without columns, and so is no result", {
  server <- local_server(test_source("server"))
  expect_identical(dim(as.data.frame(mangoro_rpc_call(server$sock, "echo"))), c(0L, 0L))
})

test_that("anything that nanoarrow makes a stream of can be sent", {
  server <- local_server(test_source("server"))
  sent <- data.frame(x = c(1, 2))
  for (data in list(
    nanoarrow::as_nanoarrow_array(sent),
    nanoarrow::as_nanoarrow_array_stream(sent),
    nanoarrow::basic_array_stream(list(
      nanoarrow::as_nanoarrow_array(sent[1, , drop = FALSE]),
      nanoarrow::as_nanoarrow_array(sent[2, , drop = FALSE])
    ))
  )) {
    expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", data)), sent)
  }
})

test_that("a million rows cross", {
  server <- local_server(test_source("server"))
  sent <- data.frame(x = as.double(seq_len(1e6)), s = as.character(seq_len(1e6)))
  expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", sent)), sent)
})

test_that("a result is a nanoarrow stream", {
  server <- local_server(test_source("server"))
  expect_s3_class(mangoro_rpc_call(server$sock, "echo", data.frame(x = 1)), "nanoarrow_array_stream")
})

test_that("each failure of a function has its class and text", {
  server <- local_server(test_source("server"))
  x <- data.frame(x = 1)
  expect_snapshot(error = TRUE, {
    mangoro_rpc_call(server$sock, "nope", x)
    mangoro_rpc_call(server$sock, "fail", x)
    mangoro_rpc_call(server$sock, "not_found", x)
    mangoro_rpc_call(server$sock, "panic", x)
  }, transform = function(lines) sub("the functions are .*", "the functions are ...", lines))
  expect_error(mangoro_rpc_call(server$sock, "nope", x), class = "mangoro_error_not_found")
  expect_error(mangoro_rpc_call(server$sock, "fail", x), class = "mangoro_error_handler")
  expect_error(mangoro_rpc_call(server$sock, "not_found", x), class = "mangoro_error_not_found")
  cnd <- expect_error(mangoro_rpc_call(server$sock, "panic", x), class = "mangoro_error_panic")
  expect_s3_class(cnd, "mangoro_error")
  expect_identical(cnd$code, "panic")
  expect_match(cnd$stack, "server.go")
  # And the server lives.
  expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", x)), x)
})

test_that("wrong columns are told by name", {
  server <- local_server(command_source("rpc-example"))
  expect_snapshot(error = TRUE, {
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1))
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1, y = "a"))
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1, z = 2))
    mangoro_rpc_call(server$sock, "echoStruct", data.frame(person = I(data.frame(name = NA_character_, age = 1L))))
    mangoro_rpc_call(server$sock, "transposeMatrix", data.frame(a = "text"))
  })
  expect_error(
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1)),
    class = "mangoro_error_invalid_argument"
  )
  # The order of columns does not matter.
  expect_identical(
    as.data.frame(mangoro_rpc_call(server$sock, "add", data.frame(y = 1, x = 2))),
    data.frame(result = 3)
  )
})

test_that("a call that takes too long is given up, and the socket works on", {
  server <- local_server(test_source("server"))
  cnd <- expect_error(
    mangoro_rpc_call(server$sock, "work", data.frame(s = 600), timeout = 0.1),
    class = "mangoro_error_timeout"
  )
  expect_identical(cnd$timeout, 0.1)
  withr::local_options(mangoro.timeout = 0.1)
  expect_error(mangoro_rpc_call(server$sock, "work", data.frame(s = 600)), class = "mangoro_error_timeout")
  result <- mangoro_rpc_call(server$sock, "echo", data.frame(x = 1), timeout = 60)
  expect_identical(as.data.frame(result), data.frame(x = 1))
})

test_that("an interrupt gives R back, and the socket works on", {
  skip_on_os("windows")
  server <- local_server(test_source("server"))
  got <- tryCatch(
    mangoro_rpc_call(server$sock, "interrupt", data.frame(pid = Sys.getpid())),
    interrupt = function(cnd) "interrupted"
  )
  expect_identical(got, "interrupted")
  expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", data.frame(x = 1))), data.frame(x = 1))
})

test_that("a server that dies during a call is told at once", {
  server <- local_server(test_source("server"))
  mangoro_rpc_get_manifest(server$sock)
  expect_error(mangoro_rpc_call(server$sock, "exit"), class = "mangoro_error_connection")
})

test_that("a server that is gone is told at once, and found again when it is back", {
  server <- local_server(test_source("server"))
  mangoro_rpc_get_manifest(server$sock)
  server$proc$kill()
  expect_error(mangoro_rpc_call(server$sock, "echo"), class = "mangoro_error_connection")

  again <- processx::process$new(build_once(test_source("server")), args = server$url, stdout = "|")
  withr::defer(again$kill())
  wait_for_output(again, "listening on")
  expect_identical(as.data.frame(mangoro_rpc_call(server$sock, "echo", data.frame(x = 1))), data.frame(x = 1))
})

test_that("send and receive are the halves of a call", {
  server <- local_server(test_source("server"))
  expect_identical(mangoro_rpc_send(server$sock, mangoro_rpc_call_message("echo", data.frame(x = 1))), 0L)
  reply <- mangoro_rpc_parse_response(mangoro_rpc_recv(server$sock))
  expect_identical(reply$type, 2L)
  expect_identical(as.data.frame(nanoarrow::read_nanoarrow(reply$data)), data.frame(x = 1))

  mangoro_rpc_send(server$sock, mangoro_rpc_call_message("work", data.frame(s = 600)))
  expect_error(mangoro_rpc_recv(server$sock, max_attempts = 1), class = "mangoro_error_timeout")
  expect_error(mangoro_rpc_send(server$sock, "text"), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_rpc_send(server$sock, raw(9), max_attempts = 0), class = "mangoro_error_invalid_argument")
})

test_that("calls leave nothing behind on the socket", {
  server <- local_server(command_source("rpc-example"))
  for (i in seq_len(50)) mangoro_rpc_call(server$sock, "add", data.frame(x = 1, y = 2))
  expect_identical(as.integer(nanonext::stat(server$sock, "pipes")), 1L)
})
