# Finding a Go that is new enough, and the environment it runs in.

#' Go toolchains on this machine
#'
#' @description
#' `go_binary_candidates()` lists the `go` binaries that mangoro looks at, in
#' this order:
#'
#' 1. the option `mangoro.go_path` and then the environment variable
#'    `MANGORO_GO`: one string, a `go` binary or a directory with `bin/go` in it
#'    (a `GOROOT`); unset by default;
#' 2. `bin/go` in the environment variable `GOROOT`;
#' 3. `go` on the `PATH`;
#' 4. the usual places of the platform, such as `/usr/local/go`,
#'    `/usr/lib/go-1.25` or `C:\Program Files\Go`, where [mangoro_install_go()]
#'    puts toolchains, and `~/sdk` where Go's own download tool does, the newest
#'    first.
#'
#' The first one of at least version `mangoro_min_go_version()` is used. If the option
#' or the variable names one that cannot be used, that is an error: no other is tried.
#' To learn its version, `go version` is run once for each binary.
#'
#' `mangoro_has_go()` tells whether there is one, for packages whose tests and examples
#' call Go: `skip_if_not(mangoro::mangoro_has_go())`, and
#' `@examplesIf mangoro::mangoro_has_go()`. It never raises an error, does not use the
#' network, and after the first time takes a millisecond.
#'
#' @returns `go_binary_candidates()` a character vector of the paths that exist,
#'   each once, of length 0 if there are none. `mangoro_min_go_version()` the
#'   version that the vendored modules need, one string such as `"1.25"`.
#'   `mangoro_has_go()` `TRUE` or `FALSE`.
#'
#' @section Errors:
#' `mangoro_error_invalid_argument` if the option `mangoro.go_path` is set to
#' something that is not one string.
#'
#' @examples
#' mangoro_min_go_version()
#' go_binary_candidates()
#' mangoro_has_go()
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

# --- Where they are ---------------------------------------------------------

# The binaries that are looked at, and where each comes from. One that the user named
# is listed even if it does not exist.
go_candidates <- function(call = rlang::caller_env()) {
  option <- read_option("mangoro.go_path", call = call)
  usual <- c(usual_places(os_name()), installed_places())
  on_path <- find_on_path("go")
  path <- c(option, Sys.getenv("MANGORO_GO"), Sys.getenv("GOROOT"), on_path, usual)
  source <- c(
    if (!is.null(option)) "option mangoro.go_path",
    "MANGORO_GO", "GOROOT", rep("PATH", length(on_path)), rep("usual place", length(usual))
  )
  named <- source %in% named_sources
  path <- vapply(path.expand(path), go_in, "", USE.NAMES = FALSE)
  candidates <- data.frame(path = path, source = source, named = named)
  candidates <- candidates[nzchar(path) & (named | file.exists(path)), ]
  candidates[!duplicated(real_path(candidates$path)), ]
}

named_sources <- c("option mangoro.go_path", "MANGORO_GO")

# Where mangoro_install_go() puts toolchains.
go_install_dir <- function() file.path(user_dir("data"), "go")

# The go binary that a setting names: itself, or the one of a GOROOT.
go_in <- function(path) {
  if (dir.exists(path)) go_below(path) else path
}

go_below <- function(root) file.path(root, "bin", if (is_windows()) "go.exe" else "go")

# Like Sys.which(), which starts a process.
find_on_path <- function(name) {
  dirs <- strsplit(Sys.getenv("PATH"), .Platform$path.sep, fixed = TRUE)[[1]]
  files <- file.path(dirs[nzchar(dirs)], if (is_windows()) paste0(name, ".exe") else name)
  found <- files[file.access(files, 1) == 0 & !dir.exists(files)]
  if (length(found) > 0) found[[1]] else ""
}

