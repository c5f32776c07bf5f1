# The fast path beside its peers: a row for each thing that it promises, with the goal
# beside what is measured. Usage: Rscript bench/fast.R [file.csv] [pattern], where the
# pattern chooses rows. The README shows the CSV file.
#
# In each round a row's function and its peer take turns, so that a slow moment of the
# machine affects both. Shown are the median of the rounds' ratios, the lowest and the
# highest of them, and the medians of the times.

source("bench/servers.R")
library(mangoro)

arguments <- commandArgs(trailingOnly = TRUE)
out <- arguments[endsWith(arguments, ".csv")]
pattern <- c(setdiff(arguments, out), "")[[1]]
if (!nzchar(Sys.getenv("RETICULATE_PYTHON")) && file.exists("/usr/bin/python3")) {
  Sys.setenv(RETICULATE_PYTHON = "/usr/bin/python3")
}

code <- '
import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
)

func Range(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	return x
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

func Add(x, y float64) float64 { return x + y }

func Costly(x float64) float64 { return math.Sin(x) * math.Exp(x) * math.Log1p(x) }

//mangoro:parallel
func OnAllCores(x float64) float64 { return Costly(x) }

func Repeat(f func(float64) float64, n int) (sum float64) {
	for i := range n {
		sum += f(float64(i))
	}
	return sum
}

func Sum(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum
}

func Upper(x string) string { return strings.ToUpper(x) }

func Numbers(x []float64) []float64 { return x }

func Strings(x []string) []string { return x }

func Frame(x arrow.RecordBatch) arrow.RecordBatch { return x }
'
go <- mangoro_source(code = code)
without <- mangoro_source(code = code)
echo <- start_server("echo")
invisible(mirai::daemons(1, dispatcher = FALSE))
Rcpp::cppFunction("
NumericVector costly(NumericVector x) {
  NumericVector out(x.size());
  for (R_xlen_t i = 0; i < x.size(); i++) out[i] = sin(x[i]) * exp(x[i]) * log1p(x[i]);
  return out;
}")
python <- if (reticulate::py_available(initialize = TRUE)) reticulate::py_eval("lambda x, y: x + y")

# --- how a function is timed: each returns seconds a call ---

now <- function() microbenchmark::get_nanotime() / 1e9

seconds <- function(expr) {
  started <- now()
  force(expr)
  now() - started
}

# The mean of a loop that drops its results: R's collections are part of it.
dropped <- function(f, calls) {
  gc()
  seconds(for (i in seq_len(calls)) f()) / calls
}

# The mean of a loop that keeps its results, with memory that nothing has used before.
kept <- function(f, calls) {
  results <- vector("list", calls)
  gc()
  .Call(mangoro:::c_segment_trim)
  seconds(for (i in seq_along(results)) results[[i]] <- f()) / calls
}

# The median of the calls, one after the other.
typical <- function(f, calls) {
  stats::median(microbenchmark::microbenchmark(f(), times = calls, control = list(warmup = 1000))$time) / 1e9
}

# The same, 2 ms apart.
apart <- function(f, calls) {
  stats::median(vapply(seq_len(calls), function(i) {
    Sys.sleep(0.002)
    seconds(f())
  }, 0))
}

# The mean of a loop; one that is within `f` has an argument for the number of calls.
looped <- function(f, calls) {
  seconds(if (length(formals(f)) > 0) f(calls) else for (i in seq_len(calls)) f()) / calls
}

# Any of these without shared memory.
off <- function(how) {
  function(f, calls) {
    old <- options(mangoro.shared_memory = FALSE)
    on.exit(options(old))
    how(f, calls)
  }
}

# --- the rows ---

set.seed(1)
x <- stats::runif(5e6)
y <- stats::runif(5e6)
x_result <- go$Add(x, 0)
y_result <- go$Add(y, 0)
small_x <- x[1:1e5]
small_y <- y[1:1e5]
short_x <- x[1:1e3]
short_y <- y[1:1e3]
double <- stats::runif(1e7)
random_letters <- function(n) {
  letters <- matrix(sample(letters, 9 * n, TRUE), n)
  do.call(paste0, lapply(1:9, function(j) letters[, j]))
}
# Each collection of R looks at all strings, so that there are none before they are needed.
delayedAssign("strings", unique(random_letters(1e6)))
n <- 1e6
delayedAssign("frame", data.frame(
  int = sample.int(n), dbl = stats::rnorm(n), chr = sample(c("alpha", "beta", "gamma", NA), n, TRUE),
  fct = factor(sample(c("u", "v", "w"), n, TRUE)), day = as.Date("2024-01-01") + sample.int(1000, n, TRUE),
  time = as.POSIXct("2024-01-01", tz = "UTC") + stats::runif(n) * 1e7, lgl = sample(c(TRUE, FALSE, NA), n, TRUE)
))
sum_of_stream <- function(s) {
  sum <- 0
  while (!is.null(part <- mangoro_next(s))) sum <- sum + sum(part)
  sum
}
# Uses each string, and each value of each column.
used <- function(strings) sum(nchar(strings, "bytes"))
used_frame <- function(frame) {
  for (column in frame) if (is.character(column)) nchar(column, "bytes") else sum(is.na(column))
}

stopifnot(
  go$Add(1, 2) == 3, without$Add(1, 2) == 3,
  identical(go$Add(x, y), x + y), identical(go$Add(x_result, y_result), x + y),
  identical(go$Add(small_x, small_y), small_x + small_y), identical(go$Add(short_x, short_y), short_x + short_y),
  all.equal(go$Sum(x), sum(x)), all.equal(go$Sum(x_result), sum(x)),
  all.equal(go$Costly(x), costly(x)), all.equal(go$OnAllCores(x), costly(x)),
  identical(without$Numbers(double), double)
)

# What the rows without shared memory were before there was any shared memory.
before <- c(call = 2.39, echo = 1.30)

row <- function(what, against, goal, how, calls, ours, peer, rounds = 7, check = NULL) {
  list(
    what = what, against = against, goal = goal, how = how, calls = calls, ours = ours, peer = peer, rounds = rounds,
    check = check
  )
}
r_adds <- function() x + y
small_echo <- raw_echo_of(echo, list(x = 1, y = 2))
rows <- list(
  row("Add(1, 2)", "raw echo of the same bytes", 0.12, typical, 2000, function() go$Add(1, 2), small_echo),
  if (!is.null(python)) {
    row("Add(1, 2)", "reticulate, a Python lambda", 1, typical, 2000, function() go$Add(1, 2), function() python(1, 2))
  },
  row("Add(1, 2), 2 ms apart", "raw echo", 0.6, apart, 200, function() go$Add(1, 2), small_echo),
  row(
    "an R function that Go calls", "Add(1, 2)", 1.3, looped, 20000,
    function(n) go$Repeat(function(x) x, n), function() go$Add(1, 2)
  ),
  row("Add(x, y), 5e6 doubles, results dropped", "R's x + y", 0.35, dropped, 100, function() go$Add(x, y), r_adds),
  row("the same, results kept", "R's x + y", 1.6, kept, 20, function() go$Add(x, y), r_adds),
  row(
    "the same, x and y earlier results", "R's x + y", 0.25, dropped, 100, function() go$Add(x_result, y_result), r_adds
  ),
  row(
    "the same, 1e5 rows", "R's x + y", 2, dropped, 2000,
    function() go$Add(small_x, small_y), function() small_x + small_y
  ),
  row("sum of 5e6 doubles", "R's sum()", 0.6, dropped, 30, function() go$Sum(x), function() sum(x)),
  row("the same, x an earlier result", "R's sum()", 0.25, dropped, 30, function() go$Sum(x_result), function() sum(x)),
  row(
    "a stream of 1e7 doubles, all summed", "the same as one result", 2, dropped, 3,
    function() sum_of_stream(go$Count(1e7)), function() sum(go$Range(1e7))
  ),
  row("sin, exp, log1p of 5e6", "Rcpp", 1.1, dropped, 3, function() go$Costly(x), function() costly(x), 5),
  row("the same, parallel", "Rcpp", 0.6, dropped, 3, function() go$OnAllCores(x), function() costly(x), 5),
  row(
    "Add(x, y), 1e3 rows", "raw echo of the same bytes", 0.4, typical, 1000,
    function() go$Add(short_x, short_y), raw_echo_of(echo, list(x = short_x, y = short_y))
  ),
  row(
    "value of a task of Add(1, 2)", "Add(1, 2) over the socket", 1.5, off(typical), 1000,
    function() mangoro_value(mangoro_async(without$Add, 1, 2)), function() without$Add(1, 2)
  ),
  row(
    "mangoro_map() of Add(x, 2), 100 elements", "100 calls over the socket", 1, off(dropped), 10,
    function() mangoro_map(without$Add, small_x[1:100], 2), function() lapply(small_x[1:100], without$Add, 2)
  ),
  row(
    "without shared memory: Add(1, 2)", "raw echo", 1.05 * before[["call"]], off(typical), 2000,
    function() without$Add(1, 2), small_echo
  ),
  row(
    "without shared memory: echo of 80 MB", "raw echo", 1.05 * before[["echo"]], off(dropped), 3,
    function() without$Numbers(double), raw_echo_of(echo, list(x = double))
  ),
  row(
    "toupper of 1e6 strings, all used", "stringi", 0.7, dropped, 2,
    function() used(go$Upper(strings)), function() used(stringi::stri_trans_toupper(strings)),
    check = function() identical(go$Upper(strings), stringi::stri_trans_toupper(strings))
  ),
  row(
    "echo of 1e6 distinct strings, all used", "mirai", 0.3, dropped, 1,
    function() used(go$Strings(strings)), function() used(mirai::mirai(s, s = strings)[]),
    check = function() identical(go$Strings(strings), strings)
  ),
  row(
    "echo of a data frame, 7 columns of 1e6 rows, all used", "mirai", 0.25, dropped, 1,
    function() used_frame(go$Frame(frame)), function() used_frame(mirai::mirai(f, f = frame)[]),
    check = function() identical(go$Frame(frame), frame)
  )
)
rows <- Filter(function(row) !is.null(row) && grepl(pattern, row$what, fixed = TRUE), rows)

measure <- function(row) {
  stopifnot(is.null(row$check) || row$check())
  for (f in list(row$ours, row$peer)) row$how(f, max(2, row$calls %/% 10)) # warm up
  times <- replicate(row$rounds, c(row$how(row$ours, row$calls), row$how(row$peer, row$calls)))
  ratios <- times[1, ] / times[2, ]
  data.frame(
    what = row$what, against = row$against, goal = row$goal, ratio = stats::median(ratios), low = min(ratios),
    high = max(ratios), ms = 1000 * stats::median(times[1, ]), peer_ms = 1000 * stats::median(times[2, ])
  )
}
table <- do.call(rbind, lapply(rows, measure))

# --- the first large call of a session ---

first_call <- function() {
  script <- tempfile(fileext = ".R")
  writeLines(c(
    "library(mangoro)",
    sprintf("go <- mangoro_source(code = %s)", deparse(paste(code, collapse = "\n"))),
    "x <- runif(5e6); y <- runif(5e6)",
    "invisible(gc())",
    "elapsed <- function(expr) { t <- nanonext::mclock(); force(expr); nanonext::mclock() - t }",
    "ours <- elapsed(go$Add(x, y))",
    "r <- replicate(5, elapsed(x + y))",
    "cat(ours, stats::median(r))"
  ), script)
  as.numeric(strsplit(system2("Rscript", script, stdout = TRUE), " ")[[1]]) / 1000
}
if (grepl(pattern, "first call", fixed = TRUE)) {
  times <- replicate(9, first_call())
  ratios <- times[1, ] / times[2, ]
  table <- rbind(table, data.frame(
    what = "Add(x, y), 5e6 doubles, first call of a session", against = "R's x + y", goal = 1.5,
    ratio = stats::median(ratios), low = min(ratios), high = max(ratios),
    ms = 1000 * stats::median(times[1, ]), peer_ms = 1000 * stats::median(times[2, ])
  ))
}

number <- function(x) sub("[.]$", "", formatC(x, digits = 2, format = "fg", flag = "#"))
time <- function(ms) {
  small <- ms < 1
  paste(formatC(ifelse(small, 1000, 1) * ms, digits = 3, format = "fg"), ifelse(small, "us", "ms"))
}
options(width = 200)
cat("Times of ours as a part of the peer's, the goal beside what was measured (lowest and highest round):\n\n")
print(data.frame(
  what = table$what, against = table$against, goal = number(table$goal), measured = number(table$ratio),
  rounds = sprintf("%s to %s", number(table$low), number(table$high)), ours = time(table$ms), peer = time(table$peer_ms)
), row.names = FALSE, right = FALSE)
if (length(out) > 0) {
  rounded <- table
  rounded[-(1:3)] <- lapply(rounded[-(1:3)], signif, 3)
  utils::write.csv(rounded, out[[1]], row.names = FALSE, quote = 1:2)
}

# --- an idle connection ---

# In a session of its own, where nothing else runs.
idle_ticks <- function() {
  script <- tempfile(fileext = ".R")
  writeLines(c(
    "library(mangoro)",
    "ticks <- function(pid) {",
    "  stat <- sub('^.*[)] ', '', readLines(sprintf('/proc/%d/stat', pid)))",
    "  sum(as.numeric(strsplit(stat, ' ')[[1]][12:13]))", # of user and system time
    "}",
    "go <- mangoro_source(code = 'func Add(x, y float64) float64 { return x + y }')",
    "pids <- c(Sys.getpid(), mangoro_status(go)$pid)",
    "for (i in 1:2) before <- vapply(pids, ticks, 0)",
    "stopifnot(go$Add(1, 2) == 3)",
    "Sys.sleep(5)",
    "cat(vapply(pids, ticks, 0) - before)"
  ), script)
  system2("Rscript", script, stdout = TRUE)
}
if (file.exists("/proc/self/stat") && grepl(pattern, "idle", fixed = TRUE)) {
  cat("\nCPU ticks of R and Go, whose connection is idle for 5 s (goal 0):", idle_ticks(), "\n")
}

# --- results as R vectors ---

if (grepl(pattern, "vectors", fixed = TRUE)) {
  view <- go$Add(x, y)
  ordinary <- x + y
  other <- ordinary + 0 # identical() does not compare a vector with itself
  at <- sample.int(5e6, 1e5)
  uses <- list(
    "sum" = sum, "mean" = mean, "range" = range, "cumsum" = cumsum, "sort" = sort, "order" = order,
    "quantile" = stats::quantile, "x * 2" = function(x) x * 2, "x[x > 1]" = function(x) x[x > 1],
    "x[at]" = function(x) x[at], "identical" = function(x) identical(x, other),
    "unserialize(serialize())" = function(x) unserialize(serialize(x, NULL))
  )
  compared <- lapply(names(uses), function(name) {
    f <- uses[[name]]
    times <- replicate(5, c(dropped(function() f(view), 2), dropped(function() f(ordinary), 2)))
    data.frame(
      use = name, result_ms = 1000 * stats::median(times[1, ]), ordinary_ms = 1000 * stats::median(times[2, ]),
      ratio = stats::median(times[1, ] / times[2, ])
    )
  })
  cat("\nA result of 5e6 doubles used as an R vector, compared with an ordinary one (goal: at most 2):\n\n")
  show_table(do.call(rbind, compared))
}

invisible(mirai::daemons(0))
close(go)
close(without)
invisible(stop_server(echo))
