test_that("strings of a manifest stay strings", {
  puppet <- local_puppet()
  arg <- function(name, default) {
    list(Name = name, Type = list(Type = "string", Nullable = TRUE), Optional = TRUE, Default = default)
  }
  entry <- list(
    Args = list(arg("NA", "NA"), arg("Inf", "NaN")), ReturnType = list(Type = "string"), Vectorized = TRUE,
    Metadata = list(unit = "NA", codes = c("NA", "-Inf"))
  )
  answer <- function(json) puppet$answer(c(as.raw(0), raw(8), charToRaw(json)))
  answer(as.character(jsonlite::toJSON(list(f = entry), auto_unbox = TRUE)))
  f <- mangoro_rpc_get_manifest(puppet$sock)$f
  expect_identical(f$Args$Name, c("NA", "Inf"))
  expect_identical(f$Args$Default, c("NA", "NaN"))
  expect_identical(f$Metadata, list(unit = "NA", codes = c("NA", "-Inf")))
  signature <- find_signature(connection_of(puppet$sock, NULL), "f", 60, NULL)
  expect_identical(signature$defaults, list("NA", "NaN"))
  expect_match(format(make_function(list(), signature)), "NA = \"NA\", Inf = \"NaN\"", fixed = TRUE, all = FALSE)

  # Nor are they files to read.
  answer(withr::local_tempfile(lines = "{}"))
  expect_error(mangoro_rpc_get_manifest(puppet$sock), class = "mangoro_error_protocol")
})

test_that("the manifest is fetched once, and again for a function that it lacks", {
  server <- local_server(test_source("typed"))
  fetched <- 0
  fetch <- fetch_manifest
  local_mocked_bindings(fetch_manifest = function(...) {
    fetched <<- fetched + 1
    fetch(...)
  })
  for (i in 1:3) mangoro_call(server$sock, "add", 1, 2)
  expect_identical(fetched, 1)
  expect_error(mangoro_call(server$sock, "nope"), class = "mangoro_error_not_found")
  expect_identical(fetched, 2)
})

test_that("what a manifest lacks is told", {
  puppet <- local_puppet()
  for (json in c("[1]", "{\"f\": {\"Args\": [{\"Name\": 1}]}}", "{\"f\": {\"Args\": [{}]}}")) {
    puppet$answer(c(as.raw(0), raw(8), charToRaw(json)))
    expect_error(mangoro_call(puppet$sock, "f", 1), class = "mangoro_error_protocol", info = json)
  }
})

test_that("a manifest says what is left out, beside what every reader of it knows", {
  puppet <- local_puppet()
  answer <- function(metadata) {
    size <- writeBin(nchar(metadata, "bytes"), raw(), endian = "big")
    puppet$answer(c(as.raw(c(0, 0, 0, 0, 0)), size, charToRaw(metadata), charToRaw("{\"f\": {\"Vectorized\": true}}")))
  }
  answer("{\"left_out\": [{\"name\": \"Any\", \"reason\": \"it is {generic}\", \"file\": \"a.go\", \"line\": 7}]}")
  expect_identical(mangoro_rpc_get_manifest(puppet$sock), list(f = list(Vectorized = TRUE)))
  mangoro_rpc_send(puppet$sock, mangoro_rpc_manifest_request())
  reply <- mangoro_rpc_parse_response(mangoro_rpc_recv(puppet$sock))
  expect_identical(jsonlite::fromJSON(rawToChar(reply$data)), list(f = list(Vectorized = TRUE)))
  not_found <- function(name) expect_error(mangoro_call(puppet$sock, name), class = "mangoro_error_not_found")
  expect_match(conditionMessage(not_found("Any")), "R cannot call it: it is {generic}", fixed = TRUE)
  expect_no_match(conditionMessage(not_found("g")), "cannot call it")

  # Whatever a peer sends there.
  a <- "{\"name\": \"a\", \"reason\": \"b\", \"file\": 1, \"line\": \"x\"}"
  answer(sprintf("{\"left_out\": [%s, {\"name\": \"c\"}, 1, null]}", a))
  expect_match(conditionMessage(not_found("a")), "R cannot call it: b")
  expect_no_match(conditionMessage(not_found("c")), "cannot call it")
  for (metadata in c("", "{", "[]", "1", "\"left_out\"", "{\"left_out\": 1}", "{\"left_out\": {\"name\": \"a\"}}")) {
    answer(metadata)
    expect_no_match(conditionMessage(not_found("a")), "cannot call it", info = metadata)
    expect_identical(nrow(parse_left_out(metadata)), 0L)
  }
})

test_that("only the last argument is variadic, and only rows are each of something", {
  text <- list(Type = "list", Nullable = FALSE, ListSchema = list(Type = "string", Nullable = FALSE))
  arg <- function(name, ...) list(Name = name, Type = text, ...)
  signature <- new_signature(list(Args = list(arg("x", Variadic = TRUE), arg("y", Path = TRUE)), Each = TRUE), "f")
  expect_identical(signature$variadic, character())
  expect_identical(signature$paths, "y")
  expect_false(signature$each)
  rows <- list(Args = list(arg("x"), arg("y", Variadic = TRUE)), Vectorized = TRUE, Recycles = TRUE, Each = TRUE)
  signature <- new_signature(rows, "f")
  expect_identical(signature$variadic, "y")
  expect_identical(signature$optional, c(FALSE, TRUE))
  expect_true(signature$each)
  plain <- function(...) {
    text <- list(Name = "x", Type = list(Type = "string", Nullable = TRUE), ...)
    new_signature(list(Args = list(text), Vectorized = TRUE, Recycles = TRUE), "f")$plain
  }
  expect_identical(plain(), 16L)
  expect_null(plain(Path = TRUE))
})
