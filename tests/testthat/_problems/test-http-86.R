# Extracted from test-http.R:86

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# prequel ----------------------------------------------------------------------
report <- function(status, message) data.frame(status = status, message = message)

# test -------------------------------------------------------------------------
server <- local_server(command_source("rpc-example"))
expect_error(mangoro_http_status(server$sock), class = "mangoro_error_not_found")
