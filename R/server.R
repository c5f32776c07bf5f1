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
  if (!is_ours(server)) {
    abort_connection(
      c(
        "This handle of {.file {server$label}} belongs to another R process, or was saved and loaded again.",
        "i" = "A session of its own connects by itself: {.code mangoro_connect({.val {server$url}})}."
      ),
      url = server$url, call = call
    )
  }
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
  on.exit(server$process$kill()) # after an interrupt too
  server$process$signal(tools::SIGTERM)
  if (!is_windows()) server$process$signal(tools::SIGCONT) # or one that was stopped would not hear of it
  is_running(server$process, patience)
}

remove_traces <- function(server) {
  rlang::env_unbind(held, server$id)
  if (!is.null(server$process) && startsWith(server$url, "ipc://")) unlink(sub("^ipc://", "", server$url))
  if (!is.null(server$dir)) unlink(server$dir, recursive = TRUE)
}
