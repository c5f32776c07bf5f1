# mangoro_serve(): what it serves, starts, replaces and refuses.

test_that("a directory is served, told of, stopped and served again", {
  dir <- local_files(a.txt = "hello", ".env" = "secret", ".hidden" = "dot")
  site <- local_site(dir)
  expect_s3_class(site, c("mangoro_site", "mangoro_handle"), exact = TRUE)
  status <- mangoro_status(site)
  expect_match(status$url, "^http://127[.]0[.]0[.]1:[1-9][0-9]*/$")
  expect_identical(read_url(site, "a.txt"), "hello")
  expect_identical(status_of(site, "/.env"), 404L)
  expect_identical(status_of(site, "/.hidden"), 404L)

  status <- mangoro_status(site)
  expect_identical(status[c("state", "exit_status", "name", "prefix", "directory")], data.frame(
    state = "running", exit_status = NA_integer_, name = basename(dir), prefix = "/", directory = dir
  ))
  expect_identical(vapply(status, typeof, ""), c(
    state = "character", pid = "integer", exit_status = "integer", url = "character", name = "character",
    prefix = "character", directory = "character", requests = "double", bytes = "double", errors = "double"
  ))
  expect_gte(status$requests, 3)
  expect_identical(status$errors, 0)
  expect_true(mangoro_is_alive(site))

  url <- status$url
  expect_null(mangoro_stop(site))
  expect_null(mangoro_stop(site))
  expect_error(suppressWarnings(readLines(url)))
  expect_identical(mangoro_status(site)$state, "stopped")
  expect_identical(mangoro_status(site)$requests, NA_real_)
  expect_length(mangoro_sites(), 0)
  mangoro_restart(site)
  expect_identical(url_of(site), url)
  expect_identical(read_url(site, "a.txt"), "hello")
  close(site)
})

test_that("URLs are right for any prefix and token", {
  dir <- local_files(a.txt = "hello")
  for (prefix in c("a?b#c", "%41", "a b/c", "a\nb", "[x]&;")) {
    site <- local_site(rlang::set_names(dir, prefix), name = "site")
    expect_identical(read_url(site, "a.txt"), "hello")
    expect_identical(mangoro_status(site)$requests, 1)
  }
  site <- local_site(dir, auth = "a%41b+&=#/", name = "site")
  expect_identical(readLines(sub("/?", "/a.txt?", url_of(site), fixed = TRUE)), "hello")
})

test_that("several directories have prefixes", {
  one <- local_files(a.txt = "one")
  two <- local_files(a.txt = "two")
  site <- local_site(c("/" = one, "data/bam/" = two))
  expect_identical(read_url(site, "a.txt"), "one")
  expect_identical(read_url(site, "data/bam/a.txt"), "two")
  status <- mangoro_status(site)
  expect_identical(status$prefix, c("/", "/data/bam/"))
  expect_identical(status$directory, c(one, two))
  expect_identical(status$requests, c(1, 1))
  expect_identical(status$bytes, c(4, 4))
  expect_identical(readLines(paste0(status$url[[2]], "a.txt")), "two")
  mangoro_stop(site)

  site <- local_site(c(one, two))
  expect_identical(mangoro_status(site)$prefix, paste0("/", basename(c(one, two)), "/"))
})

test_that("a relative directory is R's, and a link is followed when it changes", {
  skip_on_os("windows")
  base <- local_files("v1/a.txt" = "one", "v2/a.txt" = "two")
  withr::local_dir(base)
  file.symlink("v1", "current")
  site <- local_site("current")
  here <- local_site("./v1/.")
  withr::local_dir(tempdir())
  expect_identical(mangoro_status(here)$directory, file.path(base, "v1"))
  expect_identical(read_url(here, "a.txt"), "one")
  expect_identical(read_url(site, "a.txt"), "one")
  file.symlink("v2", file.path(base, "next"))
  file.rename(file.path(base, "next"), file.path(base, "current"))
  expect_identical(read_url(site, "a.txt"), "two")
  unlink(file.path(base, "v1"), recursive = TRUE)
  expect_identical(mangoro_status(here)$state, "directory missing")
  expect_match(format(here), "(missing)", fixed = TRUE, all = FALSE)
  dir.create(file.path(base, "v1"))
  expect_identical(mangoro_status(here)$state, "running")
})

