# Programs that people read files with, each as it is.

skip_on_cran()

# A program, or a skipped test that says how to get it.
client <- function(name, package = name) {
  path <- Sys.which(name)
  skip_if(!nzchar(path), sprintf("no %s: apt-get install %s", name, package))
  unname(path)
}

run <- function(name, ..., package = name) processx::run(client(name, package), c(...), error_on_status = FALSE)

# The output of a script of tests/clients, as R values.
run_node <- function(script, ..., browser = FALSE) {
  scripts <- test_path("..", "clients")
  modules <- test_path("..", "..", ".local", "clients", "node_modules")
  skip_if_not(dir.exists(scripts), "the sources are not here")
  skip_if_not(dir.exists(modules), "no packages of npm: make setup-clients")
  if (browser) withr::local_envvar(CHROMIUM = client("chromium"))
  # Node looks for packages beside the script.
  dir <- withr::local_tempdir()
  file.copy(list.files(scripts, "[.]mjs$", full.names = TRUE), dir)
  file.symlink(normalizePath(modules), file.path(dir, "node_modules"))
  args <- c(file.path(dir, script), ...)
  result <- processx::run(client("node", "nodejs"), args, error_on_status = FALSE, timeout = 180)
  if (!identical(result$status, 0L)) stop(script, " failed: ", result$stderr, result$stdout)
  if (nzchar(result$stdout)) jsonlite::fromJSON(result$stdout)
}

client_module <- function(...) {
  dir <- test_path("..", "..", ".local", "clients", "node_modules", ...)
  skip_if_not(dir.exists(dir), "no packages of npm: make setup-clients")
  normalizePath(dir)
}

file_url <- function(site, name) paste0(mangoro_status(site)$url[[1]], name)

# A reference, reads and variants, with their indexes.
genome_dir <- function(frame = parent.frame()) {
  client("samtools")
  client("bgzip", "tabix")
  set.seed(1)
  sequence <- sample(c("A", "C", "G", "T"), 20000, TRUE)
  start <- sort(sample(19000, 3000))
  reads <- vapply(start, function(at) paste(sequence[at + 0:99], collapse = ""), "")
  at <- c(50L, 150L, 15000L)
  dir <- local_files(
    ref.fa = c(">chr1", paste(sequence, collapse = "")),
    a.sam = c(
      "@HD\tVN:1.6\tSO:coordinate", "@SQ\tSN:chr1\tLN:20000",
      sprintf("r%d\t0\tchr1\t%d\t60\t100M\t*\t0\t0\t%s\t%s", seq_along(start), start, reads, strrep("I", 100))
    ),
    a.vcf = c(
      "##fileformat=VCFv4.2", "##contig=<ID=chr1,length=20000>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
      sprintf("chr1\t%d\t.\t%s\t%s\t50\tPASS\t.", at, sequence[at], ifelse(sequence[at] == "A", "C", "A"))
    ),
    env = frame
  )
  for (args in list(
    c("samtools", "view", "-b", "-o", "a.bam", "a.sam"), c("samtools", "index", "a.bam"),
    c("samtools", "faidx", "ref.fa"), c("bgzip", "a.vcf"), c("tabix", "-p", "vcf", "a.vcf.gz")
  )) {
    processx::run(args[[1]], args[-1], wd = dir)
  }
  list(dir = dir, start = start, at = at)
}

test_that("download.file(), readLines() and url()", {
  dir <- local_files(a.csv = c("x,y", "1,2"))
  writeBin(as.raw(sample(0:255, 3e5, TRUE)), file.path(dir, "b.bin"))
  site <- local_site(dir)
  for (method in c("libcurl", if (nzchar(Sys.which("curl"))) "curl", if (nzchar(Sys.which("wget"))) "wget")) {
    to <- withr::local_tempfile()
    expect_identical(download.file(file_url(site, "b.bin"), to, method, quiet = TRUE, mode = "wb"), 0L)
    expect_identical(tools::md5sum(to)[[1]], tools::md5sum(file.path(dir, "b.bin"))[[1]])
  }
  expect_identical(readLines(file_url(site, "a.csv")), c("x,y", "1,2"))
  expect_identical(read.csv(url(file_url(site, "a.csv"))), data.frame(x = 1L, y = 2L))
  expect_error(suppressWarnings(readLines(file_url(site, "none"))))
})

