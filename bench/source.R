# From Go code to a result, compared with Rcpp: the time until the first result, and
# the speed afterwards.

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

echo <- start_server("echo")
invisible(mirai::daemons(1, dispatcher = FALSE))
message <- mangoro:::encode_record(list(x = 1, y = 2), mangoro:::envelope_header("call", "Add"))
cat("\nA small call, in microseconds, in turns of 50:\n\n")
show_table(compare(
  list(
    "raw echo of the same bytes" = function() raw_echo(echo$sock, message),
    "add(1, 2), of mangoro_function()" = function() add(1, 2),
    "mirai, the same" = function() mirai::mirai(x + y, x = 1, y = 2)[]
  ),
  times = 2000, turn = 50
))
invisible(mirai::daemons(0))
stop_server(echo)

heavy <- mangoro_source(code = "
func Heavy(x float64) float64 { return math.Sin(x)*math.Exp(-x*x) + math.Log1p(math.Abs(x))*math.Cos(x) }

//mangoro:parallel
func HeavyParallel(x float64) float64 { return Heavy(x) }

// Plain times the loop in Go alone, without any data exchanged with R.
func Plain(n int32) float64 {
	x, out := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = float64(i) / float64(n)
	}
	started := time.Now()
	for i := range x {
		out[i] = Heavy(x[i])
	}
	return time.Since(started).Seconds()
}
")
Rcpp::cppFunction("
NumericVector heavy_cpp(NumericVector x) {
  NumericVector out(x.size());
  for (R_xlen_t i = 0; i < x.size(); i++) {
    out[i] = sin(x[i]) * exp(-x[i] * x[i]) + log1p(fabs(x[i])) * cos(x[i]);
  }
  return out;
}")
x <- seq(0, 1, length.out = 5e6)
stopifnot(isTRUE(all.equal(heavy$Heavy(x), heavy_cpp(x), tolerance = 1e-14)))
cat("\nsin(x) * exp(-x^2) + log1p(abs(x)) * cos(x) of 5e6 rows, in microseconds:\n\n")
show_table(compare(
  list(
    "Rcpp" = function() heavy_cpp(x),
    "mangoro_source()" = function() heavy$Heavy(x),
    "with //mangoro:parallel" = function() heavy$HeavyParallel(x)
  ),
  times = 11
))
plain <- stats::median(replicate(7, heavy$Plain(5e6)))
cat(sprintf("\nThe plain Go loop alone takes %.0f microseconds.\n", 1e6 * plain))
