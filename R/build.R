#' Build a Go program
#'
#' Compiles Go sources into a program, with the modules that travel with the
#' package and no network: mangos, arrow-go and mangoro's own
#' `mangoro.local/pkg/rgoipc` and `mangoro.local/pkg/fileserver`. What was built
#' before and has not changed comes from a cache, without Go being run (see
#' [mangoro_cache_info()]).
#'
#' @param src What to build, one string, no default:
#'   * a `.go` file of package main, anywhere;
#'   * a directory whose `.go` files are a package main, built with the modules
#'     of mangoro;
#'   * a directory with a `go.mod` of its own, built as that says: with its
#'     `vendor` directory, or with modules from the user's module cache and
#'     proxy. This is the only case in which Go may use the network;
#'   * a `main.go` or a directory below `system.file("go", package = "mangoro")`,
#'     such as `cmd/rpc-example/main.go`.
#' @param out The file to write the program to, one string, no default. Its
#'   directory must exist. An existing file is replaced, even while it runs.
#' @param gomaxprocs How many cores to use, one whole number. `NULL`, the
#'   default, is all of them, but two under `R CMD check`.
#' @param gocache The directory of Go's build cache, one string. `NULL`, the
#'   default, is the one in mangoro's own cache.
#' @param ... More arguments for `go build`, unnamed strings such as `"-race"`.
#'   They come after mangoro's own.
#' @param quiet `TRUE` shows no progress. `FALSE`, the default in an interactive
#'   session, shows a progress bar if the build takes longer than two seconds.
#'
#' @returns `out`.
#'
#' @section Errors:
#' * `mangoro_error_toolchain`: there is no Go that is new enough; the field
#'   `candidates` has a row for each that was looked at, and why it was refused.
#' * `mangoro_error_build`: the program does not compile; the field
#'   `diagnostics` is a data frame of `file`, `line`, `column` and `message`,
#'   the field `output` all lines of the compiler.
#' * `mangoro_error_invalid_argument`: `src` or `out` is none of the above.
#'
#' @examplesIf mangoro:::has_go()
#' hello <- tempfile(fileext = ".go")
#' writeLines(c(
#'   "package main",
#'   "import \"fmt\"",
#'   "func main() { fmt.Println(\"Hello from Go\") }"
#' ), hello)
#' bin <- mangoro_go_build(hello, tempfile())
#' processx::run(bin)$stdout
#' @export
mangoro_go_build <- function(src, out, gomaxprocs = NULL, gocache = NULL, ...,
                             quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  check_string(src)
  check_out(out, call)
  if (!is.null(gomaxprocs)) check_count(gomaxprocs)
  if (!is.null(gocache)) check_string(gocache)
  check_flag(quiet)
  more <- check_build_arguments(list(...), call)
  check_src(src, call)

  result <- retry_when_cleaned(function() {
    program <- go_program(src, call)
    build_program(program, out, gomaxprocs %||% default_cores(), gocache, more, quiet, call)
  })
  if (!is.null(result$error)) {
    abort_build(src, result$error$diagnostics, result$error$output, result$error$status, call)
  }
  out
}

default_cores <- function() {
  cores <- max(1, parallel::detectCores(), na.rm = TRUE)
  if (is_check()) min(2, cores) else cores
}

check_src <- function(src, call) {
  if (!file.exists(src)) {
    abort_invalid_argument("src", "There is no file or directory {.file {src}}.", call = call)
  }
  if (!dir.exists(src) && !endsWith(src, ".go")) {
    abort_invalid_argument("src", "{.file {src}} is neither a {.file .go} file nor a directory.", call = call)
  }
}

check_out <- function(out, call) {
  check_string(out, "out", call)
  if (!dir.exists(dirname(out))) {
    abort_invalid_argument("out", "There is no directory {.path {dirname(out)}} to write to.", call = call)
  }
  if (dir.exists(out)) {
    abort_invalid_argument("out", "{.path {out}} is a directory, not a file to write.", call = call)
  }
}

check_build_arguments <- function(more, call) {
  if (!is.null(names(more)) || !all(vapply(more, rlang::is_string, TRUE))) {
    abort_invalid_argument("...", "{.arg ...} must be unnamed strings, arguments for {.command go build}.", call = call)
  }
  as.character(unlist(more))
}

# --- What there is to build -------------------------------------------------

# A program is what `go build` is told: the package (`target`), where it runs
# (`dir`), the source files (`files`, and `base` that their names in the key
# are relative to), more arguments, and `user_path()`, which gives the user's
# name for a file that the compiler names. `own_module`: a go.mod of its own
# decides; then Go's own cache is all there is, as only Go knows what goes in.
go_program <- function(src, call) {
  path <- normalizePath(src)
  base <- if (dir.exists(path)) path else dirname(path)
  if (startsWith(paste0(path, "/"), paste0(normalizePath(go_file()), "/"))) {
    return(package_program(base, call))
  }
  if (!dir.exists(path)) {
    return(file_program(path, src, call))
  }
  if (file.exists(file.path(path, "go.mod"))) {
    return(module_program(path, src, call))
  }
  directory_program(path, src, call)
}

