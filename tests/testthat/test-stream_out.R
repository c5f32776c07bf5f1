local_streams <- function(frame = parent.frame()) local_source(test_source("streams"), frame = frame)

# Reads all parts.
read_all <- function(s) {
  parts <- list()
  while (!is.null(part <- mangoro_next(s))) parts <- c(parts, list(part))
  parts
}

test_that("a stream has all values, part by part, and then NULL", {
  go <- local_streams()
  both_ways({
    for (n in c(0, 1, 1e6)) {
      parts <- read_all(s <- go$Count(n))
      expect_identical(as.numeric(unlist(parts)), seq_len(n) - 1)
      expect_null(mangoro_next(s))
      expect_identical(mangoro_collect(go$Count(n)), seq_len(n) - 1)
    }
    expect_gte(length(parts), 2) # more if a part is late
    expect_identical(mangoro_collect(go$Rows(1e5, "")), data.frame(A = 0:99999, B = as.character(0:99999)))
    expect_identical(mangoro_collect(go$Rows(0, "")), data.frame(A = integer(), B = character()))
    expect_identical(mangoro_collect(go$Send(1e4)), as.character(0:9999))
    expect_identical(mangoro_collect(go$Lists(3)), list(numeric(), 0, c(0, 0)))
    expect_identical(mangoro_collect(go$Whole(6e5))[c(1, 2, 6e5)], c(0, 1, 2^40))
    expect_null(go$Nothing())
    expect_error(go$Refuse(), "there is no stream", class = "mangoro_error_handler")
    s <- go$Count(1e6)
    first <- mangoro_next(s)
    expect_identical(c(first, mangoro_collect(s)), as.numeric(0:999999))
    expect_identical(mangoro_collect(s), numeric())
    expect_identical(mangoro_collect(mangoro_call(go, "Count", 3, .timeout = 10)), c(0, 1, 2))
    expect_identical(go$Running(), 0L)
  })
})

test_that("a stream is one thing to R's own functions", {
  go <- local_streams()
  s <- go$Count(3)
  expect_length(s, 1)
  expect_null(names(s))
  expect_output(str(list(s)), "<mangoro stream> go$Count(3)", fixed = TRUE)
  expect_identical(summary(s), s)
  expect_identical(mangoro_collect(s), c(0, 1, 2))
})

test_that("an error or a panic comes at its place, with the user's own call, and again", {
  go <- local_streams()
  both_ways(for (how in c("error", "panic")) {
    f <- function(n) go$Rows(n, how)
    s <- f(3)
    expect_identical(mangoro_next(s)$A, 0:2)
    for (i in 1:2) {
      class <- if (how == "error") "mangoro_error_handler" else "mangoro_error_panic"
      cnd <- expect_error(mangoro_next(s), "there are no more", class = class)
      expect_identical(deparse(conditionCall(cnd)), "go$Rows(n, how)")
    }
    expect_match(format(s)[[2]], "^failed, 1 part with 3 rows read$")
    expect_error(mangoro_collect(go$Rows(1e6, how)), "there are no more")
    expect_identical(go$Add(1, 2), 3)
  })
})

test_that("Go runs ahead by a bounded number of values", {
  go <- local_streams()
  both_ways({
    s <- go$Count(1e8)
    n <- length(mangoro_next(s))
    go$Made()
    for (i in 1:4) mangoro_next(s)
    wait_for(go$Running() == 1)
    expect_lte(go$Made(), 7 * n)
    close(s)
    wait_for(go$Running() == 0)
  })
})

test_that("values come when there are no further ones for a while", {
  go <- local_streams()
  both_ways({
    s <- go$Gated()
    for (i in 1:2) {
      expect_error(mangoro_next(s, timeout = 0.01), "still open", class = "mangoro_error_timeout")
      go$Open(1)
      expect_identical(mangoro_next(s), i - 1)
    }
    close(s)
    wait_for(go$Running() == 0)
  })
})

