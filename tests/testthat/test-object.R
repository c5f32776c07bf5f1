# One program for all tests that do not end it.
local_objects <- function(frame = parent.frame()) {
  skip_if_no_go()
  suppressMessages(local_source(test_source("objects"), frame = frame))
}

# Collects, has Go told, and returns how many indexes are left there.
alive <- function(go) {
  gc()
  go$Closed() # R code tells Go
  go$Alive()
}

test_that("methods are functions of an object", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex(c("alpha", "beta"))
    expect_s3_class(x, "mangoro_object")
    expect_identical(x$Lookup("a"), 1L)
    expect_identical(x[["Lookup"]]("a", most = 0), 0L)
    # Elementwise, with names and NA.
    expect_identical(x$Has(c(u = "alpha", v = NA, w = "gamma")), c(u = TRUE, v = NA, w = FALSE))
    expect_identical(x$Lookup(c("a", "b", "c"), c(1, 1, 0)), c(1L, 1L, 0L))
    expect_identical(x$Letters(c(k = "ab", l = "c")), list(k = c("a", "b"), l = "c"))
    for (i in 1:3) expect_identical(x$Has("beta"), TRUE)
    expect_identical(x$size(), 2L)
    expect_identical(x$Add("gamma", "delta"), x)
    expect_identical(x$size(), 4L)
    many <- rep(c("alpha", "x"), 1e5)
    expect_identical(x$Has(many), many == "alpha")
    expect_error(x$Lookup(1), class = "mangoro_error_invalid_argument")
    expect_error(x$Fail(), "no luck", class = "mangoro_error_handler")
    expect_error(x$Panic(), "oh", class = "mangoro_error_panic")
    cnd <- expect_error(x$Lookup(), class = "mangoro_error_invalid_argument")
    expect_identical(deparse(conditionCall(cnd)), "x$Lookup()")
    # Of two objects each has its own.
    y <- go$NewIndex("a")
    for (i in 1:3) expect_identical(c(x$Lookup("alpha"), y$Lookup("alpha"), y$size()), c(1L, 0L, 1L))
  })
})

test_that("the same pointer is the same object, wherever it is", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex("a")
    expect_identical(x$Self(), x)
    expect_identical(x$All(), list(x, NULL, x))
    expect_identical(x$None(), list())
    expect_identical(x$One(), list(x))
    expect_identical(x$Named(), list(a = x, b = NULL))
    expect_identical(x$Deep(), list(list(x), list(), list(NULL, x)))
    expect_identical(x$Pair(), list(Name = "a", Of = x))
    expect_identical(x$Both(), list(left = x, n = 1L))
    pairs <- x$Pairs()
    expect_s3_class(pairs, "data.frame")
    expect_identical(pairs$Of, list(x, NULL))
    shelf <- x$OnShelf()
    expect_identical(shelf$First, x)
    expect_identical(shelf$Others, list(x))
    expect_identical(shelf$ByName, list(k = x))
    expect_identical(shelf$Deep, list(list(x)))
    expect_identical(shelf$Rows$Of, list(x))
    expect_identical(go$Indexes(c(a = "x", b = NA))$b, NULL)
    expect_identical(go$Indexes(c(a = "x", b = NA))$a$size(), 1L)
    expect_null(go$Open(FALSE))
    expect_error(go$Open(TRUE), "there is no index", class = "mangoro_error_handler")
    expect_identical(go$NewTree(x)$Index(), x)
    expect_identical(go$NewBox("in it")$Get(), "in it")
    # A pointer that has only a method for its text is a row.
    expect_identical(go$Points(), data.frame(X = c(1, NA), Y = c(2, NA)))
    # In any nothing tells R of its type.
    expect_error(go$InAny(x), "cannot be sent to R", class = "mangoro_error_handler")
    expect_error(go$PairInAny(x), "an object", class = "mangoro_error_handler")
    expect_identical(go$ModelInAny(), list(N = 3L))
  })
})

