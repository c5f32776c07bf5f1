local_long <- function(frame = parent.frame()) local_source(test_source("long"), frame = frame)

# Waits until a call of Go says so.
wait_for <- function(condition) {
  condition <- rlang::enquo(condition)
  deadline <- Sys.time() + 30
  while (!rlang::eval_tidy(condition)) {
    if (Sys.time() > deadline) stop("this does not come: ", rlang::as_label(condition))
  }
}
