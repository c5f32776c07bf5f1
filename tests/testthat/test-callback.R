local_callbacks <- function(frame = parent.frame()) local_source(test_source("callback"), frame = frame)

test_that("Go calls R functions with values of all types", {
  go <- local_callbacks()
  both_ways({
    expect_equal(go$Minimize(function(x) (x - 2)^2, 0, 5), 2, tolerance = 1e-5)
    expect_identical(go$Repeat(function(x) x, 100), sum(0:99) + 0)
    expect_identical(go$Repeat(function(x) as.integer(x), 10), 45)
    expect_identical(go$Repeat(function(x) x > 4, 10), 5)
    expect_identical(go$RepeatVector(function(x) x + 1, 20, 3), c(20, 20, 20))
    expect_identical(go$RepeatVector(function(x) c(x, a = 1), 20, 0), rep(1, 20))
    expect_identical(go$Named(function(x, y, label) x * y + nchar(label), "abc"), 15)
    expect_identical(go$Several(sqrt, function(x) x + 5, 4), 3)
    expect_identical(go$Strings(toupper, c("a", "\u00e9")), c("A", "\u00c9"))
    expect_identical(go$Strings(function(x) factor(x), "a"), "a")
    expect_identical(go$Ints(function(x) x + 1L, 3), 4L)
    expect_identical(go$Ints(function(x) x + 1, 3), 4L)
    expect_identical(go$Ints(function(x) x * 2, 2^40), 2^41)
    expect_identical(go$Small(function(x) -x, 100), -100L)
    expect_identical(go$Bools(`!`, TRUE), FALSE)
    time <- as.POSIXct("2024-02-29 12:00:00", tz = "UTC")
    expect_identical(go$Times(function(x) x + 60, time), time + 60)
    expect_identical(go$Points(function(p) list(X = p$Y, Y = p$X), list(X = 1, Y = 2)), list(X = 2, Y = 1))
    expect_identical(go$Frames(function(d) d[d$X > 0, ], 3), data.frame(X = c(1, 2), Y = c(2, 4)))
    expect_identical(go$Records(function(d) d[d$b == "y", , drop = FALSE], data.frame(a = 1:2, b = c("x", "y")))$a, 2L)
    expect_identical(go$Anything(function(x) list(x, "a"), list(n = 1)), list(list(n = 1), "a"))
    expect_identical(go$Maps(function(x) rev(x), c(a = 1, b = 2)), c(a = 1, b = 2))
    expect_identical(go$Matrices(t, matrix(1:6 + 0, 2)), t(matrix(1:6 + 0, 2)))
    expect_identical(go$Missing(function(x) NA, 1), NA_real_)
    expect_identical(go$Missing(function(x) is.na(x) + 0, NA), 1)
    expect_identical(go$Thunk(function() 7), 7)
    expect_identical(go$Optional(NULL, 3), 3)
    expect_identical(go$Optional(x = 3), 3)
    expect_identical(go$Optional(function(x) -x, 3), -3)
    seen <- character()
    expect_identical(go$Tell(function(x) seen <<- c(seen, x), c("a", "b")), 2L)
    expect_identical(seen, c("a", "b"))
    expect_usable(go)
  })
})

test_that("an R function may be any function", {
  go <- local_callbacks()
  both_ways({
    for (i in 1:2) {
      expect_equal(go$Repeat(sin, 4), sum(sin(0:3)))
      expect_identical(go$Repeat(function(x, by = 2) x * by, 4), 12)
      expect_identical(go$Repeat(function(...) sum(...), 4), 6)
      expect_identical(go$Repeat(compiler::cmpfun(function(x) x), 4), 6)
      expect_equal(go$Repeat(splinefun(0:3, (0:3)^2), 4), 14)
    }
    # It sees its own frame, and what it keeps of its arguments stays.
    kept <- list()
    go$Repeat(function(x) {
      kept[[length(kept) + 1]] <<- function() x
      0
    }, 20)
    expect_identical(vapply(kept, function(f) f(), 0), 0:19 + 0)
    expect_identical(go$Named(function(x, y, label) nargs() + length(sys.call()), ""), 7)
  })
})