test_that("a new version is never taken for the old one, whatever its time stamp", {
  dir <- local_files(a.txt = "0123456789")
  file <- file.path(dir, "a.txt")
  Sys.setFileTime(file, "2023-11-14")
  site <- local_site(dir)
  first <- request_raw(site, "/a.txt")
  expect_identical(header_of(first, "cache-control"), "no-cache")
  tag <- paste("If-None-Match:", header_of(first, "etag"))
  date <- paste("If-Range:", header_of(first, "last-modified"))
  expect_identical(status_of(site, "/a.txt", tag), 304L)
  for (time in c("2023-11-14", "2020-09-13")) {
    writeLines(if (time > "2023") "abcdefghij" else "klmnopqrst", file)
    Sys.setFileTime(file, time)
    expect_identical(status_of(site, "/a.txt", tag), 200L)
    expect_identical(status_of(site, "/a.txt", "Range: bytes=5-", date), 200L)
  }
  unlink(dir, recursive = TRUE)
  expect_identical(status_of(site, "/a.txt"), 404L)
  dir.create(dir)
  writeLines("new", file)
  expect_identical(read_url(site, "a.txt"), "new")
})

test_that("the same directory again replaces the site, at its port", {
  dir <- local_files(a.txt = "hello")
  first <- local_site(dir)
  port <- port_of(first)
  second <- local_site(dir, cors = TRUE)
  expect_identical(port_of(second), port)
  expect_identical(mangoro_status(first)$state, "stopped")
  expect_named(mangoro_sites(), basename(dir))
  expect_identical(mangoro_sites()[[1]], second)
  expect_identical(header_of(request_raw(second, "/a.txt"), "access-control-allow-origin"), "*")
})

test_that("a site that cannot be replaced is left alone", {
  dir <- local_files(a.txt = "hello")
  site <- local_site(dir)
  pid <- pid_of(site)
  other <- local_site(local_files(b.txt = "other"))
  refused <- function(...) {
    expect_error(local_site(..., frame = environment()), "cannot be served", class = "mangoro_error_handler")
    expect_identical(mangoro_sites()[[basename(dir)]], site)
    expect_identical(mangoro_status(site)[c("state", "pid")], data.frame(state = "running", pid = pid))
    expect_identical(read_url(site, "a.txt"), "hello")
  }
  refused(dir, headers = c("Content-Length" = "1"))
  refused(dir, port = port_of(site), headers = c("Content-Length" = "1"))
  refused(dir, port = port_of(other))
  expect_identical(read_url(other, "b.txt"), "other")
  again <- local_site(dir, port = port_of(site))
  expect_identical(mangoro_status(site)$state, "stopped")
  expect_identical(nrow(mangoro_logs(again)), 0L)
  expect_identical(read_url(again, "a.txt"), "hello")
  elsewhere <- local_site(dir, host = "localhost", port = 0)
  expect_identical(mangoro_status(again)$state, "stopped")
  expect_identical(read_url(elsewhere, "a.txt"), "hello")
})

test_that("the same directory is served twice, under two names", {
  dir <- local_files(a.txt = "hello")
  one <- local_site(dir, name = "one")
  two <- local_site(dir, name = "two", coop = TRUE)
  expect_setequal(names(mangoro_sites()), c("one", "two"))
  expect_length(header_of(request_raw(one, "/a.txt"), "cross-origin-opener-policy"), 0)
  expect_length(header_of(request_raw(two, "/a.txt"), "cross-origin-opener-policy"), 1)
})

test_that("sites have names, and are found by them", {
  base <- local_files("one/x/a.txt" = "1", "two/x/a.txt" = "2", "three/a.txt" = "3")
  one <- local_site(file.path(base, "one/x"))
  two <- local_site(file.path(base, "two/x"))
  expect_setequal(names(mangoro_sites()), c("x", "x-2"))
  three <- local_site(file.path(base, "three"), name = "x")
  expect_setequal(names(mangoro_sites()), c("x", "x-2"))
  expect_identical(mangoro_status(one)$state, "stopped")
  expect_identical(read_url(mangoro_sites()$x, "a.txt"), "3")
  expect_identical(read_url(two, "a.txt"), "2")
})

test_that("the collector does not end a site", {
  skip_if_no_go()
  mangoro_serve(local_files(a.txt = "hello"), name = "lost", browse = FALSE)
  gc()
  site <- mangoro_sites()$lost
  expect_identical(read_url(site, "a.txt"), "hello")
  mangoro_stop(site)
})

