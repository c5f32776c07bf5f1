test_that("a peer that speaks TLS with nobody holds nobody either", {
  url <- paste0("tls+tcp://", local_silent())
  expect_error(
    mangoro_connect(url, tls = tls_of("localhost"), timeout = 0.3),
    "was not established", class = "mangoro_error_connection"
  )
})

test_that("what is wrong with a TLS server is told at once", {
  withr::local_options(mangoro.connect_timeout = 600, mangoro.timeout = 600)
  refused <- function(url, name, message) {
    cnd <- expect_error(mangoro_connect(url, tls = tls_of(name)), class = "mangoro_error_connection")
    expect_match(conditionMessage(cnd), message, info = paste(url, name))
  }
  url <- local_tls("localhost")
  refused(url, "other", "certificate of the server at .* was rejected")
  refused(sub("localhost", "127.0.0.1", url), "localhost", "was rejected")
  refused(local_tls("other"), "other", "was rejected")
  refused(local_tls("expired"), "expired", "was rejected")
  refused(local_tls("localhost", "wss"), "other", "was rejected")
  refused(local_tls("localhost", auth = TRUE), "localhost", "requires a client certificate")
  plain <- nanonext::socket("rep", listen = "tcp://127.0.0.1:0")
  withr::defer(close(plain))
  address <- attr(attr(plain, "listener")[[1]], "url")
  refused(paste0("tls+", address), "localhost", "Does the server there speak TLS")
  expect_error(
    mangoro_connect(sub("tls+tcp", "tcp", url, fixed = TRUE)),
    "A server that expects TLS", class = "mangoro_error_connection"
  )
  # A user's own socket, too.
  sock <- nanonext::socket("req", dial = url, tls = tls_of("other"))
  withr::defer(close(sock))
  expect_error(mangoro_rpc_get_manifest(sock), "was rejected", class = "mangoro_error_connection")
})

test_that("a server with the right certificate is connected to, and any if that is wanted", {
  session <- other_session(c(
    "sock <- nanonext::socket('rep')",
    sprintf("pem <- c('%s', '%s')", pem_of("localhost", "crt"), pem_of("localhost", "key")),
    "config <- nanonext::tls_config(server = pem)",
    "nanonext::listen(sock, 'tls+tcp://127.0.0.1:0', tls = config)",
    "cat(attr(attr(sock, 'listener')[[1]], 'url'), '\\n')",
    "repeat {",
    "  nanonext::recv(sock, 'raw', block = TRUE)",
    "  nanonext::send(sock, c(raw(9), charToRaw('{}')), 'raw', block = TRUE)",
    "}"
  ))
  withr::defer(session$kill())
  session$poll_io(60000)
  url <- sub("127.0.0.1", "localhost", trimws(session$read_output()), fixed = TRUE)
  h <- local_handle(mangoro_connect(url, tls = tls_of("localhost")))
  expect_identical(mangoro_status(h)$state, "connected")
  expect_length(mangoro_manifest(h), 0)
  for (tls in list(NULL, nanonext::tls_config(), tls_of("other", auth = FALSE))) {
    expect_identical(mangoro_status(local_handle(mangoro_connect(url, tls = tls, insecure = TRUE)))$state, "connected")
  }
})

test_that("what speaks another protocol is told at once", {
  withr::local_options(mangoro.connect_timeout = 600, mangoro.timeout = 600)
  pair <- nanonext::socket("pair", listen = create_ipc_path())
  withr::defer(close(pair))
  url <- attr(attr(pair, "listener")[[1]], "url")
  expect_error(mangoro_connect(url), "not a mangoro server", class = "mangoro_error_connection")
})

test_that("nobody at the address is told", {
  skip_on_os("windows")
  withr::local_options(mangoro.connect_timeout = 0.2)
  never <- nanonext::socket("req", dial = create_ipc_path())
  withr::defer(close(never))
  expect_error(mangoro_rpc_get_manifest(never), class = "mangoro_error_connection")

  server <- local_server(test_source("server"))
  mangoro_rpc_get_manifest(server$sock)
  server$proc$kill()
  late <- nanonext::socket("req", dial = server$url)
  withr::defer(close(late))
  expect_error(mangoro_rpc_get_manifest(late), class = "mangoro_error_connection")
})
