# Extracted from test-rpc.R:179

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# test -------------------------------------------------------------------------
puppet <- local_puppet()
result <- mangoro_rpc_call_message("f", data.frame(x = c(1, 2), s = c("a", "b")))
result[1] <- as.raw(2)
header <- result[1:10]
replies <- list(
    nothing = raw(1),
    text = charToRaw("HTTP/1.1 400 Bad Request"),
    call_as_result = c(as.raw(1), result[-1]),
    manifest_as_result = c(as.raw(0), result[-1]),
    no_arrow = c(header, charToRaw("no Arrow stream")),
    half_a_stream = utils::head(result, -40),
    body_cut_off = c(header, utils::head(result[-(1:10)], 300))
  )
for (what in names(replies)) {
    puppet$answer(replies[[what]])
    expect_error(mangoro_rpc_call(puppet$sock, "f"), class = "mangoro_error_protocol", info = what)
  }
puppet$answer(c(as.raw(0), raw(8), charToRaw("{no json")))
expect_error(mangoro_rpc_get_manifest(puppet$sock), class = "mangoro_error_protocol")
puppet$answer(c(as.raw(c(3, 0, 0, 0, 0, 0, 0, 0, 2)), charToRaw("no")))
expect_error(mangoro_rpc_call(puppet$sock, "f"), "no", class = "mangoro_error_handler")
