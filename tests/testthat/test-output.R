local_output <- function(frame = parent.frame()) local_source(test_source("output"), frame = frame)

# What an expression prints: `out`, and a data frame of its messages, `level` and `text`.
printed <- function(expr) {
  level <- text <- character()
  out <- capture.output(invisible(withCallingHandlers(expr, message = function(cnd) {
    level <<- c(level, cnd$level %||% "none")
    text <<- c(text, conditionMessage(cnd))
    invokeRestart("muffleMessage")
  })))
  list(out = out, level = level, text = text)
}

# A process that runs a shell script.
run_script <- function(line, env = parent.frame()) {
  script <- withr::local_tempfile(.local_envir = env)
  writeLines(c("#!/bin/sh", line), script)
  Sys.chmod(script, "0755")
  server <- new_server("printing", "url")
  start_process(server, list(command = script), NULL, NULL)
  withr::defer(end_server(server), envir = env)
  server
}

# A process that has printed a text to its standard error, all of which is to be shown.
print_bytes_to_show <- function(text, env = parent.frame()) {
  file <- withr::local_tempfile(.local_envir = env)
  writeBin(charToRaw(text), file)
  server <- run_script(sprintf("cat '%s' >&2", file), env)
  server$shows <- TRUE
  stopifnot(!is_running(server$process, 60))
  server
}

test_that("what a function prints is there when it returns", {
  go <- local_output()
  both_ways({
    for (i in 1:40) expect_identical(printed(go$Show(i))$out, paste("x is", i))
    expect_identical(printed(go$Show(c(1.5, 2)))$out, c("x is 1.5", "x is 2"))
    expect_identical(printed(go$Print("h\u00e9llo\n"))$out, "h\u00e9llo")
    expect_identical(printed(go$Complain("hm\n")), list(out = character(), level = "stderr", text = "hm\n"))
    expect_identical(printed(go$Add(1, 2)), list(out = character(), level = character(), text = character()))
  })
})

test_that("a function that prints for the first time after many calls is not silent", {
  go <- local_output()
  both_ways({
    for (i in 1:40) go$Add(i, 1)
    got <- printed({
      go$Print("late\n")
      go$Add(1, 2)
    })
    expect_identical(got$out, "late")
  })
})

test_that("a line without an end is shown with its call, and soon during it", {
  go <- local_output()
  both_ways({
    expect_identical(printed(go$Print("no end"))$out, "no end")
    expect_identical(printed(for (i in 1:3) go$Print("."))$out, "...")
    shown <- ""
    f <- file("")
    sink(f)
    withr::defer(if (sink.number() > 0) sink())
    got <- tryCatch(mangoro_call(go, "Wait", "ready? ", .timeout = 1), mangoro_error_timeout = function(cnd) cnd)
    sink()
    expect_s3_class(got, "mangoro_error_timeout")
    expect_identical(readLines(f, warn = FALSE), "ready? ")
    close(f)
  })
})

test_that("levels are those of log and slog", {
  go <- local_output()
  got <- printed(go$Levels())
  expect_identical(got$level, c("stderr", "log", "debug", "info", "warn", "error", "warn", "error"))
  expect_match(got$text[[4]], "INFO an information key=1\n$")
  expect_identical(got$out, character())
  cnd <- tryCatch(go$Complain("x\n"), message = identity)
  expect_s3_class(cnd, c("mangoro_message_stderr", "mangoro_message", "message", "condition"), exact = TRUE)
  # Lines of one level are one message.
  got <- printed(go$Complain("a\nb\n\nc"))
  expect_identical(got$text, "a\nb\n\nc")
  expect_no_message(suppressMessages(go$Complain("x\n")))
})

test_that("what is printed and logged is in order", {
  go <- local_output()
  both_ways({
    lines <- capture.output(withCallingHandlers(invisible(go$Alternate(500)), message = function(cnd) {
      cat(conditionMessage(cnd))
      invokeRestart("muffleMessage")
    }))
    lines <- sub("^[0-9/]+ [0-9:]+ ", "", lines)
    expect_identical(lines, as.vector(rbind(paste("out", 0:499), paste("log", 0:499))))
  })
  expect_identical(utils::head(mangoro_logs(go, 1000, "stdout"), 2), c("out 0", "out 1"))
  expect_match(mangoro_logs(go, 1000, "stderr"), "^[0-9/]+ [0-9:]+ log [0-9]+$")
})

# What a process prints whose texts are those of a list with the names "out" and "err", with \a for a mark.
shown_of <- function(texts, all = TRUE, env = parent.frame()) {
  mark <- "\\000mangoro\\001"
  line <- sprintf("printf '%s'%s", gsub("\a", mark, texts, fixed = TRUE), ifelse(names(texts) == "err", " >&2", ""))
  server <- run_script(line, env)
  server$shows <- TRUE
  stopifnot(!is_running(server$process, 60))
  capture.output(withCallingHandlers(show_output(server, all), message = function(cnd) {
    cat(conditionMessage(cnd))
    invokeRestart("muffleMessage")
  }))
}

test_that("C and Go have the same mark", {
  go <- readLines(system.file("go", "pkg", "rgoipc", "marks.go", package = "mangoro", mustWork = TRUE))
  mark <- regmatches(go, regexec('^const mark = "(.*)"$', go))
  expect_identical(unlist(mark)[[2]], "\\x00mangoro\\x01") # as shown_of() writes it, which C removes
})

