# R functions that Go calls.

# The answer of a target, a function, to the arguments in `payload`, an Arrow stream of one
# row: list(payload = , failure = ), see continue_message().
answer_question <- function(line, connection, target, payload, signature, call) {
  list(payload = raw(), failure = NULL)
}

# The conditions of R code that are kept for a call, the last ones, and what Go is told of one.
max_failures <- 100L
max_failure_text <- 10000L

note_failure <- function(line, cnd) {
  failures <- line$failures %||% list(number = 0L, kept = list())
  number <- failures$number + 1L
  kept <- c(failures$kept, rlang::set_names(list(cnd), number))
  line$failures <- list(number = number, kept = utils::tail(kept, max_failures))
  text <- function(x, limit) make_valid(substr(cli::ansi_strip(enc2utf8(x)), 1, limit))
  list(failed = number, message = text(conditionMessage(cnd), max_failure_text), class = text(class(cnd)[[1]], 200L))
}