test_that("what is no function is refused", {
  go <- local_callbacks()
  refused <- function(f, text) {
    cnd <- expect_error(go$Repeat(f, 1), text, class = "mangoro_error_invalid_argument")
    expect_identical(cnd$arg, "f")
  }
  both_ways({
    refused(
      ~ .x,
      "not a <formula> object; write it as `function\\(x\\) ...`, or convert it with `rlang::as_function\\(\\)`"
    )
    refused("sin", "must be a function, not character \\(\"sin\"\\)")
    refused(NULL, "must be a function, not NULL")
    refused(list(sin), "must be a function, not a list")
  })
})

test_that("an error of R becomes Go's, and is the parent of what the call raises", {
  go <- local_callbacks()
  both_ways(for (i in 1:3) {
    expect_identical(go$Try(function(x) stop("oh\u00e9{}"), 1), "simpleError: oh\u00e9{}")
    expect_identical(go$Try(function(x) rlang::abort("mine", class = "my_error"), 1), "my_error: mine")
    fails <- function(x) rlang::abort("mine", class = "my_error", data = 7)
    cnd <- expect_error(go$Wrap(fails, 1), class = "mangoro_error_handler")
    expect_identical(cnd$error_msg, "at 1: mine")
    expect_s3_class(cnd$parent, "my_error")
    expect_identical(cnd$parent$data, 7)
    expect_identical(deparse(cnd$call[[1]] %||% rlang::frame_call(cnd$call)[[1]]), "go$Wrap")
    cnd <- expect_error(go$Replace(function() stop("mine")), "it is another one", class = "mangoro_error_handler")
    expect_null(cnd$parent)
    # Without an error result the call ends.
    cnd <- expect_error(go$Repeat(function(x) if (x > 3) stop("at four") else x, 100), class = "mangoro_error_handler")
    expect_s3_class(cnd$parent, "simpleError")
    expect_identical(conditionMessage(cnd$parent), "at four")
    expect_identical(deparse(conditionCall(cnd$parent)), "f(.x1)")
    expect_match(conditionMessage(cnd), "The Go function `Repeat()` failed because of an error in R.", fixed = TRUE)
    expect_error(go$Deferred(function(x) stop("no"), 1), class = "mangoro_error_handler")
    expect_identical(go$HowEnded(), "deferred")
    # The error of a callback of a callback.
    cnd <- expect_error(go$Wrap(function(x) go$Wrap(function(x) stop("inner"), 2), 1), class = "mangoro_error_handler")
    expect_identical(cnd$error_msg, "at 1: at 2: inner")
    expect_s3_class(cnd$parent, "mangoro_error_handler")
    expect_identical(conditionMessage(cnd$parent$parent), "inner")
    expect_usable(go)
  })
})

test_that("a result must be of the type", {
  go <- local_callbacks()
  wrong <- function(expr, text) {
    cnd <- expect_error(expr, class = "mangoro_error_handler")
    expect_s3_class(cnd$parent, "mangoro_error_invalid_argument")
    expect_identical(conditionMessage(cnd$parent), text)
  }
  both_ways(for (i in 1:2) {
    wrong(go$Repeat(function(x) "a", 3), "`f` must return one number, not \"a\".")
    wrong(go$Repeat(function(x) letters, 3), "`f` must return one number, not a character vector.")
    wrong(go$Repeat(function(x) if (x == 2) c(1, 2) else 1, 5), "`f` must return one number, not a double vector.")
    wrong(go$Repeat(function(x) NULL, 3), "`f` must return one number, not NULL.")
    wrong(go$Repeat(function(x) Sys.Date(), 3), "`f` must return one number, not a <Date> object.")
    wrong(go$Ints(function(x) 1.5, 1), "`f` must return one whole number, not 1.5.")
    wrong(go$Ints(function(x) NA, 1), "`f` must return one whole number, not `NA`.")
    wrong(go$Small(function(x) 200, 1), "`f` must return one whole number from -128 to 127, not 200.")
    wrong(go$Bools(function(x) 2, TRUE), "`f` must return `TRUE` or `FALSE`, not 2.")
    wrong(go$Strings(function(x) 1, "a"), "`f` must return one string, not 1.")
    wrong(
      go$RepeatVector(function(x) letters[1:2], 1, 1),
      "`RepeatVector()`: the result of `f` must be numeric, not character (row 1: \"a\")."
    )
    wrong(
      go$RepeatVector(function(x) NULL, 1, 1),
      "`RepeatVector()`: the result of `f` must be a vector, not NULL; an empty one is `numeric()`."
    )
    wrong(
      go$Points(function(p) list(X = 1), list(X = 1, Y = 2)),
      "`Points()`: the result of `f` must have the fields X and Y; missing: Y."
    )
    wrong(go$Frames(function(d) 1, 2), "`Frames()`: the result of `f` must be a data frame, not numeric (1).")
    expect_usable(go)
  })
})

