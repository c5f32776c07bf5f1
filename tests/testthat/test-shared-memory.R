# Where there is no shared memory, or none is left, calls give the right values over the
# socket, or raise an ordinary error.

# Uses a server in all ways that shared memory knows, and says what was wrong, and whether
# the connection has a lane.
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
  frame = identical(dim(h$frame(2e5L)), c(200000L, 5L)),
  again = identical(h$add(h$add(x, 1), 1), x + 2)
)
cat(if (all(right)) "all right" else c("wrong:", names(right)[!right]), "\n")
cat("lane:", mangoro:::lane_status(mangoro:::connection_of(h, NULL)), "\n")
'

# What a session prints that runs `code`, started by a command such as `unshare`. Its files
# are in `dir`.
used_by <- function(wrapper = character(), code = use_everything, dir = withr::local_tempdir()) {
  skip_if_not(dir.exists(file.path(find.package("mangoro"), "Meta")), "mangoro is not installed")
  server <- file.path(dir, "server")
  file.copy(build_once(test_source("results")), server)
  script <- file.path(dir, "session.R")
  writeLines(c(
    sprintf("library(mangoro, lib.loc = '%s')", dirname(find.package("mangoro"))),
    sprintf("options(mangoro.shared_memory = %s)", deparse(getOption("mangoro.shared_memory"))), code
  ), script)
  command <- c(wrapper, file.path(R.home("bin"), "Rscript"), script)
  processx::run(
    command[[1]], command[-1],
    env = c("current", R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep), TEST_SERVER = server),
    error_on_status = FALSE, stderr_to_stdout = TRUE, timeout = 300, cleanup_tree = TRUE
  )$stdout
}

# Skips where the system does not let us run this.
skip_if_refused <- function(...) {
  command <- c(...)
  skip_if(!nzchar(Sys.which(command[[1]])), paste("there is no", command[[1]]))
  result <- processx::run(command[[1]], command[-1], error_on_status = FALSE)
  skip_if(result$status != 0, paste(c(command[1:2], "is refused here"), collapse = " "))
}

limited <- function(limit) c("sh", "-c", paste0("ulimit ", limit, "; exec \"$@\""), "sh")

expect_right <- function(printed) expect_match(printed, "all right", fixed = TRUE)
expect_lane <- function(printed) expect_match(printed, "lane: attached", fixed = TRUE)
expect_no_lane <- function(printed) {
  expect_match(printed, "lane:", fixed = TRUE)
  expect_no_match(printed, "lane: attached", fixed = TRUE)
}

test_that("a session as it is has a lane, and none with the option FALSE", {
  skip_if_no_shared_memory()
  printed <- used_by()
  expect_right(printed)
  expect_lane(printed)
  printed <- used_by(code = c("options(mangoro.shared_memory = FALSE)", use_everything))
  expect_right(printed)
  expect_no_lane(printed)
})

test_that("a limit on the size of files is none on calls", {
  skip_if_no_shared_memory()
  printed <- used_by(limited("-f 4096")) # in blocks of 512 or 1024 bytes
  expect_right(printed)
  expect_no_lane(printed)
})

test_that("a limit on addresses is none on calls", {
  skip_if_no_shared_memory()
  printed <- used_by(limited("-v 8000000")) # in blocks of 1024 bytes
  expect_right(printed)
  expect_no_lane(printed)
})

test_that("a server with a limit on the size of files says that there is no memory", {
  skip_if_no_shared_memory()
  skip_if_refused("prlimit", "--version")
  h <- local_start(build_once(test_source("results")))
  expect_identical(h$add(1, 2), 3)
  processx::run("prlimit", c("--pid", pid_of(h), "--fsize=100000"))
  expect_error(h$doubles(1e6L), class = "mangoro_error_resource_exhausted")
  expect_identical(h$doubles(5L), c(0, 989.875, 728.875, 467.875, 206.875))
  expect_identical(h$add(1, 2), 3)
})

test_that("results beyond the limit are ordinary vectors", {
  skip_if_no_shared_memory()
  withr::defer(.Call(c_segment_limit, 0, 0))
  h <- local_start(build_once(test_source("results")))
  x <- as.double(1:4e5)
  use <- function() {
    results <- lapply(1:12, function(i) h$add(x, i))
    doubles <- lapply(1:12, function(i) h$doubles(4e5L)[1:3])
    sums <- lapply(results, function(result) h$sum(result))
    again <- lapply(results, function(result) h$same(result))
    list(
      mapply(function(result, i) identical(result, x + i), results, 1:12), unique(doubles),
      identical(sums, lapply(results, sum)), identical(again, results)
    )
  }
  expected <- list(rep(TRUE, 12), list(c(0, 989.875, 728.875)), TRUE, TRUE)
  for (limit in list(c(2e7, 100), c(4e6, 100), c(1e5, 100), c(1e9, 6), c(1e9, 1))) {
    .Call(c_segment_limit, limit[[1]], limit[[2]])
    gc()
    .Call(c_segment_trim)
    expect_identical(use(), expected, info = toString(limit))
  }
})

