class_of_error <- function(expr) {
  tryCatch(
    {
      expr
      "none"
    },
    error = function(cnd) class(cnd)[[1]]
  )
}

# The certificates in tls/: of localhost, of another host, one that has expired.
pem_of <- function(name, part) {
  paste(readLines(test_path("tls", paste0(name, ".", part))), collapse = "\n")
}

tls_of <- function(name, ...) nanonext::tls_config(client = c(pem_of(name, "crt"), ""), ...)

# Listens with TLS in this process: enough for a handshake.
local_tls <- function(name, scheme = "tls+tcp", env = parent.frame(), ...) {
  sock <- nanonext::socket("rep")
  withr::defer(close(sock), envir = env)
  config <- nanonext::tls_config(server = c(pem_of(name, "crt"), pem_of(name, "key")), ...)
  nanonext::listen(sock, sprintf("%s://127.0.0.1:0/", scheme), tls = config)
  url <- attr(attr(sock, "listener")[[1]], "url")
  # NNG tries only one of the addresses of a host for a WebSocket.
  if (scheme == "wss") url else sub("127.0.0.1", "localhost", url, fixed = TRUE)
}

# --- A peer that says nothing ---------------------------------------------------

# A server that is stopped, not ended: the system goes on to accept connections.
local_stopped <- function(env = parent.frame()) {
  skip_on_os("windows")
  server <- local_server(command_source("rpc-example"), env = env)
  mangoro_rpc_get_manifest(server$sock)
  suspend(server$proc)
  server
}

# A TCP socket that is listened at, and nothing more.
local_silent <- function(env = parent.frame()) {
  for (port in sample(20000:60000, 50)) {
    listener <- tryCatch(serverSocket(port), error = function(cnd) NULL)
    if (!is.null(listener)) break
  }
  withr::defer(close(listener), envir = env)
  paste0("127.0.0.1:", port)
}

test_that("a peer that says nothing holds nobody beyond the time-out", {
  server <- local_stopped()
  silent <- local_silent()
  urls <- c(server$url, paste0("tcp://", silent), paste0("ws://", silent, "/x"))
  withr::local_options(mangoro.connect_timeout = 600)
  for (url in urls) {
    cnd <- expect_error(mangoro_connect(url, timeout = 0.3), class = "mangoro_error_connection")
    expect_match(conditionMessage(cnd), "has not come about within 0.3 seconds", info = url)
    sock <- nanonext::socket("req", dial = url)
    frame <- data.frame(x = 1, y = 2)
    for (call in expression(
      mangoro_rpc_get_manifest(sock, timeout = 0.2),
      mangoro_rpc_call(sock, "add", frame, timeout = 0.2),
      mangoro_call(sock, "add", 1, 2, .timeout = 0.2),
      mangoro_rpc_send(sock, raw(9), max_attempts = 1)
    )) {
      expect_identical(class_of_error(eval(call)), "mangoro_error_connection", info = paste(url, call[[1]]))
    }
    close(sock)
  }
  # A connection from before is one whose calls run out of time.
  expect_error(mangoro_rpc_get_manifest(server$sock, timeout = 0.2), class = "mangoro_error_timeout")
  mangoro_rpc_send(server$sock, mangoro_rpc_manifest_request())
  expect_error(mangoro_rpc_recv(server$sock, max_attempts = 1), class = "mangoro_error_timeout")
  # And nothing was done to it.
  server$proc$resume()
  expect_true("add" %in% names(mangoro_rpc_get_manifest(server$sock)))
})

test_that("a peer that speaks TLS with nobody holds nobody either", {
  url <- paste0("tls+tcp://", local_silent())
  expect_error(
    mangoro_connect(url, tls = tls_of("localhost"), timeout = 0.3),
    "has not come about", class = "mangoro_error_connection"
  )
})

test_that("a stopped program is restarted and stopped", {
  skip_on_os("windows")
  h <- local_start("cmd/rpc-example")
  stop_it <- function() suspend(server_of(h)$process)
  stop_it()
  expect_error(mangoro_call(h, "add", 1, 2, .timeout = 0.2), class = "mangoro_error_timeout")
  mangoro_restart(h)
  expect_identical(h$add(1, 2), 3)
  other <- mangoro_connect(mangoro_status(h)$url, timeout = 0.5)
  stop_it()
  expect_error(mangoro_restart(other), class = "mangoro_error_connection")
  expect_identical(mangoro_status(other)$state, "stopped")
  pid <- pid_of(h)
  mangoro_stop(h, patience = 600)
  expect_false(has_process(pid))
})

