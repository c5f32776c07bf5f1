# Extracted from test-codec.R:104

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# prequel ----------------------------------------------------------------------
trip <- function(x) decode_record(encode_record(x))
trip_row <- function(...) decode_row(encode_row(...))

# test -------------------------------------------------------------------------
sent <- list(m = c(a = 1, b = NA), l = list(x = "u", y = "v"), none = structure(double(), names = character()))
got <- trip_row(sent, maps = names(sent))
expect_identical(got, list(m = c(a = 1, b = NA), l = c(x = "u", y = "v"), none = sent$none))
