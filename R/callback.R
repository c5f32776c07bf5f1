# R functions that Go calls.

# The answer of a target, a function, to the arguments in `payload`, an Arrow stream of one
# row: list(payload = , failure = ), see continue_message().
answer_question <- function(line, connection, target, payload, signature, call) {
  list(payload = raw(), failure = NULL)
}