test_that("an interrupt ends each wait", {
  skip_on_os("windows")
  server <- local_stopped()
  waits <- c(
    connect = "mangoro_connect(url, timeout = 600)",
    manifest = "mangoro_rpc_get_manifest(sock, timeout = 600)",
    call = "mangoro_call(sock, 'add', 1, 2, .timeout = 600)",
    send = "mangoro_rpc_send(sock, raw(9), max_attempts = 600)",
    stop = "mangoro_stop(h, patience = 600)"
  )
  for (wait in names(waits)) {
    session <- other_session(c(
      sprintf("url <- '%s'", server$url),
      "options(mangoro.connect_timeout = 600)",
      "sock <- nanonext::socket('req', dial = url)",
      if (wait == "stop") sprintf("h <- mangoro_start('%s')", build_once(test_source("stubborn"))),
      sprintf("r <- tryCatch({ cat('waiting\\n'); %s }, interrupt = function(cnd) 'interrupted')", waits[[wait]]),
      if (wait == "stop") "cat(mangoro_status(h)$state, '')",
      "cat(r, '\\n')"
    ))
    wait_for_output(session, "waiting")
    session$interrupt()
    session$wait(60000)
    expect_false(session$is_alive(), info = wait)
    expect_match(paste(session$read_all_output(), collapse = ""), "interrupted", info = wait)
    session$kill()
  }
})

# --- At most once --------------------------------------------------------------

test_that("no request of a socket that was given to mangoro is sent again", {
  server <- local_server(command_source("rpc-example"))
  mangoro_rpc_send(server$sock, mangoro_rpc_manifest_request())
  expect_identical(nanonext::opt(server$sock, "req:resend-time"), 0L)
  # Its reply can be received by nanonext, too.
  reply <- nanonext::recv(server$sock, mode = "raw", block = 10000)
  expect_identical(mangoro_rpc_parse_response(reply)$type, 0L)
  # A program that sets it for itself does not set it for us.
  nanonext::opt(server$sock, "req:resend-time") <- 1000L
  mangoro_rpc_send(server$sock, mangoro_rpc_manifest_request())
  expect_identical(nanonext::opt(server$sock, "req:resend-time"), 0L)
  mangoro_rpc_recv(server$sock)
})

test_that("a request whose server died is an error and does not run again", {
  skip_on_os("windows")
  file <- withr::local_tempfile()
  server <- local_server(test_source("counter"))
  handle <- local_handle(mangoro_connect(server$url))
  request <- function(fate) {
    mangoro_rpc_call_message("mark", data.frame(file = file, id = fate, fate = fate, pid = Sys.getpid()))
  }
  for (x in list(server$sock, handle)) {
    mangoro_rpc_get_manifest(x)
    mangoro_rpc_send(x, request("die"))
    server$proc$wait(60000)
    server$proc <- processx::process$new(build_once(test_source("counter")), args = server$url, stdout = "|")
    withr::defer(server$proc$kill())
    wait_for_output(server$proc, "listening on")
    mangoro_rpc_get_manifest(x)
    expect_error(mangoro_rpc_recv(x, max_attempts = 5), class = "mangoro_error_connection")
  }
  expect_identical(readLines(file), c("die", "die"))
  # What was never sent is not sent later.
  server$proc$kill()
  expect_error(mangoro_rpc_get_manifest(server$sock), class = "mangoro_error_connection")
  expect_error(mangoro_rpc_send(server$sock, request("answer"), max_attempts = 1), class = "mangoro_error_connection")
  expect_error(mangoro_call(server$sock, "mark", file, "late", "answer", 1L), class = "mangoro_error_connection")
  server$proc <- processx::process$new(build_once(test_source("counter")), args = server$url, stdout = "|")
  withr::defer(server$proc$kill())
  wait_for_output(server$proc, "listening on")
  mangoro_rpc_get_manifest(server$sock)
  expect_identical(readLines(file), c("die", "die"))
})

test_that("a reply that nobody has asked for is not waited for", {
  server <- local_server(command_source("rpc-example"))
  expect_error(mangoro_rpc_recv(server$sock), "Send a request first", class = "mangoro_error_connection")
})

# --- What is kept ---------------------------------------------------------------

test_that("what is known of a socket goes with it", {
  server <- local_server(command_source("rpc-example"))
  gone <- 0
  use <- function() {
    sock <- nanonext::socket("req", dial = server$url)
    on.exit(close(sock))
    mangoro_call(sock, "add", 1, 2)
    reg.finalizer(attr(sock, "mangoro"), function(state) gone <<- gone + 1)
  }
  for (i in 1:40) use()
  for (i in 1:3) gc()
  expect_identical(gone, 40)
})

# --- Sockets of others ----------------------------------------------------------

# All functions that take a socket.
socket_calls <- expression(
  mangoro_call(sock, "add", 1, 2),
  mangoro_rpc_call(sock, "add", data.frame(x = 1, y = 2)),
  mangoro_rpc_get_manifest(sock),
  mangoro_rpc_send(sock, mangoro_rpc_manifest_request()),
  mangoro_rpc_recv(sock),
  mangoro_http_start(sock),
  mangoro_http_status(sock),
  mangoro_http_stop(sock)
)

socket_classes <- function(sock) vapply(socket_calls, function(call) class_of_error(eval(call)), "")

