test_that("files are UTF-8, whatever options(encoding = ) says", {
  withr::local_options(encoding = "latin1")
  file <- withr::local_tempfile()
  text <- c("caf\u00e9", "\U1F600", "")
  write_utf8(c(iconv(text[[1]], "UTF-8", "latin1"), text[-1]), file)
  expect_identical(readBin(file, "raw", 100), charToRaw("caf\u00e9\n\U1F600\n\n"))
  expect_identical(read_utf8(file), text)
})

test_that("strings that are not valid in their encoding are none in UTF-8", {
  broken <- "\xff"
  Encoding(broken) <- "UTF-8"
  bytes <- "\xe9"
  Encoding(bytes) <- "bytes"
  latin1 <- "\xe9"
  Encoding(latin1) <- "latin1"
  expect_identical(as_utf8(c("a", latin1, broken, bytes)), c("a", "\u00e9", NA, NA))
})

test_that("JSON is simplified as jsonlite does it, and strings stay strings", {
  plain <- '{"a": [1, 2], "b": [{"x": 1, "y": null}, {"x": 2}], "c": ["u", "v"], "d": {}}'
  expect_identical(parse_json(plain), jsonlite::fromJSON(plain))
  expect_identical(
    parse_json('{"a": "NA", "b": ["NaN", "Inf"], "c": ["NA", null]}'),
    list(a = "NA", b = c("NaN", "Inf"), c = c("NA", NA))
  )
  expect_identical(
    parse_json('[{"NA": "NA", "k": "text:"}, {"NA": "-Inf", "k": "\\"NA"}]'),
    data.frame("NA" = c("NA", "-Inf"), k = c("text:", "\"NA"), check.names = FALSE)
  )
})

test_that("JSON is no file and no URL", {
  file <- withr::local_tempfile(lines = "[1]")
  expect_error(parse_json(file))
  expect_error(parse_json("http://127.0.0.1:1/"), "lexical|parse")
})

test_that("names of arguments are read without R's escapes", {
  escaped <- c("a", "", "<U+00E9>b<U+0001F600>", "\u00fc")
  expect_identical(names_of_symbols(escaped), c("a", "", "\u00e9b\U1F600", "\u00fc"))
})
