# A vector of each type that a view can have, longer than what R reads at once.
view_values <- function(n = 2000) {
  list(
    double = c(NA, NaN, Inf, -0, as.double(seq_len(n)) / 3),
    integer = c(NA, rev(seq_len(n))),
    raw = as.raw(seq_len(n) %% 256),
    complex = c(NA, complex(real = seq_len(n), imaginary = -1))
  )
}

# What the view gives is what the vector gives.
expect_same <- function(x, fun) {
  expect_identical(fun(as_view(x)), fun(x))
}

test_that("a view is identical to an ordinary vector, and reads as one", {
  skip_without_segments()
  for (x in view_values()) {
    view <- as_view(x)
    expect_identical(view, x)
    expect_identical(x, view)
    expect_identical(typeof(view), typeof(x))
    expect_same(x, function(v) v[c(3, NA, 1, 1e9)])
    expect_same(x, function(v) v[c(3L, NA, 1L)])
    expect_same(x, function(v) v[-1])
    expect_same(x, function(v) v[0])
    expect_same(x, function(v) v[rep_len(c(TRUE, FALSE, NA), length(v))])
    expect_same(x, function(v) v[1001:500])
    expect_same(x, function(v) v[[7]])
    expect_same(x, function(v) head(v, -3))
    expect_same(x, rev)
    expect_same(x, is.na)
    expect_same(x, anyNA)
    expect_same(x, function(v) c(v, v))
    expect_same(x, as.character)
    expect_same(x, as.list)
    expect_same(x, unique)
    expect_same(x, function(v) match(v, v))
    expect_same(x, function(v) split(v, seq_along(v) %% 2))
    expect_same(x, function(v) vapply(v, identity, v[[1]]))
    expect_same(x, function(v) rbind(v, v))
    expect_same(x, function(v) utils::capture.output(utils::str(v)))
  }
})

test_that("summaries, sums and orders of a view are those of an ordinary vector", {
  skip_without_segments()
  for (x in view_values()[c("double", "integer")]) {
    for (fun in list(sum, min, max, range, mean, cumsum, order, sort, rank, stats::var)) expect_same(x, fun)
    for (fun in list(sum, min, max, range, mean, stats::median, stats::quantile)) {
      expect_same(x, function(v) fun(v, na.rm = TRUE))
    }
    expect_same(x, function(v) sort(v, decreasing = TRUE))
    expect_same(x, function(v) order(v, method = "radix"))
    expect_same(x, function(v) v + v * 2)
    expect_same(x, function(v) ifelse(v > 1, v, 0))
    expect_same(x, function(v) table(v > 3))
    expect_same(x, duplicated)
  }
})

test_that("a view that says it has no NA has none until it is changed", {
  skip_without_segments()
  x <- as.double(1:1000)
  view <- as_view(x, no_na = TRUE)
  expect_false(anyNA(view))
  view[[10]] <- NA
  expect_true(anyNA(view))
  expect_identical(which(is.na(view)), 10L)
  integers <- as_view(1:1000, no_na = TRUE)
  integers[[1000]] <- NA
  expect_identical(sum(integers), NA_integer_)
  expect_identical(sort(integers), 1:999)
})

test_that("assignment changes one view, neither copies of it nor the segment", {
  skip_without_segments()
  for (x in view_values()) {
    view <- as_view(x)
    copy <- view
    view[5] <- x[[6]]
    expect_identical(copy, x)
    expected <- x
    expected[5] <- x[[6]]
    expect_identical(view, expected)
  }
  segment <- take_segment(16e5)
  x <- as.double(1:1e5)
  write_segment(segment, x)
  write_segment(segment, x, 8e5)
  first <- view_of(segment, 0, 1e5)
  second <- view_of(segment, 0, 1e5, 8e5)
  release_segment(segment)
  first[] <- 0
  expect_identical(second, x)
  second[[1]] <- -1
  expect_identical(sum(first), 0)
})

test_that("a view is changed in place", {
  skip_without_segments()
  change <- function(x) {
    segment <- take_segment(8 * length(x))
    write_segment(segment, x)
    view <- view_of(segment, x, length(x))
    view[[2]] <- x[[1]]
    view[3:4] <- x[[1]]
    expect_output(.Internal(inspect(view)), "view of segment.*changed")
    expect_identical(view, replace(x, 2:4, x[[1]]))
  }
  lapply(view_values()[c("double", "integer", "complex")], change)
})

