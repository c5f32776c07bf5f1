test_that("an expression is evaluated with the types of its variables", {
  skip_if_no_go()
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 2), sqrt(2))
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 9), 3)
  expect_identical(mangoro_eval("strings.Split(s, sep)", s = "a,b", sep = ","), c("a", "b"))
  expect_identical(mangoro_eval("strconv.ParseBool(s)", s = "true"), TRUE)
  expect_error(mangoro_eval("strconv.ParseBool(s)", s = "maybe"), class = "mangoro_error_handler")
  expect_snapshot(error = TRUE, transform = scrub_location, {
    mangoro_eval("math.Sqqrt(x)", x = 2)
    mangoro_eval("x +", x = 2)
    mangoro_eval("x + 1 +\n  math.Sqrt(y)", x = 2)
    mangoro_eval("1, 2")
    mangoro_eval("math.MaxUint64")
    mangoro_eval("int")
    mangoro_eval("nil")
    mangoro_eval("big.NewInt(1)")
    mangoro_eval("fmt.Sprint")
    mangoro_eval("x", 1)
    mangoro_eval("x", x = Sys.Date())
  })
  # Which stands nowhere as it is.
  expr <- paste("1 +", "x[int(x[0])]", sep = "\n")
  cnd <- expect_error(mangoro_eval(expr, x = c(7, 2)), class = "mangoro_error_panic")
  expect_identical(cnd$frames[c("file", "line")], data.frame(file = "<inline>", line = 2L))
})

test_that("the compiler tells the type of an expression", {
  said <- function(what, output = character()) {
    message <- what
    if (!startsWith(what, "too")) message <- sprintf("cannot use %s as unknownType value in return statement", what)
    result_type(rlang::error_cnd(diagnostics = data.frame(message = message), output = output))
  }
  expect_identical(said("(math.Sqrt(x)) (value of type float64)"), "float64")
  expect_identical(said("(x) (variable of type []string)"), "[]string")
  expect_identical(said("(1 + 2) (untyped int constant 3)"), "int")
  expect_identical(said("(1.5) (untyped float constant)"), "float64")
  expect_identical(said("(x > 1) (untyped bool value)"), "bool")
  expect_identical(said("(5 * time.Second) (constant 5000000000 of int64 type \"time\".Duration)"), "time.Duration")
  expect_identical(said("too many return values", "\thave (bool, error)"), "(bool, error)")
  expect_error(said("too many return values"))
})
