stats <- c(
  "package main", "", "import (", "\t\"errors\"", "\t\"fmt\"", ")", "",
  "var calls int", "",
  "// Calls counts its calls.", "func Calls() int32 { calls++; return int32(calls) }", "",
  "// Mean is the arithmetic mean.", "//", "// Of no values it is an error.",
  "func Mean(x []float64) (float64, error) {",
  "\tif len(x) == 0 {", "\t\treturn 0, fmt.Errorf(\"mean: %w\", errNone)", "\t}",
  "\treturn total(x) / float64(len(x)), nil", "}", "",
  "var errNone = errors.New(\"no values\")", "",
  "func total(x []float64) (sum float64) {", "\tfor i := range x {", "\t\tsum += x[i]", "\t}", "\treturn", "}", "",
  "//mangoro:default n=2", "func Power(x float64, n int32) float64 {",
  "\tresult := 1.0", "\tfor range n {", "\t\tresult *= x", "\t}", "\treturn result", "}", "",
  "func Tenth(x []float64) float64 { return at(x, 9) }", "",
  "func at(x []float64, i int) float64 {", "\treturn x[i]", "}"
)

test_that("exported Go functions become R functions", {
  dir <- local_files("stats.go" = stats)
  go <- local_source(file.path(dir, "stats.go"))
  expect_setequal(names(go), c("Calls", "Mean", "Power", "Tenth"))
  expect_identical(go$Mean(c(1, 2, 6)), 3)
  expect_identical(go$Power(c(a = 2, b = NA)), c(a = 4, b = NA))
  expect_identical(go$Power(n = 3, 2), 8)
  expect_identical(formals(go$Power), as.pairlist(alist(x = , n = 2L)))
  # The variables of the package live as long as the handle.
  expect_identical(c(go$Calls(), go$Calls()), 1:2)
  expect_snapshot(go$Mean)
})

test_that("an unchanged program is started without Go and without the generator", {
  skip_if_no_go()
  dir <- local_files("stats.go" = stats)
  file <- file.path(dir, "stats.go")
  mangoro_stop(mangoro_source(file))
  local_mocked_bindings(run_go_build = function(...) stop("Go is run"), generate = function(...) stop("generated"))
  go <- local_source(file)
  expect_identical(go$Mean(1:3), 2)
  mangoro_restart(go)
  expect_identical(go$Mean(1:3), 2)
  write("// changed", file, append = TRUE)
  expect_error(mangoro_source(file), "Go is run|generated")
})

test_that("a changed source is taken by a restart, a mistake leaves the old one", {
  dir <- local_files("f.go" = c("package main", "", "func F() int32 { return 1 }"))
  file <- file.path(dir, "f.go")
  go <- local_source(file)
  f <- go$F
  writeLines(c("package main", "", "func F() int32 { return 2 }", "", "func G() int32 { return 3 }"), file)
  mangoro_restart(go)
  expect_identical(c(f(), go$F(), go$G()), c(2L, 2L, 3L))
  writeLines("package main\n\nfunc F() int32 { return x }", file)
  expect_error(mangoro_restart(go), class = "mangoro_error_build")
  expect_identical(f(), 2L)
})

test_that("a source that is gone is told by a restart, which leaves the old program", {
  skip_if_no_go()
  dir <- local_files("f.go" = c("package main", "", "func F() int32 { return 1 }"))
  withr::local_dir(dir)
  go <- list(local_source("f.go"), local_source(dir))
  unlink("f.go")
  for (h in go) expect_no_warning(expect_error(mangoro_restart(h), class = "mangoro_error_invalid_argument"))
  expect_snapshot(mangoro_restart(go[[1]]), error = TRUE)
  expect_identical(c(go[[1]]$F(), go[[2]]$F()), c(1L, 1L))
})

