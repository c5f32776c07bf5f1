test_that("a file is built, and the path of the program returned", {
  skip_if_no_go()
  dir <- local_files("main.go" = go_printing("\"hello\""))
  out <- file.path(dir, "program")
  expect_identical(expect_visible(build(file.path(dir, "main.go"), out)), out)
  expect_identical(output_of(out), "hello")
  withr::local_dir(dir)
  expect_identical(build("main.go", "other"), file.path(getwd(), "other"))
  skip_on_os("windows")
  expect_identical(format(file.mode(out)), "755")
  expect_setequal(list.files(dir, all.files = TRUE, no.. = TRUE), c("main.go", "program", "other"))
})

test_that("any name of a file will do", {
  skip_if_no_go()
  names <- c("with space.go", "caf\u00e9.go", "only_windows.go", "a'b{c}.go")
  files <- rlang::set_names(lapply(names, function(name) go_printing("\"named\"")), names)
  dir <- do.call(local_files, files)
  for (name in names) {
    expect_identical(output_of(build(file.path(dir, !!name), file.path(dir, "the {program}"))), "named")
  }
})

test_that("programs use the modules that travel with the package", {
  skip_if_no_go()
  src <- local_files("main.go" = go_printing(
    "mangos.ErrClosed",
    "import \"go.nanomsg.org/mangos/v3\""
  ))
  expect_identical(output_of(build(src)), "object closed")
})

test_that("an unchanged program is not built again, and no Go is run", {
  skip_if_no_go()
  local_cache()
  go <- logging_go()
  withr::local_options(mangoro.go_path = go$path)
  dir <- local_files("main.go" = go_printing("\"one\""))
  main <- file.path(dir, "main.go")
  expect_identical(output_of(build(main, gomaxprocs = 2)), "one")
  expect_match(go$calls(), "^version|^build .*-p 2 ")
  expect_length(go$calls(), 2)

  expect_identical(output_of(build(main)), "one")
  local_new_session()
  expect_identical(output_of(build(main, gomaxprocs = 1)), "one")
  expect_length(go$calls(), 2)

  # Whatever decides what the program is makes another one of it.
  writeLines(go_printing("\"two\""), main)
  expect_identical(output_of(build(main)), "two")
  expect_length(go$calls(), 3)
  build(dir)
  expect_length(go$calls(), 4)
  build(dir, tempfile("program"), NULL, "-tags=x")
  expect_length(go$calls(), 5)
  withr::local_envvar(GOAMD64 = "v2")
  build(dir)
  expect_length(go$calls(), 6)
})

test_that("a program that vanished from the cache is built again", {
  skip_if_no_go()
  cache <- local_cache()
  src <- local_files("main.go" = go_printing("\"again\""))
  build(src)
  unlink(list.files(file.path(cache, "bin"), full.names = TRUE))
  expect_identical(output_of(build(src)), "again")
  # and as well if that happens after it was found
  local_mocked_bindings(copy_program = function(from, to) FALSE)
  expect_identical(output_of(build(src)), "again")
})

test_that("a cached program that has changed is built again, with a message", {
  skip_if_no_go()
  skip_on_os("windows")
  cache <- local_cache()
  src <- local_files(main.go = go_printing("\"built\""))
  out <- withr::local_tempfile()
  build_it <- function() mangoro_go_build(src, out, gocache = shared_gocache)
  build_it()
  kept <- function() list.files(file.path(cache, "bin"), all.files = TRUE, no.. = TRUE, full.names = TRUE)
  program <- kept()
  bytes <- readBin(program, "raw", file.size(program))
  time <- file.mtime(program)
  harm <- list(
    replaced = function() writeLines(c("#!/bin/sh", "echo evil"), program),
    truncated = function() writeBin(utils::head(bytes, -1), program),
    empty = function() writeBin(raw(), program),
    one_bit = function() {
      bytes[[1000]] <- xor(bytes[[1000]], as.raw(1))
      writeBin(bytes, program)
      Sys.setFileTime(program, time)
    },
    renamed = function() file.rename(program, paste0(program, "0")),
    writable = function() Sys.chmod(program, "0777", use_umask = FALSE),
    not_executable = function() Sys.chmod(program, "0600", use_umask = FALSE),
    directory = function() {
      unlink(program)
      dir.create(program)
    },
    fifo = function() {
      unlink(program)
      system2("mkfifo", c("-m", "700", shQuote(program)))
    }
  )
  for (what in names(harm)) {
    harm[[what]]()
    expect_message(build_it(), "has changed since it was built, and is built again", info = what)
    expect_identical(kept(), program)
    expect_identical(output_of(out), "built")
    expect_silent(build_it())
  }
  expect_snapshot(transform = scrub_paths(basename(program), cache, src), {
    harm$replaced()
    invisible(build_it())
  })
})