test_that("a site that crashed is started again as it was", {
  skip_on_os("windows")
  dir <- local_files(a.txt = "hello", "b/c.txt" = "more")
  site <- local_site(c("/" = dir, b = file.path(dir, "b")), auth = TRUE, headers = c("X-Test" = "yes"))
  urls <- url_of(site)
  expect_match(urls, "[?]token=[0-9a-f]{32}$")
  tools::pskill(pid_of(site)[[1]], tools::SIGKILL)
  wait_for_end(pid_of(site)[[1]])
  expect_identical(mangoro_status(site)$state, c("ended", "ended"))
  expect_identical(mangoro_status(site)$exit_status, rep(-9L, 2))
  expect_match(format(site), "was killed by signal 9", all = FALSE)
  expect_error(mangoro_logs(site), "mangoro_restart", class = "mangoro_error_connection")
  mangoro_restart(site)
  expect_identical(url_of(site), urls)
  answer <- request_raw(site, sub("^http://[^/]*/", "/a.txt", urls[[1]]))
  expect_match(answer[[1]], "200 OK")
  expect_identical(header_of(answer, "x-test"), "yes")
  expect_named(mangoro_sites(), basename(dir))
})

test_that("a port that was taken meanwhile is replaced, if the user chose none", {
  dir <- local_files(a.txt = "hello")
  site <- local_site(dir)
  port <- port_of(site)
  mangoro_stop(site)
  other <- local_site(local_files(b.txt = "other"), port = port)
  expect_message(mangoro_restart(site), "is taken", class = "mangoro_message_site")
  expect_false(port_of(site) == port)
  expect_identical(read_url(site, "a.txt"), "hello")

  expect_error(
    mangoro_serve(local_files(a.txt = "x"), port = port, browse = FALSE), as.character(port),
    class = "mangoro_error_handler"
  )
  expect_identical(read_url(other, "b.txt"), "other")
})

test_that("a site whose directory is gone is not started again", {
  dir <- local_files("inner/a.txt" = "hello")
  site <- local_site(file.path(dir, "inner"))
  unlink(file.path(dir, "inner"), recursive = TRUE)
  pid <- pid_of(site)
  expect_error(mangoro_restart(site), "inner", class = "mangoro_error_handler")
  expect_identical(mangoro_status(site)[c("state", "pid")], data.frame(state = "directory missing", pid = pid))
  expect_named(mangoro_sites(), "inner")
  dir.create(file.path(dir, "inner"))
  writeLines("new", file.path(dir, "inner", "a.txt"))
  expect_identical(read_url(site, "a.txt"), "new")
  mangoro_restart(site)
  expect_identical(read_url(site, "a.txt"), "new")
  expect_false(pid_of(site) == pid)

  unlink(file.path(dir, "inner"), recursive = TRUE)
  mangoro_stop(site)
  expect_error(mangoro_restart(site), "There is no directory", class = "mangoro_error_handler")
  expect_identical(mangoro_status(site)$state, "stopped")
})

test_that("what is said, and to whom", {
  dir <- local_files(a.txt = "hello")
  expect_message(site <- local_site(dir, quiet = FALSE), "^Serving .* at http://127", class = "mangoro_message_site")
  expect_silent(site <- local_site(dir, quiet = TRUE))
  expect_message(
    site <- local_site(c("/" = dir, "a b" = dir), name = "two", quiet = FALSE),
    "^Serving 2 directories:\n. .* at http://127[.]0[.]0[.]1:[0-9]+/\n. .*/a%20b/"
  )
})

test_that("that others can read a site is told, and at which addresses", {
  dir <- local_files(a.txt = "hello")
  own <- unname(nanonext::ip_addr())
  local_mocked_bindings(ip_addr = function() c(eth0 = "198.51.100.7", eth1 = "198.51.100.8"), .package = "nanonext")
  told <- function(...) {
    cnd <- expect_message(
      site <- local_site(dir, public = TRUE, quiet = FALSE, ...), "198.51.100.7:",
      fixed = TRUE, class = "mangoro_message_public"
    )
    expect_match(conditionMessage(cnd), "198.51.100.8:", fixed = TRUE)
    expect_gt(status_of(site, "/a.txt"), 199)
    conditionMessage(cnd)
  }
  expect_match(told(), "Anyone who can reach this machine can read these files.", fixed = TRUE)
  expect_match(told(host = "0.0.0.0", auth = TRUE), "this machine and has the token can read", fixed = TRUE)
  expect_match(told(auth = c(user = "a", password = "b")), "this machine and knows the password can read", fixed = TRUE)
  # One address is that of the site.
  skip_if(length(own) == 0, "no network")
  cnd <- expect_message(
    local_site(dir, host = own[[1]], public = TRUE, quiet = FALSE), own[[1]],
    fixed = TRUE, class = "mangoro_message_public"
  )
  expect_no_match(conditionMessage(cnd), "198.51.100", fixed = TRUE)
})

