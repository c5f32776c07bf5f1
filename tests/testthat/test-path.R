test_that("absolute paths are told from relative ones, on each system", {
  absolute <- c("/", "/a/b", "\\\\server\\share", "C:\\a", "c:/a")
  relative <- c("a", "./a", "~/a", "a/b:c", NA)
  for (windows in c(TRUE, FALSE)) {
    local_mocked_bindings(is_windows = function() windows)
    expect_identical(is_absolute(absolute), c(TRUE, TRUE, windows, windows, windows))
    expect_false(any(is_absolute(relative)))
  }
  withr::local_dir(withr::local_tempdir())
  expect_identical(absolute_path("a/b"), file.path(getwd(), "a/b"))
  expect_identical(absolute_path("/a/../b"), "/a/../b")
  expect_identical(absolute_path("~/a"), path.expand("~/a"))
  home <- path.expand("~")
  expect_identical(
    absolute_path(c(x = NA, y = "", z = "~", w = "~/\u00e9", v = "a\\b", u = ".")),
    c(x = NA, y = "", z = home, w = paste0(home, "/\u00e9"), v = paste0(getwd(), "/a\\b"), u = paste0(getwd(), "/."))
  )
  expect_identical(absolute_path(character()), character())
  local_mocked_bindings(getwd = function() "/", .package = "base")
  expect_identical(absolute_path("a"), "/a")
})

test_that("a path is below a directory by whole names", {
  expect_identical(is_below(c("/a/b", "/a/b/c", "/a/bc", "/a", "b"), "/a/b"), c(TRUE, TRUE, FALSE, FALSE, FALSE))
  expect_identical(
    replace_prefix(c("/a/b/c", "/a/b", "/a/bc/d", "x"), "/a/b", "new"),
    c("new/c", "/a/b", "/a/bc/d", "x")
  )
})

test_that("links are resolved, whether or not a file is there", {
  skip_on_os("windows")
  dir <- normalizePath(withr::local_tempdir())
  dir.create(file.path(dir, "real"))
  file.symlink("real", file.path(dir, "link"))
  expect_identical(real_path(file.path(dir, "link")), file.path(dir, "real"))
  expect_identical(real_path("/nonexistent/a"), "/nonexistent/a")
})

test_that("a path comes back from Go as it went there", {
  path <- c("/a/b", "\u00e9/\u4e2d", "a b", "\xff")
  there <- go_path(path)
  expect_identical(Encoding(there)[[2]], "UTF-8")
  expect_identical(lapply(system_path(there), charToRaw), lapply(path, charToRaw))
  expect_identical(system_path(NA_character_), NA_character_)
})

test_that("the system has a name, and Windows is one of them", {
  expect_match(os_name(), "^[a-z]+$")
  expect_identical(is_windows(), os_name() == "windows")
})
