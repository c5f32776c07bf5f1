# Prints for each file the share of its lines that the tests reach, and runs of more than
# 20 lines that they miss. Usage: Rscript tools/coverage.R <package> <profile of Go>

# A line of Go is reached if any of its blocks is, in the tests of any package.
go_lines <- function(profile) {
  blocks <- utils::strcapture(
    "^[^/]*/(.*):([0-9]+)\\.[0-9]+,([0-9]+)\\.[0-9]+ [0-9]+ ([0-9]+)$",
    readLines(profile)[-1],
    data.frame(file = "", first = 0L, last = 0L, hits = 0)
  )
  n <- blocks$last - blocks$first + 1L
  lines <- data.frame(
    file = rep(file.path("inst/go", blocks$file), n),
    line = sequence(n, from = blocks$first),
    hits = rep(blocks$hits, n)
  )
  stats::aggregate(hits ~ file + line, lines, max)
}

# The tests run as in tools/test.R, except that a failure does not stop them.
r_lines <- function(package) {
  tests <- sprintf(
    "testthat::test_dir(%s, package = 'mangoro', load_package = 'installed', stop_on_failure = FALSE)",
    deparse(file.path(package, "tests", "testthat"))
  )
  lines <- covr::tally_coverage(covr::package_coverage(package, type = "none", code = tests), by = "line")
  data.frame(file = lines$filename, line = lines$line, hits = lines$value)
}

# Runs of missed lines, among those that count.
holes <- function(lines) {
  runs <- rle(lines$hits == 0)
  last <- cumsum(runs$lengths)
  first <- last - runs$lengths + 1L
  large <- runs$values & runs$lengths > 20
  paste0("  ", lines$line[first[large]], "-", lines$line[last[large]], recycle0 = TRUE)
}

report <- function(lines) {
  lines <- lines[order(lines$file, lines$line), ]
  for (file in split(lines, lines$file)) {
    missed <- paste(holes(file), collapse = "")
    cat(sprintf("%6.1f%%  %5d  %s%s\n", 100 * mean(file$hits > 0), nrow(file), file$file[[1]], missed))
  }
  cat(sprintf("%6.1f%%  %5d  all\n\n", 100 * mean(lines$hits > 0), nrow(lines)))
}

main <- function(package, profile) {
  cat("reached  lines  file  holes of more than 20 lines\n\n")
  report(go_lines(profile))
  report(r_lines(package))
}

arguments <- commandArgs(trailingOnly = TRUE)
main(arguments[[1]], arguments[[2]])
