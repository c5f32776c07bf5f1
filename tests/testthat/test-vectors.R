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
    call("add", 1, factor("1"))
    call("twice", c(1, 1.5))
    call("twice", 0.1 * 3 * 10)
    call("twice", "5")
    call("twice", list(1, 2:3))
    call("twice", 2^31)
    call("twice", NaN)
    call("next", 2^53 + 2)
    call("upper", 1)
    call("not", "yes")
    call("not", 1)
    call("tomorrow", "2024-02-28")
    call("half", 1)
    call("reverse", "text")
    call("reverse", list(raw(1), 1))
    call("conjugate", "i")
    call("turned", c(1i, NA))
  })
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

test_that("a NaN in a complex number is not missing", {
  server <- local_server(test_source("typed"))
  z <- complex(real = c(NaN, 1), imaginary = c(1, NaN))
  expect_identical(mangoro_call(server$sock, "turned", z), z)
})

test_that("strings of any class are strings", {
  server <- local_server(test_source("typed"))
  glue <- structure(c(a = "x"), class = c("glue", "character"))
  expect_identical(mangoro_call(server$sock, "upper", glue), c(a = "X"))
  expect_identical(mangoro_call(server$sock, "sorted", noquote(c("b", "a"))), c("a", "b"))
  expect_identical(mangoro_call(server$sock, "greet", list(name = glue, age = 1)), "Hello x")
})

test_that("values of any class are taken where they fit", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("sum", stats::na.omit(c(1, NA, 2))), 3)
  expect_identical(call("add", stats::na.omit(c(a = 1, b = NA)), 1), c(a = 2))
  expect_identical(call("sorted", stats::na.omit(c("b", NA, "a"))), c("a", "b"))
  expect_identical(call("sum", datasets::nhtemp), sum(datasets::nhtemp))
  expect_identical(call("add", datasets::nhtemp, 1), as.vector(datasets::nhtemp) + 1)
  counted <- structure(array(c(4L, 2L), 2), dimnames = dimnames(table(c("a", "b"))))
  expect_identical(call("twice", table(c("a", "b", "a"))), counted)
  expect_identical(call("not", I(c(TRUE, NA))), c(FALSE, NA))
  expect_identical(call("upper", noquote("a")), "A")
  expect_identical(call("conjugate", structure(1i, unit = "Ohm", class = "impedance")), -1i)
  expect_identical(call("reverse", structure(as.raw(1:2), class = "bytes", label = "b")), as.raw(2:1))
  raws <- structure(list(structure(charToRaw("x"), label = "b")), ptype = raw(), class = "list_of")
  expect_identical(call("bytes", raws), "x")
  expect_identical(call("turned", structure(c(1i, 2), source = globalenv())), c(1i, 2))
  for (x in class_types()[c("haven_labelled", "units", "money", "zoo", "hmisc_labelled")]) {
    expect_identical(call("add", x, 1), as.vector(unclass(x)) + 1)
  }
  day <- as.POSIXct("2024-02-29", tz = "UTC")
  for (today in list(
    structure(19781L, class = c("IDate", "Date")),
    structure(as.Date("2024-02-28"), label = "day", class = c("labelled", "Date")),
    structure(day - 86400, label = "when", by = sum), as.POSIXlt(day - 86400)
  )) {
    expect_equal(as.numeric(call("tomorrow", today)), as.numeric(day))
  }
  minutes <- structure(2, units = "mins", label = "wait", class = c("waiting", "difftime"))
  expect_identical(call("half", minutes), as.difftime(60, units = "secs"))
  expect_identical(call("twice", structure(3, class = "integer64", label = "many") * 0), 0L)
  # What they are of another type is not.
  day_number <- structure(1L, class = c("IDate", "Date"))
  for (x in list(as.Date("2024-02-29"), minutes, factor("1"), day_number, numeric_version("1.0"))) {
    expect_error(call("add", x, 1), class = "mangoro_error_invalid_argument")
  }
  expect_snapshot(error = TRUE, {
    call("add", numeric_version("1.0"), 1)
    call("add", asS4(structure(1, class = "Period")), 1)
    call("upper", as.POSIXlt("2024-02-29"))
  })
})
