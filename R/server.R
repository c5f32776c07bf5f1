# A server that a handle stands for: an environment that the handle and its
# functions share. It has no class: looking for methods would take its time in
# small calls.
#   label      what the user calls it
#   url        where it listens
#   connection  of the socket that dials it, NULL once it is stopped
#   tls        the TLS configuration of the socket, NULL for none
#   timeout    how long a call waits, in seconds; NULL: the option says
#   launch     a function of a directory, to build in, and the user's call that
#              returns how to run the program: command, args, env; NULL for a
#              server that somebody else started
#   process    its process, NULL for a server that somebody else started
#   log        what the process prints, an external pointer, see src/log.c
#   dir        the directory that it was built in
#   recipe     what its program was generated from, see new_recipe(); NULL for a
#              program that is not generated
#   functions  the R functions made of its manifest so far
#   owner      the R process that made it
#   session    the session that made it
new_server <- function(label, url, timeout = NULL, tls = NULL, launch = NULL) {
  server <- rlang::new_environment(list(
    label = label, url = url, timeout = timeout, tls = tls, launch = launch,
    functions = list(), owner = Sys.getpid(), session = session, id = basename(tempfile(""))
  ))
  reg.finalizer(server, end_server)
  server
}

# The sockets and processes of all servers, so that the collector does not take
# them in one go with the server: its finalizer would find their pointers freed.
# When R exits, nanonext closes the ones, processx kills the others, and the
# session's temporary directory goes with all files. In a fork they stay here,
# and so no finalizer of theirs ends what the parent uses.
held <- new.env(parent = emptyenv())

hold <- function(server) assign(server$id, list(server$connection$sock, server$process), envir = held)

# NULL if `x` is no handle.
server_of <- function(x) if (inherits(x, "mangoro_handle")) .subset2(x, "server")

open_socket <- function(server, call) {
  sock <- nanonext::socket("req")
  state <- adopt(sock, call)
  rlang::try_fetch(
    dial(sock, server$url, server$tls),
    error = function(cnd) {
      discard(sock)
      abort_invalid_argument("url", "{.val {server$url}} is no URL that can be dialled.", parent = cnd, call = call)
    }
  )
  server$connection <- list(sock = sock, server = server, state = state)
  hold(server)
}

# Whether it is of use here: neither in a fork nor saved and loaded again.
is_ours <- function(server) server$owner == Sys.getpid() && identical(server$session, session)

check_owner <- function(server, call) {
  if (!identical(server$session, session)) {
    abort_foreign(server, call)
  } else if (!is_ours(server)) {
    abort_forked(server, call)
  }
}

# The call that makes such a handle.
maker <- function(server) {
  if (is.null(server$launch)) {
    format_inline("{.code mangoro_connect({.val {server$url}})}")
  } else {
    format_inline(if (is.null(server$recipe)) "{.fn mangoro_start}" else "{.fn mangoro_source}")
  }
}

abort_foreign <- function(server, call) {
  goes_on <- !is.null(server$launch) && file.exists(socket_file(server$url))
  abort_connection(
    c(
      "This handle of {.file {server$label}} was saved and loaded again, or sent to another R process.",
      "i" = "Make it again in this session, with {maker(server)}.",
      "i" = "A knitr chunk that makes a handle must not be cached: give it the option {.code cache = FALSE}.",
      "i" = if (goes_on) {
        "Or reach the program of the session that made it with {.code mangoro_connect({.val {server$url}})}."
      }
    ),
    url = server$url, call = call
  )
}

