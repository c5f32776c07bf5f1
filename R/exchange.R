# What a call that lives and R say to each other until the call ends. Go may answer a request
# with events (type 10), a question (11) or a part of a stream (12, 13) instead of the
# result. R has the word then: it handles that, and goes on with the call by the next
# request (9).

# The reply that ends the call on `line`, or has a part of its stream. `reply` is the first
# one.
settle_call <- function(line, connection, reply, signature, call) {
  repeat {
    reply <- answer_known(line, connection, reply, signature, call)
    bytes <- exchange_step(line, connection, reply, signature, call)
    if (is.null(bytes)) return(reply)
    send_continue(line, connection, bytes, signature, call)
    reply <- await_reply(line)
  }
}

# Has C answer `reply` and what follows over the lane, as long as these are questions that it
# knows. Returns the next reply.
answer_known <- function(line, connection, reply, signature, call) {
  if (is_question(reply)) check_stack(signature, call)
  while (is_on_lane(line) && is_question(reply) && !is.null(talk <- find_talk(line, connection, signature))) {
    said <- tryCatch(
      .Call(c_lane_converse, line$lane$pointer, line$posted, line, reply, talk),
      error = function(cnd) if (is.null(line$word)) raise(cnd) else failed_answer(line, cnd)
    )
    if (is.raw(said)) return(said)
    if (!is.null(said)) {
      send_continue(line, connection, message_of(said, line, signature), signature, call)
    }
    reply <- await_reply(line)
  }
  reply
}

# The message by which C answers `reply`, a question that has come over the socket. NULL: that is
# not one that it knows.
known_answer <- function(line, connection, reply, signature) {
  if (is_on_lane(line) || !is_question(reply)) return(NULL)
  talk <- find_talk(line, connection, signature)
  if (is.null(talk)) return(NULL)
  said <- tryCatch(.Call(c_question_answer, reply, talk), error = function(cnd) failed_answer(line, cnd))
  if (is.list(said)) message_of(said, line, signature) else said
}

# The message that goes on with what C has left to R code: list(index of a target, value that it
# has returned), or an answer.
message_of <- function(said, line, signature) {
  if (is.null(names(said))) said <- answer_with(line, line$targets$list[[said[[1]] + 1L]], said[[2]], signature)
  continue_message(signature$name, line$id, said$payload, offer = line$offer, failure = said$failure)
}

# Refuses a question if R functions that call Go are nested too deeply. An overflow of R's stack
# ends whatever code runs then, and not all packages bear that.
check_stack <- function(signature, call) {
  stack <- Cstack_info()
  if (isTRUE(stack[["current"]] > stack_share * stack[["size"]])) {
    abort_resource_exhausted(
      c(
        "{.fn {signature$name}} calls R code that calls Go too deeply: R's stack is nearly full.",
        "i" = "Is there a recursion without an end?"
      ),
      call = call
    )
  }
}

# How much of the stack may be used, so that errors still have room.
stack_share <- 0.7

is_question <- function(reply) length(reply) > 0 && reply[[1]] == message_types[["question"]]

find_talk <- function(line, connection, signature) {
  if (is.null(line$talk)) {
    server <- connection$server
    header <- continue_message(signature$name, line$id, offer = line$offer)
    line$talk <- talk_of(line, header, rlang::call2(show_output, server), server, signature)
  }
  line$talk
}

# Handles what a reply says. Returns the request that goes on with the call; NULL if the
# reply ends it, or has a part of its stream.
exchange_step <- function(line, connection, reply, signature, call) {
  if (begins_with(reply, signature$result_header)) {
    return(NULL)
  }
  if (is_question(reply)) check_stack(signature, call)
  answer <- known_answer(line, connection, reply, signature)
  if (!is.null(answer)) return(answer)
  message <- parse_envelope(reply, call)
  type <- names(message_types)[message_types == message$type]
  said <- if (type == "error") {
    tryCatch(parse_said(readable(payload(reply, message)), call), mangoro_error_protocol = function(cnd) list())
  } else {
    parse_said(message$error_msg, call)
  }
  handle_events(line, parse_events(said, call), call)
  show_output(connection$server)
  switch(type,
    event = {
      if (identical(said$over, "socket")) move_to_socket(line, connection, call)
      continue_message(signature$name, line$id, offer = line$offer)
    },
    question = answer_message(line, connection, said$target, reply, message$start, signature, call),
    error = {
      # The time-out is Go's as well: a call may end by it while R goes on with it.
      if (identical(said$code, "not_found") && seconds_out(line) >= line$timeout) {
        abort_timeout(paste0("`", signature$name, "()`"), line$timeout, call)
      }
      abort_failed_callback(line, connection, message, reply, signature, call)
    }
  )
}

begins_with <- function(bytes, header) {
  n <- length(header)
  length(bytes) >= n && identical(bytes[seq_len(n)], header)
}

# --- What Go says ---------------------------------------------------------------

# The metadata of a reply, a list. A peer may send anything.
parse_said <- function(json, call) {
  if (!nzchar(json)) {
    return(list())
  }
  json <- gsub("\\u0000", "\\ufffd", json, fixed = TRUE)
  said <- tryCatch(jsonlite::parse_json(json), error = function(cnd) NULL)
  if (!is_object(said)) abort_protocol("The metadata of the server's reply is not a JSON object.", call = call)
  said
}

