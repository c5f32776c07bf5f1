# A class whose values are in another unit in Go, and one that is no vector.
local_classes <- function(env = parent.frame()) {
  methods <- list(
    money = function(x, ...) if (is.data.frame(x)) data.frame(m = x$m / 100) else unclass(x) / 100,
    # unclass(), for vctrs has a `$` for such a class that fails.
    interval = function(x, ...) as.data.frame(unclass(x)),
    session = function(x, ...) x$name,
    nothing = function(x, ...) NULL
  )
  for (class in names(methods)) {
    registerS3method("mangoro_send_as", class, methods[[class]], envir = asNamespace("mangoro"))
  }
  table <- get(".__S3MethodsTable__.", asNamespace("mangoro"))
  withr::defer(rm(list = paste0("mangoro_send_as.", names(methods)), envir = table), envir = env)
}

money <- function(cents) structure(cents, class = "money")

interval <- function(from, to) structure(list(from = from, to = to), class = c("interval", "vctrs_rcrd"))

test_that("a class with a method is sent as the method says, wherever it is", {
  local_classes()
  server <- local_server(test_source("corpus"))
  call <- function(...) mangoro_call(server$sock, ...)
  session <- structure(list2env(list(name = "main")), class = "session")

  expect_identical(call("each", money(c(100, NA))), c(1, NA))
  expect_identical(call("floats", money(150)), 1.5)
  expect_identical(call("lists", list(money(100), 2)), list(1, 2))
  expect_identical(call("strings", session), "main")
  expect_identical(call("map", list(a = money(100))), list(a = 1))
  expect_identical(call("maps", list(list(a = money(100), b = 2))), list(c(a = 1, b = 2)))

  batch <- structure(
    list(m = money(c(100, 250)), i = interval(1:2, 3:4), l = list(money(100), money(200))),
    class = "data.frame", row.names = 1:2
  )
  sent <- structure(
    list(m = c(1, 2.5), i = data.frame(from = 1:2, to = 3:4), l = list(1, 2)),
    class = "data.frame", row.names = 1:2
  )
  expect_identical(call("batch", batch), sent)
  expect_identical(call("record", batch), sent)
  expect_identical(call("record", m = money(100)), data.frame(m = 1))
  expect_identical(call("batch", interval(1:2, 3:4)), data.frame(from = 1:2, to = 3:4))
  expect_identical(call("record", interval(1:2, 3:4)), data.frame(from = 1:2, to = 3:4))
  expect_identical(call("record", structure(data.frame(m = 1:2), class = c("money", "data.frame")))$m, c(0.01, 0.02))
  got <- as.data.frame(mangoro_rpc_call(server$sock, "record", interval(1:2, 3:4)))
  expect_identical(got, data.frame(from = 1:2, to = 3:4))
  nested <- list(a = session, b = list(c = money(100)))
  expect_identical(decode_row(encode_row(list(x = nested)))$x, list(a = "main", b = list(c = 1)))
})

test_that("what cannot cross, with or without a method, says what helps", {
  local_classes()
  expect_snapshot(error = TRUE, {
    encode_record(list(x = structure(1, class = "nothing")))
    encode_record(list(x = structure(list(1, 2), class = "vctrs_rcrd")))
    encode_row(list(x = list(a = structure(list2env(list()), class = "R6"))))
    encode_row(list(x = asS4(structure(1, class = "Period"))))
  })
})

test_that("other classes are sent as what they are made of, and come back", {
  types <- class_types()
  refused <- c(
    "dist", "POSIXlt", "POSIXlt_column", "model_frame", "model", "formula", "function_value", "call", "environment",
    "pointer", "S4", "function_attribute"
  )
  for (name in setdiff(names(types), refused)) {
    x <- types[[name]]
    got <- decode_row(encode_row(list(x = x)))$x
    expect_identical(as_documented(got), as_documented(x), info = name)
  }
  # Whatever can come back as it is, does.
  behind <- c("spec_tbl", "grouped", "rowwise", "grouped_data", "frame_in_frame", "frames_of_class")
  for (name in setdiff(names(types), c(refused, behind))) {
    expect_identical(decode_row(encode_row(list(x = types[[name]])))$x, types[[name]], info = name)
  }
  expect_identical(class(decode_row(encode_row(types["grouped"]))$grouped), c("tbl_df", "tbl", "data.frame"))
  expect_identical(
    decode_row(encode_row(types["grouped_data"]))$grouped_data, data.frame(g = c("a", "b", "a"), x = c(1, NA, 3))
  )
})

test_that("a data.table that comes back can be changed in place", {
  skip_if_not_installed("data.table")
  sent <- data.table::data.table(x = 1:3, l = list(1L, 2:3, NULL))
  in_list <- list(sent)
  changed <- function(table) {
    expect_silent(data.table::set(table, j = "y", value = 7))
    expect_identical(table$y, rep(7, 3))
    expect_silent(eval(quote(table[, z := x]), list(table = table), asNamespace("data.table")))
    expect_identical(table$z, 1:3)
  }
  for (got in list(
    decode_record(encode_record(sent)), decode_row(encode_row(list(x = sent)))$x,
    decode_row(encode_row(list(x = in_list)))$x[[1]], decode_record(encode_record(list(t = sent)))$t
  )) {
    expect_identical(got, sent)
    expect_gt(data.table::truelength(got), length(got))
    changed(got)
  }
  keyed <- data.table::data.table(x = 3:1, key = "x")
  expect_identical(decode_record(encode_record(keyed)), keyed)
})

test_that("a data.table that came back before its package was there can be changed in place", {
  skip_if_not_installed("data.table")
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(data.table::data.table(x = 1:2), file)
  session <- other_session(c(
    sprintf("x <- readRDS('%s')", file),
    "got <- mangoro:::decode_record(mangoro:::encode_record(x))",
    "stopifnot(!isNamespaceLoaded('data.table'), identical(got, x))",
    "library(data.table, warn.conflicts = FALSE)", "options(warn = 2)", "got[, y := x + 1L]", "cat(got$y, '\\n')"
  ))
  session$wait(60000)
  expect_identical(session$read_all_output(), "2 3 \n")
})

test_that("a class of a peer must be one for its type", {
  with_class <- function(x, ...) {
    bytes <- encode_record(list(x = structure(x, class = c("aaaaaaaaaa", oldClass(x)))))
    at <- grepRaw("aaaaaaaaaa", bytes, fixed = TRUE)
    bytes[at + 0:9] <- charToRaw(formatC(..., width = -10, flag = " "))
    decode_record(bytes)
  }
  expect_identical(oldClass(with_class(1, "stranger")$x), "stranger  ")
  for (class in c("data.frame", "vctrs_rcrd")) {
    bytes <- encode_record(list(x = structure(1, class = strrep("a", nchar(class)))))
    bytes[grepRaw(strrep("a", nchar(class)), bytes, fixed = TRUE) + seq_len(nchar(class)) - 1] <- charToRaw(class)
    expect_error(decode_record(bytes), "class", class = "mangoro_error_protocol")
  }
})
