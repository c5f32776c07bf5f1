# Small calls beside the raw echo of the same bytes: Rscript bench/calls.R

source("bench/servers.R")
library(mangoro)

rpc <- start_server("rpc-example")
echo <- start_server("echo")
data <- data.frame(x = c(1, 2), y = c(3, NA))
message <- mangoro_rpc_call_message("add", data)
stopifnot(identical(as.data.frame(mangoro_rpc_call(rpc$sock, "add", data))$result, c(4, NA)))
stopifnot(identical(raw_echo(echo$sock, message), message))

cat("A call of two rows, in microseconds:\n")
show_table(compare(
  list(
    "raw echo of the same bytes" = function() raw_echo(echo$sock, message),
    "mangoro_rpc_call()" = function() mangoro_rpc_call(rpc$sock, "add", data),
    "mangoro_rpc_call(), as a data frame" = function() as.data.frame(mangoro_rpc_call(rpc$sock, "add", data))
  ),
  times = 2000
))

stop_server(rpc)
stop_server(echo)
