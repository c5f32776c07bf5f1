# The rows of a chunk, and the chunks of a ring, as src/lane.h has them.
chunk_rows <- 8192
ring_rows <- 8 * chunk_rows

local_ring <- function(frame = parent.frame()) {
  skip_on_os(c("windows", "mac", "solaris"))
  go <- local_source(test_source("ring"), frame = frame)
  go$Add(1, 2)
  skip_if_not(identical(lane_status(server_of(go)$connection), "attached"), "there is no shared memory")
  go
}

# The chunks that `expr` writes to a ring.
chunks_of <- function(expr) {
  before <- .Call(c_ring_chunks)
  force(expr)
  .Call(c_ring_chunks) - before
}

# A call gives the same through the ring and over the socket, to the last bit.
expect_same <- function(f, ..., through = TRUE, info = NULL) {
  first <- f(...)
  chunks <- chunks_of(shared <- f(...))
  expect_identical(shared, first, info = info)
  if (through) expect_gt(chunks, 0, label = paste("the number of chunks", info))
  withr::local_options(mangoro.shared_memory = FALSE)
  expect_identical(chunks_of(plain <- f(...)), 0)
  expect_true(identical(shared, plain, num.eq = FALSE, single.NA = FALSE), info = info)
}

# n numbers, with `odd` here and there.
numbers <- function(n, odd = NULL) {
  x <- seq_len(n) + 0.5
  at <- c(1, n %/% 3, n %/% 2, n - 1, n)
  at <- at[at > 0]
  if (length(odd) > 0 && n > 0) x[at] <- rep_len(odd, length(at))
  x
}

test_that("columns of all lengths go through the ring", {
  go <- local_ring()
  large <- c(chunk_rows + -1:1, 2 * chunk_rows + 7, ring_rows + -1:1, 1e6 + 3)
  for (n in c(0, 1, 2, 1000, large)) {
    expect_same(go$Add, numbers(n), numbers(n) * 3, through = n >= 2 * chunk_rows, info = paste(n, "rows"))
  }
  # What comes after is not confused by what has been.
  expect_identical(go$Add(1, 2), 3)
})

test_that("NA, NaN and infinite values are where they were", {
  go <- local_ring()
  odd <- c(NA, NaN, Inf, -Inf, -0)
  for (n in c(2 * chunk_rows, 5 * chunk_rows + 3)) {
    for (value in as.list(odd)) {
      expect_same(go$Add, numbers(n, value), numbers(n), info = value)
      expect_same(go$Add, numbers(n), numbers(n, value), info = value)
    }
    expect_same(go$Add, numbers(n, odd), numbers(n, rev(odd)))
    expect_same(go$AddParallel, numbers(n, odd), numbers(n, rev(odd)))
    expect_same(go$Add, rep(NA_real_, n), numbers(n))
    expect_same(go$Text, numbers(n, odd))
    expect_same(go$Parts, numbers(n, NA))
  }
  x <- numbers(1e5)
  x[seq(2, 1e5, 2)] <- NA
  expect_same(go$Add, x, rev(x))
  expect_same(go$Add, x, numbers(1e5))
})

test_that("what has no NaN is known to have none, until it is changed", {
  go <- local_ring()
  x <- numbers(1e5)
  for (f in c(go$Add, go$AddParallel)) {
    f(1, 2)
    result <- f(x, 1)
    expect_false(anyNA(result))
    again <- result
    again[7] <- NaN
    expect_true(anyNA(again))
    expect_false(anyNA(result))
    for (value in c(NA, NaN)) {
      result <- f(replace(x, 5e4, value), 1)
      expect_true(anyNA(result))
      expect_identical(f(result, 1), replace(x, 5e4, value) + 2)
    }
  }
})

test_that("integers, logicals and several types go through the ring", {
  go <- local_ring()
  n <- 3 * chunk_rows + 1
  whole <- rep_len(c(3L, NA, -7L, .Machine$integer.max), n)
  flags <- rep_len(c(TRUE, FALSE, NA), n)
  expect_same(go$Subtract, whole, rev(whole))
  expect_same(go$Subtract, seq_len(n), whole)
  expect_same(go$Times, rep_len(c(3L, NA), n), seq_len(n))
  expect_same(go$Not, rep_len(flags, 1e5))
  expect_same(go$Not, rep(NA, n), through = FALSE)
  expect_same(go$Pick, numbers(n, NA), whole, flags)
  expect_same(go$Pick, numbers(n, NA), whole, TRUE)
  expect_same(go$Six, numbers(n, NaN), 1, numbers(n, NA), 2, 3, numbers(n))
  many <- lapply(1:40, function(i) numbers(n, if (i %% 7 == 0) NA) * i)
  expect_same(function(...) do.call(go$Forty, list(...)[[1]]), many, through = FALSE)
})

test_that("vectors that are not laid out go through the ring", {
  go <- local_ring()
  expect_same(go$Subtract, 1:100000, 1L)
  expect_same(go$Subtract, 100000:1, 1:100000)
  x <- numbers(1e5)
  expect_same(go$Add, sort(x), 1)
})

