# Extracted from test-codec.R:68

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# prequel ----------------------------------------------------------------------
trip <- function(x) decode_record(encode_record(x))
trip_row <- function(...) decode_row(encode_row(...))

# test -------------------------------------------------------------------------
bytes <- "caf\xe9"
Encoding(bytes) <- "bytes"
broken <- "\xff\xfe"
Encoding(broken) <- "UTF-8"
lt <- as.POSIXlt("2024-01-01", tz = "UTC")
expect_snapshot(error = TRUE, {
    encode_record(list(x = c("a", bytes)))
    encode_record(data.frame(x = c("a", NA, broken)))
    encode_record(data.frame(f = 1, s = I(list("a", broken))))
    encode_record(list(x = quote(a + b)))
    encode_record(list(x = globalenv()))
    encode_record(list(x = lt))
    encode_record(list(x = structure(1, class = "money")))
    encode_record(list(x = structure(1, origin = list(1))))
    encode_record(list(x = structure(1, comment = "no")))
    encode_record(list(x = list(1, "a")))
    encode_record(list(x = list(1L, NULL, c(a = 2L))))
    encode_record(list(x = list(factor("a"), factor("b"))))
    encode_record(list(x = 1:2, y = 1:3))
    encode_record(list(x = structure(7L, class = "factor", levels = "a")))
    encode_record(list(x = structure(1, class = "difftime", units = "years")))
    encode_record(structure(list(x = 1:2, y = 1), class = "data.frame", row.names = 1:2))
    encode_row(list(x = list(a = 1, b = list(sum))))
    encode_row(list(x = c(1, 2)), maps = "x")
    encode_row(list(x = structure(1:2, names = c("a", NA))), maps = "x")
  })
