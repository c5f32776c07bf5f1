# Runs the benchmarks and saves their output. Usage: Rscript bench/run.R

topics <- c(
  fast = "The fast path", peers = "What a call costs", sizes = "Time against size", programs = "Programs",
  calls = "Small calls over a socket", codec = "The codec", source = "From code to a result", http = "The file server"
)

# Figures that the README and the vignettes show.
figures <- c(
  fast = "bench/fast.csv", peers = "bench/peers.csv", sizes = "man/figures/sizes.png",
  programs = "inst/examples/times.csv", http = "bench/http.csv"
)

run <- function(topic) {
  message("==> ", topics[[topic]])
  script <- if (topic == "programs") "inst/examples/programs.R" else file.path("bench", paste0(topic, ".R"))
  output <- system2("Rscript", c(script, figures[topic][!is.na(figures[topic])]), stdout = TRUE)
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
