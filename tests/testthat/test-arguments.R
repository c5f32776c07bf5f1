test_that("what does not fit is told with function, argument, row and value", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_snapshot(error = TRUE, {
    call("add", 1, "a")
    call("add", 1, c(NA, NA, "a"))
    call("add", 1, TRUE)
    call("add", 1, list(1))
    call("add", as.Date("2024-02-28"), 1)
    call("add", 1, bit64::as.integer64("9007199254740993"))
    call("twice", c(1, 1.5))
    call("twice", 2^31)
    call("twice", NaN)
    call("next", 2^53 + 2)
    call("upper", 1)
    call("not", "yes")
    call("tomorrow", "2024-02-28")
    call("half", 1)
    call("reverse", "text")
    call("reverse", list(raw(1), 1))
    call("conjugate", "i")
  })
})

test_that("names, numbers and lengths of arguments are checked", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_snapshot(error = TRUE, {
    call("add", 1)
    call("add")
    call("add", 1, 2, 3)
    call("add", 1, z = 2)
    call("add", x = 1, x = 2)
    call("repeat", "a", tim = 2)
    call("add", 1:4, 1:3)
    call("add", matrix(1:4, 2), matrix(1:4, 1))
    call("nothing", 1)
  })
  example <- local_server(command_source("rpc-example"))
  expect_snapshot(mangoro_call(example$sock, "nope"), error = TRUE)
})

test_that("whole vectors, structs and maps are checked", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_snapshot(error = TRUE, {
    call("sum", "a")
    call("sum", NULL)
    call("sorted", c("a", NA))
    call("scaled", 1, c(1, 2))
    call("older", list(name = "x"), 1)
    call("older", data.frame(name = "x"), 1)
    call("older", data.frame(name = c("x", NA), age = 1L), 1)
    call("older", data.frame(name = "x", age = 1.5), 1)
    call("greet", list(name = c("x", "y"), age = 1))
    call("greet", list(name = "x", age = 1, shoe = 43))
    call("greet", "x")
    call("total", c(1, 2))
    call("total", c(a = 1, a = 2))
    call("total", list(a = 1:2))
    call("total", c(a = "x"))
    call("ages", list(a = "x"))
  })
})

test_that("a refusal says where in its fields, and sends nothing", {
  server <- local_server(test_source("typed"))
  mangoro_call(server$sock, "add", 1, 2)
  server$proc$kill()
  cnd <- expect_error(
    mangoro_call(server$sock, "twice", c(1, 1.5)),
    class = "mangoro_error_invalid_argument"
  )
  expect_identical(
    cnd[c("func_name", "arg", "row", "value")],
    list(func_name = "twice", arg = "x", row = 2L, value = 1.5)
  )
})

test_that("names and dimensions outlive the change to the type of Go", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_named(call("next", c(a = 1, b = NA)), c("a", "b"))
  expect_named(call("next", c(a = NA)), "a")
  expect_identical(dimnames(call("next", matrix(1, 1, 1, FALSE, list("r", "c")))), list("r", "c"))
  expect_identical(dim(call("next", matrix(1, 2, 3))), c(2L, 3L))
  expect_identical(call("add", rlang::set_names(bit64::as.integer64(1), "a"), 1), c(a = 2))
  expect_identical(call("upper", rlang::set_names(factor("x"), "a")), c(a = "X"))
})
