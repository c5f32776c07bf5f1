# Sources: what Go reads part by part from R.

# The next part of a target, a source: list(payload = , failure = ), see continue_message().
answer_source <- function(line, connection, target, signature, call) list(payload = raw(), failure = NULL)
