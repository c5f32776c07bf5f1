test_that("elementwise functions follow R's arithmetic", {
  server <- local_server(test_source("typed"))
  add <- function(...) mangoro_call(server$sock, "add", ...)
  expect_identical(add(1, 2), 3)
  expect_identical(add(1:3, 0.5), 1:3 + 0.5)
  expect_identical(add(0.5, 1:3), 1:3 + 0.5)
  expect_identical(add(1:4, c(10, 20)), c(11, 22, 13, 24))
  expect_identical(add(c(1, NA, NaN, Inf, -0), 0), c(1, NA, NaN, Inf, 0))
  expect_identical(add(NA, 1), NA_real_)
  expect_identical(add(numeric(), 1), numeric())
  expect_identical(add(y = 1, x = 2), 3)
  expect_identical(add(y = 1, 2), 3)

  x <- c(a = 1, b = 2)
  expect_identical(add(x, 1), x + 1)
  expect_identical(add(1, x), 1 + x)
  m <- matrix(1:6 + 0.5, 2, dimnames = list(NULL, c("a", "b", "c")))
  expect_identical(add(m, 1), m + 1)
  expect_identical(add(m, m), m + m)
  expect_identical(add(array(1:8, c(2, 2, 2)), 1:2), array(1:8, c(2, 2, 2)) + 1:2 + 0)
})

test_that("a result of type any is what its value is", {
  server <- local_server(test_source("typed"))
  call <- function(what) mangoro_call(server$sock, "any", what)
  expect_null(call("NULL"))
  expect_identical(call("number"), 1.5)
  expect_identical(call("whole"), 30L)
  expect_identical(call("text"), "a")
  expect_identical(call("logical"), TRUE)
  expect_identical(call("missing"), NA_character_)
  expect_identical(call("vector"), c(1, 2))
  expect_identical(call("texts"), c("texts", NA))
  expect_identical(call("nothing"), integer())
  expect_identical(call("list"), list(1L, integer()))
  expect_identical(call("bytes"), as.raw(1:2))
  expect_identical(call("complex"), 1i)
  expect_identical(call("day"), as.POSIXct("2024-02-29 12:00:00", tz = "UTC"))
  expect_identical(call("span"), as.difftime(60, units = "secs"))
  expect_identical(call("map"), c(a = 1L, b = 2L))
  expect_identical(call("person"), list(name = "Ann", age = 30L))
  expect_identical(call("people"), data.frame(name = c("Ann", "Bob"), age = c(30L, NA)))
  expect_error(call("channel"), "must be the only result", class = "mangoro_error_handler")
  expect_error(call("unicorn"), "there is no unicorn", class = "mangoro_error_handler")
})

test_that("vectors of each type go and come", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("twice", c(1, NA, -3)), c(2L, NA, -6L))
  expect_identical(call("next", c(1, NA, 2^53)), bit64::as.integer64(c("2", NA, "9007199254740993")))
  expect_identical(call("next", bit64::as.integer64("4611686018427387904")), bit64::as.integer64("4611686018427387905"))
  expect_identical(call("not", c(TRUE, NA)), c(FALSE, NA))
  expect_identical(call("upper", c("a", NA, "\u00e9", "")), c("A", NA, "\u00c9", ""))
  expect_identical(call("upper", factor(c("x", NA))), c("X", NA))
  expect_identical(call("reverse", as.raw(1:3)), as.raw(3:1))
  expect_identical(call("reverse", list(as.raw(1:3), NULL, raw())), list(as.raw(3:1), NULL, raw()))
  expect_identical(call("conjugate", c(1 + 2i, NA)), c(1 - 2i, NA_complex_))
  expect_identical(call("half", as.difftime(c(1, NA), units = "hours")), as.difftime(c(1800, NA), units = "secs"))
  expect_identical(call("is_na", c(1, NA, NaN)), c(FALSE, TRUE, FALSE))
  time <- as.POSIXct("2024-02-28 12:00:00.25", tz = "Europe/Zurich")
  expect_identical(call("tomorrow", time), time + 86400)
})

