# Requests over a REQ socket, and the watch over its connection.
#
# A connection is what the verbs make of a socket or handle that they are given:
#   sock    a nanonext socket
#   server  what stands behind it, NULL for a socket of the user's
#   state   what is kept for the socket, see socket_state()

# How often R looks for a reply before it goes to sleep over it: to be woken takes
# longer than a small call.
looks <- 250L

# Waits between two looks at interrupts and the connection, in milliseconds:
# the longest, the longest while nobody is connected to, and the first.
poll_interval <- 50
dial_interval <- 20
first_wait <- 1

# How long a server that is not there is tried again, in seconds: one that
# listened once, or whose socket file is left over, may be about to return.
return_grace <- 1

# How long a process that closed its connection may take to end, in seconds.
end_grace <- 1

# Sends `message` and waits for the reply, on a line of its own. One that has done
# its work is kept for the next request. Small calls spend their time here: what is
# not needed for them is done only if the answer is not there at once.
roundtrip <- function(connection, message, what, timeout, call) {
  line <- free_line(connection)
  state <- connection$state
  state$line <- NULL
  on.exit(give_up(line, connection))
  cv_reset(line$signal) # the last reply may have been there before it was signalled
  aio <- request(line$ctx, message, send_mode = "raw", recv_mode = "raw", cv = line$signal)
  for (i in seq_len(looks)) if (!unresolved(aio)) break
  if (unresolved(aio) && !wait_for(aio, line$signal, connection, timeout, call)) {
    on.exit(close(line$ctx)) # the server ends what has no time left
    abort_timeout(what, timeout, call)
  }
  value <- aio$data
  if (is_error_value(value)) abort_result(value, length(message), connection$server, call)
  on.exit()
  # A request inside this one has left its own.
  if (is.null(state$line)) state$line <- line else close(line$ctx)
  value
}

# What one request after the other goes over: a context, what it signals that a
# reply is there, and the name of its calls, which a server needs to cancel one.
new_line <- function(sock) {
  ctx <- context(sock)
  # Never send twice, and hear at once of a peer that goes away.
  nanonext::opt(ctx, "req:resend-time") <- 0L
  list(ctx = ctx, signal = cv(), id = nanonext::random(16))
}

# The line that the next request goes over.
free_line <- function(connection) {
  state <- connection$state
  if (is.null(state$line)) state$line <- new_line(connection$sock)
  state$line
}

# Closes a line that a request is out on. The server is told, and not waited for.
give_up <- function(line, connection) {
  close(line$ctx)
  if (is_connected(connection$sock)) {
    last <- new_line(connection$sock)
    state <- connection$state
    # Kept, for what nobody refers to is not sent.
    state$parting <- list(last, request(last$ctx, cancel_message(line$id), send_mode = "raw", recv_mode = "raw"))
  }
}

# How long a call waits, in seconds. NULL leaves it to the time-out that the server
# was given, or to the option.
call_timeout <- function(timeout, server, call) {
  if (is.null(timeout)) timeout <- server$timeout
  if (is.null(timeout)) timeout <- getOption("mangoro.timeout", 60)
  check_seconds(timeout, "timeout", call)
  timeout
}

# The connection of a socket, or of a handle, that can be called.
connection_of <- function(sock, call) {
  server <- server_of(sock)
  if (!is.null(server)) {
    return(server_connection(server, call))
  }
  check_socket(sock, call)
  list(sock = sock, state = socket_state(sock))
}

check_socket <- function(sock, call) {
  if (!inherits(sock, "nanoSocket") || attr(sock, "protocol") != "req") {
    abort_invalid_argument(
      "sock",
      c(
        "{.arg sock} must be a handle or a nanonext socket of protocol {.val req}, not {.obj_type_friendly {sock}}.",
        "i" = "{.fn mangoro_start} and {.fn mangoro_connect} make handles."
      ),
      call = call
    )
  }
  if (attr(sock, "state") != "opened") {
    abort_connection("The socket is closed.", call = call)
  }
}

# Waits until `aio` is resolved, and tells whether it is. `signal` is what it
# signals, if anything.
wait_for <- function(aio, signal, connection, timeout, call) {
  started <- seconds()
  wait <- first_wait
  while (unresolved(aio)) {
    until_(signal, as.integer(min(wait, max(1, 1000 * (timeout - seconds() + started)))))
    if (!unresolved(aio)) break
    waited <- seconds() - started
    connected <- watch_peer(connection, waited, min(timeout, connect_timeout()), call)
    wait <- if (connected) poll_interval else min(2 * wait, dial_interval)
    if (waited >= timeout) return(FALSE)
  }
  TRUE
}

connect_timeout <- function() getOption("mangoro.connect_timeout", 10)

