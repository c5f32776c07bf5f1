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

# Makes a lane, if the server's metadata says that it takes one, and has the server open
# it, which it is asked to over `line`. If it does not, there is none, and `no_lane` says why.
attach_lane <- function(line, connection, metadata, call) {
  state <- connection$state
  if (!wants_shared_memory() || !is.null(state$lane) || !offers_shared_memory(metadata)) {
    return(invisible())
  }
  token <- nanonext::random(16, convert = FALSE)
  opened <- .Call(c_lane_open, token)
  if (is.null(opened)) {
    state$no_lane <- "this session has no shared memory"
    return(invisible())
  }
  tryCatch(
    {
      reply <- roundtrip(line, connection, attach_message(opened, token), NULL, connect_timeout(), call)
      check_reply(reply, "attach", "", connection$server, call)
      state$lane <- new_lane(opened[[1]])
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
