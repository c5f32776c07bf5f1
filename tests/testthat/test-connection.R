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

test_that("a socket of another kind is refused", {
  rep <- nanonext::socket("rep")
  withr::defer(close(rep))
  for (sock in list(rep, NULL, 1L, "ipc:///tmp/x")) {
    expect_error(mangoro_rpc_get_manifest(sock), class = "mangoro_error_invalid_argument")
  }
  closed <- nanonext::socket("req")
  close(closed)
  expect_error(mangoro_rpc_get_manifest(closed), class = "mangoro_error_connection")
})
