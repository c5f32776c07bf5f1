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

test_that("dates, matrices and data frames are checked", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  day <- as.Date("2024-02-29")
  expect_snapshot(error = TRUE, {
    call("next_day", as.POSIXct("2024-02-29", tz = "UTC"))
    call("next_day", as.POSIXlt("2024-02-29", tz = "UTC"))
    call("next_day", "2024-02-29")
    call("next_day", 19782)
    call("next_day", c(day, day + 0.5))
    call("next_day", c(day, Inf))
    call("days", c(day, NA))
    call("matrix", array(1, c(1, 1, 1)))
    call("matrix", "a")
    call("matrix", NULL)
    call("matrix", data.frame(x = 1, y = "a"))
    call("matrix", data.frame(x = I(list(1))))
    call("matrix_int", matrix(c(1, 2, 3, 1.5), 2))
    call("matrix_int", matrix(c(1, NA), 1))
    call("means", array(1, c(1, 1, 1)))
    call("means", matrix("a"))
    call("frame", data.frame(x = 1, name = "a"))
    call("frame", data.frame(x = "a", name = "a", day = day))
    call("frame", list(x = 1:2, name = "a", day = day))
    call("frame", list(x = 1, name = "a", day = day, more = 1))
    call("frame", 1)
    call("columns", data.frame(x = 1:2))
    call("nest", data.frame(values = 1:2))
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
    call("older", list("x"), 1)
    call("older", data.frame(age = 1L), 1)
    call("older", data.frame(name = c("x", NA), age = 1L), 1)
    call("older", data.frame(name = "x", age = 1.5), 1)
    call("greet", list(name = c("x", "y"), age = 1))
    call("greet", list(name = "x", age = 1, shoe = 43))
    call("older", mtcars, 1)
    call("older", data.frame(name = "x", age = 1, name = "y", check.names = FALSE), 1)
    call("greet", "x")
    call("total", c(1, 2))
    call("total", c(a = 1, a = 2))
    call("total", list(a = 1:2))
    call("total", c(a = "x"))
    call("total", list(a = 1, b = "x"))
    call("means", list(1, "x"))
    call("means", list(a = 1, NULL))
    call("means", 1)
    call("nest", list(values = 1, boss = NULL, shoes = NULL))
    call("nests", data.frame(values = 1, boss = NA, shoes = NA))
    call("rows", list(1))
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

test_that("any list of vectors goes as a list of vectors of Go's type", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("means", split(1:4, c(1, 1, 2, 2))), c(1.5, 3.5))
  expect_identical(call("means", list(1L, c(a = 2), matrix(3:4))), c(1, 2, 3.5))
  expect_identical(call("means", data.frame(x = 1:2, y = 3:4)), c(1.5, 3.5))
  expect_identical(call("means", list()), double())
  expect_identical(call("lengths", list(1:2, 3, bit64::as.integer64(4), double())), c(2L, 1L, 1L, 0L))
  expect_identical(call("bytes", list(a = charToRaw("x"), b = charToRaw("y"))), "xy")
  expect_identical(call("joined", list(a = list(a = charToRaw("x")), list(), charToRaw("y"))), c("x", "", "y"))
  times <- list(as.Date("2024-02-29"), as.POSIXct("2024-02-29", "UTC"), as.POSIXlt("2024-02-29", "UTC"))
  expect_identical(call("first", times), as.POSIXct(rep("2024-02-29", 3), "UTC"))
  times[[3]] <- as.POSIXct("2024-02-29", "Europe/Zurich")
  cnd <- expect_error(call("first", times), class = "mangoro_error_invalid_argument")
  expect_match(conditionMessage(cnd), "Europe/Zurich", fixed = TRUE)
  frames <- list(a = data.frame(name = "x", age = 1), data.frame(age = 1:2, name = "y", row.names = c("a", "b")))
  expect_identical(call("crowds", frames), 1:2)
})

test_that("the values of a map are coerced each by itself", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  expect_identical(call("total", list(a = 1, b = 2L, c = bit64::as.integer64(3))), 6)
  expect_identical(call("total", list()), 0)
  expect_identical(call("total", double()), 0)
  waits <- list(a = as.difftime(1, units = "mins"), b = as.difftime(2, units = "secs"))
  expect_equal(call("longest", waits), as.difftime(60, units = "secs"))
  expect_identical(call("ages", list(b = 1:2, a = c(x = 3))), c("a", "b"))
})

