# What is kept between sessions: built programs, by a hash of everything that they
# depend on, Go's own build cache, the unpacked module. There is no index: a name is a
# hash, and a file appears under its name as a whole or not at all. All of it belongs to
# the user alone, see R/trust.R.

#' The cache of built programs
#'
#' @description
#' A program is built once, until it changes: `mangoro_go_build()` keeps it under a hash
#' of its sources, the Go toolchain and the build settings, in the directory
#' that the option `mangoro.cache_dir` or the environment variable
#' `MANGORO_CACHE_DIR` names, or else in `tools::R_user_dir("mangoro", "cache")`.
#' It is in the session's temporary directory if there is no home directory, or if that
#' belongs to another user or cannot be written to; a message then says that programs are
#' kept for this session only.
#'
#' Under `R CMD check` it is there too, since a check may not write elsewhere: each R
#' process of the check, one for each file in `tests`, one for each vignette, compiles the
#' modules again, which takes half a minute or more. To have that done once, name a
#' directory for all of them: by a line `MANGORO_CACHE_DIR=~/.cache/R/mangoro` in
#' `~/.R/check.Renviron` for checks of your own, and in CI by the environment variable,
#' for GitHub's with a step `echo "MANGORO_CACHE_DIR=$RUNNER_TEMP/mangoro" >> "$GITHUB_ENV"`;
#' a step that caches this directory keeps it from run to run. Nothing need be done in the
#' package, or for CRAN.
#'
#' Programs in the cache are run, so only the user may be able to change them: other users
#' cannot read the cache, and a cache is refused if another user owns it or can write to
#' it or to a folder above it. A folder above it may be one in which all users can
#' create files but replace only their own, such as `/tmp`, or one that the user's private
#' group can write to. On Windows, where the user's directories belong to the user alone,
#' nothing is checked.
#'
#' Before a program from the cache is started, its bytes are compared with a hash that
#' was computed when it was built (which takes 3 ms for 10 MB). If they have changed, the
#' program is removed and built again, with a message.
#'
#' After each build, programs that were not used for 30 days are removed, and
#' those used longest ago beyond 1 GB; the options `mangoro.cache_max_age` (in
#' days) and `mangoro.cache_max_size` (in bytes) change that. These limits are those of built
#' programs, `bin`, alone. Go's build cache, `go-build`, and the modules have none of ours: Go
#' itself removes what it has not used for five days from its build cache, once a day. To
#' empty everything at once, call `mangoro_cache_clean()` without arguments; the next build
#' then compiles the modules again, which takes half a minute or more. Any number of sessions
#' may build, use and clean the cache at the same time.
#'
#' @param max_age Remove only programs that were not used for this many days, one
#'   number of at least 0. `NULL`, the default, sets no limit.
#' @param max_size Remove only the programs used longest ago, until the others
#'   take up no more than this many bytes, one number of at least 0. `NULL`, the
#'   default, sets no limit. If both are `NULL`, the whole cache is removed.
#'
#' @returns `mangoro_cache_info()` a data frame with a row for each part of the
#'   cache that exists: `kind` (`"bin"` for built programs, `"go-build"` for
#'   Go's build cache, and others), `path`, `files` (their number), `size` (in
#'   bytes) and `last_used` (a time). `mangoro_cache_clean()` the directory of
#'   the cache, one string, invisibly.
#'
#' @section Errors:
#' * `mangoro_error_invalid_argument`: `max_age` or `max_size` is not a number of at
#'   least 0, or other users can change the cache; the field `path` then says where, and
#'   the message what to do. Everything that uses the cache raises this error.
#' * `mangoro_error_resource_exhausted`: the directory cannot be created.
#'
#' @examples
#' mangoro_cache_info()
#' @export
mangoro_cache_info <- function() cache_info(cache_parts)

# To count the files of Go's build cache may take half a minute: only those of the parts
# `counted` are.
cache_info <- function(counted) {
  parts <- file.path(cache_dir(), cache_parts)
  rows <- lapply(parts[dir.exists(parts)], function(part) {
    row <- data.frame(
      kind = basename(part), path = part, files = NA_integer_, size = NA_real_, last_used = as.POSIXct(NA)
    )
    if (!row$kind %in% counted) {
      return(row)
    }
    info <- file.info(list.files(part, recursive = TRUE, full.names = TRUE, all.files = TRUE))
    info <- info[!is.na(info$size), ] # what another session removed meanwhile
    row$files <- nrow(info)
    row$size <- sum(info$size)
    if (nrow(info) > 0) row$last_used <- max(info$mtime)
    row
  })
  none <- data.frame(
    kind = character(), path = character(), files = integer(), size = double(),
    last_used = as.POSIXct(character())
  )
  do.call(rbind, c(list(none), rows))
}