test_that("objects are arguments", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex(c("a", "b"))
    y <- go$NewIndex("c")
    expect_identical(go$Merge(x, y, y), x)
    expect_identical(go$Merge(x), x)
    expect_identical(x$size(), 4L)
    expect_identical(go$Sizes(list(x, y, NULL)), c(4L, 1L, -1L))
    expect_identical(go$Sizes(x), 4L)
    expect_identical(go$Sizes(list()), integer())
    expect_identical(go$SizesByName(list(x = x, y = y)), c(x = 4L, y = 1L))
    expect_identical(go$SizesOfPairs(x$Pairs()), c(4L, -1L))
    expect_identical(go$SizesOfPairs(list(list(Name = "a", Of = x), list(Name = "b", Of = NULL))), c(4L, -1L))
    expect_identical(go$SizeOnShelf(x$OnShelf()), 8L)
    expect_identical(go$MaySize(), -1L)
    expect_identical(go$MaySize(NULL), -1L)
    expect_identical(go$MaySize(y), 1L)

    expect_error(go$Merge(NULL), "must be a \\*Index, not NULL", class = "mangoro_error_invalid_argument")
    expect_error(go$Merge(1), "must be a \\*Index, not numeric", class = "mangoro_error_invalid_argument")
    expect_error(go$Merge("00"), "must be a \\*Index", class = "mangoro_error_invalid_argument")
    expect_error(go$Merge(go$NewTree(x)), "must be a \\*Index, not a \\*Tree", class = "mangoro_error_invalid_argument")
    expect_error(go$Sizes(list(x, 1)), "\"2\" of argument `all`", class = "mangoro_error_invalid_argument")
  })
})

test_that("where an argument is is only told of one that is wrong", {
  go <- local_objects()
  x <- go$NewIndex("a")
  local_mocked_bindings(describe_path = function(path) stop("told"))
  expect_identical(go$Sizes(list(x, x)), c(1L, 1L))
  expect_error(go$Sizes(list(x, go$NewTree(x))), "told")
})

test_that("an R function returns an object of the type, and of the program", {
  go <- local_objects()
  other <- local_objects()
  x <- go$NewIndex("a")
  wrong <- function(expr, text) {
    cnd <- expect_error(expr, class = "mangoro_error_handler")
    expect_match(conditionMessage(cnd$parent), text, fixed = TRUE)
  }
  both_ways({
    expect_identical(go$Pick(x, function(x) x), x)
    wrong(go$Pick(x, function(x) NULL), "`f` must return a *Index, not NULL.")
    wrong(go$Pick(x, function(x) 3), "`f` must return a *Index, not 3.")
    wrong(go$Pick(x, function(x) go$NewTree(x)), "the result of `f` must be a *Index, not a *Tree.")
    wrong(go$Pick(x, function(x) other$NewIndex("a")), "an object can only be used in its own program.")
    closed <- go$NewIndex("b")
    close(closed)
    wrong(go$Pick(x, function(x) closed), "was closed.")
  })
})

test_that("an object tells what it is", {
  go <- local_objects()
  x <- go$NewIndex(c("a", "b"))
  server <- server_of(go)
  server$label <- "objects.go"
  expect_snapshot(print(go$NewBox("b")))
  expect_identical(format(x)[1:2], c("<Go object> *Index of objects.go", "2 words"))
  expect_true("  Lookup(prefix, most = 10L)   func (x *Index) Lookup(prefix string, most int) int" %in% format(x))
  expect_output(str(x), "<Go object> *Index of objects.go", fixed = TRUE)
  expect_output(print(x$Lookup), "<Go function> Lookup(prefix, most = 10L)", fixed = TRUE)
  expect_output(print(x$Lookup), "counts words that begin")
  expect_true(all(c("Lookup", "Has", "size", "String") %in% names(x)))
  expect_false(any(c("Len", "Chan", "Skipped") %in% names(x)))
  expect_length(x, length(names(x)))
  expect_identical(.DollarNames(x, "^Lo"), "Lookup")
  expect_error(x$Name <- 1)
  # What it embeds has methods, of which the compiler alone knows.
  buffer <- go$NewBuffer()
  buffer$WriteString("ab")
  expect_identical(buffer$String(), "ab")
  expect_identical(format(buffer)[[2]], "ab")
})