# Writes a megabyte, and returns it.
write_random <- function(file) {
  bytes <- as.raw(sample(0:255, 1e6, TRUE))
  writeBin(bytes, file)
  bytes
}

test_that("curl resumes, asks for what has changed, and takes several ranges", {
  client("curl")
  dir <- local_files(a.txt = "hello")
  bytes <- write_random(file.path(dir, "b.bin"))
  site <- local_site(dir)
  to <- withr::local_tempfile()
  writeBin(bytes[1:300000], to)
  expect_identical(run("curl", "-sSf", "-C", "-", "-o", to, file_url(site, "b.bin"))$status, 0L)
  expect_identical(readBin(to, "raw", 2e6), bytes)
  log <- mangoro_logs(site)
  expect_identical(log[c("status", "bytes", "range")], data.frame(status = 206L, bytes = 7e5, range = "bytes=300000-"))

  tag <- withr::local_tempfile()
  run("curl", "-sS", "--etag-save", tag, file_url(site, "a.txt"))
  again <- run("curl", "-sS", "--etag-compare", tag, "-w", "%{http_code}", file_url(site, "a.txt"))
  expect_identical(again$stdout, "304")
  writeLines("HELLO", file.path(dir, "a.txt")) # as long, perhaps in the same second
  again <- run("curl", "-sS", "--etag-compare", tag, "-w", "%{http_code}", file_url(site, "a.txt"))
  expect_identical(again$stdout, "HELLO\n200")

  parts <- run("curl", "-sS", "-i", "-r", "0-1,4-5", file_url(site, "a.txt"))$stdout
  expect_match(parts, "multipart/byteranges", fixed = TRUE)
})

test_that("wget resumes", {
  client("wget")
  dir <- local_files(a.txt = "hello")
  bytes <- write_random(file.path(dir, "b.bin"))
  site <- local_site(dir)
  to <- withr::local_tempfile()
  writeBin(bytes[1:300000], to)
  run("wget", "-q", "-c", "-O", to, file_url(site, "b.bin"))
  expect_identical(readBin(to, "raw", 2e6), bytes)
  expect_identical(utils::tail(mangoro_logs(site)$status, 1), 206L)
})

test_that("samtools and tabix read parts of indexed files", {
  genome <- genome_dir()
  site <- local_site(genome$dir)
  withr::local_dir(withr::local_tempdir()) # where they put the indexes
  view <- run("samtools", "view", file_url(site, "a.bam"), "chr1:15000-15010")
  expect_identical(view$stdout, run("samtools", "view", file.path(genome$dir, "a.bam"), "chr1:15000-15010")$stdout)
  expect_gt(nchar(view$stdout), 0)
  variants <- run("tabix", file_url(site, "a.vcf.gz"), "chr1:1-1000")
  expect_match(variants$stdout, "^chr1\t50\t[^\n]*\nchr1\t150\t[^\n]*\n$")
  log <- mangoro_logs(site, Inf)
  # libhts looks for other kinds of indexes, too. It asks for all that follows what it wants to read, and hangs
  # up when it has enough.
  expect_true(all(log$status[log$path %in% c("/a.bam", "/a.vcf.gz")] %in% c(200, 206)))
  expect_true(any(log$path == "/a.bam" & log$status == 206))
})

