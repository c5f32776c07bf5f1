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

test_that("a program has the directory and environment of its start, a restart takes those of now", {
  code <- "
    import (\"os\"; \"time\")
    //mangoro:once
    func Dir() string { dir, _ := os.Getwd(); return dir }
    func Env(name string) string { return os.Getenv(name) }
    func Zone() string { return time.Local.String() }
  "
  before <- withr::local_tempdir()
  after <- withr::local_tempdir()
  withr::local_dir(before)
  withr::local_envvar(MANGORO_TEST = "before", LC_ALL = "C", TZ = "Asia/Tokyo")
  h <- local_source(code = code, env = c(MANGORO_TEST_OWN = "own"))
  sees <- function(dir, variable, locale, zone) {
    expect_identical(real_path(h$Dir()), real_path(dir))
    expect_identical(h$Env(c("MANGORO_TEST", "LC_ALL", "MANGORO_TEST_OWN")), c(variable, locale, "own"))
    expect_identical(h$Zone(), zone)
  }
  sees(before, "before", "C", "Asia/Tokyo")
  # What R changes later is R's.
  setwd(after)
  withr::local_envvar(MANGORO_TEST = "after", LC_ALL = "C.UTF-8", TZ = "America/Lima")
  sees(before, "before", "C", "Asia/Tokyo")
  mangoro_restart(h)
  sees(after, "after", "C.UTF-8", "America/Lima")
})

test_that("a file that was named by a relative path is found at a restart elsewhere", {
  withr::local_dir(local_files(main.go = readLines(test_source("typed"))))
  h <- local_start("main.go")
  setwd(tempdir())
  mangoro_restart(h)
  expect_identical(h$add(1, 2), 3)
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

test_that("two handles of one program are two processes", {
  one <- local_start("cmd/rpc-example")
  two <- local_start("cmd/rpc-example")
  expect_false(pid_of(one) == pid_of(two))
  mangoro_stop(one)
  expect_identical(two$add(1, 2), 3)
})

test_that("restarts leave nothing behind in R", {
  h <- local_start("cmd/rpc-example")
  weak_references <- function() {
    gc()
    gc()
    memory.profile()[["weakref"]]
  }
  mangoro_restart(h)
  before <- weak_references()
  for (i in 1:10) mangoro_restart(h)
  expect_lt(weak_references() - before, 10)
})
