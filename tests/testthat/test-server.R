# A process that stands for a server, its log, and how it ended.
run_printing <- function(command, args = character(), env = parent.frame()) {
  server <- new_server("printing", "url")
  start_process(server, list(command = command, args = args), NULL, NULL)
  withr::defer(end_server(server), envir = env)
  server
}

# The same once it has ended, with the end.
run_to_its_end <- function(command, args = character(), env = parent.frame()) {
  server <- run_printing(command, args, env)
  expect_false(is_running(server$process, 60))
  server$end <- server_end(server)
  server
}

# A program that prints the bytes of a file, in pieces of a size.
print_bytes <- function(bytes, size, status = 0L, env = parent.frame()) {
  file <- withr::local_tempfile(.local_envir = env)
  writeBin(bytes, file)
  script <- withr::local_tempfile(.local_envir = env)
  copy <- sprintf("dd if='%s' bs=%d >&2 2>/dev/null", file, size)
  writeLines(c("#!/bin/sh", copy, sprintf("exit %d", status)), script)
  Sys.chmod(script, "0755")
  run_to_its_end(script, env = env)
}

kept_bytes <- 2^20

test_that("the last megabyte of what a server prints is kept, by whole lines", {
  skip_on_os("windows")
  withr::local_seed(1)
  for (size in c(0, 1, 100, 5000, kept_bytes - 1, kept_bytes, kept_bytes + 1, 3 * kept_bytes)) {
    bytes <- as.raw(sample(97:122, size, replace = TRUE))
    breaks <- stats::runif(size) < 10^-stats::runif(1, 0.5, 4)
    bytes[breaks] <- as.raw(10)
    server <- print_bytes(bytes, sample(c(1000, 65536), 1))
    kept <- utils::tail(bytes, kept_bytes)
    lines <- strsplit(rawToChar(kept), "\n")[[1]]
    if (size > kept_bytes) lines <- lines[-1]
    expect_identical(log_lines(server, "stderr", Inf), lines, info = size)
    for (n in c(1, 3, 50)) expect_identical(log_lines(server, "stderr", n), utils::tail(lines, n), info = c(size, n))
    expect_identical(log_lines(server, "stdout", Inf), character())
  }
})

test_that("a line that is longer than what is kept is kept as its end", {
  skip_on_os("windows")
  server <- print_bytes(c(as.raw(rep(97, 3 * kept_bytes)), as.raw(10)), 65536)
  expect_identical(nchar(log_lines(server, "stderr", 5)), as.integer(kept_bytes - 1))
})

test_that("what is no text is told as bytes", {
  skip_on_os("windows")
  server <- print_bytes(as.raw(c(0x61, 0, 0xff, 0x0d, 0x0a, 0x62)), 10)
  expect_identical(log_lines(server, "stderr", 5), c("a<ff>", "b"))
  expect_identical(log_lines(new_server("none", "url"), "stderr", 5), character())
})

test_that("a crash is told by its first words, whatever is printed before and after", {
  skip_on_os("windows")
  first <- c(
    panic = "panic: oh", nil = "panic: runtime error: invalid memory address or nil pointer dereference",
    abort = "SIGABRT: abort", segv = "SIGSEGV: segmentation violation",
    stack = "runtime: goroutine stack exceeds", asleep = "fatal error: all goroutines are asleep - deadlock!",
    unlock = "fatal error: sync: unlock of unlocked mutex", memory = "fatal error: ",
    map = "fatal error: concurrent map", many = "runtime: goroutine stack exceeds",
    recovered = "panic: the last one"
  )
  withr::local_seed(3)
  bin <- build_once(test_source("crashes"))
  for (end in names(first)) {
    server <- run_to_its_end(bin, c(sample(c(0, 20000), 1), end))
    expect_identical(server$end$status, 2L, info = end)
    expect_true(startsWith(server$end$stderr[[1]], first[[end]]), info = end)
    expect_lte(length(server$end$stderr), 10)
    expect_lte(length(log_lines(server, "stdout", Inf)), kept_bytes / 100)
  }
})

test_that("a program that ends without a crash is told by its last lines", {
  skip_on_os("windows")
  bin <- build_once(test_source("crashes"))
  for (lines in c(0, 20000)) {
    for (end in c("exit", "exit 2", "half a line")) {
      expect_identical(utils::tail(run_to_its_end(bin, c(lines, end))$end$stderr, 1), "last", info = end)
    }
  }
  killed <- run_to_its_end(bin, c(0, "kill"))
  expect_identical(killed$end, list(status = -9L, stderr = character()))
  call <- rlang::call2("f")
  expect_snapshot(abort_ended("f.go", "url", killed$end, call), error = TRUE)
})

test_that("the first words of a crash are found among any lines", {
  skip_on_os("windows")
  withr::local_seed(2)
  noise <- function(n) {
    words <- c(
      "log", "panicking: no", " panic: indented", "goroutine", "runtimes: x", "SIG: x", "", "\tat", "[x]",
      strrep("y", 200)
    )
    sample(words, n, replace = TRUE)
  }
  stack <- function(n) {
    c("", "goroutine 7 [running]:", rep(c("main.f(0x1, {0x2, 0x3})", "\t/home/x.go:3 +0x1d"), n), "created by main.g")
  }
  heads <- c(
    "panic: a", "fatal error: b", "SIGQUIT: quit", "unexpected fault address 0x0",
    "runtime: out of memory: cannot allocate", "fatal: morestack on g0", paste0("panic: ", strrep("z", 3000))
  )
  for (i in 1:40) {
    fake <- if (i %% 2 == 0) c("panic: fake", if (i %% 4 == 0) stack(2), "went on", "and on")
    head <- sample(heads, 1)
    text <- c(noise(sample(c(0, 10, 3000), 1)), fake, "log", head, stack(sample(c(1, 30000), 1)), noise(sample(0:3, 1)))
    server <- print_bytes(charToRaw(paste0(text, "\n", collapse = "")), sample(c(7001, 65536), 1), status = 2L)
    expect_identical(server$end$stderr, c(cut_lines(head), "  /home/x.go:3 in f"), info = paste(i, fake[1]))
  }
})

