# Large vectors: an echo of 80 MB, compared with a raw echo of the same bytes, and
# elementwise functions, compared with R's own arithmetic.

source("bench/servers.R")
library(mangoro)

server <- start_server("bench/vectors.go")
echo <- start_server("echo")
set.seed(1)
x <- stats::rnorm(1e7)
y <- stats::rnorm(1e7)
message <- mangoro:::encode_record(list(x = x), mangoro:::envelope_header("call", "same"))
stopifnot(identical(mangoro_call(server$sock, "same", x), x))
stopifnot(identical(mangoro_call(server$sock, "add", x, y), x + y))

cat("An echo of 80 MB, in microseconds:\n\n")
show_table(compare(
  list(
    "raw echo of the same bytes" = function() raw_echo(echo$sock, message),
    "mangoro_call(), R vector to R vector" = function() mangoro_call(server$sock, "same", x)
  ),
  times = 15
))

x <- x[1:5e6]
y <- y[1:5e6]
heavy <- function(x) sin(x) * exp(-x^2) + log1p(abs(x)) * cos(x)
stopifnot(isTRUE(all.equal(mangoro_call(server$sock, "heavy", x), heavy(x), tolerance = 1e-14)))

cat("\nElementwise functions of 5e6 rows, in microseconds:\n\n")
show_table(compare(
  list(
    "x + y in R" = function() x + y,
    "x + y in Go" = function() mangoro_call(server$sock, "add", x, y),
    "x + y in Go, parallel" = function() mangoro_call(server$sock, "add_parallel", x, y)
  ),
  times = 15
))
cat("\n")
show_table(compare(
  list(
    "sin(x) * exp(-x^2) + log1p(abs(x)) * cos(x) in R" = function() heavy(x),
    "the same in Go" = function() mangoro_call(server$sock, "heavy", x),
    "the same in Go, parallel" = function() mangoro_call(server$sock, "heavy_parallel", x)
  ),
  times = 11
))

stop_server(server)
stop_server(echo)
