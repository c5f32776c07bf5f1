# Who can change the files that we run. Programs in the cache are run as the user, who
# may be root: so no other user may be able to change them, or a folder above them.

# Refuses a directory of programs if others can change it or a folder above it.
# `instead` says how to name another directory.
check_trusted <- function(path, arg = "cache_dir", instead = name_cache_dir, call = rlang::caller_env()) {
  found <- find_untrusted(path)
  if (is.null(found)) {
    return(invisible(path))
  }
  recursive <- if (is_below(found$path, path)) "-R "
  mend <- if (found$own) "chmod {recursive}go-w" else "chown {recursive}{Sys.info()[['effective_user']]}"
  abort_invalid_argument(
    arg,
    c(
      "Other users can replace the Go programs in {.path {path}}, so they are not used.",
      "x" = "{.path {found$path}} {found$problem}.",
      "i" = paste0("If you trust what is in it, run {.code ", mend, " {shQuote(found$path)}}."),
      "i" = instead
    ),
    path = found$path,
    call = call
  )
}

name_cache_dir <- "Or name another directory with {.code options(mangoro.cache_dir = )} or the environment
                   variable {.envvar MANGORO_CACHE_DIR}."

is_trusted <- function(path) is.null(find_untrusted(path))

# The first part of a path that others can change: its path, what the problem is,
# and whether we own it. NULL if there is none, or if the system has no owners.
#
# A folder in which all users can create files but replace only their own, such as
# /tmp, may stand above what we own. Links are followed step by step: whoever can
# change a link decides where the path leads.
find_untrusted <- function(path, links = 40) {
  steps <- path_steps(path)
  known <- .Call(c_file_owners, steps)
  if (is.null(known)) {
    return(NULL)
  }
  last <- length(steps)
  wrong <- !known$own | known$writable & !(known$sticky & seq_along(steps) < last)
  stop_at <- match(TRUE, wrong | known$link | is.na(known$link), nomatch = last + 1)
  if (stop_at > last || is.na(known$link[[stop_at]])) {
    return(NULL)
  }
  if (wrong[[stop_at]]) {
    return(list(
      path = steps[[stop_at]], own = known$own[[stop_at]],
      problem = describe_access(known$own[[stop_at]], known$uid[[stop_at]])
    ))
  }
  if (links == 0) {
    return(list(path = path, own = TRUE, problem = "has too many symbolic links"))
  }
  target <- Sys.readlink(steps[[stop_at]])
  if (!is_absolute(target)) target <- file.path(dirname(steps[[stop_at]]), target)
  rest <- substring(steps[[last]], nchar(steps[[stop_at]]) + 1)
  find_untrusted(paste0(target, rest), links - 1)
}

describe_access <- function(own, uid) {
  if (own) "can be written by others" else sprintf("belongs to another user, with the id %.0f", uid)
}

# The folders above a path, and the path: "/", "/a", "/a/b".
path_steps <- function(path) {
  parts <- strsplit(path, "/", fixed = TRUE)[[1]]
  Reduce(function(above, part) file.path(sub("/$", "", above), part), parts[nzchar(parts) & parts != "."], "/",
    accumulate = TRUE
  )
}