test_that("a source that changes during the build is not taken for the old one", {
  skip_if_no_go()
  skip_on_os("windows")
  cache <- local_cache()
  dir <- local_files("main.go" = go_printing("\"old\""))
  change <- sprintf("[ \"$1\" = build ] && echo '// changed' >>'%s'", file.path(dir, "main.go"))
  withr::local_options(mangoro.go_path = fake_go(change, sprintf("exec '%s' \"$@\"", find_go(NULL))))
  build(dir)
  expect_length(list.files(file.path(cache, "bin")), 0)
})

test_that("a program is replaced while it runs", {
  skip_if_no_go()
  skip_on_os("windows")
  dir <- local_files("main.go" = c(
    "package main", "import (\"fmt\"; \"os\"; \"io\")",
    "func main() { fmt.Println(\"up\"); io.Copy(io.Discard, os.Stdin) }"
  ))
  out <- build(dir)
  running <- processx::process$new(out, stdin = "|", stdout = "|")
  withr::defer(running$kill())
  running$poll_io(10000)
  build(dir, out) # from the cache
  writeLines(go_printing("\"new\""), file.path(dir, "main.go"))
  build(dir, out) # by Go
  expect_true(running$is_alive())
  expect_identical(output_of(out), "new")
})

test_that("more arguments reach Go", {
  skip_if_no_go()
  dir <- local_files(
    "main.go" = go_printing("version + name", "var version = \"none\""),
    "a.go" = c("//go:build fast && arrow_json_stdlib", "", "package main", "const name = \" fast\""),
    "b.go" = c("//go:build !fast", "", "package main", "const name = \" slow\"")
  )
  out <- withr::local_tempfile()
  expect_identical(output_of(build(dir, out)), "none slow")
  expect_identical(output_of(build(dir, out, NULL, "-tags=fast")), "none fast")
  expect_identical(output_of(build(dir, out, NULL, "-tags", "fast,x")), "none fast")
  expect_identical(output_of(build(dir, out, NULL, "-ldflags=-X main.version=v2", "-tags=fast")), "v2 fast")
})

test_that("tags are taken out of the arguments", {
  expect_identical(
    split_tags(c("-x", "-tags=a,b", "-tags", "c", "--tags=d", "-race")),
    list(tags = c("a,b", "d", "c"), others = c("-x", "-race"))
  )
  expect_identical(split_tags(character()), list(tags = character(), others = character()))
})

test_that("the user's settings of Go do no harm", {
  skip_if_no_go()
  local_cache()
  withr::local_envvar(
    GOFLAGS = "-mod=mod -nonsense", GOPROXY = "https://127.0.0.1:1", GO111MODULE = "off",
    GOROOT = "/nowhere", GOPATH = "relative", GOCACHE = "off", GOENV = "/nowhere", GOWORK = "/nowhere",
    GOTOOLCHAIN = "go1.99.0", GOMAXPROCS = "x"
  )
  withr::local_options(mangoro.go_path = find_go(NULL))
  src <- local_files("main.go" = go_printing("\"unharmed\""))
  expect_identical(output_of(build(src)), "unharmed")
})

test_that("nothing is left in the home directory, nor in the temporary one", {
  skip_if_no_go()
  local_cache()
  local_new_session()
  home <- withr::local_tempdir()
  before <- list.files(tempdir(), "^go-build-")
  withr::local_envvar(
    HOME = home, USERPROFILE = home, APPDATA = home, LOCALAPPDATA = home,
    XDG_CONFIG_HOME = file.path(home, "config"), XDG_CACHE_HOME = file.path(home, "cache"),
    XDG_DATA_HOME = file.path(home, "data"), XDG_STATE_HOME = file.path(home, "state"),
    GOPATH = NA, GOMODCACHE = NA, GOTELEMETRY = NA
  )
  withr::local_options(mangoro.go_path = find_go(NULL))
  build(local_files("main.go" = go_printing("\"tidy\"")))
  build(local_files("go.mod" = c("module example.com/x", "go 1.25"), "main.go" = go_printing("\"tidy\"")))
  expect_identical(list.files(home, all.files = TRUE, no.. = TRUE, recursive = TRUE), character())
  expect_identical(list.files(tempdir(), "^go-build-"), before)
  expect_identical(list.files(file.path(cache_dir(), "config", "go", "telemetry")), "mode")
})

test_that("a mistake is told by the user's own name, line and column", {
  skip_if_no_go()
  mistake <- c("package main", "", "func main() {", "\tvar unused int", "\tmissing()", "}")
  dir <- local_files("src/main.go" = mistake)
  out <- file.path(dir, "out")
  writeLines("as it was", out)
  withr::local_dir(dir)
  for (case in list(
    c("src/main.go", "src/main.go"), c("src", "src/main.go"),
    c(file.path(dir, "src/main.go"), file.path(dir, "src/main.go"))
  )) {
    cnd <- expect_error(build(case[[1]], out), class = "mangoro_error_build")
    expect_identical(cnd$src, case[[1]])
    expect_identical(cnd$diagnostics, data.frame(
      file = rep(case[[2]], 2), line = 4:5, column = c(6L, 2L),
      message = c("declared and not used: unused", "undefined: missing")
    ))
    expect_identical(cnd$status, 1L)
    expect_identical(conditionCall(cnd)[[1]], quote(mangoro_go_build))
  }
  expect_identical(readLines(out), "as it was")
  expect_setequal(list.files(dir, all.files = TRUE, no.. = TRUE), c("src", "out"))
})

