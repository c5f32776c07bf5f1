# The Go module that travels with the package: its sources are installed as
# files, the vendored ones as one archive that is unpacked into the cache.

#' The vendored Go modules
#'
#' @description
#' Go programs are built without a network, from modules that travel with the package.
#' `find_mangoro_vendor()` returns the directory of their sources,
#' `get_mangos_version()` and `get_arrow_go_version()` the versions of the two modules
#' that R depends on: mangos for messages, arrow-go for data.
#'
#' @returns One string: a path, or a version such as `"v3.4.2"`.
#'
#' @section Errors:
#' `mangoro_error_resource_exhausted` if the sources cannot be unpacked into
#' the cache, see [mangoro_cache_info()].
#'
#' @examples
#' get_mangos_version()
#' get_arrow_go_version()
#' @name vendored
NULL

#' @rdname vendored
#' @export
find_mangoro_vendor <- function() {
  file.path(module_dir(rlang::current_env()), "vendor")
}

#' @rdname vendored
#' @export
get_mangos_version <- function() module_version("go.nanomsg.org/mangos/v3")

#' @rdname vendored
#' @export
get_arrow_go_version <- function() module_version("github.com/apache/arrow-go/v18")

module_version <- function(module) {
  lines <- readLines(go_file("go.mod"))
  words <- strsplit(trimws(sub("^require", "", lines)), "[[:space:]]+")
  required <- Filter(function(line) length(line) >= 2 && line[[1]] == module, words)
  required[[1]][[2]]
}

# A file of the installed Go module.
go_file <- function(...) system.file("go", ..., package = "mangoro", mustWork = TRUE)

# The directory of a complete module, vendored sources included: the package's
# own in a checkout, an unpacked copy in the cache otherwise.
module_dir <- function(call) {
  source <- real_path(go_file())
  if (dir.exists(file.path(source, "vendor"))) {
    return(source)
  }
  dir <- file.path(cache_part("module"), module_hash())
  if (!dir.exists(dir)) stage_module(source, dir, call)
  touch(dir)
  dir
}

# A hash of the names and contents of all files of the module. An installed one does
# not change while a session runs; in a checkout files are edited.
module_hash <- function() {
  source <- go_file()
  if (dir.exists(file.path(source, "vendor"))) {
    return(hash_module(source))
  }
  key <- paste("module", source)
  if (is.null(the[[key]])) the[[key]] <- hash_module(source)
  the[[key]]
}

hash_module <- function(source) {
  files <- sort(list.files(source, recursive = TRUE, all.files = TRUE), method = "radix")
  # The list of vendored modules stands for their sources.
  files <- files[!startsWith(files, "vendor/") | files == "vendor/modules.txt"]
  hash_files(file.path(source, files), files)
}

# Copies and unpacks under another name and then renames, so that the module is there
# as a whole or not at all. If another session was faster, its module is used.
stage_module <- function(source, dir, call) {
  dir.create(dirname(dir), recursive = TRUE, showWarnings = FALSE)
  failed <- function(cnd) {
    abort_resource_exhausted(
      "The Go sources of mangoro could not be unpacked into {.path {dirname(dir)}}.",
      call = call,
      parent = cnd
    )
  }
  rlang::try_fetch(
    {
      staging <- new_staging(dirname(dir))
      on.exit(remove_scratch(staging))
      staged <- file.path(staging, "module")
      dir.create(staged)
      stopifnot(file.copy(list.files(source, full.names = TRUE), staged, recursive = TRUE))
      utils::untar(file.path(staged, "vendor.tar.xz"), exdir = staged, tar = "internal")
      unlink(file.path(staged, "vendor.tar.xz"))
      stopifnot(file.exists(file.path(staged, "vendor", "modules.txt")))
    },
    # A warning here means that a file could not be written.
    warning = failed,
    error = failed
  )
  suppressWarnings(file.rename(staged, dir))
}
