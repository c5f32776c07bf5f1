lane_of <- function(handle) server_of(handle)$connection$state$lane

# How many of the calls that `expr` makes go over the lane.
over_lane <- function(handle, expr) {
  before <- .Call(c_lane_counts, lane_of(handle)$pointer)[[1]]
  force(expr)
  .Call(c_lane_counts, lane_of(handle)$pointer)[[1]] - before
}

local_lane <- function(frame = parent.frame()) {
  skip_if_no_shared_memory()
  go <- local_source(test_source("lane"), frame = frame)
  expect_identical(lane_status(server_of(go)$connection), "attached")
  go
}

# --- Calls --------------------------------------------------------------------

test_that("calls over the lane return what those over the socket return", {
  go <- local_lane()
  calls <- expression(
    go$Add(1, 2), go$Add(3, 4), go$Add(c(1, 2, 3), c(4, 5, 6)), go$Add(c(1, NA, NaN), 1), go$Add(1, c(1, 2)),
    go$Add(NA, 1), go$Add(1L, 2), go$Add(TRUE, 2L), go$Add(numeric(), 1), go$Add(numeric(), numeric()),
    go$Add(c(a = 1, b = 2), 1), go$Add(matrix(1:4 / 2, 2, dimnames = list(c("a", "b"), NULL)), 1),
    go$Add(y = 1, x = 2), go$Add(Inf, -Inf), go$Add(-0, -0), go$Add(1:6 / 2, c(1, 2)),
    go$Add(seq_len(2000) / 2, 1), go$Add(seq_len(2000) / 2, seq_len(2000) / 2),
    go$Add(seq_len(3e4) / 2, seq_len(3e4) / 2), go$Add(c(a = 1, seq_len(3e4) / 2), 1),
    go$Add(c(NA, seq_len(3e4) / 2), c(1, NA, seq_len(3e4 - 1))),
    go$Whole(1L, 2L), go$Whole(2147483647L, 1L), go$Whole(c(1L, NA), 1L), go$Whole(1:10, 1L), go$Whole(1, 2),
    go$Int32(1L, 2L), go$Int32(3L, 4L), go$Int32(2147483647L, 1L), go$Int32(-2147483647L, -1L),
    go$Both(TRUE, c(TRUE, FALSE, NA)), go$Both(TRUE, TRUE), go$Both(FALSE, TRUE),
    go$Greet("a"), go$Greet(c("b", NA, "\u00e9")),
    go$Greet(iconv("fa\u00e7ile", "UTF-8", "latin1")), go$Greet(strrep("x", 1e5)),
    go$Or(NA, 3), go$Or(1, 3), go$Or(c(1, NA), c(3, 4)), go$Or(NA_real_, 3),
    go$Root(16), go$Nothing(1), go$Scaled(2), go$Scaled(2, 3, 4)
  )
  for (call in calls) {
    shared <- lapply(1:3, function(i) withVisible(eval(call)))
    withr::with_options(list(mangoro.shared_memory = FALSE), socket <- withVisible(eval(call)))
    for (got in shared) expect_identical(got, socket, info = deparse(call))
  }
  expect_identical(over_lane(go, for (i in 1:5) go$Add(1, 2)), 5)
  withr::local_options(mangoro.shared_memory = FALSE)
  expect_identical(over_lane(go, for (i in 1:5) go$Add(1, 2)), 0)
  expect_match(lane_status(server_of(go)$connection), "option")
})

test_that("what is known of the last call is not taken for this one", {
  go <- local_lane()
  add <- go$Add
  for (i in 1:200) {
    n <- sample(1:4, 1)
    x <- sample(c(NA, NaN, 1:20 / 2), n, replace = TRUE)
    y <- sample(c(NA, 1:20 / 2), sample(c(1, n), 1), replace = TRUE)
    # NaN + NA depends on the processor.
    expect_identical(is.na(add(x, y)), is.na(x + y))
    expect_identical(add(x, y)[!is.na(x + y)], (x + y)[!is.na(x + y)])
    whole <- sample(c(NA, 1:3, 2147483000L), n, replace = TRUE)
    expect_equal(go$Whole(whole, 1000L), whole + 1000)
  }
  for (int64 in c("integer64", "double", "auto")) {
    withr::with_options(list(mangoro.int64 = int64), {
      for (i in 1:2) {
        class <- c(integer64 = "integer64", double = "numeric", auto = "integer")
        expect_identical(class(go$Whole(1L, 2L)), class[[int64]])
      }
    })
  }
  withr::local_options(mangoro.int64 = "no")
  expect_error(go$Add(1, 2), class = "mangoro_error_invalid_argument")
})