test_that("structs, lists and maps lie in one another", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  boss <- list(name = "x", age = NULL)
  nest <- list(values = c(a = 1, b = 2), boss = boss, shoes = c(left = 43))
  expect_identical(call("nest", nest), "[1 2] x map[left:43]")
  expect_identical(call("nest", c(nest, list(spare = NULL, since = NULL))), "[1 2] x map[left:43]")
  expect_identical(call("nest", c(nest, list(spare = NA, since = NA))), "[1 2] x map[left:43]")
  more <- list(spare = list(name = "y"), since = as.Date("2024-02-29"))
  expect_identical(call("nest", c(nest, more)), "[1 2] x map[left:43] spare y since 2024-02-29")

  rows <- data.frame(values = I(list(a = 1, b = 2:3)))
  rows$boss <- data.frame(name = c("x", "y"))
  rows$shoes <- data.frame(left = 42:43)
  expect_identical(call("nests", rows), c("[1] x map[left:42]", "[2 3] y map[left:43]"))
  expect_identical(call("nests", rows[0, ]), character())
  rows$spare <- data.frame(name = c("v", "w"), age = 1:2)
  rows$since <- as.Date(c("2024-02-29", NA))
  expect_identical(
    call("nests", rows),
    c("[1] x map[left:42] spare v since 2024-02-29", "[2 3] y map[left:43] spare w")
  )

  expect_identical(call("maps", list(a = c(b = 1), c = list(d = 2L), e = list())), "map[a:map[b:1] c:map[d:2] e:map[]]")
  expect_identical(call("maps", list()), "map[]")
  expect_identical(call("maps", NULL), "map[]")
  expect_identical(call("people", list(a = boss, b = data.frame(name = "y", age = 1))), "a x, b y")
  expect_identical(call("rows", data.frame(a = 1:2, b = 3)), "[map[a:1 b:3] map[a:2 b:3]]")
  expect_identical(c(call("perhaps", NULL), call("perhaps", NA), call("perhaps", boss)), c(FALSE, FALSE, TRUE))
})

test_that("an unnamed list of several types is refused where it goes anywhere", {
  server <- local_server(test_source("typed"))
  expect_snapshot(error = TRUE, {
    mangoro_call(server$sock, "arrow_type", list(1, "a"))
    mangoro_call(server$sock, "arrow_type", list(c(a = 1), 1))
  })
  frames <- list(data.frame(x = 1), NULL, data.frame(x = c(1, 2)))
  expect_identical(mangoro_call(server$sock, "same", frames), frames)
  expect_identical(mangoro_call(server$sock, "same", list()), list())
})

test_that("a NaN in a complex number is not missing", {
  server <- local_server(test_source("typed"))
  z <- complex(real = c(NaN, 1), imaginary = c(1, NaN))
  expect_identical(mangoro_call(server$sock, "turned", z), z)
})

test_that("whatever is given, a refusal is one of ours and warns of nothing", {
  server <- local_server(test_source("corpus"))
  call <- function(...) mangoro_call(server$sock, ...)
  odd <- list(
    sum, globalenv(), quote(a), expression(a), pairlist(a = 1), formals(function(x, y = 1) x), asS4(1),
    asS4(list(a = 1)), `Encoding<-`("\xff", "bytes"), "\xff", integer64(0x7fffffff, 0xffffffff), 1e300,
    structure(list(1), class = "POSIXlt"), as.POSIXlt("2024-02-29", tz = "UTC"),
    structure(list(), class = "foo"), structure(1:3, class = "data.frame")
  )
  for (name in c(
    "bools", "ints", "floats", "times", "durations", "blobs", "complexes", "lists", "points", "point", "maps", "map",
    "each"
  )) {
    for (i in seq_along(odd)) {
      got <- tryCatch(call(name, odd[[i]]), warning = identity, error = identity)
      fine <- !inherits(got, "condition") || inherits(got, "mangoro_error_invalid_argument")
      expect_true(fine, info = paste(name, i, if (!fine) conditionMessage(got)))
    }
  }
  # The largest int64 is no double.
  expect_error(
    call("floats", integer64(0x7fffffff, 0xffffffff)), "it is 9223372036854775807",
    class = "mangoro_error_invalid_argument"
  )
  expect_identical(call("floats", integer64(c(0, 0x80000000), c(2, 0))), c(2, NA))
  expect_error(call("floats", `Encoding<-`("\xff", "bytes")), "xff", class = "mangoro_error_invalid_argument")
})

