# Sites: what a handle of mangoro_serve() has beside that of a program.

# An environment, the `site` of a server:
#   name      what the user calls it
#   mounts    a data frame of prefix, such as "/data/", and dir, absolute
#   host      where it listens, "" for all addresses
#   port      its port, 0 before it is known
#   any_port  whether another port will do
#   settings  see http_settings()
#   files     the certificate and key, NULL without TLS
#   silent    whether the program writes no log lines
new_site <- function(name, mounts, host, port, any_port, settings, files, silent) {
  rlang::new_environment(list(
    name = name, mounts = mounts, host = host, port = port, any_port = any_port, settings = settings,
    files = files, silent = silent
  ))
}

# Before its program is started, so that one that runs is left alone.
check_mounts <- function(site, call) {
  missing <- site$mounts$dir[!dir.exists(site$mounts$dir)]
  if (length(missing) > 0) abort_not_served(format_inline("There is no directory {.path {missing[[1]]}}."), call = call)
}

# Serves the site of a handle whose program runs, which ends if that fails.
start_site <- function(handle, call) {
  server <- server_of(handle)
  site <- server$site
  the$sites[[server$id]] <- NULL
  ready <- FALSE
  on.exit(if (!ready) stop_server(server))
  asked <- site$port
  start <- function(port) listen_site(handle, port, call)
  if (site$any_port && asked != 0) {
    site$port <- tryCatch(start(asked), mangoro_error_handler = function(cnd) start(0))
    if (site$port != asked) {
      rlang::inform(
        format_inline("Port {asked} is taken: {site$name} is now at {site_urls(site)[[1]]}"),
        class = "mangoro_message_site"
      )
    }
  } else {
    site$port <- start(asked)
  }
  the$sites[[server$id]] <- handle
  ready <- TRUE
}

# Has the program of a handle serve its site at a port, and returns that.
listen_site <- function(handle, port, call, silent = server_of(handle)$site$silent) {
  site <- server_of(handle)$site
  settings <- site$settings
  more <- site$mounts[-1, ]
  settings$mounts <- lapply(seq_len(nrow(more)), function(i) list(prefix = more$prefix[[i]], dir = more$dir[[i]]))
  addr <- paste0(bracketed(site$host), ":", port)
  result <- http_start(
    handle, addr, site$mounts$dir[[1]], site$mounts$prefix[[1]], settings, site$files, silent, call
  )
  as.integer(sub(".*:", "", result$message))
}

bracketed <- function(host) if (grepl(":", host, fixed = TRUE)) paste0("[", host, "]") else host

# The URLs of its directories, with the token that they need.
site_urls <- function(site, host = site$host) {
  if (is_any_host(host)) host <- "127.0.0.1"
  path <- gsub("%2F", "/", encode_url(as_utf8(site$mounts$prefix)), fixed = TRUE)
  token <- site$settings$auth$token
  paste0(
    if (is.null(site$files)) "http" else "https", "://", bracketed(host), ":", site$port, path,
    if (!is.null(token)) paste0("?token=", encode_url(token))
  )
}

# Whether this means all addresses of the machine.
is_any_host <- function(host) host %in% c("", "0.0.0.0", "::")

# With "%" and "/", too.
encode_url <- function(x) {
  vapply(x, utils::URLencode, "", reserved = TRUE, repeated = TRUE, USE.NAMES = FALSE)
}

# --- What it does ---------------------------------------------------------------

site_status <- function(server, call, timeout = NULL) {
  site <- server$site
  process <- server$process
  state <- server_state(server)
  status <- data.frame(
    state = state,
    pid = if (is.null(process)) NA_integer_ else process$get_pid(),
    exit_status = (if (!is.null(process)) process$get_exit_status()) %||% NA_integer_,
    url = site_urls(site),
    name = site$name,
    prefix = site$mounts$prefix,
    directory = site$mounts$dir,
    requests = NA_real_,
    bytes = NA_real_,
    errors = NA_real_
  )
  if (state != "running") {
    return(status)
  }
  counts <- tryCatch(
    call_function(server_connection(server, call), "siteStatus", list(), timeout, call),
    # It may end meanwhile.
    mangoro_error_connection = function(cnd) NULL
  )
  if (is.null(counts)) {
    return(status)
  }
  counts <- counts[match(status$prefix, counts$prefix), ]
  status$state[counts$missing %in% TRUE] <- "directory missing"
  status[c("requests", "bytes", "errors")] <- lapply(counts[c("requests", "bytes", "errors")], as.double)
  status
}

