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
  expect_error(call("channel"), "cannot be sent to R: type chan int is not supported", class = "mangoro_error_handler")
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
