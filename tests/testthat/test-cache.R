test_that("the cache is where the option, the variable or R says", {
  a <- withr::local_tempdir()
  b <- withr::local_tempdir()
  withr::local_envvar(MANGORO_CACHE_DIR = a, `_R_CHECK_PACKAGE_NAME_` = NA)
  withr::local_options(mangoro.cache_dir = NULL)
  expect_identical(cache_dir(), real_path(a))
  withr::local_options(mangoro.cache_dir = file.path(b, "new"))
  expect_identical(cache_dir(), real_path(file.path(b, "new")))

  withr::local_options(mangoro.cache_dir = NULL)
  withr::local_envvar(MANGORO_CACHE_DIR = NA, R_USER_CACHE_DIR = b)
  expect_identical(cache_dir(), real_path(tools::R_user_dir("mangoro", "cache")))
  withr::local_envvar(`_R_CHECK_PACKAGE_NAME_` = "mangoro")
  expect_identical(cache_dir(), real_path(file.path(session_dir(), "cache")))
})

test_that("a cache that cannot be is an error", {
  file <- withr::local_tempfile(lines = "a file")
  withr::local_options(mangoro.cache_dir = file.path(file, "cache"))
  expect_error(mangoro_cache_info(), class = "mangoro_error_resource_exhausted")
  withr::local_options(mangoro.cache_dir = 1)
  expect_error(mangoro_cache_info(), class = "mangoro_error_invalid_argument")
})

test_that("a file that cannot be written is an error", {
  file <- withr::local_tempfile(lines = "a file")
  expect_error(write_atomically("x", file.path(file, "y")), class = "mangoro_error_resource_exhausted")
})

test_that("where there can be no cache of the user's, the session has one", {
  skip_on_os("windows")
  withr::local_options(mangoro.cache_dir = NULL)
  withr::local_envvar(
    MANGORO_CACHE_DIR = NA, `_R_CHECK_PACKAGE_NAME_` = NA, R_USER_CACHE_DIR = NA, XDG_CACHE_HOME = NA,
    HOME = "/nonexistent/home"
  )
  local_new_session()
  session <- file.path(real_path(session_dir()), "cache")
  expect_no_warning(expect_identical(cache_dir(), session))
  expect_no_warning(go_binary_candidates())
  expect_false(dir.exists("/nonexistent"))
  expect_snapshot(tell_session_cache())
  expect_silent(tell_session_cache())
  expect_s3_class(mangoro_sitrep(), "mangoro_sitrep")

  home <- withr::local_tempdir()
  withr::local_envvar(HOME = home)
  expect_identical(cache_dir(), real_path(tools::R_user_dir("mangoro", "cache")))
  expect_null(default_cache_dir()$why)
  unlink(file.path(home, ".cache"), recursive = TRUE)
  file.create(file.path(home, ".cache"))
  expect_identical(cache_dir(), session)
  expect_match(default_cache_dir()$why, "cannot be written")

  skip_if(Sys.info()[["effective_user"]] != "root")
  unlink(file.path(home, ".cache"))
  system2("chown", c("65534", home))
  expect_identical(cache_dir(), session)
  expect_match(default_cache_dir()$why, "belongs to another user")
  # Who names it so means it.
  withr::local_envvar(MANGORO_CACHE_DIR = home)
  expect_error(cache_dir(), class = "mangoro_error_invalid_argument")
})

test_that("everything works without a home directory", {
  skip_if_no_go()
  skip_on_os("windows")
  code <- c(
    "options(warn = 2)", "main <- tempfile(fileext = '.go')",
    "writeLines(c('package main', 'func main() { print(1) }'), main)",
    sprintf("out <- mangoro_go_build(main, tempfile(), gocache = '%s')", shared_gocache),
    "mangoro_sitrep()$go", "cat(processx::run(out)$stderr)"
  )
  homes <- c("/nonexistent", "", NA)
  sessions <- lapply(homes, function(home) {
    withr::local_envvar(HOME = home)
    other_session(code, MANGORO_CACHE_DIR = "", R_USER_CACHE_DIR = tempfile())
  })
  for (i in seq_along(homes)) {
    sessions[[i]]$wait()
    expect_match(sessions[[i]]$read_all_output(), "1$", info = format(homes[[i]]))
  }
})

# A cache of files, each of 1000 bytes and so many days old.
local_filled_cache <- function(..., env = parent.frame()) {
  cache <- local_cache(env)
  ages <- c(...)
  for (name in names(ages)) {
    file <- file.path(cache, name)
    dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
    writeBin(raw(1000), file)
    Sys.setFileTime(file, Sys.time() - ages[[name]] * 24 * 3600)
  }
  cache
}

test_that("the cache is told by its parts", {
  local_cache()
  columns <- c("kind", "path", "files", "size", "last_used")
  expect_named(mangoro_cache_info(), columns)
  expect_identical(nrow(mangoro_cache_info()), 0L)

  cache <- local_filled_cache("bin/a" = 0, "bin/b" = 3, "go-build/00/x" = 1, "other/x" = 0)
  dir.create(file.path(cache, "module"))
  info <- mangoro_cache_info()
  expect_named(info, columns)
  expect_identical(info$kind, c("bin", "go-build", "module"))
  expect_identical(info$path, file.path(cache, info$kind))
  expect_identical(info$files, c(2L, 1L, 0L))
  expect_identical(info$size, c(2000, 1000, 0))
  expect_s3_class(info$last_used, "POSIXct")
})