test_that("a stream that is closed or collected ends in Go", {
  go <- local_streams()
  both_ways({
    for (make in list(function() go$Count(1e9), function() go$Gated(), function() go$Send(1e9))) {
      s <- make()
      close(s)
      expect_null(close(s))
      for (i in 1:2) expect_error(mangoro_next(s), "was closed", class = "mangoro_error_cancelled")
      expect_match(format(s)[[2]], "^closed")
      wait_for(go$Running() == 0)
      s <- make()
      s <- NULL
      invisible(gc())
      wait_for(go$Running() == 0)
    }
    s <- go$Count(3)
    expect_identical(mangoro_collect(s), c(0, 1, 2))
    close(s)
    expect_null(mangoro_next(s))
    expect_identical(go$Add(1, 2), 3)
  })
})

test_that("an R function that Go calls may close the stream of its call", {
  go <- local_streams()
  both_ways(for (at in c(0, 5)) {
    s <- go$Applied(function(x) {
      if (x == at) close(s)
      x
    }, 10)
    for (i in 1:2) {
      cnd <- expect_error(mangoro_next(s), "was closed", class = "mangoro_error_cancelled")
      expect_identical(conditionCall(cnd)[[1]], quote(go$Applied))
    }
    expect_error(mangoro_collect(s), class = "mangoro_error_cancelled")
    wait_for(go$Running() == 0)
    expect_identical(mangoro_collect(go$Applied(function(x) -x, 3)), c(0, -1, -2))
  })
})

test_that("an R function is asked for many values of a stream", {
  go <- local_streams()
  both_ways({
    s <- go$Applied(function(x) 2 * x, 1000)
    values <- mangoro_collect(s)
    expect_identical(values, 2 * (0:999))
    s <- go$Applied(function(x) if (x == 50) stop("fifty") else if (x %% 7 == 0) NA else 1L, 1000)
    cnd <- expect_error(mangoro_collect(s), class = "mangoro_error_handler")
    expect_identical(conditionMessage(cnd$parent), "fifty")
    expect_identical(mangoro_collect(go$Applied(function(x) if (x %% 3 == 0) NA else 1L, 6)), c(NA, 1, 1, NA, 1, 1))
    expect_error(mangoro_collect(go$Applied(function(x) if (x == 3) "a" else x, 6)), "must return one number")
    expect_identical(mangoro_collect(go$Applied(function(x) sum(mangoro_collect(go$Count(x))), 5)), c(0, 0, 1, 3, 6))
  })
})

test_that("many streams are open at once", {
  go <- local_streams()
  both_ways({
    streams <- lapply(1:100, function(i) go$Count(1e5 + i))
    expect_identical(go$Add(1, 2), 3)
    expect_identical(vapply(rev(streams), function(s) length(mangoro_collect(s)), 1L), as.integer(1e5 + 100:1))
    expect_identical(go$Running(), 0L)
  })
})

test_that("streams leave few segments behind, however many there were", {
  skip_without_segments()
  go <- local_streams()
  with_segment_limits()
  go$Add(1, 2)
  ends <- list(
    read = mangoro_collect,
    closed = function(s) {
      mangoro_next(s)
      close(s)
    },
    collected = function(s) {
      mangoro_next(s)
      NULL
    }
  )
  for (end in ends) {
    for (i in 1:40) end(go$Count(6e5))
    invisible(gc())
    expect_lte(segment_counts()$segments, 16)
  }
  expect_lte(memory_files()[["descriptors"]], 20)
  # Go keeps mappings of segments that are closed until it has some 64 MB of these.
  expect_lte(memory_files(pid_of(go))[["mappings"]], 50)
  expect_identical(memory_files(pid_of(go))[["descriptors"]], 0)
})

test_that("a task may have a stream as its value", {
  go <- local_streams()
  both_ways({
    task <- mangoro_async(go$Count, 3)
    s <- mangoro_value(task)
    expect_s3_class(s, "mangoro_stream")
    expect_identical(mangoro_collect(s), c(0, 1, 2))
    task <- mangoro_async(go$Gated)
    s <- mangoro_value(task)
    task <- NULL
    invisible(gc())
    go$Open(1)
    expect_identical(mangoro_next(s), 0)
    close(s)
    wait_for(go$Running() == 0)
  })
})

