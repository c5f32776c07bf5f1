#' Serve a directory with a controller
#'
#' @description
#' Control of the file server in `cmd/http-server`, for programs that start its
#' process themselves; [mangoro_serve()] does all of it in one call. It serves a
#' directory over HTTP or HTTPS from a process of its own, so that it answers while
#' R computes. It answers GET, HEAD and OPTIONS, ranges included, and never
#' leaves the directory.
#'
#' * `mangoro_http_start()` starts it and returns when it listens.
#' * `mangoro_http_status()` says whether it runs, and at which address.
#' * `mangoro_http_stop()` stops it. It may be started again.
#'
#' @param sock A handle of `mangoro_start("cmd/http-server")`, or a nanonext
#'   socket of protocol `"req"` that dials the controller. Not a site of [mangoro_serve()]. No default.
#' @param addr Host and port to listen at, one string. Port 0 takes a free one,
#'   which the message tells. The default, `"127.0.0.1:8080"`, is reachable
#'   from this machine only; `":8080"` is from everywhere.
#' @param dir The directory to serve, one string. The default is R's working
#'   directory. It is looked up anew for each request: what replaces it is served
#'   in its place.
#' @param prefix The path below which it is served, one string. The default is
#'   `"/"`.
#' @param cors Which web sites' scripts may read the files: `FALSE`, the default, none;
#'   the origins of some, such as `"https://igv.org"`; `TRUE` those of **every**
#'   site that the user visits.
#' @param coop `TRUE` isolates the pages from those of other origins, which
#'   WebAssembly threads need. `"cross-origin"` does too, and lets isolated pages
#'   of other origins use the files. The default is `FALSE`.
#' @param tls `TRUE` serves HTTPS, with `cert` and `key`. The default is
#'   `FALSE`.
#' @param cert,key Files of the certificate and its private key in PEM format,
#'   one string each. They are read again when they change, and never served, by any
#'   server of this session. Needed for `tls = TRUE`; `NULL`, the default, otherwise.
#' @param silent `TRUE` writes no log lines to the controller's standard
#'   output. The default is `FALSE`.
#' @param hidden `FALSE` does not serve files and directories whose names begin with a
#'   dot, except `.well-known`. The default is `TRUE`; those that hold secrets are not
#'   served anyway, see *Secrets*.
#' @param listing `FALSE` lists no directories. The default is `TRUE`.
#' @param allow Paths below the directory that are served although they are hidden or
#'   have the names of secrets, a character vector such as `"certs/ca.pem"`. They do not contain the prefix,
#'   unless several directories are served: then they begin with it, as in `"data/certs/ca.pem"`. `NULL`, the
#'   default, is none.
#' @param hosts Names that requests may be addressed to, beside those of this machine,
#'   where the server is reachable from this machine only: a character vector of names, such as
#'   `"files.lab.org"`, or domains, such as `".lab.org"`; `"*"` is any. `NULL`, the default, is
#'   none. This keeps a web site from reading the files through a name of its own that points
#'   to this machine.
#' @param auth What a client must know: a token, one string of ASCII characters without spaces, quotes, commas,
#'   semicolons and backslashes; `TRUE` for a random one; or `c(user = , password = )`. A token is given in
#'   the URL as `?token=`, or as `Authorization: Bearer`. `NULL`, the default, is nothing.
#' @param headers Headers that are added to each answer, a named character vector such as
#'   `c("X-Robots-Tag" = "noindex")`. `NULL`, the default, is none.
#' @param types Content types by file name extension, a named character vector such as
#'   `c(.bed = "text/plain")`. `NULL`, the default, adds none to those that are known.
#' @param max_age For how many seconds clients may use a file without asking whether it
#'   has changed, a whole number. The default, 0, has them ask each time, so that no old file is seen.
#' @param compress `TRUE` compresses texts for clients that understand it, never
#'   with a range. The default is `FALSE`: only files with a compressed one beside them (`.br`,
#'   `.zst`, `.gz`) are sent so.
#' @param fallback The page that a browser gets for a page that does not exist, the path of a file below the
#'   directory, one string: `"index.html"` for an application that has paths of its own. `NULL`, the
#'   default, is none.
#' @param not_found The page for what does not exist, the path of a file below the directory, one string. `NULL`,
#'   the default, is `404.html`, if there is one.
#' @param reload `TRUE` has pages load themselves again when a file changes. The default is
#'   `FALSE`.
#' @param max_connections How many connections may be open, and requests be answered, at the same
#'   time, a whole number. The default is 10000, but at most half of the files that the process
#'   may open.
#' @param name The name of the server, one string, if a controller has several. It needs a
#'   handle. `NULL`, the default, is the one without a name.
#'
#' @returns A data frame of one row with the columns `status` and `message`,
#'   both strings: `"ok"` and what was done, or for `mangoro_http_status()`
#'   `"status"` and either `"running at <address>"` or `"stopped"`.
#'
#' @section Secrets:
#' Files and directories of these names, in upper or lower case, are never listed, and not found
#' unless `allow` names them one by one: `r secret_names()`; and the copies that
#' editors make of them, such as `.env~`. Links to them are not found either.
#'
#' @section Errors:
#' Those of [mangoro_rpc_call()]. `mangoro_error_invalid_argument` for an argument of the wrong type, before
#' anything is sent. `mangoro_error_handler` for a server that cannot be started, because the
#' address is taken, the directory does not exist or the certificate does not
#' match the key, and for one that already runs.
#'
#' @section Messages:
#' A server that others than this machine can reach is told of in a message of class
#' `mangoro_message_public`, the token of `auth = TRUE` in one of class `mangoro_message_token`.
#'
#' @examplesIf mangoro:::runs_examples()
#' server <- mangoro_start("cmd/http-server")
#' mangoro_http_start(server, "127.0.0.1:0", dir = system.file(package = "mangoro"))
#' mangoro_http_status(server)
#' mangoro_http_stop(server)
#' close(server)
#' @export
mangoro_http_start <- function(sock, addr = "127.0.0.1:8080", dir = ".", prefix = "/",
                               cors = FALSE, coop = FALSE, tls = FALSE,
                               cert = NULL, key = NULL, silent = FALSE, hidden = TRUE, listing = TRUE,
                               allow = NULL, hosts = NULL, auth = NULL, headers = NULL, types = NULL,
                               max_age = 0, compress = FALSE, fallback = NULL, not_found = NULL,
                               reload = FALSE, max_connections = 10000, name = NULL) {
  call <- rlang::current_env()
  check_string(addr)
  check_string(dir)
  check_string(prefix)
  check_flag(tls)
  check_flag(silent)
  if (tls) {
    check_string(cert)
    check_string(key)
  }
  check_controller(sock, name, call)
  settings <- http_settings(
    cors, coop, hidden, listing, allow, hosts, auth, headers, types, max_age, compress, fallback, not_found,
    reload, max_connections, call
  )
  if (listing) settings$listing <- "plain"
  settings$name <- name
  # Absolute: the controller need not share R's working directory, which may be another one at a restart.
  dir <- absolute_path(dir)
  files <- if (tls) absolute_path(c(cert, key))
  start <- function(call) http_start(sock, addr, dir, prefix, settings, files, silent, call)
  result <- start(call)
  addr <- sub("^HTTP server started on ", "", result$message)
  start_again(sock, name, start)
  if (isTRUE(auth)) rlang::inform(paste("The token is", settings$auth$token), class = "mangoro_message_token")
  if (!is_loopback(host_of(addr))) rlang::inform(c("i" = public_note(settings$auth)), class = "mangoro_message_public")
  result
}

