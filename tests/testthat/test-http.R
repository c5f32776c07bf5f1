report <- function(status, message) data.frame(status = status, message = message)

test_that("a directory is served, and stopped, and served again", {
  server <- local_server(command_source("http-server"))
  dir <- withr::local_tempdir()
  writeLines("hello", file.path(dir, "a.txt"))
  expect_identical(mangoro_http_status(server$sock), report("status", "stopped"))
  address <- free_address(server$sock)
  for (round in 1:2) {
    expect_identical(
      mangoro_http_start(server$sock, address, dir = dir),
      report("ok", paste("HTTP server started on", address))
    )
    expect_identical(mangoro_http_status(server$sock), report("status", paste("running at", address)))
    expect_identical(readLines(paste0("http://", address, "/a.txt")), "hello")
    expect_identical(mangoro_http_stop(server$sock), report("ok", "HTTP server stopped"))
  }
  expect_identical(mangoro_http_status(server$sock), report("status", "stopped"))
  expect_identical(mangoro_http_stop(server$sock), report("ok", "HTTP server was not running"))
})

test_that("port 0 is told as what it became", {
  server <- local_server(command_source("http-server"))
  started <- mangoro_http_start(server$sock, "127.0.0.1:0", dir = withr::local_tempdir())
  expect_match(started$message, "^HTTP server started on 127.0.0.1:[1-9][0-9]*$")
  running <- sub("^HTTP server started on", "running at", started$message)
  expect_identical(mangoro_http_status(server$sock)$message, running)
})

test_that("a relative directory is R's", {
  server <- local_server(command_source("http-server"))
  dir <- withr::local_tempdir()
  writeLines("here", file.path(dir, "b.txt"))
  withr::local_dir(dir)
  address <- sub("^HTTP server started on ", "", mangoro_http_start(server$sock, "127.0.0.1:0")$message)
  expect_identical(readLines(paste0("http://", address, "/b.txt")), "here")
})

test_that("a prefix moves the files", {
  server <- local_server(command_source("http-server"))
  dir <- withr::local_tempdir()
  writeLines("here", file.path(dir, "b.txt"))
  started <- mangoro_http_start(server$sock, "127.0.0.1:0", dir = dir, prefix = "data")
  address <- sub("^HTTP server started on ", "", started$message)
  expect_identical(readLines(paste0("http://", address, "/data/b.txt")), "here")
  expect_error(suppressWarnings(readLines(paste0("http://", address, "/b.txt"))))
})

test_that("silent writes no log lines", {
  server <- local_server(command_source("http-server"))
  mangoro_http_start(server$sock, "127.0.0.1:0", dir = tempdir(), silent = TRUE)
  mangoro_http_stop(server$sock)
  expect_length(grep("[mangoro server]", server$proc$read_output_lines(), fixed = TRUE), 0)
})

test_that("a server that cannot be started says why", {
  server <- local_server(command_source("http-server"))
  dir <- withr::local_tempdir()
  file <- file.path(dir, "file")
  writeLines("x", file)
  start <- function(...) mangoro_http_start(server$sock, "127.0.0.1:0", ...)
  expect_error(start(dir = file.path(dir, "missing")), class = "mangoro_error_handler")
  expect_error(start(dir = file), class = "mangoro_error_handler")
  expect_error(start(dir = dir, tls = TRUE, cert = file, key = file), class = "mangoro_error_handler")
  expect_error(mangoro_http_start(server$sock, "nonsense", dir = dir), class = "mangoro_error_handler")
  expect_identical(mangoro_http_status(server$sock), report("status", "stopped"))

  start(dir = dir)
  expect_error(start(dir = dir), "already running", class = "mangoro_error_handler")
})

test_that("arguments are checked before anything is sent", {
  sock <- nanonext::socket("req")
  withr::defer(close(sock))
  for (args in list(
    list(addr = 8080), list(dir = NULL), list(prefix = NA_character_), list(cors = NA),
    list(coop = "yes"), list(tls = 1), list(silent = NULL), list(tls = TRUE),
    list(tls = TRUE, cert = "cert.pem")
  )) {
    expect_error(do.call(mangoro_http_start, c(list(sock), args)), class = "mangoro_error_invalid_argument")
  }
})

test_that("a server that is no controller is told", {
  server <- local_server(command_source("rpc-example"))
  expect_error(mangoro_http_status(server$sock), class = "mangoro_error_not_found")
})