test_that("cleaning removes what is ours and nothing else", {
  cache <- local_filled_cache(
    "bin/a" = 0, "go-build/x" = 0, "mod/m/x" = 0, "other/x" = 0, "notes.txt" = 0
  )
  dir.create(file.path(cache, paste0("trash-", host_tag(), "-dead")))
  Sys.chmod(file.path(cache, "mod", c("m/x", "m")), "0555")
  before <- cache_epoch()
  expect_identical(expect_invisible(mangoro_cache_clean()), cache)
  expect_setequal(list.files(cache, recursive = TRUE), c("other/x", "notes.txt"))
  expect_setequal(list.files(cache), c("other", "notes.txt"))
  expect_false(cache_epoch() == before)
})

test_that("programs are removed by age and by size", {
  cache <- local_filled_cache("bin/a" = 1, "bin/b" = 2, "bin/c" = 40, "bin/.new-x" = 40, "go-build/x" = 99)
  kept <- function() list.files(file.path(cache, "bin"), all.files = TRUE, no.. = TRUE)
  prune_cache()
  expect_identical(kept(), c("a", "b"))
  mangoro_cache_clean(max_size = 1500)
  expect_identical(kept(), "a")
  withr::local_options(mangoro.cache_max_age = 0.5)
  prune_cache()
  expect_identical(kept(), character())
  expect_true(file.exists(file.path(cache, "go-build", "x")))
})

# As if a module without others travelled with the package, which takes no time to unpack.
local_small_module <- function(env = parent.frame()) {
  module <- local_files(
    go.mod = c("module mangoro.local", "", "go 1.25"), "vendor/modules.txt" = character(), env = env
  )
  withr::with_dir(module, utils::tar("vendor.tar.xz", "vendor", compression = "xz", tar = "internal"))
  unlink(file.path(module, "vendor"), recursive = TRUE)
  local_mocked_bindings(go_file = function(...) file.path(module, ...), .env = env)
}

test_that("each build keeps the limits, and the program that it has built", {
  skip_if_no_go()
  cache <- local_cache()
  local_small_module()
  for (limit in c(0, 2)) {
    for (text in c("a", "b", "c")) {
      src <- local_files(main.go = go_printing(sprintf("\"%s%d\"", text, limit)))
      expect_identical(output_of(build(src)), paste0(text, limit))
      size <- file.size(list.files(file.path(cache, "bin"), full.names = TRUE))
      withr::local_options(mangoro.cache_max_size = limit * max(size))
    }
    expect_length(size, max(1, limit))
  }
})

test_that("a module is removed by age", {
  cache <- local_filled_cache("module/a/go.mod" = 0, "module/b/go.mod" = 0)
  Sys.setFileTime(file.path(cache, "module", "a"), Sys.time() - 31 * 24 * 3600)
  prune_cache()
  expect_identical(list.files(file.path(cache, "module")), "b")
})

test_that("limits are checked", {
  local_cache()
  for (bad in list(-1, NA, "1", 1:2)) {
    expect_error(mangoro_cache_clean(max_age = !!bad), class = "mangoro_error_invalid_argument")
    expect_error(mangoro_cache_clean(max_size = !!bad), class = "mangoro_error_invalid_argument")
  }
})

test_that("a failure is tried again only if the cache was emptied meanwhile", {
  cache <- local_cache()
  tried <- character()
  build <- function(fails, cleans) {
    function() {
      tried <<- c(tried, cache_dir())
      if (length(tried) <= cleans) mangoro_cache_clean()
      if (length(tried) <= fails) abort_mangoro("build", "no")
      "built"
    }
  }
  expect_identical(retry_when_cleaned(build(fails = 2, cleans = 2)), "built")
  expect_length(tried, 3)

  tried <- character()
  expect_error(retry_when_cleaned(build(fails = 9, cleans = 0)), class = "mangoro_error_build")
  expect_length(tried, 1)

  # The last time in a cache of its own.
  tried <- character()
  expect_error(retry_when_cleaned(build(fails = 9, cleans = 9)), class = "mangoro_error_build")
  expect_length(tried, 5)
  expect_identical(tried[1:4], rep(cache, 4))
  expect_false(tried[[5]] == cache || dir.exists(tried[[5]]))
  expect_identical(cache_dir(), cache)
})

test_that("two sessions that build the same program at once both succeed", {
  skip_if_no_go()
  cache <- local_cache()
  src <- local_files(main.go = go_printing("\"both\""))
  outs <- file.path(src, c("out1", "out2"))
  sessions <- lapply(outs, function(out) {
    other_session(
      deparse(call("mangoro_go_build", src, out, gocache = shared_gocache)),
      MANGORO_CACHE_DIR = cache
    )
  })
  for (session in sessions) session$wait()
  said <- vapply(sessions, function(session) paste(session$read_all_output_lines(), collapse = "\n"), "")
  for (i in 1:2) expect_identical(sessions[[i]]$get_exit_status(), 0L, info = said[[i]])
  expect_identical(vapply(outs, output_of, "", USE.NAMES = FALSE), c("both", "both"))
  expect_length(list.files(file.path(cache, "bin"), all.files = TRUE, no.. = TRUE), 1)
})

test_that("builds succeed while another session empties the cache all the time", {
  skip_if_no_go()
  cache <- local_cache()
  local_small_module()
  # It ends by itself if this session is killed.
  code <- "cat('ready\\n'); end <- Sys.time() + 1200; while (Sys.time() < end) mangoro_cache_clean()"
  cleaner <- other_session(code, MANGORO_CACHE_DIR = cache)
  withr::defer(cleaner$kill())
  cleaner$poll_io(60000)
  expect_identical(cleaner$read_output_lines(1), "ready")

  out <- withr::local_tempfile()
  for (text in c("a", "b", "c")) {
    src <- local_files(main.go = go_printing(sprintf("\"%s\"", text)))
    expect_identical(output_of(mangoro_go_build(src, out, gocache = shared_gocache)), text)
  }
  expect_true(cleaner$is_alive())
})