usual_places <- function(os) {
  patterns <- switch(os,
    windows = c(
      file.path(Sys.getenv("ProgramFiles", "C:/Program Files"), "Go/bin/go.exe"),
      "C:/Go/bin/go.exe", "C:/ProgramData/chocolatey/bin/go.exe",
      file.path(Sys.getenv("USERPROFILE", "~"), c("scoop/apps/go/current", "sdk/go*"), "bin/go.exe")
    ),
    darwin = c(
      "/usr/local/go/bin/go", "/opt/homebrew/bin/go", "/usr/local/bin/go",
      "/opt/local/bin/go", "~/sdk/go*/bin/go", "~/.local/go/bin/go"
    ),
    c(
      "/usr/local/go/bin/go", "/usr/lib/go-*/bin/go", "/usr/lib/golang/bin/go",
      "/usr/local/bin/go", "/snap/bin/go", "~/sdk/go*/bin/go", "~/.local/go/bin/go"
    )
  )
  as.character(unlist(lapply(patterns, function(pattern) newest_first(Sys.glob(pattern)))))
}

installed_places <- function() {
  newest_first(Sys.glob(go_below(file.path(go_install_dir(), "go*"))))
}

# By the version in the name of the directory.
newest_first <- function(paths) {
  version <- numeric_version(sub(".*/go-?([0-9]+(\\.[0-9]+)*)[^/]*/.*", "\\1", paths), strict = FALSE)
  paths[order(version, decreasing = TRUE)]
}

# --- Which of them can be used ----------------------------------------------

# The Go to use.
find_go <- function(call) {
  candidates <- go_candidates(call)
  if (any(candidates$named)) candidates <- candidates[1, ]
  for (path in candidates$path) {
    if (is.na(probe_one(path)$problem)) {
      return(path)
    }
  }
  abort_toolchain(probe_go(candidates), mangoro_min_go_version(), call = call)
}

#' @rdname go_binary_candidates
#' @export
mangoro_has_go <- function() {
  tryCatch(is.character(find_go(NULL)), mangoro_error = function(cnd) FALSE)
}

# A first build takes longer than an example of CRAN's may.
runs_examples <- function() {
  mangoro_has_go() && (!is_check() || identical(Sys.getenv("NOT_CRAN"), "true"))
}

# The candidates with their version and, unless they can be used, why not.
probe_go <- function(candidates = go_candidates()) {
  probed <- lapply(candidates$path, probe_one)
  data.frame(
    path = candidates$path,
    source = candidates$source,
    version = vapply(probed, `[[`, "", "version"),
    problem = vapply(probed, `[[`, "", "problem")
  )
}

# What was found of a binary is kept for the session, as long as its file is the same.
probe_one <- function(path) {
  if (!file.exists(path)) {
    return(list(version = NA_character_, problem = "there is no such file"))
  }
  # Only what we have installed is checked: other Gos are the system's or the user's.
  found <- if (is_below(path, go_install_dir())) find_untrusted(path)
  if (!is.null(found)) {
    return(list(version = NA_character_, problem = paste(found$path, found$problem)))
  }
  key <- cli::hash_sha256(file_identity(path))
  if (is.null(the$go[[key]])) the$go[[key]] <- judge_go(path, key)
  the$go[[key]]
}

# The answer of a Go that can be used is kept in the cache too, so that a later session
# need not run it. One that is refused is asked again.
judge_go <- function(path, key) {
  kept <- file.path(cache_part("toolchain"), key)
  known <- read_line(kept)
  answer <- if (nzchar(known)) known else ask_go_version(path)
  version <- parse_go_version(answer)
  problem <- if (is.na(version)) {
    paste("`go version`", answer)
  } else if (is_older(version, mangoro_min_go_version())) {
    paste("version", version, "is older than", mangoro_min_go_version())
  } else {
    NA_character_
  }
  if (is.na(problem) && !nzchar(known)) write_atomically(answer, kept)
  list(version = version, problem = problem)
}