test_that("a view is untouched until R writes to it", {
  skip_without_segments()
  x <- as.double(1:1e5)
  view <- as_view(x)
  expect_true(is_untouched(view))
  expect_false(is_untouched(x))
  expect_false(is_untouched("a"))
  # These ask for a pointer to write to, and do not write.
  sort(view)
  order(view)
  cumsum(view)
  identical(view, x)
  c(view, 1)
  expect_true(is_untouched(view))
  # Of two views of a segment the other is as it was.
  segment <- take_segment(16e5)
  write_segment(segment, x)
  write_segment(segment, x, 8e5)
  changed <- view_of(segment, 0, 5e4)
  other <- view_of(segment, 0, 1e5, 8e5)
  changed[[5e4]] <- 0
  expect_false(is_untouched(changed))
  expect_true(is_untouched(other))
})

test_that("what is written through a pointer to read from counts, and does not stay in the segment", {
  skip_without_segments()
  gc() # the last segment that comes back is the first to be taken
  x <- as.double(1:1e5)
  segment <- take_segment(8e5)
  write_segment(segment, x)
  name <- segment_name(segment)
  view <- view_of(segment, x, 1e5, no_na = TRUE)
  release_segment(segment)
  .Call(c_write_through, view, NA)
  expect_false(is_untouched(view))
  expect_true(anyNA(view))
  rm(view)
  gc()
  again <- take_segment(8e5)
  expect_identical(segment_name(again), name)
  expect_identical(view_of(again, x, 1e5), x)
})

test_that("a view whose pages cannot be looked at counts as changed once R could write to it", {
  skip_without_segments()
  view <- as_view(as.double(1:1e5))
  cumsum(view)
  gc()
  .Call(c_segment_fail, 1L)
  seen <- is_untouched(view)
  .Call(c_segment_fail, 0L)
  expect_false(seen)
  expect_true(is_untouched(view))
})

test_that("attributes of a view are those of any vector", {
  skip_without_segments()
  n <- 1200
  x <- as.double(seq_len(n))
  expect_same(stats::setNames(x, paste0("n", seq_len(n))), function(v) v[c("n7", "n1200")])
  expect_same(matrix(x, 30, dimnames = list(NULL, letters[c(1:26, 1:14)])), function(v) v[3:4, 2:5] %*% v[1:4, 1:2])
  expect_same(matrix(x, 30), t)
  expect_same(structure(x, class = "Date"), function(v) range(v))
  expect_same(structure(x, class = c("POSIXct", "POSIXt"), tzone = "UTC"), format)
  expect_same(structure(x, units = "secs", class = "difftime"), function(v) sum(v))
  expect_same(structure(rep_len(1:3, n), levels = c("a", "b", "c"), class = "factor"), function(v) table(c(v)))
  expect_same(structure(rep_len(1:3, n), levels = c("a", "b", "c"), class = "factor"), levels)
  view <- as_view(x)
  copy <- view
  names(copy) <- as.character(x)
  expect_null(names(view))
  expect_identical(unname(copy), x)
})

test_that("a view is written as an ordinary vector", {
  skip_without_segments()
  for (x in view_values()) {
    view <- as_view(x)
    for (version in 2:3) {
      expect_identical(serialize(view, NULL, version = version), serialize(x, NULL, version = version))
    }
    file <- withr::local_tempfile()
    saveRDS(view, file)
    rm(view)
    expect_identical(readRDS(file), x)
    expect_false(is_untouched(readRDS(file)))
  }
  strings <- rep_len(c("a", NA, "\u00e9"), 2000)
  expect_identical(unserialize(serialize(string_view(strings), NULL)), strings)
})

test_that("views are columns of data frames", {
  skip_without_segments()
  x <- as.double(1:3000)
  s <- paste0("s", 1:3000)
  ordinary <- data.frame(x = x, i = 1:3000, s = s)
  frame <- data.frame(x = as_view(x), i = as_view(1:3000), s = string_view(s))
  expect_identical(frame, ordinary)
  expect_true(is_untouched(frame$x))
  expect_identical(frame[order(-frame$x), ], ordinary[order(-ordinary$x), ])
  expect_identical(stats::aggregate(x ~ i %% 7, frame, sum), stats::aggregate(x ~ i %% 7, ordinary, sum))
  expect_identical(merge(frame, ordinary, by = c("i", "s", "x")), merge(ordinary, ordinary, by = c("i", "s", "x")))
  frame$x[[2]] <- 0
  ordinary$x[[2]] <- 0
  expect_identical(frame, ordinary)
})

