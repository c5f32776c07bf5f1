test_that("results come in the order of the elements, with their names", {
  go <- local_long()
  both_ways({
    expect_identical(mangoro_map(go$Double, c(a = 1, b = 2)), list(a = 2, b = 4))
    expect_identical(mangoro_map(go$Range, 1:200, from = 5), lapply(1:200, function(n) as.numeric(5 + seq_len(n) - 1)))
    expect_identical(mangoro_map(go$Range, 3:4, n = 2), list(c(3, 4), c(4, 5)))
    expect_identical(mangoro_map(go$Nothing, list(1, 2)), list(NULL, NULL))
    expect_identical(mangoro_map(go$Total, data.frame(x = 1:2, y = 3:4)), list(x = 3, y = 7))
    expect_identical(mangoro_map(go$Double, list()), list())
    expect_identical(mangoro_map(go$Double, NULL), list())
    expect_identical(mangoro_map(go$Double, 1, .progress = TRUE), list(2))
  })
})

test_that("no more calls are out than the server runs", {
  go <- local_long()
  mangoro_call(go, "Double", 1)
  state <- server_of(go)$connection$state
  state$max_calls <- 2L
  out <- 0
  most <- 0
  begin_one <- start_task
  end_one <- end_task
  local_mocked_bindings(
    start_task = function(...) {
      out <<- out + 1
      most <<- max(most, out)
      begin_one(...)
    },
    end_task = function(...) {
      out <<- out - 1
      end_one(...)
    }
  )
  expect_length(mangoro_map(go$Double, 1:20), 20)
  expect_identical(c(out, most), c(0, 2))
})

test_that("an error says which element it is of, and ends all other calls", {
  go <- local_long()
  both_ways({
    cnd <- expect_error(
      mangoro_map(go$Fail, 1:50, limit = 7), "^In element ([7-9]|[1-5][0-9]): ",
      class = "mangoro_error_handler"
    )
    expect_gte(cnd$index, 7)
    expect_identical(deparse(conditionCall(cnd)), "go$Fail(1:50, limit = 7)")

    cnd <- expect_error(
      mangoro_map(go$Hold, list(1, 2, "a")), "^In element 3: ",
      class = "mangoro_error_invalid_argument"
    )
    expect_equal(cnd$index, 3)
    expect_identical(cnd$arg, "x")
    wait_for(go$Running() == 0)
    expect_error(mangoro_map(go$Hold, 1:3, .timeout = 0.01), class = "mangoro_error_timeout")
    wait_for(go$Running() == 0)
  })
})

test_that("arguments of a map are checked", {
  go <- local_long()
  expect_error(mangoro_map(sum, 1), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_map(go$Double, sum), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_map(go$Double, 1, .progress = 1), class = "mangoro_error_invalid_argument")
  expect_error(mangoro_map(go$Double, 1, .timeout = NA), class = "mangoro_error_invalid_argument")
})

test_that("the progress of a map is that of its elements", {
  go <- local_long()
  seen <- list()
  mangoro_map(go$Double, 1:100, .progress = function(...) seen[[length(seen) + 1]] <<- list(...))
  done <- vapply(seen, function(event) event[[1]], 1)
  expect_false(is.unsorted(done))
  expect_identical(seen[[length(seen)]], list(100, 100L, ""))

  withr::local_options(
    cli.progress_handlers_only = "logger", cli.progress_show_after = 0, mangoro.progress = FALSE
  )
  expect_match(capture.output(mangoro_map(go$Double, 1:3, .progress = TRUE)), "created", all = FALSE)
  withr::local_options(mangoro.progress = TRUE)
  expect_no_match(capture.output(mangoro_map(go$Double, 1:3, .progress = FALSE)), "created")
})

test_that("an interrupt ends a map and its calls", {
  skip_if_no_sigint()
  go <- local_long()
  session <- other_session(c(
    sprintf("go <- mangoro_connect('%s')", mangoro_status(go)$url),
    "r <- tryCatch({ cat('waiting\\n'); mangoro_map(go$Hold, 1:5) }, interrupt = function(cnd) 'interrupted')",
    "cat(r, mangoro_call(go, 'Double', 1), '\\n')",
    "invisible(readLines(file('stdin'), 1))"
  ))
  withr::defer(session$kill())
  wait_for_output(session, "waiting")
  wait_for(go$Running() == 5)
  session$interrupt()
  wait_for_output(session, "interrupted 2")
  wait_for(go$Running() == 0)
  expect_true(session$is_alive())
})
