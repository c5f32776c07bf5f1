# Streams: results that R reads part by part.

# The stream of the call that is out on `line`, once its function has returned one.
open_stream <- function(line, connection, signature, call) NULL
