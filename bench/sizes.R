# The time of x + y against the length of x and y, in R and in other ways to compute it.
# Usage: Rscript bench/sizes.R [plot.png]. The README shows the plot.
#
# reticulate needs a Python with numpy; without one it is left out. So is what would need
# more than half of the machine's memory, or a minute for a call.

source("bench/servers.R")
library(mangoro)

out <- c(commandArgs(trailingOnly = TRUE), tempfile(fileext = ".png"))[[1]]
if (!nzchar(Sys.getenv("RETICULATE_PYTHON")) && file.exists("/usr/bin/python3")) {
  Sys.setenv(RETICULATE_PYTHON = "/usr/bin/python3")
}
has_python <- reticulate::py_available(initialize = TRUE) && reticulate::py_module_available("numpy")
go <- mangoro_source(code = "func Add(x, y float64) float64 { return x + y }")
Rcpp::cppFunction("NumericVector add(NumericVector x, NumericVector y) { return x + y; }")
invisible(mirai::daemons(1, dispatcher = FALSE))

# Each function, and how many times the memory of x and y it needs at most.
peers <- list(
  "R" = list(f = function(x, y) x + y, memory = 1.5),
  "Rcpp" = list(f = function(x, y) add(x, y), memory = 1.5),
  "mangoro" = list(f = function(x, y) go$Add(x, y), memory = 2.5)
)
if (has_python) {
  python <- reticulate::py_run_string("def add(x, y): return x + y")
  peers$reticulate <- list(
    f = function(x, y) python$add(reticulate::np_array(x), reticulate::np_array(y)), memory = 3.5
  )
}
peers$mirai <- list(f = function(x, y) mirai::mirai(x + y, x = x, y = y)[], memory = 8)

now <- function() microbenchmark::get_nanotime() / 1e9

# The mean of so many calls, with R's collections.
mean_seconds <- function(f, x, y, calls) {
  started <- now()
  for (i in seq_len(calls)) f(x, y)
  (now() - started) / calls
}

available_bytes <- function() {
  if (!file.exists("/proc/meminfo")) {
    return(Inf)
  }
  line <- grep("^MemAvailable:", readLines("/proc/meminfo"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}

# Medians of five rounds, in which the peers take turns. A call that takes longer is made
# less often.
measure <- function(n, peers) {
  x <- stats::runif(n)
  y <- stats::runif(n)
  gc()
  peers <- Filter(function(peer) peer$memory * 16 * n < available_bytes() / 2, peers)
  calls <- vapply(peers, function(peer) {
    once <- median(replicate(if (n < 1e7) 5 else 1, mean_seconds(peer$f, x, y, 1)))
    as.integer(min(2000, max(1, 0.1 / once)))
  }, 1L)
  rounds <- replicate(5, mapply(function(peer, calls) mean_seconds(peer$f, x, y, calls), peers, calls))
  apply(matrix(rounds, ncol = 5), 1, stats::median) |> stats::setNames(names(peers))
}

sizes <- 10^(0:8)
times <- matrix(NA_real_, length(sizes), length(peers), dimnames = list(sizes, names(peers)))
for (i in seq_along(sizes)) {
  # What took long at the last size would take more than a minute at this one.
  feasible <- if (i == 1) names(peers) else names(which(10 * times[i - 1, ] < 60))
  seconds <- measure(sizes[[i]], peers[feasible])
  times[i, names(seconds)] <- seconds
}
invisible(mirai::daemons(0))
close(go)

machine <- function() {
  if (!file.exists("/proc/cpuinfo")) {
    return(R.version$platform)
  }
  model <- grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)
  trimws(c(sub("^[^:]*:", "", model), R.version$platform)[[1]])
}
versions <- vapply(
  c("mangoro", "Rcpp", "reticulate", "mirai"), function(package) as.character(utils::packageVersion(package)), ""
)
caption <- c(
  sprintf(
    "%s, %d cores. R %s, %s.", machine(), parallel::detectCores(), getRversion(),
    paste(names(versions), versions, collapse = ", ")
  ),
  "Go in a process of its own. Means of repeated calls, with R's garbage collection; medians of five rounds."
)

# A white ground, so that it can be read on a dark page too.
grDevices::png(out, width = 1200, height = 800, res = 144, type = "cairo", bg = "white")
colours <- c(
  R = "#2267B5", Rcpp = "#8A5FBF", mangoro = "#D1470D", reticulate = "#8D7B00", mirai = "#4D4D4D"
)[names(peers)]
par(mar = c(6.2, 5, 2.5, 7.5), las = 1, bty = "l", mgp = c(3.6, 0.7, 0))
matplot(
  sizes, times,
  log = "xy", type = "o", pch = 19, cex = 0.7, lty = 1, lwd = ifelse(names(peers) == "mangoro", 3, 1.8),
  col = colours, xlab = "", ylab = "", axes = FALSE, main = "x + y, by the length of x and y"
)
powers <- function(x) parse(text = sprintf("10^%d", x))
axis(1, sizes, powers(0:8))
seconds <- floor(log10(min(times, na.rm = TRUE))):ceiling(log10(max(times, na.rm = TRUE)))
labels <- c("0.1 \u00b5s", "1 \u00b5s", "10 \u00b5s", "100 \u00b5s", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s")
axis(2, 10^seconds, labels[seconds + 8])
abline(h = 10^seconds, col = "#00000018")
mtext("doubles in each vector", 1, line = 2.2)
mtext("a call", 2, line = 3.8, las = 0)
# Each name stands at the end of its line, and none on another.
last <- apply(times, 2, function(column) max(which(!is.na(column))))
at <- log10(times[cbind(last, seq_along(peers))])
place <- order(at)
for (k in seq_along(place)[-1]) at[place[k]] <- max(at[place[k]], at[place[k - 1]] + 0.33)
until <- ifelse(last < length(sizes), sprintf(", to 1e%d", last - 1), "")
text(max(sizes), 10^at, paste0(" ", names(peers), until), col = colours, pos = 4, xpd = TRUE, font = 2, cex = 0.9)
mtext(caption, 1, line = c(3.8, 4.7), cex = 0.62, adj = 0, col = "#555555")
invisible(grDevices::dev.off())

cat("x + y, seconds a call:\n\n")
show_table(data.frame(n = as.character(sizes), times, check.names = FALSE))
