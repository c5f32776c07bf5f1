# Servers: the running program that a handle stands for, its process and what that prints.

# An environment that a handle and its functions share. It has no class: to look for
# methods takes half a microsecond each time that a key is read.
#   label       what the user calls it
#   url         where it listens
#   timeout     how long a call waits, in seconds; NULL: as long as the option says
#   tls         the TLS configuration of the socket, NULL for none
#   launch      a function of a directory, to build in, and the user's call that
#               returns how to run the program: command, args, env; NULL for a
#               server that we did not start
#   recipe      what its program was generated from, see new_recipe(); NULL for a
#               program that is not generated
#   revive      functions of the user's call that start what runs in the program again
#               after it was started again, by name, see start_again()
#   site        what mangoro_serve() serves, see new_site(); NULL for other programs
#   connection  see new_connection(); NULL once it is stopped
#   process     its process, NULL for a server that we did not start
#   log         what the process prints, an external pointer, see src/log.c
#   shows       TRUE while what it prints is shown: not what it says of itself, before it has
#               answered and after it was told to end
#   wakes       TRUE once later's loop shows it, too, see wake_for_output()
#   dir         the directory that it was built in
#   functions   the R functions made of its manifest so far, by name
#   owner       the R process that made it
#   session     the session that made it
#   id          its name among those that are held, see hold()
#   finalized   TRUE once it has its finalizer, which hold() registers
new_server <- function(label, url, timeout = NULL, tls = NULL, launch = NULL, recipe = NULL) {
  rlang::new_environment(list(
    label = label, url = url, timeout = timeout, tls = tls, launch = launch, recipe = recipe,
    revive = list(), site = NULL, connection = NULL, process = NULL, log = NULL, shows = FALSE, wakes = FALSE,
    dir = NULL, functions = list(),
    owner = Sys.getpid(), session = session, id = basename(tempfile("")), finalized = FALSE
  ))
}

# The server of a handle, NULL for anything else.
server_of <- function(x) if (inherits(x, "mangoro_handle")) .subset2(x, "server")

# Whether this process made it. In a fork, or saved and loaded again, it cannot be used.
is_ours <- function(server) server$owner == Sys.getpid() && identical(server$session, session)

check_owner <- function(server, call) {
  if (is_ours(server)) {
    return(invisible())
  }
  if (identical(server$session, session)) abort_forked_handle(server, call) else abort_foreign_handle(server, call)
}

# The function that makes such a handle.
maker <- function(server) {
  if (is.null(server$launch)) {
    format_inline("{.code mangoro_connect({.val {server$url}})}")
  } else if (!is.null(server$site)) {
    format_inline("{.fn mangoro_serve}")
  } else {
    format_inline(if (is.null(server$recipe)) "{.fn mangoro_start}" else "{.fn mangoro_source}")
  }
}

abort_foreign_handle <- function(server, call) {
  site <- server$site
  goes_on <- !is.null(server$launch) && file.exists(socket_file(server$url))
  abort_connection(
    c(
      "This handle of {.file {server$label}} was saved and loaded again, or sent to another R process.",
      "i" = "Make it again in this session, with {maker(server)}.",
      "i" = "A knitr chunk that makes a handle must not be cached: give it the option {.code cache = FALSE}.",
      "i" = if (goes_on && !is.null(site)) {
        "Any program can read its files, at {site_urls(site)}."
      } else if (goes_on) {
        "Or reach the program of the session that made it with {.code mangoro_connect({.val {server$url}})}."
      }
    ),
    url = server$url, call = call
  )
}

