# Broken replies by the million, as tests/testthat/test-replies.R has them by the
# thousand: Rscript tools/fuzz-replies.R <root> <replies> <first seed>
# A reply that crashes R, or raises a condition that is not ours, is written to
# .local/replies, and the run fails.

library(mangoro)
library(testthat)

arguments <- commandArgs(trailingOnly = TRUE)
root <- arguments[[1]]
total <- as.numeric(arguments[[2]])
seed <- as.numeric(arguments[[3]])

# How many replies one session reads.
share <- 20000

setwd(root) # where test_path() looks for tests
helpers <- new.env(parent = asNamespace("mangoro"))
for (file in list.files("tests/testthat", "^helper.*[.]R$", full.names = TRUE)) sys.source(file, helpers)

keep <- function(reply, seed) {
  dir <- file.path(root, ".local", "replies")
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  file <- file.path(dir, sprintf("%.0f", seed))
  writeBin(reply, file)
  file
}

main <- function() {
  samples <- helpers$all_reply_samples()
  read <- failed <- 0
  while (read < total) {
    result <- helpers$read_in_session(samples, seed + read, min(share, total - read))
    if (result$status != 0) {
      failed <- failed + 1
      message("R ended with status ", result$status, ": ", keep(result$reply, seed + read))
      message(paste(result$output, collapse = "\n"))
    }
    for (found in result$found) {
      failed <- failed + 1
      message(found$reader, " raised \"", found$message, "\": ", keep(found$reply, found$seed))
    }
    read <- read + min(share, total - read)
    message(sprintf("%s broken replies, %.0f findings", format(read, big.mark = ",", scientific = FALSE), failed))
  }
  failed
}

quit(status = if (main() > 0) 1 else 0)