test_that("a site is opened in the viewer, and a viewer that fails is no error", {
  shown <- NULL
  withr::local_options(viewer = function(url) shown <<- url)
  skip_if_no_go()
  site <- local_handle(mangoro_serve(local_files(a.txt = "hello"), browse = TRUE))
  expect_identical(shown, url_of(site))
  withr::local_options(viewer = function(url) stop("no window"))
  site <- local_handle(mangoro_serve(local_files(a.txt = "hello"), browse = TRUE))
  expect_true(mangoro_is_alive(site))
})

test_that("what is allowed has the prefix where there are several directories", {
  dir <- local_files("certs/ca.pem" = "CA")
  site <- local_site(c(a = dir, b = dir), allow = "/a/certs/ca.pem")
  expect_identical(status_of(site, "/a/certs/ca.pem"), 200L)
  expect_identical(status_of(site, "/b/certs/ca.pem"), 404L)
  site <- local_site(c(a = dir), allow = "certs/ca.pem")
  expect_identical(status_of(site, "/a/certs/ca.pem"), 200L)
})

test_that("origins, hosts, auth, types, headers and ages arrive", {
  dir <- local_files(a.bed = "chr1", ".env" = "secret", index.html = "<p>home", sub.x = "y")
  site <- local_site(
    dir,
    cors = "https://igv.org", hosts = ".lab.org", types = c(x = "text/x-special"), headers = c("X-A" = "b c"),
    max_age = 60, allow = ".env", coop = "cross-origin", fallback = "index.html"
  )
  answer <- request_raw(site, "/a.bed", "Origin: https://igv.org")
  expect_identical(header_of(answer, "access-control-allow-origin"), "https://igv.org")
  expect_identical(header_of(answer, "cross-origin-resource-policy"), "cross-origin")
  expect_match(header_of(answer, "cache-control"), "max-age=60")
  expect_match(header_of(answer, "content-type"), "^text/plain")
  expect_identical(header_of(answer, "x-a"), "b c")
  expect_length(header_of(request_raw(site, "/a.bed", "Origin: https://evil.org"), "access-control-allow-origin"), 0)
  expect_identical(header_of(request_raw(site, "/sub.x"), "content-type"), "text/x-special")
  expect_identical(status_of(site, "/.env"), 200L)
  expect_identical(status_of(site, "/a.bed", host = "files.lab.org"), 200L)
  expect_identical(status_of(site, "/a.bed", host = "evil.example"), 403L)
  expect_identical(status_of(site, "/some/page", "Accept: text/html"), 200L)

  site <- local_site(dir, auth = c(user = "me", password = "s:e"), listing = FALSE)
  expect_identical(status_of(site, "/a.bed"), 401L)
  basic <- paste("Authorization: Basic", jsonlite::base64_enc(charToRaw("me:s:e")))
  expect_identical(status_of(site, "/a.bed", basic), 200L)
  site <- local_site(dir, auth = "top", listing = FALSE)
  expect_identical(status_of(site, "/a.bed", "Authorization: Bearer top"), 200L)
  expect_identical(status_of(site, "/a.bed?token=top"), 200L)
  expect_identical(status_of(site, "/a.bed?token=to"), 401L)
})

test_that("a listing is a page, plain for none, and can be turned off", {
  dir <- local_files("a b.txt" = "hello")
  site <- local_site(dir)
  expect_match(request_raw(site, "/", "Accept: text/html"), "<!doctype html>", ignore.case = TRUE, all = FALSE)
  expect_match(request_raw(site, "/?json"), "\"a b.txt\"", fixed = TRUE, all = FALSE)
  site <- local_site(dir, listing = FALSE)
  expect_identical(status_of(site, "/"), 404L)
  expect_identical(status_of(site, "/a%20b.txt"), 200L)
})

test_that("files whose names are not ASCII are served", {
  skip_if_not(l10n_info()[["UTF-8"]])
  dir <- local_files(a.txt = "hello")
  inner <- file.path(dir, "gr\u00fc\u00df & <b>")
  dir.create(inner)
  writeLines("hi", file.path(inner, "a.txt"))
  site <- local_site(c("/\u00fc b/" = inner))
  expect_identical(readLines(paste0(url_of(site), "a.txt")), "hi")
  expect_identical(mangoro_logs(site)$path, "/\u00fc b/a.txt")
})

