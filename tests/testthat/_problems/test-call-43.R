# Extracted from test-call.R:43

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
server <- local_server(test_source("typed"))
call <- function(...) mangoro_call(server$sock, ...)
