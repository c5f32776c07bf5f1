test_that("a line is shown with a caret below its column, whatever is in it", {
  expect_identical(excerpt("\treturn x + y", 13), c("    return x + y", "               ^"))
  expect_identical(excerpt("\u00e9 := \u4e2d; x", 12), c("    \u00e9 := \u4e2d; x", paste0(strrep(" ", 13), "^")))
  expect_identical(excerpt("a\tb", 3), c("    a    b", "         ^"))
  expect_identical(excerpt("", 1), c("    ", "    ^"))
  expect_null(excerpt(NA_character_, 1))
  expect_null(excerpt("x", NA_integer_))
  expect_length(excerpt("x\xff y", 9), 2)
})

test_that("lines of the compiler are told apart from others", {
  program <- list(dir = "/d", user_path = function(file) sub("^/d/", "", file))
  output <- c("x.go:3:4: undefined: x", "\thave (int)", "/d/<inline>:7: is wrong", "go.mod:1: odd")
  found <- find_diagnostics(program, output)
  expect_identical(found$file, c("x.go", "<inline>", "go.mod"))
  expect_identical(found$line, c(3L, 7L, 1L))
  expect_identical(found$column, c(4L, NA, NA))
  expect_identical(found$row, c(1L, 3L, 4L))
})

test_that("no more is shown than can be read", {
  output <- sprintf("a.go:%d:1: wrong", 1:30)
  program <- list(src = "a.go", dir = "/d", user_path = basename, own_module = TRUE)
  cnd <- expect_error(
    abort_build(program, find_diagnostics(program, output), output, call = NULL),
    class = "mangoro_error_build"
  )
  expect_match(conditionMessage(cnd), "and 20 more lines")
  expect_length(cnd$output, 30)
  expect_identical(nrow(cnd$diagnostics), 30L)
})

test_that("inline code is told by its place", {
  places <- data.frame(file = c("<inline>", "a.go", "<inline>"), line = c(1L, 1L, 3L), column = c(2L, 2L, 2L))
  moved <- relocate(places, function() list(file = "s.R", line = 10L, column = 5L))
  expect_identical(moved, data.frame(file = c("s.R", "a.go", "s.R"), line = c(10L, 1L, 12L), column = c(7L, 2L, 2L)))
  expect_identical(relocate(places, function() NULL), places)
})
