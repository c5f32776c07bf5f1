# What is kept between sessions: built programs by the hash of all that went
# into them, Go's own build cache, the unpacked module. No index: a name is a
# hash, and a file appears under it whole or not at all.

#' The cache of built programs
#'
#' @description
#' An unchanged program is built once: `mangoro_go_build()` keeps it under a hash
#' of its sources, the Go toolchain and the build settings, in the directory
#' that the option `mangoro.cache_dir` or the environment variable
#' `MANGORO_CACHE_DIR` names, or else in `tools::R_user_dir("mangoro", "cache")`.
#' Under `R CMD check` everything is in the session's temporary directory.
#'
#' After each build, programs that were not used for 30 days are removed, and
#' the oldest ones beyond 1 GB. `mangoro_cache_clean()` removes everything. Any
#' number of sessions may build, use and clean the cache at the same time.
#'
#' @returns `mangoro_cache_info()` a data frame with a row for each part of the
#'   cache that exists: `kind` (`"bin"` for built programs, `"go-build"` for
#'   Go's build cache, and others), `path`, `files` (their number), `size` (in
#'   bytes) and `last_used` (a time). `mangoro_cache_clean()` the directory,
#'   invisibly.
#'
#' @examples
#' mangoro_cache_info()
#' @export
mangoro_cache_info <- function() {
  parts <- list.dirs(cache_dir(), recursive = FALSE)
  rows <- lapply(parts, function(part) {
    info <- file.info(list.files(part, recursive = TRUE, full.names = TRUE, all.files = TRUE))
    data.frame(
      kind = basename(part),
      path = part,
      files = nrow(info),
      size = sum(info$size, na.rm = TRUE),
      last_used = if (nrow(info) > 0) max(info$mtime, na.rm = TRUE) else as.POSIXct(NA)
    )
  })
  none <- data.frame(
    kind = character(), path = character(), files = integer(), size = double(),
    last_used = as.POSIXct(character())
  )
  do.call(rbind, c(list(none), rows))
}

#' @rdname mangoro_cache_info
#' @export
mangoro_cache_clean <- function() {
  dir <- cache_dir()
  # Renamed first, which takes effect at once; removing takes its time. A build
  # that this disturbs sees another epoch and starts again.
  entries <- list.files(dir, all.files = TRUE, no.. = TRUE, full.names = TRUE)
  entries <- entries[order(basename(entries) != "epoch")]
  trash <- tempfile("trash-", dir)
  dir.create(trash, showWarnings = FALSE)
  for (entry in entries) {
    suppressWarnings(file.rename(entry, file.path(trash, basename(entry))))
  }
  # Go's module cache is read-only.
  Sys.chmod(list.dirs(trash), "0700", use_umask = FALSE)
  unlink(trash, recursive = TRUE, force = TRUE)
  invisible(dir)
}

cache_dir <- function() {
  option <- getOption("mangoro.cache_dir")
  variable <- Sys.getenv("MANGORO_CACHE_DIR")
  dir <- if (rlang::is_string(option)) {
    option
  } else if (nzchar(variable)) {
    variable
  } else if (is_check()) {
    file.path(tempdir(), "mangoro")
  } else {
    tools::R_user_dir("mangoro", "cache")
  }
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  normalizePath(dir)
}

is_check <- function() nzchar(Sys.getenv("_R_CHECK_PACKAGE_NAME_"))

# Changes when the cache is cleaned.
cache_epoch <- function() {
  file <- file.path(cache_dir(), "epoch")
  read <- function() tryCatch(readLines(file, warn = FALSE), error = function(cnd) "", warning = function(cnd) "")
  if (identical(read(), "")) write_atomically(basename(tempfile()), file)
  read()
}

# Runs `build` again for as long as it fails while somebody cleans the cache.
retry_when_cleaned <- function(build, attempts = 10) {
  for (attempt in seq_len(attempts)) {
    epoch <- cache_epoch()
    result <- build()
    if (!is.null(result$error) && attempt < attempts && !identical(cache_epoch(), epoch)) next
    return(result)
  }
}

write_atomically <- function(lines, file) {
  dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
  temporary <- tempfile(".new-", dirname(file))
  writeLines(lines, temporary)
  file.rename(temporary, file)
}

# Copies `from` to `to`, so that `to` is there whole or not at all. FALSE if it
# cannot be read or written.
copy_atomically <- function(from, to) {
  temporary <- tempfile(".new-", dirname(to))
  on.exit(unlink(temporary))
  suppressWarnings(
    file.copy(from, temporary, copy.mode = FALSE) &&
      Sys.chmod(temporary, "0755", use_umask = FALSE) &&
      file.rename(temporary, to)
  )
}

cached_program <- function(key) file.path(cache_dir(), "bin", key)

# Marks what was used now, for the pruning.
touch <- function(path) suppressWarnings(Sys.setFileTime(path, Sys.time()))

# Removes programs and modules that were not used for `max_age` days, and the
# programs used longest ago while all of them are larger than `max_size` bytes.
prune_cache <- function(max_age = 30, max_size = 1e9) {
  programs <- file.info(list.files(file.path(cache_dir(), "bin"), full.names = TRUE))
  programs <- programs[order(programs$mtime, decreasing = TRUE), ]
  modules <- file.info(list.dirs(file.path(cache_dir(), "module"), recursive = FALSE))
  is_old <- function(info) difftime(Sys.time(), info$mtime, units = "days") > max_age
  unlink(rownames(programs)[is_old(programs) | cumsum(programs$size) > max_size])
  unlink(rownames(modules)[is_old(modules)], recursive = TRUE)
}
