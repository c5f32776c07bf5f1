test_that("only conditions.R raises conditions", {
  namespace <- asNamespace("mangoro")
  functions <- Filter(is.function, mget(ls(namespace, all.names = TRUE), namespace))
  that_call <- function(names) {
    calls <- function(f) any(names %in% setdiff(all.names(body(f)), all.vars(body(f))))
    names(Filter(calls, functions))
  }
  raising <- c(
    "stop", "warning", "abort", "warn", "cli_abort", "cli_warn", "cnd_signal", "signalCondition", "simpleError"
  )
  expect_setequal(that_call(raising), c("raise", "warn_of_go"))
  expect_setequal(that_call("error_cnd"), c("abort_mangoro", "chain_condition"))
  expect_setequal(
    that_call("abort_mangoro"),
    c("cancelled_condition", "closed_condition", paste0("abort_", c(
      "build", "connection", "ended", "install", "invalid_argument", "no_element", "no_function", "no_part",
      "not_served", "object", "protocol", "reply", "resource_exhausted", "start", "timeout", "toolchain", "waited"
    )))
  )
})

test_that("a condition has its classes, code, fields and call", {
  f <- function() abort_mangoro("timeout", "no {.val x}", extra = 1, call = rlang::current_env())
  cnd <- expect_error(f(), class = "mangoro_error_timeout")
  expect_s3_class(cnd, c("mangoro_error_timeout", "mangoro_error", "rlang_error", "error"), exact = FALSE)
  expect_identical(cnd$code, "timeout")
  expect_identical(cnd$extra, 1)
  expect_identical(conditionCall(cnd), quote(f()))
})

test_that("a backtrace does not repeat the code that a call was given", {
  code <- strrep("func F() {}", 20)
  lines <- c(code, code)
  expect_identical(shorten_call(bquote(f(code = .(code), 1))), quote(f(code = ..., 1)))
  expect_identical(shorten_call(bquote(f(c("a", .(code)), x[, 1]))), quote(f(..., x[, 1])))
  expect_identical(shorten_call(bquote(f(.(lines), "short"))), quote(f(..., "short")))
  same <- c(
    expression(f(), f(x = ), x[, "a"], function(x) x, g(code)), bquote(f(.(NA_character_), .(NULL), g)), quote(f)
  )
  for (call in same) expect_identical(shorten_call(call), call)
  cnd <- expect_error(rlang::inject(mangoro_source(code = !!code, timeout = 0)), class = "mangoro_error")
  expect_no_match(paste(format(cnd$trace), collapse = "\n"), "func F", fixed = TRUE)
})

test_that("a result that is not UTF-8 says what to return instead", {
  raised <- function(detail) {
    tryCatch(abort_reply("F", "the result must be UTF-8, but row 1 is ...", detail), error = conditionMessage)
  }
  expect_match(raised(list(code = "handler", result = "result")), "strings.ToValidUTF8()", fixed = TRUE)
  expect_no_match(raised(list(code = "handler")), "strings.ToValidUTF8()", fixed = TRUE)
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

test_that("a time-out says what the server is busy with", {
  timeout <- function(load = NULL) abort_timeout("`f()`", 1.5, load = load)
  busy <- list(max_calls = 3L, running = c(wait = 1L, slow = 2L), given_up = c(slow = 12L))
  cnd <- expect_error(timeout(busy), class = "mangoro_error_timeout")
  expect_identical(cnd$timeout, 1.5)
  expect_identical(cnd$running, busy$running)
  expect_identical(cnd$given_up, busy$given_up)
  expect_snapshot(error = TRUE, {
    timeout()
    timeout(list(max_calls = 3L, running = c(f = 1L), given_up = integer()))
    timeout(list(max_calls = 3L, running = integer(), given_up = c(`{x}` = 1L)))
    timeout(busy)
  })
})

test_that("the condition of a failed call says where", {
  cnd <- expect_error(
    abort_reply("f", "row 2: no", list(code = "handler", row = 2L, value = list(x = 1, y = "a"), chain = "row 2: no")),
    class = "mangoro_error_handler"
  )
  expect_identical(cnd$row, 2L)
  expect_identical(cnd$value, list(x = 1, y = "a"))
  expect_null(cnd$arg)
  expect_null(cnd$parent)
  cnd <- expect_error(
    abort_reply("f", "m", list(code = "invalid_argument", arg = "x", row = 1L, value = "1.5")),
    class = "mangoro_error_invalid_argument"
  )
  expect_identical(cnd[c("arg", "row", "value")], list(arg = "x", row = 1L, value = "1.5"))
  # What a peer makes up is no row.
  for (row in list(0, -1, 1.5, "1", NA, 1:2, list(1), NULL)) {
    cnd <- expect_error(abort_reply("f", "m", list(row = row, value = 1, arg = 2)), class = "mangoro_error_handler")
    expect_null(c(cnd$row, cnd$value, cnd$arg))
  }
})

test_that("a cause that the message ends with is not shown again", {
  expect_null(chain_condition(c("open x: no", "no"), "row 1: open x: no"))
  cnd <- chain_condition(c("a failed", "b: c", "c"), "a failed")
  expect_identical(conditionMessage(cnd), "b: c")
  expect_null(cnd$parent)
})

test_that("a call with the code of a function in it is shown", {
  call <- quote(go$Minimize(function(x) x, list(function() 1, f = function(y) y), 0))
  expect_identical(shown_call(call), quote(go$Minimize(..., ..., 0)))
  cnd <- expect_error(abort_mangoro("handler", "no", call = call), class = "mangoro_error_handler")
  expect_identical(conditionCall(cnd), call)
  expect_match(format(cnd), "Error in `go$Minimize()`", fixed = TRUE, all = FALSE)
  go <- list(fail = function(f) abort_mangoro("handler", "no", call = rlang::current_env()))
  cnd <- expect_error(go$fail(function(x) x))
  expect_identical(deparse(conditionCall(cnd)), "go$fail(function(x) x)")
  expect_match(format(cnd), "Error in `go$fail()`", fixed = TRUE, all = FALSE)
  same <- expression(f(function(x) x), go$f(1, x), go$f(), NULL)
  for (call in same) expect_identical(shown_call(call), call)
})
