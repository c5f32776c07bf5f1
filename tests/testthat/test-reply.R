test_that("garbage for a reply is a protocol error", {
  puppet <- local_puppet()
  result <- mangoro_rpc_call_message("f", data.frame(x = c(1, 2), s = c("a", "b")))
  result[1] <- as.raw(2)
  header <- result[1:10]
  replies <- list(
    nothing = raw(1),
    text = charToRaw("HTTP/1.1 400 Bad Request"),
    call_as_result = c(as.raw(1), result[-1]),
    manifest_as_result = c(as.raw(0), result[-1]),
    no_arrow = c(header, charToRaw("no Arrow stream")),
    half_a_stream = utils::head(result, -40),
    body_cut_off = c(header, utils::head(result[-(1:10)], 300))
  )
  for (what in names(replies)) {
    puppet$answer(replies[[what]])
    expect_error(mangoro_rpc_call(puppet$sock, "f"), class = "mangoro_error_protocol", info = what)
  }
  puppet$answer(c(as.raw(0), raw(8), charToRaw("{no json")))
  expect_error(mangoro_rpc_get_manifest(puppet$sock), class = "mangoro_error_protocol")
  # A peer that sends no detail with an error is understood.
  puppet$answer(c(as.raw(c(3, 0, 0, 0, 0, 0, 0, 0, 2)), charToRaw("no")))
  expect_error(mangoro_rpc_call(puppet$sock, "f"), "no", class = "mangoro_error_handler")
  # As is an empty result.
  puppet$answer(header)
  expect_identical(dim(as.data.frame(mangoro_rpc_call(puppet$sock, "f"))), c(0L, 0L))
})

test_that("what a server is busy with is read as far as it makes sense", {
  reply <- function(json) c(as.raw(c(2, 0, 0, 0, 0)), mangoro_pack_int32(nchar(json)), charToRaw(json))
  expect_identical(
    parse_load(reply('{"max_calls":2,"running":{"f":1,"g":2},"given_up":{"f":3}}')),
    list(max_calls = 2L, running = c(f = 1L, g = 2L), given_up = c(f = 3L))
  )
  nothing <- list(max_calls = 2L, running = integer(), given_up = integer())
  for (json in c(
    '{"max_calls":2}', '{"max_calls":2,"running":7,"given_up":[1]}', '{"max_calls":2,"running":{"f":"1"}}',
    '{"max_calls":2,"running":{"f":-1},"given_up":{"":1}}', '{"max_calls":2,"running":{"f":[1,2]}}'
  )) {
    load <- parse_load(reply(json))
    expect_length(c(load$running, load$given_up), 0)
  }
  for (json in c("", "{", "7", "[]", "{}", '{"max_calls":"2"}', '"text"')) expect_null(parse_load(reply(json)))
  expect_null(parse_load(raw()))
  expect_null(parse_load(structure(5L, class = "errorValue")))
})

test_that("only what a detail is said to be is read of it", {
  detail <- function(json) parse_detail(charToRaw(json))
  expect_identical(detail('{"code":"panic","row":3}'), list(code = "panic", row = 3L))
  expect_identical(detail('{"value":"a\\u0000b"}'), list(value = "a\ufffdb"))
  for (json in c("", "{", "7", "\"text\"", "null")) expect_identical(detail(json), list(), info = json)
})

test_that("the frames of a panic are the user's own lines", {
  frames <- data.frame(func = c("main.f", "main.g"), file = c("./a.go", "/tmp/x/<inline>"), line = c(3L, 1L))
  shown <- panic_frames(list(frames = frames))
  expect_identical(shown, data.frame(
    `function` = c("main.f", "main.g"), file = c("a.go", "<inline>"), line = c(3L, 1L), check.names = FALSE
  ))
  server <- new_server("x", "url", recipe = list(location = function() {
    list(file = "script.R", at = function(line, column) list(line = line + 10L, column = column))
  }))
  shown <- panic_frames(list(frames = frames), server)
  expect_identical(shown$file, c("a.go", "script.R"))
  expect_identical(shown$line, c(3L, 11L))
  expect_identical(nrow(panic_frames(list(frames = frames[rep(1, 30), ]))), 10L)
  for (wrong in list(NULL, "x", list(1), data.frame(func = 1, file = "a", line = 1), frames[c("func", "file")])) {
    expect_null(panic_frames(list(frames = wrong)))
  }
})
