# Kills R, or R and its Go programs together, at random moments while it builds,
# starts, calls and stops, and counts what is left: after a second, and after the
# next session has started a program. Then kills the Go program alone, again and again
# while R calls it over shared memory, and in calls that live: R's values must stay right, and
# no memory be left.
# Rscript tools/kills.R [KILLS] [SEED]

library(mangoro)

# What a session does until it is killed. Each build is of something new.
doing <- list(
  build = "for (i in 1:1000) mangoro_go_build(source_file(i), file.path(out, 'program'))",
  source = "for (i in 1:1000) { h <- mangoro_source(source_file(i, 'f')); h$F(1); mangoro_stop(h) }",
  start = "for (i in 1:1000) { h <- mangoro_start('cmd/rpc-example'); mangoro_stop(h) }",
  call = "h <- mangoro_start('cmd/rpc-example'); for (i in 1:1e6) h$add(runif(1e4), 1)",
  many = "hs <- lapply(1:4, function(i) mangoro_start('cmd/rpc-example')); repeat for (h in hs) h$add(1, 1)",
  wait = "h <- mangoro_source(code = 'func Hang() { select {} }'); h$Hang()",
  lane = "h <- calculator(); repeat small(h)",
  ring = "h <- calculator(); repeat elementwise(h)",
  segments = "h <- calculator(); repeat whole(h)",
  results = "h <- calculator(); for (i in 1:1e6) kept[[i %% 20 + 1]] <- h$Halves(1e5)",
  tasks = "h <- calculator(); repeat tasks(h)",
  callback = "h <- calculator(); repeat callback(h)",
  stream = "h <- calculator(); repeat stream(h)",
  parts = "h <- calculator(); repeat parts(h)",
  object = "h <- calculator(); repeat object(h)"
)

# Each way of a call, for kills of the Go program alone.
ways <- c("small", "elementwise", "whole", "returned", "tasks", "callback", "stream", "parts", "object")

preamble <- "
library(mangoro)
out <- Sys.getenv('KILLS_OUT')
source_file <- function(i, kind = 'main') {
  code <- sprintf('const unique = \"%d %d\"', Sys.getpid(), i)
  code <- c('package main', code, if (kind == 'main') 'func main() { println(unique) }' else
    'func F(x float64) float64 { return x + float64(len(unique)) }')
  file <- file.path(out, 'code.go')
  writeLines(code, file)
  file
}
calculator_code <- '
import \"iter\"

func Add(x, y float64) float64 { return x + y }
func Sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}
func Halves(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i) / 2
	}
	return x
}
func Apply(f func(float64) float64, n int) float64 {
	s := 0.0
	for i := range n {
		s += f(float64(i))
	}
	return s
}
func Count(n int) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for i := range n {
			if !yield(float64(i)) {
				return
			}
		}
	}
}
func Total(x iter.Seq[float64]) float64 {
	s := 0.0
	for v := range x {
		s += v
	}
	return s
}
type Counter struct{ n int }
func NewCounter() *Counter { return &Counter{} }
func (c *Counter) Next() int { c.n++; return c.n }
'
calculator <- function() mangoro_source(code = calculator_code)
x <- as.double(1:3e5)
halves <- (1:1e5 - 1) / 2
kept <- list()
check <- function(right) if (!right) { cat('wrong value\\n'); quit(status = 2) }
small <- function(h) check(h$Add(1, 2) == 3)
elementwise <- function(h) check(identical(h$Add(x, 1), x + 1))
whole <- function(h) check(h$Sum(x) == sum(x))
returned <- function(h) {
  kept[[length(kept) %% 20 + 1]] <<- h$Halves(1e5)
  check(identical(h$Add(kept[[length(kept)]], 1), halves + 1))
}
tasks <- function(h) {
  made <- lapply(1:20, function(i) mangoro_async(h$Add, x, i))
  for (i in 1:20) check(identical(mangoro_value(made[[i]]), x + i))
}
callback <- function(h) check(h$Apply(function(x) x * 2, 100) == 9900)
stream <- function(h) check(identical(mangoro_collect(h$Count(1e6)), as.double(0:(1e6 - 1))))
parts <- function(h) {
  left <- 5
  check(h$Total(function() { left <<- left - 1; if (left >= 0) x }) == 5 * sum(x))
}
object <- function(h) {
  o <- h$NewCounter()
  for (i in 1:10) check(o$Next() == i)
}

