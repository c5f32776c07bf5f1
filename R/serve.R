#' Serve files
#'
#' @description
#' `mangoro_serve()` serves directories over HTTP from a process of its own, so that
#' genome browsers, DuckDB, webR, a web site in preview and other programs read the files
#' while R computes. It builds the server the first time, starts it on a free port, says at which URL,
#' and opens that where R is interactive. `vignette("serve")` shows what it is for.
#'
#' `mangoro_sites()` finds the sites of the session.
#'
#' @param dir The directories to serve, a character vector. Its names are the prefixes, the paths that they
#'   are served at: `c("/" = "site", data = "~/bam")`. Without names, one directory is served at `/`, and several
#'   at their own names. The default is R's working directory. Each is looked up anew for every
#'   request: what replaces it is served in its place.
#' @param port The port to listen at, a whole number. The default, 0, takes a free one.
#' @param ... Nothing: all other arguments are given by name.
#' @param name What the site is called in messages and in `mangoro_sites()`, one string. A site
#'   of that name is replaced. `NULL`, the default, is the name of the first directory, with a number if
#'   another site has it.
#' @param public `TRUE` lets other machines reach the server, at all addresses of this one
#'   if there is no `host`. The default is `FALSE`.
#' @param host The address to listen at, one string. `NULL`, the default, is
#'   `"127.0.0.1"`; one that other machines reach needs `public = TRUE`.
#' @param browse `TRUE` opens the site in the viewer or browser. The default is `TRUE` where R is interactive,
#'   else `FALSE`.
#' @param hidden `TRUE` serves files and directories whose names begin with a dot, too, but not
#'   those that hold secrets, see *Secrets* in [mangoro_http_start()]. With `FALSE`, the
#'   default, only `.well-known` is.
#' @param tls `TRUE` serves HTTPS. The default is `FALSE`.
#' @param cert,key Files of the certificate and its private key in PEM format, one string each. They are
#'   read again when they change. `NULL`, the default, are those of [mangoro_certificate()].
#' @param silent `FALSE` writes a log line for each request, for `mangoro_logs(site, stream =
#'   "stdout")`. The default is `TRUE`; requests are remembered all the same.
#' @param timeout How long R waits for an answer of the server, as for [mangoro_start()].
#' @param quiet `TRUE` shows neither the output of the build nor messages. The default is `FALSE` where R is
#'   interactive, else `TRUE`.
#' @inheritParams mangoro_http_start
#'
#' @details
#' The value is a [handle], with these verbs:
#'
#' * Printing it shows URLs, counts and the last requests.
#' * `mangoro_status(site)` is a data frame with a row for each directory: `state`, which is `"running"`,
#'   `"directory missing"` while it is not there, `"ended"` after a crash, `"stopped"`, or `"lost"` in another
#'   session; `pid`, `exit_status`, `url`, `name`, `prefix`, `directory`; and since the start `requests`, `bytes`
#'   and `errors`, those with status 500 and above or broken off. The counts are `NA` if the server does not run.
#' * `mangoro_logs(site, n = 50)` is a data frame of the last `n` requests. 1,000 are kept; `n = Inf` is for all.
#'   Its columns are `time`, `method`, `path`, `status`, `bytes` of the body, `range` as it was asked for, `NA`
#'   if it was not, `duration` and `client`.
#' * `mangoro_stop(site)` and `close(site)` end it, after the downloads under way or 5 seconds.
#' * `mangoro_restart(site)` starts it again, after a crash too: with the same files, port, name
#'   and token. If a directory is not there, a site that runs is left alone.
#'
#' A site is served until it is stopped or R ends, even if nothing refers to its
#' handle. `lapply(mangoro_sites(), mangoro_stop)` stops all. Sites of several R sessions do not affect each other.
#'
#' A script may be run twice: `mangoro_serve()` with a `name` replaces the site of that name, and without one
#' the site that serves the same directories with the same prefixes. The new site has the port of the old one,
#' unless another is given. If it cannot be started, the old one is left alone.
#'
#' @returns `mangoro_serve()` a handle, invisibly. `mangoro_sites()` a list of handles by their names.
#'
#' @section Errors:
#' Those of [mangoro_start()]. `mangoro_error_invalid_argument` for an argument of the wrong type or a directory
#' that does not exist. `mangoro_error_handler` if the server cannot serve, as when the port is taken, or the
#' certificate does not match the key. Nothing is left running then.
#'
#' @section Messages:
#' The URLs are told in a message of class `mangoro_message_site`, which is also of class
#' `mangoro_message_public` if others than this machine can reach the server.
#'
#' @examplesIf mangoro:::runs_examples()
#' site <- mangoro_serve(system.file(package = "mangoro"), browse = FALSE)
#' url <- mangoro_status(site)$url
#' readLines(paste0(url, "DESCRIPTION"), n = 2)
#' mangoro_logs(site)[c("method", "path", "status")]
#' mangoro_stop(site)
#' @export
mangoro_serve <- function(dir = ".", port = 0, ..., name = NULL, public = FALSE, host = NULL,
                          browse = rlang::is_interactive(), listing = TRUE, hidden = FALSE, allow = NULL,
                          hosts = NULL, cors = FALSE, coop = FALSE, auth = NULL, tls = FALSE, cert = NULL, key = NULL,
                          headers = NULL, types = NULL, max_age = 0, compress = FALSE, fallback = NULL,
                          not_found = NULL, reload = FALSE, max_connections = 10000, silent = TRUE,
                          timeout = NULL, quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  check_nothing(list(...), call)
  mounts <- site_mounts(dir, call)
  check_count(port, min = 0, max = 65535)
  if (!is.null(name)) check_string(name)
  check_flag(browse)
  check_flag(silent)
  check_flag(quiet)
  if (!is.null(timeout)) check_seconds(timeout)
  host <- site_host(host, public, call)
  settings <- http_settings(
    cors, coop, hidden, listing, allow, hosts, auth, headers, types, max_age, compress, fallback, not_found,
    reload, max_connections, call
  )
  build <- build_settings(arguments = list(), quiet = quiet, call = call)
  check_allow(allow, mounts, call)
  files <- site_files(tls, cert, key, build, call)

  replaced <- sites_like(name, mounts)
  name <- name %||% site_name(mounts, replaced)
  any_port <- port == 0
  if (any_port && length(replaced) > 0) port <- server_of(replaced[[1]])$site$port
  site <- new_site(name, mounts, host, as.integer(port), any_port, settings, files, silent)
  server <- start_controller(name, build, timeout, call, site)
  handle <- new_handle(server, "mangoro_site")
  replace_sites(replaced, handle, call)
  server$revive$site <- function(call) start_site(handle, call)
  if (!quiet) tell_site(site)
  if (browse) browse_site(site)
  invisible(handle)
}

