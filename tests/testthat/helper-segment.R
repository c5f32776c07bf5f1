# Segments and views without a server: src/segment_test.c writes what Go would.

segment_roles <- c(arguments = 0L, results = 1L, lane = 2L)

skip_without_segments <- function() {
  skip_on_cran()
  skip_if(is.null(take_segment(1)), "no shared memory here")
}

take_segment <- function(size, role = "results", peer = 0) {
  .Call(c_segment_take, segment_roles[[role]], as.double(size), peer)
}

release_segment <- function(segment) .Call(c_segment_release, segment)

# What a child opens: /proc/<pid>/fd/<fd>.
segment_name <- function(segment) {
  as.list(stats::setNames(.Call(c_segment_name, segment), c("fd", "generation", "size")))
}

write_segment <- function(segment, x, offset = 0) .Call(c_segment_write, segment, as.double(offset), x)

view_of <- function(segment, like, n, offset = 0, no_na = FALSE) {
  .Call(c_view, segment, as.double(offset), like, as.double(n), no_na)
}

is_untouched <- function(x) .Call(c_view_is_untouched, x)

# A view of the values of x, and the only use of a segment.
as_view <- function(x, no_na = FALSE) {
  segment <- take_segment(8 * length(x) + 64)
  attributes <- attributes(x)
  attributes(x) <- NULL
  write_segment(segment, x)
  view <- view_of(segment, x, length(x), no_na = no_na)
  release_segment(segment)
  attributes(view) <- attributes
  view
}

# Arrow's layout: n + 1 offsets, a bitmap, the text.
as_string_view <- function(x, width = 4) {
  bytes <- lapply(ifelse(is.na(x), "", enc2utf8(x)), charToRaw)
  ends <- c(0, cumsum(lengths(bytes)))
  offsets <- if (width == 4) as.integer(ends) else as.vector(rbind(as.integer(ends), 0L))
  valid <- packBits(c(!is.na(x), logical(-length(x) %% 8)))
  text <- as.raw(unlist(bytes))
  at <- cumsum(c(0, ceiling(c(4 * length(offsets), length(text)) / 64) * 64))
  segment <- take_segment(at[[3]] + length(valid))
  write_segment(segment, offsets)
  write_segment(segment, text, at[[2]])
  write_segment(segment, valid, at[[3]])
  at[[4]] <- length(text)
  if (!anyNA(x)) at[[3]] <- NA
  view <- .Call(c_string_view, segment, at, width, as.double(length(x)))
  list(view = view, segment = segment, text_at = at[[2]])
}

string_view <- function(x, ...) {
  made <- as_string_view(x, ...)
  release_segment(made$segment)
  made$view
}

# What is leased beside the segments of a test: the lanes of other tests' programs.
others <- new.env()
others$counts <- list(leased = 0, pooled = 0, segments = 0)

segment_counts <- function() Map(`-`, as.list(.Call(c_segment_counts)), others$counts)

# How often R's collector is run for segments while `expr` is evaluated.
count_collections <- function(expr) {
  before <- .Call(c_segment_collections)
  force(expr)
  .Call(c_segment_collections) - before
}

trim_segments <- function() .Call(c_segment_trim)

# From a pool that is empty, with limits of their own (0: the usual ones).
with_segment_limits <- function(bytes = 0, segments = 0, frame = parent.frame()) {
  gc()
  trim_segments()
  others$counts <- as.list(.Call(c_segment_counts))
  limit <- function(own, others) if (own > 0) own + others else 0
  .Call(c_segment_limit, limit(bytes, others$counts$leased), limit(segments, others$counts$segments))
  withr::defer(.Call(c_segment_limit, 0, 0), frame)
}

# The memory files of a process: its descriptors and its mappings.
memory_files <- function(pid = "self") {
  of_process <- file.path("/proc", pid)
  targets <- Sys.readlink(list.files(file.path(of_process, "fd"), full.names = TRUE))
  maps <- readLines(file.path(of_process, "maps"))
  count <- function(text) as.double(length(grep("/memfd:mangoro", text, fixed = TRUE)))
  c(descriptors = count(targets), mappings = count(maps))
}
