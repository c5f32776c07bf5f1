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
  expect_error(mangoro_source(dir), "the package must be main, but is other")
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