test_that("errors are those of the socket, with the user's own call", {
  go <- local_lane()
  calls <- expression(
    go$Root(-1), go$Root(c(1, -1)), go$Panics(-1), go$Exits(-1), go$Add(1), go$Add("a", 1), go$Add(1, 2, 3),
    go$Add(1:3, 1:2), go$Add(1.5, NULL), go$Whole(1.5, 1L), go$Add(list(), 1), go$Int32(3e9, 1L)
  )
  failure <- function(call) {
    cnd <- tryCatch(eval(call), error = identity)
    list(class(cnd), conditionMessage(cnd), deparse(cnd$call), cnd$row, cnd$value, cnd$arg)
  }
  for (call in calls) {
    go$Root(1)
    go$Panics(1)
    shared <- lapply(1:2, function(i) failure(call))
    withr::with_options(list(mangoro.shared_memory = FALSE), socket <- failure(call))
    for (got in shared) expect_identical(got, socket, info = deparse(call))
  }
  expect_identical(over_lane(go, try(go$Root(-1), silent = TRUE)), 1)
  f <- function(x) go$Root(x)
  f(1)
  expect_identical(deparse(tryCatch(f(-1), error = conditionCall)), "go$Root(x)")
  # A function that ends its goroutine does not end the lane.
  expect_identical(over_lane(go, expect_identical(go$Exits(1), 1)), 1)
})

test_that("a handler of conditions may call Go again, and so may what makes the arguments", {
  go <- local_lane()
  got <- withCallingHandlers(
    tryCatch(go$Root(-1), error = function(cnd) go$Add(1, 2)),
    error = function(cnd) expect_identical(go$Add(2, 3), 5)
  )
  expect_identical(got, 3)
  expect_identical(go$Add(go$Add(1, 2), go$Add(3, go$Add(4, 5))), 15)
  # While the lane is taken, calls go over the socket.
  lane <- lane_of(go)
  line <- new_line()
  expect_true(.Call(c_lane_post, lane$pointer, mangoro_rpc_manifest_request(), line, NULL))
  expect_identical(over_lane(go, expect_identical(go$Add(1, 2), 3)), 0)
  .Call(c_lane_wait, lane$pointer, line$posted, 60)
  .Call(c_lane_take, lane$pointer, line$posted)
  expect_identical(over_lane(go, expect_identical(go$Add(1, 2), 3)), 1)
})

test_that("a reply of any size comes over the lane", {
  go <- local_lane()
  for (n in c(10, 6e4, 7e4, 1e6)) {
    # The text of zero bytes is no string: an error that says so.
    expect_error(go$Long(n), class = "mangoro_error")
    expect_identical(nchar(go$Greet(strrep("x", n))), as.integer(n + 6))
  }
  expect_identical(over_lane(go, go$Greet(strrep("x", 6e4))), 1)
})

# --- Waiting --------------------------------------------------------------------

