# The contract test: every call of the document that introduces the package, in
# its order and with the results that it shows. Sleeps left out, it waits for
# nothing but answers.

test_that("the vendored mangos has a version", {
  expect_match(get_mangos_version(), "^v3\\.[0-9]+\\.[0-9]+")
  expect_match(get_arrow_go_version(), "^v18\\.[0-9]+\\.[0-9]+")
})

test_that("an echo server from a single file", {
  skip_if_no_go()
  go_echo_code <- paste(
    "package main",
    "import (",
    ' "os"',
    ' "go.nanomsg.org/mangos/v3/protocol/rep"',
    ' _ "go.nanomsg.org/mangos/v3/transport/ipc"',
    ")",
    "func main() {",
    " url := os.Args[1]",
    " sock, _ := rep.NewSocket()",
    " sock.Listen(url)",
    " for {",
    " msg, _ := sock.Recv()",
    ' newMsg := append(msg, []byte(" [echoed by Go]")...)',
    " sock.Send(newMsg)",
    " }",
    "}",
    sep = "\n"
  )
  tmp_go <- tempfile(fileext = ".go")
  writeLines(go_echo_code, tmp_go)
  tmp_bin <- tempfile()
  expect_identical(mangoro_go_build(tmp_go, tmp_bin), tmp_bin)

  ipc_url <- create_ipc_path()
  echo_proc <- processx::process$new(tmp_bin, args = ipc_url)
  withr::defer(echo_proc$kill())
  expect_true(echo_proc$is_alive())
  sock <- nanonext::socket("req", dial = ipc_url)
  msg <- charToRaw("hello from R")
  send_result <- nanonext::send(sock, msg, mode = "raw", block = TRUE)
  expect_identical(send_result, 0L)
  response <- nanonext::recv(sock, mode = "raw", block = TRUE)
  expect_identical(rawToChar(response), "hello from R [echoed by Go]")
  close(sock)
  expect_true(echo_proc$kill())
})

test_that("an Arrow echo server that imports Arrow by its path of old", {
  skip_if_no_go()
  cfg <- nanonext::serial_config(
    "ArrowTabular",
    nanoarrow::write_nanoarrow,
    nanoarrow::read_nanoarrow
  )
  ipc_url <- create_ipc_path()
  go_code <- '
package main
import (
"os"
"bytes"
"fmt"
"go.nanomsg.org/mangos/v3/protocol/rep"
_ "go.nanomsg.org/mangos/v3/transport/ipc"
"github.com/apache/arrow/go/v18/arrow/ipc"
"github.com/apache/arrow/go/v18/arrow/memory"
)
func main() {
url := os.Args[1]
sock, _ := rep.NewSocket()
sock.Listen(url)
for {
msg, _ := sock.Recv()
reader, err := ipc.NewReader(bytes.NewReader(msg), ipc.WithAllocator(memory.DefaultAllocator))
if err != nil {
fmt.Println("Arrow IPC error:", err)
continue
}
var buf bytes.Buffer
writer := ipc.NewWriter(&buf, ipc.WithSchema(reader.Schema()))
for reader.Next() {
rec := reader.Record()
fmt.Println(rec)
if err := writer.Write(rec); err != nil {
fmt.Println("Arrow IPC write error:", err)
}
rec.Release()
}
if err := writer.Close(); err != nil {
fmt.Println("Arrow IPC writer close error:", err)
}
reader.Release()
sock.Send(buf.Bytes())
}
}
'
  tmp_go <- tempfile(fileext = ".go")
  writeLines(go_code, tmp_go)
  tmp_bin <- tempfile()
  expect_identical(mangoro_go_build(tmp_go, tmp_bin), tmp_bin)

  echo_proc <- processx::process$new(tmp_bin, args = ipc_url, stdout = "|", stderr = "|")
  withr::defer(echo_proc$kill())
  sock <- nanonext::socket("req", dial = ipc_url)
  nanonext::opt(sock, "serial") <- cfg
  example_stream <- nanoarrow::example_ipc_stream()
  send_result <- nanonext::send(sock, example_stream, mode = "raw", block = TRUE)
  expect_identical(send_result, 0L)
  # The answer is no serialized R object, which nanonext warns of; the bytes
  # come through.
  received <- suppressWarnings(nanonext::recv(sock, mode = "serial", block = TRUE))
  sent_df <- as.data.frame(nanoarrow::read_nanoarrow(example_stream))
  received_df <- as.data.frame(nanoarrow::read_nanoarrow(received))
  expect_identical(sent_df$some_col, 0:2)
  expect_identical(sent_df, received_df)
  expect_true(echo_proc$is_alive())
  close(sock)
  expect_true(echo_proc$kill())
})

