# What a peer answers, whatever it is, never ends R and never raises anything but a
# condition of ours.

test_that("no broken reply is more than an error", {
  samples <- reply_samples(
    local_server(test_source("types")), local_server(test_source("server")), local_server(test_source("typed"))
  )
  result <- read_in_session(samples, seed = 1, count = 2000)
  expect_identical(result$status, 0L, info = paste(c("R died of", result$reply), collapse = " "))
  expect_identical(result$found, list())
  expect_gt(result$raised, 2000)
})
