# How a connection gets a lane: R makes it and has the server open it.

# What became of it: "attached", or why there is none; "" if the server has none.
lane_status <- function(connection) {
  state <- connection$state
  if (!is.null(usable_lane(connection))) {
    "attached"
  } else if (!wants_shared_memory()) {
    "the option mangoro.shared_memory is not TRUE"
  } else {
    state$no_lane %||% ""
  }
}

# The lane that a call may try, which is made if the server takes one and was not asked before.
# NULL for none. Each call asks for it, since the option may be another one than at the last.
attach_lane <- function(connection, call) {
  if (!wants_shared_memory()) {
    return(NULL)
  }
  state <- connection$state
  if (state$offers_lane && is.null(state$lane)) make_lane(connection, call)
  state$lane
}

# Makes a lane, and has the server open it. If it does not, there is none, and `no_lane` says why.
make_lane <- function(connection, call) {
  state <- connection$state
  state$offers_lane <- FALSE
  token <- nanonext::random(16, convert = FALSE)
  opened <- .Call(c_lane_open, token)
  if (is.null(opened)) {
    state$no_lane <- "this session has no shared memory"
    return(invisible())
  }
  line <- take_line(connection, call)
  on.exit(release_line(line, connection))
  tryCatch(
    {
      reply <- roundtrip(line, connection, attach_message(opened, token), NULL, connect_timeout(), call)
      check_reply(reply, "attach", "", connection$server, call)
      state$lane <- new_lane(opened[[1]], opened[[4]])
      state$no_lane <- NULL
    },
    mangoro_error = function(cnd) {
      .Call(c_lane_close, opened[[1]])
      state$no_lane <- conditionMessage(cnd)
    }
  )
  invisible()
}

offers_shared_memory <- function(metadata) {
  nzchar(metadata) && identical(tryCatch(jsonlite::parse_json(metadata)$shared_memory, error = function(cnd) NULL), 1L)
}

attach_message <- function(opened, token) {
  json <- sprintf(
    "{\"version\":1,\"pid\":%d,\"fd\":%d,\"size\":%d,\"token\":\"%s\"}",
    Sys.getpid(), opened[[2]], opened[[3]], paste(format(token), collapse = "")
  )
  c(envelope_header("attach"), charToRaw(json))
}

# --- The result's segment -------------------------------------------------------

# What segment is offered for the result of a call: its bytes, as many as the last result had,
# and the server. The server makes it larger if need be. NULL if there is no shared memory with it.
new_offer <- function(signature, lane) {
  if (!is.null(lane)) c(signature$last$taken %||% 0, lane$peer)
}

note_taken <- function(signature, taken) if (taken > 0) signature$last$taken <- taken
