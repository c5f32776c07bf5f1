left_below <- function(...) list.files(c(...), "^(mangoro|\\.new|trash)-", all.files = TRUE)

test_that("a directory that is in use stays, one that nobody uses goes", {
  base <- withr::local_tempdir()
  used <- new_scratch(base, ".new-")
  expect_identical(format(file.mode(used)), "700")
  writeLines("x", file.path(used, "file"))
  remove_leftovers(base, ".new-")
  expect_true(file.exists(file.path(used, "file")))

  .Call(c_lock_release, the$locks[[used]])
  remove_leftovers(base, "trash-")
  expect_true(dir.exists(used))
  remove_leftovers(base, c("trash-", ".new-"))
  expect_false(dir.exists(used))

  other <- new_scratch(base, ".new-")
  expect_false(identical(other, new_scratch(base, ".new-")))
  remove_scratch(other)
  expect_false(dir.exists(other))
  expect_error(new_scratch(file.path(base, "none"), ".new-"), class = "mangoro_error_resource_exhausted")
})

test_that("nothing is removed that is not ours", {
  skip_on_os("windows")
  base <- withr::local_tempdir()
  name <- function(end, host = host_tag()) file.path(base, paste0("mangoro-", host, end))
  outside <- withr::local_tempdir()
  writeLines("x", file.path(outside, "file"))
  Sys.chmod(outside, "0755")
  writeLines("x", name("-0001")) # a file
  file.symlink(outside, name("-0002"))
  other_host <- if (host_tag() == "0000") "0001" else "0000"
  for (dir in c(name("-0003", other_host), name("-03"), name("-0003x"), file.path(base, "mangoro"))) dir.create(dir)
  kept <- list.files(base)
  dir.create(name("-0004"))
  file.symlink(outside, file.path(name("-0004"), "link"))
  dir.create(file.path(name("-0004"), "read-only"))
  writeLines("x", file.path(name("-0004"), "read-only", "file"))
  Sys.chmod(file.path(name("-0004"), "read-only"), "0500")

  remove_leftovers(base, "mangoro-")
  expect_identical(list.files(base), kept)
  expect_identical(list.files(outside), "file")
  expect_identical(format(file.mode(outside)), "755")
})

test_that("a session removes what is its own when it ends", {
  skip_if_no_go()
  skip_on_os("windows")
  deep <- file.path(withr::local_tempdir(), strrep("deep", 25))
  dir.create(deep)
  session <- other_session(c(
    "h <- mangoro_start('cmd/rpc-example')",
    "cat(sub('ipc://', '', mangoro_status(h)$url), '\n')"
  ), TMPDIR = deep)
  session$wait(60000)
  socket <- trimws(session$read_all_output_lines()[[1]])
  expect_match(socket, "^/tmp/mangoro-[0-9a-f]{4}-[0-9a-f]{4}/")
  expect_false(dir.exists(dirname(socket)))
})

test_that("in a fork, nothing of its parent is removed", {
  skip_on_os("windows")
  dir <- session_dir()
  gc()
  child <- parallel::mcparallel({
    remove_leftovers(dirname(dir), "mangoro-")
    lapply(the$scratch_owners, end_scratch)
    TRUE
  })
  expect_true(parallel::mccollect(child)[[1]])
  expect_true(dir.exists(dir))
})

# Kills a session while it does something, in a place of its own, after it has
# written a line and `delay` milliseconds have passed.
kill_session <- function(code, delay, servers = FALSE, env = parent.frame()) {
  place <- withr::local_tempdir(.local_envir = env)
  session <- other_session(c("cat('ready\n')", code), TMPDIR = place)
  session$poll_io(60000)
  session$wait(delay)
  children <- ps_children(session$get_pid())
  tools::pskill(session$get_pid(), tools::SIGKILL)
  if (servers) tools::pskill(children, tools::SIGKILL)
  session$wait(10000)
  list(place = place, children = children)
}

ps_children <- function(pid) {
  as.integer(processx::run("pgrep", c("-P", pid), error_on_status = FALSE)$stdout |> strsplit("\n") |> unlist())
}

below_temporary <- function(place) left_below(Sys.glob(file.path(place, "Rtmp*")))

test_that("nothing is left of a killed session and its servers and builds", {
  skip_if_no_go()
  skip_on_os("windows")
  skip_if(!nzchar(Sys.which("pgrep")))
  withr::local_seed(4)
  out <- withr::local_tempdir()
  build <- sprintf(
    "f <- file.path('%s', 'main.go'); for (i in 1:99) { %s; mangoro_go_build(f, file.path('%s', 'program')) }",
    out, "writeLines(sprintf('package main; func main() { println(%d, %d) }', Sys.getpid(), i), f)", out
  )
  start <- "for (i in 1:99) { h <- mangoro_start('cmd/rpc-example'); h$add(1, 1); mangoro_stop(h) }"
  build_once(command_source("rpc-example"))
  for (code in c(build, start, build, start)) {
    killed <- kill_session(code, stats::runif(1, 100, 1000))
    for (pid in killed$children) wait_for_end(pid)
    next_session <- other_session("h <- mangoro_start('cmd/rpc-example'); h$add(1, 1)", TMPDIR = killed$place)
    next_session$wait(60000)
    expect_identical(below_temporary(killed$place), character(), info = code)
    expect_identical(left_below(out), character())
  }
})

test_that("a server that lives on removes what its session has left, the next session what nobody has", {
  skip_if_no_go()
  skip_on_os("windows")
  skip_if(!nzchar(Sys.which("pgrep")))
  code <- "h <- mangoro_start('cmd/rpc-example'); cat('started\n'); repeat h$add(1, 1)"
  alone <- kill_session(code, 2000)
  for (pid in alone$children) wait_for_end(pid)
  expect_identical(below_temporary(alone$place), character())

  both <- kill_session(code, 2000, servers = TRUE)
  session <- other_session("h <- mangoro_start('cmd/rpc-example')", TMPDIR = both$place)
  session$wait(60000)
  expect_identical(below_temporary(both$place), character())
})