test_that("code needs neither package clause nor imports", {
  go <- local_source(code = c("func Shout(s string) string {", "\treturn strings.ToUpper(s) + \"!\"", "}"))
  expect_identical(go$Shout(c("go", NA)), c("GO!", NA))
  add <- mangoro_function("func Add(x, y float64) float64 { return x + y }")
  expect_identical(add(1:3, 0.5), 1:3 + 0.5)
  expect_error(
    mangoro_function("func A() int32 { return 1 }\nfunc B() int32 { return 2 }"),
    class = "mangoro_error_invalid_argument"
  )
})

test_that("functions are put into an environment that is named, and nowhere else", {
  env <- new.env()
  before <- ls(globalenv())
  go <- local_source(code = "func Add(x, y float64) float64 { return x + y }", attach = env)
  expect_identical(ls(env), "Add")
  expect_identical(env$Add(1, 2), 3)
  expect_identical(ls(globalenv()), before)
})

test_that("a dry run returns the main function", {
  skip_if_no_go()
  main <- mangoro_source(code = "func Add(x, y float64) float64 { return x + y }", dry_run = TRUE)
  expect_type(main, "character")
  expect_match(main, "registry.Func(\"Add\", Add", fixed = TRUE)
  expect_no_match(main, "\r|<stdin>")
})

test_that("what is left out is said, each time", {
  skip_if_no_go()
  new <- paste("//", basename(tempfile()))
  code <- c(new, "func Any[T any](x T) T { return x }", "", "func One() int32 { return 1 }")
  scrub <- function(lines) sub("at .*:[0-9]+:", "at <location>:", lines)
  expect_snapshot(transform = scrub, {
    go <- mangoro_source(code = code)
    names(go)
    mangoro_stop(go)
    # From the cache, and again.
    go <- mangoro_source(code = code)
    go <- mangoro_restart(go)
  })
  for (ask in list(function() go$Any, function() mangoro_rpc_call(go, "Any"))) {
    expect_error(ask(), "it is generic", class = "mangoro_error_not_found")
  }
  expect_match(mangoro_logs(go), "left out: Any at .*: it is generic", all = FALSE)
  mangoro_stop(go)
})

test_that("similar names are found", {
  expect_identical(similar_names("mean", c("Mean", "Means", "Median")), c("Mean", "Means"))
  expect_identical(similar_names("x", c("y", "X")), "X")
  expect_identical(similar_names("x", character()), character())
  expect_identical(similar_names("\xff", "a"), character())
})

test_that("a method is not a function that is left out", {
  skip_if_no_go()
  expect_no_message(go <- local_source(code = c(
    "type number struct{}", "func (number) Error() string { return \"a number\" }", "func One() int32 { return 1 }"
  )))
  expect_identical(names(go), "One")
})

test_that("a function of a type that only Go knows is left out, the others are there", {
  skip_if_no_go()
  parameter <- c("io.Reader", "*big.Int", "[]sync.Mutex", "unsafe.Pointer", "*array.Float64", "fmt.Stringer")
  code <- c(
    sprintf("func P%d(r %s) int32 { return 1 }", seq_along(parameter), parameter),
    "func R() (exec.Cmd, error) { return exec.Cmd{}, nil }",
    "func Month(m time.Month) string { return m.String() }",
    "func Ip(a net.IP) string { return a.String() }",
    "func Ok(x float64) float64 { return x }"
  )
  # Whether it is built or comes from the cache.
  for (i in 1:2) {
    said <- character()
    go <- withCallingHandlers(local_source(code = code), message = function(cnd) {
      said <<- c(said, conditionMessage(cnd))
      tryInvokeRestart("muffleMessage")
    })
    expect_setequal(names(go), c("Month", "Ip", "Ok", "P2"))
  }
  expect_identical(go$Month(3L), "March")
  expect_identical(go$Ip(c("127.0.0.1", NA)), c("127.0.0.1", NA))
  expect_identical(go$P2("12"), 1L)
  expect_snapshot(cat(said))

  cnd <- expect_error(mangoro_source(code = "func Z(r io.Reader) {}"), class = "mangoro_error_start")
  expect_match(cnd$stderr, "no function that R can call: .*type io.Reader is not supported", all = FALSE)
  # Advice for those who write a main function.
  expect_no_match(conditionMessage(cnd), "rgoipc.Main", fixed = TRUE)
})

