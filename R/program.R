# Programs, as `go build` is told to build them: here those of a file or directory with a
# main function. R/recipe.R makes those of sources without one.

# A program:
#   src         what messages call it
#   dir         the directory of the module that it is built in
#   target      what is built there
#   own_module  whether modules may come from the user's cache and proxy, because a
#               go.mod or `deps` asks for them; otherwise `dir` is mangoro's module
#   modules     see program_modules()
#   overlay     a function of a directory to write to and the user's call: files that
#               Go is shown under other paths; names are those paths
#   key         what identifies the sources: names, and the `files` that are
#               hashed; `base` is the directory that their names start from. NULL
#               if only Go knows what goes in: then only Go's own cache is used
#   explain     a function: the lines of the compiler without what is about
#               generated files
#   user_path   a function: the user's name for a file that the compiler names
#   lines       the lines of sources that are not in files, by their names
#   location    a function: where inline code stands in an R script, see
#               find_literal(); NULL if there is none
new_program <- function(src, dir = NULL, target = ".", own_module = FALSE, modules = NULL,
                        overlay = function(work, call) NULL, key = NULL, files = character(), base = dir,
                        explain = identity, user_path = identity, lines = NULL, location = NULL) {
  list(
    src = src, dir = dir, target = target, own_module = own_module, modules = modules, overlay = overlay, key = key,
    files = files, base = base, explain = explain, user_path = user_path, lines = lines, location = location
  )
}

go_program <- function(src, call, path = real_path(src)) {
  base <- if (dir.exists(path)) path else dirname(path)
  if (is_below(base, real_path(go_file()))) {
    package_program(base, src, call)
  } else if (!dir.exists(path)) {
    file_program(path, src, call)
  } else if (file.exists(file.path(path, "go.mod"))) {
    module_program(path, src, call)
  } else {
    directory_program(path, src, call)
  }
}

# A package of our own module, whose hash is part of each key already.
package_program <- function(base, src, call) {
  source <- real_path(go_file())
  check_main(go_files(base), src, call)
  target <- paste0(".", substring(base, nchar(source) + 1))
  module <- module_dir(call)
  new_program(src, module, target,
    key = c("package", target),
    user_path = function(file) replace_prefix(file, module, source)
  )
}

file_program <- function(path, src, call) {
  check_main(path, src, call)
  new_program(src, module_dir(call), path,
    key = "file",
    files = c(path, embedded_files(path, dirname(path))),
    base = dirname(path),
    user_path = function(file) if (identical(file, path)) src else file
  )
}

# The directory appears as a package of our module by way of an overlay: the
# module is not touched, and Go's rules for file names hold, which they do not
# for files that are named one by one.
directory_program <- function(path, src, call) {
  go <- go_files(path)
  check_main(go, src, call)
  module <- module_dir(call)
  seen_as <- program_dir(module)
  files <- c(go, other_sources(path), embedded_files(go, path))
  new_program(src, module, "./program",
    overlay = function(work, call) rlang::set_names(files, replace_prefix(files, path, seen_as)),
    key = "directory",
    files = files,
    base = path,
    user_path = function(file) replace_prefix(replace_prefix(file, seen_as, path), path, src)
  )
}

# Where in our module the files of a program are seen. Go's assembler wants the
# directory to be there.
program_dir <- function(module) {
  dir <- file.path(module, "program")
  dir.create(dir, showWarnings = FALSE)
  dir
}

# Only what imports mangoro's packages is given them.
module_program <- function(path, src, call) {
  go <- go_files(path)
  check_main(go, src, call)
  imports_own <- any(grepl("\"mangoro.local/", unlist(lapply(go, read_utf8)), fixed = TRUE, useBytes = TRUE))
  new_program(src, path,
    own_module = TRUE, modules = if (imports_own) user_modules(path, call),
    user_path = function(file) replace_prefix(file, path, src)
  )
}

go_files <- function(dir) {
  files <- list.files(dir, "\\.go$", full.names = TRUE)
  files[!endsWith(files, "_test.go") & !dir.exists(files)]
}

# What else Go looks for in a directory: assembly, and code of other languages, which
# it refuses without cgo.
other_sources <- function(dir) {
  files <- list.files(dir, "\\.(c|cc|cpp|cxx|m|h|hh|hpp|hxx|f|F|for|f90|s|S|sx|swig|swigcxx|syso)$", full.names = TRUE)
  files[!dir.exists(files)]
}

# The files that go:embed lines name: `//go:embed page.html static/*.css`.
embedded_files <- function(go, base) {
  lines <- as.character(unlist(lapply(go, read_utf8)))
  lines <- grep("^[[:space:]]*//go:embed[[:space:]]", lines, value = TRUE, useBytes = TRUE)
  lines <- sub("^[[:space:]]*//go:embed", "", lines, useBytes = TRUE)
  patterns <- unlist(regmatches(lines, gregexpr("\"[^\"]*\"|`[^`]*`|[^[:space:]]+", lines, useBytes = TRUE)))
  patterns <- system_path(gsub("[\"`]", "", as.character(patterns), useBytes = TRUE))
  base <- gsub("([][*?])", "\\\\\\1", base)
  found <- Sys.glob(file.path(base, sub("^all:", "", patterns)))
  is_dir <- dir.exists(found)
  below <- list.files(found[is_dir], recursive = TRUE, all.files = TRUE, full.names = TRUE)
  unique(c(found[!is_dir], below))
}

# `go build` makes an archive of a package that is not a program. Most are seen here,
# before Go is run, the others by run_go_build().
check_main <- function(files, src, call) {
  if (length(files) == 0) {
    abort_invalid_argument("src", "There is no {.file .go} file in {.path {src}}.", call = call)
  }
  packages <- vapply(files, package_name, "")
  if (!any(packages %in% c("main", NA))) {
    abort_no_program(src, call)
  }
}

abort_no_program <- function(src, call) {
  abort_invalid_argument(
    "src", "{.file {src}} is not a Go program: its package is not {.code main}.",
    call = call
  )
}

# The name in the package clause, NA if there is none to be seen: the compiler
# then says why.
package_name <- function(file) {
  text <- paste(read_utf8(file), collapse = "\n")
  text <- gsub("(?s)/\\*.*?\\*/", "", text, perl = TRUE, useBytes = TRUE)
  clause <- "(?m)^[ \t]*package[ \t]+([A-Za-z0-9_]+)"
  found <- regmatches(text, regexec(clause, text, perl = TRUE, useBytes = TRUE))[[1]]
  if (length(found) == 0) NA_character_ else found[[2]]
}