#' @rdname mangoro_cache_info
#' @export
mangoro_cache_clean <- function(max_age = NULL, max_size = NULL) {
  if (!is.null(max_age)) check_limit(max_age)
  if (!is.null(max_size)) check_limit(max_size)
  if (is.null(max_age) && is.null(max_size)) {
    empty_cache(cache_dir())
  } else {
    prune_cache(max_age %||% Inf, max_size %||% Inf)
  }
  invisible(cache_dir())
}

check_limit <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is_limit(x)) {
    abort_invalid_argument(
      arg,
      "{.arg {arg}} must be a number of at least 0, not {.obj_type_friendly {x}}.",
      call = call
    )
  }
}

# The directories that are ours. Nothing else is ever removed, in case the cache is in
# a directory with other files.
cache_parts <- c("bin", "go-build", "module", "toolchain", "config", "gopath", "mod", "deps")

# Everything is renamed first, which takes effect at once; removing takes longer. A
# build that is disturbed sees the trash or, when that is gone, another epoch, and
# starts again: so the epoch goes last.
empty_cache <- function(dir) {
  trash <- new_scratch(dir, "trash-")
  for (entry in c(cache_parts, "epoch")) {
    suppressWarnings(file.rename(file.path(dir, entry), file.path(trash, entry)))
  }
  remove_scratch(trash)
  remove_leftovers(dir, staging_prefixes)
}

# The limits that are kept after each build: in days and bytes.
cache_limits <- function() {
  list(age = read_option("mangoro.cache_max_age", 30), size = read_option("mangoro.cache_max_size", 1e9))
}

# Removes programs and modules that were not used for `max_age` days, and the
# programs used longest ago while all of them are larger than `max_size` bytes, but not
# the program `keep`.
prune_cache <- function(max_age = cache_limits()$age, max_size = cache_limits()$size, keep = NULL) {
  programs <- cache_entries("bin")
  modules <- cache_entries("module")
  is_old <- function(info) difftime(Sys.time(), info$mtime, units = "days") >= max_age
  unlink(setdiff(rownames(programs)[is_old(programs) | cumsum(programs$size) > max_size], keep))
  unlink(rownames(modules)[is_old(modules)], recursive = TRUE)
}

# The one used last comes first.
cache_entries <- function(part) {
  info <- file.info(list.files(file.path(cache_dir(), part), full.names = TRUE, all.files = TRUE, no.. = TRUE))
  info <- info[!is.na(info$size), ]
  info[order(info$mtime, decreasing = TRUE), ]
}

cache_dir <- function() {
  dir <- named_cache_dir()$dir %||% default_cache_dir()$dir
  create_private(dir)
  if (!dir.exists(dir)) {
    abort_resource_exhausted(c(
      "The cache directory {.path {dir}} cannot be created.",
      "i" = "Name another one with {.code options(mangoro.cache_dir = )}."
    ))
  }
  check_trusted(dir, call = NULL)
  dir <- real_path(dir)
  check_parts(file.path(dir, cache_parts))
  dir
}

# Checks the parts that exist, in a directory that is trusted: all at once, and only
# those that look suspicious step by step.
check_parts <- function(parts) {
  known <- .Call(c_file_owners, parts)
  for (part in parts[which(known$link | !known$own | known$writable)]) check_trusted(part, call = NULL)
  keep_private(parts)
}

# The directory that was chosen and the `source` of that choice, NULL if there is none.
named_cache_dir <- function() {
  option <- read_option("mangoro.cache_dir")
  variable <- Sys.getenv("MANGORO_CACHE_DIR")
  if (!is.null(option)) {
    list(dir = absolute_path(option), source = "option mangoro.cache_dir")
  } else if (nzchar(variable)) {
    list(dir = absolute_path(variable), source = "MANGORO_CACHE_DIR")
  } else if (is_check()) {
    list(dir = file.path(session_dir(), "cache"), source = "R CMD check")
  }
}

# The user's own, or the session's if that is not possible: `why` then says why.
default_cache_dir <- function() {
  dir <- user_dir("cache")
  why <- home_problem(dir)
  if (is.null(why)) {
    create_private(dir)
    if (file.access(dir, 2) != 0) why <- format_inline("{.path {dir}} cannot be written")
  }
  list(dir = if (is.null(why)) dir else file.path(session_dir(), "cache"), why = why)
}

