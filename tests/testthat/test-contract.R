# What R and Go must say in the same words: read from the Go sources.

# The names and values of constants that `pattern` finds, in two groups.
go_constants <- function(pattern) {
  files <- list.files(c(go_file("pkg"), go_file("internal")), "\\.go$", recursive = TRUE, full.names = TRUE)
  lines <- unlist(lapply(files[!endsWith(files, "_test.go")], read_utf8))
  found <- Filter(length, regmatches(lines, regexec(pattern, lines)))
  rlang::set_names(vapply(found, `[[`, "", 3), vapply(found, `[[`, "", 2))
}

test_that("the codes of errors are those of Go", {
  codes <- go_constants("^\t(Code[A-Za-z]+) +Code = \"([a-z_]+)\"")
  expect_setequal(codes, error_codes)
})

test_that("the types of messages are those of Go", {
  types <- go_constants("^\tMsgType([A-Za-z]+) +uint8 = ([0-9]+)")
  words <- gsub("(?<=[a-z])(?=[A-Z])", "_", names(types), perl = TRUE)
  types <- rlang::set_names(as.integer(types), tolower(words))
  expect_mapequal(types, message_types)
})

test_that("the kinds of events are those of Go", {
  expect_setequal(go_constants("^\tevent([A-Za-z]+) += \"([a-z]+)\""), event_kinds)
  warnings <- go_constants("^const (maxWarnings) += ([0-9]+)")
  expect_lte(as.integer(warnings) + length(event_kinds) - 1, max_events)
})

test_that("the types of arguments and results are those of Go", {
  types <- go_constants("^\t(Type[A-Za-z0-9]+) += \"([a-z0-9]+)\"")
  expect_setequal(types, c(typed, "any", "dynamic", "record", "stream", "object", "function", "null"))
})

test_that("the package documents each class of conditions", {
  documented <- unlist(lapply(tools::Rd_db("mangoro")[["mangoro-package.Rd"]], as.character))
  documented <- unlist(regmatches(documented, gregexpr("mangoro_error_[a-z_]+", documented)))
  expect_setequal(documented, paste0("mangoro_error_", error_codes))
})