check_kept <- function() for (result in kept) check(identical(result, halves))

# Calls until the file `stop` is there; restarts the program each time that it has died.
carry_on <- function(way) {
  h <- calculator()
  cat('ready\\n')
  while (!file.exists(file.path(out, 'stop'))) {
    tryCatch(way(h), mangoro_error_connection = function(cnd) {
      check_kept()
      mangoro_restart(h)
      cat('restarted\\n')
    })
  }
  check_kept()
  mangoro_stop(h)
  kept <<- list()
  gc()
  .Call(mangoro:::c_segment_trim)
  links <- suppressWarnings(Sys.readlink(list.files('/proc/self/fd', full.names = TRUE)))
  left <- grep('memfd:mangoro', c(links, readLines('/proc/self/maps')), value = TRUE)
  if (length(left) > 0) { cat('memory is left:', left, sep = '\\n'); quit(status = 3) }
  cat('all right\\n')
}
"

# A place for all files of these sessions: `base` and, where its path is long, /tmp.
new_place <- function(base, deep) {
  tmp <- file.path(base, if (deep) strrep("deep", 25) else "tmp")
  out <- file.path(base, "out")
  for (dir in c(tmp, out)) dir.create(dir, showWarnings = FALSE)
  list(tmp = tmp, out = out, cache = Sys.getenv("MANGORO_CACHE_DIR"))
}

start_session <- function(place, mark, code) {
  script <- file.path(dirname(place$out), "session.R")
  writeLines(c(preamble, if (!startsWith(code, "carry_on")) "cat('ready\\n')", code), script)
  session <- processx::process$new(
    file.path(R.home("bin"), "Rscript"), script,
    env = c("current", TMPDIR = place$tmp, KILLS_OUT = place$out, KILLS_MARK = mark),
    stdout = "|", stderr = NULL
  )
  line <- character()
  while (length(line) == 0 && session$is_alive()) {
    session$poll_io(1000)
    line <- session$read_output_lines()
  }
  session
}

# What the system says about a process, as text; "" if it is gone.
proc_text <- function(pid, file) {
  read <- function() suppressWarnings(readBin(file.path("/proc", pid, file), "raw", 1e6))
  bytes <- tryCatch(read(), error = function(cnd) raw())
  bytes[bytes == 0] <- as.raw(32)
  rawToChar(bytes)
}

# The processes with the mark in their environment.
marked <- function(mark) {
  pids <- grep("^[0-9]+$", list.files("/proc"), value = TRUE)
  has_mark <- function(pid) grepl(paste0("KILLS_MARK=", mark, " "), proc_text(pid, "environ"), fixed = TRUE)
  as.integer(Filter(has_mark, pids))
}

# Whether a server or the guard of a build, which clean up, is among the processes.
has_survivor <- function(pids) {
  any(vapply(pids, function(pid) grepl("ipc://|guard\\.sh", proc_text(pid, "cmdline")), TRUE))
}

# What is ours: below R's temporary directories, in /tmp, the cache and the user's directory.
left_files <- function(place, before) {
  temporary <- list.files(Sys.glob(file.path(place$tmp, "Rtmp*")), "^mangoro", full.names = TRUE)
  short <- list.files("/tmp", "^mangoro", full.names = TRUE)
  staged <- list.files(c(place$cache, place$out), "^(\\.new|trash)-", all.files = TRUE, full.names = TRUE)
  # Other sessions may use the same cache: what they have locked is not left.
  is_left <- function(dir) .Call(mangoro:::c_lock_is_free, dir)
  Filter(is_left, setdiff(c(temporary, short, staged), before))
}