test_that("times of several maps need one zone", {
  at <- function(zone) structure(c(a = 0), class = c("POSIXct", "POSIXt"), tzone = zone)
  spec <- list(type = "map", element = list(type = "timestamp", nullable = FALSE))
  path <- list(signature = list(name = "f"), arg = "x", steps = character(), call = NULL)
  expect_s3_class(coerce_maps(list(at("UTC"), at("UTC")), spec, path), "mangoro_maps")
  mixed <- list(at("UTC"), at("Asia/Tokyo"))
  expect_error(coerce_maps(mixed, spec, path), "Tokyo", class = "mangoro_error_invalid_argument")
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

test_that("data frames of any class are structs by their columns", {
  server <- local_server(test_source("typed"))
  call <- function(...) mangoro_call(server$sock, ...)
  people <- data.frame(name = c("x", "y"), age = c(1L, NA))
  older <- data.frame(name = c("x", "y"), age = c(6L, NA))
  for (class in list("spec_tbl_df", c("grouped_df", "tbl_df", "tbl"), "groupedData", "rowwise_df")) {
    frame <- structure(people, spec = quote(x), groups = list(1), problems = globalenv())
    class(frame) <- c(class, "data.frame")
    expect_identical(call("older", frame, 5), older)
  }
  labelled <- people
  labelled$age <- structure(labelled$age, label = "years", na.action = structure(3L, class = "omit"))
  expect_identical(call("older", stats::na.omit(rbind(people, people)), 5), older[c(1, 1), ], ignore_attr = "row.names")
  expect_identical(call("older", labelled, 5), older)
  expect_identical(call("greet", structure(list(name = "Ann", age = 1), class = "person", by = sum)), "Hello Ann")
  since <- data.frame(values = I(list(1)), boss = I(data.frame(name = "b", age = 1L)), shoes = I(data.frame(left = 43)))
  since$since <- as.POSIXlt("2024-02-29", tz = "UTC")
  expect_match(call("nests", since), "since 2024-02-29")
})

test_that("what a Go function returned is taken back", {
  server <- local_server(test_source("corpus"))
  call <- function(...) mangoro_call(server$sock, ...)
  time <- as.POSIXct("2024-02-29 12:00", tz = "UTC")
  points <- structure(
    list(
      X = c(1, 2), Labels = list(c(a = 1, b = 2), NULL), Lists = list(list(l = c("u", "v")), list()),
      Times = list(c(t = time), NULL)
    ),
    class = "data.frame", row.names = 1:2
  )
  for (way in c("points", "point", "maps", "map", "lists")) {
    x <- switch(way,
      points = points, point = points[1, ], maps = list(c(a = 1), c(b = 2, c = 3), NULL), map = list(a = 1:2, b = 3),
      lists = list(1:2, 3)
    )
    first <- call(way, x)
    expect_identical(call(way, first), first, info = way)
  }
  expect_identical(call("points", points)$Labels, points$Labels)
  expect_identical(call("maps", data.frame(a = 1:2)), list(c(a = 1), c(a = 2)))
  mixed <- list(list(a = 1L), c(b = 2), list(a = 1, b = bit64::as.integer64(2)))
  expect_identical(call("maps", mixed), list(c(a = 1), c(b = 2), c(a = 1, b = 2)))
  expect_snapshot(error = TRUE, {
    call("maps", list(c(a = 1), c(1, 2)))
    call("maps", list(c(a = 1), c(a = "x")))
    call("points", data.frame(X = 1, Labels = "x", Lists = NA, Times = NA))
  })
})

test_that("a variadic parameter takes R's `...`", {
  go <- local_source(test_source("calls"))
  expect_identical(go$Join("-", "a", c(x = "b", y = "c"), factor("d")), "a-b-c-d")
  expect_identical(go$Join("-"), "")
  expect_identical(go$Join("-", NULL, character()), "")
  expect_identical(go$Join("a", "b", sep = "+"), "a+b")
  expect_identical(mangoro_call(go, "Join", "-", "a", c("b", "c")), "a-b-c")
  expect_identical(mangoro_call(go, "Join", "a", "b", sep = "+"), "a+b")
  expect_identical(go$Sum(1, 2:3, bit64::as.integer64(4)), 10)
  expect_identical(go$Sum(), 0)
  expect_equal(as.double(go$Longs(1, 2:3, bit64::as.integer64(4))), 10)
  expect_identical(go$Present(1, NA, c(NA, 2)), c(TRUE, FALSE, FALSE, TRUE))
  expect_identical(go$Bytes(as.raw(1:3), as.raw(4)), 4L)
  expect_identical(go$Bytes(), 0L)
  expect_identical(go$Raws(as.raw(1:3), list(raw(), as.raw(1))), c(3L, 0L, 1L))
  noon <- as.POSIXct("2024-02-28 12:00", tz = "Europe/Zurich")
  expect_identical(go$Days(noon, as.Date("2024-02-29")), c("2024-02-28", "2024-02-29"))
  expect_identical(go$Sums(1:3, 5, double()), c(6, 5, 0))
  expect_identical(go$Totals(c(a = 1, b = 2), list(c = 3)), c(3, 3))
  expect_identical(go$Areas(data.frame(W = 1:2, H = 2), list(W = 5, H = 5, Label = "x")), c(2, 4, 25))
  expect_identical(go$Areas(), double())
  doc <- function(...) list(words = c(...), seen = c(x = 1), at = list(W = 1, H = 2))
  expect_identical(go$Docs(doc("a", "b"), doc("c")), c("[a b] map[x:1] 1", "[c] map[x:1] 1"))
  cnd <- expect_error(go$Join("-", "a", c("b", NA)), class = "mangoro_error_invalid_argument")
  expect_identical(c(cnd$arg, cnd$row), c("...", "2"))
  cnd <- expect_error(mangoro_call(go, "Join", "-", seperator = "+"), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "seperator")
  expect_snapshot(error = TRUE, {
    go$Join()
    go$Join("-", "a", 1)
    go$Join("-", seperator = "+")
    go$Join("-", parts = "a")
    go$Sums(1, "a")
    go$Areas(1)
    go$Areas(list(W = 1, H = 1), list(W = 1))
  })
})

test_that("a variadic parameter of any takes values of any type", {
  go <- local_source(code = '
func Format(text string, values ...any) string { return fmt.Sprintf(text, values...) }

func Sizes(maps ...map[string]any) []int {
	sizes := make([]int, len(maps))
	for i, m := range maps {
		sizes[i] = len(m)
	}
	return sizes
}')
  expect_identical(go$Format("%s is %v, %v %v", "x", 1.5, NULL, 1:2), "x is 1.5, <nil> [1 2]")
  expect_identical(go$Format("%v", list(a = TRUE)), "map[a:true]")
  expect_identical(go$Format("none"), "none")
  expect_identical(go$Sizes(list(a = 1, b = "x"), c(c = 1), NULL), c(2L, 1L, 0L))
  cnd <- expect_error(go$Format("%v", 1, mean), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "...")
})

test_that("structs are rows of a data frame, or named lists", {
  go <- local_source(test_source("calls"))
  expect_identical(go$Items(data.frame(id = 1:2)), '[{"id":1},{"id":2}]')
  expect_identical(
    go$Items(list(list(id = 1, name = "b"), list(name = "c", id = 2), data.frame(id = 3, extra = TRUE))),
    '[{"id":1,"name":"b"},{"id":2,"name":"c"},{"id":3}]'
  )
  expect_identical(go$Items(list()), "[]")
  expect_identical(go$Items(list(list(id = 1, at = list(X = 1, Y = 2)))), '[{"id":1,"at":{"X":1,"Y":2}}]')
  each <- list(
    name = "a", tags = c(a = "b"), sizes = c(1, 2), more = list(1, "a"), any = list(a = TRUE), at = list(X = 1, Y = 2),
    from = list(X = 3, Y = 4), path = data.frame(X = 1:2, Y = 3), since = as.POSIXct("2024-02-29", tz = "UTC"),
    ages = list(a = 1:2)
  )
  json <- c(
    '"name":"a"', '"tags":{"a":"b"}', '"sizes":[1,2]', '"more":[1,"a"]', '"any":{"a":true}', '"at":{"X":1,"Y":2}',
    '"from":{"X":3,"Y":4}', '"path":[{"X":1,"Y":3},{"X":2,"Y":3}]', '"since":"2024-02-29T00:00:00Z"',
    '"ages":{"a":[1,2]}'
  )
  for (i in seq_along(each)) {
    rows <- list(list(id = 1), c(list(id = 2), each[i]), c(list(id = 3), rlang::set_names(list(NULL), names(each)[i])))
    want <- sprintf('[{"id":1},{"id":2,%s},{"id":3}]', json[[i]])
    expect_identical(go$Items(rows), want)
    expect_identical(do.call(go$Some, rows), want)
    expect_identical(go$Lists(list(rows, rows)), sprintf("[%s,%s]", want, want))
  }
  expect_identical(go$Some(data.frame(id = 1:2), list(id = 3)), '[{"id":1},{"id":2},{"id":3}]')
  expect_identical(go$ItemPointers(list(NULL, list(id = 1), NA)), '[null,{"id":1},null]')
  expect_identical(go$ItemPointers(list(NULL)), "[null]")
  expect_identical(go$Lists(list(list(list(id = 1)), list())), '[[{"id":1}],[]]')
  expect_identical(go$Corners(1:2, NULL), c("null", "null"))
  expect_identical(go$Corners(1:2, list(X = 1, Y = 2)), rep('{"X":1,"Y":2}', 2))
  expect_snapshot(error = TRUE, {
    go$Items(list(list(id = 1), list(id = "x")))
    go$Items(list(list(id = 1), list(name = "x")))
    go$Items(list(list(id = 1), list(id = 1, nmae = "x")))
    go$Items(list(list(id = 1), list(id = NULL)))
    go$Items(list(list(id = 1), list(id = 1:2)))
    go$Items(list(list(id = 1), NULL))
    go$Items(list(list(id = 1), 3))
    go$Items(list(list(id = 1), list(id = 1, at = list(X = 1))))
    go$Items(list(list(id = 1), list(id = 1, more = sum)))
    go$Items(list(list(id = 1), data.frame(id = 1:2)))
  })
})

test_that("a map of slices takes the columns of a data frame", {
  go <- local_source(test_source("calls"))
  expect_identical(go$Columns(data.frame(a = 1:2, b = 3)), '{"a":[1,2],"b":[3,3]}')
  expect_identical(go$Columns(data.frame()), "{}")
  expect_error(go$Columns(data.frame(a = "x")), '"a" of argument', class = "mangoro_error_invalid_argument")
})

test_that("a default can be a date", {
  go <- local_source(test_source("calls"))
  expect_identical(go$NextDay(), as.Date("2024-03-01"))
})

test_that("a slice or a map can be left out", {
  go <- local_source(test_source("calls"))
  expect_identical(go$Mean(1), c(TRUE, TRUE))
  expect_identical(go$Mean(1, NULL, NULL), c(TRUE, TRUE))
  expect_identical(go$Mean(1, double(), c(a = "b")), c(FALSE, FALSE))
})

test_that("a path is absolute, as R's working directory is at the call", {
  go <- local_source(test_source("calls"))
  dir <- withr::local_tempdir()
  withr::local_dir(dir)
  here <- getwd()
  expect_identical(
    go$File(c(a = "x.csv", b = "/x", c = NA, d = "")),
    c(a = file.path(here, "x.csv"), b = "/x", c = NA, d = "")
  )
  expect_identical(go$File("~/x"), path.expand("~/x"))
  expect_identical(go$File("\u00e9\u4e2d.csv"), paste0(here, "/\u00e9\u4e2d.csv"))
  expect_identical(go$File(), file.path(here, "default.csv"))
  expect_identical(mangoro_call(go, "File"), file.path(here, "default.csv"))
  expect_identical(
    go$Files(c("a", "/b"), NULL, "c", c("d", "/e")),
    c(file.path(here, "a"), "/b", file.path(here, c("c", "d")), "/e")
  )
  expect_identical(go$Files("/a", "b"), c("/a", file.path(here, "b")))
  writeLines(c("one", "two"), "there.txt")
  expect_identical(go$Lines("there.txt"), c("one", "two"))
  other <- withr::local_tempdir()
  withr::local_dir(other)
  expect_identical(go$File("x"), file.path(getwd(), "x"))
})

test_that("a relative path needs a working directory", {
  skip_on_os("windows")
  text <- list(type = "string", nullable = FALSE)
  signature <- list(name = "f", args = "x", paths = "x", boxed = TRUE, specs = list(text))
  local_mocked_bindings(getwd = function() NULL, .package = "base")
  expect_identical(coerce_arguments(list(x = "/a"), signature, NULL), list(x = "/a"))
  cnd <- expect_error(coerce_arguments(list(x = "a"), signature, NULL), class = "mangoro_error_invalid_argument")
  expect_identical(cnd$arg, "x")
})