test_that("a late reply is never that of another call", {
  go <- local_lane()
  go$Hold # fetched
  hold <- go$Hold
  for (timeout in c(0.01, 0.2)) {
    withr::local_options(mangoro.timeout = timeout)
    cnd <- expect_error(hold(1), "Hold", class = "mangoro_error_timeout")
    expect_identical(cnd$timeout, timeout)
    expect_identical(cnd$given_up, c(Hold = 1L))
    withr::local_options(mangoro.timeout = NULL)
    # The lane is left to it, so others go over the socket.
    expect_identical(over_lane(go, for (i in 1:3) expect_identical(go$Add(i, 1), i + 1)), 0)
    expect_identical(go$Release(5), 5)
    # It is free once the call has ended.
    while (over_lane(go, expect_identical(go$Add(1, 2), 3)) == 0) NULL
    expect_identical(over_lane(go, expect_identical(go$Add(4, 5), 9)), 1)
  }
  expect_identical(go$Holds(1), 2)
  # By the general way as well.
  expect_error(mangoro_call(go, "Hold", c(a = 1), .timeout = 0.05), class = "mangoro_error_timeout")
  expect_identical(go$Add(1, 2), 3)
  go$Release(1)
})

test_that("the context of a call ends when its time is over", {
  go <- local_lane()
  nap <- go$Nap
  expect_identical(nap(0.001), 0.001)
  withr::local_options(mangoro.timeout = 0.05)
  expect_error(nap(600), class = "mangoro_error_timeout")
  withr::local_options(mangoro.timeout = NULL)
  expect_identical(nap(0.001), 0.001)
  # A call that is longer than C waits.
  expect_identical(nap(0.1), 0.1)
  expect_identical(over_lane(go, nap(0.1)), 1)
})

test_that("an interrupt ends a call, wherever it waits", {
  skip_if_no_sigint()
  skip_if_no_shared_memory()
  skip_if_no_go()
  for (wait in c(0, 0.01, 0.3)) {
    session <- other_session(c(
      sprintf("go <- mangoro_source('%s')", normalizePath(test_source("lane"))),
      "go$Add(1, 2)",
      "hold <- go$Hold",
      "r <- tryCatch({ cat('waiting\\n'); hold(1) }, interrupt = function(cnd) 'interrupted')",
      "stopifnot(identical(go$Add(1, 2), 3))",
      "if (go$Holds(1) > 0) stopifnot(identical(go$Release(7), 7), identical(go$Add(1, 2), 3))",
      "cat(r, '\\n')"
    ))
    wait_for_output(session, "waiting")
    session$poll_io(as.integer(1000 * wait))
    tools::pskill(session$get_pid(), tools::SIGINT)
    session$wait(60000)
    expect_match(paste(session$read_all_output(), collapse = ""), "interrupted", info = format(wait))
    session$kill()
  }
})

test_that("a server that is killed ends the call, and the handle can be started again", {
  skip_on_os("windows")
  for (delay in c(0, 0.2)) {
    go <- local_lane()
    go$Add(1, 2)
    hold <- go$Hold
    killer <- processx::process$new("sh", c("-c", sprintf("sleep %s; kill -9 %d", delay, pid_of(go))))
    cnd <- expect_error(hold(1), class = "mangoro_error_connection")
    expect_identical(cnd$status, -9L)
    killer$wait()
    expect_error(go$Add(1, 2), class = "mangoro_error_connection")
    expect_error(hold(1), class = "mangoro_error_connection")
    mangoro_restart(go)
    expect_identical(lane_status(server_of(go)$connection), "attached")
    expect_identical(go$Pid(1), as.numeric(pid_of(go)))
  }
})

# --- Handles --------------------------------------------------------------------

test_that("a function from before a restart calls the new server over its lane", {
  go <- local_lane()
  pid <- go$Pid
  for (i in 1:3) {
    expect_identical(pid(1), as.numeric(pid_of(go)))
    expect_identical(over_lane(go, pid(1)), 1)
    mangoro_restart(go)
  }
  close(go)
  expect_error(pid(1), "was stopped", class = "mangoro_error_connection")
})

test_that("a function that was saved and loaded cannot be called", {
  go <- local_lane()
  add <- go$Add
  add(1, 2)
  loaded <- unserialize(serialize(add, NULL))
  expect_error(loaded(1, 2), "saved and loaded", class = "mangoro_error_connection")
  expect_identical(add(1, 2), 3)
})