kill_once <- function(i, base) {
  what <- names(doing)[[(i - 1) %% length(doing) + 1]]
  with_server <- runif(1) < 0.4
  deep <- runif(1) < 0.3
  delay <- runif(1, 0, 2500)
  place <- new_place(base, deep)
  before <- list.files("/tmp", "^mangoro", full.names = TRUE)
  mark <- paste0("kills-", Sys.getpid(), "-", i)
  session <- start_session(place, mark, doing[[what]])
  session$wait(delay)
  ended <- !session$is_alive()
  survivor <- !with_server && has_survivor(marked(mark))
  tools::pskill(session$get_pid(), tools::SIGKILL)
  if (with_server) while (length(victims <- marked(mark)) > 0) tools::pskill(victims, tools::SIGKILL)
  session$wait(1000)
  killed <- Sys.time()
  # Until nothing is left, or a second has passed.
  repeat {
    processes <- marked(mark)
    files <- left_files(place, before)
    passed <- as.numeric(difftime(Sys.time(), killed, units = "secs"))
    if (length(processes) + length(files) == 0 || passed > 1) break
    session$poll_io(20)
  }
  following <- start_session(place, paste0(mark, "-next"), "h <- mangoro_start('cmd/rpc-example'); h$add(1, 1)")
  following$wait(60000)
  later <- left_files(place, before)
  if (length(files) > 0) message("  left after a second: ", paste(basename(files), collapse = " "))
  if (length(later) > 0) message("  left after the next start: ", paste(later, collapse = " "))
  result <- data.frame(
    what = what, killed = if (with_server) "both" else "R", survivor = survivor, deep = deep,
    delay = round(delay), seconds = round(passed, 2), processes = length(processes), files = length(files),
    later_processes = length(marked(mark)), later_files = length(later)
  )
  told <- paste(names(result), result, collapse = " ")
  message(format(i, width = 3), " ", told, if (ended) " (had ended by itself)")
  unlink(c(place$tmp, place$out), recursive = TRUE)
  result
}

# Kills the Go program of a session at random moments of its calls.
kill_program <- function(way, base, kills) {
  place <- new_place(base, deep = FALSE)
  mark <- paste0("kills-", Sys.getpid(), "-", way)
  session <- start_session(place, mark, sprintf("carry_on(%s)", way))
  done <- 0
  printed <- "restarted"
  while (done < kills && session$is_alive()) {
    if ("restarted" %in% printed) {
      session$wait(stats::runif(1, 0, 50))
      programs <- setdiff(marked(mark), session$get_pid())
      programs <- Filter(function(pid) grepl("ipc://", proc_text(pid, "cmdline")), programs)
      tools::pskill(programs, tools::SIGKILL)
      done <- done + 1
    }
    session$poll_io(5000)
    printed <- session$read_output_lines()
  }
  file.create(file.path(place$out, "stop"))
  repeat {
    printed <- c(printed, session$read_output_lines())
    if (!session$is_alive()) break
    session$poll_io(1000)
  }
  printed <- c(printed, session$read_all_output_lines())
  left <- length(marked(mark))
  unlink(c(place$tmp, place$out), recursive = TRUE)
  message(way, ": ", done, " kills of the program, ", left, " processes left, ", utils::tail(printed, 1))
  data.frame(way = way, kills = done, processes = left, wrong = as.integer(session$get_exit_status() != 0))
}

main <- function(kills, seed) {
  set.seed(seed)
  base <- tempfile("kills")
  dir.create(base)
  on.exit(unlink(base, recursive = TRUE))
  # Builds what is not there yet.
  mangoro_stop(mangoro_start("cmd/rpc-example"))
  mangoro_stop(eval(parse(text = c(preamble, "calculator()"))))
  results <- do.call(rbind, lapply(seq_len(kills), kill_once, base = base))
  counts <- c("processes", "files", "later_processes", "later_files")
  print(stats::aggregate(cbind(kills = 1, results[counts]), results[c("killed", "survivor")], sum))
  cat(
    sprintf("%d kills; left after a second: %d processes,", kills, sum(results$processes)),
    sprintf("%d files where a server or build lived on;", sum(results$files[results$survivor])),
    sprintf("after the next start: %d processes, %d files\n", sum(results$later_processes), sum(results$later_files))
  )
  programs <- do.call(rbind, lapply(ways, kill_program, base = base, kills = ceiling(kills / length(ways))))
  cat(
    sprintf("%d kills of the program alone:", sum(programs$kills)),
    sprintf("%d processes left,", sum(programs$processes)),
    sprintf("%d sessions with wrong values or memory left\n", sum(programs$wrong))
  )
  failed <- sum(programs[c("processes", "wrong")]) + sum(results[c("processes", "later_processes", "later_files")]) +
    sum(results$files[results$survivor]) > 0
  quit(status = failed)
}

arguments <- as.integer(commandArgs(trailingOnly = TRUE))
main(if (length(arguments) > 0) arguments[[1]] else 50, if (length(arguments) > 1) arguments[[2]] else 1)
