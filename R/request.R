# Requests over the lines of a connection, in three steps:
#
#   begin()   sends one
#   await()   waits until one of several is settled: answered, failed or out of time
#   finish()  returns the reply, or raises the failure
#
# A line that was taken must be released, whatever happens:
# on.exit(release_line(line, connection)).

# How often R looks for a reply before it sleeps until one is signalled. These looks take
# 70 us in all: to be woken takes 20 us of a small call's 200.
busy_looks <- 250L

# Waits between two looks at interrupts and the connection, in milliseconds: the
# longest, the longest while there is no connection, and the first.
poll_interval <- 50
dial_interval <- 20
first_interval <- 1

# How long a server may take to say what it is busy with when a call has taken too
# long, in milliseconds: R does not wait for much more than the time-out.
load_time <- 75L

# How long a process that closed its connection may take to end, in seconds.
end_grace <- 1

# All three for one message. `name` is the function that it calls, NULL for none. It goes over
# the `lane` if there is one and it can.
roundtrip <- function(line, connection, message, name, timeout, call, lane = NULL) {
  if (!is.null(lane)) {
    reply <- lane_roundtrip(line, connection, message, name, timeout, call, lane)
    if (!is.null(reply)) return(reply)
  }
  begin(
    line, connection, request(line$ctx, message, send_mode = "raw", recv_mode = "raw", cv = line$signal),
    length(message), name, timeout, call
  )
  await(list(line))
  finish(line)
}

# Notes on `line` what is waited for: `aio`, for which `sent` bytes are sent. It is
# evaluated here, so that no interrupt comes between what is sent and what is noted.
begin <- function(line, connection, aio, sent, name, timeout, call) {
  note_request(line, connection, sent, name, timeout, call)
  line$aio <- aio
  line
}

note_request <- function(line, connection, sent, name, timeout, call) {
  line$connection <- connection
  line$sent <- sent
  line$name <- name
  line$timeout <- timeout
  line$call <- call
  line$started <- mclock()
  line
}

# `end` is when to stop at the latest, as mclock() tells it.
await <- function(lines, end = Inf) {
  # Small calls spend their time here: all else is done only if no answer is there at once.
  for (i in seq_len(busy_looks / length(lines))) for (line in lines) if (!unresolved(line$aio)) return(invisible())
  signal <- lines[[1]]$signal
  cv_reset(signal) # it may stand for replies that were seen already
  interval <- first_interval
  while (interval > 0 && all(vapply(lines, function(line) unresolved(line$aio), NA))) {
    until_(signal, as.integer(interval))
    show_output(lines[[1]]$connection$server)
    interval <- min(vapply(lines, look, 1), ceiling(max(0, end - mclock())))
  }
}

# Looks at what becomes of a request. Returns in how many milliseconds to look again, 0
# if it is settled. `watch` is what was seen so far: `tries`, the attempts to connect, and
# `failure`, the condition to raise if none can succeed.
look <- function(line) {
  if (!unresolved(line$aio)) {
    return(0)
  }
  waited <- (mclock() - line$started) / 1000
  watch <- line$watch
  connection <- line$connection
  dialers <- started_dialers(connection$sock)
  if (is_connected(connection$sock) || length(dialers) == 0) {
    watch$interval <- poll_interval
  } else {
    watch$interval <- min(2 * (watch$interval %||% first_interval), dial_interval)
    watch$failure <- tryCatch(
      {
        check_alive(connection$server, line$call)
        watch$tries <- watch_dialers(dialers, watch$tries, waited)
        check_attempts(dialers, watch$tries, waited, min(line$timeout, connect_timeout()), line$call)
      },
      mangoro_error = identity
    )
  }
  line$watch <- watch
  left <- line$timeout - waited
  if (!is.null(watch$failure) || left <= 0) 0 else min(watch$interval, max(1, 1000 * left))
}

finish <- function(line) {
  if (unresolved(line$aio)) abort_unanswered(line)
  value <- line$aio$data
  if (is.null(value)) value <- line$aio$result # of what is only sent
  if (is_error_value(value)) abort_result(value, line$sent, line$connection$server, line$call)
  if (!is.null(line$targets) && is_talk(value)) {
    line$word <- TRUE
    line$aio <- NULL
  } else {
    if (!is.null(line$posted)) {
      segments <- .Call(c_lane_release_held, line$lane$pointer, line$posted, value)
      if (!is.null(segments)) line$segments <- segments
    }
    forget_request(line)
  }
  value
}

# A free line must not keep the server or the frames of the call alive.
forget_request <- function(line) {
  line$aio <- line$posted <- line$connection <- line$call <- line$watch <- line$word <- line$moved <- NULL
}

# Whether a call is out on a line: a request is, or R has the word.
is_out <- function(line) !is.null(line$aio) || !is.null(line$posted) || !is.null(line$word)

abort_unanswered <- function(line) {
  if (!is.null(line$watch$failure)) raise(line$watch$failure)
  show_output(line$connection$server, all = TRUE)
  what <- if (is.null(line$name)) "The server" else paste0("`", line$name, "()`")
  abort_timeout(what, line$timeout, line$call, load = give_up(line, patience = load_time))
}

# Gives up the call that is out on a line, or else keeps the line for the next one. One that
# somebody else keeps (`kept`) is left alone.
release_line <- function(line, connection) {
  if (!is.null(line$kept)) {
    return(invisible())
  }
  state <- connection$state
  if (length(state$partings) > 0) end_partings(state$partings)
  if (!is.null(line$targets)) end_exchange(line)
  if (is_out(line)) {
    give_up(line)
  } else if (!is.null(line$ctx)) {
    if (state$closed) {
      discard(line$ctx)
    } else if (identical(line, state$lane$line)) { # whose call has moved to the socket
      state$free <- list(new_line(line$ctx), state$free)
      line$ctx <- NULL
    } else {
      state$free <- list(line, state$free)
    }
  }
}