test_that("marks give what is printed its order", {
  skip_on_os("windows")
  expect_identical(shown_of(c(out = "1\n", out = "\a3\n\a", err = "\a2\n\a4\n5\n")), as.character(1:5))
  # One that is half there is text, and so is what only looks like one.
  expect_identical(shown_of(c(out = "a\n\\000mango\n\a", err = "\ab\n")), c("a", "\\x00mango", "b"))
  # The other stream has none: it is shown all the same.
  expect_identical(shown_of(c(out = "\a\a1\n", err = "2\n")), c("2", "1"))
})

test_that("an option turns it off, and nothing comes later", {
  go <- local_output()
  withr::with_options(list(mangoro.output = FALSE), {
    both_ways(expect_identical(
      printed({
        go$Show(1)
        go$Print("x\n")
        go$Complain("y\n")
      }),
      list(out = character(), level = character(), text = character())
    ))
  })
  expect_identical(printed(go$Show(2))$out, "x is 2")
  expect_true(all(c("x is 1", "x") %in% mangoro_logs(go, Inf, "stdout")))
})

test_that("what the server says of itself is not shown", {
  got <- printed({
    go <- mangoro_source(test_source("output"), quiet = TRUE)
    go$Add(1, 2)
    mangoro_restart(go)
    go$Add(1, 2)
    mangoro_stop(go)
  })
  expect_identical(got, list(out = character(), level = character(), text = character()))
})

test_that("a flood blocks neither side, and the newest of it is shown", {
  go <- local_output()
  both_ways({
    file <- withr::local_tempfile() # a text connection takes a second for each 10,000 lines
    sink(file)
    n <- tryCatch(suppressMessages(go$Flood(1e6, FALSE)), finally = sink())
    expect_identical(n, 1000000L)
    lines <- readLines(file)
    expect_identical(lines[[length(lines)]], "line 999999")
    expect_true(all(diff(as.integer(sub("^line ", "", lines))) > 0))
    got <- printed(go$Flood(2e4, TRUE))
    expect_match(got$text[[length(got$text)]], "line 19999\n$")
    expect_identical(unique(got$level), "stderr")
  })
})

test_that("what is too much is left out by whole lines, with a message", {
  skip_on_os("windows")
  server <- print_bytes_to_show(strrep(paste0(strrep("x", 99), "\n"), 5e4))
  got <- printed(show_output(server, all = TRUE))
  expect_match(got$text[[1]], "^\\.\\.\\. \\(.* of output are not shown")
  lines <- unlist(strsplit(got$text[-1], "\n"))
  expect_true(all(nchar(lines) == 99))
  expect_lte(sum(nchar(lines) + 1), output_limit)
  expect_gt(sum(nchar(lines) + 1), output_limit - 200)
})

test_that("nothing is lost when the program ends", {
  both_ways({
    go <- local_output()
    for (fn in c("Exit", "Crash")) {
      got <- printed(cnd <- tryCatch(if (fn == "Exit") go$Exit(3) else go$Crash(), mangoro_error_connection = identity))
      expect_s3_class(cnd, "mangoro_error_connection")
      expect_identical(got$out, if (fn == "Exit") "so long" else "before")
      # The error tells of a crash.
      expect_identical(got$text, if (fn == "Exit") "and good bye\n" else character())
      suppressMessages(mangoro_restart(go))
    }
  })
})

test_that("what is printed just before a kill is shown", {
  skip_on_os("windows")
  go <- local_output()
  both_ways({
    got <- printed(cnd <- tryCatch(go$Die(), mangoro_error_connection = identity))
    expect_s3_class(cnd, "mangoro_error_connection")
    expect_identical(got, list(out = "so long", level = "stderr", text = "and good bye\n"))
    suppressMessages(mangoro_restart(go))
  })
})

test_that("knitr and sink() have it", {
  skip_if_not_installed("knitr")
  go <- local_output()
  env <- list2env(list(go = go), parent = globalenv())
  code <- c("```{r}", "x <- go$Print(c('in the chunk'))", "n <- go$Complain('a message')", "```")
  made <- knitr::knit(text = code, envir = env, quiet = TRUE)
  expect_match(made, "## in the chunk", fixed = TRUE)
  expect_match(made, "## a message", fixed = TRUE)

  file <- withr::local_tempfile()
  con <- file(file, "w")
  sink(con)
  sink(con, type = "message")
  withr::defer(close(con))
  tryCatch({
    go$Print("to a file\n")
    go$Complain("and this\n")
  }, finally = {
    sink(type = "message")
    sink()
  })
  expect_identical(readLines(file), c("to a file", "and this"))
})

test_that("what is printed between calls is shown by later's loop", {
  skip_if_not_installed("later")
  skip_on_os("windows")
  loadNamespace("later")
  server <- run_script("sleep 0.2; echo hello")
  begin_output(server)
  got <- NULL
  deadline <- Sys.time() + 30
  while (!length(got$out) && Sys.time() < deadline) got <- printed(later::run_now(1)) # the loop may run others as well
  expect_identical(got$out, "hello")
})

test_that("requests to a file server are in its log only", {
  skip_if_no_go()
  handle <- mangoro_start("cmd/http-server")
  withr::defer(close(handle))
  expect_silent(started <- mangoro_http_start(handle, "127.0.0.1:0", dir = local_files(a.txt = "here")))
  address <- sub("^HTTP server started on ", "", started$message)
  expect_silent({
    text <- readLines(paste0("http://", address, "/a.txt"))
    mangoro_http_status(handle)
  })
  expect_identical(text, "here")
  wait_for(any(grepl("GET /a.txt", mangoro_logs(handle, stream = "stdout"), fixed = TRUE)))
})