test_that("numbers of each of Go's types go and come", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  limits <- list(
    int8 = c(-128L, 127L), int16 = c(-32768L, 32767L), uint8 = c(0L, 255L), uint16 = c(0L, 65535L),
    uint32 = c(0, 2^32 - 1), uint64 = c(0, 2^53), uint = c(0, 2^53), level = c(-128L, 127L)
  )
  for (type in names(limits)) {
    expect_identical(call(type, c(a = limits[[type]][[1]], b = NA)), c(a = as.integer(limits[[type]][[1]]), b = NA))
    expect_identical(call(type, c(limits[[type]], NA)), c(limits[[type]], NA))
    expect_identical(call(type, integer()), integer())
    for (value in limits[[type]] + c(-1, if (limits[[type]][[2]] < 2^53) 1 else 2)) {
      cnd <- expect_error(call(type, c(1, value)), class = "mangoro_error_invalid_argument")
      told <- list(func_name = type, arg = "x", row = 2L, value = value)
      expect_identical(cnd[names(told)], told)
    }
    expect_error(call(type, 1.5), "must be whole numbers", class = "mangoro_error_invalid_argument")
    expect_error(call(type, "1"), "must be whole numbers", class = "mangoro_error_invalid_argument")
  }
  expect_identical(call("uint64", bit64::as.integer64("9007199254740993")), bit64::as.integer64("9007199254740993"))
  expect_error(call("uint64", bit64::as.integer64(-1)), "from 0 to 18446744073709551615")
  expect_error(call("largest"), "row 2: .* return it as a string", class = "mangoro_error_protocol")
  expect_identical(call("uint8", as.raw(c(0, 255))), c(0L, 255L))
  expect_identical(call("brighter", as.raw(1:2), c(1, 2, 3, NA)), c(2L, 4L, 4L, NA))
  expect_identical(call("maybe_uint8", c(1, NA)), c(1L, NA))
  expect_identical(call("float32", c(0.5, NA, NaN, Inf, 0.1)), c(0.5, NA, NaN, Inf, 13421773 / 2^27))
  expect_error(call("float32", c(0, 1e39)), "row 2 is 1e\\+39", class = "mangoro_error_invalid_argument")
  expect_identical(call("complex64", c(1 + 0.5i, NA)), c(1 + 0.5i, NA_complex_))
  expect_error(call("complex64", 1e39i), ", not 0\\+1e\\+39i", class = "mangoro_error_invalid_argument")
  expect_identical(call("from_3"), 3L)
  expect_identical(call("from_3", 4), 4L)

  expect_identical(call("int8s", c(1, -1)), c(1L, -1L))
  expect_error(call("int8s", c(1, NA)), "row 2 is NA", class = "mangoro_error_invalid_argument")
  expect_identical(call("levels", 3), 3L)
  expect_identical(call("uint32s", c(1, 2^31)), c(1, 2^31))
  expect_identical(call("uint64s", 1:2), 1:2)
  expect_identical(call("float32s", c(0.5, NA, NaN)), c(0.5, NA, NaN))
  expect_identical(call("maybe_float32s", c(0.5, NA)), c(0.5, NA))
  expect_identical(call("complex64s", c(1, 2i)), c(1, 2i))
  expect_identical(call("uint32_lists", list(1:2, 2^31, integer())), list(c(1, 2), 2^31, double()))
  expect_identical(call("uint32_map", list(b = 1L, a = 2^31)), c(a = 2^31, b = 1))
})

test_that("arrays have one length", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  refused <- function(..., message) {
    expect_error(call(...), message, class = "mangoro_error_invalid_argument", fixed = TRUE)
  }
  expect_identical(call("triple", 1:3), c(1, 2, 3))
  refused("triple", 1:2, message = "argument `x` must have length 3, not 2")
  refused("triple", NULL, message = "argument `x` must be a vector, not NULL")
  expect_null(call("maybe_triple", NULL))
  expect_identical(call("grid", list(1:3, 4:6)), list(1:3, 4:6))
  refused("grid", list(1:3), message = "argument `x` must have length 2, not 1")
  refused("grid", list(1:3, 1), message = "\"2\" of argument `x` must have length 3, not 1")
  expect_identical(call("id", as.raw(1:4)), as.raw(1:4))
  refused("id", as.raw(1), message = "argument `x` must have length 4, not 1")
  expect_identical(call("ids", list(as.raw(1:4), as.raw(5:8))), list(as.raw(1:4), as.raw(5:8)))
  refused("ids", list(as.raw(1:4), raw()), message = "\"2\" of argument `x` must have length 4, not 0")
  expect_identical(call("pairs", list(a = c("x", "y"))), list(a = c("x", "y")))
  refused("pairs", list(a = "x"), message = "\"a\" of argument `x` must have length 2, not 1")
  cells <- data.frame(A = 1:2, B = c(0.5, NA))
  cells$C <- list(c("a", "b"), c("c", "d"))
  cells$D <- list(as.raw(1:2), as.raw(3:4))
  cells$E <- c(NA, 65535L)
  cells$F <- c(-1L, 1L)
  expect_identical(call("cells", cells), cells)
  cells$C[[2]] <- "c"
  refused("cells", cells, message = "\"C$2\" of argument `x` must have length 2, not 1")
})

