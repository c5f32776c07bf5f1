# From Go code to its first result, compared with Rcpp.

source("bench/servers.R")
library(mangoro)

elapsed <- function(expr) system.time(expr)[["elapsed"]]
median_of <- function(f, over) stats::median(vapply(over, function(i) elapsed(f(i)), 0))

go_code <- function(text) sprintf("func Add(x, y float64) float64 { return x + y } // %s", text)
cpp_code <- function(text) {
  sprintf("NumericVector add_cpp(NumericVector x, NumericVector y) { return x + y; } // %s", text)
}
fresh_session <- function(code) {
  script <- tempfile(fileext = ".R")
  writeLines(c(
    "library(mangoro)",
    "started <- Sys.time()",
    sprintf("add <- mangoro_function(%s)", deparse(code)),
    "stopifnot(add(1, 2) == 3)",
    "cat(as.numeric(Sys.time() - started, units = 'secs'))"
  ), script)
  as.numeric(system2("Rscript", script, stdout = TRUE))
}

add <- mangoro_function(go_code("known"))
stopifnot(add(1, 2) == 3)
changes <- paste(Sys.getpid(), 1:5)
invisible(Rcpp::cppFunction(cpp_code("known")))

cat("From code to the first result, in seconds (medians):\n\n")
show_table(data.frame(
  what = c(
    "unchanged, in a fresh session", "unchanged, in the same session", "one line changed",
    "Rcpp::cppFunction(), new code"
  ),
  seconds = c(
    stats::median(replicate(7, fresh_session(go_code("known")))),
    median_of(function(i) mangoro_function(go_code("known"))(1, 2), 1:7),
    median_of(function(text) mangoro_function(go_code(text))(1, 2), changes),
    median_of(function(text) Rcpp::cppFunction(cpp_code(text)), changes[1:3])
  )
))
