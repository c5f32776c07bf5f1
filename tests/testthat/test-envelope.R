test_that("integers are packed big-endian, and unpacked again", {
  expect_identical(mangoro_pack_int32(1L), as.raw(c(0, 0, 0, 1)))
  expect_identical(mangoro_pack_int32(258), as.raw(c(0, 0, 1, 2)))
  expect_identical(mangoro_pack_int32(-1L), as.raw(c(255, 255, 255, 255)))
  expect_identical(mangoro_pack_int32(integer()), raw())
  x <- c(0L, 1L, -1L, .Machine$integer.max, -.Machine$integer.max)
  expect_identical(mangoro_unpack_int32(mangoro_pack_int32(x)), x)
  expect_identical(mangoro_unpack_int32(as.raw(c(128, 0, 0, 0))), NA_integer_)
})

test_that("what is no integer is refused", {
  for (x in list(NA, NA_integer_, 1.5, 2^31, Inf, "1", NULL, list(1L))) {
    expect_error(mangoro_pack_int32(x), class = "mangoro_error_invalid_argument")
  }
  for (bytes in list(raw(3), 1:4, NULL, "abcd")) {
    expect_error(mangoro_unpack_int32(bytes), class = "mangoro_error_invalid_argument")
  }
})

test_that("a manifest request is nine zero bytes", {
  expect_identical(mangoro_rpc_manifest_request(), raw(9))
})

test_that("a call is name and Arrow stream in the envelope", {
  msg <- mangoro_rpc_call_message("f\u00e9", data.frame(x = 1))
  expect_identical(
    msg[1:12],
    as.raw(c(1, 0, 0, 0, 3, 0x66, 0xc3, 0xa9, 0, 0, 0, 0))
  )
  parsed <- mangoro_rpc_parse_response(msg)
  expect_identical(parsed[c("type", "func_name", "error_msg")], list(type = 1L, func_name = "f\u00e9", error_msg = ""))
  expect_identical(as.data.frame(nanoarrow::read_nanoarrow(parsed$data)), data.frame(x = 1))
})

test_that("an error reply has its text and detail", {
  bytes <- as.raw(c(3, 0, 0, 0, 1, 0x66, 0, 0, 0, 2, 0x6e, 0x6f, 0x7b, 0x7d))
  expect_identical(
    mangoro_rpc_parse_response(bytes),
    list(type = 3L, func_name = "f", error_msg = "no", data = charToRaw("{}"))
  )
})

test_that("what went wrong is told, whatever its bytes are", {
  error_of <- function(text) {
    header <- as.raw(c(3, 0, 0, 0, 0))
    mangoro_rpc_parse_response(c(header, mangoro_pack_int32(length(text)), text))$error_msg
  }
  expect_identical(error_of(as.raw(0)), "\\x00")
  expect_identical(error_of(as.raw(c(0x61, 0, 0x62, 0, 0))), "a\\x00b\\x00\\x00")
  expect_identical(error_of(as.raw(c(0x61, 0xff, 0x62))), "a\ufffdb")
  expect_identical(error_of(as.raw(c(0, 0xc3))), "\\x00\ufffd")
  set.seed(1)
  for (i in 1:200) {
    bytes <- as.raw(sample(c(0:255, 0, 0x61), sample(1:20, 1), replace = TRUE))
    text <- error_of(bytes)
    expect_true(validUTF8(text) && Encoding(text) %in% c("unknown", "UTF-8"))
    if (!any(bytes == 0) && validUTF8(rawToChar(bytes))) expect_identical(charToRaw(text), bytes)
  }
})

test_that("bytes that are no reply are a protocol error", {
  corrupt <- list(
    nothing = raw(),
    type_only = as.raw(2),
    half_a_header = raw(8),
    unknown_type = as.raw(c(99, raw(8))),
    long_name = as.raw(c(2, 0, 0, 0, 5, 1, 0, 0, 0, 0)),
    name_of_4_gib = as.raw(c(2, 255, 255, 255, 255, 0, 0, 0, 0)),
    long_error = as.raw(c(2, 0, 0, 0, 0, 0, 0, 0, 1)),
    error_of_2_gib = as.raw(c(2, 0, 0, 0, 0, 128, 0, 0, 0)),
    name_not_utf8 = as.raw(c(2, 0, 0, 0, 1, 255, 0, 0, 0, 0)),
    nul_in_name = as.raw(c(2, 0, 0, 0, 1, 0, 0, 0, 0, 0))
  )
  for (what in names(corrupt)) {
    expect_error(mangoro_rpc_parse_response(corrupt[[!!what]]), class = "mangoro_error_protocol")
  }
  expect_error(mangoro_rpc_parse_response("text"), class = "mangoro_error_invalid_argument")
  expect_snapshot(error = TRUE, {
    mangoro_rpc_parse_response(corrupt$half_a_header)
    mangoro_rpc_parse_response(corrupt$name_of_4_gib)
    mangoro_rpc_parse_response(corrupt$name_not_utf8)
    mangoro_rpc_parse_response(corrupt$unknown_type)
  })
})

test_that("data that is no record is refused by name", {
  for (data in list(1:3, "a", list(1), matrix(1), sum, factor("a"))) {
    expect_error(mangoro_rpc_call_message("f", data), class = "mangoro_error_invalid_argument")
  }
  expect_error(
    mangoro_rpc_call_message("f", data.frame(x = I(list(1, "a")))),
    class = "mangoro_error_invalid_argument"
  )
  for (name in list("", NA_character_, 1, NULL, c("a", "b"))) {
    expect_error(mangoro_rpc_call_message(name), class = "mangoro_error_invalid_argument")
  }
})
