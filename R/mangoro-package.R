#' @section Options:
#'
#' * `mangoro.timeout`: how long a call waits for its answer, in seconds;
#'   60 by default.
#' * `mangoro.connect_timeout`: how long a call waits for a server that has
#'   never listened, in seconds; 10 by default. [mangoro_start()] waits as long
#'   for a server that it starts.
#' * `mangoro.go_path`: the Go to use, a `go` binary or its `GOROOT`; see
#'   [go_binary_candidates()]. The environment variable `MANGORO_GO` does the
#'   same.
#' * `mangoro.cache_dir`: where built programs and Go's build cache are kept;
#'   see [mangoro_cache_info()]. The environment variable `MANGORO_CACHE_DIR`
#'   does the same.
#' * `mangoro.cache_max_age`, `mangoro.cache_max_size`: which built programs are kept there;
#'   see [mangoro_cache_info()].
#' * `mangoro.int64`: what whole numbers of Go are in R. `"auto"`, the default, is as R
#'   counts, like [length()]: a column is integer if all of its values fit, else double if
#'   all are exact, which they are up to 2^53, and else integer64 of package bit64.
#'   `"integer64"` makes integer64 of all columns of 64 bits, whatever their values, and
#'   `"double"` doubles, and an error of values that are not exact. An integer64 that R has
#'   sent and that comes back as it was is one again, except with `"double"`.
#' * `mangoro.shared_memory`: whether R and Go programs on the same Linux machine exchange data
#'   through shared memory; `TRUE` by default. With `FALSE`, everything goes through sockets, and
#'   results are ordinary vectors that R has allocated. A change takes effect with the next call,
#'   of programs that run too. [mangoro_sitrep()] says whether it is used.
#' * `mangoro.output`: whether what a Go program that R has started prints appears in R while it is called;
#'   `TRUE` by default. Standard output appears as by [cat()], standard error as messages of class
#'   `mangoro_message`, and of `mangoro_message_<level>`, where the level is `stderr`, `log`, `debug`,
#'   `info`, `warn` or `error`. [mangoro_logs()] has the end of it all the same.
#' * `mangoro.progress`: whether the progress that a Go function tells is shown as a bar; only in an
#'   interactive session by default. Within [progressr::with_progress()] it is a condition of that package.
#' * `mangoro.go_site`: where [mangoro_install_go()] downloads from;
#'   `"https://go.dev/dl/"` by default.
#'
#' @section Conditions:
#' Every failure is a condition of class `mangoro_error`, and of one of these:
#' `mangoro_error_toolchain`, `mangoro_error_build`, `mangoro_error_start`,
#' `mangoro_error_connection`, `mangoro_error_timeout`, `mangoro_error_cancelled`,
#' `mangoro_error_protocol`, `mangoro_error_not_found`,
#' `mangoro_error_invalid_argument`, `mangoro_error_handler`,
#' `mangoro_error_panic`, `mangoro_error_resource_exhausted`. The field `code`
#' is the last part of that class.
#' @useDynLib mangoro, .registration = TRUE
#' @importFrom rlang %||%
#' @importFrom nanonext context cv cv_reset is_error_value mclock request unresolved until_
#' @keywords internal
"_PACKAGE"

# What the package keeps in memory for the session:
#   pid                 of the process that loaded it: another one is a fork
#   signal              the condition variable of all lines, see new_line()
#   options             those that were last checked, see check_options()
#   retired             sockets that are to be closed, see retire()
#   locks, scratch, scratch_owners, host, swept
#                       temporary directories, see R/scratch.R
#   go                  what was found of Go binaries, see probe_one()
#   zone, tz            the time zone, and the TZ that it was found for
#   sites               the handles of mangoro_serve() that were not stopped, by their ids
#   private_files       certificates and keys in use, see note_private_files()
#   told_session_cache  TRUE after the message of tell_session_cache()
# and hashes of modules, see module_hash().
the <- new.env(parent = emptyenv())

# This session: what is saved and loaded again refers to another one.
session <- new.env(parent = emptyenv())

.onLoad <- function(libname, pkgname) {
  the$pid <- Sys.getpid()
}
