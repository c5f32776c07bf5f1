# A proxy of one module, as Go takes it from a directory, and the user's settings
# that name it and no network.
local_proxy <- function(name = "one", env = parent.frame()) {
  proxy <- withr::local_tempdir(.local_envir = env)
  write_proxy(proxy, name)
  withr::local_envvar(
    GOPROXY = proxy_url(proxy), GOSUMDB = "off", GOFLAGS = "-modcacherw", GOPATH = NA,
    GOMODCACHE = withr::local_tempdir(.local_envir = env), .local_envir = env
  )
  normalizePath(proxy, winslash = "/")
}

proxy_url <- function(dir) {
  path <- normalizePath(dir, winslash = "/")
  paste0("file://", if (!startsWith(path, "/")) "/", path)
}

write_proxy <- function(proxy, name) {
  at <- file.path(proxy, "example.com", "tiny", "@v")
  dir.create(at, recursive = TRUE, showWarnings = FALSE)
  mod <- c("module example.com/tiny", "", "go 1.25")
  writeLines("v1.0.0", file.path(at, "list"))
  writeLines("{\"Version\": \"v1.0.0\", \"Time\": \"2024-01-01T00:00:00Z\"}", file.path(at, "v1.0.0.info"))
  writeLines(mod, file.path(at, "v1.0.0.mod"))
  source <- "example.com/tiny@v1.0.0/tiny.go"
  lines <- list(c("package tiny", "", sprintf("const Name = \"%s\"", name)), mod)
  dir <- do.call(local_files, rlang::set_names(lines, c(source, sub("tiny.go", "go.mod", source))))
  zip_stored(file.path(at, "v1.0.0.zip"), dir)
}

# A zip file without compression: there is no `zip` everywhere.
zip_stored <- function(file, dir) {
  names <- list.files(dir, recursive = TRUE)
  local <- directory <- raw()
  for (name in names) {
    content <- readBin(file.path(dir, name), "raw", 1e6)
    common <- c(
      number(20, 2), number(0, 2), number(0, 2), number(0, 2), number(33, 2), crc32(content),
      number(length(content), 4), number(length(content), 4), number(nchar(name), 2), number(0, 2)
    )
    directory <- c(
      directory, number(0x02014b50, 4), number(20, 2), common,
      number(0, 2), number(0, 2), number(0, 2), number(0, 4), number(length(local), 4), charToRaw(name)
    )
    local <- c(local, number(0x04034b50, 4), common, charToRaw(name), content)
  }
  end <- c(
    number(0x06054b50, 4), number(0, 2), number(0, 2), number(length(names), 2), number(length(names), 2),
    number(length(directory), 4), number(length(local), 4), number(0, 2)
  )
  writeBin(c(local, directory, end), file)
}

# Little-endian.
number <- function(x, size) as.raw(x %/% 256^(seq_len(size) - 1) %% 256)

# The checksum is at the end of a gzip stream, before the size.
crc32 <- function(content) {
  file <- tempfile()
  on.exit(unlink(file))
  connection <- gzfile(file, "wb")
  writeBin(content, connection)
  close(connection)
  utils::head(utils::tail(readBin(file, "raw", 1e6), 8), 4)
}

tiny <- "example.com/tiny@v1.0.0"
greeting <- c("import \"example.com/tiny\"", "func Name() string { return tiny.Name }")

# What Go says, without what differs from machine to machine.
scrub_proxy <- function(lines) {
  lines <- gsub("file://[^ ]*/example.com", "<proxy>/example.com", lines)
  lines <- gsub("replaced by [^)]*", "replaced by <vendored>", lines)
  lines <- gsub("test-modules.R:[0-9]+:[0-9]+|<inline>:[0-9]+:[0-9]+", "<location>", lines)
  grep("go: downloading", lines, value = TRUE, invert = TRUE)
}

test_that("deps are modules that a program may use", {
  skip_if_no_go()
  local_proxy()
  expect_identical(local_source(code = greeting, deps = tiny)$Name(), "one")
  expect_identical(mangoro_function(greeting, deps = tiny)(), "one")
  dir <- local_files("a.go" = c("package main", greeting))
  expect_identical(local_source(dir, deps = tiny)$Name(), "one")
  expect_identical(local_source(file.path(dir, "a.go"), deps = tiny)$Name(), "one")
})

test_that("an unchanged program with deps is started without Go", {
  skip_if_no_go()
  local_proxy()
  # A Go that is another one, so that nothing has been built by it.
  go <- logging_go()
  withr::local_options(mangoro.go_path = go$path)
  mangoro_stop(mangoro_source(code = greeting, deps = tiny))
  calls <- go$calls()
  withr::local_envvar(GOPROXY = "off", GOMODCACHE = withr::local_tempdir())
  expect_identical(local_source(code = greeting, deps = tiny)$Name(), "one")
  expect_identical(go$calls(), calls)
  expect_error(mangoro_source(code = greeting, deps = "example.com/tiny@v1.0.1"), class = "mangoro_error_build")
  expect_gt(length(go$calls()), length(calls))
})

