test_that("it is known where a URL leads", {
  remote <- c(
    "tcp://example.org:5555", "tcp4://10.0.0.1:1", "ws://host/x", "tls+tcp://host:1", "wss://h:1/p?q",
    "tcp://127.0.0.1:80@evil.org:5555", "tcp://127.evil.org:1", "tcp://localhost.evil.org:1", "tcp://[::2]:1",
    "ws://user@10.1.1.1/localhost", "TCP://10.0.0.1:1", "Wss://h:1/p", "udp://10.0.0.1:1"
  )
  near <- c(
    "ipc:///tmp/x", "abstract://x", "inproc://x", "tcp://127.0.0.1:5555", "tcp://localhost:1", "ws://[::1]:80/x",
    "wss://127.9.9.9:1/", "tcp6://[::1]:5", "TCP://127.0.0.1:1"
  )
  expect_identical(vapply(remote, is_remote, NA, USE.NAMES = FALSE), rep(TRUE, length(remote)))
  expect_identical(vapply(near, is_remote, NA, USE.NAMES = FALSE), rep(FALSE, length(near)))
  urls <- c("tls+tcp://x", "TLS+tcp4://x", "wss6://x", "ws://x", "tcp://x")
  expect_identical(speaks_tls(urls), rep(c(TRUE, FALSE), 3:2))
  expect_identical(host_of("tcp://a:b@[fe80::1]:5/x@y"), "fe80::1")
})

test_that("a WebSocket is closed when it does not connect any more, since NNG may end R otherwise", {
  signal <- cv()
  wait <- function(done) {
    end <- seconds() + 30
    while (!done() && seconds() < end) until_(signal, 5L)
    expect_true(done())
  }
  is_open <- function(sock) !is.null(nng_count(sock, "id"))
  give_up <- function(url) {
    expect_error(mangoro_connect(url, timeout = 0.1), class = "mangoro_error_connection")
    the$retired[[length(the$retired)]]$sock
  }
  at_silent_peer <- function(use) use(paste0("ws://", local_silent(), "/x"))
  sock <- at_silent_peer(function(url) {
    sock <- give_up(url)
    close_retired()
    expect_true(is_open(sock))
    sock
  })
  # The peer is gone, and so the attempt has failed. No other one follows.
  wait(function() {
    close_retired()
    !is_open(sock)
  })
  # One that is connected is closed at once.
  rep <- nanonext::socket("rep", listen = "ws://127.0.0.1:0/x")
  withr::defer(close(rep))
  sock <- nanonext::socket("req", dial = attr(attr(rep, "listener")[[1]], "url"))
  wait(function() is_connected(sock))
  id <- nng_count(sock, "id")
  discard(sock)
  expect_false(id %in% vapply(the$retired, function(retired) nng_count(retired$sock, "id"), 0))
  wait(function() nng_count(rep, "pipes") == 0)
})
