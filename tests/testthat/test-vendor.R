test_that("the vendored modules have versions and a place", {
  expect_match(get_mangos_version(), "^v3\\.[0-9]+\\.[0-9]+")
  expect_match(get_arrow_go_version(), "^v18\\.[0-9]+\\.[0-9]+")
  expect_true(file.exists(file.path(find_mangoro_vendor(), "modules.txt")))
})

# A small module in the place of ours, as it is installed: vendored modules in
# an archive.
local_installed_module <- function(env = parent.frame()) {
  vendored <- local_files("vendor/modules.txt" = "# nothing", env = env)
  source <- local_files(
    "go.mod" = c("module mangoro.local", "", "go 1.25.0"),
    "cmd/hello/main.go" = go_printing("\"hello\""),
    env = env
  )
  withr::with_dir(vendored, utils::tar(
    file.path(source, "vendor.tar.xz"), "vendor",
    compression = "xz", tar = "internal"
  ))
  local_new_session(env)
  local_mocked_bindings(go_file = function(...) file.path(source, ...), .env = env)
  source
}

test_that("an installed module is unpacked into the cache, once", {
  cache <- local_cache()
  local_installed_module()
  dir <- module_dir(NULL)
  expect_identical(dirname(dir), file.path(cache, "module"))
  expect_setequal(
    list.files(dir, recursive = TRUE),
    c("go.mod", "cmd/hello/main.go", "vendor/modules.txt")
  )
  expect_identical(find_mangoro_vendor(), file.path(dir, "vendor"))

  local_mocked_bindings(stage_module = function(...) stop("not again"))
  expect_identical(module_dir(NULL), dir)
})

test_that("whoever is second to unpack throws its own away", {
  cache <- local_cache()
  source <- local_installed_module()
  dir <- module_dir(NULL)
  stage_module(source, dir, NULL)
  expect_identical(list.files(dirname(dir), all.files = TRUE, no.. = TRUE), basename(dir))
})

test_that("another content is another module", {
  source <- local_installed_module()
  before <- module_hash()
  writeLines(go_printing("\"other\""), file.path(source, "cmd", "hello", "main.go"))
  expect_identical(module_hash(), before) # an installed package does not change
  local_new_session()
  expect_false(module_hash() == before)
})

test_that("an archive that cannot be unpacked is an error, and leaves nothing", {
  cache <- local_cache()
  source <- local_installed_module()
  writeLines("no archive", file.path(source, "vendor.tar.xz"))
  expect_error(find_mangoro_vendor(), class = "mangoro_error_resource_exhausted")
  expect_identical(list.files(file.path(cache, "module"), all.files = TRUE, no.. = TRUE), character())
})

test_that("a program of an installed module is built, and its errors name the installed file", {
  skip_if_no_go()
  local_cache()
  source <- local_installed_module()
  main <- file.path(source, "cmd", "hello", "main.go")
  out <- withr::local_tempfile()
  for (src in c(main, dirname(main))) {
    expect_identical(output_of(mangoro_go_build(src, out, gocache = shared_gocache)), "hello")
  }

  writeLines(go_printing("hello"), main)
  local_new_session()
  cnd <- expect_error(
    mangoro_go_build(main, out, gocache = shared_gocache),
    class = "mangoro_error_build"
  )
  expect_identical(cnd$diagnostics$file, main)
  expect_identical(cnd$diagnostics$line, 5L)
})
