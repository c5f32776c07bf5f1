#' A new address for a server on this machine
#'
#' The URL of an ipc socket that no other process uses and only the user can
#' reach: a Unix domain socket in a directory below the session's temporary one,
#' or a named pipe on Windows. There is no socket until a server listens there.
#'
#' Unix limits the length of a socket's path to about a hundred bytes. Where
#' the session's temporary directory is too deep, the directory is made below
#' `/tmp`. It is readable by the user alone and removed when the session ends; if that
#' is killed, by a server that it started or by the next session of the user that
#' builds or starts a program.
#'
#' @param prefix How the name starts, one string without a path separator. The
#'   default is `"mangoro"`.
#'
#' @returns The URL, one string such as `"ipc:///tmp/RtmpX/mangoro-1a2b-3c4d/mangoro5e6f.ipc"`.
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
  ipc_path(prefix, os = os_name(), dir = session_dir())
}

ipc_path <- function(prefix, os, dir) {
  if (os == "windows") {
    # The name of a pipe, not of a file: there are no directories.
    return(paste0("ipc://", basename(tempfile(prefix)), "-", Sys.getpid()))
  }
  path <- tempfile(prefix, tmpdir = dir, fileext = ".ipc")
  if (nchar(path, "bytes") > max_socket_path) {
    path <- tempfile(prefix, tmpdir = scratch_in("/tmp"), fileext = ".ipc")
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