test_that("the RPC server", {
  skip_if_no_go()
  rpc_server_path <- file.path(system.file("go", package = "mangoro"), "cmd", "rpc-example", "main.go")
  rpc_bin <- tempfile()
  expect_identical(mangoro_go_build(rpc_server_path, rpc_bin), rpc_bin)
  ipc_url <- create_ipc_path()
  rpc_proc <- processx::process$new(rpc_bin, args = ipc_url, stdout = "|", stderr = "|")
  withr::defer(rpc_proc$kill())
  expect_true(rpc_proc$is_alive())

  # The manifest, printed.
  sock <- nanonext::socket("req", dial = ipc_url)
  manifest <- mangoro_rpc_get_manifest(sock)
  withr::with_options(list(width = 80), expect_snapshot(manifest))
  close(sock)

  # add
  sock <- nanonext::socket("req", dial = ipc_url)
  input_df <- data.frame(x = c(1.5, 2.5, 3.5, NA), y = c(0.5, 1.5, 2.5, 4.5))
  result <- mangoro_rpc_call(sock, "add", input_df)
  expect_s3_class(result, "nanoarrow_array_stream")
  expect_identical(as.data.frame(result), data.frame(result = c(2, 4, 6, NA)))
  close(sock)

  # echoString
  sock <- nanonext::socket("req", dial = ipc_url)
  input_df <- data.frame(s = c("hello", "world", NA, "mangoro"))
  result_df <- as.data.frame(mangoro_rpc_call(sock, "echoString", input_df))
  expect_identical(result_df, data.frame(result = c("hello", "world", NA, "mangoro")))
  expect_identical(input_df$s, result_df$result)
  close(sock)

  # transposeMatrix
  sock <- nanonext::socket("req", dial = ipc_url)
  mat <- matrix(c(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), nrow = 3, ncol = 4)
  input_df <- as.data.frame(mat)
  colnames(input_df) <- paste0("V", seq_len(ncol(mat)))
  result_df <- as.data.frame(mangoro_rpc_call(sock, "transposeMatrix", input_df))
  expect_true(all.equal(as.matrix(result_df), t(mat), check.attributes = FALSE))
  close(sock)

  # echoStruct
  sock <- nanonext::socket("req", dial = ipc_url)
  person_df <- data.frame(
    name = c("Alice", "Bob", "Charlie"),
    age = c(30L, 25L, 35L),
    stringsAsFactors = FALSE
  )
  input_df <- data.frame(person = I(person_df))
  result_df <- as.data.frame(mangoro_rpc_call(sock, "echoStruct", input_df))
  expect_snapshot({
    str(input_df)
    str(result_df)
    result_df
  })
  expect_true(all.equal(input_df$person, result_df$person, check.attributes = FALSE))
  close(sock)
  expect_true(rpc_proc$kill())
})