test_that("a fork never uses the lane", {
  skip_on_os("windows")
  go <- local_lane()
  add <- go$Add
  add(1, 2)
  got <- parallel::mclapply(1:2, function(i) tryCatch(add(1, 2), error = function(cnd) class(cnd)[[1]]), mc.cores = 2)
  expect_identical(got, list("mangoro_error_connection", "mangoro_error_connection"))
  expect_identical(add(1, 2), 3)
})

test_that("idle, neither side takes processor time", {
  skip_on_os(c("windows", "mac"))
  go <- local_lane()
  go$Add(1, 2)
  ticks <- function(pid) {
    fields <- strsplit(sub(".*\\) ", "", readLines(sprintf("/proc/%d/stat", pid))), " ")[[1]]
    sum(as.numeric(fields[12:13]))
  }
  before <- ticks(pid_of(go))
  processx::run("sleep", "2")
  expect_lte(ticks(pid_of(go)) - before, 1)
})

test_that("each handle has its own lane, and stopping frees it", {
  go <- local_lane()
  descriptors <- function() sum(grepl("memfd:mangoro", Sys.readlink(list.files("/proc/self/fd", full.names = TRUE))))
  gc()
  .Call(c_segment_trim)
  before <- descriptors()
  other <- mangoro_start("cmd/rpc-example")
  other$add(1, 2)
  expect_gt(descriptors(), before)
  close(other)
  rm(other)
  gc()
  .Call(c_segment_trim)
  expect_identical(descriptors(), before)
})

test_that("servers without shared memory are never asked to attach", {
  withr::local_envvar(MANGORO_SHARED_MEMORY = "0")
  go <- local_start("cmd/rpc-example")
  expect_null(server_of(go)$connection$state$lane)
  expect_identical(go$add(1, 2), 3)
  # A peer of the user's own loop has only the types 0 to 3.
  puppet <- local_puppet()
  puppet$answer(c(envelope_header("manifest"), charToRaw("{}")))
  expect_identical(mangoro_rpc_get_manifest(puppet$sock), structure(list(), names = character()))
  expect_null(connection_of(puppet$sock, NULL)$state$lane)
})

test_that("a server that refuses the lane is called over the socket, and it is known why", {
  skip_if_no_shared_memory()
  puppet <- local_puppet()
  connection <- connection_of(puppet$sock, NULL)
  for (answer in list(envelope_header("error", metadata = "no lane here"), as.raw(1:3))) {
    connection$state$offers_lane <- TRUE
    puppet$answer(answer)
    attach_lane(connection, NULL)
    expect_null(connection$state$lane)
    if (length(answer) > 3) expect_match(lane_status(connection), "no lane here")
    attach_lane(connection, NULL) # does not ask again
  }
  for (metadata in c("", "{", "[]", "{\"shared_memory\":2}", "{\"shared_memory\":\"1\"}", "null", "1")) {
    expect_false(offers_shared_memory(metadata), info = metadata)
  }
})

test_that("a program that runs gets its lane with the first call that may use one", {
  skip_if_no_shared_memory()
  withr::local_options(mangoro.shared_memory = FALSE)
  go <- local_source(test_source("lane"))
  add <- go$Add
  expect_identical(add(1, 2), 3)
  expect_null(lane_of(go))
  options(mangoro.shared_memory = TRUE)
  expect_identical(add(1, 2), 3)
  expect_identical(lane_status(server_of(go)$connection), "attached")
  expect_identical(over_lane(go, for (i in 1:3) add(i, 2)), 3)
  options(mangoro.shared_memory = FALSE)
  expect_identical(over_lane(go, add(1, 2)), 0)
})

test_that("the option is TRUE or FALSE", {
  go <- local_source(test_source("lane"))
  add <- go$Add
  add(1, 2)
  for (option in list("no", 1, NA, c(TRUE, TRUE), list(TRUE))) {
    withr::with_options(list(mangoro.shared_memory = option), {
      cnd <- expect_error(add(1, 2), class = "mangoro_error_invalid_argument")
      expect_match(conditionMessage(cnd), "`mangoro.shared_memory` must be `TRUE` or `FALSE`, not ", fixed = TRUE)
      expect_identical(deparse(conditionCall(cnd)), "add(1, 2)")
      expect_error(mangoro_call(go, "Add", 1, 2), class = "mangoro_error_invalid_argument")
    })
  }
  withr::local_options(mangoro.shared_memory = NULL)
  expect_identical(add(1, 2), 3)
})

