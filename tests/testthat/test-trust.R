skip_on_os("windows")

chmod <- function(path, mode) Sys.chmod(path, mode, use_umask = FALSE)

# As if the files named belonged to somebody else: only root can give files away.
local_owner <- function(paths, env = parent.frame()) {
  skip_if(Sys.info()[["effective_user"]] != "root")
  for (path in paths) system2("chown", c("-h", "65534", shQuote(path)))
  withr::defer(for (path in paths) system2("chown", c("-h", "0", shQuote(path))), envir = env)
}

test_that("a directory is trusted if nobody else can change it or what is above it", {
  dir <- withr::local_tempdir()
  cache <- file.path(dir, "a", "b")
  dir.create(cache, recursive = TRUE)
  expect_true(is_trusted(cache))
  expect_true(is_trusted(file.path(cache, "not", "there", "yet")))

  for (path in c(cache, dirname(cache), dir)) {
    for (mode in c("0777", "0772")) {
      chmod(path, mode)
      expect_identical(find_untrusted(cache)$path, real_path(path))
      expect_identical(find_untrusted(cache)$problem, "can be written by others")
    }
    chmod(path, "0755")
    expect_true(is_trusted(cache))
  }
  # As /tmp, but not for the cache itself.
  chmod(dir, "1777")
  expect_true(is_trusted(cache))
  chmod(cache, "1777")
  expect_identical(find_untrusted(cache)$path, real_path(cache))
})

test_that("links are followed, and their places looked at", {
  dir <- real_path(withr::local_tempdir())
  dir.create(file.path(dir, "real", "cache"), recursive = TRUE)
  dir.create(file.path(dir, "links"))
  link <- file.path(dir, "links", "link")
  file.symlink("../real", link)
  cache <- file.path(link, "cache")
  expect_true(is_trusted(cache))

  chmod(file.path(dir, "links"), "0777")
  expect_identical(find_untrusted(cache)$path, file.path(dir, "links"))
  chmod(file.path(dir, "links"), "0755")
  chmod(file.path(dir, "real"), "0777")
  expect_identical(basename(find_untrusted(cache)$path), "real")
  chmod(file.path(dir, "real"), "0755")

  file.symlink("round", file.path(dir, "round"))
  expect_match(find_untrusted(file.path(dir, "round"))$problem, "links")
})

test_that("what belongs to another user is not trusted, by root neither", {
  dir <- real_path(withr::local_tempdir())
  cache <- file.path(dir, "a", "b")
  dir.create(cache, recursive = TRUE)
  link <- file.path(dir, "link")
  file.symlink(cache, link)
  for (path in c(cache, dirname(cache), link)) {
    local({
      local_owner(path)
      found <- find_untrusted(link)
      expect_identical(found$path, path)
      expect_match(found$problem, "belongs to another user, with the id 65534")
    })
    expect_true(is_trusted(link))
  }
})

test_that("a random path is trusted if and only if each part of it is", {
  withr::local_seed(9)
  root <- real_path(withr::local_tempdir())
  modes <- c("0700", "0755", "0750", "0711", "1777", "0777", "0722", "0707", "1775")
  for (round in 1:60) {
    parts <- sample(modes, 4, replace = TRUE)
    path <- file.path(root, round, "b", "c", "d")
    dir.create(path, recursive = TRUE)
    steps <- utils::tail(path_steps(path), 4)
    for (i in rev(1:4)) chmod(steps[[i]], parts[[i]])
    others <- substr(parts, 4, 4) %in% c("7", "2") | substr(parts, 3, 3) %in% c("7", "2")
    wrong <- others & !(startsWith(parts, "1") & 1:4 < 4)
    # In a group of one's own nobody else is; whether this is one, the system knows.
    skip_group <- parts == "1775"
    wrong <- wrong & !skip_group
    expected <- if (any(wrong)) steps[[which(wrong)[[1]]]]
    found <- find_untrusted(path)$path
    if (!(skip_group[[4]] && !any(wrong))) expect_identical(found, expected, info = paste(parts, collapse = " "))
    for (step in steps) chmod(step, "0700")
  }
})

test_that("a cache that others can change is refused with what to do", {
  dir <- real_path(withr::local_tempdir())
  cache <- file.path(dir, "above", "the cache")
  dir.create(cache, recursive = TRUE)
  withr::local_options(mangoro.cache_dir = cache)
  scrub <- scrub_paths(dir)
  chmod(cache, "0777")
  expect_snapshot(error = TRUE, transform = scrub, mangoro_cache_info())
  chmod(cache, "0755")
  chmod(dirname(cache), "0777")
  expect_snapshot(error = TRUE, transform = scrub, mangoro_source(code = "func F() {}"))
  chmod(dirname(cache), "0755")
  for (part in cache_parts) {
    path <- cache_part(part)
    chmod(path, "0777")
    expect_error(cache_dir(), path, fixed = TRUE, class = "mangoro_error_invalid_argument")
    chmod(path, "0755")
    expect_identical(cache_dir(), cache)
    expect_identical(format(file.mode(path)), "700")
  }
  expect_snapshot(error = TRUE, transform = scrub, {
    chmod(dir, "0777")
    mangoro_go_build(test_source("puppet"), file.path(dir, "out"), gocache = dir)
  })
  chmod(dir, "0700")
})

test_that("a cache of another user is refused, by root too", {
  dir <- real_path(withr::local_tempdir())
  cache <- file.path(dir, "cache")
  dir.create(cache)
  local_owner(cache)
  withr::local_options(mangoro.cache_dir = cache)
  expect_snapshot(error = TRUE, transform = scrub_paths(dir), mangoro_cache_info())
})

test_that("what we make can be looked into by the user alone, whatever the umask", {
  withr::local_options(mangoro.cache_dir = file.path(withr::local_tempdir(), "new", "cache"))
  old <- Sys.umask("000")
  withr::defer(Sys.umask(old))
  path <- cache_part("bin")
  expect_identical(format(file.mode(c(path, cache_dir(), dirname(cache_dir())))), rep("700", 3))
})

test_that("a Go that mangoro has installed is used only if it is the user's", {
  data <- real_path(withr::local_tempdir())
  withr::local_envvar(R_USER_DATA_DIR = data)
  go <- go_below(file.path(go_install_dir(), "go1.99.0"))
  dir.create(dirname(go), recursive = TRUE)
  writeLines(c("#!/bin/sh", "echo go version go1.99.0 linux/amd64"), go)
  chmod(go, "0755")
  local_cache()
  expect_identical(probe_one(go)$problem, NA_character_)
  chmod(go, "0777")
  expect_identical(probe_one(go)$problem, paste(go, "can be written by others"))
  chmod(go, "0755")
  chmod(file.path(data, "R"), "0777")
  expect_match(probe_one(go)$problem, "can be written by others")
})