#' @rdname mangoro_serve
#' @export
mangoro_sites <- function() {
  sites <- Filter(function(site) is_ours(server_of(site)), as.list(the$sites))
  rlang::set_names(unname(sites), vapply(sites, function(site) server_of(site)$site$name, ""))
}

# The controller of a site, or of none.
start_controller <- function(label, settings, timeout, call, site = NULL) {
  source <- "cmd/http-server"
  build <- new_launch(source, real_path(command_path(source)), settings)
  launch <- function(dir, call) {
    if (!is.null(site)) check_mounts(site, call)
    build(dir, call)
  }
  server <- new_server(label, create_ipc_path(), timeout, launch = launch)
  server$site <- site
  start_server(server, call)
  server
}

# --- Its arguments ----------------------------------------------------------------

check_nothing <- function(dots, call) {
  if (length(dots) == 0) {
    return(invisible())
  }
  name <- names(dots)[[1]] %||% ""
  known <- setdiff(names(formals(mangoro_serve)), "...")
  similar <- if (nzchar(name)) similar_names(name, known)
  abort_invalid_argument(
    "...",
    c(
      if (nzchar(name)) "There is no argument {.arg {name}}." else "All arguments after {.arg port} are given by name.",
      "i" = if (length(similar) > 0) "Is {.arg {similar}} meant?"
    ),
    call = call
  )
}

site_mounts <- function(dir, call) {
  if (!is.character(dir) || length(dir) == 0 || anyNA(dir) || !all(nzchar(dir))) {
    abort_invalid_argument(
      "dir", "{.arg dir} must be paths of directories, not {.obj_type_friendly {dir}}.",
      call = call
    )
  }
  missing <- dir[!dir.exists(dir)]
  if (length(missing) > 0) {
    path <- missing[[1]]
    abort_invalid_argument(
      "dir",
      if (file.exists(path)) "{.path {path}} is a file, not a directory." else "There is no directory {.path {path}}.",
      call = call
    )
  }
  prefix <- names(dir) %||% if (length(dir) == 1) "/" else basename(real_path(dir))
  if (!all(nzchar(prefix)) || any(grepl("(^|/)\\.\\.?(/|$)", prefix)) || anyNA(as_utf8(c(prefix, dir)))) {
    abort_invalid_argument(
      "dir", "The names of {.arg dir} must be the paths that all of them are served at, such as {.val /data}.",
      call = call
    )
  }
  prefix <- gsub("/+", "/", paste0("/", prefix, "/"))
  if (anyDuplicated(prefix)) {
    abort_invalid_argument(
      "dir",
      c(
        "Two directories are to be served at {.val {prefix[[anyDuplicated(prefix)]]}}.",
        "i" = "Give each a prefix of its own, as names: {.code c(a = \"...\", b = \"...\")}."
      ),
      call = call
    )
  }
  data.frame(prefix = prefix, dir = unname(shown_path(absolute_path(dir))))
}

