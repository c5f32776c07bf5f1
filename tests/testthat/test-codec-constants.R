# What C and Go, or C and the documentation, both know.

# The constants of Go's internal/arrowipc, as it is installed: those that are given
# a number, and those that count on with iota.
go_constants <- function() {
  dir <- system.file("go", "internal", "arrowipc", package = "mangoro", mustWork = TRUE)
  files <- list.files(dir, "[.]go$", full.names = TRUE)
  lines <- unlist(lapply(files[!grepl("_test[.]go$", files)], readLines))
  number <- "^\\s*(?:const )?(\\w+)\\s*=\\s*([0-9]+)(?:\\s*<<\\s*([0-9]+))?\\s*(?://.*)?$"
  found <- regmatches(lines, regexec(number, lines))
  found <- Filter(length, found)
  shift <- vapply(found, function(x) if (nzchar(x[[4]])) as.numeric(x[[4]]) else 0, 0)
  values <- stats::setNames(as.numeric(vapply(found, `[[`, "", 3)) * 2^shift, vapply(found, `[[`, "", 2))
  first <- grep("^\\s*typeNull = iota \\+ 1", lines)
  end <- first + which(lines[-seq_len(first)] == ")")[[1]] - 1
  types <- sub("^\\s*(\\w+).*", "\\1", lines[first:end])
  c(values, stats::setNames(seq_along(types), types))
}

# "FIXED_LIST" in C is "fixedList" in Go.
as_in_go <- function(names) gsub("_([a-z0-9])", "\\U\\1", tolower(names), perl = TRUE)

test_that("C and Go have the same limits and numbers of the format", {
  go <- go_constants()
  limits <- .Call(c_constants)$limits
  names(limits) <- as_in_go(names(limits))
  expect_equal(go[names(limits)], limits)
})

test_that("C and Go number Arrow's types alike, and neither knows one more", {
  go <- go_constants()
  types <- .Call(c_constants)$types
  names(types) <- as_in_go(paste0("type_", names(types)))
  expect_gt(length(types), 20)
  expect_equal(go[grepl("^type[A-Z]", names(go))], types)
})

# What comes back the same is tested for each of these objects.
test_that("each class that C knows is one of an object of the table of types", {
  objects <- c(vector_types(), frame_types(), value_types())
  objects <- c(objects, unlist(lapply(Filter(is.data.frame, objects), as.list), recursive = FALSE))
  classes <- unique(unlist(lapply(objects, function(x) c(class(x), typeof(x)))))
  expect_in(.Call(c_constants)$classes, classes)
})

test_that("C and Go have the same limit and tags of values of any", {
  go <- readLines(system.file("go", "internal", "codec", "dynamic_tree.go", package = "mangoro", mustWork = TRUE))
  found <- regmatches(go, regexec("^\\s*(maxNesting|tag[A-Za-z]+) = ([0-9]+)$", go))
  found <- Filter(length, found)
  numbers <- stats::setNames(as.numeric(vapply(found, `[[`, "", 3)), vapply(found, `[[`, "", 2))
  constants <- .Call(c_constants)$dynamic
  names(constants) <- as_in_go(names(constants))
  expect_equal(numbers[names(constants)], constants)
})

# The constants of a file of Go, whose values may be made of those before them.
go_values <- function(...) {
  lines <- readLines(system.file("go", ..., package = "mangoro", mustWork = TRUE))
  constant <- "^\\s*(?:const )?(\\w+)\\s*= ([-+*0-9A-Za-z ]+?)\\s*(?://.*)?$"
  found <- Filter(length, regmatches(lines, regexec(constant, lines)))
  values <- new.env(parent = baseenv())
  for (x in found) {
    value <- tryCatch(eval(str2lang(x[[3]]), values), error = function(cnd) NULL)
    if (is.numeric(value)) assign(x[[2]], value, values)
  }
  unlist(as.list(values))
}

test_that("C and Go have the same layout of a lane", {
  go <- go_values("internal", "lane", "layout.go")
  lane <- .Call(c_constants)$lane
  named <- as_in_go(sub("^lane_", "", tolower(names(lane))))
  others <- c(
    version = "Version", magic = "magicAt", token = "tokenAt", settled = "settledAt", ringSlotSize = "slotSize",
    offerFd = "offerFD", ring = "ringAt", size = "Size"
  )
  named <- ifelse(named %in% names(others), others[named], named)
  expect_equal(go[named], stats::setNames(lane, named))
})

test_that("C and Go have the same sizes of what messages by reference refer to", {
  go <- go_values("pkg", "rgoipc", "references.go")
  parts <- .Call(c_constants)$parts
  expect_equal(go[["referencesLen"]], parts[["PARTS_HEADER"]])
  expect_equal(go[["partLen"]], parts[["PART_SIZE"]])
})