test_that("a module that is another one than before is refused", {
  skip_if_no_go()
  proxy <- local_proxy()
  sums <- file.path(deps_dir(tiny), "go.sum")
  withr::defer(unlink(sums))
  as_new <- function() c(greeting, paste("//", basename(tempfile())))
  mangoro_stop(mangoro_source(code = as_new(), deps = tiny))
  expect_match(readLines(sums), "^example.com/tiny v1.0.0")
  write_proxy(proxy, "another")
  withr::local_envvar(GOMODCACHE = withr::local_tempdir())
  cnd <- expect_error(
    mangoro_source(code = as_new(), deps = tiny), "has changed since it was first used",
    class = "mangoro_error_build"
  )
  expect_match(cnd$output, "checksum mismatch", all = FALSE)
  # As somebody who has not built it before.
  unlink(sums)
  expect_identical(local_source(code = as_new(), deps = tiny)$Name(), "another")
})

test_that("a module that is not available is named", {
  skip_if_no_go()
  local_proxy()
  expect_snapshot(error = TRUE, transform = scrub_proxy, {
    mangoro_source(code = greeting, deps = "example.com/tiny@v1.0.9")
    mangoro_source(code = "import \"example.com/other\"\nfunc F() string { return other.Name }", deps = tiny)
    mangoro_source(code = greeting)
    mangoro_source(
      code = "import \"golang.org/x/exp/rand\"\nfunc F() int64 { return int64(rand.Int()) }", deps = tiny
    )
  })
})

test_that("deps are checked before any Go is looked for", {
  local_mocked_bindings(find_go = function(call) stop("not reached"))
  dir <- local_files("go.mod" = "module x", "a.go" = "package main")
  withr::local_dir(dir)
  expect_snapshot(error = TRUE, {
    mangoro_source(code = "x", deps = 1)
    mangoro_source(code = "x", deps = character())
    mangoro_source(code = "x", deps = "example.com/tiny")
    mangoro_source(code = "x", deps = "example.com/tiny@latest")
    mangoro_source(".", deps = tiny)
  })
})

local_module <- function(env = parent.frame()) {
  local_files(
    "go.mod" = c("module example.com/program", "", "go 1.25", "", "require example.com/tiny v1.0.0"),
    "a.go" = c(
      "package main", "", "import (", "\t\"example.com/program/inner\"", "\t\"example.com/tiny\"", ")", "",
      "// Name names.", "func Name() string { return inner.Text() + tiny.Name }", "",
      "func At(i int32) int32 { return []int32{1}[i] }"
    ),
    "inner/inner.go" = c(
      "package inner", "", "import _ \"embed\"", "", "//go:embed text.txt", "var text string", "",
      "func Text() string { return text }"
    ),
    "inner/text.txt" = "inner", env = env
  )
}

contents <- function(dir) {
  files <- list.files(dir, recursive = TRUE, all.files = TRUE)
  rlang::set_names(lapply(file.path(dir, files), readLines), files)
}

test_that("a directory with a go.mod of its own becomes R functions and stays as it is", {
  skip_if_no_go()
  local_proxy()
  dir <- local_module()
  before <- contents(dir)
  go <- local_source(dir)
  expect_identical(go$Name(), "inner\none")
  expect_identical(contents(dir), before)
  cnd <- expect_error(go$At(3L), class = "mangoro_error_panic")
  expect_identical(cnd$frames$line, 11L)
  # Only Go knows what went into it.
  writeLines("changed", file.path(dir, "inner", "text.txt"))
  expect_identical(local_source(dir)$Name(), "changed\none")
  writeLines(c("package main", "", "func F() string { return missing }"), file.path(dir, "a.go"))
  cnd <- expect_error(mangoro_source(dir), class = "mangoro_error_build")
  expect_identical(cnd$diagnostics[c("file", "line")], data.frame(file = file.path(dir, "a.go"), line = 3L))
  writeLines(
    c("package main", "import \"example.com/other\"", "func F() string { return other.Name }"),
    file.path(dir, "a.go")
  )
  expect_error(mangoro_source(dir), "No module in the go.mod provides", class = "mangoro_error_build")
})