site_requests <- function(server, n, call, timeout = NULL) {
  # The server remembers as many.
  n <- as.integer(min(n, 1000))
  requests <- call_function(server_connection(server, call), "siteRequests", list(n), timeout, call)
  range <- as.character(requests$range)
  range[!nzchar(range)] <- NA
  data.frame(
    time = .POSIXct(as.double(requests$time)),
    method = as.character(requests$method),
    path = as.character(requests$path),
    status = as.integer(requests$status),
    bytes = as.double(requests$bytes),
    range = range,
    duration = as.difftime(as.double(requests$seconds), units = "secs"),
    client = as.character(requests$client)
  )
}

# --- Printing -------------------------------------------------------------------

# How long printing waits for a server that is busy, in seconds.
print_patience <- 1

#' @export
format.mangoro_site <- function(x, ...) {
  server <- server_of(x)
  call <- rlang::current_env()
  told <- tryCatch(
    list(status = site_status(server, call, print_patience), requests = site_requests(server, 5, call, print_patience)),
    mangoro_error = function(cnd) NULL
  )
  status <- told$status
  state <- server_state(server)
  site <- server$site
  c(
    sprintf("<mangoro site> %s: %s", encodeString(site$name), switch(state,
      running = paste("running, pid", server$process$get_pid()),
      ended = paste("ended: the process", describe_status(server$process$get_exit_status())),
      lost = lost_text,
      state
    )),
    paste0(
      "  ", format(site_urls(site)), "  ", encodeString(site$mounts$dir),
      if (!is.null(status)) ifelse(status$state == "directory missing", " (missing)", "")
    ),
    if (state == "running" && is.null(told)) "  It is busy, and does not answer.",
    if (state == "running" && !is.null(told)) c(
      sprintf(
        "  %s, %s, %s", quantity(sum(status$requests), "request"), format_bytes(sum(status$bytes)),
        quantity(sum(status$errors), "error")
      ),
      format_requests(told$requests)
    )
  )
}

#' @export
str.mangoro_site <- function(object, ...) {
  site <- server_of(object)$site
  cat(sprintf(" <mangoro site> %s: %s\n", encodeString(site$name), paste(site_urls(site), collapse = ", ")))
}

format_bytes <- function(n) {
  vapply(n, function(bytes) {
    if (is.na(bytes)) "?" else format(structure(bytes, class = "object_size"), units = "auto", standard = "SI")
  }, "")
}

format_requests <- function(requests) {
  if (nrow(requests) == 0) {
    return(character())
  }
  ms <- as.double(requests$duration, units = "secs") * 1000
  columns <- list(
    format(paste(format(requests$time, "%H:%M:%S"), requests$method, encodeString(requests$path))),
    as.character(requests$status), format(format_bytes(requests$bytes), justify = "right"),
    if (!all(is.na(requests$range))) format(ifelse(is.na(requests$range), "", encodeString(requests$range))),
    format(paste(format(signif(ms, 2), drop0trailing = TRUE, trim = TRUE, scientific = FALSE), "ms"), justify = "right")
  )
  paste0("  ", do.call(paste, c(Filter(Negate(is.null), columns), sep = "  ")))
}

# --- It is no set of functions ------------------------------------------------------

#' @export
names.mangoro_site <- function(x) character()

#' @export
summary.mangoro_site <- function(object, ...) site_status(server_of(object), rlang::current_env())

#' @export
`$.mangoro_site` <- function(x, name) abort_no_element(name, rlang::current_env())

#' @export
`[[.mangoro_site` <- function(x, i, ...) abort_no_element(i, rlang::current_env())