test_that("the first words of a crash are found on a line that was not ended", {
  skip_on_os("windows")
  withr::local_seed(4)
  stack <- c("", "goroutine 7 [running]:", "main.f(0x1, {0x2, 0x3})", "\t/home/x.go:3 +0x1d")
  recovered <- c("2026/11/26 10:00:00 panic: recovered", stack, "")
  heads <- c(
    "panic: a: panic: b", "fatal error: b", "SIGSEGV: segmentation violation", "SIGABRT: abort",
    "runtime: out of memory: cannot allocate"
  )
  starts <- c("....", "\r 50% ", "[===>  ] ", "busy: ", "panic", "SIG", "DONE")
  for (i in 1:60) {
    head <- sample(heads, 1)
    size <- sample(c(0, 1, 20, 31, 32, 33, 5000, 70000), 1)
    line <- paste0(sample(starts, 1), strrep("x", size), if (i %% 2) " ", if (startsWith(head, "SIG")) " ", head)
    before <- paste0(c(if (i %% 3 == 0) recovered, if (i %% 5 == 0) head), "\n", recycle0 = TRUE, collapse = "")
    text <- paste0(before, line, "\n", paste0(c("[signal SIGSEGV: x", rep(stack, 3000)), "\n", collapse = ""))
    server <- print_bytes(charToRaw(text), sample(c(13, 7001, 65536), 1), status = 2L)
    expect_identical(server$end$stderr, c(head, "[signal SIGSEGV: x", "  /home/x.go:3 in f"), info = line)
  }
  # One that was recovered from goes when another follows at once.
  text <- paste0(c(recovered[-length(recovered)], "panic: the last one", stack), "\n", collapse = "")
  expect_identical(print_bytes(charToRaw(text), 100, status = 2L)$end$stderr[[1]], "panic: the last one")
})

test_that("of a crash the user's own lines are shown, however deep they are", {
  crash <- c(
    "fatal error: stack overflow", "", "runtime stack:", "runtime.throw({0x1?, 0x2?})",
    "\truntime/panic.go:1 +0x48 fp=0x1 sp=0x2 pc=0x3", "", "goroutine 7 [running]:",
    rep(c("main.(*T).Deep(0x1, {0x2, 0x3})", "\t/<inline>:3 +0x1d fp=0x1 sp=0x2 pc=0x3"), 5),
    "created by main.Start in goroutine 1", "\t/<inline>:9 +0x1", "main.main()", "\t/x/mangoro_main.go:3 +0x1"
  )
  own <- c("  <inline>:3 in (*T).Deep", "  <inline>:9 in Start")
  expect_identical(crash_lines(crash, NULL), c("fatal error: stack overflow", own))
  expect_identical(crash_lines(crash[1:7], NULL), crash[1:7]) # without lines of the user's
  expect_identical(crash_lines("panic: x", NULL), "panic: x")
})

test_that("what a program has left out is not why it ends", {
  server <- print_bytes(charToRaw("left out: F at x.go:1\nleft out: G\nno database\n"), 100, status = 3L)
  expect_identical(server$end$stderr, "no database")
})

test_that("a message does not repeat lines without an end", {
  skip_on_os("windows")
  server <- print_bytes(as.raw(rep(97, 3 * kept_bytes)), 65536, status = 3L)
  expect_identical(server$end$stderr, paste0(strrep("a", 1000), "..."))
})

test_that("what is printed before an answer is there with it, and a stopped server keeps its words", {
  withr::local_options(mangoro.output = FALSE)
  h <- local_handle(mangoro_source(code = c(
    "import (\"fmt\"; \"os\")",
    "func Say(n int) { fmt.Fprintln(os.Stderr, \"said\", n); fmt.Println(\"printed\", n) }"
  )))
  for (i in 1:50) {
    h$Say(i)
    expect_identical(mangoro_logs(h, 1), paste("said", i))
    expect_identical(mangoro_logs(h, 1, "stdout"), paste("printed", i))
  }
  mangoro_stop(h)
  expect_identical(mangoro_logs(h, 1), "said 50")
  mangoro_restart(h)
  expect_identical(mangoro_logs(h), character())
})

test_that("a server that floods is not held up by an R that does not look", {
  withr::local_options(mangoro.output = FALSE)
  h <- local_handle(mangoro_source(code = c(
    "import (\"os\"; \"strings\")",
    "func Flood(lines int) { for range lines { os.Stderr.WriteString(strings.Repeat(\"x\", 9999) + \"\\n\") } }"
  )))
  h$Flood(5000)
  expect_identical(mangoro_logs(h, 1), strrep("x", 9999))
  expect_length(mangoro_logs(h, Inf), kept_bytes %/% 10000)
})

test_that("children of a program that go on with its output do not hold R", {
  skip_on_os("windows")
  script <- withr::local_tempfile(lines = c("#!/bin/sh", "sleep 60 &", "echo $! >&2", "echo last >&2", "exit 3"))
  Sys.chmod(script, "0755")
  server <- run_to_its_end(script)
  expect_identical(server$end$status, 3L)
  expect_identical(server$end$stderr[[2]], "last")
  end_server(server)
  tools::pskill(as.integer(server$end$stderr[[1]]), tools::SIGKILL)
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

test_that("a handle that cannot be used says what helps", {
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
    abort_forked_handle(server, NULL)
    abort_forked_handle(connected, NULL)
  })
})
