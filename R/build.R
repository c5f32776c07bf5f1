#' Build a Go program
#'
#' Compiles Go sources into a program, without a network, with the modules that travel
#' with the package: mangos, arrow-go and mangoro's own
#' `mangoro.local/pkg/rgoipc` and `mangoro.local/pkg/fileserver`. A program that was
#' built before and has not changed comes from a cache, without running Go (see
#' [mangoro_cache_info()]).
#'
#' @param src What to build, one string, no default:
#'   * a `.go` file of package main, anywhere;
#'   * a directory whose `.go` files are a package main, built with the modules
#'     of mangoro;
#'   * a directory with a `go.mod` of its own, built with its `vendor` directory, or
#'     with modules from the user's module cache and proxy. Mangoro's own packages can
#'     be imported even if the `go.mod` does not name them. This is the only case in
#'     which Go may use the network;
#'   * a `main.go` or a directory below `system.file("go", package = "mangoro")`,
#'     such as `cmd/rpc-example/main.go`.
#' @param out The file to write the program to, one string, no default. Its
#'   directory must exist. An existing file is replaced, even while it runs; a
#'   device, a pipe or a Go file is refused.
#'   On Windows, `.exe` is added to the name if it is missing.
#' @param gomaxprocs How many cores to use, one whole number. `NULL`, the
#'   default, is all of them, but two under `R CMD check`.
#' @param gocache The directory of Go's build cache, one string, created if
#'   need be. `NULL`, the default, is the one in mangoro's own cache.
#' @param ... More arguments for `go build`, unnamed strings such as
#'   `"-tags=debug"`. They come after mangoro's own and override them; build tags are
#'   added to mangoro's.
#' @param quiet `TRUE` shows no progress. `FALSE`, the default in an interactive
#'   session, shows a progress bar if the build takes longer than two seconds.
#'
#' @returns The path of the program, one string: `out`, made absolute, such
#'   that [processx::process] can start it.
#'
#' @section Errors:
#' * `mangoro_error_toolchain`: no Go is new enough; the field `candidates` has a row
#'   for each Go that was found, with the reason why it was refused.
#' * `mangoro_error_build`: the program does not compile; the field
#'   `diagnostics` is a data frame of `file`, `line`, `column` and `message`,
#'   the field `output` has all lines of the compiler.
#' * `mangoro_error_invalid_argument`: an argument is not one of the above, `src`
#'   is not a program, or `out` cannot be written.
#' * `mangoro_error_resource_exhausted`: the cache cannot be written.
#'
#' @examplesIf mangoro:::runs_examples()
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
  check_src(src, call)
  out <- check_out(out, call)
  if (!is.null(gomaxprocs)) check_count(gomaxprocs, max = .Machine$integer.max)
  if (!is.null(gocache)) check_string(gocache)
  check_flag(quiet)
  settings <- build_settings(gomaxprocs, gocache, list(...), quiet, call)
  retry_when_cleaned(function() {
    program <- go_program(src, call)
    build_program(program, out, settings, call)
  })
  out
}

# How to build. `gomaxprocs` NULL is all cores, which are counted when something is
# built: that takes a process.
build_settings <- function(gomaxprocs = NULL, gocache = NULL, arguments = list(), quiet = TRUE, call) {
  list(
    gomaxprocs = gomaxprocs,
    gocache = if (!is.null(gocache)) {
      check_trusted(absolute_path(gocache), "gocache", "Or name another directory for {.arg gocache}.", call)
    },
    arguments = check_build_arguments(arguments, call),
    quiet = quiet
  )
}

default_cores <- function() {
  cores <- max(1, parallel::detectCores(), na.rm = TRUE)
  if (is_check() || nzchar(Sys.getenv("_R_CHECK_LIMIT_CORES_"))) min(2, cores) else cores
}

check_src <- function(src, call, arg = "src") {
  check_string(src, arg, call)
  if (!file.exists(src)) {
    if (is_code(src)) {
      abort_invalid_argument(
        arg,
        c(
          "{.arg {arg}} must be a file or a directory, not Go code.",
          "i" = "To build functions from code, use {.code mangoro_source(code = )}."
        ),
        call = call
      )
    }
    abort_invalid_argument(arg, "There is no file or directory {.file {src}}.", call = call)
  }
  if (!dir.exists(src) && !endsWith(src, ".go")) {
    abort_invalid_argument(arg, "{.file {src}} is neither a {.file .go} file nor a directory.", call = call)
  }
}

# Whether a text is Go code and not the name of a file.
is_code <- function(text) {
  !endsWith(text, ".go") && grepl("\n|^\\s*(func|package|import|type|var|const|//|/\\*)([[:space:]({]|$)", text)
}

