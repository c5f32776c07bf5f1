# Where there is no shared memory, or none is left, calls give the right values over the
# socket, or raise an ordinary error.

# What a session says that has used a server in all ways that shared memory knows.
use_everything <- '
  h <- mangoro_start(Sys.getenv("TEST_SERVER"))
  x <- as.double(1:3e5)
  right <- c(
    small = h$add(1, 2) == 3,
    ring = identical(h$add(x, 2), x + 2),
    parallel = identical(h$add_parallel(x, x), x + x),
    arguments = identical(h$sum(x), sum(x)),
    both = identical(h$same(x), x),
    results = identical(h$doubles(3e5L)[1:3], c(0, 989.875, 728.875)),
    strings = identical(h$strings(2e5L)[2], "value 7919"),
    again = identical(h$add(h$add(x, 1), 1), x + 2)
  )
  lane <- !is.null(mangoro:::lane_of(h))
  mangoro_stop(h)
  cat(if (all(right)) "all right" else names(right)[!right], "\\n")
'

# Runs it by a command such as `unshare`, with R at its end, and returns what it prints.
used_by <- function(wrapper = character(), code = use_everything, env = character(), rscript = file.path(R.home("bin"), "Rscript")) {
  script <- withr::local_tempfile(fileext = ".R")
  writeLines(c(sprintf("library(mangoro, lib.loc = '%s')", dirname(find.package("mangoro"))), code), script)
  command <- c(wrapper, rscript, script)
  result <- processx::run(
    command[[1]], command[-1],
    env = c(
      "current",
      R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep), TEST_SERVER = build_once(test_source("results")), env
    ),
    error_on_status = FALSE, stderr_to_stdout = TRUE, timeout = 120
  )
  result$stdout
}
