# Calls under kills, cuts, interrupts, time-outs and restarts, each counted in the
# server: Rscript tools/soak.R <root> <calls> [seed]

main <- function(root, calls, seed) {
  library(mangoro)
  tests <- new.env(parent = asNamespace("mangoro"))
  for (file in c("helper-server.R", "helper-soak.R")) sys.source(file.path(root, "tests", "testthat", file), tests)
  bin <- mangoro_go_build(file.path(root, "tests", "testthat", "go", "counter.go"), tempfile())
  fates <- c(answer = 90, wait = 2.5, cut = 2.5, interrupt = 2.5, die = 2.5)
  counts <- tests$soak(bin, calls, fates, seed)
  numbers <- unlist(counts[names(counts) != "failures"])
  cat(sprintf("%-24s %d\n", names(numbers), numbers), sep = "")
  print(counts$failures)
  if (counts$more_than_once + counts$wrong + counts$answered_without_run > 0) quit(status = 1)
}

arguments <- commandArgs(trailingOnly = TRUE)
seed <- if (length(arguments) > 2) as.integer(arguments[[3]]) else sample.int(1e6, 1)
cat("seed", seed, "\n")
main(arguments[[1]], as.integer(arguments[[2]]), seed)