# Why `dir`, below the home directory, cannot be used: system users have no home
# directory, and in a container or under sudo it may belong to another user.
home_problem <- function(dir) {
  home <- path.expand("~")
  if (is_windows() || !is_below(dir, sub("/$", "", home))) {
    NULL
  } else if (!is_absolute(home)) {
    "there is no home directory"
  } else if (!dir.exists(home)) {
    format_inline("the home directory {.path {home}} does not exist")
  } else if (!isTRUE(.Call(c_file_owners, real_path(home))$own)) {
    format_inline("the home directory {.path {home}} belongs to another user")
  }
}

# R_user_dir() warns where there is no home directory.
user_dir <- function(which) suppressWarnings(tools::R_user_dir("mangoro", which))

# Tells, once, that the programs of this session are not kept. Called before a build.
tell_session_cache <- function() {
  why <- if (is.null(named_cache_dir())) default_cache_dir()$why
  if (!is.null(why) && is.null(the$told_session_cache)) {
    the$told_session_cache <- TRUE
    cli::cli_inform(c(
      "Programs are kept for this session only: {why}.",
      "i" = "To keep them, name a directory with the environment variable {.envvar MANGORO_CACHE_DIR}."
    ))
  }
}

# A directory that only the user can access: what is created in it needs no checks.
create_private <- function(dir) dir.create(dir, recursive = TRUE, showWarnings = FALSE, mode = "0700")

# Closes the directories that an umask has opened to others.
keep_private <- function(dirs) {
  # Some may not exist.
  open <- dirs[which(bitwAnd(file.mode(dirs), 63L) > 0)]
  if (length(open) > 0 && !is_windows()) Sys.chmod(open, "0700", use_umask = FALSE)
}

# A part of the cache, to write to.
cache_part <- function(name) {
  dir <- file.path(cache_dir(), name)
  create_private(dir)
  dir
}

is_check <- function() nzchar(Sys.getenv("_R_CHECK_PACKAGE_NAME_"))

# --- While others build and clean -------------------------------------------

# Changes when the cache is emptied.
cache_epoch <- function() {
  file <- file.path(cache_dir(), "epoch")
  if (!nzchar(read_line(file))) write_atomically(basename(tempfile("")), file)
  read_line(file)
}

# An empty epoch was removed before it could be read.
is_cleaned_since <- function(epoch) {
  !nzchar(epoch) || length(list.files(cache_dir(), pattern = "^trash-")) > 0 || !identical(cache_epoch(), epoch)
}

# Runs `build` again if it fails while another session empties the cache, the last time
# in a cache that no other session knows.
retry_when_cleaned <- function(build, attempts = 5) {
  sweep()
  for (attempt in seq_len(attempts)) {
    if (attempt == attempts) {
      private <- tempfile("cache-", session_dir())
      rlang::local_options(mangoro.cache_dir = private)
      on.exit(unlink(private, recursive = TRUE), add = TRUE)
    }
    epoch <- cache_epoch()
    failure <- tryCatch(return(build()), error = identity)
    if (!is_cleaned_since(epoch)) break
  }
  raise(failure)
}

# --- Files ------------------------------------------------------------------

# A directory in which to make a file that is then moved to `dir` by a rename.
new_staging <- function(dir) {
  cache <- cache_dir()
  new_scratch(if (is_below(dir, cache)) cache else dir, ".new-")
}

write_atomically <- function(lines, file) {
  dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
  rlang::try_fetch(
    {
      staging <- new_staging(dirname(file))
      on.exit(remove_scratch(staging))
      temporary <- file.path(staging, "file")
      suppressWarnings(write_utf8(lines, temporary))
    },
    error = function(cnd) {
      abort_resource_exhausted("The cache file {.file {file}} cannot be written.", parent = cnd)
    }
  )
  suppressWarnings(file.rename(temporary, file))
}

# Copies the program `from` to `to`, which is then there as a whole or not at all.
# FALSE if it cannot be read or written.
copy_program <- function(from, to) {
  staging <- tryCatch(new_staging(dirname(to)), mangoro_error = function(cnd) NULL)
  if (is.null(staging)) {
    return(FALSE)
  }
  on.exit(remove_scratch(staging))
  temporary <- file.path(staging, "program")
  suppressWarnings(file.copy(from, temporary)) && move_program(temporary, to)
}

# Replaces `to` even while it runs.
move_program <- function(from, to) {
  Sys.chmod(from, "0755", use_umask = FALSE)
  suppressWarnings(file.rename(from, to))
}

# Marks what is used now, for the pruning.
touch <- function(path) suppressWarnings(Sys.setFileTime(path, Sys.time()))

# One hash of the contents and names.
hash_files <- function(files, names) {
  cli::hash_sha256(paste(names, cli::hash_file_sha256(files), sep = "\n", collapse = "\n"))
}
