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

test_that("times of several maps need one zone", {
  at <- function(zone) structure(c(a = 0), class = c("POSIXct", "POSIXt"), tzone = zone)
  spec <- list(type = "map", element = list(type = "timestamp", nullable = FALSE))
  path <- list(signature = list(name = "f"), arg = "x", steps = character(), call = NULL)
  expect_s3_class(coerce_maps(list(at("UTC"), at("UTC")), spec, path), "mangoro_maps")
  mixed <- list(at("UTC"), at("Asia/Tokyo"))
  expect_error(coerce_maps(mixed, spec, path), "Tokyo", class = "mangoro_error_invalid_argument")
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
