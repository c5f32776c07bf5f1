# Extracted from test-rpc.R:81

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
server <- local_server(command_source("rpc-example"))
expect_snapshot(error = TRUE, {
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1))
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1, y = "a"))
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1, z = 2))
    mangoro_rpc_call(server$sock, "echoStruct", data.frame(person = I(data.frame(name = NA_character_, age = 1L))))
    mangoro_rpc_call(server$sock, "transposeMatrix", data.frame(a = "text"))
  })
expect_error(
    mangoro_rpc_call(server$sock, "add", data.frame(x = 1)),
    class = "mangoro_error_invalid_argument"
  )