test_that("the HTTP server, over HTTP and HTTPS", {
  skip_if_no_go()
  http_server_path <- file.path(system.file("go", package = "mangoro"), "cmd", "http-server", "main.go")
  http_bin <- tempfile()
  expect_identical(mangoro_go_build(http_server_path, http_bin, gomaxprocs = 4), http_bin)

  dir <- withr::local_tempdir()
  dir <- normalizePath(dir)
  withr::local_dir(dir)
  writeLines(c("LICENSE", "^\\.certs_test/.*$", "^misc/.*$"), ".Rbuildignore")
  dir.create("..Rcheck")
  dir.create(".certs_test")
  certificate <- nanonext::write_cert(cn = "127.0.0.1")
  writeLines(certificate$server[[1]], ".certs_test/cert.pem")
  writeLines(certificate$server[[2]], ".certs_test/key.pem")

  ipc_url <- create_ipc_path()
  http_ctl_proc <- processx::process$new(http_bin, args = ipc_url, stdout = "|", stderr = "|")
  withr::defer(http_ctl_proc$kill())
  expect_true(http_ctl_proc$is_alive())
  sock <- nanonext::socket("req", dial = ipc_url)
  withr::defer(close(sock))

  status <- mangoro_http_status(sock)
  expect_identical(status, data.frame(status = "status", message = "stopped"))
  expect_identical(
    http_ctl_proc$read_output_lines(),
    c(
      "Registered functions: [startServer stopServer serverStatus]",
      paste("HTTP server controller listening on", ipc_url)
    )
  )

  # The document's ports may be in use here.
  address <- free_address(sock)
  http_ctl_proc$read_output_lines()

  result <- mangoro_http_start(sock, address, dir = ".", cors = TRUE)
  expect_identical(result, data.frame(status = "ok", message = paste("HTTP server started on", address)))
  status <- mangoro_http_status(sock)
  expect_identical(status, data.frame(status = "status", message = paste("running at", address)))
  url <- paste0("http://", address, "/")
  expect_identical(
    readLines(url, n = 3, warn = FALSE),
    c("<pre>", '<a href="..Rcheck/">..Rcheck/</a>', '<a href=".Rbuildignore">.Rbuildignore</a>')
  )
  expect_true("access-control-allow-origin: *" %in% tolower(curlGetHeaders(url) |> trimws()))
  result <- mangoro_http_stop(sock)
  expect_identical(result, data.frame(status = "ok", message = "HTTP server stopped"))
  for (time in 1:2) {
    expect_identical(mangoro_http_status(sock), data.frame(status = "status", message = "stopped"))
  }

  result <- mangoro_http_start(
    sock,
    addr = address,
    dir = ".",
    tls = TRUE,
    cert = ".certs_test/cert.pem" |> normalizePath(),
    key = ".certs_test/key.pem" |> normalizePath(),
    cors = TRUE
  )
  expect_identical(result, data.frame(status = "ok", message = paste("HTTP server started on", address)))
  status <- mangoro_http_status(sock)
  expect_identical(status, data.frame(status = "status", message = paste("running at", address)))
  if (nzchar(Sys.which("curl"))) {
    temp_file <- tempfile()
    download.file(
      paste0("https://", address, "/.Rbuildignore"),
      destfile = temp_file,
      method = "curl",
      extra = "-k",
      quiet = TRUE
    )
    expect_identical(readLines(temp_file, n = 3), c("LICENSE", "^\\.certs_test/.*$", "^misc/.*$"))
  }
  result <- mangoro_http_stop(sock)
  expect_identical(result, data.frame(status = "ok", message = "HTTP server stopped"))

  log <- http_ctl_proc$read_output_lines()
  stamp <- "\\[mangoro server\\] [0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "
  expect_match(log, paste0("^", stamp))
  events <- sub(stamp, "", log)
  events <- sub("127\\.0\\.0\\.1:[0-9]+ [0-9.]+.?s$", "<peer and time>", events)
  expect_identical(
    events[!grepl("^HEAD", events)],
    c(
      paste("Starting HTTP server on", address, "serving", dir, "at /"),
      "GET / <peer and time>",
      "HTTP server stopped",
      paste("Starting HTTPS server on", address, "serving", dir, "at /"),
      if (nzchar(Sys.which("curl"))) "GET /.Rbuildignore <peer and time>",
      "HTTP server stopped"
    )
  )
  expect_true(http_ctl_proc$kill())
})