test_that("a text that does not come does not keep R from printing", {
  local_mocked_bindings(text_timeout = 0.1)
  x <- local_objects()$NewStuck()
  expect_match(format(x)[[2]], "did not answer within 0.1 seconds")
  x$Free()
  expect_identical(format(x)[[2]], "free")
})

test_that("what cannot be called says why", {
  without_line <- function(lines) sub("objects.go:[0-9]+", "objects.go:<line>", lines)
  expect_snapshot(transform = without_line, {
    go <- mangoro_source(test_source("objects"))
    x <- go$NewIndex("a")
  })
  local_handle(go)
  expect_error(x$Chan, "R cannot send to a channel; use iter.Seq", class = "mangoro_error_not_found")
  expect_error(x$Skipped, "mangoro:skip", class = "mangoro_error_not_found")
  expect_error(x$lookup, "Is `Lookup\\(\\)`", class = "mangoro_error_not_found")
  expect_error(go$Generic, "write a function that calls it", class = "mangoro_error_not_found")
  expect_error(mangoro_call(go, "Index.Lookup", "a"), class = "mangoro_error_not_found")
})

test_that("Go lets an object go that R does not refer to", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex("a")
    wait_for(alive(go) == 1)
    y <- x$Self()
    rm(x)
    wait_for(alive(go) == 1)
    lookup <- y$Lookup # has the object
    rm(y)
    wait_for(alive(go) == 1)
    rm(lookup)
    wait_for(alive(go) == 0)
    for (i in 1:500) go$NewIndex("a")
    many <- go$Indexes(rep("a", 5000))
    rm(many)
    wait_for(alive(go) == 0)
    x <- go$NewIndex("a")
    expect_null(expect_invisible(close(x)))
    expect_identical(go$Alive(), 0L)
    expect_identical(utils::numhash(server_of(go)$connection$state$objects), 0L)
  })
})

test_that("a call of C tells Go as well", {
  skip_if_no_shared_memory()
  go <- local_objects()
  x <- go$NewIndex("a")
  y <- go$NewIndex("b")
  for (i in 1:3) y$Has("b")
  rm(x)
  gc()
  releases <- server_of(go)$connection$state$releases
  y$Has("b")
  expect_null(.Call(c_release_take, releases))
  expect_identical(go$Alive(), 1L)
})

test_that("an io.Closer is closed once, when nobody has it", {
  go <- local_objects()
  file <- go$OpenFile("a")
  same <- go$OpenFile("a")
  expect_identical(file, same)
  close(file)
  expect_identical(go$Closed(), 1L)
  close(file)
  expect_identical(go$Closed(), 1L)
  # By its own method.
  file <- go$OpenFile("b")
  file$Close()
  expect_identical(go$Closed(), 2L)
  close(file)
  expect_identical(go$Closed(), 2L)
  file <- go$OpenFile("bad")
  expect_message(
    {
      close(file)
      go$Closed()
    },
    "it is bad"
  )
  file <- go$OpenFile("c")
  rm(file)
  gc()
  go$OpenFile("d")
  wait_for(go$Closed() == 4)
})