abort_forked_handle <- function(server, call) {
  site <- server$site
  instead <- if (!is.null(site)) {
    c("i" = "It can read its files, at {site_urls(site)}.")
  } else {
    c(
      "i" = "Instead of {.fn parallel::mclapply}, call Go once with all values: a function with
             {.code //mangoro:parallel} runs on all cores.",
      "i" = "Or use a cluster of {.fn parallel::makeCluster}, in which each worker makes a handle of its own
             with {maker(server)}."
    )
  }
  abort_connection(
    c("A fork of an R process cannot use the handle of {.file {server$label}}.", instead),
    url = server$url, call = call
  )
}

# --- Its process ------------------------------------------------------------

server_state <- function(server) {
  if (!is_ours(server)) {
    "lost"
  } else if (is.null(server$connection)) {
    "stopped"
  } else if (!is.null(server$process)) {
    if (server$process$is_alive()) "running" else "ended"
  } else if (is_connected(server$connection$sock)) {
    "connected"
  } else {
    "lost"
  }
}

# How the process ended: its status and the last lines of its standard error. NULL
# if it runs, or if we did not start it. One that has closed its connection is given
# `patience` seconds to end.
server_end <- function(server, patience = 0) {
  process <- server$process
  if (is.null(process) || is_running(process, patience)) {
    return(NULL)
  }
  list(status = process$get_exit_status(), stderr = last_words(server, process$get_exit_status()))
}

# Whether it still runs after `patience` seconds. The waits are short because processx
# does not hear of the end of a process once another package, such as parallel, handles
# that signal.
is_running <- function(process, patience = 0) {
  started <- seconds()
  while (process$is_alive() && seconds() - started < patience) process$wait(20)
  process$is_alive()
}

# Monotonic: the clock of proc.time() may be set.
seconds <- function() mclock() / 1000

# The last `n` lines of what is kept of what it has printed.
log_lines <- function(server, stream, n) {
  as_lines(.Call(c_log_lines, server$log, match(stream, c("stdout", "stderr")) - 1L, as.double(n)))
}

as_lines <- function(bytes) {
  text <- rawToChar(bytes[bytes != 0])
  strsplit(iconv(text, "UTF-8", "UTF-8", sub = "byte"), "\r?\n")[[1]]
}

# How the crash began if the program is one of Go that crashed, rather than the end of its
# stack; otherwise its last lines. Go's runtime ends with status 2, or by a signal of its own.
# `status` is NULL while the program runs, NA if unknown.
last_words <- function(server, status = NULL, n = 10) {
  may_have_crashed <- !is.null(status) && (is.na(status) || status == 2 || status < 0 && status != -tools::SIGKILL)
  crash <- if (may_have_crashed) as_lines(.Call(c_log_crash, server$log))
  if (length(crash) > 0) {
    return(cut_lines(utils::head(crash_lines(crash, server), n)))
  }
  # What a program says when it starts is not why it has ended.
  lines <- log_lines(server, "stderr", n + 100)
  cut_lines(utils::tail(lines[!startsWith(lines, "left out: ")], n))
}

# What Go's runtime says of a crash and the user's own lines, those of package main, if there
# are any in the stack; otherwise the crash as it is printed.
crash_lines <- function(crash, server) {
  func <- "^(?:created by )?(main\\..*?)(?:\\([^()]*\\)| in goroutine [0-9]+)?$"
  place <- "^\t(.*):([0-9]+)(?: \\+0x[0-9a-f]+)?(?: fp=.*)?$"
  at <- which(grepl(func, utils::head(crash, -1), perl = TRUE) & grepl(place, crash[-1], perl = TRUE))
  frames <- data.frame(
    `function` = sub("^main\\.", "", sub(func, "\\1", crash[at], perl = TRUE)),
    file = sub(place, "\\1", crash[at + 1], perl = TRUE),
    line = as.integer(sub(place, "\\2", crash[at + 1], perl = TRUE)), check.names = FALSE
  )
  frames <- own_frames(unique(frames[basename(frames$file) != "mangoro_main.go", ]), server, limit = 5)
  stack <- which(grepl("^(goroutine [0-9]|runtime stack:)", crash))
  if (nrow(frames) == 0 || length(stack) == 0) {
    return(crash)
  }
  said <- utils::head(crash, stack[[1]] - 1)
  c(utils::head(said[nzchar(said)], 5), paste0("  ", show_frames(frames)))
}

# The first frames, with the user's names of files.
own_frames <- function(frames, server, limit) {
  frames <- utils::head(frames, limit)
  frames$file <- sub("^\\./", "", frames$file)
  frames$file[basename(frames$file) == inline_name] <- inline_name
  if (is.null(server$recipe$location)) frames else relocate(frames, server$recipe$location)
}

# Lines to show: one may be all that is kept.
cut_lines <- function(lines, width = 1000) {
  long <- nchar(lines) > width
  lines[long] <- paste0(substr(lines[long], 1, width), "...")
  lines
}