#' @rdname mangoro_http_start
#' @export
mangoro_http_status <- function(sock, name = NULL) {
  call <- rlang::current_env()
  check_controller(sock, name, call)
  if (is.null(name)) {
    http_call(sock, "serverStatus", NULL, call)
  } else {
    http_call(sock, "namedStatus", data.frame(name = name), call)
  }
}

#' @rdname mangoro_http_start
#' @export
mangoro_http_stop <- function(sock, name = NULL) {
  call <- rlang::current_env()
  check_controller(sock, name, call)
  start_again(sock, name, NULL)
  if (is.null(name)) {
    http_call(sock, "stopServer", NULL, call)
  } else {
    http_call(sock, "stopNamed", data.frame(name = name), call)
  }
}

# `name` is NULL, or that of one of several servers.
check_controller <- function(sock, name, call) {
  if (inherits(sock, "mangoro_site")) {
    abort_invalid_argument(
      "sock",
      c(
        "{.arg sock} is a site of {.fn mangoro_serve}, not a controller.",
        "i" = "{.fn mangoro_status} and {.fn mangoro_stop} are for sites."
      ),
      call = call
    )
  }
  if (is.null(name)) {
    return(invisible())
  }
  check_string(name, "name", call)
  if (is.null(server_of(sock))) {
    abort_invalid_argument(
      "name", "A server with a name needs a handle, of {.code mangoro_start(\"cmd/http-server\")}.",
      call = call
    )
  }
}

