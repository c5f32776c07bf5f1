#' Download a Go toolchain
#'
#' `mangoro_install_go()` downloads a release of Go for this platform from Go's own site,
#' compares its checksum with the published one and unpacks it into
#' `tools::R_user_dir("mangoro", "data")`, where mangoro finds it (see
#' [go_binary_candidates()]). It changes nothing outside that directory and needs no
#' administrator; to remove Go, delete the directory. mangoro never calls it by itself.
#'
#' @param version The release, one string such as `"1.27.1"`. `NULL`, the default,
#'   is the newest stable one.
#' @param ask `TRUE`, the default in an interactive session, asks before anything is
#'   downloaded.
#' @param quiet `TRUE` shows no progress. The default is `FALSE` in an interactive
#'   session.
#'
#' @details
#' The option `mangoro.go_site` names another site with the same layout, such as a
#' mirror: its index is at `?mode=json&include=all`. The default is
#' `"https://go.dev/dl/"`.
#'
#' @returns The path of the `go` binary, one string, invisibly; `NULL`, invisibly,
#'   if the answer was no.
#'
#' @section Errors:
#' * `mangoro_error_toolchain`: the site cannot be reached, has no such release or
#'   none for this platform, or the download is not what the site has published.
#'   Nothing is left behind.
#' * `mangoro_error_invalid_argument`: `version` is not a version of Go, or is older than
#'   [mangoro_min_go_version()].
#'
#' @examples
#' \dontrun{
#' mangoro_install_go()
#' }
#' @export
mangoro_install_go <- function(version = NULL, ask = rlang::is_interactive(),
                               quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  check_version(version, call)
  check_flag(ask)
  check_flag(quiet)
  if (is_check()) {
    abort_install("Go is not downloaded under {.command R CMD check}.", call = call)
  }
  release <- find_release(version, go_platform(), call)
  target <- file.path(go_install_dir(), release$version)
  go <- go_below(target)
  if (file.exists(go)) {
    return(invisible(go))
  }
  size <- format(structure(release$size, class = "object_size"), units = "MB")
  question <- "Download %s (%s) from %s and unpack it into %s?"
  if (ask && !confirm(sprintf(question, release$version, size, go_site(), target))) {
    return(invisible(NULL))
  }
  dir.create(go_install_dir(), recursive = TRUE, showWarnings = FALSE)
  remove_leftovers(go_install_dir(), ".new-")
  staged <- new_scratch(go_install_dir(), ".new-")
  on.exit(remove_scratch(staged))
  archive <- file.path(staged, release$filename)
  download(paste0(go_site(), release$filename), archive, quiet, call)
  check_archive(archive, release, call)
  unpack_go(archive, staged, target, call)
  if (!quiet) cli::cli_inform(c("v" = "{release$version} is installed in {.path {target}}."))
  invisible(go)
}

check_version <- function(version, call) {
  if (is.null(version)) {
    return(invisible())
  }
  check_string(version, "version", call)
  if (!grepl("^(go)?[0-9]+\\.[0-9]+(\\.[0-9]+)?((rc|beta)[0-9]+)?$", version)) {
    abort_invalid_argument(
      "version", "{.arg version} must be a version of Go such as {.val 1.27.1}, not {.val {version}}.",
      call = call
    )
  }
  if (is_older(sub("^go", "", version), mangoro_min_go_version())) {
    abort_invalid_argument(
      "version", "{.arg version} must be at least {mangoro_min_go_version()}, not {version}.",
      call = call
    )
  }
}

# Mocked by tests.
confirm <- function(question) isTRUE(utils::askYesNo(question))

go_site <- function() {
  site <- read_option("mangoro.go_site", "https://go.dev/dl/")
  if (endsWith(site, "/")) site else paste0(site, "/")
}

# --- Which file -------------------------------------------------------------

# This platform as Go calls it.
go_platform <- function(os = os_name(), machine = Sys.info()[["machine"]]) {
  arch <- switch(tolower(machine),
    x86_64 = , `x86-64` = , amd64 = "amd64",
    aarch64 = , arm64 = "arm64",
    i386 = , i486 = , i586 = , i686 = "386",
    armv6l = , armv7l = "armv6l",
    tolower(machine)
  )
  list(os = os, arch = arch)
}

