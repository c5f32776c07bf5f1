# Warnings are muffled, and their texts returned with the value.
heard <- function(expr, then = function(text) NULL) {
  texts <- character()
  value <- withCallingHandlers(expr, mangoro_warning = function(cnd) {
    texts <<- c(texts, conditionMessage(cnd))
    then(conditionMessage(cnd))
    tryInvokeRestart("muffleWarning")
  })
  list(value = value, texts = texts)
}

local_exchange <- function(frame = parent.frame()) local_source(test_source("exchange"), frame = frame)

# --- What a call says -----------------------------------------------------------

test_that("progress and warnings come while the call is out, and its value after them", {
  go <- local_exchange()
  both_ways({
    seen <- list()
    local_mocked_bindings(progress_event = function(line, event) seen[[length(seen) + 1]] <<- event)
    for (i in 1:2) {
      seen <- list()
      expect_identical(go$Count(1000), 1000L)
      last <- seen[[length(seen)]]
      expect_identical(last, list(done = 1000L, total = 1000L, label = "rows"))
      expect_lt(length(seen), 100)
    }
    for (n in c(0, 1, 3, 50)) {
      got <- heard(go$Warns(n, FALSE))
      expect_identical(got, list(value = as.integer(n), texts = sprintf("warning %d", seq_len(n))))
    }
    got <- heard(go$Warns(200, FALSE))
    expect_match(got$texts[[length(got$texts)]], "^\\.\\.\\. and 1[0-9][0-9] further warnings$")
    expect_usable(go)
  })
})

test_that("an elementwise call, and one through the ring, have their warnings as well", {
  go <- local_exchange()
  both_ways({
    for (i in 1:3) {
      expect_identical(go$Halve(c(2L, 4L)), c(1L, 2L))
      expect_identical(heard(go$Halve(c(2L, 5L))), list(value = c(1L, 2L), texts = "5 is odd"))
    }
    large <- rep(2L, 1e5)
    large[[7e4]] <- 9L
    got <- heard(go$Halve(large))
    expect_identical(got$texts, "9 is odd")
    expect_identical(got$value, large %/% 2L)
    expect_usable(go)
  })
})

test_that("a warning has the user's own call and a class", {
  go <- local_exchange()
  both_ways({
    f <- function(n) go$Warns(n, FALSE)
    cnd <- expect_warning(f(1), "warning 1", class = "mangoro_warning")
    expect_identical(deparse(conditionCall(cnd)), "go$Warns(n, FALSE)")
    expect_warning(mangoro_call(go, "Halve", 3L), "3 is odd", class = "mangoro_warning")
  })
})

test_that("warnings come before the error that ends the call", {
  go <- local_exchange()
  both_ways({
    texts <- character()
    cnd <- tryCatch(
      withCallingHandlers(go$Warns(3, TRUE), warning = function(cnd) {
        texts <<- c(texts, conditionMessage(cnd))
        invokeRestart("muffleWarning")
      }),
      error = identity
    )
    expect_s3_class(cnd, "mangoro_error_handler")
    expect_match(conditionMessage(cnd), "it failed")
    expect_identical(texts, sprintf("warning %d", 1:3))
    expect_usable(go)
  })
})

test_that("other calls run while R has the word", {
  go <- local_exchange()
  both_ways({
    got <- heard(go$Warns(3, FALSE), function(text) {
      expect_identical(go$Add(1, 2), 3)
      expect_identical(heard(go$Warns(1, FALSE))$texts, "warning 1")
    })
    expect_length(got$texts, 3)
    expect_usable(go)
  })
})

test_that("what does not fit the lane moves the call to the socket", {
  go <- local_exchange()
  both_ways(for (size in c(3, 1e6)) {
    n <- 0
    got <- heard(go$Flood(30, size), function(text) {
      n <<- n + 1
      if (n == 30) go$Release(1)
    })
    expect_identical(got$value, numeric(size))
    expect_length(got$texts, 30)
    expect_usable(go)
  })
})

# --- How it ends ----------------------------------------------------------------

# Calls of Wait have ended in Go.
expect_ended <- function(go, n) {
  deadline <- Sys.time() + 30
  while (go$Ended() != n) if (Sys.time() > deadline) stop("only ", go$Ended(), " calls have ended")
  expect_identical(go$Ended(), as.integer(n))
}

