local_streams <- function(frame = parent.frame()) local_source(test_source("streams"), frame = frame)

test_that("vectors and data frames are read part by part, whatever their size", {
  go <- local_streams()
  both_ways(for (n in c(0, 1, 3, 5e5)) {
    x <- as.numeric(seq_len(n))
    expect_identical(go$Sum(x), sum(x))
    expect_identical(go$Sum(seq_len(n)), sum(x))
    last <- if (n > 0) list(A = as.integer(n), B = "x") else list(A = 0L, B = "")
    expect_identical(go$Last(data.frame(A = seq_len(n), B = rep("x", n))), list(n = as.integer(n), last = last))
    frame <- data.frame(x = x, y = as.character(x))
    expect_identical(sum(go$Sizes(frame)), as.integer(n))
    expect_identical(mangoro_collect(go$Same(frame)), frame)
  })
})

# A source of these parts.
parts <- function(...) {
  left <- list(...)
  function() {
    part <- left[1]
    left <<- left[-1]
    if (length(part) > 0) part[[1]]
  }
}

test_that("a function gives parts until it returns NULL", {
  go <- local_streams()
  both_ways({
    expect_identical(go$Sum(parts(1, 2:3, numeric(), 4)), 10)
    expect_identical(go$Sum(function() NULL), 0)
    expect_identical(go$Sizes(parts(data.frame(x = 1:2), data.frame(x = 3L))), c(2L, 1L))
    asked <- 0
    endless <- function() {
      asked <<- asked + 1
      asked
    }
    expect_identical(go$First(endless), 1L)
    expect_identical(asked, 1)
    large <- function() if ((asked <<- asked + 1) < 5) rep(1, 1e5)
    asked <- 0
    expect_identical(go$Sum(large), 4e5)
  })
})

test_that("connections give lines, streams their values", {
  go <- local_streams()
  both_ways({
    path <- withr::local_tempfile()
    writeLines(c(rep("a", 25000), "b"), path)
    con <- file(path)
    expect_identical(go$Lines(con), list(n = 25001L, last = "b"))
    con <- file(path, "rt")
    readLines(con, 25000)
    expect_identical(go$Lines(con), list(n = 1L, last = "b"))
    expect_true(isOpen(con))
    close(con)
    expect_identical(go$Sum(go$Count(1e6)), sum(0:999999))
    expect_identical(mangoro_collect(go$Twice(go$Twice(go$Count(6e5)))), 4 * (0:599999))
    other <- local_streams()
    expect_identical(other$Sum(go$Count(10)), 45)
    stream <- nanoarrow::as_nanoarrow_array_stream(data.frame(A = 1:2, B = c("x", "y")))
    expect_identical(go$Last(stream), list(n = 2L, last = list(A = 2L, B = "y")))
    expect_identical(go$Sum(nanoarrow::basic_array_stream(list(nanoarrow::as_nanoarrow_array(c(1, 2))))), 3)
    expect_identical(mangoro_collect(go$Same(go$Rows(10, ""))), data.frame(A = 0:9, B = as.character(0:9)))
  })
})

test_that("what is wrong with a part is an error that says which", {
  go <- local_streams()
  both_ways({
    expect_error(go$Sum("a"), class = "mangoro_error_invalid_argument")
    expect_error(go$Sum(as.character(1:2e5)), class = "mangoro_error_invalid_argument")
    expect_error(go$Sum(NULL), class = "mangoro_error_invalid_argument")
    expect_error(
      go$Sum(textConnection("a")), "only an `iter.Seq[string]` takes",
      fixed = TRUE, class = "mangoro_error_invalid_argument"
    )
    expect_error(go$Sizes(1:3), class = "mangoro_error_invalid_argument")
    parts <- list(1, "a")
    expect_error(
      go$Sum(function() {
        part <- parts[[1]]
        parts <<- parts[-1]
        part
      }),
      "part 2 of argument `x` must be numeric"
    )
    for (call in expression(go$Sum(function() stop("mine")), go$Sizes(function() stop("mine")))) {
      expect_error(eval(call), "mine", class = "mangoro_error")
    }
    expect_error(mangoro_collect(go$Twice(function() stop("mine"))), "mine")
    cnd <- expect_error(go$Sum(function() stop("mine")), "because of an error in R")
    expect_identical(conditionCall(cnd$parent), quote(x()))
    expect_error(go$Sum(go$Rows(3, "")), "must be numeric")
    expect_error(go$Again(c(1, 2)), "only once", class = "mangoro_error_panic")
    expect_identical(go$Add(1, 2), 3)
  })
})

