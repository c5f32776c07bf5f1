# The R packages of .local/library: Rscript tools/setup-packages.R <root> <library> <purpose>
#
# tools/PACKAGES is the part of CRAN's index that all purposes need, as it was on
# one day: packages that were tested together. A purpose gets from it all that it
# needs, recursively, but what comes with R, and nothing from another library of
# the machine. With the purpose "lock", tools/PACKAGES is made anew.

# What a purpose needs beyond the packages that mangoro imports.
purposes <- list(
  corpus = c("blob", "data.table", "dplyr", "haven", "hms", "nycflights13", "readr", "tibble", "zoo"),
  demo = "nycflights13",
  test = c(
    "coro", "data.table", "dplyr", "later", "mirai", "progressr", "promises", "shiny", "testthat", "vctrs", "withr"
  ),
  bench = c("Rcpp", "microbenchmark", "mirai", "reticulate", "stringi"),
  lint = c("lintr", "testthat"),
  dev = c(
    "coro", "data.table", "dplyr", "later", "litedown", "mirai", "nycflights13", "progressr", "promises", "roxygen2",
    "shiny", "testthat", "vctrs", "withr"
  ),
  coverage = c(
    "coro", "covr", "data.table", "dplyr", "later", "mirai", "progressr", "promises", "shiny", "testthat", "vctrs",
    "withr"
  )
)

# The CRAN that R is set up with, or else R's own first choice.
repository <- function() {
  if (getOption("repos")["CRAN"] %in% c(NA, "@CRAN@")) utils::chooseCRANmirror(ind = 1, local.only = TRUE)
  sub("/+$", "", unname(getOption("repos")["CRAN"]))
}

with_r <- function() {
  rownames(utils::installed.packages(.Library, priority = "high"))
}

# `packages` and all that they need, by `index`.
closure <- function(packages, index) {
  needed <- tools::package_dependencies(packages, index, which = "strong", recursive = TRUE)
  sort(setdiff(c(packages, unlist(needed)), with_r()))
}

wanted_for <- function(root, purpose, index) {
  imports <- read.dcf(file.path(root, "DESCRIPTION"), "Imports")[[1]]
  imports <- trimws(sub("\\(.*", "", strsplit(imports, ",")[[1]]))
  wanted <- closure(union(imports, unlist(purposes[purpose])), index)
  unknown <- setdiff(wanted, index[, "Package"])
  if (length(unknown) > 0) {
    stop("not in tools/PACKAGES: ", toString(unknown), "; run make packages", call. = FALSE)
  }
  wanted
}

lock <- function(root) {
  fields <- c("Package", "Version", "Depends", "Imports", "LinkingTo", "MD5sum")
  index <- utils::available.packages(utils::contrib.url(repository(), "source"))
  # C collation, so that the order is the same everywhere.
  wanted <- sort(wanted_for(root, names(purposes), index), method = "radix")
  write.dcf(index[wanted, fields], file.path(root, "tools", "PACKAGES"), keep.white = fields)
}

# Which of `packages` are not there at the index' version, built by this R, and
# which of them were built with one of those.
stale <- function(packages, index, library) {
  is_stale <- function(name) {
    installed <- suppressWarnings(utils::packageDescription(name, library, c("Version", "Built")))
    if (!is.list(installed)) {
      return(TRUE)
    }
    built <- strsplit(installed$Built, "; ")[[1]][[1]]
    installed$Version != index[name, "Version"] ||
      package_version(sub("^R ", "", built))[, 1:2] != getRversion()[, 1:2]
  }
  found <- packages[vapply(packages, is_stale, NA)]
  users <- tools::package_dependencies(found, index, which = "strong", recursive = TRUE, reverse = TRUE)
  intersect(packages, c(found, unlist(users)))
}

# Of the present version, or of one that CRAN has archived since.
download <- function(name, index, to) {
  file <- sprintf("%s_%s.tar.gz", name, index[name, "Version"])
  at <- paste0(repository(), "/src/contrib/", c("", paste0("Archive/", name, "/")), file)
  target <- file.path(to, file)
  for (url in at) {
    suppressWarnings(try(utils::download.file(url, target, mode = "wb", quiet = TRUE), silent = TRUE))
    if (identical(unname(tools::md5sum(target)), unname(index[name, "MD5sum"]))) {
      return(invisible())
    }
  }
  stop("cannot download ", file, " with the checksum that tools/PACKAGES has, from any of\n  ",
    paste(at, collapse = "\n  "),
    call. = FALSE
  )
}

install <- function(packages, index, library) {
  work <- file.path(tempdir(), "packages")
  dir.create(work)
  for (name in packages) download(name, index, work)
  write.dcf(index[packages, , drop = FALSE], file.path(work, "PACKAGES"))
  # A lock that is there is of an installation that was interrupted.
  unlink(Sys.glob(file.path(library, "00LOCK-*")), recursive = TRUE)
  # fs, which testthat needs, then builds where libuv is not installed.
  Sys.setenv(USE_BUNDLED_LIBUV = "1")
  suppressWarnings(utils::install.packages(packages, library,
    contriburl = paste0("file://", work), type = "source", dependencies = FALSE,
    Ncpus = 2, quiet = TRUE, keep_outputs = work
  ))
  failed <- stale(packages, index, library)
  for (name in failed) {
    output <- file.path(work, paste0(name, ".out"))
    if (file.exists(output)) writeLines(c(paste("---", name), utils::tail(readLines(output), 30)), stderr())
  }
  if (length(failed) > 0) {
    stop("these R packages could not be installed: ", toString(failed), call. = FALSE)
  }
}

main <- function(root, library, purpose) {
  if (purpose == "lock") {
    return(lock(root))
  }
  index <- read.dcf(file.path(root, "tools", "PACKAGES"))
  rownames(index) <- index[, "Package"]
  # What is here for other purposes stays, and stays in step with all that it needs.
  present <- setdiff(list.files(library, "^[^0]"), "mangoro")
  unlink(file.path(library, setdiff(present, rownames(index))), recursive = TRUE)
  wanted <- closure(union(wanted_for(root, purpose, index), intersect(present, rownames(index))), index)
  missing <- stale(wanted, index, library)
  if (length(missing) > 0) {
    message("==> R packages: installing ", toString(missing), " into ", library)
    took <- system.time(install(missing, index, library))
    message("==> R packages: done in ", round(took[["elapsed"]]), " s")
  }
}

arguments <- commandArgs(trailingOnly = TRUE)
main(arguments[[1]], arguments[[2]], arguments[[3]])
