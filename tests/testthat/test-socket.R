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
