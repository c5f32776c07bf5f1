# What a call costs, in mangoro and in other ways to call another language or another
# process from R. Usage: Rscript bench/peers.R [file.csv]. The README shows the CSV file.
#
# reticulate needs a Python with numpy; without one its column is NA.

source("bench/servers.R")
library(mangoro)

out <- commandArgs(trailingOnly = TRUE)
if (!nzchar(Sys.getenv("RETICULATE_PYTHON")) && file.exists("/usr/bin/python3")) {
  Sys.setenv(RETICULATE_PYTHON = "/usr/bin/python3")
}
has_python <- reticulate::py_available(initialize = TRUE) && reticulate::py_module_available("numpy")
cores <- parallel::detectCores()
peers <- c("mangoro", "Rcpp", "reticulate", "mirai")

go_add <- "func Add(x, y float64) float64 { return x + y }"
cpp_add <- "NumericVector add(NumericVector x, NumericVector y) { return x + y; }"
python_add <- "def add(x, y): return x + y"

go <- mangoro_source(code = paste(go_add, "
func Costly(x float64) float64 { return math.Sin(x)*math.Exp(-x*x) + math.Log1p(math.Abs(x))*math.Cos(x) }

//mangoro:parallel
func OnAllCores(x float64) float64 { return Costly(x) }
"))
Rcpp::cppFunction(cpp_add)
Rcpp::cppFunction("
NumericVector costly(NumericVector x) {
  NumericVector out(x.size());
  for (R_xlen_t i = 0; i < x.size(); i++) {
    out[i] = sin(x[i]) * exp(-x[i] * x[i]) + log1p(fabs(x[i])) * cos(x[i]);
  }
  return out;
}")
if (has_python) {
  python <- reticulate::py_run_string(paste(python_add, "
import numpy as np
def costly(x): return np.sin(x) * np.exp(-x * x) + np.log1p(np.abs(x)) * np.cos(x)
", sep = "\n"))
}
costly_r <- function(x) sin(x) * exp(-x^2) + log1p(abs(x)) * cos(x)
invisible(mirai::daemons(cores, dispatcher = FALSE))

median_seconds <- function(functions, times, turn = 1) {
  functions <- Filter(Negate(is.null), functions)
  table <- compare(functions, times, turn)
  stats::setNames(table$median / 1e6, table$what)[peers]
}

# The time of a new R session from library() to the result of add(1, 2), without the
# start of R.
session_seconds <- function(package, make, call) {
  script <- tempfile(fileext = ".R")
  writeLines(c(
    "started <- Sys.time()",
    sprintf("library(%s)", package), make, sprintf("stopifnot(%s == 3)", call),
    "cat(as.numeric(Sys.time() - started, units = 'secs'))"
  ), script)
  as.numeric(system2("Rscript", script, stdout = TRUE))
}
first_results <- function(new) {
  comment <- if (new) basename(tempfile("new")) else "known"
  code <- function(text, sign = "//") deparse(paste(text, sign, comment))
  c(
    mangoro = session_seconds("mangoro", sprintf("add <- mangoro_function(%s)", code(go_add)), "add(1, 2)"),
    Rcpp = session_seconds("Rcpp", sprintf("cppFunction(%s)", code(cpp_add)), "add(1, 2)"),
    reticulate = if (has_python) {
      session_seconds("reticulate", sprintf("go <- py_run_string(%s)", code(python_add, "#")), "go$add(1, 2)")
    },
    mirai = session_seconds(
      "mirai", "invisible(daemons(1, dispatcher = FALSE))", "mirai(x + y, x = 1, y = 2)[]"
    )
  )[peers]
}
medians <- function(rounds) apply(do.call(rbind, rounds), 2, stats::median)

numbers <- stats::rnorm(5e6)
ones <- rep(1, 5e6)
chunks <- split(numbers, cut(seq_along(numbers), cores, labels = FALSE))
stopifnot(
  isTRUE(all.equal(go$Costly(numbers), costly_r(numbers))),
  isTRUE(all.equal(costly(numbers), costly_r(numbers))),
  !has_python || isTRUE(all.equal(c(python$costly(reticulate::np_array(numbers))), costly_r(numbers)))
)
invisible(first_results(new = FALSE))

rows <- list(
  "a small call, `add(1, 2)`" = median_seconds(list(
    mangoro = function() go$Add(1, 2),
    Rcpp = function() add(1, 2),
    reticulate = if (has_python) function() python$add(1, 2),
    mirai = function() mirai::mirai(x + y, x = 1, y = 2)[]
  ), times = 2000, turn = 50),
  "`x + y`, 5 million numbers" = median_seconds(list(
    mangoro = function() go$Add(numbers, ones),
    Rcpp = function() add(numbers, ones),
    reticulate = if (has_python) function() python$add(reticulate::np_array(numbers), reticulate::np_array(ones)),
    mirai = function() mirai::mirai(x + y, x = numbers, y = ones)[]
  ), times = 11),
  "a costly function of 5 million numbers" = median_seconds(list(
    mangoro = function() go$Costly(numbers),
    Rcpp = function() costly(numbers),
    reticulate = if (has_python) function() python$costly(reticulate::np_array(numbers)),
    mirai = function() mirai::mirai(f(x), f = costly_r, x = numbers)[]
  ), times = 11),
  "the same on all cores" = median_seconds(list(
    mangoro = function() go$OnAllCores(numbers),
    mirai = function() unlist(mirai::mirai_map(chunks, costly_r)[])
  ), times = 11),
  "new code, until its first result" = medians(lapply(1:3, function(i) first_results(new = TRUE))),
  "known code in a new session, the same" = medians(lapply(1:3, function(i) first_results(new = FALSE)))
)
invisible(mirai::daemons(0))
close(go)

table <- data.frame(what = names(rows), do.call(rbind, lapply(rows, function(row) stats::setNames(row, peers))))
rounded <- cbind(table["what"], signif(table[peers], 3))
if (length(out) > 0) utils::write.csv(rounded, out[[1]], row.names = FALSE, quote = 1)
cat(sprintf("In seconds (medians), on %d cores:\n\n", cores))
show_table(table)
