test_that("a peer that says nothing holds nobody beyond the time-out", {
  server <- local_stopped()
  silent <- local_silent()
  urls <- c(server$url, paste0("tcp://", silent), paste0("ws://", silent, "/x"))
  withr::local_options(mangoro.connect_timeout = 600)
  for (url in urls) {
    cnd <- expect_error(mangoro_connect(url, timeout = 0.3), class = "mangoro_error_connection")
    expect_match(conditionMessage(cnd), "was not established within 0.3 seconds", info = url)
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
    discard(sock) # close() may end R, see retire()
  }
  # A connection from before is one whose calls run out of time.
  expect_error(mangoro_rpc_get_manifest(server$sock, timeout = 0.2), class = "mangoro_error_timeout")
  mangoro_rpc_send(server$sock, mangoro_rpc_manifest_request())
  expect_error(mangoro_rpc_recv(server$sock, max_attempts = 1), class = "mangoro_error_timeout")
  # And nothing was done to it.
  server$proc$resume()
  expect_true("add" %in% names(mangoro_rpc_get_manifest(server$sock)))
})

test_that("an interrupt ends each wait", {
  skip_if_no_sigint()
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

# --- Several at once ------------------------------------------------------------

# A line with a call of a function of go/server.go out on it, which is given up with
# the test.
local_call <- function(sock, name, data, timeout = 60, env = parent.frame()) {
  connection <- connection_of(sock, NULL)
  line <- take_line(connection, NULL)
  withr::defer(release_line(line, connection), envir = env)
  message <- write_stream(data, envelope_header("call", name, call_metadata(timeout, line$id)), NULL)
  aio <- nanonext::request(line$ctx, message, send_mode = "raw", recv_mode = "raw", cv = line$signal)
  begin(line, connection, aio, length(message), name, timeout, NULL)
}

value_of <- function(reply) decode_record(reply, check_reply(reply, "result", "", NULL, NULL)$start)

test_that("several requests are waited for at once, each with its own end", {
  server <- local_server(test_source("server"))
  long <- local_call(server$sock, "work", data.frame(s = 600))
  here <- environment()
  echoes <- lapply(1:3, function(i) local_call(server$sock, "echo", data.frame(x = i), env = here))
  waiting <- c(echoes, long)
  while (length(waiting) > 1) {
    await(waiting)
    settled <- vapply(waiting, function(line) !unresolved(line$aio), NA)
    expect_true(any(settled))
    waiting <- waiting[!settled]
  }
  expect_identical(waiting[[1]], long)
  expect_identical(lapply(echoes, function(line) value_of(finish(line))$x), as.list(1:3))

  # One that is out of time does not end the others.
  short <- local_call(server$sock, "work", data.frame(s = 600), timeout = 0.05)
  await(list(long, short))
  expect_true(unresolved(long$aio))
  cnd <- expect_error(finish(short), class = "mangoro_error_timeout")
  expect_identical(cnd$timeout, 0.05)
})

test_that("requests to several servers are waited for at once, and one without hope is told", {
  skip_on_os("windows")
  withr::local_options(mangoro.connect_timeout = 0.2)
  server <- local_server(test_source("server"))
  never <- nanonext::socket("req", dial = create_ipc_path())
  withr::defer(close(never))
  mangoro_rpc_get_manifest(server$sock)
  long <- local_call(server$sock, "work", data.frame(s = 600))
  lost <- local_call(never, "echo", data.frame(x = 1))
  await(list(long, lost))
  expect_true(unresolved(long$aio))
  expect_error(finish(lost), "No server started to listen", class = "mangoro_error_connection")
  # A server that dies ends what is waited for there.
  server$proc$kill()
  await(list(long))
  expect_error(finish(long), class = "mangoro_error_connection")
})

test_that("lines are used again, those of requests that were given up are not", {
  server <- local_server(test_source("server"))
  lines <- function() {
    found <- list()
    free <- connection_of(server$sock, NULL)$state$free
    while (!is.null(free)) {
      found <- c(found, free[[1]]$id)
      free <- free[[2]]
    }
    as.character(found)
  }
  mangoro_rpc_get_manifest(server$sock)
  first <- lines()
  expect_length(first, 1)
  for (i in 1:3) mangoro_rpc_call(server$sock, "echo", data.frame(x = i))
  expect_error(mangoro_rpc_call(server$sock, "echo", 1), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_rpc_call(server$sock, "fail"), class = "mangoro_error_handler")
  expect_identical(lines(), first)

  # A method may call Go itself while a call is made.
  local_mocked_s3_method("mangoro_send_as", "calls_go", function(x, ...) {
    as.data.frame(mangoro_rpc_call(server$sock, "echo", data.frame(x = unclass(x) + 1)))
  })
  sent <- structure(list(y = structure(1, class = "calls_go")), class = "data.frame", row.names = 1L)
  got <- as.data.frame(mangoro_rpc_call(server$sock, "echo", sent))
  expect_identical(got$y$x, 2)
  expect_setequal(lines(), c(first, setdiff(lines(), first)))
  expect_length(lines(), 2)

  expect_error(
    mangoro_rpc_call(server$sock, "work", data.frame(s = 600), timeout = 0.05), class = "mangoro_error_timeout"
  )
  expect_length(lines(), 1)
})

test_that("a server that is restarted while arguments are sent is a connection error", {
  h <- local_start(test_source("typed"))
  connection <- server_of(h)$connection
  line <- take_line(connection, NULL)
  local_mocked_s3_method("mangoro_send_as", "restarts", function(x, ...) {
    mangoro_restart(h)
    unclass(x)
  })
  restarts <- structure(1, class = "restarts")
  expect_error(h$add(restarts, 2), "The socket is closed", class = "mangoro_error_connection")
  expect_error(h$add(restarts, "a"), class = "mangoro_error_invalid_argument")
  expect_identical(h$add(1, 2), 3)
  # No line of a socket that is closed is left to the collector, which may run in a fork.
  release_line(line, connection)
  expect_null(connection$state$free)
})