test_that("data.table takes views", {
  skip_without_segments()
  skip_if_not_installed("data.table")
  x <- as.double(1:3000)
  make <- function(x, i, s) data.table::data.table(x = x, i = i, s = s)
  ordinary <- make(x, rep_len(1:7, 3000), rep_len(c("b", "a", NA), 3000))
  table <- make(as_view(x), as_view(rep_len(1:7, 3000)), string_view(rep_len(c("b", "a", NA), 3000)))
  expect_equal(table, ordinary)
  data.table::setorderv(table, c("s", "i"))
  data.table::setorderv(ordinary, c("s", "i"))
  expect_equal(table, ordinary)
  view <- as_view(x)
  frame <- list(x = view)
  data.table::setDT(frame)
  data.table::set(frame, 5L, "x", -1)
  expect_identical(frame$x[[5]], -1)
  expect_identical(view, x)
})

test_that("dplyr takes views", {
  skip_without_segments()
  skip_if_not_installed("dplyr")
  x <- as.double(1:3000)
  frame <- dplyr::tibble(x = as_view(x), g = as_view(rep_len(1:7, 3000)), s = string_view(rep_len(c("b", "a"), 3000)))
  ordinary <- dplyr::tibble(x = x, g = rep_len(1:7, 3000), s = rep_len(c("b", "a"), 3000))
  expect_identical(frame, ordinary)
  expect_identical(
    dplyr::summarise(frame, x = sum(x), .by = c("g", "s")),
    dplyr::summarise(ordinary, x = sum(x), .by = c("g", "s"))
  )
  expect_identical(dplyr::arrange(frame, s, -x), dplyr::arrange(ordinary, s, -x))
})

test_that("vctrs and tibble take views", {
  skip_without_segments()
  skip_if_not_installed("dplyr")
  x <- as.double(1:3000)
  view <- as_view(x)
  s <- rep_len(c("b", NA, "a"), 3000)
  frame <- dplyr::tibble(x = view, s = string_view(s))
  expect_true(is_untouched(frame$x))
  expect_identical(frame, dplyr::tibble(x = x, s = s))
  expect_identical(frame[c(5, 3), ], dplyr::tibble(x = x, s = s)[c(5, 3), ])
  expect_identical(vctrs::vec_c(frame, frame), vctrs::vec_c(dplyr::tibble(x, s), dplyr::tibble(x, s)))
  expect_identical(vctrs::vec_order(frame), vctrs::vec_order(dplyr::tibble(x, s)))
})

test_that("mirai sends views to another process", {
  skip_without_segments()
  skip_if_not_installed("mirai")
  mirai::daemons(1)
  withr::defer(mirai::daemons(0))
  x <- as.double(1:3000)
  m <- mirai::mirai(list(sum(x), identical(x, y), nchar(s)), x = as_view(x), y = x, s = string_view(c("a", "bc")))
  expect_identical(m[], list(sum(x), TRUE, 1:2))
})

test_that("forked workers read views and change copies of theirs", {
  skip_without_segments()
  skip_on_os("windows")
  x <- as.double(1:1e5)
  view <- as_view(x)
  strings <- string_view(as.character(1:2000))
  gc() # what mirai has left must not be collected in a fork, where NNG ends the process
  results <- parallel::mclapply(1:2, function(i) {
    view[[1]] <- i
    gc()
    list(sum(view), strings[[i]], sum(nchar(strings)))
  }, mc.cores = 2)
  length <- sum(nchar(as.character(1:2000)))
  expect_identical(results, list(list(sum(x), "1", length), list(sum(x) + 1, "2", length)))
  expect_identical(view, x)
})

test_that("views that are dropped, in any order, give back everything", {
  skip_without_segments()
  with_segment_limits(segments = 100)
  before <- memory_files()
  views <- list()
  for (i in 1:400) {
    views[[i %% 50 + 1]] <- if (i %% 3 == 0) string_view(c("a", i)) else as_view(as.double(i + 0:99))
  }
  expect_lte(memory_files()[["descriptors"]], before[["descriptors"]] + 100)
  for (i in c(seq(1, 50, 2), seq(2, 50, 2))) {
    views[i] <- list(NULL)
    if (i %% 10 == 0) gc()
  }
  gc()
  expect_identical(segment_counts()$leased, 0)
  trim_segments()
  expect_identical(memory_files(), before)
})

test_that("1000 views of one segment keep it until the last has gone", {
  skip_without_segments()
  with_segment_limits()
  segment <- take_segment(8e5)
  write_segment(segment, as.double(1:1e5))
  views <- lapply(0:999, function(i) view_of(segment, 0, 100, 800 * i))
  release_segment(segment)
  expect_identical(segment_counts()$segments, 1)
  last <- views[[1000]]
  rm(views)
  gc()
  expect_gt(segment_counts()$leased, 0)
  expect_identical(last, as.double(99901:1e5))
  rm(last)
  gc()
  expect_identical(segment_counts()$leased, 0)
})