# What a call that lives has kept.
end_exchange <- function(line) {
  end_progress(line)
  line$targets <- line$failures <- line$talk <- line$shows <- NULL
}

# Closes a line that a request is out on, and tells the server. What it is busy with,
# if it says so within `patience` milliseconds, see parse_load(); it is not waited for
# otherwise.
give_up <- function(line, patience = 0) {
  if (!is.null(line$posted)) {
    give_up_lane(line)
  } else if (is.null(line$ctx)) {
    aio <- line$aio
    line$aio <- NULL
    return(nanonext::stop_aio(aio))
  }
  line$aio <- line$word <- line$moved <- NULL
  if (!is.null(line$ctx)) discard(line$ctx)
  line$ctx <- NULL
  connection <- line$connection
  if (!is_connected(connection$sock)) {
    return(NULL)
  }
  parting <- send_parting(connection, cancel_message(line$id), line$id)
  end <- mclock() + patience
  while (unresolved(parting$aio) && mclock() < end) {
    until_(parting$signal, as.integer(max(0, end - mclock()))) # less than 0 is for ever
  }
  if (!unresolved(parting$aio)) parse_load(parting$aio$data)
}

# The same for a line that a task or stream has kept, from its finalizer. R runs that amid any
# code, so it takes no line and releases none.
drop_line <- function(line) {
  if (is_out(line)) give_up(line)
  unkeep_line(line)
}

# Sends a message whose reply nobody needs, over a line of its own. NNG does not send one
# whose aio is collected, so the line is kept, by a name of its own. A finalizer may do this
# amid any other code.
send_parting <- function(connection, message, name) {
  parting <- open_line(connection, NULL)
  parting$aio <- request(parting$ctx, message, send_mode = "raw", recv_mode = "raw", cv = parting$signal)
  assign(name, parting, envir = connection$state$partings)
  parting
}

# Closes the lines of those that were answered.
end_partings <- function(partings) {
  for (name in names(partings)) {
    parting <- partings[[name]]
    if (!unresolved(parting$aio)) {
      rm(list = name, envir = partings)
      discard(parting$ctx)
    }
  }
}

# --- Over the lane --------------------------------------------------------------

# The reply to a call over the lane, NULL if it has to go over the socket.
lane_roundtrip <- function(line, connection, message, name, timeout, call, lane) {
  note_request(line, connection, length(message), name, timeout, call)
  line$lane <- lane
  # It notes what is posted, so that no interrupt comes between.
  if (!.Call(c_lane_post, lane$pointer, message, line, line$segments)) {
    line$posted <- NULL
    return(NULL)
  }
  await_lane(line, lane, line$posted)
}

# The reply to the request that is out over the lane, see await(), look() and finish().
await_lane <- function(line, lane, posted) {
  line$lane <- lane
  line$posted <- posted
  connection <- line$connection
  while ((progress <- .Call(c_lane_wait, lane$pointer, posted, line$timeout)) != "answered") {
    if (progress == "late") abort_unanswered(line)
    show_output(connection$server)
    if (progress == "lost" || !is_connected(connection$sock)) {
      abort_result(nng_error[["connreset"]], line$sent, connection$server, line$call)
    }
  }
  reply <- .Call(c_lane_take, lane$pointer, posted)
  if (is.null(reply)) {
    close_lane(connection$state)
    abort_protocol("The server's reply is not where it says.", call = line$call)
  }
  if (!is.null(reply[[2]])) line$segments <- reply[[2]]
  if (!is.null(line$targets) && is_talk(reply[[1]])) line$word <- TRUE else forget_request(line)
  reply[[1]]
}

# Leaves the lane to the request that is out over it, until that is answered.
give_up_lane <- function(line) {
  lane <- line$lane
  .Call(c_lane_give_up, lane$pointer, line$posted)
  line$posted <- NULL
  if (identical(line, lane$line)) lane$line <- new_line() # another call has another id
}

# --- What went wrong ----------------------------------------------------------

# Raises if the process of `server` has ended.
check_alive <- function(server, call, patience = 0) {
  end <- server_end(server, patience)
  if (!is.null(end)) abort_ended(server$label, server$url, end, call)
}

# NNG's error numbers.
nng_error <- c(nomem = 2L, closed = 7L, state = 11L, connreset = 19L)

abort_result <- function(value, sent, server, call) {
  if (value == nng_error[["connreset"]] && !is.null(server)) server_end(server, end_grace)
  show_output(server, all = TRUE)
  if (value == nng_error[["nomem"]]) {
    abort_resource_exhausted("There is not enough memory for the message.", call = call)
  }
  if (value == nng_error[["connreset"]]) {
    check_alive(server, call, patience = end_grace)
    size <- format(structure(sent, class = "object_size"), units = "auto")
    abort_connection(
      c(
        "The server closed the connection during the call.",
        "i" = if (sent > 0) "It ended, or accepts no message of {size}." else "It ended, or did not accept the message."
      ),
      call = call
    )
  }
  if (value == nng_error[["closed"]]) abort_connection("The socket is closed.", call = call)
  if (value == nng_error[["state"]]) {
    abort_connection(
      c("No reply is outstanding on this socket.", "i" = "Send a request first, with {.fn mangoro_rpc_send}."),
      call = call
    )
  }
  reason <- nanonext::nng_error(value)
  abort_connection("The connection failed: {reason}.", call = call)
}
