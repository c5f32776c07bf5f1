# What a peer answers, whatever it is, never ends R and never raises anything but a
# condition of ours.

test_that("no broken reply is more than an error", {
  samples <- all_reply_samples()
  result <- read_in_session(samples, seed = 1, count = 2000)
  expect_identical(result$status, 0L, info = paste(c("R died of", result$reply, result$output), collapse = " "))
  expect_identical(lapply(result$found, `[`, c("reader", "message", "seed")), list())
  # They have refused most, and read some.
  expect_true(all(result$raised > 0))
  expect_lt(result$raised[["rpc_call"]], 2000)
  expect_lt(result$raised[["call"]], 2000)
})
