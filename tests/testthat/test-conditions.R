test_that("the codes are those of Go", {
  go <- readLines(system.file("go", "pkg", "rgoipc", "error.go", package = "mangoro"))
  codes <- regmatches(go, regexec("^\tCode[A-Za-z]+ +Code = \"([a-z_]+)\"", go))
  expect_setequal(vapply(Filter(length, codes), `[[`, "", 2), error_codes)
})

test_that("a condition has its classes, code, fields and call", {
  f <- function() abort_mangoro("timeout", "no {.val x}", extra = 1, call = rlang::current_env())
  cnd <- expect_error(f(), class = "mangoro_error_timeout")
  expect_s3_class(cnd, c("mangoro_error_timeout", "mangoro_error", "rlang_error", "error"), exact = FALSE)
  expect_identical(cnd$code, "timeout")
  expect_identical(cnd$extra, 1)
  expect_identical(conditionCall(cnd), quote(f()))
})

test_that("the text of a server is never read as a template", {
  expect_error(
    abort_reply("f", "{stop('no')} {{x}} {.cls y}"),
    "{stop('no')} {{x}} {.cls y}",
    fixed = TRUE, class = "mangoro_error_handler"
  )
  expect_error(abort_reply("{stop(1)}", "m"), "{stop(1)}", fixed = TRUE, class = "mangoro_error_handler")
})

test_that("a code that is not known is a failed handler", {
  for (code in list("surprise", 1, NULL, c("panic", "panic"))) {
    expect_error(abort_reply("f", "m", list(code = code)), class = "mangoro_error_handler")
  }
})
