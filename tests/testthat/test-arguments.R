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

test_that("an argument without the dot of one of ours is told", {
  signature <- new_signature(list(Args = list(list(Name = "x", Type = list(Type = "float64")))), "F")
  refused <- function(...) {
    cnd <- expect_error(match_arguments(list(...), signature, NULL), class = "mangoro_error_invalid_argument")
    cli::ansi_strip(conditionMessage(cnd))
  }
  expect_match(
    refused(1, timeout = 1),
    "`.timeout` is an argument of `mangoro_call()`, `mangoro_async()`, and `mangoro_map()`.", fixed = TRUE
  )
  expect_match(
    refused(1, progress = TRUE), "`.progress` is an argument of `mangoro_async()` and `mangoro_map()`.", fixed = TRUE
  )
  expect_no_match(refused(1, other = 1), "is an argument of", fixed = TRUE)
})