# Has mangoro_restart() start the server of a handle again, or no longer.
start_again <- function(sock, name, start) {
  server <- server_of(sock)
  if (!is.null(server)) server$revive[[paste0("http:", name)]] <- start
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

# `settings` are those of http_settings(), `files` the certificate and key, NULL without TLS.
http_start <- function(sock, addr, dir, prefix, settings, files, silent, call) {
  if (!is.null(files)) note_private_files(files, call)
  settings$protect <- as.list(the$private_files)
  arguments <- data.frame(
    addr = addr,
    dir = dir,
    prefix = prefix,
    cors = isTRUE(settings$cors),
    coop = isTRUE(settings$coop),
    tls = !is.null(files),
    cert = if (is.null(files)) "" else files[[1]],
    key = if (is.null(files)) "" else files[[2]],
    silent = silent,
    options = write_json(settings[setdiff(names(settings), c("cors", "coop"))])
  )
  rlang::try_fetch(
    http_call(sock, "startServer", arguments, call),
    mangoro_error_handler = function(cnd) {
      abort_not_served(
        cnd$error_msg,
        func_name = cnd$func_name, error_msg = cnd$error_msg, detail = cnd$detail, call = call
      )
    }
  )
}

# The certificates and keys that servers of this session use. None of them serves one.
note_private_files <- function(files, call) {
  new <- setdiff(real_path(files), the$private_files)
  the$private_files <- c(the$private_files, new)
  if (length(new) == 0) {
    return(invisible())
  }
  for (site in the$sites) {
    server <- server_of(site)
    if (identical(server_state(server), "running")) {
      call_function(server_connection(server, call), "protectFiles", list(new), NULL, call)
    }
  }
}

# --- Settings -----------------------------------------------------------------

# What mangoro_serve() and mangoro_http_start() have in common, checked: `cors` and `coop`, which
# have columns of their own, and the options of cmd/http-server/options.go.
http_settings <- function(cors, coop, hidden, listing, allow, hosts, auth, headers, types, max_age, compress,
                          fallback, not_found, reload, max_connections, call) {
  check_flag(hidden, call = call)
  check_flag(listing, call = call)
  check_flag(compress, call = call)
  check_flag(reload, call = call)
  check_count(max_age, min = 0, max = .Machine$integer.max, call = call)
  check_count(max_connections, max = .Machine$integer.max, call = call)
  check_strings(allow, "such as {.val certs/ca.pem}", call = call)
  check_strings(hosts, "such as {.val files.lab.org}", call = call)
  check_strings(headers, "such as {.code c(\"X-Robots-Tag\" = \"noindex\")}", is_named = TRUE, call = call)
  check_strings(types, "such as {.code c(.bed = \"text/plain\")}", is_named = TRUE, call = call)
  if (!is.null(fallback)) check_string(fallback, call = call)
  if (!is.null(not_found)) check_string(not_found, call = call)
  check_cors(cors, call)
  if (!rlang::is_bool(coop) && !identical(coop, "cross-origin")) {
    abort_invalid_argument(
      "coop",
      "{.arg coop} must be {.code TRUE}, {.code FALSE} or {.val cross-origin}, not {.obj_type_friendly {coop}}.",
      call = call
    )
  }
  if (!is.null(types)) names(types) <- sub("^([^.])", ".\\1", names(types))
  settings <- list(
    cors = isTRUE(cors), coop = !isFALSE(coop),
    origins = if (is.character(cors)) as.list(unname(cors)),
    corp = if (is.character(coop)) coop,
    hide_dots = !hidden,
    listing = if (listing) "page" else "none",
    allow = as_array(unname(allow)), hosts = as_array(unname(hosts)),
    headers = as_array(headers), types = as_array(types),
    auth = http_auth(auth, call),
    max_age = max_age, compress = compress, fallback = fallback, not_found = not_found, reload = reload,
    max_conns = max_connections
  )
  settings <- Filter(Negate(is.null), settings)
  for (arg in names(settings)) {
    text <- unlist(settings[[arg]])
    if (is.character(text) && anyNA(as_utf8(c(text, names(settings[[arg]]))))) {
      abort_invalid_argument(arg, "{.arg {arg}} must be valid text, which can be written as UTF-8.", call = call)
    }
  }
  settings
}

as_array <- function(x) if (!is.null(x)) as.list(x)

check_strings <- function(x, example, is_named = FALSE, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (is.null(x)) {
    return(invisible())
  }
  if (!is.character(x) || anyNA(x) || !all(nzchar(x)) || is_named && !rlang::is_named(x)) {
    kind <- if (is_named) "a named character vector" else "a character vector without {.code NA} and empty strings"
    abort_invalid_argument(
      arg, paste0("{.arg {arg}} must be ", kind, ", ", example, ", not {.obj_type_friendly {x}}."),
      call = call
    )
  }
  invisible(x)
}

check_cors <- function(cors, call) {
  if (rlang::is_bool(cors)) {
    return(invisible())
  }
  if (!is.character(cors) || length(cors) == 0 || anyNA(cors)) {
    abort_invalid_argument(
      "cors",
      "{.arg cors} must be {.code TRUE}, {.code FALSE} or origins such as {.val https://igv.org},
       not {.obj_type_friendly {cors}}.",
      call = call
    )
  }
  wrong <- cors[cors != "null" & !grepl("^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@*[:space:]]+$", cors)]
  if (length(wrong) > 0) {
    abort_invalid_argument(
      "cors",
      c(
        "{.val {wrong[[1]]}} in {.arg cors} is not an origin.",
        "i" = "An origin is scheme, host and port, without a path: {.val https://igv.org}."
      ),
      call = call
    )
  }
}

# NULL, or a list with a token, or with user and password.
http_auth <- function(auth, call) {
  if (is.null(auth)) {
    NULL
  } else if (isTRUE(auth)) {
    list(token = nanonext::random(16))
  } else if (rlang::is_string(auth) && is.null(names(auth)) && grepl("^[!-~]+$", auth)) {
    list(token = auth)
  } else if (is.character(auth) && !anyNA(auth) && all(nzchar(auth)) && setequal(names(auth), c("user", "password")) &&
    length(auth) == 2) {
    as.list(auth)
  } else {
    # Its value is not shown.
    abort_invalid_argument(
      "auth",
      "{.arg auth} must be {.code TRUE}, a token of ASCII characters without spaces, or
       {.code c(user = , password = )}, none of them empty.",
      call = call
    )
  }
}

write_json <- function(x) {
  as_text <- function(value) {
    if (is.list(value)) {
      if (!is.null(names(value))) names(value) <- as_utf8(names(value))
      lapply(value, as_text)
    } else if (is.character(value)) {
      as_utf8(value)
    } else {
      value
    }
  }
  enc2utf8(as.character(jsonlite::toJSON(as_text(x), auto_unbox = TRUE, digits = NA)))
}

# --- Addresses ------------------------------------------------------------------

is_loopback <- function(host) {
  grepl("^127(\\.[0-9]+){3}$", host) || host == "::1" || grepl("^(.+\\.)?localhost\\.?$", host, ignore.case = TRUE)
}

# `auth` is that of http_auth().
public_note <- function(auth) {
  knows <- if (is.null(auth)) "" else if (is.null(auth$token)) " and knows the password" else " and has the token"
  paste0("Anyone who can reach this machine", knows, " can read these files.")
}

# The names in pkg/fileserver/secrets.go, for the help page.
secret_names <- function() {
  source <- read_utf8(go_file("pkg", "fileserver", "secrets.go"))
  table <- source[seq(match("var secretNames = []string{", source), length(source))]
  table <- table[seq_len(match("}", table))]
  names <- unlist(regmatches(table, gregexpr("\"[^\"]+\"", table)))
  paste0("`", gsub("\"", "", names), "`", collapse = ", ")
}
