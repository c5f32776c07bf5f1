test_that("the elements of a handle are the Go functions", {
  h <- local_start(test_source("typed"))
  expect_identical(h$add(1:3, 0.5), 1:3 + 0.5)
  expect_identical(h$add(y = 1, 2), 3)
  expect_identical(h[["add"]](x = c(a = 1), 2), c(a = 3))
  expect_identical(h$`repeat`("ab", 2), "abab")
  expect_null(expect_invisible(h$nothing()))
  expect_true(all(c("add", "scaled") %in% names(h)))
  expect_identical(length(h), length(names(h)))
  expect_identical(as.list(h)$add(1, 2), 3)
  expect_identical(utils::.DollarNames(h, "^s[uc]"), c("scaled", "sum"))
})

test_that("functions have the arguments of the Go functions, and their defaults", {
  h <- local_start(test_source("typed"))
  expect_identical(formals(h$scaled), as.pairlist(alist(x = , by = 10L)))
  expect_identical(formals(h$`repeat`), as.pairlist(alist(s = , times = NULL)))
  expect_null(formals(h$nothing))
  expect_identical(h$scaled(1:2), c(10, 20))
  expect_identical(h$scaled(1:2, by = NULL), c(10, 20))
  expect_identical(h$scaled(by = 2, 1:2), c(2, 4))
  expect_error(h$scaled(), class = "mangoro_error_invalid_argument")
  expect_error(h$scaled(1, 2, 3), "unused argument")

  # A function without a signature takes any columns.
  example <- local_start("cmd/rpc-example")
  expect_identical(names(formals(example$transposeMatrix)), "...")
  expect_identical(example$transposeMatrix(a = c(1, 2), b = c(3, 4))$V2, c(2, 4))
})

test_that("arguments may have any name", {
  server <- new_server("x", "ipc:///x")
  spec <- list(type = "float64", nullable = TRUE)
  args <- c("server", "signature", "environment", "list", "x y", "if")
  signature <- list(
    name = "f", args = args, specs = rep(list(spec), 6), optional = rep(c(FALSE, TRUE), 3),
    defaults = list(NULL, NULL, NULL, "a", NULL, 2), boxed = TRUE, doc = "", go = ""
  )
  local_mocked_bindings(call_function = function(sock, name, args, timeout, call) args)
  f <- make_function(server, signature)
  expect_identical(
    f(1, environment = mean),
    list(server = 1, signature = NULL, environment = mean, list = "a", `if` = 2)
  )
  expect_identical(describe_function(f), "f(server, signature = NULL, environment, list = \"a\", x y, if = 2)")
})

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
  expect_match(format(other)[[2]], "nobody listens at ipc:")
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

test_that("a process that died says how, in a call and after it", {
  skip_on_os("windows")
  h <- local_start(test_source("server"))
  cnd <- expect_error(mangoro_call(h, "exit"), class = "mangoro_error_connection")
  expect_identical(cnd$status, 3L)
  expect_error(h$echo(), class = "mangoro_error_connection")
  expect_identical(mangoro_status(h)[c("state", "exit_status")], data.frame(state = "ended", exit_status = 3L))
  expect_snapshot(mangoro_call(h, "exit"), error = TRUE)

  mangoro_restart(h)
  tools::pskill(pid_of(h), tools::SIGKILL)
  cnd <- expect_error(h$echo(x = 1), class = "mangoro_error_connection")
  expect_identical(cnd$status, -9L)
  mangoro_restart(h)
  expect_identical(h$echo(x = 1), data.frame(x = 1))
})

test_that("a restart keeps handle, functions and URL, and takes the new source", {
  dir <- local_files("main.go" = readLines(test_source("typed")))
  file <- file.path(dir, "main.go")
  h <- local_start(file)
  add <- h$add
  before <- mangoro_status(h)
  expect_invisible(mangoro_restart(h))
  expect_identical(add(1, 2), 3)
  expect_identical(mangoro_status(h)$url, before$url)
  expect_false(has_process(before$pid))

  writeLines(sub("return x + y", "return x - y", readLines(file), fixed = TRUE), file)
  mangoro_restart(h)
  expect_identical(add(1, 2), -1)

  # What does not compile leaves the running one alone.
  write("nonsense", file, append = TRUE)
  expect_error(mangoro_restart(h), class = "mangoro_error_build")
  expect_identical(add(1, 2), -1)
})

test_that("a handle that is collected ends its process, a function keeps it", {
  skip_if_no_go()
  h <- mangoro_start("cmd/rpc-example")
  pid <- pid_of(h)
  url <- mangoro_status(h)$url
  add <- h$add
  rm(h)
  gc()
  expect_identical(add(1, 2), 3)
  rm(add)
  gc()
  expect_false(has_process(pid))
  expect_false(file.exists(sub("ipc://", "", url)))
})

