test_that("the minimum is that of go.mod", {
  expect_match(mangoro_min_go_version(), "^1\\.[0-9]+$")
  expect_true(any(startsWith(readLines(go_file("go.mod")), paste0("go ", mangoro_min_go_version()))))
})

test_that("versions are read from what Go says", {
  says <- c(
    "go version go1.25 linux/amd64" = "1.25",
    "go version go1.25.12 linux/amd64" = "1.25.12",
    "go version go1.26rc1 linux/amd64" = "1.26rc1",
    "go version go1.26beta2 windows/arm64" = "1.26beta2",
    "go version go1.25.3-X:nodwarf5 linux/amd64" = "1.25.3",
    "go version go1.25.3 (Red Hat 1.25.3-1.el9) linux/amd64" = "1.25.3",
    "go version devel go1.28-abcdef Tue Nov 24 2026 linux/amd64" = "1.28-devel",
    "go version devel +abcdef Tue Nov 24 2020 linux/amd64" = NA,
    "gcc version 12.2.0" = NA,
    "go: command not found, try go1.25" = NA,
    " " = NA
  )
  for (line in names(says)) expect_identical(parse_go_version(!!line), says[[!!line]])
})

test_that("versions are compared as numbers, and candidates come before the release", {
  for (version in c("1.25", "1.25.0", "1.26rc1", "1.28-devel", "1.100", "2.0")) {
    expect_false(is_older(!!version, "1.25"))
  }
  for (version in c("1.9", "1.24.99", "1.25rc1", "1.25beta1", "1.25-devel", "0.99")) {
    expect_true(is_older(!!version, "1.25"))
  }
})

test_that("the candidates come in order, each once", {
  local_no_go()
  one <- fake_go()
  two <- fake_go()
  three <- fake_go()
  root <- withr::local_tempdir()
  dir.create(file.path(root, "bin"))
  file.copy(one, file.path(root, "bin"))

  local_no_go(path = c(three, one))
  withr::local_options(mangoro.go_path = one)
  withr::local_envvar(MANGORO_GO = two, GOROOT = root)
  expect_identical(go_binary_candidates(), c(one, two, file.path(root, "bin", "go"), three))
  expect_identical(go_candidates()$named, c(TRUE, TRUE, FALSE, FALSE))

  withr::local_options(mangoro.go_path = root)
  expect_identical(go_binary_candidates()[[1]], file.path(root, "bin", "go"))

  local_no_go()
  expect_identical(go_binary_candidates(), character())
})

test_that("every platform has its usual places, the newest Go first", {
  for (os in c("linux", "darwin", "windows")) expect_type(usual_places(os), "character")
  expect_identical(
    newest_first(c("/usr/lib/go-1.9/bin/go", "/usr/lib/go-1.25/bin/go", "/usr/lib/go/bin/go")),
    c("/usr/lib/go-1.25/bin/go", "/usr/lib/go-1.9/bin/go", "/usr/lib/go/bin/go")
  )
  expect_identical(
    newest_first(c("/sdk/go1.25.9/bin/go", "/sdk/go1.26rc1/bin/go", "/sdk/go1.25.10/bin/go")),
    c("/sdk/go1.26rc1/bin/go", "/sdk/go1.25.10/bin/go", "/sdk/go1.25.9/bin/go")
  )
})

test_that("the first Go that is new enough is used", {
  local_cache()
  old <- fake_go("echo go version go1.9.7 linux/amd64")
  new <- fake_go("echo warning: whatever >&2", "echo go version go1.99.1 linux/amd64")
  local_no_go(path = c(old, new))
  expect_identical(find_go(NULL), new)
  probed <- probe_go()
  expect_named(probed, c("path", "source", "version", "problem"))
  expect_identical(probed$version, c("1.9.7", "1.99.1"))
  expect_identical(is.na(probed$problem), c(FALSE, TRUE))
})

test_that("a Go that was named is used or refused, never passed over", {
  local_cache()
  good <- fake_go("echo go version go1.99.1 linux/amd64")
  old <- fake_go("echo go version go1.9.7 linux/amd64")
  local_no_go(path = good)
  expect_identical(find_go(NULL), good)

  withr::local_envvar(MANGORO_GO = "/no/such/go")
  cnd <- expect_error(find_go(NULL), class = "mangoro_error_toolchain")
  expect_identical(cnd$candidates$path, "/no/such/go")
  expect_false(mangoro_has_go())

  withr::local_options(mangoro.go_path = old)
  cnd <- expect_error(find_go(NULL), class = "mangoro_error_toolchain")
  expect_identical(cnd$candidates$version, "1.9.7")

  withr::local_options(mangoro.go_path = c("a", "b"))
  expect_error(find_go(NULL), class = "mangoro_error_invalid_argument")
  expect_false(mangoro_has_go())
  expect_error(go_binary_candidates(), class = "mangoro_error_invalid_argument")
})

