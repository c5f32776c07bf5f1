#' Start a Go server, connect to one
#'
#' @description
#' `mangoro_start()` builds a Go program that is a server, starts it in a process
#' of its own and returns a [handle], whose elements are the Go functions.
#' `mangoro_connect()` returns a handle of a server that runs already.
#'
#' A program is a server if it takes a URL as its first argument and answers
#' there: the main function of such a program calls `rgoipc.Main`. [mangoro_source()]
#' makes one of Go functions without a main function.
#'
#' @param src What to start, one string, no default:
#'   * a `.go` file or a directory, as for [mangoro_go_build()];
#'   * a command of the package, such as `"cmd/rpc-example"`;
#'   * a program that was built, the path of an executable file.
#' @param ... More arguments for `go build`, as for [mangoro_go_build()].
#' @param args More arguments for the program, after its URL, a character vector.
#'   The default is none.
#' @param env Variables for the environment of the program beside R's own, a named
#'   character vector. `NULL`, the default, is none. They win over R's.
#' @param timeout The longest time that a call waits for its answer in seconds, one
#'   number above 0; `Inf` waits for ever. `NULL`, the default, is the option
#'   `mangoro.timeout`, or 60.
#' @param quiet As for [mangoro_go_build()].
#' @param url Where the server listens, one string such as
#'   `"ipc:///tmp/server.ipc"` or `"tls+tcp://host:5555"`. No default.
#' @param tls A configuration of [nanonext::tls_config()] for `tls+tcp` and `wss` URLs,
#'   which names the certificate that the server's is signed by: `tls_config(client =
#'   "ca.pem")`. Each host needs one of its own. `NULL`, the default, is none, for all
#'   other URLs.
#' @param insecure `TRUE` also connects where the server is not verified, or others can
#'   read what is sent: with a `tls` that does not verify certificates (`auth = FALSE`, or none at all), or by
#'   `tcp` or `ws` to another machine. The default is `FALSE`.
#'
#' @details
#' Both return as soon as the server has described its functions, and wait for
#' that as long as the option `mangoro.connect_timeout` says, 10 seconds by
#' default. The end of what the program prints is kept for [mangoro_logs()], and the
#' program never waits for R to read it; its standard input is empty. It listens at
#' an ipc socket that only the user can reach.
#'
#' A program has the working directory and the environment variables that R has when it
#' is started, and local time in R's time zone, which is the variable `TZ` unless `env`
#' says another. What `setwd()` and `Sys.setenv()` change later is R's alone;
#' [mangoro_restart()] starts the program with what they are then. So a relative path in
#' an argument may mean another file to Go than to R: pass `normalizePath(path)`. Of R's
#' locale, Go sees only environment variables such as `LC_ALL`; texts are UTF-8 both
#' ways, whatever they say.
#'
#' @returns A [handle].
#'
#' @section Errors:
#' Those of [mangoro_go_build()], and:
#' * `mangoro_error_start`: the program ended, or did not listen in time. The
#'   fields `status` and `stderr` have its exit status and last lines.
#' * `mangoro_error_connection`: no server listens at `url`, what listens there does not
#'   answer as a server, or its certificate is refused.
#' * `mangoro_error_invalid_argument`: an argument is not as described, or needs
#'   `insecure = TRUE`.
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/rpc-example")
#' server$add(1:3, 0.5)
#'
#' same <- mangoro_connect(mangoro_status(server)$url)
#' same$echoString("hello")
#'
#' close(same)
#' close(server)
#' @export
mangoro_start <- function(src, ..., args = character(), env = NULL, timeout = NULL,
                          quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  check_string(src)
  if (!is.character(args) || anyNA(args)) {
    abort_invalid_argument("args", "{.arg args} must be strings, not {.obj_type_friendly {args}}.", call = call)
  }
  check_env(env)
  if (!is.null(timeout)) check_seconds(timeout)
  check_flag(quiet)
  path <- command_path(src)
  if (!is_program(path)) check_src(path, call)
  settings <- build_settings(arguments = list(...), quiet = quiet, call = call)
  launch <- new_launch(src, real_path(path), settings, args, env)
  server <- new_server(src, create_ipc_path(), timeout, launch = launch)
  start_server(server, call)
  new_handle(server)
}

#' @rdname mangoro_start
#' @export
mangoro_connect <- function(url, tls = NULL, timeout = NULL, insecure = FALSE) {
  call <- rlang::current_env()
  check_string(url)
  if (!is.null(timeout)) check_seconds(timeout)
  check_flag(insecure)
  server <- new_server(url, url, timeout, tls = check_security(url, tls, insecure, call))
  connect_server(server, call)
  new_handle(server)
}

# The TLS configuration to dial `url` with: one that verifies the server, unless the user
# sets `insecure`.
check_security <- function(url, tls, insecure, call) {
  if (!speaks_tls(url)) {
    if (!is.null(tls)) {
      abort_invalid_argument(
        "tls", "{.arg tls} is for {.val tls+tcp} and {.val wss} URLs, not {.url {url}}.",
        call = call
      )
    }
    if (is_remote(url) && !insecure) {
      abort_invalid_argument(
        "url",
        c(
          "{.url {url}} is on another machine: without TLS, anybody on the way can read and change what is sent.",
          "i" = "Use {.val tls+tcp://} or {.val wss://}, a tunnel to this machine, or {.code insecure = TRUE}."
        ),
        call = call
      )
    }
    return(NULL)
  }
  advice <- "Give {.code nanonext::tls_config(client = )} the certificate that signed the server's."
  if (!is.null(tls) && (!inherits(tls, "tlsConfig") || !identical(attr(tls, "spec"), "client"))) {
    abort_invalid_argument(
      "tls",
      c("{.arg tls} must be a TLS configuration of a client, not {.obj_type_friendly {tls}}.", "i" = advice),
      call = call
    )
  }
  if (!insecure && !identical(attr(tls, "mode"), "required")) {
    abort_invalid_argument(
      "tls",
      c(
        "{.arg tls} does not verify certificates: whoever answers at {.url {url}} would be trusted.",
        "i" = advice,
        "i" = "{.code insecure = TRUE} connects anyway."
      ),
      call = call
    )
  }
  tls %||% nanonext::tls_config()
}

check_env <- function(env, arg = rlang::caller_arg(env), call = rlang::caller_env()) {
  if (!is.null(env) && (!is.character(env) || anyNA(env) || !rlang::is_named(env))) {
    abort_invalid_argument(
      arg, "{.arg {arg}} must be a named character vector, not {.obj_type_friendly {env}}.",
      call = call
    )
  }
}

# How to launch a program, see new_server(): it is built where it is not one yet.
new_launch <- function(src, path, settings, args = character(), env = NULL) {
  function(dir, call) {
    command <- path
    if (!is_program(path)) {
      check_src(path, call) # it may be gone at a restart
      program <- go_program(src, call, path)
      command <- build_program(program, program_file(dir), settings, call, copy = FALSE)
    }
    list(command = command, args = args, env = env)
  }
}

# The path of a command of the package, from its name.
command_path <- function(src) {
  command <- file.path(go_file(), src)
  if (!file.exists(src) && startsWith(src, "cmd/") && file.exists(command)) command else src
}

is_program <- function(path) {
  file.exists(path) && !dir.exists(path) && !endsWith(path, ".go") && file.access(path, 1) == 0
}

program_file <- function(dir) file.path(dir, if (is_windows()) "program.exe" else "program")
