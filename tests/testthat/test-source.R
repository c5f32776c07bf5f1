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

local_source <- function(..., frame = parent.frame()) {
  skip_if_no_go()
  local_handle(mangoro_source(...), frame)
}

# Where code stands in this file, if R keeps that.
scrub_place <- function(lines) gsub("(test-source.R|<inline>):[0-9]+:[0-9]+", "<place>", lines)

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

test_that("a directory and several files are one program", {
  dir <- local_files(
    "a.go" = c("package main", "", "func Twice(x float64) float64 { return double(x) }"),
    "b.go" = c("package main", "", "import _ \"embed\"", "", "//go:embed text.txt", "var text string",
      "", "func double(x float64) float64 { return 2 * x }", "", "func Text() string { return text }"),
    "text.txt" = "embedded"
  )
  for (files in list(dir, file.path(dir, c("a.go", "b.go")))) {
    go <- local_source(files)
    expect_identical(go$Twice(4), 8)
    expect_identical(go$Text(), "embedded\n")
  }
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

test_that("code comes to Go as it is, in any encoding", {
  skip_if_no_go()
  # A program of its own, which is not in the cache.
  code <- sprintf("func Text() string { return \"\u00e9 %s\" }", basename(tempfile("")))
  latin1 <- iconv(code, "UTF-8", "latin1")
  expect_identical(Encoding(latin1), "latin1")
  dir <- local_files("text.go" = character())
  file <- file.path(dir, "text.go")
  writeBin(charToRaw(paste0("package main\n\n", code, "\n")), file)
  withr::local_options(encoding = "latin1")
  expect_match(mangoro_function(code)(), "^\u00e9 ")
  expect_match(mangoro_function(paste(latin1, "//"))(), "^\u00e9 ")
  expect_match(local_source(file)$Text(), "^\u00e9 ")
  expect_identical(mangoro_eval("x + \"\u00e9\"", x = "\u00e9"), "\u00e9\u00e9")
  cnd <- expect_error(mangoro_source(code = "func F() string { return \"\u00e9\" + x }"), class = "mangoro_error_build")
  expect_match(conditionMessage(cnd), "return \"\u00e9\" + x", fixed = TRUE)
})

test_that("code comes to Go as it is, in any locale", {
  skip_if_no_go()
  code <- sprintf("func Text() string { return \"%s %s\" }", "\\u00e9", basename(tempfile("")))
  session <- other_session(
    c(
      sprintf("text <- mangoro_function('%s')()", code), "cat(charToRaw(substring(text, 1, 1)))",
      "main <- mangoro_source(code = '//mangoro:name \\u00e9\\nfunc B() {}', dry_run = TRUE)",
      "cat('', grepl('registry.Func(\"\\u00e9\"', main, fixed = TRUE))"
    ),
    LC_ALL = "C"
  )
  session$wait()
  expect_identical(session$read_all_output(), "c3 a9 TRUE")
})

test_that("bytes that are no text are refused", {
  local_mocked_bindings(find_go = function(call) stop("not reached"), module_dir = function(call) stop("not reached"))
  withr::local_dir(local_files("bytes.go" = character()))
  writeBin(c(charToRaw("package main\n\n// "), as.raw(0xe9)), "bytes.go")
  bytes <- "// \xe9"
  Encoding(bytes) <- "bytes"
  expect_snapshot(error = TRUE, {
    mangoro_source(code = c("func F() {}", bytes))
    mangoro_source("bytes.go")
  })
  expect_identical(as_utf8(c("a", "\u00e9", bytes)), c("a", "\u00e9", NA))
  wrong <- "\xe9"
  Encoding(wrong) <- "UTF-8"
  expect_identical(as_utf8(wrong), NA_character_)
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
  scrub <- function(lines) sub("at .*:[0-9]+:", "at <place>:", lines)
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

test_that("a method is not a function that is left out", {
  skip_if_no_go()
  expect_no_message(go <- local_source(code = c(
    "type number struct{}", "func (number) Error() string { return \"a number\" }", "func One() int32 { return 1 }"
  )))
  expect_identical(names(go), "One")
})

test_that("a directory is taken as Go takes it", {
  skip_if_no_go()
  other <- if (is_windows()) "linux" else "windows"
  dir <- local_files(
    "a.go" = c("package main", "", "func A() int32 { return b() }"),
    "b.go" = c(paste0("//go:build !", other), "", "package main", "", "func b() int32 { return 1 }"),
    "c.go" = c("package main", "", "import \"C\"", "", "func C() {}"),
    "doc.go" = "package documentation",
    "tool.go" = c("//go:build ignore", "", "package main", "", "func main() {}", "func Tool() {}"),
    "tagged.go" = c("//go:build mytag", "", "package main", "", "func Tagged() int32 { return 2 }"),
    "a_test.go" = c("package main", "", "func TestA() { not Go"),
    "_draft.go" = "not Go", ".hidden.go" = "not Go"
  )
  lines <- c("package main", "func b() int32 { return 9 }", "func Other() {}")
  writeLines(lines, file.path(dir, sprintf("b_%s.go", other)))
  # What is not taken may be anything, also no text.
  writeBin(c(charToRaw("package main // "), as.raw(0xff)), file.path(dir, sprintf("z_%s.go", other)))
  said <- character()
  take <- function(..., frame = parent.frame()) {
    said <<- character()
    withCallingHandlers(local_source(..., frame = frame), message = function(cnd) {
      said <<- c(said, conditionMessage(cnd))
      tryInvokeRestart("muffleMessage")
    })
  }
  go <- take(dir)
  expect_identical(names(go), "A")
  expect_identical(go$A(), 1L)
  expect_match(said, "C at .*c.go:5: its file imports \"C\", and mangoro builds without cgo")
  expect_identical(names(take(dir, NULL, "-tags", "x,mytag")), c("A", "Tagged"))

  # Files that are named are taken whatever they are for, as by `go build`.
  named <- file.path(dir, c("a.go", sprintf("b_%s.go", other)))
  expect_identical(local_source(named)$A(), 9L)

  unlink(file.path(dir, "a.go"))
  file.rename(file.path(dir, "b.go"), file.path(dir, "b.txt"))
  expect_snapshot(error = TRUE, transform = scrub_paths(dir), {
    mangoro_source(dir)
    mangoro_source(file.path(dir, "c.go"))
    mangoro_source(file.path(dir, "a_test.go"))
    mangoro_source(file.path(dir, "doc.go"))
  })
  writeLines(c("package other", "", "func A() {}"), file.path(dir, "a.go"))
  expect_error(mangoro_source(dir), "the package is other, and must be main")
})

test_that("assembly is part of a directory", {
  skip_if_no_go()
  skip_if_not(R.version$arch == "x86_64")
  dir <- local_files(
    "add.go" = c(
      "package main", "", "func Add(x, y int64) int64 { return add(x, y) }", "", "func add(x, y int64) int64"
    ),
    "add_amd64.s" = c(
      "#include \"textflag.h\"", "", "TEXT \u00b7add(SB), NOSPLIT, $0", "\tMOVQ x+0(FP), AX",
      "\tADDQ y+8(FP), AX", "\tMOVQ AX, ret+16(FP)", "\tRET"
    )
  )
  expect_equal(as.numeric(local_source(dir)$Add(2, 3)), 5)
})

test_that("names beyond ASCII work in any locale", {
  skip_if_no_go()
  dir <- local_files(
    "f.go" = c("package main", "", "type T struct { \u00c9 float64 }", "",
      "func F(\u00e9, \u00fc float64) float64 { return \u00e9 - \u00fc }", "",
      "func \u00c9(x float64) float64 { return x }", "", "func S(t T) T { return t }")
  )
  file.rename(file.path(dir, "f.go"), file.path(dir, "\u00e9.go"))
  session <- other_session(
    c(
      "options(warn = 1)", sprintf("go <- mangoro_source(list.files('%s', full.names = TRUE))", dir),
      "values <- c(go$F(3, 1), go$F(\"\\u00fc\" = 1, \"\\u00e9\" = 3), go[['\\u00c9']](2),",
      "  mangoro_call(go, 'F', \"\\u00fc\" = 1, \"\\u00e9\" = 3), mangoro_call(go, '\\u00c9', 2),",
      "  go$S(list(\"\\u00c9\" = 2))[[1]], identical(names(go)[[3]], '\\u00c9'),",
      "  mangoro_eval('\\u00e9 / 2', \"\\u00e9\" = 4))",
      "print(values)", "invisible(format(go))", "print(tryCatch(go$F(3), error = conditionMessage))"
    ),
    LC_ALL = "C"
  )
  session$wait()
  # R's parser warns of what it cannot translate; nothing else does.
  lines <- session$read_all_output_lines()
  expect_identical(
    lines[!startsWith(lines, "Warning: unable to translate")],
    c("[1] 2 2 2 2 2 2 1 2", "[1] \"`F()`: argument `<U+00FC>` is missing.\"")
  )
})

test_that("a function of a type that only Go knows is left out, the others are there", {
  skip_if_no_go()
  parameter <- c("io.Reader", "*big.Int", "[]sync.Mutex", "unsafe.Pointer", "*array.Float64", "fmt.Stringer")
  code <- c(
    sprintf("func P%d(r %s) int32 { return 1 }", seq_along(parameter), parameter),
    "func R() (url.URL, error) { return url.URL{}, nil }",
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
    expect_setequal(names(go), c("Month", "Ip", "Ok"))
  }
  expect_identical(go$Month(3L), "March")
  expect_identical(go$Ip(as.raw(c(127, 0, 0, 1))), "127.0.0.1")
  expect_snapshot(cat(said))

  cnd <- expect_error(mangoro_source(code = "func Z(r io.Reader) {}"), class = "mangoro_error_start")
  expect_match(cnd$stderr, "parameter 1 `r`: type io.Reader is not supported", fixed = TRUE, all = FALSE)
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
  expect_snapshot(error = TRUE, transform = scrub_place, {
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
  expect_snapshot(error = TRUE, transform = scrub_place, {
    mangoro_source(code = "func A() int32 { return 1 }\nfunc A() int32 { return 2 }")
    mangoro_source(code = "func A(x, x float64) float64 { return x }")
    mangoro_source(code = "import \"C\"\nfunc A() int32 { return 1 }")
    mangoro_source("twice")
  })
})

test_that("mistakes in code name the line of the script", {
  skip_if_no_go()
  dir <- local_files("analysis.R" = c(
    "x <- 1", "f <- mangoro_function(\"", "func F(x float64) float64 {", "\treturn x + missing", "}\")"
  ), "apart.R" = c(
    "code <- \"func F(x []float64) float64 { return x[10] }\"", "", "f <- mangoro_function(code)", "f(1)"
  ))
  script <- function(name) source(file.path(dir, name), local = TRUE, keep.source = TRUE)
  cnd <- expect_error(script("analysis.R"), class = "mangoro_error_build")
  expect_identical(cnd$diagnostics[c("line", "column")], data.frame(line = 4L, column = 13L))
  expect_identical(basename(cnd$diagnostics$file), "analysis.R")
  expect_match(conditionMessage(cnd), "return x + missing", fixed = TRUE)

  cnd <- expect_error(script("apart.R"), class = "mangoro_error_panic")
  expect_identical(basename(cnd$frames$file), "apart.R")
  expect_identical(cnd$frames$line, 1L)
})

# The lines and columns where each byte of code stands in lines of a script.
places_in <- function(lines, code) {
  map <- literal_in(lines, code)
  map[c("line", "column")]
}

test_that("code is found where it stands", {
  text <- c("f(", "  1, r\"(a", "b)\", 'c')", "g(c(\"d\", 'e'))")
  at <- function(code, line = 1L, column = 1L) unlist(look_up(literal_in(text, code), line, column))
  expect_identical(at("a\nb"), c(line = 2L, column = 9L))
  expect_identical(at("a\nb", 2L), c(line = 3L, column = 1L))
  expect_identical(at("a\nb", 2L, 99L), c(line = 3L, column = 2L))
  expect_identical(at("c"), c(line = 3L, column = 7L))
  expect_identical(at(c("d", "e")), c(line = 4L, column = 6L))
  expect_identical(at(c("d", "e"), 2L), c(line = 4L, column = 11L))
  expect_identical(at("c", 1L, NA), c(line = 3L, column = NA))
  for (other in list("x", c("d", "c"), c("e", "d"))) expect_null(literal_in(text, other))
  expect_null(literal_in("not R (", "x"))
  expect_null(find_literal("x", list()))
})

test_that("every byte of random code is found in its literal", {
  withr::local_seed(9)
  pieces <- c("a", "b", "{", "}", " ", "\n", "\n", "\t", "\"", "'", "\\", "\u00e9", "\u4e2d", "z9")
  for (round in 1:100) {
    code <- paste(sample(pieces, sample(30, 1), replace = TRUE), collapse = "")
    literal <- switch(sample(3, 1),
      encodeString(code, quote = "\""),
      paste0("r\"---(", code, ")---\""),
      paste0("'", gsub("'", "\\'", gsub("\\", "\\\\", code, fixed = TRUE), fixed = TRUE), "'")
    )
    before <- sample(c("", "\t", "  \u00e9 <- 1; ", "\tg(\"x\"); x <- "), 1)
    lines <- strsplit(paste0("first\n", before, "f(", literal, ")\nlast"), "\n")[[1]]
    map <- literal_in(lines, code)
    bytes <- c(charToRaw(enc2utf8(code)), as.raw(10))
    expect_identical(nrow(map), length(bytes))
    expect_identical(map$ends, bytes == 10)
    plain <- which(rawToChar(bytes, multiple = TRUE) %in% c(letters, 9, "{", "}", " "))
    for (i in plain) {
      expect_identical(charToRaw(enc2utf8(lines[[map$line[[i]]]]))[[map$column[[i]]]], bytes[[i]], info = literal)
    }
  }
})

test_that("a mistake is told by its place, however the code is written in the script", {
  skip_if_no_go()
  scripts <- list(
    c("f <- function() {", "\tmangoro_source(code = \"", "", "func F() int { return missing }\")", "}", "f()"),
    "mangoro_source(code = \"\\n\\nfunc F() int { return missing }\\n\")",
    c("", "mangoro_source(code = c(", "  '', \"func F() int {\",", "\t'\treturn missing', '}'))"),
    c(
      "code <- r\"(", "func F() int { return missing }", ")\"",
      "if (TRUE) {", "  \u00e9 <- 1; mangoro_source(code = code)", "}"
    )
  )
  for (lines in scripts) {
    dir <- local_files(script.R = enc2utf8(lines))
    cnd <- expect_error(
      source(file.path(dir, "script.R"), local = TRUE, keep.source = TRUE, encoding = "UTF-8"),
      class = "mangoro_error_build"
    )
    expect_identical(basename(cnd$diagnostics$file), "script.R")
    shown <- lines[[cnd$diagnostics$line]]
    rest <- rawToChar(utils::tail(charToRaw(enc2utf8(shown)), -(cnd$diagnostics$column - 1)))
    expect_match(rest, "^missing", info = shown)
  }
})

test_that("code that begins with empty lines shows the line that is meant", {
  skip_if_no_go()
  expect_snapshot(error = TRUE, transform = scrub_place, {
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
  expect_identical(conditionMessage(cnd$parent), "no values")
  expect_snapshot(error = TRUE, transform = scrub_paths(dir), {
    go$Tenth(1)
    go$Mean(numeric())
  })
})

test_that("an expression is evaluated with the types of its variables", {
  skip_if_no_go()
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 2), sqrt(2))
  expect_identical(mangoro_eval("math.Sqrt(x)", x = 9), 3)
  expect_identical(mangoro_eval("strings.Split(s, sep)", s = "a,b", sep = ","), c("a", "b"))
  expect_identical(mangoro_eval("strconv.ParseBool(s)", s = "true"), TRUE)
  expect_error(mangoro_eval("strconv.ParseBool(s)", s = "maybe"), class = "mangoro_error_handler")
  expect_snapshot(error = TRUE, transform = scrub_place, {
    mangoro_eval("math.Sqqrt(x)", x = 2)
    mangoro_eval("x +", x = 2)
    mangoro_eval("x + 1 +\n  math.Sqrt(y)", x = 2)
    mangoro_eval("1, 2")
    mangoro_eval("math.MaxUint64")
    mangoro_eval("int")
    mangoro_eval("nil")
    mangoro_eval("big.NewInt(1)")
    mangoro_eval("fmt.Sprint")
    mangoro_eval("x", 1)
    mangoro_eval("x", x = Sys.Date())
  })
  # Which stands nowhere as it is.
  expr <- paste("1 +", "x[int(x[0])]", sep = "\n")
  cnd <- expect_error(mangoro_eval(expr, x = c(7, 2)), class = "mangoro_error_panic")
  expect_identical(cnd$frames[c("file", "line")], data.frame(file = "<inline>", line = 2L))
})

test_that("the compiler tells the type of an expression", {
  said <- function(what, output = character()) {
    message <- what
    if (!startsWith(what, "too")) message <- sprintf("cannot use %s as unknownType value in return statement", what)
    result_type(rlang::error_cnd(diagnostics = data.frame(message = message), output = output))
  }
  expect_identical(said("(math.Sqrt(x)) (value of type float64)"), "float64")
  expect_identical(said("(x) (variable of type []string)"), "[]string")
  expect_identical(said("(1 + 2) (untyped int constant 3)"), "int")
  expect_identical(said("(1.5) (untyped float constant)"), "float64")
  expect_identical(said("(x > 1) (untyped bool value)"), "bool")
  expect_identical(said("(5 * time.Second) (constant 5000000000 of int64 type \"time\".Duration)"), "time.Duration")
  expect_identical(said("too many return values", "\thave (bool, error)"), "(bool, error)")
  expect_error(said("too many return values"))
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