test_that("HTTPS needs no more than `tls = TRUE`, and no server serves a key", {
  withr::local_envvar(R_USER_CONFIG_DIR = withr::local_tempdir())
  dir <- local_files(a.txt = "hello")
  pair <- mangoro_certificate()
  expect_identical(dirname(pair$key), tools::R_user_dir("mangoro", "config"))
  if (!is_windows()) expect_identical(format(file.mode(pair$key)), "600")
  before <- readLines(pair$cert)
  expect_match(before[[1]], "localhost, 127.0.0.1, ::1, until 20", fixed = TRUE)
  expect_identical(mangoro_certificate(), pair)
  expect_identical(readLines(pair$cert), before)

  # Under a name that says nothing.
  file.copy(c(pair$cert, pair$key), file.path(dir, c("c.txt", "k.txt")))
  other <- local_site(dir, name = "other")
  expect_identical(status_of(other, "/k.txt"), 200L)
  pem <- file.path(dir, c("c.txt", "k.txt"))
  site <- local_site(local_files(b.txt = "safe"), tls = TRUE, cert = pem[[1]], key = pem[[2]])
  expect_identical(status_of(other, "/k.txt"), 404L)
  mangoro_stop(other)
  later <- local_site(dir, name = "later")
  expect_identical(status_of(later, "/k.txt"), 404L)
  expect_identical(status_of(later, "/a.txt"), 200L)

  site <- local_site(local_files(b.txt = "usual"), tls = TRUE)
  expect_match(url_of(site), "^https://")
  skip_if(!nzchar(Sys.which("curl")), "no curl")
  read <- processx::run("curl", c("-sS", "--cacert", pair$cert, paste0(url_of(site), "b.txt")))
  expect_identical(read$stdout, "usual\n")
})

test_that("a certificate is made anew before its end, and for other hosts", {
  skip_if_no_go()
  dir <- withr::local_tempdir()
  first <- mangoro_certificate(dir = dir)
  lines <- readLines(first$cert)
  writeLines(c(sub("until .*", paste("until", Sys.Date() + 10), lines[[1]]), lines[-1]), first$cert)
  mangoro_certificate(dir = dir)
  renewed <- readLines(first$cert)
  expect_false(identical(renewed[-1], lines[-1]))
  mangoro_certificate(c("localhost", "a.lab.org"), dir = dir)
  expect_match(readLines(first$cert)[[1]], "for localhost, a.lab.org, until", fixed = TRUE)
  expect_error(mangoro_certificate("a b", dir = dir), class = "mangoro_error_handler")
})

test_that("two sessions do not disturb each other", {
  skip_on_cran()
  dir <- local_files(a.txt = "hello")
  site <- local_site(dir)
  session <- other_session(c(
    sprintf("site <- mangoro_serve('%s', browse = FALSE)", dir),
    "cat('at', mangoro_status(site)$url, '\\n')", "invisible(file('stdin', 'r'))", "Sys.sleep(3600)"
  ))
  withr::defer(session$kill_tree())
  seen <- ""
  while (!grepl("/ \n", seen)) {
    if (session$poll_io(60000)[["output"]] != "ready") stop("the session printed only: ", seen)
    seen <- paste0(seen, session$read_output())
  }
  url <- sub(".*at (http[^ ]*) .*", "\\1", seen)
  expect_false(url == url_of(site))
  expect_identical(readLines(paste0(url, "a.txt")), "hello")
  session$kill()
  expect_identical(read_url(site, "a.txt"), "hello")
})

test_that("a handle that was saved tells where the files are", {
  site <- local_site(local_files(a.txt = "hello"))
  file <- withr::local_tempfile()
  saveRDS(site, file)
  saved <- readRDS(file)
  expect_match(format(saved), "lost: ", all = FALSE)
  expect_identical(mangoro_status(saved)$state, "lost")
  told <- paste("Any program can read its files, at", url_of(site))
  for (f in list(mangoro_stop, mangoro_logs, mangoro_restart)) {
    expect_error(f(saved), told, fixed = TRUE, class = "mangoro_error_connection")
  }
  expect_identical(read_url(site, "a.txt"), "hello")
})

