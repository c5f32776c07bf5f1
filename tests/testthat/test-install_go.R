# A site like Go's own: a directory with an index and archives, served by the file
# server of the package. `index` is a function of the good index.
local_site <- function(index = identity, env = parent.frame()) {
  skip_on_os("windows")
  dir <- withr::local_tempdir(.local_envir = env)
  data <- withr::local_tempdir(.local_envir = env)
  # In a check nothing is downloaded, and the cache is another one.
  withr::local_options(mangoro.cache_dir = cache_dir(), .local_envir = env)
  withr::local_envvar(R_USER_DATA_DIR = data, `_R_CHECK_PACKAGE_NAME_` = NA, .local_envir = env)
  archive <- file.path(dir, "go1.99.1.tar.gz")
  tree <- local_files("go/bin/go" = c("#!/bin/sh", "echo go version go1.99.1 linux/amd64"), "go/VERSION" = "go1.99.1")
  Sys.chmod(file.path(tree, "go", "bin", "go"), "0755")
  withr::with_dir(tree, utils::tar(archive, "go", "gzip", tar = "internal"))
  platform <- go_platform()
  file <- list(
    filename = basename(archive), os = platform$os, arch = platform$arch, version = "go1.99.1",
    sha256 = cli::hash_file_sha256(archive), size = file.size(archive), kind = "archive"
  )
  entry <- index(list(list(version = "go1.99.1", stable = TRUE, files = list(file))))
  writeLines(jsonlite::toJSON(entry, auto_unbox = TRUE), file.path(dir, "index.html"))
  http <- local_start("cmd/http-server", frame = env)
  started <- mangoro_http_start(http, "127.0.0.1:0", dir = dir)
  withr::local_options(
    mangoro.go_site = sub("^HTTP server started on ", "http://", started$message), .local_envir = env
  )
  list(dir = dir, archive = archive, data = data)
}

left_behind <- function(site) list.files(site$data, recursive = TRUE, all.files = TRUE)

test_that("the newest release is downloaded, checked and found", {
  site <- local_site()
  go <- expect_invisible(mangoro_install_go(quiet = TRUE))
  expect_identical(go, file.path(go_install_dir(), "go1.99.1", "bin", "go"))
  expect_identical(processx::run(go)$stdout, "go version go1.99.1 linux/amd64\n")
  expect_identical(installed_places(), go)
  expect_true(go %in% go_candidates()$path)
  expect_setequal(list.files(go_install_dir(), all.files = TRUE, no.. = TRUE), "go1.99.1")
  # A second time nothing is downloaded.
  unlink(site$archive)
  expect_identical(mangoro_install_go("1.99.1", quiet = TRUE), go)
  expect_identical(mangoro_install_go("go1.99.1", quiet = TRUE), go)
})

test_that("what is not what was published is refused, and nothing is left", {
  site <- local_site()
  good <- readBin(site$archive, "raw", 1e6)
  expect_snapshot(error = TRUE, transform = function(lines) {
    lines <- gsub("[0-9a-f]{64}", "<sha256>", gsub("http://127.0.0.1:[0-9]+", "<site>", lines))
    lines <- gsub("[0-9]+ (bytes|came)", "<n> \\1", lines)
    # Each R has words of its own.
    sub("(downloaded length|cannot open URL) .*", "<what R says>", lines)
  }, {
    writeBin(rev(good), site$archive)
    mangoro_install_go(quiet = TRUE)
    writeBin(head(good, -10), site$archive)
    mangoro_install_go(quiet = TRUE)
    unlink(site$archive)
    mangoro_install_go(quiet = TRUE)
    mangoro_install_go("1.99.2", quiet = TRUE)
  })
  expect_identical(left_behind(site), character())
})

test_that("an index without this platform, or that is not one, is an error", {
  site <- local_site(function(index) {
    index[[1]]$files[[1]]$arch <- "vax"
    index
  })
  expect_error(mangoro_install_go(quiet = TRUE), "has no go1.99.1 for", class = "mangoro_error_toolchain")
  for (json in c("[]", "{", "{\"a\": 1}", "[{\"version\": \"../x\", \"files\": []}]")) {
    writeLines(json, file.path(site$dir, "index.html"))
    expect_error(mangoro_install_go(quiet = TRUE), class = "mangoro_error_toolchain", info = json)
  }
  expect_identical(left_behind(site), character())
})

test_that("a name in the index cannot lead out of the directory", {
  for (field in c("filename", "sha256")) {
    local_site(function(index) {
      index[[1]]$files[[1]][[field]] <- "../../x"
      index
    })
    expect_error(mangoro_install_go(quiet = TRUE), class = "mangoro_error_toolchain")
  }
})

test_that("a person is asked first, and nothing happens in a check", {
  site <- local_site()
  asked <- NULL
  local_mocked_bindings(confirm = function(question) {
    asked <<- question
    FALSE
  })
  expect_null(mangoro_install_go(ask = TRUE, quiet = TRUE))
  expect_match(asked, "Download go1.99.1")
  expect_identical(left_behind(site), character())
  withr::local_envvar(`_R_CHECK_PACKAGE_NAME_` = "mangoro")
  expect_error(mangoro_install_go(), class = "mangoro_error_toolchain")
})

test_that("arguments of mangoro_install_go() are checked, and the site", {
  expect_snapshot(error = TRUE, {
    mangoro_install_go(1.27)
    mangoro_install_go("newest")
    mangoro_install_go("1.20")
    mangoro_install_go(ask = NA)
  })
  withr::local_options(mangoro.go_site = "http://127.0.0.1:1")
  expect_error(mangoro_install_go(quiet = TRUE), class = "mangoro_error_toolchain")
})

test_that("platforms are called as Go calls them", {
  expect_identical(go_platform("linux", "x86_64"), list(os = "linux", arch = "amd64"))
  expect_identical(go_platform("darwin", "arm64")$arch, "arm64")
  expect_identical(go_platform("linux", "aarch64")$arch, "arm64")
  expect_identical(go_platform("windows", "x86-64")$arch, "amd64")
})