test_that("whole numbers are as R counts them, and an integer64 of R's is one again", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  n <- call("next", 0:2)
  expect_identical(n, 1:3)
  expect_identical(list(mean(n), letters[n], c(1, n)), list(2, letters[1:3], c(1, 1:3)))
  expect_identical(ifelse(n > 2, n, 0L), c(0L, 0L, 3L))
  expect_identical(sapply(0:2, function(x) call("next", x)), 1:3)
  expect_identical(call("next", c(1, 2^31)), c(2, 2^31 + 1))
  expect_identical(call("next", matrix(1:4, 2)), matrix(2:5, 2))
  expect_identical(call("next", bit64::as.integer64(1)), 2L)
  expect_identical(call("same", bit64::as.integer64(1:2)), bit64::as.integer64(1:2))
  withr::local_options(mangoro.int64 = "integer64")
  expect_identical(call("next", 1), bit64::as.integer64(2))
  withr::local_options(mangoro.int64 = "double")
  expect_identical(call("next", 1L), 2)
  expect_identical(call("same", bit64::as.integer64(1:2)), c(1, 2))
  for (option in list("integer", 64, NULL, c("auto", "auto"), NA)) {
    withr::local_options(mangoro.int64 = option)
    if (is.null(option)) {
      expect_identical(call("next", 1), 2L)
    } else {
      cnd <- expect_error(call("next", 1), class = "mangoro_error_invalid_argument")
      expect_match(conditionMessage(cnd), "`mangoro.int64` must be \"auto\", \"integer64\" or \"double\"")
    }
  }
})

test_that("whole vectors, structs and maps go and come", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("sum", 1:10), 55)
  expect_identical(call("sum", c(1, NA)), NA_real_)
  expect_identical(call("sum", numeric()), 0)
  expect_identical(call("sorted", c("b", "a")), c("a", "b"))
  expect_identical(call("scaled", 1:2), c(10, 20))
  expect_identical(call("scaled", c(1, NA), by = 2), c(2, NA))
  people <- data.frame(name = c("x", "y"), age = c(1L, NA))
  expect_identical(call("older", people, 5), data.frame(name = c("x", "y"), age = c(6L, NA)))
  expect_identical(call("older", people[0, ], 5), people[0, ])
  grouped <- structure(people, class = c("grouped_df", "tbl_df", "tbl", "data.frame"), groups = data.frame(g = 1))
  expect_identical(call("older", grouped, 5), data.frame(name = c("x", "y"), age = c(6L, NA)))
  expect_identical(call("greet", list(age = NA, name = "Ann")), "Hello Ann")
  expect_identical(call("greet", people[1, ]), "Hello x")
  expect_identical(call("total", c(a = 1, b = 2)), 3)
  expect_identical(call("total", list(a = 1, b = 2L)), 3)
  expect_identical(call("count", c("b", "a", "b")), c(a = 1L, b = 2L))
  expect_identical(call("ages", list(b = 1:3, a = 2)), c("a", "b"))
  expect_identical(
    call("divmod", 7:9, 2L),
    data.frame(quotient = c(3L, 4L, 4L), remainder = c(1L, 0L, 1L))
  )
  expect_identical(call("same", list(1:3, 4L)), list(1:3, 4L))
})

test_that("dates go and come", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  days <- as.Date(c("2024-02-28", "1969-12-31"))
  expect_identical(call("next_day", c(days, NA)), c(days, NA) + 1)
  expect_identical(call("next_day", structure(19782L, class = c("IDate", "Date"))), as.Date("2024-03-01"))
  expect_identical(call("next_day", NA), as.Date(NA))
  expect_identical(call("next_day", as.Date(character())), as.Date(character()))
  expect_identical(call("days", days), days)
  expect_identical(call("some_days", c(days, NA)), c(days, NA))
  expect_identical(call("lists_of_days", list(days, structure(1L, class = "Date"))), list(days, as.Date("1970-01-02")))
  expect_identical(call("named_days", c(a = days[[1]], b = days[[2]])), c(a = days[[1]], b = days[[2]]))
  expect_identical(call("named_days", list(a = days[[1]])), c(a = days[[1]]))
})

