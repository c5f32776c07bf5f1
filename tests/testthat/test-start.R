test_that("a file, a directory, a command and a program are started", {
  dir <- local_files("main.go" = readLines(file.path(go_file(), "cmd", "echo", "main.go")))
  typed <- test_source("typed")
  example <- c("cmd/rpc-example", "cmd/rpc-example/main.go", command_source("rpc-example"))
  for (src in c(typed, example, build_once(typed))) {
    expect_identical(local_start(src)$add(1, 2), 3)
  }
  directory <- local_files("main.go" = readLines(typed))
  expect_identical(local_start(directory)$add(1, 2), 3)
  expect_error(local_start(dir), class = "mangoro_error_start")
})

test_that("arguments, environment and build settings reach the program", {
  dir <- local_files(
    "main.go" = c(
      "package main", "import (\"fmt\"; \"os\"; \"mangoro.local/pkg/rgoipc\")",
      "func main() {",
      "  fmt.Println(os.Args[2:], os.Getenv(\"FRUIT\"), os.Getenv(\"MANGORO_PARENT\"), tag)",
      "  os.Args = os.Args[:2]",
      "  rgoipc.Main(rgoipc.NewRegistry())", "}"
    ),
    "a.go" = c("//go:build ripe", "", "package main", "const tag = \"ripe\""),
    "b.go" = c("//go:build !ripe", "", "package main", "const tag = \"green\"")
  )
  h <- local_start(dir, "-tags=ripe", args = c("a", "b c"), env = c(FRUIT = "mango"))
  expect_identical(mangoro_logs(h, Inf, "stdout")[[1]], paste("[a b c] mango", Sys.getpid(), "ripe"))
  expect_identical(length(h), 0L)
})

test_that("a program that does not become a server is told with its last lines", {
  skip_if_no_go()
  skip_on_os("windows")
  withr::local_options(mangoro.connect_timeout = 0.5)
  dir <- local_files(
    "ends.go" = c(
      "package main", "import (\"fmt\"; \"os\")",
      "func main() { fmt.Fprintln(os.Stderr, \"no   {database}\"); os.Exit(4) }"
    ),
    "deaf.go" = c(
      "package main", "import (\"fmt\"; \"os\")",
      "func main() { fmt.Fprintln(os.Stderr, \"deaf\"); os.Stderr.Sync(); select {} }",
      "func init() { go func() { b := make([]byte, 1); r, _, _ := os.Pipe(); r.Read(b) }() }"
    ),
    "script" = c("#!/no/such/interpreter")
  )
  Sys.chmod(file.path(dir, "script"), "0755")
  withr::local_dir(dir)
  before <- list.files(tempdir(), "^mangoro-server-")
  cnd <- expect_error(mangoro_start("ends.go"), class = "mangoro_error_start")
  expect_identical(cnd$status, 4L)
  expect_identical(cnd$stderr, "no   {database}")
  expect_error(mangoro_start("script"), class = "mangoro_error_start")
  expect_snapshot(error = TRUE, {
    mangoro_start("ends.go")
    mangoro_start("deaf.go")
  })
  expect_identical(list.files(tempdir(), "^mangoro-server-"), before)
})

test_that("functions without a main function are referred to mangoro_source()", {
  skip_if_no_go()
  withr::local_dir(local_files("f.go" = c("package main", "", "func F() {}")))
  scrub <- function(lines) sub("main_main.*f:", "main_main:", lines)
  expect_snapshot(mangoro_start("f.go"), error = TRUE, transform = scrub)
})

test_that("a restart tells of a source that is gone, and leaves the old program", {
  dir <- local_files("main.go" = readLines(test_source("typed")))
  file <- file.path(dir, "main.go")
  h <- local_start(file)
  unlink(file)
  expect_no_warning(cnd <- expect_error(mangoro_restart(h), class = "mangoro_error_invalid_argument"))
  expect_match(conditionMessage(cnd), "main.go", fixed = TRUE)
  expect_identical(h$add(1, 2), 3)
})

test_that("a program that answers something else is no server", {
  skip_on_os("windows")
  file <- withr::local_tempfile()
  writeBin(c(as.raw(0), raw(8), charToRaw("[1]")), file)
  bin <- build_once(test_source("puppet"))
  cnd <- expect_error(mangoro_start(bin, args = file), class = "mangoro_error_start")
  expect_s3_class(cnd$parent, "mangoro_error_protocol")
})

test_that("arguments of mangoro_start() and mangoro_connect() are checked", {
  local_mocked_bindings(find_go = function(call) stop("not reached"))
  expect_snapshot(error = TRUE, {
    mangoro_start(1)
    mangoro_start("no.go")
    mangoro_start("cmd/nope")
    mangoro_start("cmd/rpc-example", args = 1)
    mangoro_start("cmd/rpc-example", env = "FRUIT")
    mangoro_start("cmd/rpc-example", timeout = -1)
    mangoro_start("cmd/rpc-example", tags = "x")
    mangoro_connect("nowhere")
    mangoro_connect("ipc:///x", timeout = "long")
  })
  withr::local_options(mangoro.connect_timeout = 0.2)
  expect_error(mangoro_connect(create_ipc_path()), class = "mangoro_error_connection")
})

test_that("nobody is believed without a certificate, unless that is wanted", {
  url <- "tls+tcp://localhost:1"
  for (tls in list(NULL, nanonext::tls_config(), tls_of("localhost", auth = FALSE))) {
    expect_error(
      mangoro_connect(url, tls = tls), "does not verify certificates", class = "mangoro_error_invalid_argument"
    )
    expect_error(mangoro_connect("wss://localhost:1/", tls = tls), class = "mangoro_error_invalid_argument")
  }
  server <- nanonext::tls_config(server = c(pem_of("localhost", "crt"), pem_of("localhost", "key")))
  expect_snapshot(error = TRUE, {
    mangoro_connect("tls+tcp://localhost:1")
    mangoro_connect("tls+tcp://localhost:1", tls = "ca.pem")
    mangoro_connect("tls+tcp://localhost:1", tls = server, insecure = TRUE)
    mangoro_connect("ipc:///tmp/x", tls = nanonext::tls_config())
    mangoro_connect("tcp://example.org:5555")
    mangoro_connect("ws://example.org/x", insecure = NA)
  })
})
