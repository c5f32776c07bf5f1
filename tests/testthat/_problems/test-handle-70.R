# Extracted from test-handle.R:70

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
h <- local_start("cmd/rpc-example")
expect_error(h$nope, class = "mangoro_error_not_found")
expect_error(h[["nope"]], class = "mangoro_error_not_found")
expect_error(h[[1]], class = "mangoro_error_invalid_argument")
expect_error(h$x <- 1)
expect_snapshot(error = TRUE, {
    h$nope
    h$add(1)
    mangoro_call(h, "nope")
    mangoro_status("h")
    mangoro_logs(h, stream = "out")
  })
