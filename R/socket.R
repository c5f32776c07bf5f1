# nanonext's sockets as we use them, the user's and our own.

# How long NNG waits before it tries again to connect, in milliseconds: the first
# time, and at most. By itself it tries once a second; here a try costs nothing,
# and a server that starts is found at once.
pace <- function(url) c(min = 5L, max = if (is_ipc(url)) 100L else 1000L)

set_pace <- function(object, url) {
  nanonext::opt(object, "reconnect-time-min") <- pace(url)[["min"]]
  nanonext::opt(object, "reconnect-time-max") <- pace(url)[["max"]]
}

# Returns at once: NNG connects, shakes hands and tries again on threads of its own.
dial <- function(sock, url, tls = NULL) {
  close_retired()
  set_pace(sock, url)
  nanonext::dial(sock, url, tls = tls, autostart = TRUE, fail = "error")
}

# NNG sends a request again after a minute, then every second, and to a peer that
# comes back. Without a time for that it does neither, and tells at once of a peer
# that goes away. The clock that it looks at is stopped too, for a request that a
# program has sent before.
resend_never <- function(sock) {
  nanonext::opt(sock, "req:resend-time") <- 0L
  nanonext::opt(sock, "req:resend-tick") <- .Machine$integer.max
}

# A user's dialer may wait a second until its next attempt: one for an ipc socket is
# replaced by one that does not.
hasten <- function(dialer, sock) {
  url <- attr(dialer, "url")
  if (is_ipc(url) && !is_connected(dialer)) {
    dial(sock, url)
    close(dialer)
  } else {
    set_pace(dialer, url)
  }
}

# Closes a socket or context. The finalizer of one that is closed calls NNG all the
# same, and R may run it in a fork, where NNG ends the process: so it is emptied.
discard <- function(x) {
  close_retired()
  dialers <- lapply(attr(x, "dialer"), function(dialer) .Call(c_take_pointer, dialer))
  x <- .Call(c_take_pointer, x)
  websockets <- Filter(function(d) is_websocket(attr(d, "url")) && !is.null(nng_count(d, "id")), dialers)
  if (length(websockets) > 0) retire(x, websockets) else nanonext::reap(x)
  invisible()
}

# NNG panics, which ends R, if a WebSocket is closed while an attempt to connect ends. So
# it is told to make no further attempt, and closed when the last one has ended: now, if
# it is connected, or else before another socket is opened or closed.
retire <- function(sock, dialers) {
  for (dialer in dialers) {
    nanonext::opt(dialer, "reconnect-time-min") <- .Machine$integer.max
    nanonext::opt(dialer, "reconnect-time-max") <- 0L
  }
  retired <- list(sock = sock, dialers = dialers, tries = vapply(dialers, count_all_tries, 0))
  the$retired <- c(the$retired, list(retired))
  close_retired()
}

close_retired <- function() {
  ended <- vapply(the$retired, function(retired) {
    all(vapply(retired$dialers, is_connected, NA) | vapply(retired$dialers, count_all_tries, 0) > retired$tries)
  }, NA)
  for (retired in the$retired[ended]) nanonext::reap(retired$sock)
  the$retired <- the$retired[!ended]
}

# --- What NNG knows of it -----------------------------------------------------

# Those that are at work: NNG keeps no count for one that was closed.
started_dialers <- function(sock) {
  Filter(
    function(d) identical(attr(d, "state"), "started") && !is.null(nng_count(d, "id")),
    attr(sock, "dialer")
  )
}

# Whether there is a peer. What is closed has none.
is_connected <- function(x) isTRUE(nng_count(x, "pipes") > 0)

# What NNG counts of a socket or dialer, NULL for what is closed, see discard().
nng_count <- function(x, what) tryCatch(nanonext::stat(x, what), error = function(cnd) NULL)

# How the attempts of dialers have ended so far, as far as it tells what is at the address.
count_tries <- function(dialers) {
  ends <- c("connect", "refused", "auth", "proto", "reject", "disconnect", "other")
  vapply(rlang::set_names(ends), function(end) {
    sum(vapply(dialers, function(dialer) nng_count(dialer, end) %||% 0, 0))
  }, 0)
}

# How many attempts of a dialer have ended so far, or more if one has ended in two ways.
count_all_tries <- function(dialer) {
  others <- vapply(c("timeout", "canceled", "oom"), function(end) nng_count(dialer, end) %||% 0, 0)
  sum(count_tries(list(dialer)), others)
}

# Whether NNG's threads are in this process, as far as Linux tells: a socket may
# have been made before a fork in which mangoro is loaded. They bear its name, or
# else there are more of them than other packages start.
has_threads <- function() {
  threads <- list.files("/proc/self/task", full.names = TRUE)
  if (length(threads) == 0 || length(threads) > 5) {
    return(TRUE)
  }
  # A thread may end meanwhile.
  any(startsWith(vapply(file.path(threads, "comm"), read_line, ""), "nng:"))
}

# --- URLs -----------------------------------------------------------------------

is_ipc <- function(url) startsWith(url, "ipc://")

socket_file <- function(url) sub("^ipc://", "", url)

# NNG takes capitals too.
scheme_of <- function(url) tolower(sub("://.*", "", url))

is_websocket <- function(url) grepl("^wss?[46]?$", scheme_of(url))

speaks_tls <- function(url) grepl("^(tls\\+tcp|wss)[46]?$", scheme_of(url))

host_of <- function(url) {
  authority <- sub("[/?#].*", "", sub("^[^:]*://", "", url))
  host <- sub("^.*@", "", authority)
  if (startsWith(host, "[")) sub("^\\[([^]]*)\\].*", "\\1", host) else sub(":[^:]*$", "", host)
}

# Whether what is sent to `url` may leave this machine.
is_remote <- function(url) {
  grepl("^(tls\\+tcp|tcp|udp|wss|ws)[46]?$", scheme_of(url)) &&
    !grepl("^(localhost|127(\\.[0-9]{1,3}){3}|::1)$", host_of(url))
}
