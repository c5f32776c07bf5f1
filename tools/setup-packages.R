# Installs the R packages that a purpose needs and that no library has in a
# recent enough version: Rscript tools/setup-packages.R <root> <library> <purpose>

purposes <- list(
  demo = list(fields = "Imports", more = "nycflights13"),
  test = list(fields = "Imports", more = "testthat"),
  bench = list(fields = "Imports", more = c("Rcpp", "microbenchmark", "mirai")),
  dev = list(fields = c("Imports", "Suggests"), more = c("lintr", "nycflights13", "roxygen2"))
)

# A data frame of package and minimum version, from fields of DESCRIPTION.
dependencies <- function(root, purpose) {
  text <- read.dcf(file.path(root, "DESCRIPTION"), fields = purpose$fields)
  entries <- trimws(unlist(strsplit(text, ",")))
  name <- sub("[[:space:]]*\\(.*", "", entries)
  minimum <- ifelse(grepl(">=", entries), gsub(".*>=[[:space:]]*|\\)", "", entries), "0")
  data.frame(
    name = c(name, purpose$more),
    minimum = c(minimum, rep("0", length(purpose$more)))
  )
}

is_missing <- function(name, minimum) {
  installed <- suppressWarnings(utils::packageDescription(name, fields = "Version"))
  is.na(installed) || package_version(installed) < minimum
}

main <- function(root, library, purpose) {
  .libPaths(c(library, .libPaths()))
  wanted <- dependencies(root, purposes[[purpose]])
  missing <- wanted$name[mapply(is_missing, wanted$name, wanted$minimum)]
  if (length(missing) == 0) {
    return(invisible())
  }
  message("==> R packages: installing ", toString(missing), " into ", library)
  repos <- getOption("repos")
  if (identical(unname(repos["CRAN"]), "@CRAN@")) utils::chooseCRANmirror(ind = 1, local.only = TRUE)
  # The package fs, which testthat needs, then builds where libuv is not installed.
  Sys.setenv(USE_BUNDLED_LIBUV = "1")
  started <- Sys.time()
  utils::install.packages(missing, lib = library, Ncpus = 2, quiet = TRUE)
  still <- wanted$name[mapply(is_missing, wanted$name, wanted$minimum)]
  if (length(still) > 0) {
    stop("these R packages could not be installed: ", toString(still), call. = FALSE)
  }
  took <- round(as.numeric(difftime(Sys.time(), started, units = "secs")))
  message("==> R packages: done in ", took, " s")
}

arguments <- commandArgs(trailingOnly = TRUE)
main(arguments[[1]], arguments[[2]], arguments[[3]])