# --- A server that lies ---------------------------------------------------------

# A lane whose other end is this test.
local_end <- function(env = parent.frame()) {
  skip_if_no_shared_memory()
  opened <- .Call(c_lane_open, as.raw(1:16))
  file <- file(sprintf("/proc/self/fd/%d", opened[[2]]), "r+b")
  withr::defer({
    close(file)
    .Call(c_lane_close, opened[[1]])
  }, envir = env)
  write <- function(at, x) {
    seek(file, at, rw = "write")
    writeBin(x, file)
    flush(file)
  }
  write(212, Sys.getpid())
  list(pointer = opened[[1]], write = write, file = file)
}

test_that("what a server writes to the lane is checked", {
  end <- local_end()
  post <- function() {
    line <- new_line()
    expect_true(.Call(c_lane_post, end$pointer, as.raw(1:9), line, NULL))
    line$posted
  }
  take <- function(number) {
    if (.Call(c_lane_wait, end$pointer, number, 0.001) == "answered") .Call(c_lane_take, end$pointer, number)
  }
  number <- post()
  expect_identical(.Call(c_lane_wait, end$pointer, number, 0.001), "late")
  expect_null(.Call(c_lane_take, end$pointer, number))
  # Numbers of other requests are no answer.
  for (reply in list(number - 1, number + 1, -1)) {
    end$write(196, as.integer(reply))
    expect_null(take(number))
  }
  # Sizes beyond the mailbox, or beyond the offer.
  end$write(196, as.integer(number))
  for (size in c(65537L, 2147483647L, -1L)) {
    end$write(200, size)
    expect_null(take(number))
  }
  end$write(200, 3L)
  end$write(4096 + 65536, as.raw(c(2, 3, 4)))
  expect_identical(take(number), list(as.raw(c(2, 3, 4)), NULL))
  # It is taken once.
  expect_null(.Call(c_lane_take, end$pointer, number))
  # One that was given up holds the lane until it is answered.
  number <- post()
  .Call(c_lane_give_up, end$pointer, number)
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  end$write(196, as.integer(number))
  number <- post()
  # The other process has ended.
  end$write(212, 2147483647L)
  expect_identical(.Call(c_lane_wait, end$pointer, number, 60), "lost")
  .Call(c_lane_give_up, end$pointer, number)
  end$write(196, as.integer(number))
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  end$write(212, Sys.getpid())
  end$write(208, 1L)
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  # A message that does not fit.
  expect_false(.Call(c_lane_post, end$pointer, raw(65537), new_line(), NULL))
})

