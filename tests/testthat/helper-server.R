# Servers for the tests. Each is built once per run, and ends with its test.

# The path of a command of the package, or of a program in tests/testthat/go.
command_source <- function(name) {
  file.path(system.file("go", package = "mangoro"), "cmd", name, "main.go")
}

test_source <- function(name) test_path("go", paste0(name, ".go"))

built <- new.env()

build_once <- function(src) {
  skip_if_no_go()
  if (is.null(built[[src]])) {
    built[[src]] <- mangoro_go_build(src, tempfile("server"))
  }
  built[[src]]
}

# A running server: its process, its URL and a socket that dials it.
local_server <- function(src, args = character(), env = parent.frame()) {
  bin <- build_once(src)
  url <- create_ipc_path()
  proc <- processx::process$new(bin, args = c(url, args), stdout = "|", stderr = "|")
  sock <- nanonext::socket("req", dial = url)
  withr::defer(
    {
      close(sock)
      proc$kill()
    },
    envir = env
  )
  list(proc = proc, url = url, sock = sock)
}

# The server go/puppet.go, with a function that sets its replies: to the requests that follow,
# in this order, and the last to all others.
local_puppet <- function(env = parent.frame()) {
  file <- withr::local_tempfile(.local_envir = env)
  puppet <- local_server(test_source("puppet"), args = file, env = env)
  number <- 0
  puppet$answer <- function(...) {
    number <<- number + 1
    messages <- lapply(list(...), function(bytes) c(mangoro_pack_int32(length(bytes)), bytes))
    writeBin(c(mangoro_pack_int32(number), unlist(messages)), file)
  }
  puppet
}

# The address of a port that was free a moment ago.
free_address <- function(sock) {
  started <- mangoro_http_start(sock, "127.0.0.1:0", dir = tempdir())
  mangoro_http_stop(sock)
  sub("^HTTP server started on ", "", started$message)
}

# Reads what a process prints until it has printed `text`.
wait_for_output <- function(proc, text) {
  seen <- ""
  while (!grepl(text, seen, fixed = TRUE)) {
    if (proc$poll_io(30000)[["output"]] != "ready") stop("the process printed only: ", seen)
    seen <- paste0(seen, proc$read_output())
  }
}

# The reply to a message.
ask <- function(sock, message) ask_connection(connection_of(sock, NULL), message)

# Sends a value to Go and back, as a record with one row and one column.
echo_value <- function(sock, value) {
  reply <- ask(sock, encode_row(list(x = value), envelope_header("call", "echo")))
  decode_row(reply, check_reply(reply, "result", "echo", NULL, NULL)$start)$x
}

# Sends a data frame to a handler on records and returns the result.
echo_record <- function(sock, name, frame) {
  reply <- ask(sock, encode_record(frame, envelope_header("call", name)))
  decode_record(reply, check_reply(reply, "result", name, NULL, NULL)$start)
}

# A handle that ends with the test.
local_handle <- function(handle, env = parent.frame()) {
  force(handle)
  withr::defer(mangoro_stop(handle), envir = env)
  handle
}

local_start <- function(src, ..., frame = parent.frame()) {
  skip_if_no_go()
  local_handle(mangoro_start(src, ...), frame)
}

local_source <- function(..., frame = parent.frame()) {
  skip_if_no_go()
  local_handle(mangoro_source(...), frame)
}

pid_of <- function(handle) mangoro_status(handle)$pid

has_process <- function(pid) tools::pskill(pid, 0)

# Waits for the end of a process that is no longer a child of R.
wait_for_end <- function(pid) {
  deadline <- Sys.time() + 30
  while (has_process(pid)) {
    if (Sys.time() > deadline) stop("process ", pid, " does not end")
    processx::run("true")
  }
}

# Stops a process, and waits until it has stopped.
suspend <- function(process) {
  process$suspend()
  while (!identical(process$get_status(), "stopped")) NULL
}

# The reply to a message over a connection.
ask_connection <- function(connection, message) {
  line <- take_line(connection, NULL)
  on.exit(release_line(line, connection))
  roundtrip(line, connection, message, name = NULL, timeout = 60, call = NULL)
}
