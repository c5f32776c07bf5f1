# Extracted from test-handle.R:212

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
h <- local_start(test_source("typed"), timeout = 0.2)
cnd <- expect_error(h$until(as.difftime(1, units = "hours")), class = "mangoro_error_timeout")
expect_identical(cnd$timeout, 0.2)
