# Extracted from test-rpc.R:57

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
server <- local_server(test_source("server"))
x <- data.frame(x = 1)
expect_snapshot(error = TRUE, {
    mangoro_rpc_call(server$sock, "nope", x)
    mangoro_rpc_call(server$sock, "fail", x)
    mangoro_rpc_call(server$sock, "not_found", x)
    mangoro_rpc_call(server$sock, "panic", x)
  }, transform = function(lines) sub("the functions are .*", "the functions are ...", lines))
