test_that("embedded files are part of the program", {
  skip_if_no_go()
  dir <- local_files(
    "main.go" = go_printing(
      "text + read(\"static/b.txt\") + read(\"a b.txt\")",
      "import \"embed\"",
      "//go:embed text.txt", "var text string",
      "//go:embed static \"a b.txt\"", "var files embed.FS",
      "func read(name string) string { b, _ := files.ReadFile(name); return string(b) }"
    ),
    "text.txt" = "t1", "static/b.txt" = "s1", "a b.txt" = "q1"
  )
  for (src in c(file.path(dir, "main.go"), dir)) {
    writeLines("s1", file.path(dir, "static", "b.txt"))
    expect_identical(output_of(build(src)), "t1\ns1\nq1\n")
    writeLines("s2", file.path(dir, "static", "b.txt"))
    expect_identical(output_of(build(src)), "t1\ns2\nq1\n")
  }
})

test_that("a directory is built by Go's rules for file names and constraints", {
  skip_if_no_go()
  dir <- local_files(
    "main.go" = go_printing("name()"),
    "name_linux.go" = c("package main", "func name() string { return \"linux\" }"),
    "name_darwin.go" = c("package main", "func name() string { return \"darwin\" }"),
    "name_windows.go" = c("package main", "func name() string { return \"windows\" }"),
    "main_test.go" = c("package main", "this is not Go"),
    "tool.go" = c("//go:build ignore", "", "package main", "func main() {}"),
    "doc.go" = c("/*", "package other is mentioned here", "*/", "package main"),
    "deeper/lib.go" = "package deeper",
    "README.md" = "nothing"
  )
  expect_identical(output_of(build(dir)), os_name())
  expect_identical(output_of(build(paste0(dir, "/"))), os_name())
})

test_that("a directory with a go.mod is built as that says", {
  skip_if_no_go()
  cache <- local_cache()
  withr::local_envvar(GOPROXY = "off", GOFLAGS = NA, GOPATH = NA, GOMODCACHE = NA)
  dir <- local_files(
    "program/go.mod" = c(
      "module example.com/program", "", "go 1.25", "",
      "require example.com/lib v0.0.0", "", "replace example.com/lib => ../lib"
    ),
    "program/main.go" = go_printing("lib.Name", "import \"example.com/lib\""),
    "lib/go.mod" = c("module example.com/lib", "", "go 1.25"),
    "lib/lib.go" = c("package lib", "const Name = \"one\"")
  )
  program <- file.path(dir, "program")
  expect_identical(output_of(build(program)), "one")
  # Only Go knows what went into it.
  writeLines(c("package lib", "const Name = \"two\""), file.path(dir, "lib", "lib.go"))
  expect_identical(output_of(build(program)), "two")
  expect_false(dir.exists(file.path(cache, "bin")))

  writeLines(c("package lib", "const Name = Nothing"), file.path(dir, "lib", "lib.go"))
  cnd <- expect_error(build(program), class = "mangoro_error_build")
  expect_identical(basename(cnd$diagnostics$file), "lib.go")
  writeLines("module", file.path(program, "go.mod"))
  cnd <- expect_error(build(program), class = "mangoro_error_build")
  expect_identical(cnd$diagnostics$file, file.path(program, "go.mod"))
})

test_that("a directory with a go.mod and a vendor directory is built with that", {
  skip_if_no_go()
  dir <- local_files(
    "go.mod" = c("module example.com/program", "", "go 1.25", "", "require example.com/lib v1.0.0"),
    "main.go" = go_printing("lib.Name", "import \"example.com/lib\""),
    "vendor/modules.txt" = c("# example.com/lib v1.0.0", "## explicit; go 1.25", "example.com/lib"),
    "vendor/example.com/lib/lib.go" = c("package lib", "const Name = \"vendored\"")
  )
  expect_identical(output_of(build(dir)), "vendored")
})

test_that("a library is no program, whatever tools are beside it", {
  skip_if_no_go()
  dir <- local_files(
    "lib.go" = "package lib",
    "tool.go" = c("//go:build ignore", "", "package main", "func main() {}")
  )
  expect_error(build(dir), class = "mangoro_error_invalid_argument")
})
