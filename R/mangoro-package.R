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
#'
#' * `mangoro.int64`: what 64-bit integers of Go are in R. `"integer64"`, the
#'   default, is the class of package bit64;
#'   `"double"` makes numbers of them, and an error of those that are not exact.
#' * `mangoro.go_site`: where [mangoro_install_go()] downloads from;
#'   `"https://go.dev/dl/"` by default.
#'
#' @section Conditions:
#' Every failure is a condition of class `mangoro_error`, and of one of these:
#' `mangoro_error_toolchain`, `mangoro_error_build`, `mangoro_error_start`,
#' `mangoro_error_connection`, `mangoro_error_timeout`,
#' `mangoro_error_protocol`, `mangoro_error_not_found`,
#' `mangoro_error_invalid_argument`, `mangoro_error_handler`,
#' `mangoro_error_panic`, `mangoro_error_resource_exhausted`. The field `code`
#' is the last part of that class.
#' @useDynLib mangoro, .registration = TRUE
#' @importFrom rlang %||%
#' @importFrom nanonext context cv cv_reset is_error_value mclock request unresolved until_
#' @keywords internal
"_PACKAGE"

# What a session keeps in memory.
the <- new.env(parent = emptyenv())

# This session: what is saved and loaded again refers to another one.
session <- new.env(parent = emptyenv())

.onLoad <- function(libname, pkgname) {
  the$pid <- Sys.getpid()
}