test_that("a program gets no memory that another one has had", {
  skip_if_no_shared_memory()
  bin <- build_once(test_source("results"))
  first <- local_start(bin)
  second <- local_start(bin)
  with_segment_limits()
  for (i in 1:2) first$doubles(3e5L)
  gc()
  pooled <- segment_counts()$pooled
  expect_gte(pooled, 24e5)
  for (i in 1:2) second$doubles(3e5L) # the second call takes what the pool has
  expect_gte(segment_counts()$pooled, pooled)
  gc()
  pooled <- segment_counts()$pooled
  close(first)
  expect_lte(segment_counts()$pooled, pooled - 24e5)
})

test_that("few descriptors limit no results", {
  skip_if_no_shared_memory()
  printed <- used_by(limited("-n 200"), code = c(use_everything, '
    results <- lapply(1:100, function(i) h$add(x, i))
    sums <- lapply(results, function(result) h$sum(result))
    kept <- mapply(function(result, i) identical(result, x + i), results, 1:100)
    cat(if (all(kept)) "all kept", if (identical(sums, lapply(1:100, function(i) sum(x + i)))) "all summed")
  '))
  expect_right(printed)
  expect_match(printed, "all kept all summed", fixed = TRUE)
})

test_that("a control group with little memory is room enough for results that are dropped", {
  skip_if_no_shared_memory()
  skip_if_not(file.exists("/proc/self/cgroup"), "there are no control groups")
  groups <- strsplit(readLines("/proc/self/cgroup"), ":", fixed = TRUE)
  own <- Filter(function(group) "memory" %in% group[[2]], groups)
  skip_if(length(own) == 0, "there is no control group of memory that we can make")
  dir <- file.path("/sys/fs/cgroup/memory", own[[1]][[3]], paste0("mangoro-", Sys.getpid()))
  skip_if_not(dir.create(dir, showWarnings = FALSE), "there is no control group of memory that we can make")
  withr::defer(file.remove(dir))
  cat("400000000", file = file.path(dir, "memory.limit_in_bytes"))
  inside <- c("sh", "-c", sprintf("echo $$ >'%s/tasks'; exec \"$@\"", dir), "sh")
  printed <- used_by(inside, code = c(use_everything, '
    x <- as.double(1:1e6)
    right <- vapply(1:100, function(i) identical(h$add(x, i)[5], 5 + i), NA)
    cat(if (all(right)) "all added")
  '))
  expect_right(printed)
  expect_lane(printed)
  expect_match(printed, "all added", fixed = TRUE)
})

test_that("a session without /proc uses the socket", {
  skip_if_no_shared_memory()
  hidden <- c("unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh")
  skip_if_refused(hidden, "true")
  printed <- used_by(hidden)
  expect_right(printed)
  expect_no_lane(printed)
})

test_that("process ids of another namespace are not believed", {
  skip_if_no_shared_memory()
  # /proc is that of the old namespace: our process id there is another process, or none.
  elsewhere <- c("unshare", "-p", "-f")
  skip_if_refused(elsewhere, "true")
  printed <- used_by(elsewhere)
  expect_right(printed)
  expect_no_lane(printed)

  # A server in a namespace of its own cannot see this session.
  elsewhere <- c("unshare", "-p", "-f", "--mount-proc")
  skip_if_refused(elsewhere, "true")
  printed <- used_by(code = c('
    url <- create_ipc_path()
    server <- processx::process$new("unshare", c("-p", "-f", "--mount-proc", Sys.getenv("TEST_SERVER"), url))
  ', sub('mangoro_start(Sys.getenv("TEST_SERVER"))', "mangoro_connect(url)", use_everything, fixed = TRUE)))
  expect_right(printed)
  expect_no_lane(printed)
})

test_that("a session that others may not look into uses the socket", {
  skip_if_no_shared_memory()
  skip_if_not(Sys.info()[["sysname"]] == "Linux", "this is not Linux")
  # Root may look into everything, so it becomes somebody else, who can read only this.
  nobody <- if (processx::run("id", "-u")$stdout == "0\n") {
    c("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
  }
  dir <- withr::local_tempdir(tmpdir = dirname(tempdir()))
  Sys.chmod(dir, "0755")
  writeLines(c(
    "#include <sys/prctl.h>", "void hide(int *status) { *status = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }"
  ), file.path(dir, "hide.c"))
  compiled <- processx::run(
    file.path(R.home("bin"), "R"), c("CMD", "SHLIB", "hide.c"),
    wd = dir, error_on_status = FALSE
  )
  skip_if(compiled$status != 0, "there is no C compiler")
  elsewhere <- "Sys.setenv(HOME = tempdir(), MANGORO_CACHE_DIR = tempdir())"
  printed <- used_by(nobody, c(elsewhere, use_everything), dir)
  skip_if(!grepl("all right", printed), "nobody else can use this library")
  expect_lane(printed)
  hide <- sprintf("dyn.load('%s'); stopifnot(.C('hide', 1L)[[1]] == 0)", file.path(dir, "hide.so"))
  printed <- used_by(nobody, c(elsewhere, hide, use_everything), dir)
  expect_right(printed)
  expect_no_lane(printed)
})