test_that("a socket in a fork is an error, and not the end of the process", {
  skip_on_os("windows")
  gc() # sockets that other tests have closed: NNG cannot free them in a fork
  server <- local_server(test_source("typed"))
  # A call that was given up, a handle that was closed: nothing of them is left for
  # the collector of a fork.
  mangoro_rpc_get_manifest(server$sock) # or the call might end before it is connected
  expect_error(
    mangoro_call(server$sock, "until", as.difftime(1, units = "hours"), .timeout = 0.1),
    class = "mangoro_error_timeout"
  )
  closed <- mangoro_connect(server$url)
  closed$add(1, 2)
  close(closed)
  rm(closed)
  other <- nanonext::socket("req", dial = server$url) # which mangoro has not seen yet
  withr::defer(close(other))
  child <- parallel::mcparallel({
    classes <- c(socket_classes(server$sock), socket_classes(other))
    gc()
    classes
  })
  expect_identical(
    unname(parallel::mccollect(child)[[1]]), rep("mangoro_error_connection", 2 * length(socket_calls))
  )
  expect_identical(mangoro_call(server$sock, "add", 1, 2), 3)
})

test_that("mangoro may be loaded by the fork itself", {
  skip_on_os(c("windows", "mac", "solaris"))
  server <- local_server(command_source("rpc-example"))
  session <- other_session(
    c(
      sprintf("sock <- nanonext::socket('req', dial = '%s')", server$url),
      "child <- parallel::mcparallel(tryCatch(",
      "  mangoro::mangoro_call(sock, 'add', 1, 2), error = function(cnd) class(cnd)[[1]]))",
      "cat(parallel::mccollect(child)[[1]])"
    ),
    load = FALSE
  )
  session$wait(60000)
  expect_match(session$read_all_output(), "mangoro_error_connection")
})

test_that("a socket that was saved, or closed in any way, is an error", {
  server <- local_server(command_source("rpc-example"))
  fresh <- nanonext::socket("req", dial = server$url)
  mangoro_call(server$sock, "add", 1, 2)
  reaped <- nanonext::socket("req", dial = server$url)
  mangoro_call(reaped, "add", 1, 2)
  nanonext::reap(reaped)
  unseen <- nanonext::socket("req", dial = server$url)
  nanonext::reap(unseen)
  again <- function(sock) unserialize(serialize(sock, NULL))
  for (sock in list(again(fresh), again(server$sock), reaped, unseen)) {
    expect_identical(unname(socket_classes(sock)), rep("mangoro_error_connection", length(socket_calls)))
  }
  close(fresh)
})

# --- Whom one connects to -------------------------------------------------------

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

test_that("nobody is believed without a certificate, unless that is wanted", {
  url <- "tls+tcp://localhost:1"
  for (tls in list(NULL, nanonext::tls_config(), tls_of("localhost", auth = FALSE))) {
    expect_error(mangoro_connect(url, tls = tls), "verifies no certificate", class = "mangoro_error_invalid_argument")
    expect_error(mangoro_connect("wss://localhost:1/", tls = tls), class = "mangoro_error_invalid_argument")
  }
  server <- nanonext::tls_config(server = c(pem_of("localhost", "crt"), pem_of("localhost", "key")))
  expect_snapshot(error = TRUE, {
    mangoro_connect("tls+tcp://localhost:1")
    mangoro_connect("tls+tcp://localhost:1", tls = "ca.pem")
    mangoro_connect("tls+tcp://localhost:1", tls = server, insecure = TRUE)
    mangoro_connect("ipc:///tmp/x", tls = nanonext::tls_config())
    mangoro_connect("tcp://example.org:5555")
    mangoro_connect("ws://example.org/x", insecure = NA)
  })
})

test_that("what is wrong with a TLS server is told at once", {
  withr::local_options(mangoro.connect_timeout = 600, mangoro.timeout = 600)
  refused <- function(url, name, message) {
    cnd <- expect_error(mangoro_connect(url, tls = tls_of(name)), class = "mangoro_error_connection")
    expect_match(conditionMessage(cnd), message, info = paste(url, name))
  }
  url <- local_tls("localhost")
  refused(url, "other", "certificate of the server at .* is refused")
  refused(sub("localhost", "127.0.0.1", url), "localhost", "is refused")
  refused(local_tls("other"), "other", "is refused")
  refused(local_tls("expired"), "expired", "is refused")
  refused(local_tls("localhost", "wss"), "other", "is refused")
  refused(local_tls("localhost", auth = TRUE), "localhost", "asks for a certificate of the client")
  plain <- nanonext::socket("rep", listen = "tcp://127.0.0.1:0")
  withr::defer(close(plain))
  address <- attr(attr(plain, "listener")[[1]], "url")
  refused(paste0("tls+", address), "localhost", "Is what listens there a server with TLS")
  expect_error(
    mangoro_connect(sub("tls+tcp", "tcp", url, fixed = TRUE)),
    "A server that expects TLS", class = "mangoro_error_connection"
  )
  # A user's own socket, too.
  sock <- nanonext::socket("req", dial = url, tls = tls_of("other"))
  withr::defer(close(sock))
  expect_error(mangoro_rpc_get_manifest(sock), "is refused", class = "mangoro_error_connection")
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
  expect_error(mangoro_connect(url), "no server of mangoro", class = "mangoro_error_connection")
})
