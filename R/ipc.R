#' A new address for a server on this machine
#'
#' The URL of an ipc socket that no other process uses and only the user can
#' reach: a Unix domain socket in the session's temporary directory, or a named
#' pipe on Windows. Nothing is created until a server listens there.
#'
#' Unix limits the length of a socket's path to about a hundred bytes. Where
#' the session's temporary directory is too deep, one of its own below `/tmp`
#' is made, readable by the user alone and removed when the session ends.
#'
#' @param prefix How the name starts, one string without a path separator. The
#'   default is `"mangoro"`.
#'
#' @returns The URL, one string such as `"ipc:///tmp/RtmpX/mangoro1a2b.ipc"`.
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` if `prefix` is not such a string.
#'
#' @examples
#' create_ipc_path()
#' @export
create_ipc_path <- function(prefix = "mangoro") {
  check_string(prefix)
  if (grepl("[/\\\\]", prefix)) {
    abort_invalid_argument(
      "prefix",
      "{.arg prefix} must not contain a path separator, as {.val {prefix}} does.",
      call = rlang::current_env()
    )
  }
  ipc_path(prefix, os = os_name(), dir = tempdir())
}

# The longest path of a Unix socket that macOS takes; Linux takes 107 bytes.
max_socket_path <- 103

ipc_path <- function(prefix, os, dir) {
  if (os == "windows") {
    # The name of a pipe, not of a file: there are no directories.
    return(paste0("ipc://", basename(tempfile(prefix)), "-", Sys.getpid()))
  }
  path <- tempfile(prefix, tmpdir = dir, fileext = ".ipc")
  if (nchar(path, "bytes") > max_socket_path) {
    path <- tempfile(prefix, tmpdir = short_dir(), fileext = ".ipc")
  }
  if (nchar(path, "bytes") > max_socket_path) {
    abort_invalid_argument(
      "prefix",
      "{.arg prefix} is too long for the path of a socket: {.val {prefix}}.",
      call = rlang::caller_env()
    )
  }
  paste0("ipc://", path)
}

# One short directory a session, made when it is first needed.
short_dir <- function() {
  if (is.null(the$short_dir)) {
    dir <- tempfile("mangoro", tmpdir = "/tmp")
    dir.create(dir, mode = "0700")
    the$short_dir <- dir
    the$short_dir_owner <- rlang::new_environment(list(dir = dir, pid = Sys.getpid()))
    reg.finalizer(the$short_dir_owner, remove_short_dir, onexit = TRUE)
  }
  the$short_dir
}

# A forked child must not remove what its parent uses.
remove_short_dir <- function(owner) {
  if (owner$pid == Sys.getpid()) unlink(owner$dir, recursive = TRUE)
}

os_name <- function() {
  if (.Platform$OS.type == "windows") return("windows")
  tolower(Sys.info()[["sysname"]])
}
