test_that("templates are filled in as cli does it", {
  none <- character()
  one <- "a b"
  two <- c("x", "y\"z")
  n <- 2
  templates <- c(
    "plain", "{one}", "{n} second{?s}, {n - 1} second{?s}, {n - 2} byte{?s}",
    "argument{?s} {.arg {one}} {?is/are} missing", "argument{?s} {.arg {two}} {?is/are} missing",
    "{cli::qty(two)}it has no argument{?s} {.arg {two}}; {.val {n}}", "{?no/one/many} {n - 2}",
    "{.val {two}} {.val {n}} {.val word} {.val {letters}}", "{none}|{.val {none}}|{.fn {none}}|{.arg {none}}",
    "{.fn f} {.fn a::b} {.fn {two}} {.code options(x = {{1}})} {.code f({.val {one}})}",
    "{.url {one}} {.file a b} {.path {two}} {.field {two}} {.command go} {.envvar X}",
    "{{x}} }} {{{one}}}", "{if (n > 1) { 'two' } else 'one'}", "\u00e9 {one} \u4e2d {.val \u00e9}",
    "{.run mangoro::mangoro_sitrep()} {.cls {two}}", "on\n      two  lines"
  )
  for (template in templates) {
    expected <- gsub("[[:space:]]+", " ", cli::ansi_strip(cli::format_inline(template)))
    expect_identical(cli::ansi_strip(format_inline(template)), expected, info = template)
  }
})

test_that("what a value is, is said as cli says it", {
  values <- list(
    "a", "", NA_character_, c("a", "b"), character(), 1L, NA_integer_, 1:3, integer(), 1.5, NA_real_, NaN, Inf, c(1, 2),
    double(), TRUE, NA, c(TRUE, FALSE), logical(), raw(1), raw(2), raw(), 1i, complex(), NA_complex_, list(), list(1),
    NULL, matrix(1:4, 2), matrix("a", 1), array(1, c(1, 1, 1)), matrix(list(1), 1), data.frame(), factor("a"),
    Sys.Date(), mean, sum, quote(a), quote(a + b), expression(a), globalenv(), structure(list(), class = "Env"), y ~ x,
    structure(list(), class = c("tbl_df", "tbl", "data.frame")), c(a = 1), structure(1:2, label = "x")
  )
  for (value in values) {
    expect_identical(friendly_type(value), cli::format_inline("{.obj_type_friendly {value}}"))
  }
})

test_that("no condition has cli lay out its text", {
  local_mocked_bindings(
    cli__message = function(...) stop("cli is asked"), format_inline = function(...) stop("cli is asked"),
    .package = "cli"
  )
  cnd <- expect_error(mangoro_status("h"), class = "mangoro_error_invalid_argument")
  expect_identical(conditionMessage(cnd), paste0(
    "`h` must be a handle, not a string.\n",
    cli::symbol$info, " `mangoro_start()`, `mangoro_source()`, `mangoro_serve()` and `mangoro_connect()` make handles."
  ))
})