test_that("matrices go and come", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  m <- matrix(c(1, 2, NA, NaN, 5, Inf), 2, dimnames = list(c("a", "\u00e9"), NULL))
  for (x in list(m, t(m), matrix(0, 0, 3), matrix(0, 3, 0), matrix(0, 0, 0), matrix(1))) {
    expect_identical(call("matrix", x), x)
  }
  expect_identical(call("matrix_int", matrix(1:6 + 0, 2)), matrix(1:6, 2))
  expect_identical(call("matrix_string", matrix(letters[1:4], 2)), matrix(letters[1:4], 2))
  expect_identical(call("matrix_bool", matrix(c(TRUE, NA), 1)), matrix(c(TRUE, NA), 1))
  expect_identical(call("matrix_complex", matrix(1:2 + 1i, 1)), matrix(1:2 + 1i, 1))
  times <- structure(.POSIXct(c(0, 1), tz = "Asia/Tokyo"), dim = 1:2)
  expect_identical(call("matrix_time", times), times)
  days <- structure(as.Date("2024-02-29") + 0:1, dim = 2:1)
  expect_identical(call("matrix_day", days), days)

  expect_identical(call("transposed", m), list(t = t(m), rows = 2L, cols = 3L))
  expect_identical(call("means", m[, -2]), c(3, Inf))
  expect_identical(call("lengths", matrix(1:6, 2)), c(3L, 3L))
  expect_null(call("matrix_or_null"))
  expect_null(call("matrix_or_null", NULL))
  expect_identical(call("matrix_or_null", m), m)
  expect_error(
    call("no_matrix", 1:3), "must have 2 x 2 elements to be a matrix, but has 3", class = "mangoro_error_handler"
  )
})

test_that("what as.matrix() makes of a value is a matrix", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("matrix", 1:3), matrix(c(1, 2, 3)))
  expect_identical(call("matrix", c(a = 1, b = 2)), as.matrix(c(a = 1, b = 2)))
  expect_identical(call("matrix", array(1:3, 3, list(letters[1:3]))), as.matrix(c(a = 1, b = 2, c = 3)))
  expect_identical(call("matrix", mtcars), as.matrix(mtcars))
  expect_identical(call("matrix", data.frame(x = 1:2, y = c(NA, 2))), as.matrix(data.frame(x = 1:2, y = c(NA, 2))))
  expect_identical(call("matrix", data.frame()), matrix(0, 0, 0))
  expect_identical(call("matrix", NA), matrix(NA_real_))
  expect_identical(call("matrix", table(c(1, 1), c("a", "b"))), matrix(c(1, 1), 1, dimnames = list("1", c("a", "b"))))
  expect_identical(call("matrix_string", data.frame(f = factor("u"))), matrix("u", dimnames = list(NULL, "f")))
  days <- data.frame(x = as.Date("2024-02-29"), y = structure(1L, class = "Date"))
  expect_identical(call("matrix_day", days)[2], as.Date("1970-01-02"))
  # Matrices of other packages, such as Matrix, are S4 objects.
  registerS3method("as.matrix", "mangoro_test_diagonal", function(x, ...) diag(unclass(x)))
  sparse <- asS4(structure(c(1, 2), class = "mangoro_test_diagonal"))
  expect_identical(call("matrix", sparse), diag(c(1, 2)))
})

test_that("data frames go and come by their columns", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  x <- data.frame(x = c(1, NA), name = c(NA, "b"), day = as.Date("2024-02-29") + 0:1)
  expect_identical(call("frame", x), x)
  expect_identical(call("frame", x[0, ]), x[0, ])
  expect_identical(call("frame", cbind(more = 1, x[3:1])), x)
  expect_identical(call("frame", as.list(x)), x)
  expect_identical(call("frames", list(x, x[2, ])), list(x, `rownames<-`(x[2, ], NULL)))
  expect_error(
    call("uneven", 1), "must have columns of one length to be a data frame, but `x` has 1, `name` has 0, `day` has 0",
    class = "mangoro_error_handler"
  )
  fit <- list(coef = 1, cov = diag(2), other = NULL, data = x)
  expect_identical(call("fit", fit), fit)
  expect_identical(call("fit", c(fit[-3], other = list(matrix(1)))), replace(fit, "other", list(matrix(1))))

  both <- list(x = c(1, 2), name = c("a", "b"))
  expect_identical(call("columns", both), both)
  expect_identical(call("columns", data.frame(both, more = TRUE)), both)
  expect_identical(call("columns", data.frame(both)[1, ]), lapply(both, `[[`, 1))
  expect_identical(call("columns", data.frame(both)[0, ]), list(x = numeric(), name = character()))
  expect_identical(call("columns", list(x = 1:3, name = "a")), list(x = c(1, 2, 3), name = "a"))
  row <- data.frame(x = I(list(1:3)), name = "a")
  expect_identical(call("columns", row), list(x = c(1, 2, 3), name = "a"))
})

