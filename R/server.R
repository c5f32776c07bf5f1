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
#   dir        the directory of what the process prints
#   place      where inline code stands in the user's script, see go_program();
#              NULL for none
#   shown      a function: what messages call the files that its functions are
#              in; NULL for a program that is not generated
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
  sock <- rlang::try_fetch(
    nanonext::socket("req", dial = server$url, tls = server$tls),
    error = function(cnd) {
      abort_invalid_argument("url", "{.val {server$url}} is no URL that can be dialled.", parent = cnd, call = call)
    }
  )
  server$connection <- list(sock = sock, server = server, state = socket_state(sock))
  hold(server)
}

# NNG's threads are not there in a fork, and it crashes without them.
check_no_fork <- function(call) {
  if (the$pid != Sys.getpid()) {
    abort_connection(
      c(
        "A fork of an R process cannot connect to a Go program.",
        "i" = "Use a session of its own: a cluster of {.fn parallel::makeCluster} and not {.fn parallel::mclapply}."
      ),
      call = call
    )
  }
}

# What is saved and loaded again is of another session.
is_of_session <- function(server) identical(server$session, session)

# Of a handle that is of use in this session and process.
check_owner <- function(server, call) {
  if (!is_of_session(server)) {
    abort_foreign(server, call)
  } else if (server$owner != Sys.getpid()) {
    abort_forked(server, call)
  }
}

# The call that makes such a handle.
maker <- function(server) {
  if (is.null(server$launch)) {
    cli::format_inline("{.code mangoro_connect({.val {server$url}})}")
  } else {
    cli::format_inline(if (is.null(server$shown)) "{.fn mangoro_start}" else "{.fn mangoro_source}")
  }
}

abort_foreign <- function(server, call) {
  goes_on <- !is.null(server$launch) && file.exists(sub("^ipc://", "", server$url))
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

# What it prints goes to files, so that it never waits for somebody to read.
start_process <- function(server, program, dir, call) {
  server$dir <- dir
  rlang::try_fetch(
    suspendInterrupts(server$process <- processx::process$new(
      program$command, c(server$url, program$args),
      env = c("current", MANGORO_PARENT = as.character(Sys.getpid()), program$env),
      stdin = NULL, stdout = log_file(server, "stdout"), stderr = log_file(server, "stderr"),
      cleanup = TRUE
    )),
    error = function(cnd) {
      abort_start(server$label, "cannot be run by the system.", parent = cnd, call = call)
    }
  )
  hold(server)
}

new_server_dir <- function() {
  dir <- tempfile("mangoro-server-")
  dir.create(dir, mode = "0700")
  dir
}

log_file <- function(server, stream) file.path(server$dir, stream)

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
  list(status = process$get_exit_status(), stderr = last_words(log_file(server, "stderr")))
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

# The last lines of a file, without reading all of a long one.
tail_lines <- function(file, n, bytes = 65536) {
  size <- file.size(file)
  if (is.na(size) || size == 0) {
    return(character())
  }
  if (is.infinite(n)) bytes <- size
  con <- base::file(file, "rb")
  on.exit(base::close(con))
  seek(con, max(0, size - bytes))
  text <- readBin(con, "raw", min(size, bytes))
  text <- rawToChar(text[text != 0])
  lines <- strsplit(iconv(text, "UTF-8", "UTF-8", sub = "byte"), "\r?\n")[[1]]
  if (size > bytes) lines <- lines[-1]
  utils::tail(lines, n)
}

# Of a Go program that crashed, what it says itself and not the end of its stack.
last_words <- function(file, n = 10) {
  lines <- tail_lines(file, Inf)
  crash <- grep("^(panic|fatal error|runtime): ", lines)
  if (length(crash) > 0) lines <- utils::head(lines[seq(crash[[1]], length(lines))], n)
  utils::tail(lines, n)
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
  remove_traces(server)
}

close_socket <- function(server) {
  sock <- server$connection$sock
  if (is.null(sock)) {
    return(invisible())
  }
  forget_socket(sock)
  close(sock)
  server$connection <- NULL
}

# The program is told to end and ends itself: its calls are given up, what it
# has to write is written. One that does not is killed.
stop_process <- function(server, patience) {
  if (is.null(server$process)) {
    return(invisible())
  }
  server$process$signal(tools::SIGTERM)
  is_running(server$process, patience)
  server$process$kill()
}

remove_traces <- function(server) {
  rlang::env_unbind(held, server$id)
  if (!is.null(server$process) && startsWith(server$url, "ipc://")) unlink(sub("^ipc://", "", server$url))
  if (!is.null(server$dir)) unlink(server$dir, recursive = TRUE)
}

# --- What is known of a socket ------------------------------------------------

# What is kept for a socket while the session lasts. A socket's number is not used
# again.
#   line        what the next request goes over, see new_line(); NULL: a new one
#   parting     the last cancel that was sent, on its way
#   signatures  those of the server's functions, by name
socket_state <- function(sock) {
  key <- as.character(attr(sock, "id"))
  state <- the$sockets[[key]]
  if (is.null(state)) {
    state <- new.env(parent = emptyenv())
    if (is.null(the$sockets)) the$sockets <- new.env(parent = emptyenv())
    assign(key, state, envir = the$sockets)
  }
  state
}

forget_socket <- function(sock) {
  key <- as.character(attr(sock, "id"))
  if (!is.null(the$sockets[[key]])) rm(list = key, envir = the$sockets)
}
