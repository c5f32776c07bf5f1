local_steps <- function(frame = parent.frame()) local_source(test_source("output"), frame = frame)

test_that("nothing is shown where R is not interactive, unless asked", {
  go <- local_steps()
  rlang::local_interactive(FALSE)
  expect_silent(go$Steps(100, 100))
  withr::local_options(
    mangoro.progress = TRUE, cli.progress_show_after = 0, cli.dynamic = FALSE,
    cli.progress_handlers_only = "logger"
  )
  shown <- capture.output(go$Steps(100, 100))
  expect_match(shown, "created", all = FALSE)
  expect_match(shown, "terminated", all = FALSE)
})

test_that("a function of the user's has the progress of a task", {
  go <- local_steps()
  seen <- list()
  note <- function(done, total, label) seen[[length(seen) + 1]] <<- list(done, total, label)
  expect_identical(mangoro_value(mangoro_async(go$Steps, 100, 100, .progress = note)), 100L)
  expect_identical(seen[[length(seen)]], list(100, 100L, "steps"))
  mangoro_value(mangoro_async(go$Steps, 3, 0, .progress = note))
  expect_identical(seen[[length(seen)]], list(3, NA_real_, "steps"))
  # It is of that task alone.
  n <- length(seen)
  rlang::local_interactive(FALSE)
  mangoro_value(mangoro_async(go$Steps, 100, 100))
  mangoro_call(go, "Steps", 100, 100)
  expect_length(seen, n)
  task <- mangoro_async(go$Steps, 1, 1, .progress = function(...) stop("oh"))
  expect_error(mangoro_value(task), "oh")
  expect_error(mangoro_async(go$Steps, 1, 1, .progress = "a"), class = "mangoro_error_invalid_argument")
})

test_that("a bar is closed whatever ends its call", {
  line <- rlang::new_environment()
  withr::local_options(mangoro.progress = TRUE, cli.progress_handlers_only = "logger", cli.progress_show_after = 0)
  told <- capture.output({
    progress_event(line, list(done = 1, total = 10, label = "a"))
    progress_event(line, list(done = 20, total = 10, label = "b"))
    progress_event(line, list(done = -1, total = 0, label = "{c}"))
    end_progress(line)
    end_progress(line)
  })
  expect_length(grep("created", told), 2)
  expect_length(grep("terminated", told), 2)
  expect_null(line$progress)
})

test_that("within with_progress() it is a condition of progressr", {
  skip_if_not_installed("progressr")
  go <- local_steps()
  rlang::local_interactive(FALSE)
  told <- list()
  handler <- function(cnd) told[[length(told) + 1]] <<- cnd
  progressr::with_progress(
    withCallingHandlers(expect_identical(go$Steps(50, 50), 50L), progression = handler),
    handlers = progressr::handler_void(), enable = TRUE
  )
  types <- vapply(told, function(cnd) cnd$type, "")
  expect_identical(types[[1]], "initiate")
  expect_identical(types[[length(types)]], "finish")
  amount <- vapply(told[types == "update"], function(cnd) cnd$amount, 1)
  expect_identical(sum(amount), 50)
})