test_that("the message shows what the compiler said", {
  skip_if_no_go()
  dir <- local_files(
    "wrong.go" = c("package main", "", "func main() { undefined{}.x }"),
    "imports.go" = c("package main", "", "import _ \"example.com/other/pkg\"", "", "func main() {}"),
    "nomain.go" = "package main"
  )
  withr::local_dir(dir)
  out <- withr::local_tempfile()
  expect_snapshot(error = TRUE, {
    mangoro_go_build("wrong.go", out, gocache = shared_gocache)
    mangoro_go_build("imports.go", out, gocache = shared_gocache)
    mangoro_go_build("nomain.go", out, gocache = shared_gocache)
  })
})

test_that("arguments are checked before any Go is looked for", {
  local_mocked_bindings(find_go = function(call) stop("not reached"))
  dir <- local_files(
    "main.go" = go_printing("1"), "lib.go" = "package lib", "text.txt" = "text",
    "empty/README" = "nothing", "lib/lib.go" = "package lib", "tests/main_test.go" = "package main"
  )
  withr::local_dir(dir)
  expect_snapshot(error = TRUE, {
    mangoro_go_build(1, "out")
    mangoro_go_build("no.go", "out")
    mangoro_go_build("text.txt", "out")
    mangoro_go_build("lib.go", "out")
    mangoro_go_build("lib", "out")
    mangoro_go_build("empty", "out")
    mangoro_go_build("tests", "out")
    mangoro_go_build("main.go", NULL)
    mangoro_go_build("main.go", "empty")
    mangoro_go_build("main.go", "no/out")
    mangoro_go_build("main.go", "out", gomaxprocs = "two")
    mangoro_go_build("main.go", "out", gomaxprocs = 1e10)
    mangoro_go_build("main.go", "main.go")
    mangoro_go_build("main.go", "out", gocache = 1)
    mangoro_go_build("main.go", "out", tags = "x")
    mangoro_go_build("main.go", "out", NULL, NULL, "-o=other")
    mangoro_go_build("main.go", "out", quiet = NA)
  })
  for (case in list(list(1, "out"), list("no.go", "out"), list("main.go", "no/out"))) {
    expect_error(do.call(mangoro_go_build, case), class = "mangoro_error_invalid_argument")
  }
  expect_false(file.exists("out"))
})

test_that("an output that cannot be written is an error before Go is run", {
  skip_on_os("windows")
  skip_if(Sys.info()[["effective_user"]] == "root", "root may write everywhere")
  dir <- local_files("main.go" = go_printing("1"))
  closed <- withr::local_tempdir()
  Sys.chmod(closed, "0555")
  expect_error(build(dir, file.path(closed, "out")), class = "mangoro_error_invalid_argument")
})

test_that("nothing but a file is replaced", {
  skip_on_os("windows")
  dir <- local_files("main.go" = go_printing("1"))
  pipe <- file.path(dir, "pipe")
  expect_identical(system2("mkfifo", shQuote(pipe)), 0L)
  expect_error(build(dir, pipe), "device or pipe", class = "mangoro_error_invalid_argument")
  expect_error(build(dir, "/dev/null"), "device or pipe", class = "mangoro_error_invalid_argument")
  empty <- file.path(dir, "empty")
  file.create(empty)
  expect_no_error(check_out(empty, NULL))
})

test_that("what is to run here is built for this system", {
  skip_if_no_go()
  withr::local_envvar(GOOS = "plan9", GOARCH = "mips")
  expect_identical(mangoro_function("func Twice(x float64) float64 { return 2 * x }")(2), 4)
})

test_that("an interrupt ends Go and leaves nothing", {
  skip_if_no_sigint()
  local_cache()
  dir <- local_files("main.go" = go_printing("1"))
  pid <- withr::local_tempfile()
  withr::local_options(mangoro.go_path = fake_go(
    "[ \"$1\" = version ] && { echo go version go1.99 linux/amd64; exit; }",
    sprintf("echo $$ >'%s'", pid),
    "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && echo half >\"$2\"; shift; done",
    paste("kill -INT", Sys.getpid()),
    "exec /bin/sleep 60"
  ))
  interrupted <- tryCatch(build(dir, file.path(dir, "out")), interrupt = function(cnd) "interrupted")
  expect_identical(interrupted, "interrupted")
  expect_identical(list.files(dir, all.files = TRUE, no.. = TRUE), "main.go")
  expect_false(tools::pskill(as.integer(readLines(pid)), 0))
})

test_that("two cores are used at most under R CMD check", {
  withr::local_envvar(`_R_CHECK_PACKAGE_NAME_` = "mangoro")
  expect_lte(default_cores(), 2)
})
