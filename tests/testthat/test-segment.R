test_that("a segment has the size that was asked for, and is opened by its name", {
  skip_without_segments()
  for (role in names(segment_roles)) {
    segment <- take_segment(1e6, role)
    name <- segment_name(segment)
    expect_gte(name$size, 1e6)
    expect_lt(name$size, 1.2e6)
    file <- sprintf("/proc/self/fd/%d", name$fd)
    expect_identical(file.size(file), name$size)
    release_segment(segment)
  }
})

test_that("a segment cannot shrink", {
  skip_without_segments()
  segment <- take_segment(1e5)
  name <- segment_name(segment)
  # Opening it for writing would make it empty.
  expect_error(suppressWarnings(file(sprintf("/proc/self/fd/%d", name$fd), "wb")))
  expect_identical(file.size(sprintf("/proc/self/fd/%d", name$fd)), name$size)
  release_segment(segment)
})

test_that("the pool gives back what fits, the last one first", {
  skip_without_segments()
  with_segment_limits()
  segments <- lapply(c(1e6, 1e6, 1e6), take_segment)
  names <- lapply(segments, segment_name)
  for (s in segments) release_segment(s)
  expect_identical(segment_counts()$leased, 0)
  expect_identical(segment_counts()$segments, 3)

  expect_identical(segment_name(take_segment(1e6))$generation, names[[3]]$generation)
  expect_identical(segment_name(take_segment(6e5))$generation, names[[2]]$generation)
  other <- segment_name(take_segment(1e6, "arguments"))$generation # of another role
  small <- segment_name(take_segment(1e5))$generation # it would waste most of it
  large <- segment_name(take_segment(2e6))$generation
  generations <- vapply(names, function(n) n$generation, 0)
  expect_false(any(c(other, small, large) %in% generations))
})

test_that("a server gets only what it has had before, until it is forgotten", {
  skip_without_segments()
  with_segment_limits()
  generation <- function(peer, role) segment_name(take_segment(1e6, role, peer))$generation
  for (role in c("results", "arguments")) {
    segment <- take_segment(1e6, role, peer = 1)
    first <- segment_name(segment)$generation
    release_segment(segment)
    expect_false(generation(2, role) == first)
    expect_identical(generation(1, role), first)
  }
  gc()
  before <- segment_counts()$segments
  .Call(c_segment_forget, 1)
  expect_identical(segment_counts()$segments, before - 2)
  .Call(c_segment_forget, 3)
  expect_identical(segment_counts()$segments, before - 2)
})

test_that("a pool that is trimmed has nothing left open", {
  skip_without_segments()
  with_segment_limits()
  before <- memory_files()
  segments <- lapply(rep(1e5, 20), take_segment)
  expect_identical(memory_files(), before + 20)
  for (s in segments) release_segment(s)
  expect_identical(memory_files(), before + 20)
  trim_segments()
  expect_identical(memory_files(), before)
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
})

test_that("a lease that is collected or ended twice ends one use", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(1e6)
  view <- view_of(segment, 0, 10)
  release_segment(segment)
  release_segment(segment)
  expect_gt(segment_counts()$leased, 0)
  take_segment(1e6)
  rm(view)
  gc()
  expect_identical(segment_counts()$leased, 0)
})

test_that("a retired segment lives as long as its views, and is not used again", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(8e5)
  write_segment(segment, as.double(1:1e5))
  view <- view_of(segment, 0, 1e5)
  generation <- segment_name(segment)$generation
  .Call(c_segment_retire, segment)
  release_segment(segment)
  expect_identical(view, as.double(1:1e5))
  rm(view)
  gc()
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
  expect_gt(segment_name(take_segment(8e5))$generation, generation)
})

