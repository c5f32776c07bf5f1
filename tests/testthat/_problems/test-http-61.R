# Extracted from test-http.R:61

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# prequel ----------------------------------------------------------------------
report <- function(status, message) data.frame(status = status, message = message)

# test -------------------------------------------------------------------------
server <- local_server(command_source("http-server"))
dir <- withr::local_tempdir()
file <- file.path(dir, "file")
writeLines("x", file)
start <- function(...) mangoro_http_start(server$sock, "127.0.0.1:0", ...)