abort_forked <- function(server, call) {
  abort_connection(
    c(
      "A fork of an R process cannot use the handle of {.file {server$label}}.",
      "i" = "Instead of {.fn parallel::mclapply}, call Go once with all values: a function with
             {.code //mangoro:parallel} runs on all cores.",
      "i" = "Or use a cluster of {.fn parallel::makeCluster}, in which each worker makes a handle of its own
             with {maker(server)}."
    ),
    url = server$url, call = call
  )
}

# Its connection, if it can be called at all.
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

# --- Its process ------------------------------------------------------------

# What it prints is read by a thread of this process, so that it never waits for R.
start_process <- function(server, program, dir, call) {
  server$dir <- dir
  log <- .Call(system_log_open)
  if (is.null(log)) abort_resource_exhausted("The system has no pipe or thread left for a server.", call = call)
  ends <- lapply(log[[2]], processx::conn_create_fd, close = TRUE)
  # The program alone writes: with its end, what it prints ends.
  on.exit(lapply(ends, close))
  server$log <- log[[1]]
  rlang::try_fetch(
    suspendInterrupts(server$process <- processx::process$new(
      program$command, c(server$url, program$args),
      env = c(
        "current", MANGORO_PARENT = as.character(Sys.getpid()), MANGORO_DIR = session_dir(),
        local_zone(program$env), program$env
      ),
      stdin = NULL, stdout = ends[[1]], stderr = ends[[2]],
      cleanup = TRUE
    )),
    error = function(cnd) {
      abort_start(server$label, "cannot be run by the system.", parent = cnd, call = call)
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

# How the process ended: status and the last lines of its standard error. NULL
# if it runs, or is not ours. One that closed its connection is given time to
# end as well.
server_end <- function(server, patience = 0) {
  process <- server$process
  if (is.null(process)) {
    return(NULL)
  }
  if (is_running(process, patience)) {
    return(NULL)
  }
  list(status = process$get_exit_status(), stderr = last_words(server, process$get_exit_status()))
}

# Whether it still runs in `patience` seconds. Short waits: processx is not told of
# the end of a process once another package handles that signal, as parallel does.
is_running <- function(process, patience = 0) {
  started <- seconds()
  while (process$is_alive() && seconds() - started < patience) process$wait(20)
  process$is_alive()
}

# Monotonic: the clock of proc.time() may be set.
seconds <- function() nanonext::mclock() / 1000

# The last `n` lines of what it has printed and is kept.
log_lines <- function(server, stream, n) {
  as_lines(.Call(system_log_lines, server$log, match(stream, c("stdout", "stderr")) - 1L, as.double(n)))
}

as_lines <- function(bytes) {
  text <- rawToChar(bytes[bytes != 0])
  strsplit(iconv(text, "UTF-8", "UTF-8", sub = "byte"), "\r?\n")[[1]]
}

# Of a Go program that crashed, how the crash began, and not the end of its stack;
# of any other the last lines. Go's runtime ends with status 2, or with a signal of
# its own. `status` is NULL while the program runs, NA if nobody knows.
last_words <- function(server, status = NULL, n = 10) {
  may_have_crashed <- !is.null(status) && (is.na(status) || status == 2 || status < 0 && status != -tools::SIGKILL)
  crash <- if (may_have_crashed) as_lines(.Call(system_log_crash, server$log))
  cut_lines(if (length(crash) > 0) utils::head(crash, n) else log_lines(server, "stderr", n))
}

# Of the last lines, one of which may be all that is kept.
cut_lines <- function(lines, width = 1000) {
  long <- nchar(lines) > width
  lines[long] <- paste0(substr(lines[long], 1, width), "...")
  lines
}

# --- Its end ----------------------------------------------------------------

# The finalizer. A forked child must not end what its parent uses, and a server
# that was stopped holds nothing.
end_server <- function(server) {
  if (server$owner != Sys.getpid() || !rlang::env_has(held, server$id)) {
    return(invisible())
  }
  close_socket(server)
  if (!is.null(server$process)) server$process$kill()
  .Call(system_log_close, server$log)
  remove_traces(server)
}

close_socket <- function(server) {
  sock <- server$connection$sock
  if (is.null(sock)) {
    return(invisible())
  }
  line <- server$connection$state$line
  if (!is.null(line)) discard(line$ctx)
  discard(sock)
  server$connection <- NULL
}

# The program is told to end and ends itself: its calls are given up, what it
# has to write is written. One that does not is killed.
stop_process <- function(server, patience) {
  if (is.null(server$process)) {
    return(invisible())
  }
  on.exit({ # after an interrupt too
    server$process$kill()
    .Call(system_log_close, server$log)
  })
  server$process$signal(tools::SIGTERM)
  if (!is_windows()) server$process$signal(tools::SIGCONT) # or one that was stopped would not hear of it
  is_running(server$process, patience)
}

remove_traces <- function(server) {
  rlang::env_unbind(held, server$id)
  socket <- socket_file(server$url)
  if (!is.null(server$process) && is_ipc(server$url) && file.exists(socket)) file.remove(socket)
  if (!is.null(server$dir)) unlink(server$dir, recursive = TRUE)
}