test_that("what a peer adds to a segment can be mapped", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(1e5)
  size <- segment_name(segment)$size
  expect_true(.Call(c_segment_grow, segment))
  expect_identical(segment_name(segment)$size, size)
  x <- as.double(1:3e5)
  write_segment(segment, x)
  expect_true(.Call(c_segment_grow, segment))
  expect_gte(segment_name(segment)$size, 24e5)
  expect_identical(segment_counts()$leased, segment_name(segment)$size)
  view <- view_of(segment, 0, 3e5)
  expect_identical(view, x)
  release_segment(segment)
  rm(view)
  gc()
  expect_identical(segment_counts()$leased, 0)
  # It has a place in the pool for others of its new size.
  expect_gte(segment_name(take_segment(2.3e6))$size, 24e5)
  expect_identical(segment_counts()$segments, 1)
})

test_that("what a peer adds for nothing does not go into the pool", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(1e5)
  write_segment(segment, raw(1e6))
  release_segment(segment)
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
})

test_that("growth without memory for it is refused, however large it is", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(1e5)
  size <- segment_name(segment)$size
  for (end in c(1e7, 2^40)) {
    write_segment(segment, raw(8), end)
    expect_false(.Call(c_segment_grow, segment))
    expect_identical(segment_name(segment)$size, size)
  }
  release_segment(segment) # and never used again
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
})

test_that("what R wrote to a segment is not seen by the next call", {
  skip_without_segments()
  with_segment_limits()
  x <- as.double(1:1e5)
  view <- as_view(x)
  view[] <- 0
  rm(view)
  gc()
  segment <- take_segment(8 * 1e5 + 64)
  expect_identical(segment_counts()$segments, 1)
  expect_identical(view_of(segment, 0, 1e5), x)
})

test_that("beyond the limit of bytes there is no segment, until others are collected", {
  skip_without_segments()
  with_segment_limits(bytes = 4 * 2^20)
  views <- lapply(1:3, function(i) as_view(as.double(1:131000)))
  expect_identical(segment_counts()$segments, 3)
  kept <- as_view(as.double(1:120000))
  expect_null(take_segment(2^20))
  expect_null(take_segment(5 * 2^20))
  expect_identical(kept, as.double(1:120000))
  rm(views)
  # The collector runs by itself, if enough was leased since it has run.
  gc()
  expect_false(is.null(take_segment(2^20)))
})

test_that("R's collector runs before the limit is passed", {
  skip_without_segments()
  with_segment_limits(bytes = 8 * 2^20)
  for (i in 1:100) as_view(as.double(1:131000))
  expect_lte(segment_counts()$leased + segment_counts()$pooled, 8 * 2^20)
  expect_false(is.null(take_segment(2^20)))
})

test_that("beyond the limit of descriptors there is no segment", {
  skip_without_segments()
  with_segment_limits(segments = 10)
  before <- memory_files()
  segments <- lapply(1:20, function(i) take_segment(1e5))
  expect_identical(lengths(segments) == 0, rep(c(FALSE, TRUE), each = 10))
  expect_identical(memory_files(), before + 10)
})

test_that("at the limit R's collector runs from time to time", {
  skip_without_segments()
  with_segment_limits(segments = 100)
  held <- lapply(1:100, function(i) take_segment(1e5))
  refused <- 0
  collections <- count_collections(for (i in 1:200) refused <- refused + is.null(take_segment(1e5)))
  expect_identical(refused, 200)
  expect_gte(collections, 2)
  expect_lte(collections, 8)
  rm(held)
  tries <- 1
  while (is.null(take_segment(1e5))) tries <- tries + 1
  expect_lte(tries, 51)
})

test_that("results of sizes that alternate do not fill the pool", {
  skip_without_segments()
  with_segment_limits()
  for (i in 1:100) {
    segment <- take_segment(if (i %% 2 == 0) 1e5 else 1e6)
    write_segment(segment, raw(1e6)) # which makes the smaller one larger
    expect_true(.Call(c_segment_grow, segment))
    release_segment(segment)
  }
  expect_lte(segment_counts()$segments, 16)
})