# The entry of the site's index: version, filename, sha256, size.
find_release <- function(version, platform, call) {
  index <- tempfile(tmpdir = session_dir(), fileext = ".json")
  on.exit(unlink(index))
  download(paste0(go_site(), "?mode=json", if (!is.null(version)) "&include=all"), index, quiet = TRUE, call)
  releases <- tryCatch(parse_index(index), error = function(cnd) {
    abort_install("The index of {.url {go_site()}} is not a list of Go releases.", parent = cnd, call = call)
  })
  wanted <- if (is.null(version)) releases$stable else sub("^go", "", releases$version) == sub("^go", "", version)
  if (!any(wanted)) {
    abort_install("{.url {go_site()}} has no release {version %||% 'that is stable'} of Go.", call = call)
  }
  newest <- releases$version[wanted][[1]]
  fits <- releases$version == newest & releases$os == platform$os & releases$arch == platform$arch
  if (!any(fits)) {
    abort_install("{.url {go_site()}} has no {newest} for {platform$os} on {platform$arch}.", call = call)
  }
  as.list(releases[which(fits)[[1]], ])
}

# A row for each archive. The site's names become names of files: they are checked.
parse_index <- function(file) {
  releases <- jsonlite::fromJSON(file, simplifyVector = FALSE)
  rows <- lapply(releases, function(release) {
    files <- Filter(function(f) identical(f$kind, "archive"), release$files)
    lapply(files, function(f) {
      data.frame(
        version = release$version, stable = isTRUE(release$stable),
        filename = f$filename, os = f$os, arch = f$arch, sha256 = f$sha256, size = as.numeric(f$size)
      )
    })
  })
  rows <- do.call(rbind, unlist(rows, recursive = FALSE))
  safe <- "^[A-Za-z0-9._-]+$"
  stopifnot(
    is.data.frame(rows), grepl(safe, rows$filename), grepl(safe, rows$version), grepl("^[0-9a-f]{64}$", rows$sha256)
  )
  rows
}

# --- Fetching it ------------------------------------------------------------

download <- function(url, file, quiet, call) {
  rlang::local_options(timeout = max(600, getOption("timeout")))
  failed <- function(cnd) {
    abort_install("{.url {url}} could not be downloaded.", parent = cnd, call = call)
  }
  # A warning here means that only a part of the file came, or nothing.
  tryCatch(
    utils::download.file(url, file, quiet = quiet, mode = "wb"),
    warning = failed, error = failed
  )
}

check_archive <- function(archive, release, call) {
  size <- file.size(archive)
  if (!identical(size, release$size)) {
    abort_install(
      "{release$filename} has {release$size} bytes, but only {size} came: the connection was cut.",
      call = call
    )
  }
  sha256 <- cli::hash_file_sha256(archive)
  if (!identical(sha256, release$sha256)) {
    abort_install(
      c(
        "{release$filename} is not what was published: its checksum is wrong.",
        "x" = "It is {sha256}, and should be {release$sha256}."
      ),
      call = call
    )
  }
}

# Unpacked under another name and then renamed: it is there as a whole or not at all.
unpack_go <- function(archive, staged, target, call) {
  failed <- function(cnd) {
    abort_install(
      "{.file {basename(archive)}} could not be unpacked into {.path {dirname(target)}}.",
      parent = cnd, call = call
    )
  }
  extract <- if (endsWith(archive, ".zip")) utils::unzip else function(...) utils::untar(..., tar = "internal")
  tryCatch(extract(archive, exdir = staged), warning = failed, error = failed)
  unpacked <- file.path(staged, "go")
  if (!file.exists(go_below(unpacked))) {
    abort_install("{.file {basename(archive)}} has no {.file bin/go} in it.", call = call)
  }
  if (!suppressWarnings(file.rename(unpacked, target)) && !file.exists(go_below(target))) {
    abort_install("{.path {target}} cannot be written.", call = call)
  }
}