test_that("warnings, messages and output of callbacks are R's own, in the order of Go's", {
  go <- local_callbacks()
  both_ways(for (i in 1:2) {
    texts <- character()
    out <- capture.output(withCallingHandlers(
      expect_identical(go$Prints(function(text) {
        cat(text, "\n")
        warning("of R")
        message("a message")
      }), 1L),
      warning = function(cnd) {
        texts <<- c(texts, conditionMessage(cnd))
        invokeRestart("muffleWarning")
      },
      message = function(cnd) {
        texts <<- c(texts, conditionMessage(cnd))
        invokeRestart("muffleMessage")
      }
    ))
    expect_identical(out, c("before", "in R ", "after"))
    expect_identical(texts, c("of Go", "of R", "a message\n"))
  })
})

test_that("questions of several goroutines come one after the other", {
  go <- local_callbacks()
  both_ways({
    running <- 0
    f <- function(x) {
      running <<- running + 1
      expect_identical(running, 1)
      running <<- running - 1
      x
    }
    expect_identical(go$Many(f, 200), sum(1:200) + 0)
    cnd <- expect_error(go$Many(function(x) if (x == 7) stop("seven") else x, 20), class = "mangoro_error_handler")
    expect_identical(conditionMessage(cnd$parent), "seven")
    expect_identical(go$Goes(function(x) -x, 2), -2)
    cnd <- expect_error(go$Goes(function(x) stop("elsewhere"), 2), class = "mangoro_error_handler")
    expect_identical(conditionMessage(cnd$parent), "elsewhere")
    expect_usable(go)
  })
})

test_that("a function that goes on after its callback has failed does not hold the next call", {
  go <- local_callbacks()
  both_ways({
    for (x in list(1, numeric(1e5))) { # by value, and over the socket
      expect_error(go$Stays(function(x) stop("no more"), x), class = "mangoro_error_handler")
      expect_usable(go)
      go$LetGo()
      expect_usable(go)
    }
  })
})

test_that("a callback may call Go again", {
  go <- local_callbacks()
  both_ways({
    expect_identical(go$Repeat(function(x) go$Add(x, 1), 50), sum(1:50) + 0)
    sums <- vapply(0:19, function(n) n * (n - 1) / 2, 0)
    expect_identical(go$Repeat(function(x) go$Repeat(function(y) y, x), 20), sum(sums))
    expect_identical(go$Repeat(go$Thunk |> (\(f) function(x) f(function() x))(), 10), 45)
    expect_equal(go$Minimize(function(x) go$Add(x, -1)^2, 0, 3), 1, tolerance = 1e-5)
    nest <- function(depth) go$Nest(nest, depth)
    expect_identical(nest(12), 12L)
    expect_usable(go)
    # Without an end R's own limit ends it.
    forever <- function(depth) go$Nest(forever, 1)
    expect_error(withr::with_options(list(expressions = 200), forever(1)))
    cnd <- expect_error(forever(1), class = "mangoro_error_handler")
    while (!is.null(cnd$parent)) cnd <- cnd$parent
    expect_s3_class(cnd, "mangoro_error_resource_exhausted")
    expect_match(conditionMessage(cnd), "`Nest()` calls R code that calls Go too deeply", fixed = TRUE)
    expect_usable(go)
  })
})