test_that("optional arguments are optional, NULL leaves them out", {
  server <- local_server(test_source("typed"))
  expect_identical(mangoro_call(server$sock, "repeat", "ab", 2), "abab")
  expect_identical(mangoro_call(server$sock, "repeat", "ab"), "as often as you like")
  expect_identical(mangoro_call(server$sock, "repeat", "ab", NULL), "as often as you like")
})

test_that("no result is NULL", {
  server <- local_server(test_source("typed"))
  expect_null(mangoro_call(server$sock, "nothing"))
  expect_null(mangoro_call(server$sock, "until", as.difftime(0, units = "secs")))
  expect_invisible(mangoro_call(server$sock, "nothing"))
  expect_null(mangoro_call(server$sock, "refuse", NA))
  expect_error(mangoro_call(server$sock, "refuse", "not today"), "not today", class = "mangoro_error_handler")
  long <- strrep("no {way} ", 30000)
  cnd <- expect_error(mangoro_call(server$sock, "refuse", long), class = "mangoro_error_handler")
  expect_match(cnd$error_msg, long, fixed = TRUE)
  expect_lt(nchar(conditionMessage(cnd)), 5000)
})

test_that("functions registered by hand are called by their columns", {
  server <- local_server(command_source("rpc-example"))
  expect_identical(mangoro_call(server$sock, "add", c(a = 1, b = NA), 1), c(a = 2, b = NA))
  expect_identical(mangoro_call(server$sock, "echoString", c("x", NA)), c("x", NA))
  person <- data.frame(name = "Ann", age = 3L)
  expect_identical(mangoro_call(server$sock, "echoStruct", person), person)
  transposed <- mangoro_call(server$sock, "transposeMatrix", data.frame(a = c(1, 2), b = c(3, 4)))
  expect_identical(unname(as.list(transposed)), list(c(1, 3), c(2, 4)))
  expect_error(mangoro_call(server$sock, "transposeMatrix", 1, 2), class = "mangoro_error_invalid_argument")
})

test_that("a call that is given up ends in Go too", {
  server <- local_server(test_source("typed"))
  expect_error(
    mangoro_call(server$sock, "until", as.difftime(1, units = "hours"), .timeout = 0.2),
    class = "mangoro_error_timeout"
  )
  wait_for_output(server$proc, "the call was given up: timeout")
})

test_that("a call that is interrupted ends in Go too, and the next one is not it", {
  skip_on_os("windows")
  server <- local_server(test_source("typed"))
  for (timeout in c(600, Inf)) {
    got <- tryCatch(
      mangoro_call(server$sock, "interrupt", Sys.getpid(), .timeout = timeout),
      interrupt = function(cnd) "interrupted"
    )
    expect_identical(got, "interrupted")
    wait_for_output(server$proc, "the call was given up: cancelled")
    expect_identical(mangoro_call(server$sock, "add", 1, 2), 3)
  }
})

test_that("whatever ends a function is told, and the server lives", {
  server <- local_server(test_source("failing"))
  fails <- function(name, class, text) {
    cnd <- expect_error(mangoro_call(server$sock, name, 1), class = class)
    expect_identical(cnd$error_msg, text)
    expect_identical(mangoro_call(server$sock, "twice", 1), 2)
    invisible(cnd)
  }
  fails("leave", "mangoro_error_panic", "it ended its goroutine with runtime.Goexit, and so returned nothing")
  fails("zero", "mangoro_error_handler", "a\\x00b\ufffd")
  cnd <- fails("burst", "mangoro_error_panic", "a\\x00b\ufffd")
  expect_match(cnd$stack, "failing.go")
  fails("mute", "mangoro_error_handler", "an error of type main.mute without a text: its method panicked: no words")
  cnd <- expect_error(mangoro_call(server$sock, "endless", 1), class = "mangoro_error_handler")
  expect_identical(cnd$error_msg, paste0(strrep("x", 2^20), "... (2097152 bytes more)"))
  expect_lt(nchar(conditionMessage(cnd)), 5000)
})