# The path of the program. A file is written to its directory as a test.
check_out <- function(out, call) {
  check_string(out, "out", call)
  if (dir.exists(out)) {
    abort_invalid_argument("out", "{.path {out}} is a directory, not a file to write.", call = call)
  }
  if (endsWith(out, ".go")) {
    abort_invalid_argument("out", "{.path {out}} is the name of a Go file, not of a program.", call = call)
  }
  if (file.exists(out) && !is_regular(out)) {
    abort_invalid_argument("out", "{.path {out}} is a device or pipe, not a file to write.", call = call)
  }
  if (!dir.exists(dirname(out))) {
    abort_invalid_argument("out", "There is no directory {.path {dirname(out)}} to write to.", call = call)
  }
  remove_leftovers(dirname(out), ".new-")
  tryCatch(remove_scratch(new_scratch(dirname(out), ".new-")), mangoro_error = function(cnd) {
    abort_invalid_argument("out", "The directory {.path {dirname(out)}} cannot be written to.", call = call)
  })
  # Windows runs only files with this extension.
  if (is_windows() && !grepl("\\.exe$", out, ignore.case = TRUE)) out <- paste0(out, ".exe")
  absolute_path(out)
}

# R does not tell devices and pipes from files; test(1) does. They have no size.
is_regular <- function(path) {
  is_windows() || file.size(path) > 0 || system2("test", c("-f", shQuote(path))) == 0
}

check_build_arguments <- function(more, call) {
  if (!is.null(names(more)) || !all(vapply(more, is.character, TRUE)) || anyNA(unlist(more))) {
    abort_invalid_argument("...", "{.arg ...} must be unnamed strings, arguments for {.command go build}.", call = call)
  }
  more <- as.character(unlist(more))
  if (any(grepl("^--?o(=|$)", more))) {
    abort_invalid_argument("...", "{.arg ...} cannot name the output; use {.arg out}.", call = call)
  }
  more
}

# --- Building it ------------------------------------------------------------

# Writes the program to `out`, from the cache or by Go, and returns where it is.
# Without `copy` it is run from the cache, if it is there.
#
# The name of a program in the cache is its key and the hash of its bytes. It is used
# only if its bytes still have that hash.
build_program <- function(program, out, settings, call, copy = TRUE) {
  go <- find_go(call)
  env <- go_env(gocache = settings$gocache, own_module = program$own_module, here = !copy)
  if (is.null(program$key)) {
    run_go_build(go, program, out, env, settings, call)
    return(out)
  }

  limits <- cache_limits()
  key <- build_key(program, go, env, settings)
  cached <- find_program(key, program$src)
  if (!is.null(cached) && (!copy || copy_program(cached, out))) {
    touch(cached)
    return(if (copy) out else cached)
  }
  run_go_build(go, program, out, env, settings, call)
  # Unless the sources were changed meanwhile.
  cached <- if (identical(key, build_key(program, go, env, settings))) keep_program(out, key)
  prune_cache(limits$age, limits$size, keep = cached)
  if (copy || is.null(cached)) return(out)
  unlink(out)
  cached
}

# The program of a key in the cache, NULL if there is none. One that has changed since
# it was built is removed.
find_program <- function(key, src) {
  for (program in list.files(cache_part("bin"), paste0("^", key, "-"), full.names = TRUE)) {
    if (!file.exists(program)) next # another session has removed it
    name <- if (can_be_run(program)) tryCatch(program_name(key, program), error = function(cnd) NULL)
    if (identical(basename(program), name) && is_trusted(program)) {
      return(program)
    }
    unlink(program, recursive = TRUE)
    cli::cli_inform(c(
      "!" = "The cached program of {.file {src}} has changed since it was built, and is built again.",
      "i" = "Something has changed the file {.file {program}}."
    ))
  }
  NULL
}

# Only a regular file: to read a pipe would be to wait for it.
can_be_run <- function(program) {
  !dir.exists(program) && file.size(program) > 0 && (is_windows() || file.access(program, 1) == 0)
}

# Copies a program into the cache, and returns its path there; NULL if that fails.
keep_program <- function(out, key) {
  cached <- file.path(cache_part("bin"), program_name(key, out))
  if (copy_program(out, cached)) cached
}

# The hash is fast enough to be computed at each start: 3 ms for 10 MB. It guards
# against damage and mistakes; R/trust.R guards against other users.
program_name <- function(key, program) paste0(key, "-", cli::hash_file_xxhash(program))

# The hash of everything that the program depends on.
build_key <- function(program, go, env, settings) {
  decisive <- env[startsWith(names(env), "GO") & !names(env) %in% c(go_places, setdiff(go_sources, "GOFLAGS"))]
  cli::hash_sha256(paste(c(
    program$key, hash_files(program$files, replace_prefix(program$files, program$base, ".")),
    "module", module_hash(),
    "go", file_identity(go), R.version$platform,
    "environment", sort(paste(names(decisive), decisive), method = "radix"),
    "arguments", build_arguments(settings$arguments)
  ), collapse = "\n"))
}

build_arguments <- function(more) {
  more <- split_tags(more)
  # Go takes the last -tags alone.
  tags <- paste(c(own_tags, more$tags), collapse = ",")
  c("-trimpath", "-buildvcs=false", "-ldflags=-s -w", paste0("-tags=", tags), more$others)
}

