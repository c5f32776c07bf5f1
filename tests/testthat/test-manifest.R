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
