# Tasks as promises of package promises.

#' @exportS3Method promises::as.promise
as.promise.mangoro_task <- function(x) {
  check_task(x)
  promises::promise(function(resolve, reject) {
    earlier <- x$settle
    settle <- function(task) {
      if (!is.null(earlier)) earlier(task)
      if (task$state == "done") resolve(task$value) else reject(task$condition)
    }
    advance(x)
    if (x$state != "running") {
      settle(x)
    } else {
      x$settle <- settle
      watch_task(x)
    }
  })
}

#' @exportS3Method promises::is.promising
is.promising.mangoro_task <- function(x) TRUE
