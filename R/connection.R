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

# How long a server that is not there may take to return, in seconds: one that
# listened once, or whose socket file is left over.
return_grace <- 1

# How long a server may take to say what it is busy with when a call has taken too
# long, in milliseconds: R does not wait for much more than the time-out.
load_time <- 75L

# How long a process that closed its connection may take to end, in seconds.
end_grace <- 1

# Sends `message` and waits for the reply, on a line of its own. One that has done
# its work is kept for the next request. Small calls spend their time here: what is
# not needed for them is done only if the answer is not there at once.
roundtrip <- function(connection, message, what, timeout, call) {
  line <- free_line(connection, call)
  state <- connection$state
  state$line <- NULL
  on.exit(give_up(line, connection))
  cv_reset(line$signal) # the last reply may have been there before it was signalled
  aio <- request(line$ctx, message, send_mode = "raw", recv_mode = "raw", cv = line$signal)
  for (i in seq_len(looks)) if (!unresolved(aio)) break
  if (unresolved(aio) && !wait_for(aio, line$signal, connection, timeout, call)) {
    on.exit()
    abort_timeout(what, timeout, call, load = give_up(line, connection, patience = load_time))
  }
  value <- aio$data
  if (is_error_value(value)) abort_result(value, length(message), connection$server, call)
  on.exit()
  # A request inside this one has left its own.
  if (is.null(state$line)) state$line <- line else discard(line$ctx)
  value
}

# What one request after the other goes over: a context, what it signals that a
# reply is there, and the name of its calls, which a server needs to cancel one.
new_line <- function(sock, call) {
  ctx <- usable(context(sock), call)
  nanonext::opt(ctx, "req:resend-time") <- 0L
  list(ctx = ctx, signal = cv(), id = nanonext::random(16))
}

# The line that the next request goes over.
free_line <- function(connection, call) {
  state <- connection$state
  if (is.null(state$line)) state$line <- new_line(connection$sock, call)
  state$line
}

# Closes a line that a request is out on, and tells the server. What it is busy with,
# if it says so within `patience` milliseconds, see parse_load(); it is not waited for
# otherwise.
give_up <- function(line, connection, patience = 0) {
  discard(line$ctx)
  if (!is_connected(connection$sock)) {
    return(NULL)
  }
  state <- connection$state
  last <- state$parting$line %||% new_line(connection$sock, NULL)
  cv_reset(last$signal)
  aio <- request(last$ctx, cancel_message(line$id), send_mode = "raw", recv_mode = "raw", cv = last$signal)
  state$parting <- list(line = last, aio = aio) # kept, for what nobody refers to is not sent
  if (patience > 0 && unresolved(aio)) until_(last$signal, patience)
  if (!unresolved(aio)) parse_load(aio$data)
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
  list(sock = sock, state = socket_state(sock, call))
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
  patience <- min(timeout, connect_timeout())
  wait <- first_wait
  seen <- NULL
  while (unresolved(aio)) {
    until_(signal, as.integer(min(wait, max(1, 1000 * (timeout - seconds() + started)))))
    if (!unresolved(aio)) break
    waited <- seconds() - started
    dialers <- started_dialers(connection$sock)
    if (is_connected(connection$sock) || length(dialers) == 0) {
      wait <- poll_interval
    } else {
      check_alive(connection$server, call)
      seen <- watch_dialers(dialers, seen, waited)
      check_hope(dialers, seen, waited, patience, call)
      wait <- min(2 * wait, dial_interval)
    }
    if (waited >= timeout) return(FALSE)
  }
  TRUE
}

connect_timeout <- function() getOption("mangoro.connect_timeout", 10)

# What is seen of attempts to connect, `waited` seconds after a request was made:
# how many ended in which way before it, and until now, and when the last one did.
watch_dialers <- function(dialers, seen, waited) {
  tries <- count_tries(dialers)
  # Somebody waits: NNG is not to wait longer from try to try on this machine.
  for (dialer in dialers) if (is_ipc(attr(dialer, "url"))) set_pace(dialer, attr(dialer, "url"))
  if (is.null(seen)) seen <- list(before = tries, now = tries, changed = waited)
  # One that succeeded is counted before it can be used: only a refusal after it tells
  # of a server that is gone.
  if (tries[["connect"]] != seen$now[["connect"]]) seen$before[["refused"]] <- tries[["refused"]]
  if (any(tries != seen$now)) seen[c("now", "changed")] <- list(tries, waited)
  seen
}