# A package of our own module: it knows no other sources than the module's.
package_program <- function(base, call) {
  source <- normalizePath(go_file())
  module <- normalizePath(module_dir(call))
  check_main(go_files(base), base, call)
  list(
    target = paste0("./", substring(base, nchar(source) + 2)),
    dir = module,
    files = character(),
    base = base,
    user_path = function(file) replace_prefix(file, module, source)
  )
}

file_program <- function(path, src, call) {
  check_main(path, src, call)
  list(
    target = path,
    dir = module_dir(call),
    files = path,
    base = dirname(path),
    user_path = function(file) if (identical(file, path)) src else file
  )
}

# The directory appears as a package of our module, by way of an overlay: the
# module is not touched, and what the file names of Go mean stays true.
directory_program <- function(path, src, call) {
  check_main(go_files(path), src, call)
  module <- normalizePath(module_dir(call))
  name <- paste0("cmd/", cli::hash_md5(path))
  virtual <- file.path(module, name)
  files <- list.files(path, recursive = TRUE, all.files = TRUE)
  overlay <- list(Replace = rlang::set_names(as.list(file.path(path, files)), file.path(virtual, files)))
  file <- tempfile("overlay-", fileext = ".json")
  jsonlite::write_json(overlay, file, auto_unbox = TRUE)
  list(
    target = paste0("./", name),
    dir = module,
    files = file.path(path, files),
    base = path,
    arguments = paste0("-overlay=", file),
    user_path = function(file) replace_prefix(file, virtual, src)
  )
}

module_program <- function(path, src, call) {
  check_main(go_files(path), src, call)
  list(
    target = ".",
    dir = path,
    own_module = TRUE,
    arguments = if (dir.exists(file.path(path, "vendor"))) "-mod=vendor",
    user_path = function(file) replace_prefix(file, path, src)
  )
}

go_files <- function(dir) {
  files <- list.files(dir, pattern = "\\.go$", full.names = TRUE)
  files[!endsWith(files, "_test.go")]
}

# `go build` makes an archive of a package that is no program.
check_main <- function(files, src, call) {
  if (length(files) == 0) {
    abort_invalid_argument("src", "There is no {.file .go} file in {.path {src}}.", call = call)
  }
  packages <- vapply(files, package_name, "")
  if (!any(packages %in% c("main", NA))) {
    abort_invalid_argument(
      "src",
      c(
        "{.file {src}} is no program: it is package {.val {packages[[1]]}}, not {.val main}.",
        "i" = "Begin it with {.code package main}."
      ),
      call = call
    )
  }
}

# The name in the package clause, NA if there is none to be seen: the compiler
# then says why.
package_name <- function(file) {
  lines <- readLines(file, warn = FALSE)
  clause <- regmatches(lines, regexec("^[[:space:]]*package[[:space:]]+([[:alnum:]_]+)", lines, useBytes = TRUE))
  clause <- Filter(length, clause)
  if (length(clause) == 0) NA_character_ else clause[[1]][[2]]
}

replace_prefix <- function(file, prefix, by) {
  if (startsWith(file, paste0(prefix, "/"))) file.path(by, substring(file, nchar(prefix) + 2)) else file
}

# --- Building it ------------------------------------------------------------

# Writes the program to `out`, from the cache or by Go. The result has an
# `error` if Go failed.
build_program <- function(program, out, gomaxprocs, gocache, more, quiet, call) {
  own_module <- isTRUE(program$own_module)
  go <- find_go(call)
  env <- go_env(go, gomaxprocs, gocache, own_module)
  arguments <- build_arguments(gomaxprocs, program$arguments, more)
  if (own_module) {
    return(run_go_build(go, c(arguments, program$target), out, program, env, quiet, call))
  }

  cached <- cached_program(build_key(program, go, env, more))
  if (file.exists(cached) && copy_atomically(cached, out)) {
    touch(cached)
    return(list())
  }
  result <- run_go_build(go, c(arguments, program$target), out, program, env, quiet, call)
  if (is.null(result$error)) {
    dir.create(dirname(cached), recursive = TRUE, showWarnings = FALSE)
    copy_atomically(out, cached) # without it the next build takes longer
    prune_cache()
  }
  result
}

build_tags <- "arrow_json_stdlib"

build_arguments <- function(gomaxprocs, special, more) {
  c(
    "build", "-v", "-p", as.character(gomaxprocs),
    "-trimpath", "-buildvcs=false", "-ldflags=-s -w", tags_argument(more),
    special, more[!grepl("^--?tags=", more)]
  )
}

