# What the handle of a site tells.

test_that("the last requests are a data frame", {
  site <- local_site(local_files(a.txt = "hello", "b.bin" = strrep("x", 100)))
  empty <- mangoro_logs(site)
  expect_identical(nrow(empty), 0L)
  request_raw(site, "/b.bin", "Range: bytes=0-9")
  request_raw(site, "/a%20b?token=secret", method = "HEAD")
  logs <- mangoro_logs(site)
  expect_identical(sapply(logs, typeof), c(
    time = "double", method = "character", path = "character", status = "integer", bytes = "double",
    range = "character", duration = "double", client = "character"
  ))
  expect_identical(sapply(empty, typeof), sapply(logs, typeof))
  expect_s3_class(logs$time, "POSIXct")
  expect_lt(abs(as.double(Sys.time() - logs$time[[1]], units = "mins")), 5)
  expect_identical(units(logs$duration), "secs")
  expect_identical(logs$method, c("GET", "HEAD"))
  expect_identical(logs$path, c("/b.bin", "/a b"))
  expect_identical(logs$status, c(206L, 404L))
  expect_identical(logs$bytes[[1]], 10)
  expect_identical(logs$range, c("bytes=0-9", NA))
  expect_match(logs$client, "^127[.]0[.]0[.]1:[0-9]+$")
  expect_identical(mangoro_logs(site, n = 1)$method, "HEAD")
  expect_identical(nrow(mangoro_logs(site, n = Inf)), 2L)
  expect_type(mangoro_logs(site, stream = "stderr"), "character")
  expect_error(mangoro_logs(site, n = 0), class = "mangoro_error_invalid_argument")
})

test_that("`silent = FALSE` writes log lines", {
  site <- local_site(local_files(a.txt = "hello"), silent = FALSE)
  read_url(site, "a.txt")
  mangoro_stop(site)
  expect_match(mangoro_logs(site, stream = "stdout"), "GET /a.txt", all = FALSE)
})

test_that("a site can be looked at", {
  dir <- local_files(a.txt = "hello")
  site <- local_site(dir, name = "docs")
  request_raw(site, "/a.txt", "Range: bytes=0-1")
  scrub <- function(lines) {
    lines <- gsub(dir, "<dir>", lines, fixed = TRUE)
    lines <- gsub("pid [0-9]+", "pid <pid>", gsub(":[0-9]{4,5}/", ":<port>/", lines))
    gsub("[0-9.]+ ms", "<time> ms", gsub("[0-9]{2}:[0-9]{2}:[0-9]{2}", "<time>", lines))
  }
  expect_snapshot(transform = scrub, {
    site
    str(site)
    mangoro_stop(site)
    site
  })
  expect_identical(names(site), character())
  expect_identical(summary(site), mangoro_status(site))
})

test_that("requests are columns that are easy to read", {
  requests <- data.frame(
    time = .POSIXct(c(0, 1), "UTC"), method = c("GET", "HEAD"), path = c("/a\n.txt", "/"),
    status = c(206L, 404L), bytes = c(1e7, 5),
    range = c("bytes=0-9", NA), duration = as.difftime(c(0.00008, 1.5), units = "secs"), client = "127.0.0.1:1"
  )
  expect_identical(format_requests(requests), c(
    "  00:00:00 GET /a\\n.txt  206  10 MB  bytes=0-9  0.08 ms",
    "  00:00:01 HEAD /         404    5 B             1500 ms"
  ))
  requests$range <- NA_character_
  expect_identical(format_requests(requests[2, ]), "  00:00:01 HEAD /  404  5 B  1500 ms")
  expect_identical(format_requests(requests[0, ]), character())
})

test_that("a site that is busy is shown nevertheless", {
  skip_on_os("windows")
  site <- local_site(local_files(a.txt = "hello"))
  process <- server_of(site)$process
  suspend(process)
  shown <- format(site)
  process$resume()
  expect_match(shown, "is busy", all = FALSE)
})

test_that("elements of a site are told where they are", {
  site <- local_site(local_files(a.txt = "hello"))
  expect_error(site$url, "mangoro_status()", fixed = TRUE, class = "mangoro_error_not_found")
  expect_error(site[["url"]], class = "mangoro_error_not_found")
})
