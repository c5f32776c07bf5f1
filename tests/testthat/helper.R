# `make test-off` runs all tests without shared memory.
if (identical(Sys.getenv("MANGORO_TEST_SHARED_MEMORY"), "false")) options(mangoro.shared_memory = FALSE)

has_shared_memory <- function() wants_shared_memory() && is.null(.Call(c_segment_problem))

# With shared memory and without.
both_ways <- function(code) {
  code <- rlang::enexpr(code)
  env <- rlang::caller_env()
  ways <- if (has_shared_memory()) c(TRUE, FALSE) else FALSE
  for (way in ways) withr::with_options(list(mangoro.shared_memory = way), eval(code, env))
}

skip_if_no_shared_memory <- function() skip_if_not(has_shared_memory(), "no shared memory")

skip_if_no_go <- function() {
  skip_if_not(mangoro_has_go(), "no Go that is new enough")
}

# A separate cache for a test that needs an empty one.
local_cache <- function(env = parent.frame()) {
  dir <- withr::local_tempdir(.local_envir = env)
  withr::local_options(mangoro.cache_dir = dir, .local_envir = env)
  normalizePath(dir)
}

# Go's build cache, which all tests share so that they are fast.
shared_gocache <- file.path(cache_dir(), "go-build")

build <- function(src, out = tempfile("program"), ...) {
  mangoro_go_build(src, out, gocache = shared_gocache, ...)
}

# A shell script that stands in for `go`.
fake_go <- function(..., name = "go", env = parent.frame()) {
  skip_on_os("windows")
  path <- file.path(withr::local_tempdir(.local_envir = env), name)
  writeLines(c("#!/bin/sh", ...), path)
  Sys.chmod(path, "0755")
  path
}

# A go that writes its arguments to a file, one line per call, and then runs Go.
logging_go <- function(env = parent.frame()) {
  log <- withr::local_tempfile(.local_envir = env)
  file.create(log)
  go <- fake_go(sprintf("echo \"$*\" >>'%s'", log), sprintf("exec '%s' \"$@\"", find_go(NULL)), env = env)
  list(path = go, calls = function() readLines(log))
}

# Hides every Go, whether configured or installed, except for `path`.
local_no_go <- function(path = character(), env = parent.frame()) {
  withr::local_options(mangoro.go_path = NULL, .local_envir = env)
  withr::local_envvar(MANGORO_GO = NA, GOROOT = NA, .local_envir = env)
  local_mocked_bindings(
    usual_places = function(os) character(),
    installed_places = function() character(),
    find_on_path = function(name) path,
    .env = env
  )
}

# Simulates a new session, which has not probed Go or hashed a module yet.
local_new_session <- function(env = parent.frame()) {
  local_mocked_bindings(the = new.env(), .env = env)
}

# Creates files from their lines: local_files(main.go = c(...), "data/x.txt" = "x").
local_files <- function(..., env = parent.frame()) {
  dir <- withr::local_tempdir(.local_envir = env)
  files <- list(...)
  for (name in names(files)) {
    dir.create(dirname(file.path(dir, name)), recursive = TRUE, showWarnings = FALSE)
    writeLines(files[[name]], file.path(dir, name))
  }
  normalizePath(dir)
}

# A program that prints an expression.
go_printing <- function(expression, ...) {
  c("package main", "", "import \"fmt\"", ..., "", sprintf("func main() { fmt.Print(%s) }", expression))
}

output_of <- function(program) processx::run(program)$stdout

# Another R session that runs `code`, with mangoro loaded unless `load` is FALSE, and with
# the same option about shared memory and the same cache: in R CMD check, that is one of
# this session, without which the other builds all that it runs.
other_session <- function(code, ..., load = TRUE) {
  package <- find.package("mangoro")
  load <- if (!load) {
    character()
  } else if (dir.exists(file.path(package, "Meta"))) {
    sprintf("library(mangoro, lib.loc = '%s')", dirname(package))
  } else {
    sprintf("pkgload::load_all('%s', quiet = TRUE)", package)
  }
  script <- tempfile(fileext = ".R")
  option <- sprintf("options(mangoro.shared_memory = %s)", deparse(getOption("mangoro.shared_memory")))
  writeLines(c(load, option, code), script)
  processx::process$new(
    file.path(R.home("bin"), "Rscript"), script,
    env = c(
      "current",
      R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep), MANGORO_CACHE_DIR = cache_dir(), ...
    ),
    stdout = "|", stderr = "2>&1", cleanup_tree = TRUE
  )
}

# R 4.6 ignores SIGINT where it was started so, as a shell starts its background jobs.
skip_if_no_sigint <- function() {
  skip_on_os("windows")
  sent <- processx::run("sh", c("-c", "kill -INT $$; echo ignored"), error_on_status = FALSE)
  skip_if(nzchar(sent$stdout), "SIGINT is ignored")
}

# Replaces the directories of this run in messages.
scrub_paths <- function(...) {
  dirs <- c(...)
  function(lines) {
    for (i in seq_along(dirs)) lines <- gsub(dirs[[i]], paste0("<dir", i, ">"), lines, fixed = TRUE)
    lines
  }
}

# Messages without the location of code, which is in a test file if R keeps that.
scrub_location <- function(lines) gsub("(test-[a-z]+.R|<inline>):[0-9]+:[0-9]+", "<location>", lines)