test_that("the chain of conditions of callbacks in callbacks is short", {
  go <- local_callbacks()
  both_ways({
    deep <- function(depth) if (depth == 0) stop("bottom") else go$Nest(deep, depth)
    for (depth in c(3, 20)) {
      cnd <- expect_error(deep(depth), class = "mangoro_error_handler")
      expect_identical(cnd$error_msg, "bottom")
      chain <- list(cnd)
      while (!is.null(parent <- chain[[length(chain)]]$parent)) chain <- c(chain, list(parent))
      expect_length(chain, if (depth == 3) 4L else length(chain))
      expect_lte(length(chain), max_causes)
      expect_identical(conditionMessage(chain[[length(chain)]]), "bottom")
    }
    expect_usable(go)
  })
})

test_that("C answers questions that differ in their numbers, over the lane and over the socket", {
  go <- local_callbacks()
  answer <- answer_question
  answered <- 0
  local_mocked_bindings(answer_question = function(...) {
    answered <<- answered + 1
    answer(...)
  })
  both_ways({
    answered <- 0
    expect_identical(go$Repeat(function(x) x, 50), sum(0:49) + 0)
    expect_identical(mangoro_value(mangoro_async(go$Repeat, function(x) x, 50)), sum(0:49) + 0)
    # The inner calls go over the socket.
    expect_identical(go$Repeat(function(x) go$Repeat(function(y) y, 3), 50), 150)
    expect_lte(answered, 1)
  })
})

test_that("vectors of several lengths, and several functions, are told apart", {
  go <- local_callbacks()
  both_ways(for (i in 1:2) {
    seen <- integer()
    sum <- go$Alternate(function(x) {
      seen <<- c(seen, length(x))
      expect_identical(x, numeric(length(x)))
      length(x)
    }, function(i, half) {
      expect_identical(half, 0.5)
      expect_type(i, "integer")
      i
    }, 60)
    expect_identical(seen, rep(0:2, 20))
    expect_identical(sum, 60 + base::sum(0:59))
    # NA and NaN are what they are.
    expect_identical(go$RepeatVector(function(x) c(NA, NaN, 1), 3, 3), c(NA, NaN, 1))
    expect_identical(go$RepeatVector(function(x) if (anyNA(x)) rev(x) else c(x[-1], NA), 3, 2), c(0, NA))
    expect_identical(go$Repeat(function(x) if (x == 20) NA else x, 30), NA_real_)
    expect_identical(go$Repeat(function(x) if (x == 20) 1L else x, 30), base::sum(0:29) - 19)
    expect_usable(go)
  })
})

test_that("what is large goes over the socket", {
  go <- local_callbacks()
  both_ways({
    expect_identical(go$Large(function(x) x[1:3], 1e5), numeric(3))
    expect_identical(go$Large(function(x) numeric(1e5), 3), numeric(1e5))
    expect_identical(go$Large(function(x) x + 1, 1e5), rep(1, 1e5))
    expect_identical(go$Texts(identity, 3e5), 300000L)
    # The arguments are in a segment, the question is not.
    data <- data.frame(a = as.numeric(1:2e5))
    expect_identical(go$Records(identity, data), data)
    expect_identical(go$Records(function(d) d[1:2, , drop = FALSE], data)$a, c(1, 2))
    expect_match(go$Try(function(x) stop(strrep("x", 1e6)), 1), "simpleError: x+")
    expect_usable(go)
  })
})

test_that("a function that Go keeps cannot be called after its call", {
  go <- local_callbacks()
  both_ways({
    expect_identical(go$Keep(function(x) x + 1), 2)
    expect_error(go$Kept(1), "the R function belongs to a call that has ended", class = "mangoro_error_handler")
    expect_usable(go)
  })
})

test_that("a context of the function ends it", {
  go <- local_callbacks()
  both_ways({
    expect_identical(go$Contexts(function(x) x, 3, FALSE), 3)
    expect_error(go$Contexts(function(x) stop("it is not called"), 3, TRUE), class = "mangoro_error_cancelled")
  })
})

interrupted <- function(expr) tryCatch(expr, interrupt = function(cnd) "interrupted")

