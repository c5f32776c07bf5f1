# Extracted from test-conditions.R:21

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
expect_error(
    abort_reply("f", "{stop('no')} {{x}} {.cls y}"),
    "{stop('no')} {{x}} {.cls y}",
    fixed = TRUE, class = "mangoro_error_handler"
  )
