# The life of a server: from how it is launched to one that answers, and its end.

# Builds first: if that fails, the running process is left alone.
start_server <- function(server, call) {
  check_no_fork(call)
  dir <- new_server_dir()
  ready <- FALSE
  on.exit(if (!ready) unlink(dir, recursive = TRUE))
  retry_when_cleaned(function() {
    program <- server$launch(dir, call)
    stop_server(server)
    start_process(server, program, dir, call)
  })
  on.exit(if (!ready) end_server(server), add = TRUE, after = FALSE)
  open_socket(server, call)
  await_server(server, call)
  begin_output(server)
  ready <- TRUE
  if (!is.null(server$recipe)) tell_left_out(server)
  for (revive in server$revive) revive(call)
}

connect_server <- function(server, call) {
  check_no_fork(call)
  open_socket(server, call)
  ready <- FALSE
  on.exit(if (!ready) close_socket(server))
  fetch_signatures(server$connection, min(call_timeout(NULL, server, call), connect_timeout(call)), call)
  server$functions <- list()
  ready <- TRUE
}

# A server is ready once it has answered.
await_server <- function(server, call) {
  server$functions <- list()
  patience <- connect_timeout(call)
  started <- seconds()
  rlang::try_fetch(
    fetch_signatures(server$connection, patience, call),
    mangoro_error = function(cnd) {
      end <- server_end(server)
      if (!is.null(end)) {
        reason <- paste(describe_status(end$status), "before it accepted a connection.")
        abort_start(server$label, reason, end, own_main = is.null(server$recipe), call = call)
      }
      end <- list(stderr = last_words(server))
      if (seconds() - started >= patience) {
        abort_start(
          server$label, "did not answer at its URL within {patience} second{?s}.", end,
          call = call
        )
      }
      abort_start(server$label, "does not answer like a mangoro server.", end, parent = cnd, call = call)
    }
  )
}

# --- Its socket and process ---------------------------------------------------

open_socket <- function(server, call) {
  sock <- nanonext::socket("req")
  state <- adopt(sock, call)
  rlang::try_fetch(
    dial(sock, server$url, server$tls),
    error = function(cnd) {
      discard(sock)
      abort_invalid_argument("url", "{.val {server$url}} cannot be dialled.", parent = cnd, call = call)
    }
  )
  server$connection <- new_connection(sock, state, server)
  hold(server)
}

# The sockets and processes of all servers. The collector must not take them together
# with their server, whose finalizer would find their pointers freed; and in a fork,
# where they stay here, none of their own finalizers ends what the parent uses. When R
# exits, nanonext closes the sockets and processx kills the processes.
held <- new.env(parent = emptyenv())

hold <- function(server) {
  if (!server$finalized) reg.finalizer(server, end_server)
  server$finalized <- TRUE
  assign(server$id, list(server$connection$sock, server$process), envir = held)
}

# A thread of this process reads what the program prints, which so never waits for R.
start_process <- function(server, program, dir, call) {
  server$dir <- dir
  log <- .Call(c_log_open)
  if (is.null(log)) abort_resource_exhausted("The system has no pipe or thread left for another server.", call = call)
  ends <- lapply(log[[2]], processx::conn_create_fd, close = TRUE)
  # Only the program writes, so that the pipes end with it.
  on.exit(lapply(ends, close))
  server$log <- log[[1]]
  server$shows <- server$wakes <- FALSE
  rlang::try_fetch(
    suspendInterrupts(server$process <- processx::process$new(
      program$command, c(server$url, program$args),
      env = c(
        "current", MANGORO_PARENT = as.character(Sys.getpid()), MANGORO_DIR = session_dir(), MANGORO_MARKS = "1",
        MANGORO_HTTP_SITE = "1", local_zone(program$env), program$env
      ),
      stdin = NULL, stdout = ends[[1]], stderr = ends[[2]],
      cleanup = TRUE
    )),
    error = function(cnd) {
      abort_start(server$label, "cannot be run.", parent = cnd, call = call)
    }
  )
  hold(server)
}

# Go's local time is R's, unless the user's `env` says another.
local_zone <- function(env) {
  zone <- session_zone()
  if (!is.na(zone) && !"TZ" %in% names(env)) c(TZ = zone)
}

new_server_dir <- function() {
  dir <- tempfile("server-", session_dir())
  dir.create(dir)
  dir
}

# --- Its end ------------------------------------------------------------------

stop_server <- function(server, patience = 6) {
  end_output(server)
  close_socket(server)
  stop_process(server, patience)
  remove_traces(server)
  server$functions <- list()
  invisible()
}

# The finalizer. A fork must not end what its parent uses, and of a server that was
# stopped nothing is held.
end_server <- function(server) {
  if (server$owner != Sys.getpid() || !rlang::env_has(held, server$id)) {
    return(invisible())
  }
  close_socket(server)
  if (!is.null(server$process)) server$process$kill()
  .Call(c_log_close, server$log)
  remove_traces(server)
}

close_socket <- function(server) {
  sock <- server$connection$sock
  if (is.null(sock)) {
    return(invisible())
  }
  close_lines(server$connection$state)
  discard(sock)
  server$connection <- NULL
}

# The program is told to end, so that it can give up its calls and write what it has to.
# One that does not end is killed.
stop_process <- function(server, patience) {
  if (is.null(server$process)) {
    return(invisible())
  }
  on.exit({ # after an interrupt too
    server$process$kill()
    .Call(c_log_close, server$log)
  })
  server$process$signal(tools::SIGTERM)
  if (!is_windows()) server$process$signal(tools::SIGCONT) # a suspended one would not hear of it
  is_running(server$process, patience)
}

remove_traces <- function(server) {
  rlang::env_unbind(held, server$id)
  socket <- socket_file(server$url)
  if (!is.null(server$process) && is_ipc(server$url) && file.exists(socket)) file.remove(socket)
  if (!is.null(server$dir)) unlink(server$dir, recursive = TRUE)
}

# Tells which functions of the user's sources R cannot call, where they are and why.
tell_left_out <- function(server) {
  left_out <- server$connection$state$left_out
  # Of types that the program has from elsewhere, methods are only missed when they are called.
  types <- names(server$connection$state$classes)
  left_out <- left_out[!(is.na(left_out$line) & sub("[.][^.]*$", "", left_out$name) %in% types), ]
  if (nrow(left_out) == 0) {
    return(invisible())
  }
  recipe <- server$recipe
  left_out$file <- recipe$shown(system_path(left_out$file))
  if (!is.null(recipe$location)) left_out <- relocate(left_out, recipe$location)
  at <- ifelse(is.na(left_out$line), "", paste0(" at ", format_location(left_out$file, left_out$line)))
  told <- paste0(left_out$name, at, ": ", left_out$reason)
  cli::cli_inform(c("Left out:", rlang::set_names(escape_braces(told), rep("*", length(told)))))
}
