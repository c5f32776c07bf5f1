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
    same <- which(rawToChar(bytes, multiple = TRUE) %in% c(letters, 9, "{", "}", " "))
    at <- function(line, column) charToRaw(enc2utf8(lines[[line]]))[[column]]
    found <- do.call(c, c(list(raw()), Map(at, map$line[same], map$column[same])))
    expect_identical(found, bytes[same], info = literal)
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
