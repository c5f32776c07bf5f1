# Runs the tests of the installed package, or of one topic, and writes their
# counts (passed, failed, skipped) to a file: Rscript tools/test.R <root> <file> [<topic>]

main <- function(root, file, topic = NULL) {
  Sys.setenv(NOT_CRAN = "true") # snapshots too
  results <- as.data.frame(testthat::test_dir(
    file.path(root, "tests", "testthat"),
    filter = if (!is.null(topic)) paste0("^", topic, "$"),
    package = "mangoro",
    load_package = "installed",
    reporter = testthat::SummaryReporter$new(max_reports = Inf),
    stop_on_failure = FALSE
  ))
  failed <- results$failed > 0 | results$error
  skipped <- results$skipped & !failed
  passed <- !failed & !skipped
  cat(sum(passed), sum(failed), sum(skipped), "\n", file = file)
  slow <- utils::head(results[order(-results$real), c("file", "test", "real")], 5)
  message("Slowest tests:")
  message(paste(sprintf("  %6.1f s  %s: %s", slow$real, slow$file, slow$test), collapse = "\n"))
}

do.call(main, as.list(commandArgs(trailingOnly = TRUE)))