test_that("a fork cannot use a site", {
  skip_on_os("windows")
  site <- local_site(local_files(a.txt = "hello"))
  job <- parallel::mcparallel(list(
    state = mangoro_status(site)$state, found = length(mangoro_sites()),
    stop = tryCatch(mangoro_stop(site), error = function(cnd) list(class = class(cnd), message = conditionMessage(cnd)))
  ))
  result <- parallel::mccollect(job)[[1]]
  expect_identical(result$state, "lost")
  expect_identical(result$found, 0L)
  expect_true("mangoro_error_connection" %in% result$stop$class)
  expect_match(result$stop$message, paste("It can read its files, at", url_of(site)), fixed = TRUE)
  expect_identical(read_url(site, "a.txt"), "hello")
})

test_that("arguments are checked before anything is started", {
  local_mocked_bindings(start_server = function(...) stop("started"))
  dir <- withr::local_tempdir()
  refused <- function(...) {
    expect_error(mangoro_serve(..., browse = FALSE), class = "mangoro_error_invalid_argument")
  }
  for (bad in list(
    1, NA_character_, "", character(), file.path(dir, "none"), list(dir), c(a = dir, dir), c(a = dir, a = dir)
  )) {
    refused(bad)
  }
  refused(c(dir, dir))
  refused(c("../x" = dir))
  for (args in list(
    list(port = -1), list(port = 65536), list(port = 1.5), list(port = NA), list(port = "80"), list(8080, "x"),
    list(name = ""), list(public = NA), list(host = "0.0.0.0"), list(host = "example.org"), list(host = 1),
    list(host = "127.0.0.1:8080"), list(host = "[::1]:8080"),
    list(listing = NA), list(hidden = "yes"), list(allow = NA_character_), list(hosts = 1), list(cors = NA),
    list(cors = "igv.org"), list(cors = "https://igv.org/"), list(cors = character()), list(coop = "same"),
    list(auth = ""), list(auth = FALSE), list(auth = "a b"), list(auth = c("a", "b")),
    list(auth = c(user = "a", password = "")),
    list(tls = 1), list(cert = "c.pem"), list(tls = TRUE, cert = "c.pem"), list(headers = "a"),
    list(headers = c(a = NA)),
    list(types = "text/plain"), list(max_age = -1), list(max_age = 0.5), list(max_age = NA), list(compress = 1),
    list(fallback = ""), list(not_found = 1), list(reload = NULL), list(max_connections = 0), list(silent = NA),
    list(timeout = 0), list(quiet = NA), list(hosts = "\xff")
  )) {
    do.call(refused, c(list(dir), args))
  }
  refused(c("/" = dir, a = dir), allow = NA)
  expect_snapshot(error = TRUE, {
    mangoro_serve("test-serve.R")
    mangoro_serve(c(data = ".", more = "."), allow = c("data/x.pem", "certs/ca.pem"))
    mangoro_serve(tempdir(), host = "127.0.0.1:8080")
    mangoro_serve(tempdir(), core = TRUE)
    mangoro_serve(tempdir(), 8080, TRUE)
    mangoro_serve("no such directory")
    mangoro_serve(c(a = ".", a = "."))
    mangoro_serve(tempdir(), host = "0.0.0.0")
    mangoro_serve(tempdir(), cors = "igv.org")
    mangoro_serve(tempdir(), auth = "a b")
  })
})

test_that("what only the server can tell is told, and nothing is left", {
  skip_if_no_go()
  dir <- local_files(a.txt = "hello")
  serve <- function(...) mangoro_serve(dir, ..., browse = FALSE)
  expect_error(serve(headers = c("Content-Length" = "1")), "Content-Length", class = "mangoro_error_handler")
  expect_snapshot(serve(auth = c(user = "a:b", password = "{x}")), error = TRUE)
  expect_error(serve(fallback = "../x"), class = "mangoro_error_handler")
  file <- file.path(dir, "a.txt")
  expect_error(serve(tls = TRUE, cert = file, key = file), class = "mangoro_error_handler")
  expect_length(mangoro_sites(), 0)
})

test_that("the examples of the help run", {
  skip_on_cran()
  skip_if_no_go()
  for (topic in c("mangoro_serve", "mangoro_http_start", "mangoro_certificate")) {
    shown <- utils::capture.output(utils::example(topic, "mangoro", character.only = TRUE, local = TRUE, ask = FALSE))
    expect_gt(length(shown), 4)
  }
  expect_length(mangoro_sites(), 0)
})
