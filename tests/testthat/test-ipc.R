test_that("addresses are new each time and start with the prefix", {
  urls <- replicate(10, create_ipc_path("abc"))
  expect_length(unique(urls), 10)
  expect_true(all(startsWith(urls, "ipc://")))
  expect_true(all(startsWith(basename(urls), "abc")))
  expect_false(any(file.exists(sub("^ipc://", "", urls))))
})

test_that("the path is absolute and in the session's own directory on Unix", {
  skip_on_os("windows")
  dir <- dirname(sub("^ipc://", "", create_ipc_path()))
  expect_identical(dirname(dir), tempdir())
  expect_identical(format(file.mode(dir)), "700")
})

test_that("a path that is too long for a socket goes below /tmp", {
  skip_on_os("windows")
  for (os in c("linux", "darwin")) {
    url <- ipc_path("abc", os, dir = strrep("/a", 60))
    path <- sub("^ipc://", "", url)
    expect_lte(nchar(path, "bytes"), 103)
    expect_identical(dirname(dirname(path)), "/tmp")
    expect_identical(format(file.mode(dirname(path))), "700")
  }
  expect_error(ipc_path(strrep("a", 120), "linux", tempdir()), class = "mangoro_error_invalid_argument")
})

test_that("on Windows the address is the name of a pipe", {
  url <- ipc_path("abc", "windows", "C:\\Temp")
  expect_match(url, "^ipc://abc[[:alnum:]-]+$")
})

test_that("a prefix that is no name is refused", {
  for (prefix in list("a/b", "a\\b", "", NA_character_, 1, NULL, c("a", "b"))) {
    expect_error(create_ipc_path(prefix), class = "mangoro_error_invalid_argument")
  }
})
