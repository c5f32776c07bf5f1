# Runs the benchmarks and saves their output. Usage: Rscript bench/run.R

topics <- c(calls = "Small calls", codec = "The codec", vectors = "Large vectors", source = "Go functions")

run <- function(topic) {
  message("==> ", topics[[topic]])
  output <- system2("Rscript", file.path("bench", paste0(topic, ".R")), stdout = TRUE)
  if (!is.null(attr(output, "status"))) stop("bench/", topic, ".R failed")
  cat(output, "", sep = "\n")
  c(paste("##", topics[[topic]]), "", "```", output, "```", "")
}

machine <- sprintf(
  "R %s, %d cores, %s. Ratios are of medians, to the first row of a table unless it says otherwise.",
  getRversion(), parallel::detectCores(), R.version$platform
)
results <- unlist(lapply(names(topics), run))
writeLines(c("# Benchmarks", "", "Made by `make bench`.", machine, "", results), "bench/results.md")
