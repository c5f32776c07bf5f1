# Go's any, and what is text in Go, both ways.

the_dynamic <- function(env = parent.frame()) {
  server <- local_server(test_source("dynamic"), env = env)
  function(name, ...) mangoro_call(server$sock, name, ...)
}

# What `func(x any) any { return x }` makes of an R value: the documented rule.
expected <- function(x) {
  if (is.null(x)) return(NULL)
  if (is.data.frame(x)) {
    rows <- lapply(seq_len(nrow(x)), function(i) lapply(as.list(x), function(column) expected(column[[i]])))
    return(lapply(rows, function(row) row[order(names(row), method = "radix")]))
  }
  if (is.factor(x)) x <- structure(as.character(x), names = names(x))
  if (is.raw(x)) return(x)
  if (is.matrix(x)) {
    return(lapply(seq_len(nrow(x)), function(i) lapply(seq_len(ncol(x)), function(j) expected(x[[i, j]]))))
  }
  if (is.atomic(x) && length(x) == 1 && is.null(names(x)) && !inherits(x, "AsIs")) {
    if (is.na(x) && !is.nan(x)) return(NULL)
    return(if (is.integer(x)) as.double(x) else x)
  }
  out <- lapply(seq_along(x), function(i) expected(if (is.atomic(x)) unname(x[[i]]) else x[[i]]))
  if (is.null(names(x))) return(out)
  names(out) <- names(x)
  out[order(names(out), method = "radix")]
}

test_that("a value of any comes back by the rule", {
  call <- the_dynamic()
  values <- list(
    NULL, TRUE, NA, 1, 1L, NaN, -0, 5e-324, Inf, "a", "\u00e9", "", NA_character_, c(1, NA, 3), c("a", NA), 1:3,
    I(1), I("a"), character(), list(), list(1), list(NULL), list(1, "a", NULL, list(TRUE, list())), c(b = 1, a = 2),
    list(z = 1, a = list(b = "x", c = NULL), m = list(1, 2)), structure(list(), names = character()),
    factor(c("u", NA)), factor("u"), as.raw(1:3), raw(), data.frame(b = 1:2, a = c("x", NA)), data.frame(),
    data.frame(x = 1, f = factor("u")), matrix(1:6, 2), matrix(c("a", "b"), 1), rep(list(list(a = 1, b = "x")), 100),
    c(list(list(a = 1)), list(list(a = 1, b = 2)), list(list(c = 1, b = 2)), list(list(c = 1, b = 2)))
  )
  for (x in values) {
    expect_identical(call("same", x), expected(x), info = paste(deparse(x), collapse = ""))
  }
  many <- as.list(stats::setNames(1:100 + 0, sprintf("name%03d", 1:100)))
  expect_identical(call("same", many), many)
  nested <- Reduce(function(x, i) list(x), 1:998, 1)
  expect_identical(call("same", nested), nested)
})

test_that("any is what encoding/json would make of a value, or a time, or bytes", {
  call <- the_dynamic()
  kinds <- list(
    "<nil>" = NULL, "bool" = TRUE, "float64" = 1L, "float64" = bit64::as.integer64(2^52), "string" = factor("a"),
    "[]interface {}" = I(1), "map[string]interface {}" = c(a = 1), "[]uint8" = as.raw(1),
    "time.Time" = Sys.Date(), "time.Time" = Sys.time(), "time.Duration" = as.difftime(1, units = "weeks")
  )
  for (i in seq_along(kinds)) expect_identical(call("kind", kinds[[i]]), names(kinds)[[i]])
  expect_identical(call("show", as.Date(c("2024-02-29", NA))), "[2024-02-29 00:00:00 +0000 UTC <nil>]")
  expect_identical(call("show", structure(c(a = 1.5), class = "difftime", units = "mins")), "map[a:1m30s]")
  now <- as.POSIXct("2024-07-01 12:00:00.25", tz = "Europe/Zurich")
  expect_identical(call("same", now), now)
  local <- structure(1e9, class = c("POSIXct", "POSIXt"))
  expect_identical(call("same", local), local)
  expect_identical(call("zones", now)[[1]], now)
  expect_identical(attr(call("zones", now)[[2]], "tzone"), "UTC")
  expect_identical(call("same", as.Date("2024-02-29")), as.POSIXct("2024-02-29", tz = "UTC"))
})

