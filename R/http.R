#' Serve a directory over HTTP
#'
#' @description
#' Control of the file server in `cmd/http-server`, which serves a directory
#' over HTTP or HTTPS from a process of its own, so that it answers while R
#' computes. It answers GET, HEAD and OPTIONS, ranges included, and never
#' leaves the directory.
#'
#' * `mangoro_http_start()` starts it and returns when it listens.
#' * `mangoro_http_status()` says whether it runs, and at which address.
#' * `mangoro_http_stop()` stops it. It may be started again.
#'
#' @param sock A handle of `mangoro_start("cmd/http-server")`, or a nanonext
#'   socket of protocol `"req"` that dials the controller. No default.
#' @param addr Host and port to listen at, one string. Port 0 takes a free one,
#'   which the message tells. The default, `"127.0.0.1:8080"`, is reachable
#'   from this machine only; `":8080"` is from everywhere.
#' @param dir The directory to serve, one string. The default is R's working
#'   directory. All of it is served, files whose name starts with a dot
#'   included, but not the certificate and key in use.
#' @param prefix The path below which it is served, one string. The default is
#'   `"/"`.
#' @param cors `TRUE` lets scripts of any web site that the user visits read
#'   the files. The default is `FALSE`.
#' @param coop `TRUE` isolates the pages from those of other origins, which
#'   WebAssembly threads need. The default is `FALSE`.
#' @param tls `TRUE` serves HTTPS, with `cert` and `key`. The default is
#'   `FALSE`.
#' @param cert,key Files of the certificate and its private key in PEM format,
#'   one string each. Needed for `tls = TRUE`; `NULL`, the default, otherwise.
#' @param silent `TRUE` writes no log lines to the controller's standard
#'   output. The default is `FALSE`.
#'
#' @returns A data frame of one row with the columns `status` and `message`,
#'   both strings: `"ok"` and what was done, or for `mangoro_http_status()`
#'   `"status"` and either `"running at <address>"` or `"stopped"`.
#'
#' @section Errors:
#' Those of [mangoro_rpc_call()]. A server that cannot be started, because the
#' address is taken, the directory does not exist or the certificate does not
#' match the key, is a `mangoro_error_handler`; starting one that runs is too.
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/http-server")
#' mangoro_http_start(server, "127.0.0.1:0", dir = R.home("doc"))
#' mangoro_http_status(server)
#' mangoro_http_stop(server)
#' close(server)
#' @export
mangoro_http_start <- function(sock, addr = "127.0.0.1:8080", dir = ".", prefix = "/",
                               cors = FALSE, coop = FALSE, tls = FALSE,
                               cert = NULL, key = NULL, silent = FALSE) {
  call <- rlang::current_env()
  check_string(addr)
  check_string(dir)
  check_string(prefix)
  check_flag(cors)
  check_flag(coop)
  check_flag(tls)
  check_flag(silent)
  if (tls) {
    check_string(cert)
    check_string(key)
  }
  # The controller need not share R's working directory.
  settings <- data.frame(
    addr = addr,
    dir = normalizePath(dir, mustWork = FALSE),
    prefix = prefix,
    cors = cors,
    coop = coop,
    tls = tls,
    cert = if (tls) normalizePath(cert, mustWork = FALSE) else "",
    key = if (tls) normalizePath(key, mustWork = FALSE) else "",
    silent = silent
  )
  http_call(sock, "startServer", settings, call)
}

#' @rdname mangoro_http_start
#' @export
mangoro_http_status <- function(sock) {
  http_call(sock, "serverStatus", NULL, rlang::current_env())
}

#' @rdname mangoro_http_start
#' @export
mangoro_http_stop <- function(sock) {
  http_call(sock, "stopServer", NULL, rlang::current_env())
}

http_call <- function(sock, func_name, data, call) {
  result <- rpc_call(sock, func_name, data, call = call, read = decode_record)
  if (!is.data.frame(result) || !identical(lapply(result, typeof), list(status = "character", message = "character"))) {
    abort_protocol(
      "The server is not an HTTP controller: it answered with the columns {.val {names(result)}}.",
      call = call
    )
  }
  result
}