test_that("the end of the process, or of the handle, is raised", {
  go <- local_streams()
  both_ways({
    s <- go$Gated()
    tools::pskill(pid_of(go), tools::SIGKILL)
    for (i in 1:2) expect_error(mangoro_next(s), class = "mangoro_error_connection")
    mangoro_restart(go)
    s <- go$Gated()
    mangoro_restart(go)
    expect_error(mangoro_next(s), "its program was started again", class = "mangoro_error_connection")
    expect_match(format(s)[[2]], "^failed, 0 parts")
    expect_identical(go$Running(), 0L)
  })
})

test_that("an interrupt closes the stream", {
  skip_if_no_sigint()
  skip_if_no_go()
  both_ways({
    session <- other_session(c(
      sprintf("go <- mangoro_source('%s')", normalizePath(test_source("streams"))),
      "s <- go$Gated()",
      "cat('waiting\\n')",
      "r <- tryCatch(mangoro_next(s), interrupt = function(cnd) 'interrupted')",
      "while (go$Running() > 0) NULL",
      "stopifnot(identical(go$Add(1, 2), 3))",
      "cat(r, tryCatch(mangoro_next(s), mangoro_error_cancelled = function(cnd) 'closed'), '\\n')"
    ))
    wait_for_output(session, "waiting")
    tools::pskill(session$get_pid(), tools::SIGINT)
    session$wait(60000)
    expect_match(paste(session$read_all_output(), collapse = ""), "interrupted closed")
    session$kill()
  })
})

test_that("memory stays flat while a large file is read", {
  go <- local_streams()
  path <- withr::local_tempfile()
  writeLines(sprintf("%d,%s", 1:2e5, strrep("x", 40)), path)
  both_ways({
    s <- go$CSV(path)
    invisible(gc(reset = TRUE))
    before <- sum(gc()[, 2])
    rows <- 0
    while (!is.null(part <- mangoro_next(s))) rows <- rows + nrow(part)
    expect_identical(rows, 200000)
    part <- NULL
    expect_lt(sum(gc()[, 2]) - before, 5)
    expect_error(mangoro_collect(go$CSV("/no/such/file")), class = "mangoro_error_handler")
  })
})

test_that("other packages read a stream", {
  skip_if_not_installed("coro")
  go <- local_streams()
  both_ways({
    n <- 0
    coro::loop(for (part in go$Count(1e6)) n <- n + length(part))
    expect_identical(n, 1e6)
    wanted <- data.frame(A = as.numeric(0:299999), B = as.character(0:299999))
    got <- as.data.frame(nanoarrow::as_nanoarrow_array_stream(go$Rows(3e5, "")))
    expect_equal(got, wanted, ignore_attr = TRUE)
    expect_identical(nrow(as.data.frame(nanoarrow::as_nanoarrow_array_stream(go$Rows(0, "")))), 0L)
    expect_error(as.data.frame(nanoarrow::as_nanoarrow_array_stream(go$Rows(3, "error"))), "there are no more")
    s <- go$Count(1e9)
    stream <- nanoarrow::as_nanoarrow_array_stream(s)
    expect_identical(stream$get_schema()$children$result$format, "g")
    stream$release()
    expect_error(mangoro_next(s), class = "mangoro_error_cancelled")
    wait_for(go$Running() == 0)
  })
})

test_that("parts are combined as one result would be", {
  expect_identical(combine_parts(list(factor("a"), factor(c("b", NA, "a")))), factor(c("a", "b", NA, "a")))
  expect_identical(combine_parts(list(1L, 2.5)), c(1, 2.5))
  expect_identical(
    combine_parts(list(1L, bit64::as.integer64("9007199254740993"))), bit64::as.integer64(c("1", "9007199254740993"))
  )
  times <- as.POSIXct(0:1, "UTC", origin = "1970-01-01")
  expect_identical(combine_parts(list(times, times)), times[c(1, 2, 1, 2)])
  expect_identical(combine_parts(list(list(1), list("a", NULL))), list(1, "a", NULL))
  frame <- data.frame(x = 1:2)
  frame$m <- matrix(1:4, 2)
  frame$d <- data.frame(y = c("a", "b"))
  expect_identical(combine_parts(list(frame, frame))$m, rbind(frame$m, frame$m))
  expect_identical(combine_parts(list(frame, frame))$d, data.frame(y = c("a", "b", "a", "b")))
})