# Go takes the last -tags alone; ours are kept beside the user's.
tags_argument <- function(more) {
  users <- sub("^--?tags=", "", grep("^--?tags=", more, value = TRUE))
  paste0("-tags=", paste(c(build_tags, users), collapse = ","))
}

# The hash of all that decides what the program will be.
build_key <- function(program, go, env, more) {
  settings <- env[startsWith(names(env), "GO") & !names(env) %in% go_places]
  names <- substring(program$files, nchar(program$base) + 2)
  cli::hash_sha256(paste(c(
    "program", if (length(names) > 0) names else program$target,
    "contents", cli::hash_file_sha256(program$files),
    "module", module_hash(go_file()),
    "go", file_identity(go),
    "settings", sort(paste(names(settings), settings), method = "radix"),
    "arguments", more
  ), collapse = "\n"))
}

# Runs `go build`, which writes a new file beside `out` that then takes its
# place. An interrupt ends Go and leaves `out` as it was.
run_go_build <- function(go, arguments, out, program, env, quiet, call) {
  made <- tempfile(".new-", normalizePath(dirname(out)))
  on.exit(unlink(made))
  arguments <- append(arguments, c("-o", made), after = 1)
  process <- processx::process$new(
    go, arguments,
    env = env, wd = program$dir,
    stdin = NULL, stdout = NULL, stderr = "|", cleanup_tree = TRUE
  )
  on.exit(process$kill_tree(), add = TRUE)
  output <- follow_build(process, quiet)
  status <- process$get_exit_status()
  if (identical(status, 0L) && file.exists(made)) {
    if (!file.rename(made, out)) {
      abort_invalid_argument("out", "{.file {out}} cannot be written.", call = call)
    }
    return(list())
  }
  list(error = build_error(output, status, program))
}

# Reads what Go prints until it ends. Lines of -v, a package each, are counted
# for the progress bar; the others are returned.
follow_build <- function(process, quiet) {
  if (!quiet) {
    cli::cli_progress_bar(
      format = "{cli::pb_spin} Go compiles: {cli::pb_current} package{?s} in {cli::pb_elapsed}; the next build will be fast",
      total = NA
    )
  }
  output <- character()
  repeat {
    process$poll_io(200)
    lines <- process$read_error_lines()
    is_package <- grepl("^[[:alnum:]_.~-]+(/[[:alnum:]_.~-]+)*$", lines)
    output <- c(output, lines[!is_package])
    if (!quiet) cli::cli_progress_update(inc = sum(is_package))
    if (!process$is_incomplete_error() && !process$is_alive()) break
  }
  process$wait()
  if (!quiet) cli::cli_progress_done()
  output
}

# --- What the compiler says -------------------------------------------------

# Its lines, with the user's own names for files, and those that name a place
# as a data frame.
build_error <- function(output, status, program) {
  output <- output[nzchar(output) & !startsWith(output, "# ")]
  place <- regmatches(output, regexec("^(.+?\\.go):([0-9]+)(:([0-9]+))?: (.*)$", output, perl = TRUE))
  found <- lengths(place) > 0
  part <- function(i) vapply(place[found], `[[`, "", i)
  files <- vapply(part(2), user_file, "", program = program, USE.NAMES = FALSE)
  diagnostics <- data.frame(
    file = files,
    line = as.integer(part(3)),
    column = as.integer(part(5)),
    message = part(6)
  )
  output[found] <- sprintf("%s:%s%s: %s", files, part(3), part(4), part(6))
  list(diagnostics = diagnostics, output = c(output, import_hints(output)), status = status)
}

user_file <- function(file, program) {
  path <- if (is_absolute(file)) file else file.path(program$dir, file)
  path <- normalizePath(path, winslash = "/", mustWork = FALSE)
  program$user_path(lexical_path(path))
}

is_absolute <- function(path) grepl("^(/|[A-Za-z]:)", path)

# The path without "." and "..", which normalizePath() leaves in where there is
# no such file, as in an overlay.
lexical_path <- function(path) {
  parts <- character()
  for (part in strsplit(path, "/", fixed = TRUE)[[1]]) {
    if (part == "..") {
      parts <- utils::head(parts, -1)
    } else if (part != ".") {
      parts <- c(parts, part)
    }
  }
  paste(parts, collapse = "/")
}

# Go's own advice for a missing module is to download it, which it may not.
import_hints <- function(output) {
  missing <- regmatches(output, regexec("(?:no required module provides package|cannot find module providing package|cannot find package) \"?([^\":; ]+)", output))
  missing <- unique(vapply(Filter(length, missing), `[[`, "", 2))
  if (length(missing) == 0) {
    return(character())
  }
  c(
    sprintf("%s is not among the modules that travel with mangoro.", missing),
    "Give the program a directory with a go.mod of its own to use further modules."
  )
}
