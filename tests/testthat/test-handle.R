test_that("wherever a socket is taken, a handle is", {
  h <- local_start("cmd/rpc-example")
  expect_identical(mangoro_call(h, "add", 1, 2), 3)
  expect_identical(as.data.frame(mangoro_rpc_call(h, "add", data.frame(x = 1, y = 2)))$result, 3)
  expect_setequal(names(mangoro_rpc_get_manifest(h)), names(h))
  expect_identical(mangoro_manifest(h), mangoro_rpc_get_manifest(h))
  mangoro_rpc_send(h, mangoro_rpc_manifest_request())
  expect_identical(mangoro_rpc_parse_response(mangoro_rpc_recv(h))$type, 0L)

  http <- local_start("cmd/http-server")
  expect_identical(mangoro_http_status(http)$message, "stopped")
})

test_that("a function that is not there is told with those that are", {
  h <- local_start("cmd/rpc-example")
  expect_error(h$nope, class = "mangoro_error_not_found")
  expect_error(h[["nope"]], class = "mangoro_error_not_found")
  expect_error(h$Add, "Is `add()` meant?", fixed = TRUE, class = "mangoro_error_not_found")
  expect_error(h[[1]], class = "mangoro_error_invalid_argument")
  expect_error(h$x <- 1)
  expect_snapshot(error = TRUE, {
    h$nope
    h$add(1)
    mangoro_call(h, "nope")
    mangoro_status("h")
    mangoro_logs(h, stream = "out")
  })
})

test_that("handles and functions can be looked at", {
  h <- local_start("cmd/rpc-example")
  scrub <- function(lines) gsub("pid [0-9]+, at .*", "pid <pid>, at <url>", lines)
  expect_snapshot(transform = scrub, {
    h
    h$add
    h$transposeMatrix
    str(h)
    str(h$add)
    mangoro_stop(h)
    h
  })
  typed <- local_start(test_source("typed"))
  expect_snapshot(typed$`repeat`)
  expect_s3_class(typed$add, "function")
  other <- mangoro_connect(mangoro_status(typed)$url)
  expect_match(format(other)[[2]], "connected to ipc:")
  mangoro_stop(typed)
  expect_error(other$add(1, 2), class = "mangoro_error_connection")
  expect_match(format(other)[[2]], "no server listens at ipc:")
  close(other)
})

test_that("the state of a handle is told", {
  h <- local_start("cmd/rpc-example")
  expect_identical(
    mangoro_status(h)[c("state", "exit_status")],
    data.frame(state = "running", exit_status = NA_integer_)
  )
  expect_true(mangoro_is_alive(h))
  expect_match(mangoro_logs(h, 1, "stdout"), "listening on ipc:")
  expect_identical(mangoro_logs(h), character())
  pid <- pid_of(h)
  url <- mangoro_status(h)$url
  expect_null(expect_invisible(close(h)))
  expect_false(has_process(pid))
  expect_false(file.exists(sub("ipc://", "", url)))
  expect_identical(mangoro_status(h)$state, "stopped")
  expect_false(mangoro_is_alive(h))
  expect_identical(names(h), NULL)
  expect_error(h$add, class = "mangoro_error_connection")
  mangoro_stop(h)
})

test_that("a summary has what is known of the functions", {
  skip_if_no_go()
  h <- local_handle(mangoro_source(code = c(
    "", "// A adds one.", "//", "//mangoro:default y=1", "func A(x, y float64) float64 { return x + y }",
    "", "func B() {}"
  )))
  summed <- summary(h)
  expect_s3_class(summed, "data.frame")
  expect_named(summed, c("name", "call", "go", "doc"))
  expect_identical(summed$call, c("A(x, y = 1L)", "B()"))
  expect_identical(summed$doc, c("A adds one.", ""))
  expect_snapshot(summary(h))
})

test_that("a handle has a time-out of its own", {
  h <- local_start(test_source("typed"), timeout = 0.2)
  # Without it the call would last an hour. Go or R is the first to give it up.
  withr::local_options(mangoro.timeout = Inf)
  expect_error(h$until(as.difftime(1, units = "hours")), class = "mangoro_error_timeout")
  expect_error(
    mangoro_call(h, "until", as.difftime(1, units = "hours"), .timeout = 0.3),
    class = "mangoro_error_timeout"
  )
})