test_that("a row that fails is told once, with what is there", {
  server <- local_server(test_source("failing"))
  cnd <- expect_error(mangoro_call(server$sock, "positive", c(1, NA, -3, -4), "x"), class = "mangoro_error_handler")
  expect_identical(cnd$row, 3L)
  expect_equal(cnd$value, list(x = -3, y = "x"))
  cnd <- expect_error(mangoro_call(server$sock, "nth", c(0L, 2L, 5L)), class = "mangoro_error_panic")
  expect_identical(cnd$row, 3L)
  expect_equal(cnd$value, list(x = 5))
  expect_snapshot(error = TRUE, {
    mangoro_call(server$sock, "positive", c(1, NA, -3, -4), "x")
    mangoro_call(server$sock, "nth", c(0L, 2L, 5L))
  }, transform = function(lines) sub("failing.go:[0-9]+", "failing.go:<line>", lines))
})

test_that("calls that go on do not keep others from running, and are named", {
  server <- local_server(test_source("failing"))
  expect_identical(mangoro_call(server$sock, "twice", 1), 2)
  # Whether the server has a call before its time is over, and R hears of it, depends
  # on the machine: not each time-out need know what goes on.
  named <- NULL
  cnd <- NULL
  attempts <- 0
  while (!inherits(cnd, "mangoro_error_resource_exhausted") && attempts < 500) {
    attempts <- attempts + 1
    cnd <- expect_error(mangoro_call(server$sock, "deaf", 1, .timeout = 0.05), class = "mangoro_error")
    named <- cnd$given_up %||% named
    if (attempts < 8) expect_identical(mangoro_call(server$sock, "twice", 1), 2)
  }
  expect_gt(attempts, 8)
  expect_identical(names(named), "deaf")
  cnd <- expect_error(mangoro_call(server$sock, "twice", 1), class = "mangoro_error_resource_exhausted")
  expect_match(cnd$error_msg, "8 of `deaf\\(\\)`")
  expect_named(mangoro_rpc_get_manifest(server$sock), ignore.order = TRUE, expected = c(
    "leave", "zero", "burst", "mute", "endless", "positive", "nth", "deaf", "twice"
  ))
})

test_that("what the manifest calls a struct is a data frame, whatever its columns", {
  server <- local_server(test_source("corpus"))
  call <- function(...) mangoro_call(server$sock, ...)
  frames <- list(
    data.frame(x = c(1, NA)), data.frame(x = double()), data.frame(x = 1, y = 2), data.frame(x = I(data.frame(x = 1))),
    data.frame(row.names = 1:3), data.frame()
  )
  for (name in c("record", "record_plain", "untold")) {
    for (frame in frames) expect_identical(call(name, frame), frame, info = name)
  }
  # As vectors, its columns are the same record.
  for (name in c("record", "record_of_x", "untold")) {
    expect_identical(call(name, x = c(1, NA)), data.frame(x = c(1, NA)), info = name)
  }
  expect_identical(call("record", x = NULL, y = 1:2), data.frame(y = 1:2))
  m <- matrix(1:4, 2, dimnames = list(NULL, c("a", "b")))
  frame <- structure(list(m = m, a = array(1:8, c(2, 2, 2)), x = c(1, 1)), class = "data.frame", row.names = 1:2)
  expect_identical(call("record", m = m, a = frame$a, x = 1), frame)
  expect_identical(call("record", m = m[1, , drop = FALSE], x = 1:2)$m, m[c(1, 1), ])
  counts <- table(c("a", "b"))
  expect_identical(call("record", x = counts), structure(list(x = counts), class = "data.frame", row.names = 1:2))
  expect_identical(call("record"), data.frame())
  # The struct may be what is in its column.
  column <- structure(list(p = data.frame(x = 1:2, y = 3:4)), class = "data.frame", row.names = 1:2)
  expect_identical(call("record_of_xy", column), column$p)
  expect_identical(call("record", column), column)
  expect_identical(call("record_of_x", column), column)
  # And what it calls a vector is one.
  expect_identical(call("number", x = c(1, NA)), c(1, NA))
  expect_identical(call("number", data.frame(x = double())), double())
  expect_identical(call("list", x = list(1, 2:3 + 0)), list(1, c(2, 3)))
  expect_identical(call("number", x = 1, y = 2), data.frame(x = 1, y = 2))
  expect_null(expect_invisible(call("number", data.frame())))
  expect_null(expect_invisible(call("nothing", x = 1)))

  h <- local_start("cmd/rpc-example")
  expect_identical(h$transposeMatrix(data.frame(a = 1, b = 2)), data.frame(V1 = c(1, 2)))
  expect_identical(h$transposeMatrix(a = c(1, 2)), data.frame(V1 = 1, V2 = 2))
  expect_identical(h$transposeMatrix(data.frame(a = double(), b = double())), data.frame(row.names = 1:2))
  expect_identical(h$echoString("x"), "x")
})