test_that("whatever R raises while it has the word gives the call up", {
  go <- local_exchange()
  n <- 0
  both_ways(for (call in expression(go$Wait(1), mangoro_call(go, "Wait", c(a = 1)))) {
    expect_error(withCallingHandlers(eval(call), warning = function(cnd) stop("mine")), "mine")
    expect_ended(go, n <- n + 1)
    expect_usable(go)
    got <- tryCatch(
      withCallingHandlers(eval(call), warning = function(cnd) rlang::interrupt()),
      interrupt = function(cnd) "interrupted"
    )
    expect_identical(got, "interrupted")
    expect_ended(go, n <- n + 1)
    expect_usable(go)
  })
})

test_that("the time-out is that of the whole call, whoever has the word", {
  go <- local_exchange()
  n <- 0
  both_ways({
    withr::local_options(mangoro.timeout = 0.1)
    expect_error(heard(go$Wait(1)), class = "mangoro_error_timeout")
    expect_error(
      heard(go$Wait(1), function(text) processx::run("sleep", "0.2")),
      "Wait",
      class = "mangoro_error_timeout"
    )
    withr::local_options(mangoro.timeout = NULL)
    expect_ended(go, n <- n + 2)
    expect_usable(go)
  })
})

test_that("a server that is killed while R has the word ends the call", {
  skip_on_os("windows")
  both_ways({
    go <- local_exchange()
    expect_error(
      heard(go$Wait(1), function(text) {
        tools::pskill(pid_of(go), tools::SIGKILL)
        wait_for_end(pid_of(go))
      }),
      class = "mangoro_error_connection"
    )
    mangoro_restart(go)
    expect_usable(go)
  })
})

test_that("Ctrl-C ends a call that lives", {
  skip_if_no_sigint()
  skip_if_no_go()
  both_ways({
    session <- other_session(c(
      sprintf("go <- mangoro_source('%s')", normalizePath(test_source("exchange"))),
      "wait <- go$Wait",
      "r <- tryCatch(",
      "  withCallingHandlers(wait(1), warning = function(cnd) { cat('waiting\\n'); invokeRestart('muffleWarning') }),",
      "  interrupt = function(cnd) 'interrupted')",
      "while (go$Ended() == 0) NULL",
      "stopifnot(identical(go$Add(1, 2), 3))",
      "cat(r, '\\n')"
    ))
    wait_for_output(session, "waiting")
    tools::pskill(session$get_pid(), tools::SIGINT)
    session$wait(60000)
    expect_match(paste(session$read_all_output(), collapse = ""), "interrupted")
    session$kill()
  })
})

# --- A server that lies ---------------------------------------------------------

event_reply <- function(metadata, type = "event", payload = raw()) c(envelope_header(type, "f", metadata), payload)

# The manifest of a function `f` that lives, if `lives`. It takes a function if `asks`.
manifest_reply <- function(lives = TRUE, asks = FALSE) {
  arg <- "{\"Name\":\"f\",\"Type\":{\"Type\":\"function\",\"Func\":{\"Args\":[],\"ReturnType\":{\"Type\":\"null\"}}}}"
  json <- sprintf(
    "{\"f\":{\"Args\":[%s],\"Boxed\":true,\"Lives\":%s,\"ReturnType\":{\"Type\":\"float64\",\"Nullable\":true}}}",
    if (asks) arg else "", if (lives) "true" else "false"
  )
  c(envelope_header("manifest"), charToRaw(json))
}

one_result <- function() encode_row(list(result = 7), envelope_header("result", "f"))

