# Attempts to connect: what NNG counts of them, and when none can succeed any more.

# How long a server may take to return, in seconds, if it has listened before or its
# socket file is left over.
return_grace <- 1

# What was seen of attempts to connect, `waited` seconds after a request was made:
# how many ended in which way before it, and until now, and when the last one did.
watch_dialers <- function(dialers, seen, waited) {
  tries <- count_tries(dialers)
  # A request waits: on this machine NNG is not to wait longer after each attempt.
  for (dialer in dialers) if (is_ipc(attr(dialer, "url"))) set_pace(dialer, attr(dialer, "url"))
  if (is.null(seen)) seen <- list(before = tries, now = tries, changed = waited)
  # One that succeeded is counted before it can be used: only a refusal after it tells
  # of a server that is gone.
  if (tries[["connect"]] != seen$now[["connect"]]) seen$before[["refused"]] <- tries[["refused"]]
  if (any(tries != seen$now)) seen[c("now", "changed")] <- list(tries, waited)
  seen
}

# Raises if no attempt can succeed any more, or `patience` seconds are over.
check_attempts <- function(dialers, seen, waited, patience, call) {
  urls <- unique(vapply(dialers, attr, "", "url"))
  ended <- seen$now - seen$before
  # NNG tries again soon: if none has ended for long, or ever, one is under way.
  under_way <- sum(seen$now) == 0 ||
    waited - seen$changed > 3 * max(vapply(urls, function(url) pace(url)[["max"]], 1L)) / 1000
  listened <- seen$now[["connect"]] > 0
  if (ended[["auth"]] > 0) abort_tls(urls, patience - waited, call)
  if (ended[["proto"]] + ended[["reject"]] > 0) {
    abort_connection("What listens at {.url {urls}} is not a mangoro server.", url = urls, call = call)
  }
  local <- all(is_ipc(urls))
  refused <- ended[["refused"]] > 0 && !under_way
  if (listened && refused && (local || waited >= return_grace)) {
    abort_connection("The server at {.url {urls}} is gone.", url = urls, call = call)
  }
  if (refused && waited >= return_grace && any(is_ipc(urls) & file.exists(socket_file(urls)))) {
    abort_connection(
      "No server listens at {.url {urls}}: one that has ended left its socket file there.",
      url = urls, call = call
    )
  }
  if (!local && !under_way && waited >= return_grace && ended[["other"]] + ended[["disconnect"]] > 0) {
    abort_unreachable(urls, call)
  }
  if (waited >= patience) abort_not_connected(urls, patience, under_way, call)
}

abort_not_connected <- function(urls, patience, under_way, call) {
  message <- if (under_way) {
    c(
      "The connection to {.url {urls}} was not established within {patience} second{?s}.",
      "i" = "Is the process that listens there suspended, or does it wait for its peer to speak first?"
    )
  } else {
    c(
      "No server started to listen at {.url {urls}} within {patience} second{?s}.",
      "i" = "Is the server running, and was it given this URL?"
    )
  }
  abort_connection(message, url = urls, call = call)
}

abort_unreachable <- function(urls, call) {
  abort_connection(
    c(
      "{.url {urls}} cannot be connected to.",
      "i" = "Is the name of the host right, and can it be reached?",
      "i" = if (any(speaks_tls(urls))) {
        "A server that requires a client certificate closes the connection: nanonext cannot present one."
      } else {
        "A server that expects TLS closes the connection: its URL begins with {.val tls+tcp://} or {.val wss://}."
      }
    ),
    url = urls, call = call
  )
}

# A TLS handshake that failed. If one succeeds that verifies no certificate, the
# certificate was the reason.
abort_tls <- function(urls, patience, call) {
  hosts <- unique(vapply(urls, host_of, ""))
  message <- if (any(vapply(urls, shakes_hands, NA, patience = min(1, patience)))) {
    c(
      "The certificate of the server at {.url {urls}} was rejected.",
      "i" = "It must be valid today, be issued for {.val {hosts}}, and be signed by a certificate in {.arg tls}."
    )
  } else {
    c(
      "The TLS handshake with {.url {urls}} failed.",
      "i" = "Does the server there speak TLS?"
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
