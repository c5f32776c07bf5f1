# As on a machine of which all is known.
local_machine <- function(env = parent.frame()) {
  local_mocked_bindings(
    installed_version = function(package) "1.2.3",
    cache_info = function(counted) {
      data.frame(
        kind = c("bin", "go-build", "module"), path = "/c", files = c(2L, NA, NA), size = c(3e6, NA, NA),
        last_used = Sys.time()
      )
    },
    shared_memory_status = function() {
      list(problem = NULL, refused = character(), leased = 4e7, pooled = 1e6, segments = 2)
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

test_that("where the cache is, what says so, and its limits are told", {
  local_machine()
  withr::local_options(cli.width = 200)
  expect_identical(mangoro_sitrep()$cache_source, "option mangoro.cache_dir")
  withr::local_options(mangoro.cache_dir = NULL, mangoro.cache_max_size = 5e6, mangoro.cache_max_age = 7)
  withr::local_envvar(MANGORO_CACHE_DIR = withr::local_tempdir(), `_R_CHECK_PACKAGE_NAME_` = "x")
  sitrep <- mangoro_sitrep()
  expect_identical(sitrep$cache_source, "MANGORO_CACHE_DIR")
  expect_identical(sitrep$cache_limits, list(age = 7, size = 5e6))
  expect_match(format(sitrep), "not used for 7 days .* beyond 5 MB", all = FALSE)
  expect_false(any(grepl("MANGORO_CACHE_DIR", sitrep$advice)))
  withr::local_envvar(MANGORO_CACHE_DIR = NA)
  sitrep <- mangoro_sitrep()
  expect_identical(sitrep$cache_source, "R CMD check")
  expect_match(sitrep$advice, "set the environment variable MANGORO_CACHE_DIR", all = FALSE)
})

test_that("the files of Go's build cache are not counted", {
  cache <- local_cache()
  for (part in c("bin", "go-build")) {
    dir.create(file.path(cache, part), recursive = TRUE, showWarnings = FALSE)
    writeBin(raw(1000), file.path(cache, part, "x"))
  }
  sitrep <- mangoro_sitrep()
  expect_identical(sitrep$cache$size[match(c("bin", "go-build"), sitrep$cache$kind)], c(1000, NA))
  expect_match(format(sitrep), "bin: 1 program, 1 kB;", fixed = TRUE, all = FALSE)
  expect_match(format(sitrep), "go-build: without limits", fixed = TRUE, all = FALSE)
})

test_that("why shared memory is not used is told", {
  expect_named(mangoro_sitrep()$shared_memory, c("problem", "refused", "leased", "pooled", "segments"))
  local_machine()
  local_mocked_bindings(shared_memory_status = function() list(problem = "the moon is full", refused = character()))
  expect_match(format(mangoro_sitrep()), "Not used: the moon is full. Everything goes through sockets.", all = FALSE)
})

test_that("a server that cannot open shared memory is told", {
  skip_if_no_shared_memory()
  h <- local_start("cmd/rpc-example")
  expect_false(any(grepl("moon", mangoro_sitrep()$shared_memory$refused)))
  state <- server_of(h)$connection$state
  close_lane(state)
  state$no_lane <- "the {moon} is full"
  expect_true("the {moon} is full" %in% mangoro_sitrep()$shared_memory$refused)
  expect_match(format(mangoro_sitrep()), "Not used with a server: the {moon} is full", fixed = TRUE, all = FALSE)
})

test_that("the option turns shared memory off", {
  withr::local_options(mangoro.shared_memory = FALSE)
  expect_identical(mangoro_sitrep()$shared_memory$problem, "options(mangoro.shared_memory) is FALSE")
})

test_that("an option that is not valid is told", {
  withr::local_options(mangoro.shared_memory = "no")
  sitrep <- mangoro_sitrep()
  expect_identical(sitrep$shared_memory$problem, "options(mangoro.shared_memory) is not valid")
  advice <- "`mangoro.shared_memory` must be `TRUE` or `FALSE`, not \"no\""
  expect_match(sitrep$advice, advice, fixed = TRUE, all = FALSE)
})
