test_that("the elements of a handle are the Go functions", {
  h <- local_start(test_source("typed"))
  expect_identical(h$add(1:3, 0.5), 1:3 + 0.5)
  expect_identical(h$add(y = 1, 2), 3)
  expect_identical(h[["add"]](x = c(a = 1), 2), c(a = 3))
  expect_identical(h$`repeat`("ab", 2), "abab")
  expect_null(expect_invisible(h$nothing()))
  expect_true(all(c("add", "scaled") %in% names(h)))
  expect_identical(length(h), length(names(h)))
  expect_identical(as.list(h)$add(1, 2), 3)
  expect_identical(utils::.DollarNames(h, "^s[uc]"), c("scaled", "sum"))
})

test_that("functions have the arguments of the Go functions, and their defaults", {
  h <- local_start(test_source("typed"))
  expect_identical(formals(h$scaled), as.pairlist(alist(x = , by = 10L)))
  expect_identical(formals(h$`repeat`), as.pairlist(alist(s = , times = NULL)))
  expect_null(formals(h$nothing))
  expect_identical(h$scaled(1:2), c(10, 20))
  expect_identical(h$scaled(1:2, by = NULL), c(10, 20))
  expect_identical(h$scaled(by = 2, 1:2), c(2, 4))
  expect_error(h$scaled(), class = "mangoro_error_invalid_argument")
  expect_error(h$scaled(1, 2, 3), "unused argument")

  calls <- local_source(test_source("calls"))
  expect_identical(formals(calls$Join), as.pairlist(alist(sep = , ... = )))
  expect_identical(formals(calls$Files), as.pairlist(alist(first = , maybe = NULL, ... = )))
  expect_identical(
    format(calls$Join),
    c("<Go function> Join(sep, ...)", "func Join(sep string, parts ...string) string")
  )
  expect_identical(format(calls$Mean)[[1]], "<Go function> Mean(x, weights = NULL, names = NULL)")
  expect_identical(subset(summary(calls), name == "Sum")$call, "Sum(...)")

  # A function without a signature takes any columns.
  example <- local_start("cmd/rpc-example")
  expect_identical(names(formals(example$transposeMatrix)), "...")
  expect_identical(example$transposeMatrix(a = c(1, 2), b = c(3, 4))$V2, c(2, 4))
})

test_that("arguments may have any name", {
  server <- new_server("x", "ipc:///x")
  spec <- list(type = "float64", nullable = TRUE)
  args <- c("server", "signature", "environment", "list", "x y", "if")
  signature <- list(
    name = "f", args = args, specs = rep(list(spec), 6), optional = rep(c(FALSE, TRUE), 3),
    defaults = list(NULL, NULL, NULL, "a", NULL, 2), boxed = TRUE, doc = "", go = ""
  )
  local_mocked_bindings(call_function = function(sock, name, args, ...) args)
  f <- make_function(server, signature)
  expect_identical(
    f(1, environment = mean),
    list(server = 1, signature = NULL, environment = mean, list = "a", `if` = 2)
  )
  expect_identical(describe_function(f), "f(server, signature = NULL, environment, list = \"a\", x y, if = 2)")
})

test_that("defaults that are dates and spans of time are those of Go", {
  go <- local_start(test_source("typed"))
  expect_identical(format(go$until_day)[[1]], "<Go function> until_day(from, to = as.Date(\"2024-02-29\"))")
  expect_identical(go$until_day(as.Date("2024-02-28")), 1L)
  expect_identical(go$later(.POSIXct(0, tz = "UTC")), .POSIXct(3600, tz = "UTC"))
})