test_that("segments of the pool make room for those of other sizes", {
  skip_without_segments()
  with_segment_limits(bytes = 4 * 2^20, segments = 4)
  for (s in lapply(1:4, function(i) take_segment(2^19))) release_segment(s)
  large <- take_segment(2^21)
  expect_false(is.null(large))
  expect_identical(segment_counts()$segments, 4)
  expect_identical(segment_counts()$pooled, 3 * 2^19)
  expect_false(is.null(take_segment(2^21)))
  expect_identical(segment_counts()$pooled, 0)
})

test_that("each system call may fail, and nothing is lost", {
  skip_without_segments()
  with_segment_limits()
  before <- memory_files()
  .Call(c_segment_fail, 0L)
  segment <- take_segment(1e7)
  calls <- .Call(c_segment_fail, 0L)
  release_segment(segment)
  expect_gt(calls, 5)
  trim_segments()
  for (at in seq_len(calls)) {
    .Call(c_segment_fail, at)
    segment <- take_segment(1e7)
    .Call(c_segment_fail, 0L)
    expect_null(segment)
    expect_identical(memory_files(), before)
    expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
  }
  expect_false(is.null(take_segment(1e7)))
})

test_that("each system call may fail when a segment grows", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(1e5)
  size <- segment_name(segment)$size
  write_segment(segment, raw(1e7))
  for (at in 1:2) {
    .Call(c_segment_fail, at)
    expect_false(.Call(c_segment_grow, segment))
    expect_identical(segment_name(segment)$size, size)
    expect_identical(segment_counts()$leased, size)
  }
  .Call(c_segment_fail, 0L)
  expect_true(.Call(c_segment_grow, segment))
})

test_that("a segment whose changes cannot be dropped is closed", {
  skip_without_segments()
  with_segment_limits()
  view <- as_view(as.double(1:1e5))
  view[[1]] <- 0
  .Call(c_segment_fail, 4L) # after those that look at its size, and whether there are any
  rm(view)
  gc()
  .Call(c_segment_fail, 0L)
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
})

test_that("a limit on the size of files means no shared memory", {
  skip_without_segments()
  skip_if(Sys.which("sh") == "")
  script <- withr::local_tempfile(lines = c(
    "library(mangoro)",
    "cat(is.null(.Call(mangoro:::c_segment_take, 1L, 1e8, 0)))"
  ))
  command <- sprintf("ulimit -f 100000; exec %s %s", shQuote(file.path(R.home("bin"), "Rscript")), shQuote(script))
  printed <- processx::run("sh", c("-c", command))
  expect_identical(printed$stdout, "TRUE")
})

test_that("a fork has the parent's views, and no segments of its own", {
  skip_without_segments()
  skip_on_os("windows")
  with_segment_limits()
  x <- as.double(1:1e5)
  view <- as_view(x)
  idle <- take_segment(1e5)
  release_segment(idle)
  before <- segment_counts()
  child <- parallel::mcparallel({
    value <- sum(view)
    none <- is.null(take_segment(1e5))
    view[[1]] <- 100
    changed <- view[[1]]
    rm(view)
    gc()
    trim_segments()
    list(value, none, changed, segment_counts())
  })
  result <- parallel::mccollect(child)[[1]]
  expect_identical(result, list(sum(x), TRUE, 100, before))
  expect_identical(view, x)
  expect_identical(segment_counts(), before)
})

test_that("what was leased at a fork is not used again", {
  skip_without_segments()
  skip_on_os("windows")
  with_segment_limits()
  x <- as.double(1:1e5)
  view <- as_view(x)
  pipe <- withr::local_tempfile()
  system2("mkfifo", pipe)
  child <- parallel::mcparallel({
    close(file(pipe, "rb", raw = TRUE)) # until the parent has gone on
    sum(view)
  })
  rm(view)
  gc()
  expect_identical(segment_counts(), list(leased = 0, pooled = 0, segments = 0))
  for (i in 1:3) as_view(numeric(1e5))
  close(file(pipe, "wb", raw = TRUE))
  expect_identical(parallel::mccollect(child)[[1]], sum(x))
})