test_that("its vendor directory is used, and nothing else", {
  skip_if_no_go()
  local_proxy()
  withr::local_envvar(GOPROXY = "off")
  dir <- local_module()
  vendor <- file.path(dir, "vendor", "example.com", "tiny")
  dir.create(vendor, recursive = TRUE)
  writeLines(c("package tiny", "", "const Name = \"vendored\""), file.path(vendor, "tiny.go"))
  writeLines(
    c("# example.com/tiny v1.0.0", "## explicit; go 1.25", "example.com/tiny"),
    file.path(dir, "vendor", "modules.txt")
  )
  before <- contents(dir)
  expect_identical(local_source(dir)$Name(), "inner\nvendored")
  expect_identical(contents(dir), before)
  # A module that mangoro needs more of.
  version <- module_version("golang.org/x/sys")
  extra <- file.path(dir, "vendor", "golang.org", "x", "sys", "extra")
  dir.create(extra, recursive = TRUE)
  writeLines("package extra", file.path(extra, "extra.go"))
  write(paste("require golang.org/x/sys", version), file.path(dir, "go.mod"), append = TRUE)
  write(
    c(paste("# golang.org/x/sys", version), "## explicit; go 1.25", "golang.org/x/sys/extra"),
    file.path(dir, "vendor", "modules.txt"), append = TRUE
  )
  writeLines(c("package main", "", "import _ \"golang.org/x/sys/extra\""), file.path(dir, "b.go"))
  expect_error(mangoro_source(dir), "Only a part of .* is vendored", class = "mangoro_error_build")
})

test_that("a server with a go.mod of its own finds mangoro's packages", {
  skip_if_no_go()
  local_proxy()
  dir <- local_files(
    "go.mod" = c(
      "module example.com/server", "", "go 1.25", "",
      "require (", "\texample.com/tiny v1.0.0", "\texample.com/near v0.0.0", ")", "",
      "replace example.com/near => ./near"
    ),
    "near/go.mod" = c("module example.com/near", "", "go 1.25"),
    "near/near.go" = c("package near", "", "const Name = \"near \""),
    "main.go" = c(
      "package main", "", "import (", "\t\"example.com/near\"", "\t\"example.com/tiny\"",
      "\t\"mangoro.local/pkg/rgoipc\"", ")", "", "func name() string { return near.Name + tiny.Name }", "",
      "func main() {", "\tregistry := rgoipc.NewRegistry()",
      "\tregistry.Func(\"name\", name)", "\trgoipc.Main(registry)", "}"
    )
  )
  before <- contents(dir)
  expect_identical(local_start(dir)$name(), "near one")
  expect_identical(contents(dir), before)
})

test_that("a go.mod that says where mangoro is stands as it is", {
  skip_if_no_go()
  dir <- local_files("go.mod" = c("module x", "", "require mangoro.local v0.0.0 // here"), "a.go" = "package main")
  expect_null(user_modules(dir, NULL))
  expect_identical(mod_mode(new_program("a", dir, own_module = TRUE)), "readonly")
})

# --- gonum ------------------------------------------------------------------

gonum <- "gonum.org/v1/gonum@v0.17.0"

# Skips unless gonum is in the module cache or comes from the user's proxy, a directory.
skip_without_gonum <- function() {
  proxy <- sub("^file://", "", Sys.getenv("GOPROXY"))
  skip_if_not(file.exists(file.path(proxy, "gonum.org", "v1", "gonum", "@v", "v0.17.0.zip")), "gonum is not here")
}

test_that("gonum's matrices and vectors are parameters and results", {
  skip_without_gonum()
  go <- local_source(test_path("go", "gonum.go"), deps = gonum)
  set.seed(1)
  a <- matrix(stats::rnorm(9), 3)
  b <- matrix(stats::rnorm(6), 3)
  expect_equal(go$Solve(a, b), solve(a, b))
  expect_equal(go$Solve(a, b[, 1]), as.matrix(solve(a, b[, 1])))
  expect_error(go$Solve(matrix(0, 2, 2), 1:2), "singular", class = "mangoro_error_handler")
  expect_error(go$Solve(a), "argument `b` is missing", class = "mangoro_error_invalid_argument")
  decomposed <- go$SVD(b)
  expect_named(decomposed, c("d", "u", "v"))
  expect_equal(decomposed$d, svd(b)$d)
  expect_equal(decomposed$u %*% diag(decomposed$d) %*% t(decomposed$v), b)

  positive <- crossprod(a)
  expect_equal(go$Cholesky(positive), chol(positive))
  expect_error(go$Cholesky(-positive), "positive definite", class = "mangoro_error_handler")
  for (x in list(a, b)) {
    expect_error(go$Cholesky(x), "`s` must be a symmetric matrix", class = "mangoro_error_invalid_argument")
  }
  expect_equal(go$Times(a, 1:3), drop(a %*% 1:3))
  expect_identical(go$Transpose(b), t(b))
  expect_identical(go$Transpose(matrix(c(NA, NaN, 1), 1)), matrix(c(NA, NaN, 1)))
  expect_identical(go$Transpose(matrix(0, 0, 3)), matrix(0, 0, 0))
  expect_null(go$Nothing(1)$m)
  expect_null(go$Nothing(1)$v)
})
