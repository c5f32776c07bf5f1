# Installs the R packages that a purpose needs and that no library has in a
# recent enough version: Rscript tools/setup-packages.R <root> <library> <purpose>

# What a purpose needs beyond the packages that mangoro imports.
purposes <- list(
  corpus = c("blob", "data.table", "dplyr", "haven", "hms", "nycflights13", "readr", "tibble", "zoo"),
  demo = "nycflights13",
  test = c("data.table", "testthat", "withr"),
  bench = c("Rcpp", "microbenchmark", "mirai"),
  dev = c("data.table", "lintr", "litedown", "nycflights13", "roxygen2", "testthat", "withr")
)

# Package and minimum version of what a field of DESCRIPTION lists.
listed <- function(root, field) {
  entries <- trimws(strsplit(read.dcf(file.path(root, "DESCRIPTION"), fields = field), ",")[[1]])
  data.frame(
    name = sub("[[:space:]]*\\(.*", "", entries),
    minimum = ifelse(grepl(">=", entries), gsub(".*>=[[:space:]]*|\\)", "", entries), "0")
  )
}

# What mangoro imports, and `more`.
dependencies <- function(root, more) {
  more <- merge(data.frame(name = more), listed(root, "Suggests"), all.x = TRUE)
  more$minimum[is.na(more$minimum)] <- "0"
  rbind(listed(root, "Imports"), more)
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