test_that("what is no Go is refused with the reason", {
  local_cache()
  problem <- function(...) probe_one(fake_go(...))$problem
  expect_match(problem("echo hello"), "prints \"hello\"", fixed = TRUE)
  expect_match(problem("exit 3"), "status 3")
  expect_match(problem("kill -SEGV $$"), "prints nothing")
  expect_match(probe_one(withr::local_tempdir())$problem, "cannot be run")
  plain <- withr::local_tempfile(lines = "no program")
  expect_match(probe_one(plain)$problem, "`go version`", fixed = TRUE)
  expect_match(ask_go_version(fake_go("exec /bin/sleep 60"), timeout = 0.2), "does not answer")
})

test_that("a Go is asked once, as long as its file is the same", {
  local_cache()
  local_new_session()
  log <- withr::local_tempfile()
  script <- function(version) c(paste0("echo x >>'", log, "'"), paste0("echo go version go", version, " linux/amd64"))
  calls <- function() length(readLines(log))

  go <- fake_go(script("1.99"))
  for (i in 1:3) expect_identical(probe_one(go)$version, "1.99")
  expect_identical(calls(), 1L)
  local_new_session()
  probe_one(go)
  expect_identical(calls(), 1L)

  writeLines(c("#!/bin/sh", script("1.9.11")), go)
  expect_identical(probe_one(go)$version, "1.9.11")
  probe_one(go)
  expect_identical(calls(), 2L)
  local_new_session()
  probe_one(go)
  expect_identical(calls(), 3L)
})

test_that("the error says what was looked at and what to do", {
  local_cache()
  old <- fake_go("echo go version go1.9.7 linux/amd64")
  odd <- fake_go("echo '{not} a Go'")
  local_no_go(path = c(old, odd))
  expect_snapshot(find_go(NULL), error = TRUE, transform = scrub_paths(dirname(old), dirname(odd)))
  withr::local_options(mangoro.go_path = "/no/such/go")
  expect_snapshot(find_go(NULL), error = TRUE)
  local_no_go()
  expect_snapshot(find_go(NULL), error = TRUE)
})

test_that("the environment of Go is ours, but for what the user may set", {
  cache <- local_cache()
  withr::local_envvar(
    GOPROXY = "https://example.com", GOFLAGS = "-x", GOROOT = "/other", GOTOOLCHAIN = "auto",
    GOOS = "plan9", CGO_ENABLED = "1", GOMODCACHE = "/modules"
  )
  env <- go_env(4)
  expect_identical(anyDuplicated(names(env)), 0L)
  expect_identical(env[["GOPROXY"]], "off")
  expect_identical(env[["GOFLAGS"]], "-mod=vendor")
  expect_identical(env[["GOTOOLCHAIN"]], "local")
  expect_identical(env[["GOMAXPROCS"]], "4")
  expect_identical(env[["CGO_ENABLED"]], "0")
  expect_identical(env[["GOOS"]], "plan9")
  expect_false(any(c("GOROOT", "GOMODCACHE") %in% names(env)))
  expect_true(all(startsWith(env[c("GOCACHE", "GOPATH")], cache)))

  env <- go_env(own_module = TRUE)
  expect_identical(env[["GOPROXY"]], "https://example.com")
  expect_identical(env[["GOFLAGS"]], "-x")
  expect_identical(env[["GOMODCACHE"]], "/modules")
  expect_identical(env[["GOENV"]], "off")
})

test_that("downloaded modules are where the user has them", {
  cache <- local_cache()
  home <- withr::local_tempdir()
  withr::local_envvar(GOMODCACHE = NA, GOPATH = NA, HOME = home)
  expect_identical(module_cache(), file.path(cache, "mod"))
  withr::local_envvar(GOPATH = paste("/a", "/b", sep = .Platform$path.sep))
  expect_identical(module_cache(), "/a/pkg/mod")
  withr::local_envvar(GOMODCACHE = "/m")
  expect_identical(module_cache(), "/m")
})

test_that("telemetry is off on every platform", {
  dir <- withr::local_tempdir()
  expect_named(go_config_env(dir, "linux"), "XDG_CONFIG_HOME")
  expect_named(go_config_env(dir, "windows"), "AppData")
  expect_named(go_config_env(dir, "darwin"), "HOME")
  for (below in c("go", "Library/Application Support/go")) {
    expect_identical(readLines(file.path(dir, below, "telemetry", "mode")), "off")
  }
})

test_that("whether there is a Go is told without an error, and found once", {
  local_cache()
  local_new_session()
  log <- withr::local_tempfile(lines = character())
  local_no_go(path = fake_go(sprintf("echo run >>'%s'", log), "echo go version go1.99.1 linux/amd64"))
  expect_true(mangoro_has_go())
  expect_true(mangoro_has_go())
  expect_length(readLines(log), 1)
  file <- withr::local_tempfile(lines = "a file")
  withr::local_options(mangoro.cache_dir = file.path(file, "cache"))
  local_new_session()
  expect_false(mangoro_has_go())
})
