test_that("an expression is evaluated with the types of its variables", {
  skip_if_no_go()
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 2), sqrt(2))
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 9), 3)
  expect_identical(mangoro_eval("strings.Split(s, sep)", s = "a,b", sep = ","), c("a", "b"))
  expect_identical(mangoro_eval("strconv.ParseBool(s)", s = "true"), TRUE)
  expect_identical(mangoro_eval("strings.Repeat(s, n)", s = "ab", n = 3L), "ababab")
  expect_identical(mangoro_eval("n * n", n = 100000L), 1e10)
  expect_identical(mangoro_eval("n[len(n)-1]", n = c(1L, 3L, 2L)), 2L)
  expect_error(mangoro_eval("strconv.ParseBool(s)", s = "maybe"), class = "mangoro_error_handler")
  expect_snapshot(error = TRUE, transform = scrub_location, {
    mangoro_eval("math.Sqqrt(x)", x = 2)
    mangoro_eval("x +", x = 2)
    mangoro_eval("x + 1 +\n  math.Sqrt(y)", x = 2)
    mangoro_eval("1, 2")
    mangoro_eval("math.MaxUint64")
    mangoro_eval("int")
    mangoro_eval("struct{}{}")
    mangoro_eval("fmt.Sprint")
    mangoro_eval("x", 1)
    mangoro_eval("x", x = Sys.Date())
  })
  expect_error(mangoro_eval("make(chan int)"), class = "mangoro_error_invalid_argument")
  # Which stands nowhere as it is.
  expr <- paste("1 +", "x[int(x[0])]", sep = "\n")
  cnd <- expect_error(mangoro_eval(expr, x = c(7, 2)), class = "mangoro_error_panic")
  expect_identical(cnd$frames[c("file", "line")], data.frame(file = "<inline>", line = 2L))
})

test_that("a vector where one value is needed is told", {
  skip_if_no_go()
  cnd <- expect_error(mangoro_eval("x + y", x = c(1, 2), y = 1), class = "mangoro_error_build")
  expect_match(conditionMessage(cnd), "x has 2 values, so it is a slice in Go.", fixed = TRUE)
  expect_no_match(conditionMessage(cnd), "y has", fixed = TRUE)
})

test_that("the value has the type that it has in Go, several are a list", {
  skip_if_no_go()
  expect_identical(mangoro_eval("1 + 2"), 3L)
  expect_identical(mangoro_eval("1 << 60"), bit64::as.integer64("1152921504606846976"))
  expect_identical(mangoro_eval("1.5"), 1.5)
  expect_identical(mangoro_eval("big.NewInt(1)"), "1")
  expect_identical(mangoro_eval("[]any{1, \"a\"}"), list(1L, "a"))
  expect_identical(mangoro_eval("x > 1", x = 2), TRUE)
  expect_identical(mangoro_eval("'a'"), 97L)
  expect_identical(mangoro_eval("5 * time.Second"), as.difftime(5, units = "secs"))
  expect_identical(mangoro_eval("[]struct{ A float64 }{{1}, {2}}"), data.frame(A = c(1, 2)))
  expect_identical(mangoro_eval("`a\"\n'b'`"), "a\"\n'b'")
  expect_identical(mangoro_eval("math.Modf(x)", x = 1.5), list(result1 = 1, result2 = 0.5))
  expect_null(mangoro_eval("os.Chdir(\"/\")"))
  expect_null(mangoro_eval("nil"))
  expect_identical(mangoro_eval("func() (any, bool) { return nil, true }()"), list(result1 = NULL, result2 = TRUE))
  cnd <- expect_error(mangoro_eval("runtime.GC()"), class = "mangoro_error_build")
  expect_match(cnd$diagnostics$message, "(no value) used as value", fixed = TRUE)
})

test_that("a missing value gives a missing value", {
  skip_if_no_go()
  expect_identical(mangoro_eval("x > 1", x = NA_real_), NA)
  expect_identical(mangoro_eval("x > 1", x = NaN), FALSE)
  expect_identical(mangoro_eval("s + sep", s = NA_character_, sep = ","), NA)
  expect_identical(mangoro_eval("x", x = c(1, NA)), c(1, NA))
  expect_error(mangoro_eval("x", x = c(1L, NA)), class = "mangoro_error_invalid_argument")
})

test_that("a variable may have any name", {
  skip_if_no_go()
  expect_identical(mangoro_eval("value[1] + Eval", value = c(1, 2), Eval = 1), 3)
})

test_that("an expression is built once", {
  skip_if_no_go()
  mangoro_eval("1.5") # and the generator
  builds <- 0
  run <- run_go_build
  local_mocked_bindings(run_go_build = function(...) {
    builds <<- builds + 1
    run(...)
  })
  n <- sample.int(1e9, 1)
  expect_identical(mangoro_eval(sprintf("x + %d", n), x = 1), n + 1)
  expect_identical(mangoro_eval(sprintf("x + %d", n), x = 2), n + 2)
  expect_identical(builds, 1)
})

test_that("an error is that of the expression", {
  skip_if_no_go()
  cnd <- expect_error(mangoro_eval("strconv.Atoi(s)", s = "x"), class = "mangoro_error_handler")
  expect_match(conditionMessage(cnd), "^The Go expression failed")
  cnd <- expect_error(mangoro_eval("x[5]", x = c(1, 2)), class = "mangoro_error_panic")
  expect_match(conditionMessage(cnd), "^The Go expression panicked")
})
