# Small calls over a socket of nanonext's, compared with a raw echo of the same bytes and
# with mirai.

source("bench/servers.R")
library(mangoro)

typed <- start_server("types-example")
by_hand <- start_server("rpc-example")
echo <- start_server("echo")
invisible(mirai::daemons(1, dispatcher = FALSE))

stopifnot(mangoro_call(typed$sock, "hypot", 3, 4) == 5)
connection <- mangoro:::connection_of(typed$sock, NULL)
signature <- mangoro:::find_signature(connection, "hypot", 60, NULL)
header <- mangoro:::call_header(signature, 60, mangoro:::take_line(connection, NULL)$id)
message <- mangoro:::call_message(signature, list(3, 4), header, NULL)$bytes
two_rows <- data.frame(x = c(1, 2), y = c(3, NA))
stopifnot(identical(raw_echo(echo$sock, message), message))
stopifnot(mirai::mirai(sqrt(x^2 + y^2), x = 3, y = 4)[] == 5)

cat("A call of two numbers, in microseconds, in turns of 50:\n\n")
show_table(compare(
  list(
    "raw echo of the same bytes" = function() raw_echo(echo$sock, message),
    "mangoro_call(sock, \"hypot\", 3, 4)" = function() mangoro_call(typed$sock, "hypot", 3, 4),
    "mangoro_rpc_call(), two rows" = function() mangoro_rpc_call(by_hand$sock, "add", two_rows),
    "mirai, two numbers" = function() mirai::mirai(sqrt(x^2 + y^2), x = 3, y = 4)[]
  ),
  times = 2000, turn = 50
))

invisible(mirai::daemons(0))
for (server in list(typed, by_hand, echo)) stop_server(server)