# The line that `go version` prints, or what happened instead.
ask_go_version <- function(path, timeout = 10) {
  run <- tryCatch(
    processx::run(
      path, "version",
      env = go_env(), timeout = timeout, error_on_status = FALSE, cleanup_tree = TRUE
    ),
    error = function(cnd) NULL
  )
  if (is.null(run)) {
    return("cannot be run")
  }
  if (run$timeout) {
    return(paste("does not answer within", timeout, "seconds"))
  }
  said <- strsplit(paste(run$stdout, run$stderr, sep = "\n"), "[\r\n]+")[[1]]
  said <- c(said[startsWith(said, "go version ")], said[nzchar(said)])
  if (length(said) == 0) {
    return(paste("prints nothing and ends with status", run$status))
  }
  if (startsWith(said[[1]], "go version ")) said[[1]] else paste("prints", dQuote(strtrim(said[[1]], 100), FALSE))
}

# "1.26rc1" of "go version go1.26rc1 linux/amd64", "1.28-devel" of a development
# version; NA if a Go does not answer so.
parse_go_version <- function(line) {
  pattern <- "^go version (devel )?.*?\\bgo([0-9]+\\.[0-9]+(\\.[0-9]+)?((rc|beta)[0-9]+)?)"
  match <- regmatches(line, regexec(pattern, line, perl = TRUE))[[1]]
  if (length(match) == 0) {
    return(NA_character_)
  }
  paste0(match[[3]], if (nzchar(match[[2]])) "-devel")
}

# What comes before a release, such as a release candidate, is older than it.
is_older <- function(version, minimum) {
  release <- sub("(rc|beta|-).*", "", version)
  order <- utils::compareVersion(release, minimum)
  order < 0 || order == 0 && release != version
}

# Changes whenever the file does, and costs no read of it.
file_identity <- function(path) {
  info <- file.info(path)
  paste(path, real_path(path), info$size, format(as.numeric(info$mtime), digits = 17))
}

# --- The environment it runs in ---------------------------------------------

# Settings of Go that name directories or limits, and so do not change what is built.
go_places <- c("GOCACHE", "GOPATH", "GOMODCACHE", "GOMAXPROCS", "GOTMPDIR")

# Settings that say where modules come from. Only a program with a go.mod of
# its own is built with the user's.
go_sources <- c(
  "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE",
  "GOFLAGS", "GOVCS", "GOAUTH"
)

# The whole environment of a Go that we run. It leaves nothing outside the cache and
# does not use the network, unless `own_module`: a go.mod asks for modules. What is built
# to run `here` is for this system.
go_env <- function(gomaxprocs = 1, gocache = NULL, own_module = FALSE, here = FALSE) {
  set <- c(
    CGO_ENABLED = "0",
    GO111MODULE = "on",
    GOENV = "off",
    GOTOOLCHAIN = "local",
    GOWORK = "off",
    GOMAXPROCS = as.character(as.integer(gomaxprocs)),
    GOCACHE = gocache %||% cache_part("go-build"),
    GOPATH = cache_part("gopath"),
    go_config_env(cache_part("config"), os_name()),
    if (own_module) {
      c(GOMODCACHE = module_cache())
    } else {
      c(GOPROXY = "off", GOSUMDB = "off", GOFLAGS = "-mod=vendor")
    }
  )
  env <- Sys.getenv()
  env <- rlang::set_names(as.character(env), names(env))
  # Go finds its own root; that of another Go would break it. In upper case, because
  # names of variables ignore case on Windows.
  drop <- toupper(c("GOROOT", "GOMODCACHE", if (here) c("GOOS", "GOARCH"), if (!own_module) go_sources, names(set)))
  c(env[!toupper(names(env)) %in% drop], set)
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

# Where downloaded modules are: the user's own directory, if there is one.
module_cache <- function() {
  gopath <- strsplit(Sys.getenv("GOPATH"), .Platform$path.sep, fixed = TRUE)[[1]]
  places <- c(
    Sys.getenv("GOMODCACHE"),
    file.path(utils::head(gopath, 1), "pkg", "mod"),
    Filter(dir.exists, path.expand("~/go/pkg/mod"))
  )
  places <- places[nzchar(places)]
  if (length(places) > 0) places[[1]] else cache_part("mod")
}
