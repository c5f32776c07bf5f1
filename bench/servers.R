# Servers and timing, shared by the benchmarks.

# Builds and starts a command of the package, or a Go file.
start_server <- function(src) {
  if (!endsWith(src, ".go")) src <- file.path(system.file("go", package = "mangoro"), "cmd", src, "main.go")
  url <- mangoro::create_ipc_path()
  bin <- mangoro::mangoro_go_build(src, tempfile("server"), quiet = TRUE)
  proc <- processx::process$new(bin, args = url)
  list(proc = proc, url = url, sock = nanonext::socket("req", dial = url))
}

stop_server <- function(server) {
  close(server$sock)
  server$proc$kill()
}

# One round trip of bytes, as direct as nanonext allows.
raw_echo <- function(sock, bytes) {
  nanonext::send(sock, bytes, mode = "raw", block = TRUE)
  nanonext::recv(sock, mode = "raw", block = TRUE)
}

# A function that does so with the bytes of a call of data.
raw_echo_of <- function(server, data) {
  bytes <- mangoro:::encode_record(data, mangoro:::envelope_header("call", "Add"))
  function() raw_echo(server$sock, bytes)
}

# Returns a row for each function: median and quartiles in microseconds, and the ratio
# of its median to that of the first function. The functions take turns of `turn` calls
# each, so that a disturbance of the machine affects all of them.
compare <- function(functions, times, turn = 1) {
  run <- function(f, times) {
    microbenchmark::microbenchmark(f(), times = times, control = list(warmup = 1000))$time / 1000
  }
  for (f in functions) run(f, max(3, times %/% 10)) # warm up
  turns <- replicate(times %/% turn, lapply(functions, run, times = turn), simplify = FALSE)
  micros <- lapply(names(functions), function(name) unlist(lapply(turns, `[[`, name)))
  quartiles <- t(vapply(micros, stats::quantile, numeric(3), probs = c(0.25, 0.5, 0.75)))
  data.frame(
    what = names(functions),
    q25 = quartiles[, 1], median = quartiles[, 2], q75 = quartiles[, 3],
    ratio = quartiles[, 2] / quartiles[1, 2],
    row.names = NULL
  )
}

show_table <- function(table) {
  number <- vapply(table, is.numeric, TRUE)
  table[number] <- lapply(table[number], function(x) formatC(x, digits = 3, format = "fg", flag = "#", big.mark = ","))
  print(table, row.names = FALSE)
}