test_that("a call that lives holds the lane until its end", {
  end <- local_end()
  line <- new_line()
  post <- function() .Call(c_lane_post, end$pointer, as.raw(1:9), line, NULL)
  reply <- function(bytes, number = line$posted) {
    end$write(4096 + 65536, as.raw(bytes))
    end$write(200, length(bytes))
    end$write(196, as.integer(number))
  }
  take <- function() .Call(c_lane_take, end$pointer, line$posted)
  go_on <- function(bytes = as.raw(9)) .Call(c_lane_continue, end$pointer, line$posted, bytes, line)
  expect_true(post())
  expect_false(go_on()) # R does not have the word
  for (type in 10:13) {
    reply(c(type, 1L, 2L))
    expect_identical(take(), list(as.raw(c(type, 1, 2)), NULL))
    expect_null(take())
    # Nobody else has the lane.
    expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
    expect_null(.Call(c_lane_out, end$pointer))
    expect_false(.Call(c_lane_continue, end$pointer, line$posted - 1, as.raw(9), new_line()))
    expect_null(go_on(raw(65537)))
    before <- line$posted
    expect_true(go_on())
    expect_identical(line$posted, before + 1)
    expect_null(take())
  }
  expect_gte(.Call(c_lane_age, end$pointer), 0)
  reply(2L)
  expect_identical(take(), list(as.raw(2), NULL))
  expect_false(go_on())
  # Given up while R has the word: what it posts for that is answered some time.
  post()
  reply(10L)
  take()
  held <- line$posted
  .Call(c_lane_give_up, end$pointer, held)
  expect_false(go_on())
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  reply(3L, held + 1)
  expect_true(post())
  # Given up while the server says something: it then waits for another request.
  .Call(c_lane_give_up, end$pointer, line$posted)
  given_up <- line$posted
  reply(10L)
  for (i in 1:2) expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  reply(3L, given_up + 1)
  expect_true(post())
  # The last reply has come over the socket.
  reply(11L)
  take()
  expect_null(.Call(c_lane_release_held, end$pointer, line$posted - 1, as.raw(2)))
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), new_line(), NULL))
  expect_null(.Call(c_lane_release_held, end$pointer, line$posted, as.raw(3)))
  expect_true(post())
  reply(10L)
  take()
  .Call(c_lane_close, end$pointer)
  expect_false(go_on())
  expect_null(.Call(c_lane_release_held, end$pointer, line$posted, as.raw(2)))
  expect_null(.Call(c_lane_give_up, end$pointer, line$posted))
  expect_identical(.Call(c_lane_age, end$pointer), 0)
})

test_that("a lane may be closed while memory is taken for it", {
  skip_if_no_shared_memory()
  with_segment_limits(segments = 2)
  opened <- .Call(c_lane_open, as.raw(1:16))
  closed <- FALSE
  take_segment(1e6) # which has to be collected before there is another
  reg.finalizer(new.env(), function(e) {
    .Call(c_lane_close, opened[[1]])
    closed <<- TRUE
  })
  expect_false(.Call(c_lane_post, opened[[1]], as.raw(1), new_line(), NULL))
  expect_true(closed)
  rm(opened)
  gc()
  expect_identical(segment_counts()$leased, 0)
})

test_that("memory that a server adds to an offer for nothing is not kept", {
  end <- local_end()
  post <- function() {
    line <- new_line()
    expect_true(.Call(c_lane_post, end$pointer, as.raw(1:9), line, NULL))
    seek(end$file, 84, rw = "read")
    offer <- readBin(end$file, "integer", 2)
    list(number = line$posted, fd = offer[[1]], generation = offer[[2]])
  }
  answer <- function(request) {
    end$write(200, 3L)
    end$write(196, as.integer(request$number))
    expect_length(.Call(c_lane_take, end$pointer, request$number)[[1]], 3)
  }
  first <- post()
  answer(first)
  second <- post()
  expect_identical(second$generation, first$generation)
  offer <- file(sprintf("/proc/self/fd/%d", second$fd), "r+b")
  seek(offer, 1e6, rw = "write")
  writeBin(raw(1e5), offer)
  close(offer)
  answer(second)
  expect_gt(post()$generation, second$generation)
})

test_that("a call that fails before R waits for it is cancelled", {
  go <- local_lane()
  hold <- go$Hold
  id <- lane_of(go)$line$id
  local({
    local_mocked_bindings(note_request = function(...) stop("stopped"))
    expect_error(hold(1), "stopped")
  })
  expect_false(identical(lane_of(go)$line$id, id))
  expect_identical(go$Add(1, 2), 3)
  go$Release(1)
})

test_that("a closed lane takes nothing", {
  end <- local_end()
  line <- new_line()
  .Call(c_lane_post, end$pointer, as.raw(1), line, NULL)
  .Call(c_lane_close, end$pointer)
  .Call(c_lane_close, end$pointer)
  expect_identical(.Call(c_lane_wait, end$pointer, line$posted, 60), "lost")
  expect_null(.Call(c_lane_take, end$pointer, line$posted))
  expect_null(.Call(c_lane_give_up, end$pointer, line$posted))
  expect_false(.Call(c_lane_post, end$pointer, as.raw(1), line, NULL))
})