test_that("what has no place in any is refused with its path", {
  call <- the_dynamic()
  expect_snapshot(error = TRUE, {
    call("same", list(a = list(1, mean)))
    call("same", list(a = list(list(b = 1i))))
    call("same", data.frame(x = 1:2, y = c(1i, 2i)))
    call("same", bit64::as.integer64("9007199254740993"))
    call("same", list(a = as.POSIXlt("2024-01-01", tz = "UTC")))
    call("same", array(1:8, c(2, 2, 2)))
    call("same", c(a = 1, 2))
    call("same", list(a = 1, a = 2))
    call("same", stats::setNames(as.list(1:40), rep("same", 40)))
    call("same", list(x = structure(1, class = "difftime", units = "years")))
    call("same", as.Date(Inf))
    call("map", list(1))
    call("maps", list(list(a = 1), 2))
    call("maps", matrix(1:4, 2))
    call("three", 1:2)
    call("records", list(1))
    call("records", data.frame(name = c("a", "b"), any = I(list(1, list(x = quote(a))))))
  })
  too_deep <- Reduce(function(x, i) list(x), 1:1001, 1)
  cnd <- expect_error(call("same", too_deep), class = "mangoro_error_invalid_argument")
  expect_match(conditionMessage(cnd), "nested more than 1000 levels deep")
  expect_identical(cnd$arg, "x")
})

test_that("slices and maps of any take what R has", {
  call <- the_dynamic()
  expect_identical(call("list", c(a = 1, b = 2)), list(1, 2))
  expect_identical(call("list", 1), list(1))
  expect_identical(call("list", list(b = "x", list())), list("x", list()))
  expect_identical(call("list", data.frame(a = 1:2)), list(list(a = 1), list(a = 2)))
  expect_identical(call("list", NULL), list())
  expect_identical(call("lists", list(1, c("a", "b"))), list(list(1), list("a", "b")))
  expect_identical(call("lists", matrix(1:4, 2)), list(list(1, 3), list(2, 4)))
  expect_identical(call("map", list(b = 1, a = NULL)), list(a = NULL, b = 1))
  expect_identical(call("map", c(b = 1)), list(b = 1))
  expect_identical(call("map", list()), structure(list(), names = character()))
  expect_null(call("map", NULL))
  expect_identical(call("maps", data.frame(a = 1:2, b = "x")), list(list(a = 1, b = "x"), list(a = 2, b = "x")))
  expect_identical(call("maps", list(list(a = 1), c(b = "x"))), list(list(a = 1), list(b = "x")))
  expect_identical(call("three", 1:3), list(1, 2, 3))
})

test_that("maps of any have the keys that other maps have", {
  call <- the_dynamic()
  expect_identical(call("months of any", list("12" = "Dec", "2" = 1:2)), list("2" = list(1, 2), "12" = "Dec"))
  expect_identical(call("months of any", list()), structure(list(), names = character()))
  expect_null(call("months of any", NULL))
  expect_snapshot(error = TRUE, {
    call("months of any", list(Dec = 12))
    call("months of any", list("1" = 1, "01" = 2))
  })
})

