test_that("a refusal says where in its fields, and sends nothing", {
  server <- local_server(test_source("typed"))
  mangoro_call(server$sock, "add", 1, 2)
  server$proc$kill()
  cnd <- expect_error(
    mangoro_call(server$sock, "twice", c(1, 1.5)),
    class = "mangoro_error_invalid_argument"
  )
  expect_identical(
    cnd[c("func_name", "arg", "row", "value")],
    list(func_name = "twice", arg = "x", row = 2L, value = 1.5)
  )
})

test_that("whatever is given, a refusal is one of ours and warns of nothing", {
  server <- local_server(test_source("corpus"))
  call <- function(...) mangoro_call(server$sock, ...)
  odd <- list(
    sum, globalenv(), quote(a), expression(a), pairlist(a = 1), formals(function(x, y = 1) x), asS4(1),
    asS4(list(a = 1)), `Encoding<-`("\xff", "bytes"), "\xff", integer64(0x7fffffff, 0xffffffff), 1e300,
    structure(list(1), class = "POSIXlt"), as.POSIXlt("2024-02-29", tz = "UTC"),
    structure(list(), class = "foo"), structure(1:3, class = "data.frame")
  )
  for (name in c(
    "bools", "ints", "floats", "times", "durations", "blobs", "complexes", "lists", "points", "point", "maps", "map",
    "each"
  )) {
    for (i in seq_along(odd)) {
      got <- tryCatch(call(name, odd[[i]]), warning = identity, error = identity)
      fine <- !inherits(got, "condition") || inherits(got, "mangoro_error_invalid_argument")
      expect_true(fine, info = paste(name, i, if (!fine) conditionMessage(got)))
    }
  }
  # The largest int64 is no double.
  expect_error(
    call("floats", integer64(0x7fffffff, 0xffffffff)), "not 9223372036854775807",
    class = "mangoro_error_invalid_argument"
  )
  expect_identical(call("floats", integer64(c(0, 0x80000000), c(2, 0))), c(2, NA))
  expect_error(call("floats", `Encoding<-`("\xff", "bytes")), "xff", class = "mangoro_error_invalid_argument")
})
