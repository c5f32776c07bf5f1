# Recipes: the sources that mangoro_source(), mangoro_function() and mangoro_eval() are
# given, and the program that is made of them.

# A recipe:
#   label     what messages call it
#   kind      "files", "directory", "module" (a directory with a go.mod of its own) or
#             "inline" (code from R)
#   read      a function of the user's call: the sources, see new_sources()
#   base      the directory that go:embed lines start from
#   shown     a function: what messages call files
#   deps      modules beside those that travel with the package: "module@version"
#   location  a function, see new_program()
#   explain   a function, see new_program()
new_recipe <- function(label, kind, read, base, shown = identity, deps = NULL, location = NULL,
                       explain = without_generated) {
  list(
    label = label, kind = kind, read = read, base = base, shown = shown, deps = deps, location = location,
    explain = explain
  )
}

# Sources as they are now:
#   names    the paths of the files, or `inline_name`
#   texts    a string for each
#   lines    by the names that messages show, the lines that they show
#   invalid  the first line of each that is not UTF-8, NA for none
new_sources <- function(names, texts, lines, invalid = NA) {
  list(names = names, texts = texts, lines = lines, invalid = invalid)
}

file_recipe <- function(file, deps, call) {
  if (!is.character(file) || length(file) == 0 || anyNA(file)) {
    abort_invalid_argument(
      "file", "{.arg file} must be one or more paths, not {.obj_type_friendly {file}}.",
      call = call
    )
  }
  for (path in file) check_src(path, call, "file")
  if (any(dir.exists(file)) && length(file) > 1) {
    abort_invalid_argument("file", "{.arg file} must be files or one directory, not several of them.", call = call)
  }
  path <- real_path(file)
  is_dir <- dir.exists(path[[1]])
  has_module <- is_dir && file.exists(file.path(path, "go.mod"))
  if (has_module && !is.null(deps)) {
    abort_invalid_argument(
      "deps",
      c("{.path {file}} has a {.file go.mod} of its own, so {.arg deps} cannot be given.",
        "i" = "Add the modules there, with {.code go get}."),
      call = call
    )
  }
  shown <- function(files) if (is_dir) replace_prefix(files, path, file) else file[match(files, path)]
  read <- function(call) {
    # They may be gone when the server is restarted.
    gone <- file[file.access(path, 4) != 0]
    if (length(gone) > 0) {
      abort_invalid_argument("file", "There is no file or directory {.file {gone}} that can be read.", call = call)
    }
    files <- if (is_dir) go_files(path) else path
    if (length(files) == 0) {
      abort_invalid_argument("file", "There is no {.file .go} file in {.path {file}}.", call = call)
    }
    lines <- lapply(files, read_utf8)
    invalid <- vapply(lines, function(text) match(FALSE, validUTF8(text)), 1L)
    lines <- lapply(lines, make_valid)
    new_sources(files, vapply(lines, paste, "", collapse = "\n"), rlang::set_names(lines, shown(files)), invalid)
  }
  new_recipe(
    label = paste(file, collapse = ", "),
    kind = if (has_module) "module" else if (is_dir) "directory" else "files",
    read = read, base = if (is_dir) path else dirname(path[[1]]), shown = shown, deps = deps
  )
}

is_directory <- function(recipe) recipe$kind %in% c("directory", "module")

# Go takes only UTF-8. A file that is not part of the program may be anything.
check_encoding <- function(files, sources, recipe, call) {
  line <- sources$invalid[match(files, sources$names)]
  wrong <- which(!is.na(line))
  if (length(wrong) > 0) {
    file <- recipe$shown(files[[wrong[[1]]]])
    abort_invalid_argument(
      "file", "Line {line[[wrong[[1]]]]} of {.file {file}} is not valid UTF-8, which Go code must be.",
      call = call
    )
  }
}

code_recipe <- function(code, deps, srcrefs, call) {
  if (!is.character(code) || length(code) == 0 || anyNA(code) || !any(nzchar(code))) {
    abort_invalid_argument("code", "{.arg code} must be Go code, not {.obj_type_friendly {code}}.", call = call)
  }
  if (length(code) == 1 && grepl("^[^[:space:]]+\\.go$", code)) {
    abort_invalid_argument(
      "code",
      c("{.arg code} must be Go code, not the name of a file.",
        "i" = "Use {.code mangoro_source({.val {code}})}."),
      call = call
    )
  }
  text <- paste(check_utf8(code, "code", call), collapse = "\n")
  force(srcrefs) # while these calls are on the stack
  inline_recipe(text, text, deps, location = function() find_literal(code, srcrefs))
}

# `shown` is the part of the text that the user wrote.
inline_recipe <- function(text, shown, deps = NULL, ...) {
  sources <- new_sources(inline_name, text, rlang::set_names(strsplit(shown, "\n"), inline_name))
  new_recipe(inline_name, "inline", function(call) sources, base = getwd(), deps = deps, ...)
}

# Code in UTF-8, in which it goes to Go.
check_utf8 <- function(code, arg, call) {
  text <- as_utf8(code)
  wrong <- which(is.na(text))
  if (length(wrong) > 0) {
    shown <- iconv(code[[wrong[[1]]]], "", "ASCII", sub = "byte")
    abort_invalid_argument(
      arg,
      c("{.arg {arg}} has bytes that are not valid text in its encoding: {.val {shown}}.",
        "i" = "Declare the encoding with {.code Encoding()}, or convert to UTF-8 with {.code iconv()}."),
      call = call
    )
  }
  text
}