test_that("an object that is gone says so, by name", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex("a")
    lookup <- x$Lookup
    lookup("a")
    close(x)
    for (call in expression(x$size, lookup("a"), go$Merge(x), go$Sizes(list(x)))) {
      expect_error(eval(call), "The \\*Index of .* was closed", class = "mangoro_error_not_found")
    }
    expect_identical(format(x)[[2]], "closed")

    x <- go$NewIndex("a")
    size <- x$size
    lookup <- x$Lookup
    lookup("a")
    suppressMessages(mangoro_restart(go))
    for (call in expression(x$size(), size(), lookup("a"), x$Has, go$Merge(x))) {
      gone <- "The \\*Index of .* is gone: its program was started again"
      expect_error(eval(call), gone, class = "mangoro_error_connection")
    }
    expect_identical(format(x)[[2]], "gone: its program was started again")
    expect_null(close(x))

    x <- go$NewIndex("a")
    lookup <- x$Lookup
    lookup("a")
    gone <- "The \\*Index of .* is gone: its process has ended with status 3"
    cnd <- expect_error(x$Quit(), gone, class = "mangoro_error_connection")
    expect_identical(cnd$status, 3L)
    for (call in expression(lookup("a"), x$size(), go$Merge(x))) {
      expect_error(eval(call), "The \\*Index of .* is gone: its process has ended", class = "mangoro_error_connection")
    }
    expect_identical(format(x)[[2]], "gone: its process has ended")
    suppressMessages(mangoro_restart(go))
  })
  x <- go$NewIndex("a")
  mangoro_stop(go)
  expect_error(x$size(), class = "mangoro_error_connection")
  expect_identical(format(x)[[2]], "gone: its program was stopped")
})

test_that("an object that was saved and loaded says so", {
  go <- local_objects()
  x <- go$NewIndex("a")
  lookup <- x$Lookup
  loaded <- unserialize(serialize(list(x = x, lookup = lookup), NULL))
  expect_error(loaded$x$size, "was saved and loaded again", class = "mangoro_error_connection")
  expect_error(loaded$lookup("a"), "was saved and loaded again", class = "mangoro_error_connection")
  expect_error(go$Merge(loaded$x), "was saved and loaded again", class = "mangoro_error_connection")
  expect_match(format(loaded$x)[[2]], "saved and loaded")
  expect_null(close(loaded$x))
  rm(loaded)
  gc()
  expect_identical(x$size(), 1L)
})

test_that("an object belongs to its program, and to its connection", {
  go <- local_objects()
  other <- local_handle(mangoro_connect(mangoro_status(go)$url))
  x <- go$NewIndex("a")
  expect_error(other$Merge(x), "can only be used in its own program", class = "mangoro_error_invalid_argument")

  # Another session that has read the id.
  id <- object_of(x)$id
  connection <- server_of(other)$connection
  fake <- new_object(id, "Index", connection)
  expect_error(fake$size(), "not there any more", class = "mangoro_error_not_found")
  expect_error(other$Merge(fake), "still there", class = "mangoro_error_invalid_argument")
  expect_null(close(fake))
  expect_identical(x$size(), 1L)
  # Nor is it another type's.
  wrong <- new_object(id, "Tree", server_of(go)$connection)
  expect_error(wrong$Index(), "has no method", class = "mangoro_error_not_found")
  wrong <- object_of(wrong)
  wrong$closed <- TRUE
  expect_identical(x$size(), 1L)

  # It ends with its connection.
  y <- other$NewIndex("b")
  expect_identical(go$Alive(), 2L)
  mangoro_stop(other)
  wait_for(go$Alive() == 1)
  expect_error(y$size(), "was stopped", class = "mangoro_error_connection")
  expect_identical(x$size(), 1L)
})

test_that("objects are over a socket of the user's, too", {
  go <- local_objects()
  sock <- nanonext::socket("req", dial = mangoro_status(go)$url)
  x <- mangoro_call(sock, "NewIndex", c("a", "b"))
  expect_identical(x$size(), 2L)
  expect_identical(x$Has("a"), TRUE)
  expect_identical(mangoro_call(sock, "Merge", x), x)
  close(sock)
  expect_error(x$size(), "its socket was closed", class = "mangoro_error_connection")
  wait_for(go$Alive() == 0)
})

test_that("methods are tasks, which keep their objects", {
  go <- local_objects()
  x <- go$NewIndex(c("a", "b"))
  task <- mangoro_async(x$Lookup, "a")
  expect_identical(mangoro_value(task), 1L)
  expect_identical(mangoro_value(mangoro_async(x$Self)), x)
  expect_identical(mangoro_value(mangoro_async(go$Merge, go$NewIndex("c"), x))$size(), 3L)
  expect_identical(mangoro_map(x$Lookup, c("a", "b", "c")), list(1L, 1L, 0L))
  wait <- mangoro_async(x$Wait)
  rm(x)
  gc()
  go$Closed()
  expect_false(suppressWarnings(mangoro_is_done(wait)))
  expect_gte(go$Alive(), 1)
  mangoro_cancel(wait)
  rm(wait, task)
  wait_for(alive(go) == 0)
})

