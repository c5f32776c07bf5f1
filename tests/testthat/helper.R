skip_if_no_go <- function() {
  skip_if_not(has_go(), "no Go that is new enough")
}

# A cache of its own for a test that needs an empty one.
local_cache <- function(env = parent.frame()) {
  dir <- withr::local_tempdir(.local_envir = env)
  withr::local_options(mangoro.cache_dir = dir, .local_envir = env)
  normalizePath(dir)
}
