# Connections: a socket or handle as calls use it, what is kept for its socket, and the
# lines that requests go over.

#   sock    a nanonext socket
#   state   what is kept for it, see new_state()
#   server  the server behind it, see new_server(); NULL for a socket of the user's
new_connection <- function(sock, state, server = NULL) list(sock = sock, state = state, server = server)

# The connection of a socket, or of a handle, that can be called.
connection_of <- function(sock, call) {
  server <- server_of(sock)
  if (!is.null(server)) {
    return(server_connection(server, call))
  }
  check_socket(sock, call)
  new_connection(sock, socket_state(sock, call))
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

# The connection of a server, if it can be called at all.
server_connection <- function(server, call) {
  check_owner(server, call)
  if (is.null(server$connection)) {
    abort_connection(
      c("The handle of {.file {server$label}} was stopped.", "i" = "Start it again with {.fn mangoro_restart}."),
      url = server$url, call = call
    )
  }
  server$connection
}

# How long a call waits, in seconds. NULL leaves it to the time-out that the server
# was given, or to the option. Whatever asks a server begins here, so all options are checked.
call_timeout <- function(timeout, server, call) {
  check_options(call)
  if (!is.null(timeout)) return(check_seconds(timeout, "timeout", call))
  if (!is.null(server$timeout)) return(server$timeout) # which was checked
  getOption("mangoro.timeout", 60)
}

# How long anything waits for a connection.
connect_timeout <- function(call = NULL) read_option("mangoro.connect_timeout", 10, call)

# --- What is kept for a socket ------------------------------------------------

# It is part of the socket, as an attribute, and goes with it.
#   pid, session  of the R that may use it
#   free          the lines without a request, see take_line(): a list of the first and
#                 the rest, NULL for none
#   partings      the lines that cancels go over, see send_parting(): an environment
#   signatures    those of the server's functions, by name
#   left_out      the functions that R cannot call, see parse_left_out()
#   max_calls     how many calls the server runs at the same time, NULL: unknown
#   offers_lane   whether the server takes a lane, and was not asked to open one yet
#   lane          its lane, see new_lane(); NULL for none
#   no_lane       why there is none, if the server takes one
#   classes       the types of its objects, see parse_classes()
#   objects       the objects of R by their ids: weak references to them. An environment would
#                 make a symbol of each id, and R never frees those
#   made          how many were made since R's collector was last asked, and when it is next
#   releases      those that R does not refer to any more, see src/releases.c
#   closed        whether we have closed it
new_state <- function() {
  rlang::new_environment(list(
    pid = Sys.getpid(), session = session, free = NULL, partings = new.env(parent = emptyenv()),
    signatures = NULL, left_out = NULL, max_calls = NULL, offers_lane = FALSE, lane = NULL, no_lane = NULL,
    classes = list(), objects = utils::hashtab(), made = 0, due = 0, releases = .Call(c_releases_new),
    closed = FALSE
  ))
}

socket_state <- function(sock, call) {
  state <- attr(sock, "mangoro", exact = TRUE)
  if (is.null(state)) {
    return(adopt(sock, call))
  }
  if (state$pid != Sys.getpid()) abort_fork(call)
  if (!identical(state$session, session)) abort_unusable(call)
  state
}

# Makes a socket ready for our requests, none of which may be sent twice.
adopt <- function(sock, call) {
  if (is_fork() || !has_threads()) abort_fork(call)
  usable(resend_never(sock), call)
  lapply(started_dialers(sock), hasten, sock)
  state <- new_state()
  attr(sock, "mangoro") <- state # a socket is a pointer: this makes no copy of it
  state
}

# NNG's threads are not there in a fork, and it crashes without them.
is_fork <- function() the$pid != Sys.getpid()

# Whether a task, stream or object is of this session, and how one that is not is shown.
is_own <- function(x) identical(x$session, session) && !is_fork()
lost_text <- "lost: it belongs to another R process, or was saved and loaded again"

check_no_fork <- function(call) if (is_fork()) abort_fork(call)

abort_fork <- function(call) {
  abort_connection(
    c(
      "A fork of an R process cannot connect to a Go program.",
      "i" = "Use separate sessions, as those of {.fn parallel::makeCluster}, instead of {.fn parallel::mclapply}."
    ),
    call = call
  )
}

# The value of `expr`, which uses a socket that may be closed, or only a copy of one.
usable <- function(expr, call) {
  tryCatch(expr, error = function(cnd) abort_unusable(call))
}

abort_unusable <- function(call) {
  abort_connection(
    c(
      "The socket cannot be used: it was closed, belongs to another R process, or was saved and loaded again.",
      "i" = "Each R session needs a connection of its own, by {.fn mangoro_connect}."
    ),
    call = call
  )
}

# --- Lines --------------------------------------------------------------------

# What one request at a time goes over:
#   ctx     an NNG context; NULL for the socket itself, and once it is closed
#   id      the name of its calls, by which the server is told to cancel one
#   signal  the condition variable that tells of a reply: one for all lines of the
#           session, so that several requests can be waited for at once
# and while a request is out on it, what begin() notes, and `segments`, what a call uses of
# shared memory, see end_segments(). Of a call that lives:
#   targets   what Go may ask, see new_targets()
#   failures  conditions that these have raised, by their number
#   shows     the argument `.progress`
#   progress  what shows its progress
#   talk      what C has to know to answer for them, see talk_of()
#   word      TRUE: R has the word
#   moved     TRUE: it goes on over the socket, but still holds the lane
#   offer     the name of the segment for the next part of a stream, NULL for none
#   kept      TRUE: a task or a stream keeps the line
new_line <- function(ctx = NULL) {
  if (is.null(the$signal)) the$signal <- cv()
  rlang::new_environment(list(ctx = ctx, id = nanonext::random(16), signal = the$signal))
}

# The context and the request of each line that a task or stream keeps. R's collector must not
# take them in a fork, where NNG would end the process, or wait for its threads.
kept_lines <- new.env(parent = emptyenv())

keep_line <- function(line) {
  line$kept <- TRUE
  assign(line$id, list(line$ctx, line$aio), envir = kept_lines)
}

unkeep_line <- function(line) {
  line$kept <- NULL
  if (exists(line$id, envir = kept_lines, inherits = FALSE)) rm(list = line$id, envir = kept_lines)
}

# A line for a request, until release_line(). Free ones are kept: to open a context and
# close it takes 20 us of a small call's 200.
take_line <- function(connection, call) {
  state <- connection$state
  free <- state$free
  if (is.null(free)) return(open_line(connection, call))
  state$free <- free[[2]]
  free[[1]]
}

open_line <- function(connection, call) {
  ctx <- usable(context(connection$sock), call)
  nanonext::opt(ctx, "req:resend-time") <- 0L
  new_line(ctx)
}

# One that is taken is closed when it is released.
close_lines <- function(state) {
  state$closed <- TRUE
  close_lane(state)
  for (parting in as.list(state$partings)) discard(parting$ctx)
  state$partings <- new.env(parent = emptyenv())
  while (!is.null(state$free)) {
    discard(state$free[[1]]$ctx)
    state$free <- state$free[[2]]
  }
}

# --- Its lane -----------------------------------------------------------------

# A lane is shared memory through which small messages go instead of the socket
# (src/lane.c). One call at a time has it. Whatever it cannot take goes over the socket: a
# larger message, a call while another one is out, and anything but calls.

# Whether shared memory may be used at all.
wants_shared_memory <- function() isTRUE(getOption("mangoro.shared_memory", TRUE))

#   pointer  an external pointer, see src/lane.c
#   peer     stands for the server in the pool of segments, see src/segment.h
#   line     the line of the calls that C makes in one piece (R/call.R): they go over
#            the lane only, so it is no more than an id
new_lane <- function(pointer, peer) {
  rlang::new_environment(list(pointer = pointer, peer = peer, line = new_line()))
}

# The lane that a call may try, NULL for none.
usable_lane <- function(connection) if (wants_shared_memory()) connection$state$lane

# Without a lane again.
close_lane <- function(state) {
  if (!is.null(state$lane)) .Call(c_lane_close, state$lane$pointer)
  state$lane <- NULL
}

# What a task or stream raises for `cnd`. That the connection was lost is no news where R has
# stopped the program, or started it again.
about_program <- function(x, cnd) {
  server <- x$connection$server
  if (is.null(server) || !inherits(cnd, "mangoro_error_connection")) return(cnd)
  now <- server$connection
  if (is.null(now)) return(program_condition(x$signature$name, "stopped", x$call))
  if (identical(now$state, x$connection$state)) cnd else program_condition(x$signature$name, "started again", x$call)
}