# Without what "." adds. Links stay as they are.
shown_path <- function(path) {
  path <- sub("(.)/+$", "\\1", gsub("/(\\./)+", "/", paste0(path, "/")))
  path
}

site_host <- function(host, public, call) {
  check_flag(public, call = call)
  if (is.null(host)) {
    return(if (public) "" else "127.0.0.1")
  }
  check_string(host, call = call)
  host <- gsub("^\\[|\\]$", "", host)
  if (grepl("^[^:]*:[0-9]+$|\\]:", host)) {
    abort_invalid_argument(
      "host",
      c(
        "{.arg host} must be a host without a port, not {.val {host}}.",
        "i" = "The port is an argument of its own, {.arg port}."
      ),
      call = call
    )
  }
  if (!public && !is_loopback(host)) {
    abort_invalid_argument(
      "host",
      c(
        "Other machines may reach {.val {host}}.",
        "i" = "Add {.code public = TRUE} if they are to read these files."
      ),
      call = call
    )
  }
  host
}

# The certificate and key, NULL without TLS.
site_files <- function(tls, cert, key, settings, call) {
  check_flag(tls, call = call)
  if (!tls) {
    if (!is.null(cert) || !is.null(key)) {
      abort_invalid_argument("tls", "{.arg cert} and {.arg key} need {.code tls = TRUE}.", call = call)
    }
    return(NULL)
  }
  if (is.null(cert) && is.null(key)) {
    return(unlist(usual_certificate(settings, call), use.names = FALSE))
  }
  check_string(cert, call = call)
  check_string(key, call = call)
  absolute_path(c(cert, key))
}

# Where there are several directories, the server takes the paths in `allow` as they are in the URL.
check_allow <- function(allow, mounts, call) {
  if (nrow(mounts) == 1) {
    return(invisible())
  }
  for (path in sub("^/+", "", allow)) {
    if (!any(startsWith(paste0("/", path), mounts$prefix))) {
      example <- paste0(substring(mounts$prefix[[1]], 2), path)
      abort_invalid_argument(
        "allow",
        c(
          "{.val {path}} in {.arg allow} is in none of the directories.",
          "i" = "Where there are several, a path begins with the prefix: {.val {example}}."
        ),
        call = call
      )
    }
  }
}

# The sites that a new one replaces: that of its name, or those of its directories if it has none.
sites_like <- function(name, mounts) {
  Filter(function(handle) {
    site <- server_of(handle)$site
    if (is.null(name)) identical(site$mounts, mounts) else identical(site$name, name)
  }, mangoro_sites())
}

# The name of the first directory, or that of the site that is replaced.
site_name <- function(mounts, replaced) {
  if (length(replaced) > 0) {
    return(server_of(replaced[[1]])$site$name)
  }
  base <- basename(real_path(mounts$dir[[1]]))
  if (!nzchar(base)) base <- "/"
  taken <- names(mangoro_sites())
  candidates <- c(base, paste0(base, "-", seq_along(taken) + 1))
  setdiff(candidates, taken)[[1]]
}

# Serves the site of a handle whose program runs, which ends if that fails, in the place of others. They are
# left alone if it cannot be served. Where it takes the port of one, that is tried with a free port.
replace_sites <- function(replaced, handle, call) {
  server <- server_of(handle)
  ports <- vapply(replaced, function(old) server_of(old)$site$port, 0L)
  if (server$site$port %in% ports) {
    ready <- FALSE
    on.exit(if (!ready) stop_server(server))
    listen_site(handle, 0, call, silent = TRUE)
    http_call(handle, "stopServer", NULL, call)
    lapply(replaced, mangoro_stop)
    ready <- TRUE
    start_site(handle, call)
  } else {
    start_site(handle, call)
    lapply(replaced, mangoro_stop)
  }
}

# --- What it says -------------------------------------------------------------------