test_that("a variadic any takes each value as it is, and structs with any their rows", {
  call <- the_dynamic()
  expect_identical(call("of any"), list())
  expect_identical(call("of any", 1, "a", NULL, NA, 1:2, c(b = 1)), list(1, "a", NULL, NULL, list(1, 2), list(b = 1)))
  expect_snapshot(error = TRUE, call("of any", 1, list(a = mean)))
  got <- call("records of any", list(name = "u", any = 1:2, list = "x"), data.frame(name = "v", any = "y", list = 1))
  expect_identical(got$name, c("u", "v"))
  expect_identical(got$any, list(list(1, 2), "y"))
  expect_identical(got$list, list(list("x"), list(1)))
  expect_identical(call("records of any", list(name = "u"), list(name = "v", any = 1))$any, list(NULL, 1))
})

test_that("pointers to any are what they point to", {
  call <- the_dynamic()
  expect_identical(call("pointer"), list(list(1L), list(a = 1L)))
  expect_identical(lapply(0:2, function(n) call("pointers", n)), list(list(1L), list(a = 1L), NULL))
})

test_that("whole numbers in any follow the option mangoro.int64", {
  call <- the_dynamic()
  withr::local_options(mangoro.int64 = "integer64")
  expect_identical(call("whole", 5)$n, bit64::as.integer64(5))
  withr::local_options(mangoro.int64 = "double")
  expect_identical(call("pointer"), list(list(1), list(a = 1)))
  inexact <- "column `result$big`, row 1: the integer is not exact as a double; with the option mangoro.int64"
  expect_error(call("whole", 5), inexact, fixed = TRUE, class = "mangoro_error_protocol")
  withr::local_options(mangoro.int64 = NULL)
  smallest <- "cannot hold, column `result$[[1]]`, row 1: the smallest int64 is not an integer64, but its NA"
  expect_error(call("smallest"), smallest, fixed = TRUE, class = "mangoro_error_protocol")
  expect_error(call("largest"), "row 1: the uint64 is larger than an integer64", class = "mangoro_error_protocol")
})

test_that("fields with omitempty are zero if they are left out, also of rows", {
  call <- the_dynamic()
  expect_identical(call("area", list(size = 2)), 2)
  expect_identical(call("area", list(size = 2, scale = NULL)), 2)
  expect_identical(call("area", list(size = 2, scale = NA)), NA_real_)
  expect_identical(call("area", data.frame(size = 1:2)), c(1, 2))
  expect_identical(call("area", data.frame(size = 1:2, scale = c(3, NA))), c(3, NA))
  expect_snapshot(error = TRUE, call("area", list()))
})

test_that("an array of arrays takes a matrix by its rows", {
  call <- the_dynamic()
  expect_identical(call("grid", matrix(1:6, 2)), list(c(1, 3, 5), c(2, 4, 6)))
  expect_snapshot(error = TRUE, {
    call("grid", matrix(1:6, 3))
    call("grid", matrix(1:4, 2))
  })
})

test_that("any is a field of structs, and a column of data frames", {
  call <- the_dynamic()
  frame <- data.frame(name = c("u", "v"), any = 1:2, list = c("a", "b"), map = I(list(list(x = 1), c(y = 2))))
  got <- call("records", frame)
  expect_identical(got$any, list(1, 2))
  expect_identical(got$list, list(list("a"), list("b")))
  expect_identical(got$map, list(list(x = 1), list(y = 2)))
  expect_identical(
    call("record", list(name = "u", any = list(b = 1, a = "x"), list = 1:2, map = NULL)),
    list(name = "u", any = list(a = "x", b = 1), list = list(1, 2), map = NULL)
  )
  expect_identical(call("record", list(name = "u")), list(name = "u", any = NULL, list = list(), map = NULL))
})

