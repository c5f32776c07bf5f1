# Extracted from test-conditions.R:27

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
for (code in list("surprise", 1, NULL, c("panic", "panic"))) {
    expect_error(abort_reply("f", "m", list(code = code)), class = "mangoro_error_handler")
  }
