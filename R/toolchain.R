# Finding a Go that is new enough, and the environment it runs in.

# What a session keeps in memory.
the <- new.env(parent = emptyenv())

#' Go toolchains on this machine
#'
#' @description
#' `go_binary_candidates()` lists the `go` binaries that mangoro looks at, in
#' this order:
#'
#' 1. the option `mangoro.go_path` and then the environment variable
#'    `MANGORO_GO`: a `go` binary, or a directory with `bin/go` in it;
#' 2. `bin/go` in the environment variable `GOROOT`;
#' 3. `go` on the `PATH`;
#' 4. the usual places of the platform, such as `/usr/local/go`,
#'    `/usr/lib/go-1.25` or `C:\Program Files\Go`, and `~/sdk` where Go's own
#'    download tool puts toolchains, the newest first.
#'
#' The first one of at least `mangoro_min_go_version()` is used. One that the
#' option or the variable names is used or refused, but never passed over for
#' another. Nothing is run here but, once for each binary, `go version`.
#'
#' @returns `go_binary_candidates()` a character vector of the paths that exist,
#'   each once, of length 0 if there are none. `mangoro_min_go_version()` the
#'   version that the vendored modules need, one string such as `"1.25"`.
#'
#' @examples
#' mangoro_min_go_version()
#' go_binary_candidates()
#' @export
go_binary_candidates <- function() {
  candidates <- go_candidates()
  candidates$path[file.exists(candidates$path)]
}

#' @rdname go_binary_candidates
#' @export
mangoro_min_go_version <- function() {
  line <- grep("^go [0-9]", readLines(go_file("go.mod")), value = TRUE)
  sub("^go ([0-9]+\\.[0-9]+).*", "\\1", line[[1]])
}

# Every place that is looked at, with where it comes from. Places that somebody
# named are listed even if there is nothing there.
go_candidates <- function() {
  option <- getOption("mangoro.go_path")
  named <- c(
    "option mangoro.go_path" = if (rlang::is_string(option)) go_in(option),
    "environment variable MANGORO_GO" = go_in(Sys.getenv("MANGORO_GO"))
  )
  found <- c(
    "environment variable GOROOT" = go_in(Sys.getenv("GOROOT")),
    "PATH" = unname(Sys.which("go")),
    rlang::set_names(usual_places(os_name()), rep("usual place", length(usual_places(os_name()))))
  )
  named <- named[nzchar(named)]
  found <- found[nzchar(found) & file.exists(found)]
  path <- c(named, found)
  candidates <- data.frame(
    path = path.expand(unname(path)),
    source = names(path) %||% character(),
    named = seq_along(path) <= length(named)
  )
  candidates[!duplicated(normalizePath(candidates$path, mustWork = FALSE)), ]
}

# The go binary that a user's setting means: itself, or the one of a GOROOT.
go_in <- function(path) {
  if (!nzchar(path) || !dir.exists(path)) {
    return(path)
  }
  file.path(path, "bin", exe("go"))
}

exe <- function(name) if (.Platform$OS.type == "windows") paste0(name, ".exe") else name

usual_places <- function(os) {
  patterns <- switch(os,
    windows = c(
      file.path(Sys.getenv("ProgramFiles", "C:/Program Files"), "Go/bin/go.exe"),
      "C:/Go/bin/go.exe", "~/scoop/apps/go/current/bin/go.exe", "~/sdk/go*/bin/go.exe"
    ),
    darwin = c(
      "/usr/local/go/bin/go", "/opt/homebrew/bin/go", "/usr/local/bin/go",
      "/opt/local/bin/go", "~/sdk/go*/bin/go"
    ),
    c(
      "/usr/local/go/bin/go", "/usr/lib/go-*/bin/go", "/usr/lib/golang/bin/go",
      "/usr/local/bin/go", "/snap/bin/go", "~/.local/go/bin/go", "~/sdk/go*/bin/go"
    )
  )
  unlist(lapply(patterns, function(pattern) newest_first(Sys.glob(pattern))))
}

# By the version in the name of the directory.
newest_first <- function(paths) {
  version <- numeric_version(gsub(".*/go-?([0-9.]+)/.*", "\\1", paths), strict = FALSE)
  paths[order(version, decreasing = TRUE)]
}

# The candidates with their version and, unless they can be used, why not.
probe_go <- function() {
  candidates <- go_candidates()
  minimum <- mangoro_min_go_version()
  probed <- lapply(candidates$path, probe_one, minimum = minimum)
  candidates$version <- vapply(probed, `[[`, "", "version")
  candidates$problem <- vapply(probed, `[[`, "", "problem")
  candidates
}

probe_one <- function(path, minimum) {
  result <- function(version, problem) list(version = version, problem = problem)
  if (!file.exists(path)) {
    return(result(NA_character_, "there is no such file"))
  }
  answer <- go_version_line(path)
  version <- parse_go_version(answer)
  if (is.na(version)) {
    return(result(NA_character_, paste0("it is no Go: `go version` says \"", answer, "\"")))
  }
  if (numeric_version(version) < minimum) {
    return(result(version, paste0("version ", version, " is older than ", minimum)))
  }
  result(version, NA_character_)
}