test_that("calls of methods that are given up leave nothing", {
  go <- local_objects()
  both_ways({
    x <- go$NewIndex("a")
    withr::with_options(list(mangoro.timeout = 0.05), {
      expect_error(suppressWarnings(x$Wait()), class = "mangoro_error_timeout")
      expect_error(x$Late(), class = "mangoro_error_timeout")
    })
    expect_identical(x$size(), 1L)
    go$LetGo()
    # What R did not get is taken back.
    wait_for(go$Alive() == 1)
    expect_warning(expect_identical(x$Warned(), x), "a warning")
    close(x)
    expect_identical(go$Alive(), 0L)
  })
})

test_that("a release from another time or a broken one is nothing", {
  go <- local_objects()
  x <- go$NewIndex("a")
  connection <- server_of(go)$connection
  for (payload in list(raw(), raw(20), as.raw(rep(1, 40)))) {
    reply <- ask_connection(connection, c(envelope_header("release"), payload))
    expect_identical(parse_envelope(reply, NULL)$type, message_types[["result"]])
  }
  reply <- ask_connection(connection, c(envelope_header("release"), raw(19)))
  expect_identical(parse_envelope(reply, NULL)$type, message_types[["error"]])
  expect_identical(x$size(), 1L)
})

test_that("many objects leave no trace on either side", {
  go <- local_objects()
  run <- function(times) {
    for (k in seq_len(times)) go$Indexes(rep("a", 5000))
    wait_for(alive(go) == 0)
    c(go = go$Heap() / 1e6, r = sum(gc()[, 2]))
  }
  before <- run(1)
  # One of 100 bytes that stays in Go would be 3 MB in all, and 60 MB in R.
  grown <- run(6) - before
  expect_lt(grown[["go"]], 2.5)
  expect_lt(grown[["r"]], 15)
  expect_identical(utils::numhash(server_of(go)$connection$state$objects), 0L)
})

test_that("a manifest with broken objects is refused", {
  expect_identical(parse_classes("", NULL), list())
  expect_identical(parse_classes("{\"objects\": 1}", NULL), list())
  expect_length(parse_classes("{\"objects\": {}}", NULL), 0)
  classes <- parse_classes("{\"objects\": {\"A\": {\"Doc\": \"d\", \"Methods\": {}}}}", NULL)
  expect_identical(classes$A$doc, "d")
  expect_length(classes$A$signatures, 0)
  for (text in c("{\"objects\": {\"A\": 1}}", "{\"objects\": {\"A\": {\"Methods\": {\"F\": 1}}}}")) {
    expect_error(parse_classes(text, NULL), class = "mangoro_error_protocol")
  }
})

test_that("an object is lost in a fork, which calls nothing of NNG's", {
  skip_on_os("windows")
  go <- local_objects()
  x <- go$NewIndex("a")
  class_and_text <- function(expr) tryCatch(expr, error = function(cnd) c(class(cnd)[[1]], conditionMessage(cnd)))
  x$size()
  child <- parallel::mcparallel({
    calls <- list(class_and_text(x$size()), class_and_text(x$Lookup("a")), class_and_text(go$Sizes(list(x))))
    c(calls, format(x)[[2]], list(close(x)))
  })
  said <- parallel::mccollect(child)[[1]]
  for (i in 1:3) expect_identical(said[[i]][[1]], "mangoro_error_connection")
  for (i in 1:2) expect_match(said[[i]][[2]], "was saved and loaded again, or sent to another R process", fixed = TRUE)
  expect_identical(said[[4]], object_states[["lost"]])
  expect_identical(x$size(), 1L)
})