test_that("what lies in segments goes by reference", {
  go <- local_ring()
  x <- numbers(5e5)
  a <- go$Add(x, 1)
  b <- go$Add(x, 2)
  expect_same(go$Add, a, b, through = FALSE)
  expect_identical(chunks_of(go$Add(a, b)), 0)
  expect_identical(chunks_of(go$Add(a, 1)), 0)
  expect_gt(chunks_of(go$Add(a, x)), 0)
  expect_same(go$Add, a, x)
  a[1] <- NA # which is not in the segment
  expect_same(go$Add, a, b)
})

test_that("single values are as good as columns of them", {
  go <- local_ring()
  n <- 2 * chunk_rows + 1
  for (value in c(2, NA, NaN, Inf)) {
    expect_same(go$Add, numbers(n, NA), value, info = value)
    expect_same(go$Add, value, numbers(n), info = value)
  }
  expect_same(go$Subtract, seq_len(n), NA_integer_)
})

test_that("names and dimensions stay, and other vectors go as before", {
  go <- local_ring()
  n <- 3 * chunk_rows
  x <- numbers(n)
  names(x) <- paste0("n", seq_len(n))
  expect_same(go$Add, x, 1, through = FALSE)
  expect_same(go$Add, matrix(numbers(n), 3), 1, through = FALSE)
  expect_same(go$Add, numbers(n), c(1, 2, 3), through = FALSE)
  expect_same(go$Add, seq_len(n), 0.5, through = FALSE)
})

test_that("errors say the row of the call", {
  go <- local_ring()
  n <- 3 * chunk_rows + 5
  x <- as.double(seq_len(n))
  for (row in c(1, 1, 2, chunk_rows, chunk_rows + 1, n)) {
    cnd <- expect_error(go$Fail(x, row), paste0("row ", row, ": ", row, " is bad"), class = "mangoro_error_handler")
    expect_identical(cnd$row, as.integer(row))
    cnd <- expect_error(go$Boom(x, row), "boom", class = "mangoro_error_panic")
    expect_identical(cnd$row, as.integer(row))
    cnd <- expect_error(go$BoomParallel(x, row), "boom", class = "mangoro_error_panic")
    expect_identical(cnd$row, as.integer(row))
    expect_error(go$Exit(x, row), "Goexit", class = "mangoro_error_panic")
    expect_identical(go$Add(x, 1), x + 1)
  }
})

# Has a call that takes too long go through the ring.
expect_late <- function(f, x, at) {
  withr::local_options(mangoro.timeout = 0.2)
  f(1, 2)
  expect_gt(chunks_of(expect_error(f(x, at), class = "mangoro_error_timeout")), 0)
}

test_that("a call that takes too long is given up, and others follow at once", {
  go <- local_ring()
  x <- as.double(seq_len(20 * ring_rows))
  for (at in c(1, ring_rows %/% 2, 5 * ring_rows, length(x))) {
    expect_late(go$Wait, x, at)
    expect_identical(go$Add(x, 1), x + 1)
    expect_identical(go$Add(1, 2), 3)
  }
  # This one holds the lane, as it does not end.
  expect_late(go$Hold, x, 5 * ring_rows)
  expect_identical(chunks_of(expect_identical(go$Add(x, 1), x + 1)), 0)
  expect_identical(go$Add(1, 2), 3)
  go$Release()
  expect_identical(go$Add(x, 1), x + 1)
})

test_that("an interrupt gives a call up", {
  skip_on_os(c("mac", "solaris"))
  skip_if_no_sigint()
  skip_if_no_go()
  session <- other_session(c(
    sprintf("go <- mangoro_source('%s')", normalizePath(test_source("ring"))),
    "x <- as.double(seq_len(1e6)); go$Wait(1, 2)",
    "r <- tryCatch({ cat('waiting\\n'); go$Wait(x, 5e5) }, interrupt = function(cnd) 'interrupted')",
    "cat(r, identical(go$Add(x, 1), x + 1), go$Add(1, 2), '\\n')"
  ))
  withr::defer(session$kill())
  wait_for_output(session, "waiting")
  session$interrupt()
  session$wait(60000)
  expect_match(paste(session$read_all_output(), collapse = ""), "interrupted TRUE 3")
})

test_that("a program that dies amid a call ends it, and what it has returned stays", {
  go <- local_ring()
  x <- as.double(seq_len(10 * ring_rows))
  before <- go$Add(x, 1)
  for (at in c(1, ring_rows + 1, length(x))) {
    go$Die(1, 2)
    expect_gt(chunks_of(expect_error(go$Die(x, at), class = "mangoro_error_connection")), 0)
    expect_identical(before, x + 1)
    mangoro_restart(go)
    expect_identical(go$Add(x, 1), before)
  }
})

test_that("what a server says of chunks is not trusted", {
  go <- local_ring()
  x <- as.double(seq_len(3 * ring_rows))
  go$Lie(1, 2, 3)
  for (chunks in c(2^32 - 1, 2^31, 1000)) {
    for (row in c(1, chunk_rows / 2, 3 * ring_rows)) {
      expect_gt(chunks_of(expect_identical(go$Lie(x, row, chunks), x)), 0)
    }
  }
  expect_identical(go$Add(x, 1), x + 1)
})