# "go version go1.26rc1 linux/amd64" is 1.26. A development version is as new
# as the release that it leads to.
parse_go_version <- function(line) {
  match <- regmatches(line, regexec("\\bgo([0-9]+\\.[0-9]+(\\.[0-9]+)?)", line))[[1]]
  if (!startsWith(line, "go version ") || length(match) == 0) NA_character_ else match[[2]]
}

# What `go version` says, asked once for each binary: the answer is kept in the
# cache under the binary's identity.
go_version_line <- function(path) {
  file <- file.path(cache_dir(), "toolchain", cli::hash_sha256(file_identity(path)))
  if (file.exists(file)) {
    return(readLines(file, n = 1, warn = FALSE))
  }
  answer <- tryCatch(
    {
      run <- processx::run(
        path, "version",
        env = go_env(path, gomaxprocs = 1), timeout = 10, error_on_status = FALSE
      )
      if (run$timeout) "nothing for 10 seconds" else trimws(paste0(run$stdout, run$stderr))
    },
    error = function(cnd) "it cannot be run"
  )
  answer <- strsplit(answer, "\n")[[1]]
  answer <- if (length(answer) == 0) "nothing" else answer[[1]]
  if (!is.na(parse_go_version(answer))) write_atomically(answer, file)
  answer
}

# Changes whenever the file does, and costs no read of it.
file_identity <- function(path) {
  path <- normalizePath(path)
  info <- file.info(path)
  paste(path, info$size, format(as.numeric(info$mtime), digits = 17))
}

find_go <- function(call) {
  candidates <- probe_go()
  usable <- is.na(candidates$problem)
  # A Go that somebody named is the one, or none is.
  if (any(candidates$named)) usable <- usable & candidates$named & cumsum(candidates$named) == 1
  if (!any(usable)) {
    refused <- if (any(candidates$named)) candidates[candidates$named, ][1, ] else candidates
    abort_toolchain(refused, mangoro_min_go_version(), call = call)
  }
  candidates$path[usable][[1]]
}

# For tests and examples.
has_go <- function() {
  tryCatch(
    {
      find_go(NULL)
      TRUE
    },
    mangoro_error_toolchain = function(cnd) FALSE
  )
}

# Settings of Go that name places or limits, and so do not change what is built.
go_places <- c("GOCACHE", "GOPATH", "GOMODCACHE", "GOMAXPROCS", "GOTMPDIR", "GOROOT")

# Settings that say where modules come from. Only a program with a go.mod of
# its own is built with the user's.
go_sources <- c(
  "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOPRIVATE", "GONOPROXY",
  "GOINSECURE", "GOFLAGS", "GOVCS", "GOAUTH"
)

# The whole environment of a Go that we run. It leaves nothing outside the
# cache and goes to no network, but where `own_module` says that a go.mod asks
# for modules.
go_env <- function(go, gomaxprocs, gocache = NULL, own_module = FALSE) {
  cache <- cache_dir()
  set <- c(
    CGO_ENABLED = "0",
    GO111MODULE = "on",
    GOENV = "off",
    GOTOOLCHAIN = "local",
    GOWORK = "off",
    GOMAXPROCS = as.character(gomaxprocs),
    GOCACHE = gocache %||% file.path(cache, "go-build"),
    GOPATH = file.path(cache, "gopath"),
    go_config_env(file.path(cache, "config"), os_name()),
    if (own_module) {
      c(GOMODCACHE = module_cache())
    } else {
      c(GOPROXY = "off", GOSUMDB = "off", GOFLAGS = "-mod=vendor")
    }
  )
  env <- Sys.getenv()
  env <- rlang::set_names(as.character(env), names(env))
  # Go finds its own root; that of another Go would break it.
  drop <- c("GOROOT", if (!own_module) go_sources, names(set))
  c(env[setdiff(names(env), drop)], set)
}

# Go writes telemetry files into the user's configuration directory, whatever
# the environment says, unless a file there says "off".
go_config_env <- function(dir, os) {
  below <- if (os == "darwin") file.path(dir, "Library", "Application Support") else dir
  mode <- file.path(below, "go", "telemetry", "mode")
  if (!file.exists(mode)) write_atomically("off", mode)
  switch(os,
    windows = c(AppData = dir),
    darwin = c(HOME = dir),
    c(XDG_CONFIG_HOME = dir)
  )
}

# Where downloaded modules are: the user's own place, if there is one.
module_cache <- function() {
  gopath <- strsplit(Sys.getenv("GOPATH"), .Platform$path.sep, fixed = TRUE)[[1]]
  places <- c(
    Sys.getenv("GOMODCACHE"),
    if (length(gopath) > 0) file.path(gopath[[1]], "pkg", "mod"),
    Filter(dir.exists, path.expand("~/go/pkg/mod")),
    file.path(cache_dir(), "mod")
  )
  places[nzchar(places)][[1]]
}
