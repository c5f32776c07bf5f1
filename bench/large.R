# Sends a message of more than 2^31 bytes to Go and back. Usage: Rscript bench/large.R.
# Needs 24 GB of memory and several minutes.

source("bench/servers.R")
library(mangoro)

server <- start_server("rpc-example")
rows <- 2^27 + 1 # two columns of doubles: 16 bytes more than 2^31
data <- data.frame(x = seq_len(rows) + 0.5, y = rep(1, rows))
cat(sprintf("%.0f rows, %.0f bytes of data\n", rows, 16 * rows))

seconds <- system.time(reply <- tryCatch(
  mangoro_rpc_call(server$sock, "add", data, timeout = 600),
  mangoro_error = function(cnd) cnd
))[["elapsed"]]
if (inherits(reply, "condition")) {
  print(reply)
} else {
  result <- as.data.frame(reply)$result
  stopifnot(identical(result, data$x + 1))
  cat(sprintf("Sent, added and received in %.1f s\n", seconds))
}
stop_server(server)
