test_that("no call runs twice, however it is cut off", {
  skip_on_os("windows")
  counts <- soak(
    build_once(test_source("counter")),
    calls = 250, fates = c(answer = 85, wait = 3, cut = 4, interrupt = 4, die = 4)
  )
  expect_identical(counts$more_than_once, 0L)
  expect_identical(counts$wrong, 0L)
  expect_identical(counts$answered_without_run, 0L)
  expect_gt(counts$answered, 150)
  expect_gte(counts$runs, counts$answered)
})