# --- The program of a recipe ------------------------------------------------

# Its key is that of the sources: the main function is generated only for a build.
source_program <- function(recipe, settings, call) {
  sources <- recipe$read(call)
  if (!is_directory(recipe)) check_encoding(sources$names, sources, recipe, call)
  base <- recipe$base
  # It is built in the user's own module, one in the cache for `deps`, or mangoro's.
  own_module <- recipe$kind == "module" || !is.null(recipe$deps)
  modules <- NULL
  if (recipe$kind == "module") {
    dir <- base
    modules <- user_modules(dir, call)
  } else if (own_module) {
    dir <- deps_dir(recipe$deps)
    modules <- deps_modules(recipe$deps, dir, call)
  } else {
    dir <- module_dir(call)
  }
  seen_as <- if (own_module) dir else program_dir(dir)
  others <- c(
    character(),
    if (is_directory(recipe)) other_sources(base),
    if (recipe$kind != "inline") embedded_files(sources$names, base)
  )
  overlay <- function(work, call) {
    out <- file.path(work, "source")
    dir.create(out)
    answer <- generate(sources, out, recipe, settings, call)
    made <- list.files(out, full.names = TRUE)
    seen <- replace_prefix(made, out, seen_as)
    if (seen_as != base) {
      return(rlang::set_names(c(made, others), c(seen, replace_prefix(others, base, seen_as))))
    }
    # In a directory of the user's they replace the sources themselves.
    originals <- file.path(out, sprintf("source_%d.go", seq_along(answer$files)))
    seen[match(originals, made)] <- answer$files
    rlang::set_names(made, seen)
  }
  new_program(
    recipe$label, dir,
    target = if (own_module) "." else "./program", own_module = own_module, modules = modules, overlay = overlay,
    key = if (recipe$kind != "module") {
      c("source", recipe$kind, recipe$deps, rbind(sources$names, cli::hash_sha256(sources$texts)))
    },
    files = others, base = base, explain = recipe$explain, lines = sources$lines, location = recipe$location,
    user_path = function(file) {
      if (basename(file) == inline_name) return(inline_name)
      if (file %in% sources$names) recipe$shown(file) else replace_prefix(file, seen_as, base)
    }
  )
}

# A server that runs the program of a recipe.
start_recipe <- function(recipe, settings, env, timeout, call) {
  launch <- function(dir, call) {
    program <- source_program(recipe, settings, call)
    command <- build_program(program, program_file(dir), settings, call, copy = FALSE)
    list(command = command, args = character(), env = env)
  }
  server <- new_server(recipe$label, create_ipc_path(), timeout, launch = launch, recipe = recipe)
  start_server(server, call)
  server
}

# --- The generator ----------------------------------------------------------

# Has cmd/mangoro-gen write the program into `out`, and returns its answer.
generate <- function(sources, out, recipe, settings, call) {
  generator <- generator_program(settings, call)
  request <- tempfile(tmpdir = session_dir(), fileext = ".json")
  reply <- tempfile(tmpdir = session_dir(), fileext = ".json")
  on.exit(unlink(c(request, reply)))
  files <- Map(function(name, text) list(name = name, text = text, line = 1L, inline = recipe$kind == "inline"),
    go_path(sources$names), sources$texts, USE.NAMES = FALSE
  )
  asked <- list(
    out = go_path(out), files = files, directory = is_directory(recipe),
    tags = I(unlist(strsplit(c(own_tags, split_tags(settings$arguments)$tags), "[, ]+")))
  )
  write_utf8(jsonlite::toJSON(asked, auto_unbox = TRUE), request)
  # By way of a file: processx::run() collects text in the locale's encoding.
  run <- processx::run(generator, request, stdout = reply, error_on_status = FALSE)
  answer <- tryCatch(parse_json(paste(read_utf8(reply), collapse = "\n")), error = function(cnd) NULL)
  if (is.null(answer) || !run$status %in% 0:1) {
    abort_build(recipe$label, c("The generator of mangoro failed:", run$stderr), status = run$status, call = call)
  }
  answer$files <- system_path(as.character(answer$files))
  check_encoding(answer$files, sources, recipe, call)
  if (length(answer$diagnostics) > 0) abort_generator(answer$diagnostics, sources, recipe, call)
  answer
}

# Built once, and then in the cache as any program.
generator_program <- function(settings, call) {
  settings$arguments <- character()
  src <- go_file("cmd", "mangoro-gen")
  build_program(go_program(src, call), tempfile("gen-", session_dir()), settings, call, copy = FALSE)
}

abort_generator <- function(diagnostics, sources, recipe, call) {
  diagnostics$file <- system_path(diagnostics$file)
  known <- diagnostics$file %in% sources$names
  diagnostics$file[known] <- recipe$shown(diagnostics$file[known])
  diagnostics$row <- seq_along(known)
  location <- format_location(diagnostics$file, diagnostics$line, diagnostics$column)
  output <- ifelse(known, paste0(location, ": ", diagnostics$message), diagnostics$message)
  program <- new_program(recipe$label, lines = sources$lines, location = recipe$location)
  abort_diagnostics(program, diagnostics[known, ], output, call = call)
}
