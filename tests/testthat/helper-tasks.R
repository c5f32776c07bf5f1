local_long <- function(frame = parent.frame()) local_source(test_source("long"), frame = frame)

# Waits until a call of Go says so.
wait_for <- function(condition) {
  condition <- rlang::enquo(condition)
  deadline <- Sys.time() + 30
  while (!rlang::eval_tidy(condition)) {
    if (Sys.time() > deadline) stop("this does not come: ", rlang::as_label(condition))
  }
}

# The connection is as it was: calls of Add() work, over the lane too if there is one.
expect_usable <- function(go) {
  for (i in 1:2) expect_identical(go$Add(1, 2), 3)
  lane <- usable_lane(server_of(go)$connection)
  if (is.null(lane)) return(invisible())
  posted <- function() .Call(c_lane_counts, lane$pointer)[[1]]
  deadline <- Sys.time() + 30
  repeat {
    before <- posted()
    expect_identical(go$Add(1, 2), 3)
    if (posted() > before) break
    if (Sys.time() > deadline) stop("the lane is not free")
  }
}