# TRUE if somebody is connected to. Raises if there is no hope that somebody
# will be, `waited` seconds after the request was made.
watch_peer <- function(connection, waited, patience, call) {
  sock <- connection$sock
  if (is_connected(sock) || length(attr(sock, "dialer")) == 0) {
    return(TRUE)
  }
  check_alive(connection$server, call)
  dialers <- Filter(function(d) identical(d$state, "started"), attr(sock, "dialer"))
  urls <- vapply(dialers, function(d) d$url, "")
  if (redial(sock, dialers, urls)) {
    return(TRUE)
  }
  lost <- any(vapply(dialers, nanonext::stat, 0, name = "connect") > 0)
  if (lost && (waited >= return_grace || all(is_ipc(urls)))) {
    abort_connection("The server at {.url {urls}} is gone.", url = urls, call = call)
  }
  if (waited >= return_grace && any(is_ipc(urls) & file.exists(sub("^ipc://", "", urls)))) {
    abort_connection(
      "Nobody listens at {.url {urls}}: a server that has ended left its socket file there.",
      url = urls, call = call
    )
  }
  if (waited >= patience) {
    abort_connection(
      c(
        "Nobody has listened at {.url {urls}} within {patience} second{?s}.",
        "i" = "Is the server running, and was it given this URL?"
      ),
      url = urls, call = call
    )
  }
  FALSE
}

# Whether somebody is at the other end; of a socket that is closed, nobody is.
is_connected <- function(sock) isTRUE(nanonext::stat(sock, "pipes") > 0)

# Raises if the process of `server` has ended.
check_alive <- function(server, call, patience = 0) {
  end <- server_end(server, patience)
  if (!is.null(end)) abort_ended(server$label, server$url, end, call)
}

is_ipc <- function(url) startsWith(url, "ipc://")

# A dialer tries once a second; on this machine a try costs nothing and may be
# made at once. The dialer that succeeds takes the place of the others.
redial <- function(sock, dialers, urls) {
  for (url in unique(urls[is_ipc(urls)])) {
    if (!is_error_value(nanonext::dial(sock, url, autostart = NA, fail = "none"))) {
      if (nanonext::stat(sock, "pipes") == 1) lapply(dialers[urls == url], close)
      return(TRUE)
    }
  }
  FALSE
}

# NNG's error numbers.
nng_error <- c(nomem = 2L, timedout = 5L, closed = 7L, connreset = 19L, msgsize = 26L)

# The value of a finished operation, or its failure as a condition.
check_result <- function(value, sent, server, call) {
  if (is_error_value(value)) abort_result(value, sent, server, call)
  value
}

abort_result <- function(value, sent, server, call) {
  if (value == nng_error[["nomem"]]) {
    abort_resource_exhausted("There is not enough memory for the message.", call = call)
  }
  if (value == nng_error[["connreset"]]) {
    check_alive(server, call, patience = end_grace)
    size <- format(structure(sent, class = "object_size"), units = "auto")
    abort_connection(
      c(
        "The server closed the connection during the call.",
        "i" = "It ended, or takes no message of {size}."
      ),
      call = call
    )
  }
  reason <- nanonext::nng_error(value)
  abort_connection("The connection failed: {reason}.", call = call)
}

# The message that a reply is, if it is of the wanted type. An error reply is
# raised.
check_reply <- function(reply, type, func_name, server, call) {
  message <- parse_envelope(reply, call)
  if (message$type == message_types[["error"]]) {
    detail <- parse_detail(payload(reply, message))
    abort_reply(func_name, message$error_msg, detail, panic_frames(detail, server), call)
  }
  if (message$type != message_types[[type]]) {
    got <- names(message_types)[message_types == message$type]
    abort_protocol("The server answered with a message of type {.val {got}}, not {.val {type}}.", call = call)
  }
  message
}

# The JSON detail of an error reply as a list. A peer need not send any.
parse_detail <- function(bytes) {
  detail <- tryCatch(jsonlite::fromJSON(utf8_text(bytes)), error = function(cnd) NULL)
  if (is.list(detail)) detail else list()
}

# The user's own lines of a panic, the innermost first: a data frame of function,
# file and line. NULL if the peer sends none.
panic_frames <- function(detail, server = NULL, limit = 10) {
  frames <- detail[["frames"]]
  if (!is.data.frame(frames) || !is.character(frames$func) || !is.character(frames$file) || !is.numeric(frames$line)) {
    return(NULL)
  }
  frames <- utils::head(data.frame(`function` = frames$func, frames[c("file", "line")], check.names = FALSE), limit)
  frames$file <- sub("^\\./", "", frames$file)
  frames$file[basename(frames$file) == inline_name] <- inline_name
  if (is.null(server$place)) frames else relocate(frames, server$place)
}