test_that("mistakes are told with the user's own line", {
  skip_if_no_go()
  dir <- local_files(
    "syntax.go" = c("package main", "", "func F( {", "}", "", "func G() string { return \"a }"),
    "types.go" = c(
      "package main", "", "func F() int32 {", "\tvar \u00e9 = \"a\"; return \u00e9", "}", "",
      "func G() int32 { return missing }"
    ),
    "none.go" = c("package main", "", "func f() {}"),
    "main.go" = c("package main", "", "func main() {}")
  )
  withr::local_dir(dir)
  cnd <- expect_error(mangoro_source("types.go"), class = "mangoro_error_build")
  expect_identical(cnd$diagnostics$file, c("types.go", "types.go"))
  expect_identical(cnd$diagnostics$line, c(4L, 7L))
  expect_snapshot(error = TRUE, transform = scrub_location, {
    mangoro_source("syntax.go")
    mangoro_source("types.go")
    mangoro_source("none.go")
    mangoro_source("main.go")
    mangoro_source(code = "func F(x float64) float64 { return y }")
  })
})

test_that("no place in a generated file is told", {
  skip_if_no_go()
  dir <- local_files(
    "twice/a.go" = c("package main", "", "func B() int32 { return 1 }"),
    "twice/b.go" = c("package main", "", "func B() int32 { return 2 }")
  )
  withr::local_dir(dir)
  expect_snapshot(error = TRUE, transform = scrub_location, {
    mangoro_source(code = "func A() int32 { return 1 }\nfunc A() int32 { return 2 }")
    mangoro_source(code = "func A(x, x float64) float64 { return x }")
    mangoro_source(code = "import \"C\"\nfunc A() int32 { return 1 }")
    mangoro_source("twice")
  })
})

test_that("code that begins with empty lines shows the line that is meant", {
  skip_if_no_go()
  expect_snapshot(error = TRUE, transform = scrub_location, {
    mangoro_source(code = "\n\nfunc f() {}")
    mangoro_source(code = "\n// nothing\n")
    mangoro_source(code = "\nfunc F( {}")
    mangoro_eval("\n  int")
  })
})

test_that("a panic shows the user's frames, an error its causes", {
  dir <- local_files("stats.go" = stats)
  go <- local_source(file.path(dir, "stats.go"))
  cnd <- expect_error(go$Tenth(1), class = "mangoro_error_panic")
  expect_identical(cnd$frames[["function"]], c("at", "Tenth"))
  expect_identical(cnd$frames$line, c(44L, 41L))
  cnd <- expect_error(go$Mean(numeric()), class = "mangoro_error_handler")
  expect_identical(cnd$detail$chain[[2]], "no values")
  expect_snapshot(error = TRUE, transform = scrub_paths(dir), {
    go$Tenth(1)
    go$Mean(numeric())
  })
})

test_that("arguments of mangoro_source() are checked", {
  local_mocked_bindings(find_go = function(call) stop("not reached"))
  dir <- local_files("empty/README" = "x")
  withr::local_dir(dir)
  expect_snapshot(error = TRUE, {
    mangoro_source()
    mangoro_source("a.go", code = "x")
    mangoro_source(1)
    mangoro_source("a.go")
    mangoro_source("func A() int { return 1 }")
    mangoro_source(code = "a.go")
    mangoro_source(c("empty", "empty"))
    mangoro_source("empty")
    mangoro_source(code = 1)
    mangoro_source(code = "")
    mangoro_source(code = "x", dry_run = NA)
    mangoro_source(code = "x", attach = "x")
    mangoro_source(code = "x", env = 1)
    mangoro_source(code = "x", timeout = 0)
  })
})
