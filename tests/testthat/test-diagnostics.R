test_that("a line is shown with a caret below its column, whatever is in it", {
  expect_identical(excerpt("\treturn x + y", 13), c("    return x + y", "               ^"))
  expect_identical(excerpt("\u00e9 := \u4e2d; x", 12), c("    \u00e9 := \u4e2d; x", paste0(strrep(" ", 13), "^")))
  expect_identical(excerpt("a\tb", 3), c("    a    b", "         ^"))
  expect_identical(excerpt("", 1), NULL)
  expect_null(excerpt(NA_character_, 1))
  expect_null(excerpt("x", NA_integer_))
  expect_length(excerpt("x\xff y", 9), 2)
})

test_that("lines of the compiler are told apart from others", {
  program <- new_program("a", "/d", user_path = function(file) sub("^/d/", "", file))
  output <- c("x.go:3:4: undefined: x", "\thave (int)", "/d/<inline>:7: is wrong", "go.mod:1: odd")
  found <- find_diagnostics(program, output)
  expect_identical(found$file, c("x.go", "<inline>", "go.mod"))
  expect_identical(found$line, c(3L, 7L, 1L))
  expect_identical(found$column, c(4L, NA, NA))
  expect_identical(found$row, c(1L, 3L, 4L))
})

test_that("what is said of generated files is left out", {
  main <- "/t/mangoro_main.go:7:8"
  twice <- c("x redeclared", "\tother declaration")
  output <- c(
    sprintf("%s%s: %s", c("", "\t"), c(main, paste0(main, "[/t/mangoro_main.go:9:8]")), sub("\t", "", twice)),
    "/d/a.go:1:2: wrong", "\thave (int)", "\t/d/b.go:1:2[/t/source_2.go:3:4]: other"
  )
  expect_identical(
    without_generated(output),
    c("/d/a.go:1:2: wrong", "\thave (int)", "\t/d/b.go:1:2: other")
  )
  expect_identical(without_generated("plain"), "plain")
  expect_identical(
    without_generated(c(paste0(main, ": odd"), "too many errors")),
    "In the generated main function: odd"
  )
  # What it imports for the user's code.
  missing <- "cannot find module providing package gonum.org/v1/gonum/mat"
  expect_identical(without_generated(paste0(main, ": ", missing)), missing)
})

test_that("no more is shown than can be read", {
  output <- sprintf("a.go:%d:1: wrong", 1:30)
  program <- new_program("a.go", "/d", user_path = basename, own_module = TRUE)
  cnd <- expect_error(
    abort_diagnostics(program, find_diagnostics(program, output), output, call = NULL),
    class = "mangoro_error_build"
  )
  expect_match(conditionMessage(cnd), "and 20 more lines")
  expect_length(cnd$output, 30)
  expect_identical(nrow(cnd$diagnostics), 30L)
})

test_that("inline code is told by its place", {
  places <- data.frame(file = c("<inline>", "a.go", "<inline>"), line = c(1L, 1L, 3L), column = c(2L, 2L, 2L))
  at <- function(line, column) list(line = line + 9L, column = column + ifelse(line == 1, 5L, 0L))
  moved <- relocate(places, function() list(file = "s.R", at = at))
  expect_identical(moved, data.frame(file = c("s.R", "a.go", "s.R"), line = c(10L, 1L, 12L), column = c(7L, 2L, 2L)))
  expect_identical(relocate(places, function() NULL), places)
})

test_that("a type of R gets a hint", {
  said <- paste("undefined:", c("numeric", "x", "numeric", "character"))
  expect_identical(
    undefined_hints(said, rep("func F(x numeric, y x) character { return y }", 4)),
    c("The type numeric of R is float64 in Go.", "The type character of R is string in Go.")
  )
})

test_that("a package that is not in the standard library gets a hint", {
  said <- function(path) sprintf("a.go:1:8: package %s is not in std (/go/src/%s)", path, path)
  expect_identical(import_hints(said("string")), "Is the package strings meant?")
  expect_identical(import_hints(said("x/nothing/like/it")), character())
  expect_match(import_hints(said("example.com/a"))[[1]], "example.com/a is not among the modules", fixed = TRUE)
})

test_that("what is undefined and looks like a package gets a hint", {
  hints <- function(name, line) undefined_hints(paste("undefined:", name), line)
  expect_identical(
    hints("strings", "x := strings.ToUpper(y)"), "To use the package strings, write `import \"strings\"`."
  )
  expect_match(hints("rand", "rand.Int()"), "\"math/rand/v2\"", fixed = TRUE)
  expect_match(hints("rgoipc", "rgoipc.Main(r)"), "\"mangoro.local/pkg/rgoipc\"", fixed = TRUE)
  expect_match(hints("distuv", "distuv.Normal{}"), "gonum.org/v1/gonum/stat/distuv.*deps = \"gonum.org/v1/gonum@v")
  expect_match(hints("lodash", "lodash.Map()"), "If lodash is a package, import it")
  expect_identical(hints("x", "x + 1"), character())
  expect_identical(hints("x", "x.field"), character())
  expect_identical(hints("x", NA_character_), character())
  expect_identical(undefined_hints(c("expected ')', found '{'", "x.y[(*"), c("func F( {}", "")), character())
  expect_identical(undefined_hints(character(), list()), character())
  said <- c("undefined: a", "other", "undefined: a")
  expect_identical(undefined_hints(said, c("a.B", "c.D", "a.C")), hints("a", "a.B"))
  # Each package of Go's own library has one.
  standard <- strsplit(read_utf8(go_file("internal", "gen", "standard.txt")), " ", fixed = TRUE)
  for (line in standard) expect_true(line[[2]] %in% known_packages(line[[1]]), info = line[[2]])
})