test_that("a result of any has values of all types", {
  call <- the_dynamic()
  frame <- data.frame(a = 1:2, b = c("x", "y"))
  expect_identical(call("mixed"), list(
    bytes = as.raw(1:2), complex = 1i, day = as.POSIXct("2024-02-29 12:00", tz = "UTC"), frame = frame, grade = "bad",
    lists = list(list(), structure(list(), names = character()), NULL), map = c(a = 1), missing = NA,
    nan = list(1.5, NA_character_), nothing = NULL, number = 1.5, row = list(a = 3L, b = "z"),
    span = as.difftime(60, units = "secs"), texts = c("a", "b"), vector = c(1, 2), whole = 7L, wholes = 1:2
  ))
  expect_identical(call("whole", 5)$n, 5L)
  expect_identical(call("whole", 2^31)$n, 2^31)
  expect_identical(call("whole", -2^31)$n, -2^31)
  expect_identical(call("whole", 5)$big, bit64::as.integer64("1152921504606846976"))
  expect_identical(call("node"), list(value = 1L, children = list(
    list(value = 2L, children = list(list(value = 3L, children = list())))
  )))
  expect_snapshot(error = TRUE, {
    call("channel")
    call("cycle")
  })
  cnd <- expect_error(call("zero"), class = "mangoro_error_protocol")
  expect_match(conditionMessage(cnd), "a string has a zero byte")
  expect_length(unlist(call("deep", 1000), use.names = FALSE), 0)
  expect_error(call("deep", 1002), class = "mangoro_error_handler")
})

test_that("what has methods for its text is a string", {
  call <- the_dynamic()
  expect_identical(call("power", c("2", "-3"), 65L), c("36893488147419103232", "-10301051460877537453973547267843"))
  after <- data.frame(result1 = c("10.0.1.0", "::2"), result2 = c(TRUE, FALSE))
  expect_identical(call("next", c("10.0.0.255", "::1")), after)
  expect_identical(call("json", c("{\"a\": [1]}", NA)), c("{\"a\": [1]}", NA))
  expect_identical(call("turn", factor("good")), "bad")
  expect_identical(call("grades", c(good = 1, bad = 2)), c(bad = 2L, good = 1L))
  expect_snapshot(error = TRUE, {
    call("turn", c("good", "bad"))
    call("turn", c("good", "worse"))
    call("grades", c(worse = 1))
    call("json", "{")
    call("power", 2, 3)
  })
  cnd <- expect_error(call("turn", c("good", "worse")), class = "mangoro_error_invalid_argument")
  expect_identical(cnd[c("arg", "row", "value")], list(arg = "x", row = 2L, value = "\"worse\""))
})

test_that("keys of maps are whole numbers, in their order", {
  call <- the_dynamic()
  expect_identical(call("counts", c(10L, 9L, -1L, 9L)), c("-1" = 1L, "9" = 2L, "10" = 1L))
  expect_identical(call("months", c("12" = "Dec", "2" = "Feb")), c("2" = "Feb", "12" = "Dec"))
  expect_snapshot(error = TRUE, call("months", c(Dec = "12")))
})

test_that("a map of structs is a named list of named lists, of slices of them one of data frames", {
  call <- the_dynamic()
  expect_identical(call("rows"), list(a = list(a = 1L, b = "x"), b = list(a = 2L, b = "y")))
  expect_identical(call("perhaps"), list(a = list(a = 1L, b = "x"), b = NULL))
  none <- data.frame(a = integer(), b = character())
  expect_identical(call("frames"), list(a = none, b = data.frame(a = 2:3, b = c("y", "z"))))
})

test_that("embedded structs are promoted, and json tags are names", {
  call <- the_dynamic()
  visits <- data.frame(id = 1:2, note = c("a", ""), lat = c(1, NA), lon = c(2, NA), name = c("x", "y"))
  expect_identical(call("visits", visits), visits)
  nowhere <- transform(visits, note = "", lat = NA_real_, lon = NA_real_)
  expect_identical(call("visits", visits[c("id", "name")]), nowhere)
  expect_identical(call("nowhere", visits[c("id", "name")]), c(TRUE, TRUE))
})

test_that("a field that may be left out is zero in an elementwise function too, and NA is NA", {
  call <- the_dynamic()
  expect_identical(call("noted", data.frame(id = 1:2)), c("1", "2"))
  expect_identical(call("noted", list(id = 1)), "1")
  expect_identical(call("noted", list(id = 1, note = NULL)), "1")
  expect_identical(call("noted", data.frame(id = 1:2, note = c("a", NA))), c("1a", NA))
})