test_that("strings are those of the segment", {
  skip_without_segments()
  for (width in c(4, 8)) {
    for (x in list(
      character(), "", NA_character_, c("a", NA, ""), as.character(1:3000), rep_len(c("\u00e9", NA, "\u4e2d"), 1025),
      c(strrep("x", 1e5), "y"), strrep("\u00fc", 300)
    )) {
      expect_identical(string_view(x, width), x)
      expect_identical(Encoding(string_view(x, width)[]), Encoding(x))
      expect_identical(length(string_view(x, width)), length(x))
    }
  }
})

test_that("a view of strings reads as an ordinary vector", {
  skip_without_segments()
  x <- c(NA, paste0("s", 3000:1), "", "\u00e9")
  for (fun in list(
    nchar, toupper, sort, order, unique, duplicated, factor, is.na, anyNA, rev, as.list,
    function(v) v[c(5, NA, 1e9, 3000)], function(v) v[-1], function(v) v[2500:2000],
    function(v) v[[3]], function(v) vapply(v, identity, ""), function(v) charToRaw(v[[3003]]),
    function(v) match("s5", v), function(v) v == "s7", function(v) startsWith(v, "s1"),
    function(v) c(v, "a"), function(v) paste(v, v), function(v) range(v, na.rm = TRUE),
    function(v) names(stats::setNames(seq_along(v), v))
  )) {
    expect_identical(fun(string_view(x)), fun(x))
  }
})

test_that("a view of strings can be changed", {
  skip_without_segments()
  with_segment_limits()
  x <- paste0("s", 1:3000)
  view <- string_view(x)
  copy <- view
  view[[700]] <- NA
  expect_identical(copy, x)
  expect_identical(view, replace(x, 700, NA))
  expect_true(anyNA(view))
  change <- function(view) {
    view[1:2] <- c("new", NA)
    view
  }
  expect_identical(change(string_view(x)), c("new", NA, x[-(1:2)]))
})

test_that("a view of strings gives its segment back once R can have changed it", {
  skip_without_segments()
  with_segment_limits()
  x <- paste0("s", 1:3000)
  view <- string_view(x)
  expect_identical(view[c(1, 3000)], x[c(1, 3000)])
  expect_identical(view[[2999]], x[[2999]])
  expect_identical(nchar(view), nchar(x)) # makes all
  expect_gt(segment_counts()$leased, 0)
  expect_identical(sort(view, method = "radix"), sort(x, method = "radix")) # has a pointer to them
  expect_identical(segment_counts()$leased, 0)
  as_view(numeric(1000)) # takes it
  expect_identical(view, x)
})

test_that("strings that a program breaks after it has returned them are refused", {
  skip_without_segments()
  broken <- function(change) {
    made <- as_string_view(paste0("s", 1:3000))
    change(made$segment, made$text_at)
    made$view
  }
  for (change in list(
    function(s, text) write_segment(s, as.raw(0xff), text), # not UTF-8
    function(s, text) write_segment(s, as.raw(0), text),
    function(s, text) write_segment(s, 100L, 0), # the end before the begin
    function(s, text) write_segment(s, c(0L, .Machine$integer.max), 0),
    function(s, text) write_segment(s, c(-5L, -1L), 0)
  )) {
    view <- broken(change)
    expect_error(view[[1]], "has changed its strings", class = "mangoro_error_protocol")
    expect_error(view[1], class = "mangoro_error_protocol")
    expect_error(sort(view), class = "mangoro_error_protocol")
    expect_identical(view[[3000]], "s3000")
    expect_identical(view[2000], "s2000")
  }
})

test_that("views bear a collection at each allocation", {
  skip_without_segments()
  x <- as.double(1:100)
  s <- c(NA, paste0("gctorture", 1:40))
  view <- as_view(x)
  strings <- string_view(s)
  other <- string_view(s)
  segment <- take_segment(800)
  write_segment(segment, x)
  withr::defer(gctorture(FALSE))
  gctorture(TRUE)
  made <- .Call(c_view, segment, 0, 0, 100, FALSE)
  some <- strings[c(1, 2)]
  one <- strings[[3]]
  view[[3]] <- 0
  reversed <- rev(made)
  file <- serialize(list(view, other), NULL)
  gctorture(FALSE)
  expect_identical(made, x)
  expect_identical(view, replace(x, 3, 0))
  expect_identical(reversed, rev(x))
  expect_identical(some, s[1:2])
  expect_identical(one, s[[3]])
  expect_identical(strings, s)
  expect_identical(unserialize(file), list(replace(x, 3, 0), s))
})

test_that("views are shown by inspect()", {
  skip_without_segments()
  inspect <- function(x) .Internal(inspect(x))
  expect_output(inspect(as_view(1:1000)), "view of segment")
  expect_output(inspect(string_view(c("a", "b"))), "view of segment")
})