# How many events a message may have, and their kinds.
max_events <- 100L
event_kinds <- c("progress", "warning", "dropped")

# The events in it. Those of a kind that we do not know are left out.
parse_events <- function(said, call) {
  events <- said$events
  fits <- function(event) {
    if (!is_object(event) || !rlang::is_string(event$kind)) return(FALSE)
    is_count <- function(x) rlang::is_scalar_double(x) || rlang::is_scalar_integer(x)
    switch(event$kind,
      progress = is_count(event$done) && is_count(event$total) && rlang::is_string(event$label),
      warning = rlang::is_string(event$text),
      dropped = is_count(event$warnings),
      TRUE
    )
  }
  if (!is.null(events) && (!is.list(events) || length(events) > max_events || !all(vapply(events, fits, NA)))) {
    abort_protocol("The server's reply has events that are not valid.", call = call)
  }
  Filter(function(event) event$kind %in% event_kinds, events)
}

handle_events <- function(line, events, call) {
  for (event in events) {
    switch(event$kind,
      progress = progress_event(line, event[c("done", "total", "label")]),
      warning = warn_of_go(event$text, call),
      dropped = warn_of_go(further_warnings(event$warnings), call)
    )
  }
}

further_warnings <- function(n) sprintf("... and %.0f further warning%s", n, if (n == 1) "" else "s")

# The request that answers a question of Go's, which a target is asked. Without a payload
# the next part of a source is asked for.
answer_message <- function(line, connection, index, question, start, signature, call) {
  payload <- payload(question, list(start = start))
  is_part <- length(payload) == 0
  target <- find_target(line$targets, index, if (is_part) "source" else "function")
  if (is.null(target)) {
    abort_protocol("The server asks for something that {.fn {signature$name}} was not given.", call = call)
  }
  answer <- if (is_part) {
    answer_source(line, connection, target, signature, call)
  } else {
    answer_question(line, connection, target, payload, signature, call)
  }
  if (!is_part && is.null(answer$failure)) {
    learn_question(line, target, question, start, answer$payload, signature)
  }
  continue_message(signature$name, line$id, answer$payload %||% raw(), offer = line$offer, failure = answer$failure)
}

# --- What R says ----------------------------------------------------------------

# The request that goes on with the call `id`. `offer` is the name of a segment for a part,
# two numbers. `failure` is what R code has raised: list(failed = , message = , class = ),
# whose number tells it from others.
continue_message <- function(name, id, payload = raw(), offer = NULL, over = NULL, failure = NULL) {
  json <- sprintf("{\"call_id\":\"%s\"}", id)
  if (!is.null(over) || !is.null(failure)) {
    said <- c(list(call_id = id), if (!is.null(over)) list(over = over), failure)
    json <- as.character(jsonlite::toJSON(said, auto_unbox = TRUE))
  }
  if (!is.null(offer)) json <- sub("}$", sprintf(",\"offer\":[%.0f,%.0f]}", offer[[1]], offer[[2]]), json)
  c(envelope_header("continue", name, json), payload)
}

# Sends it, over the lane if the call has that and the message fits. It is not waited for.
send_continue <- function(line, connection, bytes, signature, call) {
  if (seconds_out(line) >= line$timeout) abort_unanswered(line)
  if (is_on_lane(line)) {
    posted <- .Call(c_lane_continue, line$lane$pointer, line$posted, bytes, line)
    if (isTRUE(posted)) {
      line$word <- NULL
      return(invisible())
    }
    ask_for_socket(line, connection, signature, call)
  }
  line$sent <- length(bytes)
  line$aio <- request(line$ctx, bytes, send_mode = "raw", recv_mode = "raw", cv = line$signal)
  line$word <- NULL
}

is_on_lane <- function(line) !is.null(line$posted) && !isTRUE(line$moved)

# How long the call is out.
seconds_out <- function(line) (mclock() - line$started) / 1000

# What R has to say does not fit the lane: tells Go that it comes over the socket.
ask_for_socket <- function(line, connection, signature, call) {
  asking <- continue_message(signature$name, line$id, over = "socket")
  if (!isTRUE(.Call(c_lane_continue, line$lane$pointer, line$posted, asking, line))) {
    abort_result(nng_error[["connreset"]], line$sent, connection$server, call)
  }
  line$word <- NULL
  reply <- await_lane(line, line$lane, line$posted)
  message <- check_reply(reply, "event", signature$name, connection$server, call)
  said <- parse_said(message$error_msg, call)
  handle_events(line, parse_events(said, call), call)
  if (!identical(said$over, "socket")) abort_protocol("The server does not go on over the socket.", call = call)
  move_to_socket(line, connection, call)
}

# The call goes on over the socket. It holds the lane until it ends.
move_to_socket <- function(line, connection, call) {
  if (!is_on_lane(line)) abort_protocol("The server has the call moved, which is not on a lane.", call = call)
  if (is.null(line$ctx)) line$ctx <- take_line(connection, call)$ctx
  line$moved <- TRUE
}

# The next reply.
await_reply <- function(line) {
  if (is.null(line$aio)) {
    return(await_lane(line, line$lane, line$posted))
  }
  await(list(line))
  finish(line)
}