test_that("what a server says is checked", {
  puppet <- local_puppet()
  bad <- c(
    "{", "1", "null", "\"a\"", "{\"events\":1}", "{\"events\":[1]}", "{\"events\":[{}]}",
    "{\"events\":[{\"kind\":1}]}", "{\"events\":[{\"kind\":\"warning\"}]}",
    "{\"events\":[{\"kind\":\"warning\",\"text\":[\"a\",\"b\"]}]}",
    "{\"events\":[{\"kind\":\"progress\",\"done\":\"1\",\"total\":1,\"label\":\"\"}]}",
    "{\"events\":[{\"kind\":\"progress\",\"done\":[1],\"total\":1,\"label\":\"\"}]}",
    "{\"events\":[{\"kind\":\"dropped\",\"warnings\":null}]}",
    sprintf("{\"events\":[%s]}", paste(rep("{\"kind\":\"x\"}", 101), collapse = ",")),
    "{\"over\":\"socket\"}"
  )
  for (metadata in bad) {
    for (type in c("event", if (!grepl("over", metadata)) c("question", "part", "refer_part", "result"))) {
      puppet$answer(manifest_reply(), event_reply(metadata, type), one_result())
      fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
      expect_error(mangoro_call(puppet$sock, "f"), class = "mangoro_error_protocol", info = paste(type, metadata))
    }
  }
  # What is known of events may grow.
  puppet$answer(manifest_reply(), event_reply("{\"events\":[{\"kind\":\"new\"}],\"new\":{}}"), one_result())
  fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
  expect_identical(mangoro_call(puppet$sock, "f"), 7)
})

test_that("a call that does not live is answered by its result only", {
  puppet <- local_puppet()
  for (type in c("continue", "event", "question", "part", "refer_part", "release")) {
    for (lives in c(FALSE, if (type %in% c("continue", "part", "refer_part", "release")) TRUE)) {
      puppet$answer(manifest_reply(lives), event_reply("", type), one_result())
      fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
      expect_error(mangoro_call(puppet$sock, "f"), class = "mangoro_error_protocol", info = type)
      expect_identical(mangoro_call(puppet$sock, "f"), 7)
    }
  }
})

test_that("only what the call has given can be asked", {
  puppet <- local_puppet()
  local_mocked_bindings(
    answer_question = function(line, connection, target, payload, signature, call) {
      list(payload = as.raw(target$value() + length(payload)), failure = list(failed = 1, message = "no", class = "x"))
    }
  )
  begin <- function(...) {
    puppet$answer(manifest_reply(asks = TRUE), ..., one_result())
    fetch_signatures(connection_of(puppet$sock, NULL), 10, NULL)
  }
  question <- function(target, payload = as.raw(1:3)) {
    event_reply(sprintf("{\"target\":%s}", target), "question", payload)
  }
  for (target in c("-1", "1", "0.5", "1e10", "null", "\"0\"", "[0]", "[]", "{}")) {
    begin(question(target))
    expect_error(mangoro_call(puppet$sock, "f", function() 1), class = "mangoro_error_protocol", info = target)
  }
  begin(question(0, raw())) # it is no source
  expect_error(mangoro_call(puppet$sock, "f", function() 1), class = "mangoro_error_protocol")
  begin(question(0), question(0), event_reply(""))
  calls <- 0
  expect_identical(mangoro_call(puppet$sock, "f", function() calls <<- calls + 1), 7)
  expect_identical(calls, 2)
  begin(question(0))
  expect_error(mangoro_call(puppet$sock, "f", function() stop("mine")), "mine")
})

test_that("a call whose time-out Go saw first has ended by its time-out", {
  ended <- event_reply("the call has ended", "error", charToRaw("{\"code\":\"not_found\"}"))
  step <- function(timeout) {
    line <- note_request(new_line(), list(), 0, "f", timeout, NULL)
    exchange_step(line, list(), ended, list(name = "f", result_header = raw(1)), NULL)
  }
  expect_error(step(timeout = 0), "`f()` did not answer", fixed = TRUE, class = "mangoro_error_timeout")
  expect_null(step(timeout = 60))
})

test_that("a continue says what R has to say", {
  text <- function(...) {
    message <- parse_envelope(continue_message(...), NULL)
    expect_identical(message$type, 9L)
    expect_identical(message$func_name, "f")
    message$error_msg
  }
  expect_identical(text("f", "5f"), "{\"call_id\":\"5f\"}")
  expect_identical(text("f", "5f", over = "socket"), "{\"call_id\":\"5f\",\"over\":\"socket\"}")
  expect_identical(text("f", "5f", offer = c(7, 2^32 - 1)), "{\"call_id\":\"5f\",\"offer\":[7,4294967295]}")
  expect_identical(
    text("f", "5f", as.raw(1), failure = list(failed = 2L, message = "\"oh\"}\u00e9", class = "simpleError")),
    "{\"call_id\":\"5f\",\"failed\":2,\"message\":\"\\\"oh\\\"}\u00e9\",\"class\":\"simpleError\"}"
  )
})