test_that("broken values of any are errors, and nothing else", {
  value <- list(
    a = 1, b = list("x", TRUE, NULL, list(c = NA, d = as.raw(1:3))),
    e = list(list(f = 1, g = "y"), list(f = 2, g = "z"))
  )
  bytes <- .Call(c_encode_dynamic, value, "", FALSE, native_encoding(), NULL)[[1]]
  decoded <- function(bytes) {
    record <- encode_record(list(x = structure(list(bytes), class = "mangoro_dynamic")))
    tryCatch(decode_record(record)[[1]], mangoro_error = identity)
  }
  expect_identical(decoded(bytes)[[1]]$e, value$e)
  withr::local_seed(1)
  failed <- 0
  for (i in 1:2000) {
    broken <- bytes
    at <- sample.int(length(broken), sample.int(3, 1))
    broken[at] <- as.raw(sample.int(256, length(at), TRUE) - 1)
    if (i %% 5 == 0) broken <- utils::head(broken, sample.int(length(broken), 1))
    got <- decoded(broken)
    if (inherits(got, "condition")) {
      failed <- failed + 1
      if (!inherits(got, "mangoro_error_protocol")) fail(conditionMessage(got))
    }
  }
  expect_gt(failed, 200)
  expect_lt(failed, 1900)
  for (text in list(
    raw(), as.raw(0x82), as.raw(c(0x9b, rep(0xff, 8), 0xf6)), as.raw(c(0xbb, 0x7f, rep(0xff, 7), 0xf6)),
    as.raw(rep(0x88, 20)), as.raw(c(0xd9, 0xea, 0x61, 0x00)), as.raw(c(0x61, 0xff)), as.raw(c(0xf6, 0xf6)),
    as.raw(c(rep(0x81, 1002), 0xf6)), as.raw(c(0xa1, 0xf6, 0xf6)), as.raw(c(0x1b, rep(0xff, 8))),
    as.raw(c(0xd9, 0xea, 0x61, 0x1b, rep(0xff, 8)))
  )) {
    expect_s3_class(decoded(text), "mangoro_error_protocol")
  }
})

test_that("leaves that are not there are errors", {
  # What Go sends for []any{[]float64{1, 2}}, with the number of the leaf as `n`.
  decoded <- function(n) {
    tree <- as.raw(c(0xd9, 0xea, 0x61, n))
    x <- list(value = list(tree), leaf1 = list(c(1, 2)))
    x <- structure(x, class = c("data.table", "data.frame"), row.names = 1L)
    bytes <- encode_record(list(x = x))
    at <- grepRaw("data.table", bytes, fixed = TRUE)
    bytes[at + 0:9] <- c(charToRaw("dynamic"), raw(3))
    bytes[at - 4] <- as.raw(7)
    decode_record(bytes)[[1]]
  }
  expect_identical(decoded(0), list(1))
  for (n in list(1, c(0x18, 0xff), c(0x1a, rep(0xff, 4)), c(0x1b, rep(0xff, 7), 0xfe), c(0x1b, rep(0xff, 8)))) {
    expect_error(decoded(n), "it has a leaf that is not there", class = "mangoro_error_protocol")
  }
})

test_that("values of any survive the garbage collector", {
  value <- rep(list(list(a = "x", b = list(1, NULL, "y"), c = list(d = TRUE))), 3)
  withr::defer(gctorture(FALSE))
  gctorture(TRUE)
  bytes <- .Call(c_encode_dynamic, value, "", FALSE, native_encoding(), NULL)
  record <- encode_record(list(x = structure(bytes, class = "mangoro_dynamic")))
  got <- decode_record(record)
  gctorture(FALSE)
  expect_identical(got[[1]][[1]], value)
})
