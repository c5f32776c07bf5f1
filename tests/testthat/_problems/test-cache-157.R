# Extracted from test-cache.R:157

# setup ------------------------------------------------------------------------
library(testthat)
test_env <- simulate_test_env(package = "mangoro", path = "..")
attach(test_env, warn.conflicts = FALSE)

# prequel ----------------------------------------------------------------------
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

# test -------------------------------------------------------------------------
skip_if_no_go()
cache <- local_cache()
cleaner <- other_session("cat('ready\\n'); repeat mangoro_cache_clean()", MANGORO_CACHE_DIR = cache)
withr::defer(cleaner$kill())
cleaner$poll_io(60000)
expect_identical(cleaner$read_output_lines(1), "ready")
out <- withr::local_tempfile()
for (text in c("a", "b", "c")) {
    src <- local_files(main.go = go_printing(sprintf("\"%s\"", text)))
    expect_identical(output_of(mangoro_go_build(src, out, gocache = shared_gocache)), text)
  }
