# What a check says of each value that it refuses.
refused <- function(check, ...) {
  vapply(list(...), function(x) {
    cnd <- expect_error(check(x, arg = "x"), class = "mangoro_error_invalid_argument")
    expect_identical(cnd$arg, "x")
    conditionMessage(cnd)
  }, "")
}

test_that("what is right passes, invisibly", {
  expect_invisible(expect_identical(check_string("a"), "a"))
  expect_invisible(expect_identical(check_flag(FALSE), FALSE))
  expect_invisible(expect_identical(check_count(3), 3))
  expect_invisible(expect_identical(check_count(5L, min = 5, max = 5), 5L))
  expect_invisible(expect_identical(check_seconds(Inf), Inf))
  expect_invisible(expect_identical(check_seconds(1e-9), 1e-9))
  expect_invisible(expect_identical(check_raw(raw()), raw()))
})

test_that("what is wrong is refused, by its type or value", {
  expect_identical(refused(check_string, 1, "", NA_character_, c("a", "b"), NULL), sprintf(
    "`x` must be one non-empty string, not %s.",
    c("a number", "`\"\"`", "a character `NA`", "a character vector", "NULL")
  ))
  expect_identical(refused(check_flag, NA, 1, "TRUE", c(TRUE, FALSE)), sprintf(
    "`x` must be `TRUE` or `FALSE`, not %s.", c("`NA`", "a number", "a string", "a logical vector")
  ))
  expect_identical(refused(check_count, 0, 1.5, Inf, "1", 1:2, NULL), sprintf(
    "`x` must be a whole number of at least 1, not %s.",
    c("0", "1.5", "Inf", "a string", "an integer vector", "NULL")
  ))
  expect_identical(
    refused(function(x, arg) check_count(x, 2, 1e6, arg = arg), 1, 1e7),
    sprintf("`x` must be a whole number of at least 2 and at most 1000000, not %s.", c("1", "10000000"))
  )
  expect_identical(refused(check_seconds, 0, -1, NA_real_, "1", 1:2), sprintf(
    "`x` must be a number of seconds above 0, not %s.", c("0", "-1", "NA", "a string", "an integer vector")
  ))
  expect_identical(refused(check_raw, "a", 1L, NULL), sprintf(
    "`x` must be a raw vector, not %s.", c("a string", "an integer", "NULL")
  ))
})

test_that("the argument and the call are those of the function that checks", {
  f <- function(size) check_count(size)
  cnd <- expect_error(f(-1), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "size")
  expect_identical(conditionCall(cnd), quote(f(-1)))
})

test_that("an argument that is missing is named, in the call of the user's function", {
  go <- list(f = structure(identity, class = "mangoro_function"))
  calls <- expression(
    mangoro_async(), mangoro_map(), mangoro_map(go$f), mangoro_value(), mangoro_is_done(), mangoro_cancel(),
    mangoro_next(), mangoro_collect()
  )
  for (call in calls) {
    cnd <- expect_error(eval(call), "^`[.]?[a-z]+` is missing[.]$", class = "mangoro_error_invalid_argument")
    expect_identical(conditionCall(cnd), call)
  }
})