tell_site <- function(site) {
  lines <- sprintf("%s at %s", site$mounts$dir, site_urls(site))
  n <- length(lines)
  lines <- if (n == 1) {
    paste("Serving", lines)
  } else {
    c(sprintf("Serving %d directories:", n), rlang::set_names(lines, rep("*", n)))
  }
  public <- !is_loopback(site$host)
  if (public) {
    addresses <- if (is_any_host(site$host)) unname(nanonext::ip_addr())
    others <- as.character(unlist(lapply(addresses, site_urls, site = site)))
    lines <- c(lines, "i" = public_note(site$settings$auth), rlang::set_names(others, rep(" ", length(others))))
  }
  rlang::inform(lines, class = c(if (public) "mangoro_message_public", "mangoro_message_site"))
}

# That nothing can be opened is no reason to fail.
browse_site <- function(site) {
  url <- site_urls(site)[[1]]
  viewer <- getOption("viewer")
  show <- if (is.function(viewer) && is_loopback(site$host) && is.null(site$files)) viewer else utils::browseURL
  tryCatch(show(url), error = function(cnd) NULL)
}

# --- Certificates -------------------------------------------------------------------

#' Make a certificate for this machine
#'
#' `mangoro_certificate()` makes a certificate that is signed by itself, and its private key, for
#' HTTPS with [mangoro_serve()]. If both are there, for the same hosts, they are kept until 30 days before
#' their end. Browsers warn of such a certificate until they are told to trust it; `curl` takes it
#' with `--cacert`.
#'
#' @param hosts The names and addresses that it is for, a character vector. The default is this
#'   machine's own.
#' @param dir The directory of `cert.pem` and `key.pem`, one string, made if it is not there. Only the user
#'   can read the files. `NULL`, the default, is `tools::R_user_dir("mangoro", "config")`.
#' @param days For how many days it is valid, a whole number from 1 to 36500. The default is 365.
#'
#' @returns A list of `cert` and `key`, the paths of the files.
#'
#' @section Errors:
#' Those of [mangoro_start()], and `mangoro_error_resource_exhausted` if the files cannot be written.
#'
#' @examplesIf mangoro:::runs_examples()
#' mangoro_certificate(dir = tempfile())
#' @export
mangoro_certificate <- function(hosts = c("localhost", "127.0.0.1", "::1"), dir = NULL, days = 365) {
  call <- rlang::current_env()
  check_strings(hosts, "such as {.val localhost}")
  if (length(hosts) == 0) abort_invalid_argument("hosts", "{.arg hosts} must not be empty.", call = call)
  if (!is.null(dir)) check_string(dir)
  check_count(days, max = 36500)
  dir <- absolute_path(dir %||% tools::R_user_dir("mangoro", "config"))
  keep_certificate(unname(hosts), dir, days, build_settings(arguments = list(), quiet = TRUE, call = call), call)
}

usual_certificate <- function(settings, call) {
  arguments <- formals(mangoro_certificate)
  dir <- absolute_path(tools::R_user_dir("mangoro", "config"))
  keep_certificate(eval(arguments$hosts), dir, arguments$days, settings, call)
}

# The first line of the certificate says what it is for: whatever reads PEM skips it.
keep_certificate <- function(hosts, dir, days, settings, call) {
  files <- list(cert = file.path(dir, "cert.pem"), key = file.path(dir, "key.pem"))
  title <- paste0("Certificate of mangoro for ", paste(hosts, collapse = ", "), ", until ")
  line <- read_line(files$cert)
  if (startsWith(line, title) && file.exists(files$key)) {
    until <- as.Date(substring(line, nchar(title) + 1), optional = TRUE)
    if (!is.na(until) && until - Sys.Date() > min(30, days / 2)) {
      return(files)
    }
  }
  server <- start_controller("cmd/http-server", settings, NULL, call)
  on.exit(stop_server(server))
  pair <- call_function(server_connection(server, call), "newCertificate", list(hosts, days), NULL, call)
  until <- format(Sys.Date() + days)
  umask <- Sys.umask("077")
  on.exit(Sys.umask(umask), add = TRUE)
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  write_whole(pair$key, files$key, call)
  write_whole(c(paste0(title, until), pair$cert), files$cert, call)
  files
}

# A file that is there as a whole, or not at all.
write_whole <- function(lines, file, call) {
  temporary <- tempfile(".new-", dirname(file))
  rlang::try_fetch(
    {
      suppressWarnings(write_utf8(lines, temporary))
      file.rename(temporary, file)
    },
    error = function(cnd) {
      abort_resource_exhausted("{.file {file}} cannot be written.", parent = cnd, call = call)
    }
  )
}