test_that("what is no stream, or another session's, is refused", {
  go <- local_streams()
  for (f in list(mangoro_next, mangoro_collect)) expect_error(f(1), class = "mangoro_error_invalid_argument")
  s <- go$Count(3)
  expect_error(mangoro_next(s, timeout = 0), class = "mangoro_error_invalid_argument")
  expect_match(format(s), "go$Count(3)", fixed = TRUE, all = FALSE)
  other <- unserialize(serialize(s, NULL))
  other$session <- "other"
  expect_error(mangoro_next(other), class = "mangoro_error_connection")
  expect_match(format(other)[[2]], "lost")
})

# --- A server that lies ---------------------------------------------------------

test_that("a stream of a server that lies is a protocol error", {
  puppet <- local_puppet()
  json <- "{\"f\":{\"Args\":[],\"Boxed\":true,\"Lives\":true,\"ReturnType\":{\"Type\":\"stream\",\"Nullable\":true}}}"
  manifest <- c(envelope_header("manifest"), charToRaw(json))
  opened <- envelope_header("part", "f")
  good <- encode_record(data.frame(x = 1), envelope_header("part", "f"))
  bad <- list(
    event = envelope_header("event", "f", "{"), garbage = c(opened, as.raw(1:9)), nothing = opened,
    reference = c(envelope_header("refer_part", "f"), raw(40)), continue = envelope_header("continue", "f"),
    result = c(envelope_header("result", "f"), as.raw(1:9)), cut = good[1:30],
    other = envelope_header("question", "f", "{\"target\":0}")
  )
  for (name in names(bad)) {
    puppet$answer(manifest, opened, good, bad[[name]])
    fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
    s <- mangoro_call(puppet$sock, "f")
    expect_identical(mangoro_next(s), data.frame(x = 1), info = name)
    expect_error(mangoro_collect(s), class = "mangoro_error_protocol", info = name)
  }
})

test_that("parts that do not fit together are a protocol error", {
  puppet <- local_puppet()
  json <- "{\"f\":{\"Args\":[],\"Boxed\":true,\"Lives\":true,\"ReturnType\":{\"Type\":\"stream\",\"Nullable\":true}}}"
  manifest <- c(envelope_header("manifest"), charToRaw(json))
  opened <- envelope_header("part", "f")
  part <- function(...) encode_record(data.frame(...), envelope_header("part", "f"))
  open_puppet <- function(second) {
    last <- encode_record(data.frame(x = numeric()), envelope_header("result", "f"))
    puppet$answer(manifest, opened, part(x = c(1, 2)), second, last)
    fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
    mangoro_call(puppet$sock, "f")
  }
  as_arrow <- function(s) as.data.frame(nanoarrow::as_nanoarrow_array_stream(s))
  expect_identical(as_arrow(open_puppet(part(x = 3))), data.frame(x = c(1, 2, 3)))
  seconds <- list(
    integers = part(x = 3L), strings = part(x = "a"), factor = part(x = factor("a")), names = part(y = 3),
    columns = part(x = 3, y = 4)
  )
  for (name in names(seconds)) {
    expect_error(as_arrow(open_puppet(seconds[[name]])), "do not fit together", info = name)
  }
  expect_error(mangoro_collect(open_puppet(envelope_header("part", "f"))), class = "mangoro_error_protocol")
  expect_error(mangoro_collect(open_puppet(raw())), class = "mangoro_error_protocol")
  nested <- function(value) list(x = structure(list(a = value), class = "data.frame", row.names = 1L))
  row <- function(value) encode_record(nested(value), envelope_header("part", "f"))
  s <- open_puppet(row(1))
  expect_error(mangoro_collect(s), "do not fit together", class = "mangoro_error_protocol")
})