test_that("a part of the wrong type ends the stream that is made of it", {
  go <- local_streams()
  both_ways({
    f <- function(x) go$Twice(x)
    s <- f(parts("a"))
    for (i in 1:2) {
      cnd <- expect_error(mangoro_next(s), class = "mangoro_error_handler")
      expect_match(conditionMessage(cnd$parent), "part 1 of argument `x` must be numeric, not character", fixed = TRUE)
      expect_identical(deparse(conditionCall(cnd)), "go$Twice(x)")
    }
    cnd <- expect_error(mangoro_collect(go$Twice(parts(1, 2:3, "a"))), class = "mangoro_error_handler")
    expect_match(conditionMessage(cnd$parent), "part 3 of argument `x`", fixed = TRUE)
    expect_error(mangoro_collect(go$Twice(go$Rows(3, ""))), "must be numeric")
    expect_identical(go$Add(1, 2), 3)
  })
})

test_that("an error of a source is raised if the function does not look at it", {
  go <- local_streams()
  both_ways({
    frame <- data.frame(x = 1:3)
    expect_identical(go$Blind(parts(frame, frame)), 6L)
    expect_error(go$Blind(go$Count(3)), "must be a data frame", class = "mangoro_error_handler")
    cnd <- expect_error(go$Blind(parts(frame, 1)), class = "mangoro_error_handler")
    expect_s3_class(cnd$parent, "mangoro_error_invalid_argument")
    expect_error(go$Blind(parts(frame, data.frame(y = 1))), "has the columns", class = "mangoro_error_handler")
    expect_error(go$Blind(function() stop("mine")), "mine", class = "mangoro_error_handler")
    # In its place, after the values before it.
    s <- go$Blindly(parts(frame, 1))
    expect_identical(mangoro_next(s), 3L)
    for (i in 1:2) expect_error(mangoro_next(s), "must be a data frame", class = "mangoro_error_handler")
    expect_identical(go$Add(1, 2), 3)
  })
})

test_that("a source may close the stream that is made of it", {
  go <- local_streams()
  both_ways({
    s <- go$Twice(function() {
      close(s)
      1
    })
    for (i in 1:2) {
      cnd <- expect_error(mangoro_next(s), "was closed", class = "mangoro_error_cancelled")
      expect_identical(conditionCall(cnd)[[1]], quote(go$Twice))
    }
    expect_error(mangoro_collect(s), class = "mangoro_error_cancelled")
    expect_identical(mangoro_collect(go$Twice(parts(1, 2))), c(2, 4))
  })
})

test_that("a call that reads is ended by an interrupt in R code, and by its time-out", {
  go <- local_streams()
  both_ways({
    got <- tryCatch(go$Sum(function() rlang::interrupt()), interrupt = function(cnd) "interrupted")
    expect_identical(got, "interrupted")
    expect_identical(go$Add(1, 2), 3)
    withr::local_options(mangoro.timeout = 0.2)
    expect_error(go$Sum(function() 1), class = "mangoro_error_timeout")
    withr::local_options(mangoro.timeout = NULL)
    expect_identical(go$Add(1, 2), 3)
    s <- go$Twice(function() rlang::interrupt())
    got <- tryCatch(mangoro_next(s), interrupt = function(cnd) "interrupted")
    expect_identical(got, "interrupted")
    expect_error(mangoro_next(s), class = "mangoro_error_cancelled")
  })
})

test_that("only what a call has given is read, and nothing after its end", {
  go <- local_streams()
  s <- go$Twice(c(1, 2))
  expect_identical(mangoro_collect(s), c(2, 4))
  s <- go$Twice(go$Gated())
  close(s)
  invisible(gc())
  wait_for(go$Running() == 0)
})