# Raises if there is no hope that somebody will be connected to.
check_hope <- function(dialers, seen, waited, patience, call) {
  urls <- unique(vapply(dialers, attr, "", "url"))
  ended <- seen$now - seen$before
  # NNG tries again soon: if none has ended for long, or ever, one is under way.
  under_way <- sum(seen$now) == 0 ||
    waited - seen$changed > 3 * max(vapply(urls, function(url) pace(url)[["max"]], 1L)) / 1000
  listened <- seen$now[["connect"]] > 0
  if (ended[["auth"]] > 0) abort_tls(urls, patience - waited, call)
  if (ended[["proto"]] + ended[["reject"]] > 0) {
    abort_connection("What listens at {.url {urls}} is no server of mangoro.", url = urls, call = call)
  }
  local <- all(is_ipc(urls))
  refused <- ended[["refused"]] > 0 && !under_way
  if (listened && refused && (local || waited >= return_grace)) {
    abort_connection("The server at {.url {urls}} is gone.", url = urls, call = call)
  }
  if (refused && waited >= return_grace && any(is_ipc(urls) & file.exists(socket_file(urls)))) {
    abort_connection(
      "Nobody listens at {.url {urls}}: a server that has ended left its socket file there.",
      url = urls, call = call
    )
  }
  if (!local && !under_way && waited >= return_grace && ended[["other"]] + ended[["disconnect"]] > 0) {
    abort_unreachable(urls, call)
  }
  if (waited >= patience) abort_nobody(urls, patience, under_way, call)
}

abort_nobody <- function(urls, patience, under_way, call) {
  message <- if (under_way) {
    c(
      "The connection to {.url {urls}} has not come about within {patience} second{?s}.",
      "i" = "Is the process that listens there stopped, or one that waits for others to speak first?"
    )
  } else {
    c(
      "Nobody has listened at {.url {urls}} within {patience} second{?s}.",
      "i" = "Is the server running, and was it given this URL?"
    )
  }
  abort_connection(message, url = urls, call = call)
}

abort_unreachable <- function(urls, call) {
  abort_connection(
    c(
      "The connection to {.url {urls}} fails.",
      "i" = "Is the host known and within reach?",
      "i" = if (any(speaks_tls(urls))) {
        "A server that asks for a certificate of the client ends the connection: nanonext has none to show."
      } else {
        "A server that expects TLS ends the connection: its URL begins with {.val tls+tcp://} or {.val wss://}."
      }
    ),
    url = urls, call = call
  )
}

# A handshake that failed. Whether one that verifies nothing succeeds tells why.
abort_tls <- function(urls, patience, call) {
  hosts <- unique(vapply(urls, host_of, ""))
  message <- if (any(vapply(urls, shakes_hands, NA, patience = min(1, patience)))) {
    c(
      "The certificate of the server at {.url {urls}} is refused.",
      "i" = "It must be signed by one that {.arg tls} trusts, be valid today, and be that of {.val {hosts}}."
    )
  } else {
    c(
      "The TLS handshake with {.url {urls}} failed.",
      "i" = "Is what listens there a server with TLS?"
    )
  }
  abort_connection(message, url = urls, call = call)
}

shakes_hands <- function(url, patience) {
  probe <- nanonext::socket("req")
  on.exit(discard(probe))
  dial(probe, url, nanonext::tls_config())
  started <- seconds()
  signal <- cv()
  while (!is_connected(probe)) {
    failed <- sum(count_tries(started_dialers(probe))[c("auth", "proto", "disconnect", "other")]) > 0
    if (failed || seconds() - started > patience) return(FALSE)
    until_(signal, 5L)
  }
  TRUE
}

# Raises if the process of `server` has ended.
check_alive <- function(server, call, patience = 0) {
  end <- server_end(server, patience)
  if (!is.null(end)) abort_ended(server$label, server$url, end, call)
}

# NNG's error numbers.
nng_error <- c(nomem = 2L, closed = 7L, state = 11L, connreset = 19L)

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
        "i" = if (sent > 0) "It ended, or takes no message of {size}." else "It ended, or took not what was sent."
      ),
      call = call
    )
  }
  if (value == nng_error[["closed"]]) abort_connection("The socket is closed.", call = call)
  if (value == nng_error[["state"]]) {
    abort_connection(
      c("No reply is on its way to this socket.", "i" = "Send a request first, with {.fn mangoro_rpc_send}."),
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
  # A string with a zero byte is one that jsonlite does not read.
  json <- gsub("\\u0000", "\\ufffd", readable(bytes), fixed = TRUE)
  detail <- tryCatch(parse_json(json), error = function(cnd) NULL)
  if (is.list(detail)) detail else list()
}

# What a server is busy with, from its reply to a cancel: the number of calls that run
# at the same time at most, and how many of which function do (`running`), or go on
# after they were told to stop (`given_up`). NULL if it does not say.
parse_load <- function(reply) {
  load <- tryCatch(
    parse_json(parse_envelope(reply, call = NULL)$error_msg),
    error = function(cnd) NULL
  )
  counts <- function(x) {
    x <- Filter(function(n) rlang::is_scalar_integerish(n, finite = TRUE) && n > 0, as.list(x))
    vapply(x[nzchar(rlang::names2(x))], as.integer, 1L)
  }
  if (is.list(load) && rlang::is_scalar_integerish(load$max_calls, finite = TRUE)) {
    list(max_calls = load$max_calls, running = counts(load$running), given_up = counts(load$given_up))
  }
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
  if (is.null(server$recipe$location)) frames else relocate(frames, server$recipe$location)
}
