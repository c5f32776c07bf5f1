# The file server beside net/http's FileServer, nginx and Caddy: the benchmarks of pkg/fileserver, which
# measure in turns with a peer, and their goals. Usage: Rscript bench/http.R [file.csv]
#
# `make setup-bench` takes nginx and Caddy from Debian. The rows of a peer that cannot be had are NA.

source("bench/servers.R")

out <- commandArgs(trailingOnly = TRUE)

row <- function(what, against, benchmark, metric, goal = "") data.frame(what, against, goal, benchmark, metric)
rows <- rbind(
  row("CPU time, 1 KiB", "net/http", "CPU/1KiB/silent", "x-net/http", "<= 1.15"),
  row("CPU time, 1 KiB, with a log", "net/http", "CPU/1KiB/logging", "x-net/http", "<= 1.15"),
  row("CPU time, 64 KiB", "net/http", "CPU/64KiB/silent", "x-net/http"),
  row("CPU time, 64 KiB of 4 MiB", "net/http", "CPU/range/silent", "x-net/http"),
  row("CPU time, 4 MiB", "net/http", "CPU/4MiB/silent", "x-net/http"),
  row("CPU time, status 404", "net/http", "CPU/404/silent", "x-net/http"),
  row("requests per second, 1 KiB", "Caddy", "Throughput/1KiB/caddy", "x-requests", ">= 1"),
  row("requests per second, 64 KiB", "Caddy", "Throughput/64KiB/caddy", "x-requests", ">= 1"),
  row("requests per second, 1 KiB", "nginx", "Throughput/1KiB/nginx", "x-requests"),
  row("requests per second, 64 KiB", "nginx", "Throughput/64KiB/nginx", "x-requests"),
  row("bytes per second, 64 MiB", "nginx", "Throughput/64MiB/nginx", "x-requests", ">= 0.95"),
  row("bytes per second, 1 GiB", "nginx", "Throughput/1GiB/nginx", "x-requests", ">= 0.95"),
  row("memory of an open connection, of 10,000", "net/http", "Connections", "x-net/http", "<= 1"),
  row("the same after 3 requests over each", "after the first", "Connections", "x-first-request"),
  row("page of a folder of 100,000 files, time", "net/http", "LargeFolder", "x-time", "<= 2"),
  row("the same, memory with 10 readers", "net/http", "LargeFolder", "x-memory", "<= 2")
)

# A named vector of the metrics of a benchmark, from a line such as
# "BenchmarkCPU/1KiB/silent-2  1  0.85 x-net/http  21.0 µs-cpu/req".
metrics_of <- function(line) {
  fields <- strsplit(line, "[ \t]+")[[1]][-(1:2)]
  odd <- seq(1, length(fields), by = 2)
  stats::setNames(as.numeric(fields[odd]), fields[odd + 1])
}

peers <- normalizePath(".local/servers/bin", mustWork = FALSE)
Sys.setenv(PATH = paste(peers, Sys.getenv("PATH"), sep = .Platform$path.sep))
for (peer in c("nginx", "caddy")) {
  if (!nzchar(Sys.which(peer))) cat("There is no ", peer, " here: its rows are NA.\n", sep = "")
}
old <- setwd("inst/go")
output <- system2("go", c(
  "test", "-mod=vendor", "-tags=arrow_json_stdlib", "-run", "'^$'", "-benchtime", "1x",
  "-bench", "'^Benchmark(CPU|Throughput|Connections|LargeFolder)$'", "./pkg/fileserver"
), stdout = TRUE)
setwd(old)
if (!is.null(attr(output, "status"))) stop(paste(output, collapse = "\n"))

lines <- grep("^Benchmark", output, value = TRUE)
measured <- lapply(lines, metrics_of)
names(measured) <- sub("^Benchmark([^ \t]*?)(-[0-9]+)?[ \t].*", "\\1", lines, perl = TRUE)
ratio_of <- function(benchmark, metric) if (is.null(measured[[benchmark]])) NA else measured[[benchmark]][[metric]]
rows$ratio <- mapply(ratio_of, rows$benchmark, rows$metric)

table <- rows[c("what", "against", "goal", "ratio")]
table$ratio <- signif(table$ratio, 3)
if (length(out) > 0) utils::write.csv(table, out[[1]], row.names = FALSE, quote = 1:3)

cat("Ours as a part of the peer's, measured in turns:\n\n")
show_table(table)
connections <- measured[["Connections"]]
cat(sprintf(
  "\n%.0f open connections take %.0f KiB each; 10 readers of the page of 100,000 files take %.0f MiB in all.\n",
  connections["connections"], connections["KiB/connection"], measured[["LargeFolder"]]["MiB"]
))
