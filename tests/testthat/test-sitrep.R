# As on a machine of which all is known.
local_machine <- function(env = parent.frame()) {
  local_mocked_bindings(
    installed_version = function(package) "1.2.3",
    mangoro_cache_info = function() {
      data.frame(kind = "bin", path = "/c/bin", files = 2L, size = 3e6, last_used = Sys.time())
    },
    .env = env
  )
  local_cache(env)
}

report <- function(cache, ...) {
  withr::local_options(cli.width = 200) # paths are of any length
  expect_snapshot(mangoro_sitrep(), transform = scrub_paths(cache, ...))
}

test_that("a Go that can be used is told, and those that are not needed", {
  cache <- local_machine()
  old <- fake_go("echo go version go1.9.7 linux/amd64")
  new <- fake_go("echo go version go1.99.1 linux/amd64")
  newer <- fake_go("echo go version go1.99.2 linux/amd64")
  local_no_go(path = c(old, new, newer))
  report(cache, dirname(old), dirname(new), dirname(newer))
  sitrep <- mangoro_sitrep()
  expect_identical(sitrep$go, new)
  expect_identical(sitrep$candidates$used, c(FALSE, TRUE, FALSE))
  expect_identical(sitrep$go, find_go(NULL))
})

test_that("a Go that is missing, old or wrongly named is told with what to do", {
  cache <- local_machine()
  local_no_go()
  report(cache)
  expect_identical(mangoro_sitrep()$go, NA_character_)

  old <- fake_go("echo go version go1.9.7 linux/amd64")
  good <- fake_go("echo go version go1.99.1 linux/amd64")
  local_no_go(path = good)
  withr::local_envvar(MANGORO_GO = old)
  report(cache, dirname(old), dirname(good))
  expect_identical(mangoro_sitrep()$go, NA_character_)
})

test_that("settings that are wrong are part of the report", {
  cache <- local_machine()
  withr::local_options(mangoro.go_path = c("a", "b"))
  report(cache)
  withr::local_options(mangoro.cache_dir = 1, mangoro.go_path = NULL)
  expect_snapshot(mangoro_sitrep()$advice[[1]])
})