test_that("a forked child neither uses nor ends the process of its parent", {
  skip_on_os("windows")
  h <- local_start("cmd/rpc-example")
  gc() # closed sockets of other tests: NNG cannot free them in a fork
  child <- parallel::mcparallel({
    used <- tryCatch(h$add(1, 2), error = conditionMessage)
    rm(h)
    gc()
    used
  })
  used <- parallel::mccollect(child)[[1]]
  expect_match(used, "A fork of an R process cannot use the handle")
  expect_no_match(used, "mangoro_connect")
  expect_identical(h$add(1, 2), 3)
})

test_that("a forked child is refused a handle of its own, and stops none", {
  skip_on_os("windows")
  h <- local_start("cmd/rpc-example")
  gc() # closed sockets of other tests: NNG cannot free them in a fork
  class_of <- function(expr) tryCatch(expr, error = function(cnd) class(cnd)[[1]])
  child <- parallel::mcparallel(c(
    class_of(mangoro_connect(mangoro_status(h)$url)), class_of(mangoro_start("cmd/rpc-example")),
    class_of(close(h)), class_of(mangoro_restart(h))
  ))
  expect_identical(parallel::mccollect(child)[[1]], rep("mangoro_error_connection", 4))
  connected <- local_handle(mangoro_connect(mangoro_status(h)$url))
  child <- parallel::mcparallel(c(mangoro_status(connected)$state, mangoro_is_alive(connected), format(connected)[[2]]))
  expect_identical(
    parallel::mccollect(child)[[1]],
    c("lost", "FALSE", "lost: it belongs to another R process, or was saved and loaded again")
  )
  expect_identical(h$add(1, 2), 3)
})

test_that("a handle that was saved and loaded again says so", {
  h <- local_start("cmd/rpc-example")
  file <- withr::local_tempfile()
  saveRDS(h, file)
  again <- readRDS(file)
  expect_error(again$add(1, 2), "saved and loaded again", class = "mangoro_error_connection")
  expect_error(close(again), class = "mangoro_error_connection")
  expect_error(mangoro_restart(again), class = "mangoro_error_connection")
  expect_match(format(again)[[2]], "saved and loaded again")
  expect_identical(mangoro_status(again)$state, "lost")
  expect_identical(h$add(1, 2), 3)
})

test_that("a handle of no use says what helps", {
  server <- new_server("stats.go", "ipc:///tmp/server.ipc", launch = function(dir, call) NULL)
  server$recipe$shown <- identity
  connected <- new_server("tls+tcp://host:5555", "tls+tcp://host:5555")
  url <- paste0("ipc://", withr::local_tempfile(lines = ""))
  listening <- new_server("f.go", url, launch = function(dir, call) NULL)
  for (one in list(server, connected, listening)) one$session <- new.env()
  expect_snapshot(error = TRUE, transform = scrub_paths(listening$url), {
    check_owner(server, NULL)
    check_owner(connected, NULL)
    check_owner(listening, NULL)
    abort_forked(server, NULL)
    abort_forked(connected, NULL)
  })
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

test_that("R takes its servers along when it ends", {
  skip_if_no_go()
  skip_on_os("windows")
  session <- other_session(c(
    "h <- mangoro_start('cmd/rpc-example')",
    "cat(mangoro_status(h)$pid, mangoro_status(h)$url, '\\n')"
  ))
  session$wait(60000)
  line <- strsplit(session$read_all_output_lines()[[1]], " ")[[1]]
  wait_for_end(as.integer(line[[1]]))
  expect_false(file.exists(sub("ipc://", "", line[[2]])))
})

test_that("servers end with an R that is killed", {
  skip_if_no_go()
  skip_on_os("windows")
  session <- other_session(c(
    "h <- mangoro_start('cmd/rpc-example')",
    "cat(mangoro_status(h)$pid, mangoro_status(h)$url, '\\n')",
    "tools::pskill(Sys.getpid(), tools::SIGKILL)"
  ))
  session$wait(60000)
  line <- strsplit(session$read_all_output_lines()[[1]], " ")[[1]]
  wait_for_end(as.integer(line[[1]]))
  expect_false(file.exists(sub("ipc://", "", line[[2]])))
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

test_that("two handles of one program are two processes", {
  one <- local_start("cmd/rpc-example")
  two <- local_start("cmd/rpc-example")
  expect_false(pid_of(one) == pid_of(two))
  mangoro_stop(one)
  expect_identical(two$add(1, 2), 3)
})
