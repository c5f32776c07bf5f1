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

test_that("a site is no controller", {
  site <- local_site(local_files(a.txt = "hello"))
  for (f in list(mangoro_http_start, mangoro_http_status, mangoro_http_stop)) {
    expect_error(f(site), "mangoro_stop()", fixed = TRUE, class = "mangoro_error_invalid_argument")
  }
  expect_identical(read_url(site, "a.txt"), "hello")
})

test_that("a server that cannot be started says why", {
  server <- local_server(command_source("http-server"))
  dir <- withr::local_tempdir()
  file <- file.path(dir, "file")
  writeLines("x", file)
  start <- function(...) mangoro_http_start(server$sock, "127.0.0.1:0", ...)
  expect_error(start(dir = file.path(dir, "missing")), class = "mangoro_error_handler")
  cnd <- expect_error(
    start(dir = file), "The files cannot be served.\n.*it is not a directory",
    class = "mangoro_error_handler"
  )
  expect_match(cnd$error_msg, "it is not a directory", fixed = TRUE)
  expect_null(cnd$parent)
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
    list(tls = TRUE, cert = "cert.pem"), list(hidden = NA), list(listing = "no"), list(allow = 1),
    list(hosts = ""), list(auth = character()), list(headers = "x"), list(types = "text/plain"), list(max_age = -1),
    list(compress = NA), list(fallback = 1), list(not_found = ""), list(reload = NA), list(max_connections = 0),
    list(cors = "nonsense"), list(name = "needs a handle")
  )) {
    expect_error(do.call(mangoro_http_start, c(list(sock), args)), class = "mangoro_error_invalid_argument")
  }
})

test_that("the settings after `silent` arrive, and the defaults serve what they always have", {
  server <- local_server(command_source("http-server"))
  dir <- local_files(.dot = "dot", .env = "secret", a.txt = "hello")
  started <- mangoro_http_start(server$sock, "127.0.0.1:0", dir = dir)
  url <- sub("^HTTP server started on ", "http://", started$message)
  expect_identical(readLines(paste0(url, "/.dot")), "dot")
  expect_error(suppressWarnings(readLines(paste0(url, "/.env"))))
  expect_identical(
    readLines(paste0(url, "/"), warn = FALSE),
    c("<pre>", "<a href=\".dot\">.dot</a>", "<a href=\"a.txt\">a.txt</a>", "</pre>")
  )
  mangoro_http_stop(server$sock)

  started <- mangoro_http_start(
    server$sock, "127.0.0.1:0",
    dir = dir, hidden = FALSE, allow = ".env", auth = "key", max_age = 5, headers = c("X-A" = "b"), listing = FALSE,
    cors = c("https://a.org", "https://b.org"), coop = "cross-origin"
  )
  url <- sub("^HTTP server started on ", "http://", started$message)
  expect_identical(readLines(paste0(url, "/.env?token=key")), "secret")
  expect_error(suppressWarnings(readLines(paste0(url, "/.dot?token=key"))))
  expect_error(suppressWarnings(readLines(paste0(url, "/?token=key"))))
  expect_error(suppressWarnings(readLines(paste0(url, "/.env"))))
  headers <- trimws(curlGetHeaders(paste0(url, "/a.txt?token=key")))
  expect_match(headers, "^Cache-Control: .*max-age=5$", all = FALSE)
  for (line in c("X-A: b", "Cross-Origin-Resource-Policy: cross-origin")) {
    expect_true(line %in% headers)
  }
})

test_that("a token that is made up is told", {
  server <- local_server(command_source("http-server"))
  dir <- local_files(a.txt = "hello")
  expect_message(
    started <- mangoro_http_start(server$sock, "127.0.0.1:0", dir = dir, auth = TRUE), "The token is [0-9a-f]{32}",
    class = "mangoro_message_token"
  )
  expect_named(started, c("status", "message"))
})

test_that("that others can reach it is told", {
  server <- local_server(command_source("http-server"))
  expect_message(
    started <- mangoro_http_start(server$sock, "0.0.0.0:0", dir = withr::local_tempdir()), "Anyone who can reach",
    class = "mangoro_message_public"
  )
  expect_named(started, c("status", "message"))
})

test_that("a handle may have several servers with names, and starts them again", {
  server <- local_start("cmd/http-server")
  dir <- local_files(a.txt = "hello")
  nameless <- mangoro_http_start(server, "127.0.0.1:0", dir = dir)
  docs <- mangoro_http_start(server, "127.0.0.1:0", dir = dir, name = "docs")
  gone <- mangoro_http_start(server, "127.0.0.1:0", dir = dir, name = "gone")
  expect_identical(mangoro_http_stop(server, name = "gone"), report("ok", "HTTP server stopped"))
  running <- function(started) sub("HTTP server started on", "running at", started$message)
  expect_identical(mangoro_http_status(server, name = "docs"), report("status", running(docs)))
  mangoro_restart(server)
  expect_identical(mangoro_http_status(server), report("status", running(nameless)))
  expect_identical(mangoro_http_status(server, name = "docs"), report("status", running(docs)))
  expect_identical(mangoro_http_status(server, name = "gone"), report("status", "stopped"))
})

test_that("the help has the names of secrets", {
  page <- paste(unlist(lapply(tools::Rd_db("mangoro")[["mangoro_http_start.Rd"]], as.character)), collapse = "")
  for (name in strsplit(gsub("`", "", secret_names()), ", ")[[1]]) expect_match(page, name, fixed = TRUE)
})

test_that("hosts of this machine are told from others", {
  ours <- c("127.0.0.1", "127.1.2.3", "localhost", "a.localhost", "::1", "LOCALHOST")
  others <- c("", "0.0.0.0", "127.0.0.1.evil.org", "localhost.evil.org", "10.0.0.1", "::")
  for (host in ours) expect_true(is_loopback(host))
  for (host in others) expect_false(is_loopback(host))
})

test_that("a server that is no controller is told", {
  server <- local_server(command_source("rpc-example"))
  expect_error(mangoro_http_status(server$sock), class = "mangoro_error_not_found")
})