test_that("igv.js reads BAM and VCF, of the same origin and of another one", {
  genome <- genome_dir()
  pages <- local_files(index.html = "<!doctype html><title>igv</title><link rel=icon href=data:,>")
  file.copy(file.path(client_module("igv", "dist"), "igv.esm.min.js"), pages)
  site <- local_site(c("/" = pages, data = genome$dir))
  expected <- list(variants = c(50L, 150L), reads = sum(genome$start <= 1000))
  seen <- run_node("igv.mjs", file_url(site, ""), file_url(site, "data/"), browser = TRUE)
  expect_identical(seen$variants, expected$variants)
  expect_gte(seen$reads, expected$reads)
  log <- mangoro_logs(site, Inf)
  expect_true(all(log$status[log$path %in% c("/data/a.bam", "/data/ref.fa")] == 206))

  origin <- sub("/$", "", file_url(site, ""))
  data <- local_site(genome$dir, cors = origin, name = "data")
  seen <- run_node("igv.mjs", file_url(site, ""), file_url(data, ""), browser = TRUE)
  expect_identical(seen$variants, expected$variants)
  closed <- local_site(genome$dir, name = "data")
  expect_error(run_node("igv.mjs", file_url(site, ""), file_url(closed, ""), browser = TRUE), "igv.mjs failed")
})

test_that("hyparquet reads the columns and rows that it needs", {
  dir <- withr::local_tempdir()
  run_node("parquet.mjs", "write", file.path(dir, "a.parquet"))
  site <- local_site(dir)
  expect_identical(run_node("parquet.mjs", "read", file_url(site, "a.parquet")), 50000:50002)
  log <- mangoro_logs(site, Inf)
  expect_identical(log$method[[1]], "HEAD")
  expect_true(all(log$status[log$method == "GET"] == 206))
  expect_lt(sum(log$bytes), file.size(file.path(dir, "a.parquet")))
})

test_that("webR runs with shared memory in an isolated page, and not in another", {
  pages <- local_files(index.html = "<!doctype html><title>webR</title><link rel=icon href=data:,>")
  dirs <- c("/" = pages, webr = client_module("webr", "dist"))
  site <- local_site(dirs, coop = TRUE)
  expect_identical(run_node("webr.mjs", file_url(site, ""), browser = TRUE), list(isolated = TRUE, sum = 2L))
  site <- local_site(dirs)
  expect_identical(run_node("webr.mjs", file_url(site, ""), browser = TRUE), list(isolated = FALSE))
})

test_that("a page that is being written is loaded again in Chromium", {
  dir <- local_files(a.txt = "a")
  site <- local_site(dir, reload = TRUE)
  expect_no_error(run_node("reload.mjs", file_url(site, ""), dir, browser = TRUE))
})

test_that("the page of a directory is used in Chromium", {
  dir <- local_files("folder/a.txt" = "a", "b <i>&.txt" = "b", c.csv = c("x", "1"), README.md = "# Files")
  grDevices::png(file.path(dir, "plot.png"))
  graphics::plot.new()
  grDevices::dev.off()
  site <- local_site(dir)
  expect_no_error(run_node("page.mjs", file_url(site, ""), browser = TRUE))
})

free_port <- function() {
  repeat {
    port <- sample(20000:30000, 1)
    socket <- tryCatch(serverSocket(port), error = function(cnd) NULL)
    if (!is.null(socket)) break
  }
  close(socket)
  port
}

test_that("a Shiny app goes on while Go computes, in Chromium", {
  skip_if_not_installed("shiny")
  skip_if_not_installed("bslib")
  app <- system.file("examples", "fit.R", package = "mangoro", mustWork = TRUE)
  port <- free_port()
  session <- other_session(sprintf("shiny::runApp('%s', port = %d, launch.browser = FALSE)", app, port))
  withr::defer(session$kill())
  wait_for_output(session, "Listening on")
  expect_no_error(run_node("fit.mjs", sprintf("http://127.0.0.1:%d/", port), browser = TRUE))
})
