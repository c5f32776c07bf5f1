# Tasks, progress, output, objects, R functions and streams in one program, and what is left
# when a call of each kind is cut off in each of its states.

local_together <- function(frame = parent.frame()) local_source(test_source("together"), frame = frame)

# A function for each state: it makes a call, and in that state it runs `here`.
states <- list(
  "Go computes" = function(go, here) {
    task <- mangoro_async(go$Wait)
    while (go$Left()[["running"]] == 0) NULL
    here()
    mangoro_value(task)
  },
  "R makes a part" = function(go, here) go$Everything(function() here(), identity, 0),
  "R runs a function" = function(go, here) go$Everything(c(1, 2), function(x) here(), 10),
  "R handles a warning" = function(go, here) {
    withCallingHandlers(go$Everything(1, identity, 0), mangoro_warning = function(cnd) here())
  },
  "a stream is open" = function(go, here) {
    stream <- go$Numbers()
    mangoro_next(stream)
    here()
    repeat mangoro_next(stream)
  },
  "R reads a stream for another one" = function(go, here) {
    numbers <- go$Numbers()
    go$Everything(numbers, function(x) if (x < 1e3) x else here(), 0)
  },
  "a task runs a function" = function(go, here) {
    mangoro_value(mangoro_async(go$Everything, c(1, 2), function(x) here(), 10))
  },
  "a method runs a function" = function(go, here) go$NewCounter()$Add(function() here(), 10),
  "a function runs within another" = function(go, here) {
    go$Everything(c(1, 2), function(x) go$NewCounter()$Add(function() here(), 10), 10)
  }
)

test_that("a task reads a stream from R, calls R, and has progress, output and a warning", {
  go <- local_together()
  both_ways({
    parts <- list(c(1, 2), 3, NULL)
    k <- 0
    seen <- character()
    see <- function(...) seen <<- c(seen, paste(...))
    local_mocked_bindings(progress_event = function(line, event) see("progress of", event$total))
    output <- capture.output(withCallingHandlers(
      value <- mangoro_value(mangoro_async(
        go$Everything, function() parts[[k <<- k + 1]],
        function(x) {
          see("called with", x)
          10 * x
        }, 3
      )),
      mangoro_warning = function(cnd) {
        see(conditionMessage(cnd))
        tryInvokeRestart("muffleWarning")
      }
    ))
    expect_identical(value, 60)
    expect_identical(output, "the sum is 60")
    expect_true("progress of 3" %in% seen)
    expect_identical(
      setdiff(seen, "progress of 3"), c("called with 1", "called with 2", "called with 3", "there were 3 rows")
    )
  })
})

test_that("a task is cancelled by the function that it calls", {
  go <- local_together()
  both_ways({
    calls <- 0
    task <- mangoro_async(go$Everything, function() c(1, 2), function(x) {
      calls <<- calls + 1
      if (calls == 5) mangoro_cancel(task)
      x
    }, 0)
    expect_error(mangoro_value(task), class = "mangoro_error_cancelled")
    expect_identical(calls, 5)
    wait_for(go$Left()[["running"]] == 0)
  })
})

test_that("an error of R ends a call in each of its states, and nothing is left of it", {
  go <- local_together()
  both_ways({
    for (again in 1:2) {
      if (again == 2) before <- go$Left()
      for (state in names(states)) {
        expect_error(states[[state]](go, function() stop("over and out")), "over and out", label = state)
      }
      gc()
      for (i in 1:2) go$Left()
      wait_for(sum(go$Left()[c("running", "counters")]) == 0)
    }
    wait_for(go$Left()[["goroutines"]] <= before[["goroutines"]])
    expect_lte(go$Left()[["files"]], before[["files"]])
  })
})

test_that("an interrupt ends a call in each of its states", {
  go <- local_together()
  both_ways({
    for (state in names(states)) {
      ended <- FALSE
      tryCatch(states[[state]](go, function() rlang::interrupt()), interrupt = function(cnd) ended <<- TRUE)
      expect_true(ended, label = state)
    }
    gc()
    for (i in 1:2) go$Left()
    wait_for(sum(go$Left()[c("running", "counters")]) == 0)
  })
})

test_that("R learns in each state of a call that the program was killed", {
  skip_on_os("windows")
  # A warning comes with the result, if that is there already.
  for (state in setdiff(names(states), "R handles a warning")) {
    go <- local_together()
    pid <- server_of(go)$process$get_pid()
    expect_error(
      states[[state]](go, function() {
        tools::pskill(pid, tools::SIGKILL)
        1L
      }),
      class = "mangoro_error_connection", label = state
    )
    mangoro_restart(go)
    expect_identical(go$NewCounter()$Add(function() 2L, 3), 6L)
  }
})

test_that("nothing is left in Go of a session that was killed in any state of a call", {
  skip_on_os("windows")
  go <- local_together()
  url <- server_of(go)$url
  run <- function(state) {
    file <- withr::local_tempfile(lines = c(
      "library(mangoro)",
      deparse(bquote(go <- mangoro_connect(.(url)))),
      "here <- function() {", "  cat('here\n')", "  repeat NULL", "}",
      paste("state <-", paste(deparse(states[[state]]), collapse = "\n")),
      "state(go, here)"
    ))
    session <- processx::process$new(
      file.path(R.home("bin"), "Rscript"), c("--vanilla", file), stdout = "|", cleanup = TRUE
    )
    withr::defer(session$kill())
    wait_for_output(session, "here")
    expect_gt(go$Left()[["goroutines"]], before[["goroutines"]], label = state)
    session$kill()
  }
  before <- go$Left()
  for (state in names(states)) {
    run(state)
    wait_for(sum(go$Left()[c("running", "counters")]) == 0)
    wait_for(go$Left()[["goroutines"]] <= before[["goroutines"]])
    wait_for(go$Left()[["files"]] <= before[["files"]])
  }
})

test_that("two sessions on one program do not see each other's objects, streams and tasks", {
  go <- local_together()
  other <- mangoro_connect(server_of(go)$url)
  withr::defer(close(other))
  counter <- go$NewCounter()
  stream <- go$Numbers()
  first <- mangoro_next(stream)
  task <- mangoro_async(go$Wait)
  # The ids of one connection, sent over the other.
  expect_error(mangoro_call(other, "Same", counter), class = "mangoro_error_invalid_argument")
  expect_identical(mangoro_next(other$Numbers())[[1]], 1)
  close(other)
  expect_identical(counter$Add(function() 2L, 3), 6L)
  expect_identical(mangoro_next(stream)[[1]], first[[length(first)]] + 1)
  expect_false(mangoro_is_done(task))
  mangoro_cancel(task)
  close(stream)
})
