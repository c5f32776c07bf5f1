# Programs with modules that do not travel with the package: those that `deps`
# names, and those of a go.mod of the user's.
#
# Go uses either a vendor tree or other modules, and `go work vendor` would need all
# modules. But a vendored module is a directory of sources that lacks only its go.mod:
# an overlay puts one there, and a replace line in the program's go.mod names the
# directory. So nothing is copied, the vendored versions need no network, and all other
# modules come from the user's module cache or proxy. The go.mod with these lines is
# passed by -modfile: no file of the user's is changed. The lines replace one version
# of each module: if another module needs a newer one, Go takes that.

# The modules of a vendor tree, a row each: path, version, where they are, the
# go line of their go.mod, and whether a replace line names their directory.
vendored_modules <- function(root) {
  lines <- read_utf8(file.path(root, "vendor", "modules.txt"))
  found <- regmatches(lines, regexec("^# ([^ ]+) (v[^ ]+)(?: => ([^ ]+).*)?$", lines, perl = TRUE))
  at <- which(lengths(found) > 0)
  part <- function(i) vapply(found[at], `[[`, "", i)
  go <- regmatches(lines[at + 1], regexec("^## .*\\b(go [0-9.]+)", lines[at + 1], perl = TRUE))
  data.frame(
    path = part(2), version = part(3),
    dir = ifelse(nzchar(part(4)), file.path(root, sub("^\\./", "", part(4))), file.path(root, "vendor", part(2))),
    go = vapply(go, function(line) if (length(line) > 0) line[[2]] else "", ""),
    replaced = nzchar(part(4))
  )
}

# The modules of a program: mangoro's, and those of `mod`, the lines of a go.mod.
#   mod       the lines of the go.mod to build with
#   sum       the path of the go.sum
#   keep_sum  whether that file is ours, and is updated after a build
#   vendored  the modules that need a go.mod from the overlay
#   allowed   the modules that the program may import from
#   none      the subject of the error for another import: "No module in ..."
program_modules <- function(mod, sum, keep_sum = FALSE, none, vendor = NULL, call) {
  own <- module_dir(call)
  travelling <- vendored_modules(own)
  named <- gsub("[[:space:]]+", " ", trimws(sub("^(require|module)", "", sub("//.*", "", mod))))
  is_named <- paste(travelling$path, travelling$version) %in% named
  theirs <- if (!is.null(vendor)) subset_rows(vendored_modules(vendor), "replaced")
  replaced <- rbind(theirs, travelling[!is_named, ])
  list(
    mod = c(
      mod,
      sprintf("require %s %s", c("mangoro.local", travelling$path), c("v0.0.0", travelling$version)),
      sprintf("replace mangoro.local => %s", quote_path(own)),
      sprintf("replace %s %s => %s", replaced$path, replaced$version, quote_path(replaced$dir))
    ),
    sum = sum,
    keep_sum = keep_sum,
    vendored = subset_rows(replaced, "replaced"),
    allowed = c(sub(" .*", "", named[nzchar(named)]), "mangoro.local", travelling$path),
    none = none
  )
}

subset_rows <- function(rows, unless) rows[!rows[[unless]], ]

quote_path <- function(path) encodeString(path, quote = "\"")

# The modules of `deps`, for which there is a directory in the cache. Its go.sum is kept,
# so that a later build notices if a module has changed.
deps_modules <- function(deps, dir, call) {
  mod <- c(
    "module program", paste("go", mangoro_min_go_version()),
    paste("require", sub("@", " ", deps))
  )
  program_modules(mod, file.path(dir, "go.sum"), keep_sum = TRUE, none = "No module in `deps`", call = call)
}

# The modules of a directory with a go.mod of its own, and maybe a vendor tree. NULL if
# the go.mod itself says where mangoro's module is.
user_modules <- function(dir, call) {
  vendor <- if (file.exists(file.path(dir, "vendor", "modules.txt"))) dir
  mod <- read_utf8(file.path(dir, "go.mod"))
  if (!any(grepl("^[^/]*\\bmangoro\\.local[[:space:]]", mod))) {
    program_modules(mod, file.path(dir, "go.sum"), none = "No module in the go.mod", vendor = vendor, call = call)
  }
}

deps_dir <- function(deps) {
  dir <- file.path(cache_part("deps"), cli::hash_sha256(paste(deps, collapse = "\n")))
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  dir
}

check_deps <- function(deps, call) {
  if (is.null(deps)) {
    return(NULL)
  }
  if (!is.character(deps) || length(deps) == 0 || anyNA(deps)) {
    abort_invalid_argument(
      "deps", "{.arg deps} must be modules and versions, not {.obj_type_friendly {deps}}.",
      call = call
    )
  }
  wrong <- deps[!grepl("^[A-Za-z0-9._~/-]+@v[0-9]+\\.[0-9]+\\.[0-9]+[A-Za-z0-9.+-]*$", deps)]
  if (length(wrong) > 0) {
    abort_invalid_argument(
      "deps",
      c(
        "{.arg deps} must be modules with their versions, not {.val {wrong[[1]]}}.",
        "i" = "A module is named as in {.val gonum.org/v1/gonum@v0.17.0}."
      ),
      call = call
    )
  }
  sort(unique(deps), method = "radix")
}

# --- While it is built ------------------------------------------------------

modfile <- function(work) file.path(work, "modules", "go.mod")

# Writes the go.mod and go.sum for a build in the directory `work`, and returns
# the files that Go has to see elsewhere.
write_modules <- function(modules, dir, work) {
  dir.create(dirname(modfile(work)))
  write_utf8(modules$mod, modfile(work))
  if (file.exists(modules$sum)) file.copy(modules$sum, dirname(modfile(work)))
  vendored <- modules$vendored
  made <- sprintf("%s/%d.mod", dirname(modfile(work)), seq_len(nrow(vendored)))
  for (i in seq_along(made)) write_utf8(c(paste("module", vendored$path[[i]]), vendored$go[[i]]), made[[i]])
  # The go.mod in `dir` is not read, but has to be there.
  rlang::set_names(c(made, modfile(work)), c(file.path(vendored$dir, "go.mod"), file.path(dir, "go.mod")))
}

# Go would look for a module that is not named, and take its newest version.
check_imports <- function(go, program, sources, env, call) {
  # Without modules Go only reads what the sources say.
  env <- c(env[!names(env) %in% c("GO111MODULE", "GOFLAGS")], GO111MODULE = "off")
  run <- processx::run(
    go, c("list", "-e", "-f", "{{join .Imports \"\\n\"}}", sources),
    env = env, wd = program$dir, error_on_status = FALSE, cleanup_tree = TRUE
  )
  # The first element of a path in Go's standard library has no dot.
  imports <- grep("^[^/]*\\.", strsplit(run$stdout, "[\r\n]+")[[1]], value = TRUE)
  foreign <- Filter(function(path) !any(is_below(path, program$modules$allowed)), imports)
  if (length(foreign) > 0) {
    output <- sprintf("%s provides package %s.", program$modules$none, foreign)
    abort_diagnostics(program, find_diagnostics(program, character()), output, call = call)
  }
}

keep_sum <- function(modules, work) {
  made <- file.path(dirname(modfile(work)), "go.sum")
  if (!modules$keep_sum || !file.exists(made)) {
    return(invisible())
  }
  known <- if (file.exists(modules$sum)) read_utf8(modules$sum)
  lines <- sort(unique(c(known, read_utf8(made))), method = "radix")
  if (!identical(lines, known)) write_atomically(lines, modules$sum)
}
