test_that("a task returns at once, and its value is that of the call", {
  go <- local_long()
  both_ways({
    task <- mangoro_async(go$Hold, c(a = 1, b = 2))
    expect_s3_class(task, "mangoro_task")
    expect_false(mangoro_is_done(task))
    wait_for(go$Running() == 1)
    go$Open(1)
    expect_identical(mangoro_value(task), c(1, 2))
    expect_true(mangoro_is_done(task))
    expect_identical(mangoro_value(task), c(1, 2))
    expect_false(mangoro_cancel(task))
    expect_identical(mangoro_value(task), c(1, 2))

    # Converted as in a plain call.
    expect_identical(mangoro_value(mangoro_async(go$Double, c(a = 1, b = NA))), go$Double(c(a = 1, b = NA)))
    expect_identical(mangoro_value(mangoro_async(go$Double, matrix(1:4, 2))), matrix(c(2, 4, 6, 8), 2))
    expect_identical(mangoro_value(mangoro_async(go$Range, from = 3, n = 2)), c(3, 4))
    expect_null(expect_invisible(mangoro_value(mangoro_async(go$Nothing, 1))))
    large <- as.numeric(1:1e6)
    expect_identical(mangoro_value(mangoro_async(go$Total, large)), sum(large))
    expect_identical(mangoro_value(mangoro_async(go$Range, 1e6, 1)), large)
  })
})

test_that("more tasks than there are segments cost few collections", {
  skip_without_segments()
  go <- local_long()
  with_segment_limits()
  x <- lapply(1:300, function(i) as.numeric(i + 1:2e4))
  collections <- count_collections({
    tasks <- lapply(x, function(x) mangoro_async(go$Double, x))
    values <- lapply(tasks, mangoro_value)
  })
  expect_identical(values, lapply(x, `*`, 2))
  expect_lte(collections, 12)
})

test_that("arguments are checked before anything is sent", {
  go <- local_long()
  cnd <- expect_error(mangoro_async(go$Hold, "a"), class = "mangoro_error_invalid_argument")
  expect_identical(deparse(conditionCall(cnd)), "go$Hold(\"a\")")
  expect_error(mangoro_async(go$Hold), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_async(sum, 1), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_async(go$Hold, 1, .timeout = 0), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_value(1), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_is_done(go), class = "mangoro_error_invalid_argument")
  expect_identical(go$Running(), 0L)
  task <- mangoro_async(go$Double, 1)
  expect_error(mangoro_value(task, timeout = -1), class = "mangoro_error_invalid_argument")
})

test_that("an error is that of the call, with the user's own call, each time", {
  go <- local_long()
  both_ways({
    f <- function(x) mangoro_async(go$Fail, x, limit = 2)
    x <- 3
    task <- f(x)
    for (i in 1:2) {
      cnd <- expect_error(mangoro_value(task), "it is too large", class = "mangoro_error_handler")
      expect_identical(deparse(conditionCall(cnd)), "go$Fail(x, limit = 2)")
    }
    expect_true(mangoro_is_done(task))
    expect_match(format(task)[[2]], "failed: The Go function .*Fail.* failed")
  })
})

test_that("the time-out of a wait leaves the call alone, that of the call ends it", {
  go <- local_long()
  task <- mangoro_async(go$Hold, 1)
  cnd <- expect_error(mangoro_value(task, timeout = 0.01), "It goes on", class = "mangoro_error_timeout")
  expect_identical(cnd$timeout, 0.01)
  expect_false(mangoro_is_done(task))
  go$Open(1)
  expect_identical(mangoro_value(task, timeout = 60), 1)

  task <- mangoro_async(go$Hold, 1, .timeout = 0.01)
  for (i in 1:2) expect_error(mangoro_value(task), class = "mangoro_error_timeout")
  task <- mangoro_async(go$Hold, 1, .timeout = 0.01)
  wait_for(mangoro_is_done(task))
  expect_error(mangoro_value(task), class = "mangoro_error_timeout")
  wait_for(go$Running() == 0)
})

test_that("a task that is cancelled ends in Go", {
  go <- local_long()
  both_ways(for (n in c(10, 300)) {
    tasks <- lapply(seq_len(n), function(i) mangoro_async(go$Hold, i))
    # The others hold all turns.
    if (n == 10) wait_for(go$Running() == 10)
    expect_false(any(vapply(tasks, mangoro_is_done, NA)))
    expect_true(all(vapply(tasks, mangoro_cancel, NA)))
    for (task in tasks[c(1, n)]) {
      for (i in 1:2) expect_error(mangoro_value(task), "Hold.* was cancelled", class = "mangoro_error_cancelled")
    }
    expect_true(mangoro_is_done(tasks[[1]]))
    expect_false(mangoro_cancel(tasks[[1]]))
    wait_for(go$Running() == 0)
    # The lines of the cancels are given back.
    expect_identical(mangoro_call(go, "Double", 2), 4)
    expect_length(server_of(go)$connection$state$partings, 0)
  })
})

test_that("a task that nobody refers to ends in Go", {
  go <- local_long()
  both_ways(for (n in c(1, 10, 300)) {
    tasks <- lapply(seq_len(n), function(i) mangoro_async(go$Hold, i))
    if (n <= 10) wait_for(go$Running() == n)
    tasks <- NULL
    invisible(gc())
    wait_for(go$Running() == 0)
    expect_identical(mangoro_value(mangoro_async(go$Double, 1)), 2)
  })
})

test_that("hundreds of tasks are out at once", {
  go <- local_long()
  both_ways({
    tasks <- lapply(1:300, function(i) mangoro_async(go$Range, 1e4, i))
    expect_identical(go$Double(1), 2)
    expect_identical(vapply(rev(tasks), function(task) sum(mangoro_value(task)), 1), 1e4 * (300:1) + sum(0:9999))
  })
})