test_that("a manifest that knows nothing of ours says what a result is too", {
  puppet <- local_puppet()
  entry <- function(type) sprintf("{\"f\": {\"Args\": [], \"ReturnType\": %s, \"Vectorized\": false}}", type)
  result <- function(type, record) {
    connection <- connection_of(puppet$sock, NULL)
    puppet$answer(c(as.raw(0), raw(8), charToRaw(if (is.null(type)) "{\"f\": {}}" else entry(type))))
    fetch_signatures(connection, 10, NULL)
    message <- mangoro_rpc_call_message("f", record)
    if (is.null(record)) message <- message[1:10]
    puppet$answer(c(as.raw(2), message[-1]))
    mangoro_call(puppet$sock, "f")
  }
  x <- data.frame(x = c(1, 2))
  struct <- function(fields) {
    sprintf("{\"Type\": \"struct\", \"Nullable\": false, \"StructDef\": %s, \"ListSchema\": null}", fields)
  }
  untold <- c("{\"Type\": \"\"}", "null")
  for (type in c(struct("null"), struct("{\"Fields\": null}"), struct("{\"Fields\": []}"), untold)) {
    expect_identical(result(type, x), x, info = type)
    expect_identical(result(type, data.frame(x = double())), data.frame(x = double()), info = type)
  }
  expect_identical(result(NULL, x), x)
  expect_identical(result("{\"Type\": \"float64\"}", x), c(1, 2))
  expect_identical(result("{\"Type\": \"float32\"}", x), c(1, 2))
  expect_identical(result(struct("null"), NULL), data.frame())
  expect_null(result("{\"Type\": \"float64\"}", NULL))
})

test_that("a struct of scalars is a row, of a data frame or alone", {
  go <- local_source(test_source("calls"))
  frame <- data.frame(H = 1:3, W = c(2, NA, 4))
  expect_identical(go$Area(frame), c(2, NA, 12))
  expect_identical(go$Area(frame[0, ]), double())
  expect_identical(go$Area(list(W = 2, H = 3)), 6)
  expect_identical(go$Area(list(W = NA, H = 3)), NA_real_)
  expect_identical(go$Area(NA), NA_real_)
  expect_identical(go$Scale(c(a = 1, b = NA, c = 3), list(W = 2, H = 0, Label = NULL)), c(a = 2, b = NA, c = 6))
  expect_identical(go$Scale(1:4, data.frame(W = 1:2, H = 0)), c(1, 4, 3, 8))
  expect_identical(go$Scale(2, data.frame(W = 1:2, H = 0)), c(2, 4))
  expect_identical(go$Perhaps(data.frame(W = c(1, NA), H = 1)), c(TRUE, FALSE))
  expect_identical(go$Perhaps(), FALSE)
  lines <- data.frame(From = I(data.frame(W = c(1, 2, NA), H = 1, Label = c("a", NA, "b"))))
  expect_identical(go$Length(lines), c("1 a never", "2 none never", NA))
  expect_identical(
    go$Length(list(From = list(W = 1, H = 1), When = as.Date("2024-02-29"))),
    "1 none 2024-02-29"
  )

  # What comes back for one value is one value.
  point <- list(x = 1, n = 2L, bytes = as.raw(1:3))
  expect_identical(go$Move(point, 1), list(x = 2, n = 2L, bytes = as.raw(1:3)))
  points <- structure(
    list(x = c(2, 3), n = c(2L, 2L), bytes = list(as.raw(1:3), as.raw(1:3))),
    class = "data.frame", row.names = 1:2
  )
  expect_identical(go$Move(point, 1:2), points)
  expect_identical(go$Move(points[1, ], 0), points[1, ])
  expect_identical(go$Split(list(W = 1, H = 2)), list(w = 1, h = 2))
  expect_identical(go$Split(data.frame(W = 1, H = 2)), data.frame(w = 1, h = 2))
})

