# Runs the event loop until a condition holds.
run_until <- function(condition) {
  condition <- rlang::enquo(condition)
  deadline <- Sys.time() + 30
  while (!rlang::eval_tidy(condition)) {
    if (Sys.time() > deadline) stop("this does not come: ", rlang::as_label(condition))
    later::run_now(1)
  }
}

# What becomes of a promise.
settled <- function(x) {
  got <- rlang::new_environment(list(value = NULL, error = NULL, done = FALSE))
  promises::then(
    x,
    onFulfilled = function(value) {
      got$value <- value
      got$done <- TRUE
    },
    onRejected = function(error) {
      got$error <- error
      got$done <- TRUE
    }
  )
  got
}

local_loop <- function() {
  skip_if_not_installed("later")
  skip_if_not_installed("promises")
}

test_that("a task is a promise that its reply settles", {
  local_loop()
  go <- local_long()
  both_ways({
    task <- mangoro_async(go$Hold, c(1, 2))
    expect_true(promises::is.promising(task))
    got <- lapply(1:2, function(i) settled(task))
    later::run_now()
    expect_false(got[[1]]$done)
    go$Open(1)
    run_until(got[[1]]$done && got[[2]]$done)
    expect_identical(got[[1]]$value, c(1, 2))
    expect_identical(got[[2]]$value, c(1, 2))
    expect_identical(mangoro_value(task), c(1, 2))

    got <- settled(task) # which has ended
    run_until(got$done)
    expect_identical(got$value, c(1, 2))

    got <- settled(mangoro_async(go$Nothing, 1))
    run_until(got$done)
    expect_null(got$error)
  })
})

test_that("a promise is rejected with what the call raises", {
  local_loop()
  go <- local_long()
  both_ways({
    got <- settled(mangoro_async(go$Fail, 3, 2))
    run_until(got$done)
    expect_s3_class(got$error, "mangoro_error_handler")

    task <- mangoro_async(go$Hold, 1)
    got <- settled(task)
    mangoro_cancel(task)
    run_until(got$done)
    expect_s3_class(got$error, "mangoro_error_cancelled")

    got <- settled(mangoro_async(go$Hold, 1, .timeout = 0.01))
    run_until(got$done)
    expect_s3_class(got$error, "mangoro_error_timeout")

    got <- settled(mangoro_async(go$Exit, 3))
    run_until(got$done)
    expect_s3_class(got$error, "mangoro_error_connection")
    mangoro_restart(go)
  })
})

test_that("what mangoro_value() has fetched settles the promise too", {
  local_loop()
  go <- local_long()
  task <- mangoro_async(go$Double, 1)
  got <- settled(task)
  expect_identical(mangoro_value(task), 2)
  run_until(got$done)
  expect_identical(got$value, 2)
})

test_that("hundreds of promises settle", {
  local_loop()
  go <- local_long()
  got <- lapply(1:300, function(i) settled(mangoro_async(go$Double, i)))
  run_until(all(vapply(got, function(one) one$done, NA)))
  expect_identical(lapply(got, function(one) one$value), lapply(2 * (1:300), as.numeric))
})

test_that("the event loop shows what a task says that is no promise", {
  local_loop()
  go <- local_long()
  both_ways({
    requireNamespace("later")
    task <- mangoro_async(go$Warns, 2, "x")
    got <- character()
    withCallingHandlers(
      {
        go$Open(1)
        run_until(length(got) == 1)
        go$Open(1)
        run_until(task$state == "done")
      },
      mangoro_warning = function(cnd) {
        got <<- c(got, conditionMessage(cnd))
        tryInvokeRestart("muffleWarning")
      }
    )
    expect_identical(got, c("warning 1", "warning 2"))
    expect_identical(mangoro_value(task), "x")
  })
})

test_that("a task is what shiny::ExtendedTask takes", {
  local_loop()
  skip_if_not_installed("shiny")
  go <- local_long()
  both_ways({
    fit <- shiny::ExtendedTask$new(function(fn, ...) mangoro_async(fn, ...))
    state <- function() shiny::isolate(fit$status())
    fit$invoke(go$Hold, 1)
    expect_identical(state(), "running")
    go$Open(1)
    run_until(state() != "running")
    expect_identical(shiny::isolate(fit$result()), 1)

    fit$invoke(go$Fail, 3, 2)
    suppressWarnings(run_until(state() != "running")) # shiny tells of errors
    expect_error(shiny::isolate(fit$result()), "it is too large", class = "mangoro_error_handler")

    # It has no result while it runs, which is no error either.
    task <- NULL
    fit <- shiny::ExtendedTask$new(function() task <<- mangoro_async(go$Hold, 1))
    fit$invoke()
    expect_error(shiny::isolate(fit$result()), class = "shiny.silent.error")
    mangoro_cancel(task)
    suppressWarnings(run_until(state() != "running")) # shiny tells of errors
    expect_error(shiny::isolate(fit$result()), class = "mangoro_error_cancelled")
  })
})

test_that("a task that nobody refers to ends though the event loop waits for it", {
  local_loop()
  requireNamespace("later")
  go <- local_long()
  both_ways({
    tasks <- lapply(1:10, function(i) mangoro_async(go$Hold, i))
    wait_for(go$Running() == 10)
    tasks <- NULL
    invisible(gc())
    wait_for(go$Running() == 0)
    later::run_now()
    expect_identical(go$Double(1), 2)

    # But one that is a promise is kept.
    got <- settled(mangoro_async(go$Hold, 5))
    wait_for(go$Running() == 1)
    invisible(gc())
    go$Open(1)
    run_until(got$done)
    expect_identical(got$value, 5)
  })
})