# With this tag arrow-go uses the JSON of Go's standard library, and compiles in two
# thirds of the time.
own_tags <- "arrow_json_stdlib"

# Separates "-tags=a" and "-tags", "a" from the other arguments.
split_tags <- function(arguments) {
  joined <- grepl("^--?tags=", arguments)
  flag <- grepl("^--?tags$", arguments)
  value <- utils::head(c(FALSE, flag), -1)
  list(
    tags = c(sub("^--?tags=", "", arguments[joined]), arguments[value]),
    others = arguments[!joined & !flag & !value]
  )
}

# Runs `go build`, which writes a new file beside `out` that then replaces it. An
# interrupt ends Go and leaves `out` as it was.
run_go_build <- function(go, program, out, env, settings, call) {
  tell_session_cache()
  staging <- new_staging(dirname(out))
  made <- file.path(staging, "program")
  work <- tempfile("build-", session_dir())
  dir.create(work)
  on.exit({
    remove_scratch(staging)
    unlink_all(work)
  })
  overlay <- program$overlay(work, call)
  env[["GOMAXPROCS"]] <- as.character(as.integer(settings$gomaxprocs %||% default_cores()))
  env <- c(env[names(env) != "GOTMPDIR"], GOTMPDIR = work)
  modules <- program$modules
  sources <- grep("\\.go$", overlay, value = TRUE)
  if (!is.null(modules)) overlay <- c(overlay, write_modules(modules, program$dir, work))
  arguments <- c(
    overlay_argument(overlay, work), if (!is.null(modules)) paste0("-modfile=", modfile(work)),
    if (program$own_module) paste0("-mod=", mod_mode(program)), build_arguments(settings$arguments)
  )
  if (!is.null(modules)) {
    check_imports(go, program, if (length(sources) > 0) sources else go_files(program$dir), env, call)
  }
  process <- NULL
  on.exit(if (!is.null(process)) end_process(process), add = TRUE, after = FALSE)
  build <- guarded(go, c("build", "-v", "-p", env[["GOMAXPROCS"]], "-o", made, arguments, program$target))
  # An interrupt between its start and the assignment would leave it running.
  suspendInterrupts(
    process <- processx::process$new(
      build$command, build$args,
      env = env, wd = program$dir,
      stdin = "|", stdout = NULL, stderr = "|", encoding = "UTF-8", cleanup_tree = TRUE
    )
  )
  output <- follow_build(process, settings$quiet)
  status <- process$get_exit_status()
  if (!identical(status, 0L) || !file.exists(made)) {
    if (length(output) == 0) output <- paste("go build", describe_status(status))
    output <- program$explain(make_valid(output))
    abort_diagnostics(program, find_diagnostics(program, output), output, status, call = call)
  }
  if (identical(readBin(made, "raw", 7), charToRaw("!<arch>"))) {
    abort_no_program(program$src, call)
  }
  if (!move_program(made, out)) {
    abort_invalid_argument("out", "{.file {out}} cannot be replaced.", call = call)
  }
  if (!is.null(modules)) keep_sum(modules, work)
}

# Where Go finds the modules of a program in a module of its own.
mod_mode <- function(program) {
  if (!is.null(program$modules)) "mod" else if (dir.exists(file.path(program$dir, "vendor"))) "vendor" else "readonly"
}

# A command that ends with R, as does all that it started, and then removes what R has
# left behind. Windows ends such processes itself, and the next session removes the
# rest.
guarded <- function(command, args) {
  if (is_windows()) {
    return(list(command = command, args = args))
  }
  guard <- system.file("guard.sh", package = "mangoro", mustWork = TRUE)
  list(command = "/bin/sh", args = c(guard, Sys.getpid(), session_dir(), command, args))
}

# Ends a process and all that it started, and waits until they are gone.
end_process <- function(process) {
  process$kill_tree()
  process$wait()
}

overlay_argument <- function(overlay, dir) {
  if (is.null(overlay)) {
    return(NULL)
  }
  file <- file.path(dir, "overlay.json")
  replace <- rlang::set_names(as.list(go_path(overlay)), go_path(names(overlay)))
  write_utf8(jsonlite::toJSON(list(Replace = replace), auto_unbox = TRUE), file)
  paste0("-overlay=", file)
}

# Reads what Go prints until it ends. Lines of -v, a package each, are counted
# for the progress bar; the others are returned.
follow_build <- function(process, quiet) {
  if (!quiet) {
    cli::cli_progress_bar(
      format = paste(
        "{cli::pb_spin} Go has compiled {cli::pb_current} package{?s} in {cli::pb_elapsed}.",
        "The next build will be fast."
      ),
      total = NA
    )
  }
  output <- character()
  while (process$is_incomplete_error()) {
    process$poll_io(200)
    lines <- process$read_error_lines()
    is_package <- grepl("^[[:alnum:]_.~-]+(/[[:alnum:]_.~-]+)*$", lines)
    output <- c(output, lines[!is_package])
    if (!quiet) cli::cli_progress_update(inc = sum(is_package))
  }
  process$wait()
  output[nzchar(output) & !startsWith(output, "# ")]
}