test_that("an interrupt, a jump and a time-out in a callback end the call", {
  go <- local_callbacks()
  both_ways(for (times in c(0, 3)) {
    # The first question is answered by R code, later ones by C.
    later <- function(expr) {
      n <- 0
      expr <- substitute(expr)
      env <- parent.frame()
      function(x) {
        n <<- n + 1
        if (n > times) eval(expr, env) else x
      }
    }
    expect_identical(interrupted(go$Repeat(later(rlang::interrupt()), 100)), "interrupted")
    expect_usable(go)
    expect_identical(callCC(function(k) go$Repeat(later(k("jumped")), 100)), "jumped")
    expect_usable(go)
    withr::with_options(
      list(mangoro.timeout = 0.3),
      expect_error(go$Repeat(later(processx::run("sleep", "0.5")), 100), "Repeat", class = "mangoro_error_timeout")
    )
    expect_usable(go)
  })
  both_ways({
    expect_identical(interrupted(go$Ends(function(x) rlang::interrupt(), 1)), "interrupted")
    how <- go$HowEnded() # expect_match() evaluates it twice
    expect_match(how, "context canceled")
    expect_usable(go)
  })
})

test_that("a server that ends in a callback ends the call", {
  skip_on_os("windows")
  both_ways(for (at in c(0, 20))  {
    go <- local_callbacks()
    kill <- function(x) {
      if (x == at) {
        tools::pskill(pid_of(go), tools::SIGKILL)
        wait_for_end(pid_of(go))
      }
      x
    }
    expect_error(go$Repeat(kill, 100), class = "mangoro_error_connection")
    mangoro_restart(go)
    expect_usable(go)
    expect_error(go$Repeat(function(x) {
      if (x == at) mangoro_stop(go)
      x
    }, 100), class = "mangoro_error_connection")
  })
})

test_that("callbacks of a task run when R looks", {
  go <- local_callbacks()
  both_ways({
    main <- Sys.getpid()
    seen <- 0
    task <- mangoro_async(go$Repeat, function(x) {
      seen <<- seen + 1
      x
    }, 10)
    expect_identical(mangoro_value(task, timeout = 30), 45)
    expect_identical(seen, 10)
    task <- mangoro_async(go$Wrap, function(x) stop("later"), 1)
    cnd <- expect_error(mangoro_value(task, timeout = 30), class = "mangoro_error_handler")
    expect_identical(conditionMessage(cnd$parent), "later")
    tasks <- lapply(1:5, function(i) mangoro_async(go$Repeat, function(x) x * i, 10))
    expect_identical(lapply(tasks, mangoro_value, timeout = 30), lapply(1:5, function(i) 45 * i))
    expect_usable(go)
  })
})

test_that("a server that lies about a function is refused", {
  puppet <- local_puppet()
  arg <- paste0(
    "{\"Name\":\"f\",\"Type\":{\"Type\":\"function\",\"Func\":",
    "{\"Args\":[{\"Name\":\"x1\",\"Type\":{\"Type\":\"float64\"}}],\"ReturnType\":{\"Type\":\"float64\"}}}}"
  )
  manifest <- c(envelope_header("manifest"), charToRaw(sprintf(
    "{\"f\":{\"Args\":[%s],\"Boxed\":true,\"Lives\":true,\"ReturnType\":{\"Type\":\"float64\",\"Nullable\":true}}}", arg
  )))
  question <- function(...) encode_record(list(...), envelope_header("question", "f", "{\"target\":0}"))
  result <- encode_row(list(result = 7), envelope_header("result", "f"))
  ask_puppet <- function(..., f = function(x) x) {
    puppet$answer(manifest, ..., result)
    fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
    mangoro_call(puppet$sock, "f", f)
  }
  expect_identical(ask_puppet(question(x1 = 1), question(x1 = 2)), 7)
  expect_error(ask_puppet(question(x1 = 1, x2 = 2)), class = "mangoro_error_protocol")
  expect_error(ask_puppet(question()), class = "mangoro_error_protocol")
  broken <- question(x1 = 1)
  expect_error(ask_puppet(broken[seq_len(length(broken) - 20)]), class = "mangoro_error_protocol")
  # A number of a condition that R does not know is nothing.
  error <- c(envelope_header("error", "f", "no"), charToRaw("{\"code\":\"handler\",\"r_error\":3}"))
  cnd <- expect_error(ask_puppet(error), class = "mangoro_error_handler")
  expect_null(cnd$parent)
})