test_that("warnings of a task come when R looks at it, in order", {
  go <- local_long()
  both_ways({
    task <- mangoro_async(go$Warns, 3, "x")
    expect_false(mangoro_is_done(task))
    got <- character()
    withCallingHandlers(
      {
        go$Open(1)
        wait_for({
          mangoro_is_done(task)
          length(got) == 1
        })
        go$Open(2)
        expect_identical(mangoro_value(task), "x")
      },
      mangoro_warning = function(cnd) {
        got <<- c(got, conditionMessage(cnd))
        expect_identical(deparse(conditionCall(cnd)), "go$Warns(3, \"x\")")
        tryInvokeRestart("muffleWarning")
      }
    )
    expect_identical(got, sprintf("warning %d", 1:3))
  })
})

test_that("whoever leaves amid a warning has cancelled the task", {
  go <- local_long()
  task <- mangoro_async(go$Warns, 1, "x")
  go$Open(1)
  expect_warning(mangoro_value(task), "warning 1", class = "mangoro_warning")
  task <- mangoro_async(go$Warns, 2, "x")
  go$Open(1)
  tryCatch(mangoro_value(task), warning = function(cnd) NULL)
  expect_error(mangoro_value(task), class = "mangoro_error_cancelled")
  go$Open(1)
  expect_identical(go$Double(1), 2)
})

test_that("a task prints its call and state", {
  go <- local_long()
  task <- mangoro_async(go$Hold, 1)
  expect_identical(format(task), c("<mangoro task> go$Hold(1)", "running"))
  expect_output(expect_identical(print(task), task), "running")
  go$Open(1)
  mangoro_value(task)
  expect_identical(format(task)[[2]], "done")
  task <- mangoro_async(go$Hold, 1)
  mangoro_cancel(task)
  expect_identical(format(task)[[2]], "cancelled")
  expect_output(str(task), "mangoro task")
  expect_identical(format(do.call(mangoro_async, list(go$Double, 1)))[[1]], "<mangoro task> Double(1)")

  saved <- unserialize(serialize(task, NULL))
  expect_match(format(saved)[[2]], "lost")
  expect_error(mangoro_value(saved), "saved and loaded", class = "mangoro_error_connection")
})

test_that("a task is one thing to R's own functions", {
  go <- local_long()
  task <- mangoro_async(go$Range, 3, 2)
  expect_length(task, 1)
  expect_null(names(task))
  expect_output(str(list(task)), "<mangoro task> go$Range(3, 2)", fixed = TRUE)
  expect_identical(summary(task), task)
  expect_identical(mangoro_value(task), c(2, 3, 4))
})

test_that("the end of the process is an error of its tasks", {
  go <- local_long()
  both_ways({
    tasks <- lapply(1:3, function(i) mangoro_async(go$Hold, i))
    wait_for(go$Running() == 3)
    tools::pskill(pid_of(go), tools::SIGKILL)
    for (task in tasks) {
      cnd <- expect_error(mangoro_value(task), "killed by signal 9", class = "mangoro_error_connection")
      expect_identical(deparse(conditionCall(cnd)), "go$Hold(i)")
    }
    mangoro_restart(go)
    task <- mangoro_async(go$Exit, 3)
    expect_error(mangoro_value(task), "status 3", class = "mangoro_error_connection")
    mangoro_restart(go)
    expect_identical(mangoro_value(mangoro_async(go$Double, 1)), 2)

    task <- mangoro_async(go$Hold, 1)
    mangoro_restart(go)
    expect_error(mangoro_value(task), "its program was started again", class = "mangoro_error_connection")
    tasks <- lapply(1:3, function(i) mangoro_async(go$Hold, i))
    mangoro_stop(go)
    expect_error(mangoro_value(tasks[[1]]), "its program was stopped", class = "mangoro_error_connection")
    expect_error(mangoro_async(go$Double, 1), "stopped", class = "mangoro_error_connection")
    tasks <- NULL
    expect_silent(gc())
    mangoro_restart(go)
  })
})

test_that("an interrupt of a wait leaves the task alone", {
  skip_if_no_sigint()
  go <- local_long()
  url <- mangoro_status(go)$url
  session <- other_session(c(
    sprintf("go <- mangoro_connect('%s')", url),
    "task <- mangoro_async(go$Hold, 7)",
    "r <- tryCatch({ cat('waiting\\n'); mangoro_value(task) }, interrupt = function(cnd) 'interrupted')",
    "cat(r, mangoro_is_done(task), '\\n')",
    "cat('value', mangoro_value(task), '\\n')"
  ))
  withr::defer(session$kill())
  wait_for_output(session, "waiting")
  wait_for(go$Running() == 1)
  session$interrupt()
  wait_for_output(session, "interrupted FALSE")
  expect_identical(go$Running(), 1L)
  go$Open(1)
  wait_for_output(session, "value 7")
})

test_that("the tasks of a session end with it, and those of another go on", {
  go <- local_long()
  mine <- mangoro_async(go$Hold, 1)
  session <- other_session(c(
    sprintf("go <- mangoro_connect('%s')", mangoro_status(go)$url),
    "tasks <- lapply(1:3, function(i) mangoro_async(go$Hold, i))",
    "cat('sent\\n')",
    "mangoro_value(tasks[[1]])"
  ))
  withr::defer(session$kill())
  wait_for_output(session, "sent")
  wait_for(go$Running() == 4)
  tools::pskill(session$get_pid(), tools::SIGKILL)
  wait_for(go$Running() == 1)
  expect_identical(go$Ended(), 3L)
  expect_false(mangoro_is_done(mine))
  go$Open(1)
  expect_identical(mangoro_value(mine), 1)
})