test_that("what is wrong with the rows of structs is told", {
  go <- local_source(test_source("calls"))
  cnd <- expect_error(go$Scale(c(1, -1), list(W = 2, H = 0)), class = "mangoro_error_handler")
  expect_identical(cnd$row, 2L)
  expect_equal(cnd$value, list(by = list(H = 0, Label = NULL, W = 2), x = -1))
  cnd <- expect_error(go$Scale(1:3, data.frame(W = 1:2, H = 0)), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "by")
  cnd <- expect_error(go$Area(data.frame(W = c("a", "b"), H = 1)), class = "mangoro_error_invalid_argument")
  expect_identical(c(cnd$arg, cnd$row), c("r", "1"))
  expect_snapshot(error = TRUE, {
    go$Area(list(W = 1:2, H = 1))
    go$Area(list(W = 1))
    go$Area(list(1, 2))
    go$Area(1:2)
    go$Length(list(From = data.frame(W = 1:2, H = 1)))
    go$OneArea(data.frame(W = 1:2, H = 1))
  })
})

test_that("a function that does not return scalars is called once", {
  go <- local_source(test_source("calls"))
  expect_identical(go$Words("a b"), c("a", "b"))
  expect_identical(go$Counts("a b a"), c(a = 2L, b = 1L))
  rect <- list(W = 1, H = 2, Label = "x")
  expect_identical(go$Rows(2, rect), data.frame(W = c(1, 1), H = c(2, 2), Label = c("x", "x")))
  expect_identical(go$Anything(1), 1)
  cnd <- expect_error(go$Words(c("a", "b")), class = "mangoro_error_invalid_argument")
  expect_identical(c(cnd$arg, cnd$func_name), c("text", "Words"))
  expect_snapshot(error = TRUE, {
    go$Words(c("a", "b"))
    go$Rows(1:2, list(W = 1, H = 2))
    go$Words(character())
    go$Words(NA)
    go$Many(1:2, 3:4)
  })
})

test_that("a function can be called for each value, and returns a list", {
  go <- local_source(test_source("calls"))
  text <- c(one = "a b", two = NA, three = "")
  expect_identical(go$EachWords(text), list(one = c("a", "b"), two = NULL, three = character()))
  expect_identical(go$EachWords(character()), list())
  expect_identical(go$EachCounts(text)$one, c(a = 1L, b = 1L))
  expect_identical(go$EachRows(c(1, 2))[[2]], data.frame(W = c(1, 1), H = c(0, 0), Label = c(NA_character_, NA)))
  doc <- list(words = c("a", "b"), seen = c(a = 1L, b = 1L), at = list(W = 1, H = 2, Label = NA_character_))
  expect_identical(go$EachDoc(text, list(W = 1, H = 2))[1:2], list(one = doc, two = NULL))
  expect_identical(go$EachDoc("a b", data.frame(W = c(1, NA), H = 2)), list(doc, NULL))
  expect_identical(go$EachDoc(text, data.frame(W = double(), H = double())), list())
  expect_identical(go$EachAny(c(1, NA, -1, 11)), list(1, "NA", NULL, c(11, 11)))
  expect_identical(go$EachBytes(list(as.raw(1:2), NULL, raw())), list(as.raw(1:2), NULL, raw()))
  expect_identical(go$EachBytes(as.raw(1:2)), list(as.raw(1:2)))
  expect_identical(go$EachTwo(c(a = 1, b = NA)), list(a = list(twice = 2, text = "1"), b = NULL))
  expect_identical(go$EachTime(c(0, NA)), list(as.POSIXct("1970-01-01", tz = "UTC"), NULL))
  expect_identical(go$EachTwo(matrix(c(1, 2), 1)), unname(go$EachTwo(c(1, 2))))
  expect_identical(mangoro_call(go, "EachWords", "a b"), list(c("a", "b")))
  cnd <- expect_error(go$EachDoc(c("a", "bad"), list(W = 1, H = 2)), "a bad text", class = "mangoro_error_handler")
  expect_identical(cnd$row, 2L)
  expect_identical(cnd$value$text, "bad")
})
