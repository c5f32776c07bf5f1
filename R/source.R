#' Go functions as R functions
#'
#' @description
#' `mangoro_source()` takes Go functions as they are, without a main function, and
#' makes them R functions: it writes the main function, builds, starts the program
#' in a process of its own and returns a [handle].
#'
#' `mangoro_function()` takes the code of one Go function and returns it as an R
#' function. `mangoro_eval()` computes the value of one Go expression.
#'
#' Every function with a capital letter becomes one of R, under its own name, with
#' its own names of arguments; its comment is its documentation. A function that
#' R cannot call is left out, and a message says why each time that the program is
#' started. What the types are in R is told in `vignette("types")`.
#'
#' @param file One or more `.go` files of package main, or one directory of them; a
#'   character vector. Without a default: either `file` or `code` is given. Of a
#'   directory those files are taken that `go build` takes: by build constraints and
#'   tags, by the systems in their names, no tests and none that need cgo. A
#'   directory with a `go.mod` of its own is built with the modules that it names,
#'   and no file of it is changed.
#' @param code Go code, a character vector of lines or of one string. The package
#'   clause and the imports of Go's own library may be left out.
#' @param ... For `mangoro_source()` and `mangoro_function()`, more arguments for
#'   `go build`, as for [mangoro_go_build()]. For `mangoro_eval()`, the variables of
#'   the expression: named vectors of type double, integer, character or logical.
#'   One of length 1 is a `float64`, `int32`, `string` or `bool`, any other a slice
#'   of them.
#' @param deps Modules that the code imports from beside those that travel with the
#'   package and Go's own library, with their versions, such as
#'   `"gonum.org/v1/gonum@v0.17.0"`; a character vector. `NULL`, the default, is
#'   none.
#' @param dry_run `TRUE` builds and starts nothing: the main function that would be
#'   is returned. The default is `FALSE`.
#' @param attach An environment to put the functions into as well, such as
#'   [environment()]. `NULL`, the default, is none.
#' @param env,timeout,quiet As for [mangoro_start()].
#' @param expr A Go expression, one string, such as `"math.Sqrt(x)"`. No default.
#'
#' @details
#' A program that was built before and has not changed is started without Go being
#' run. The variables of a Go package live as long as the handle.
#'
#' Modules that `deps` or a `go.mod` names come from the user's module cache, or from
#' where `GOPROXY` and Go's other environment variables say: only then may Go use the
#' network. For `deps`, the checksums of the first build are kept in the cache; a
#' module that is another one later is refused.
#'
#' Comments that start with `//mangoro:`, directly above a function, change how it is
#' made one of R: `//mangoro:skip` leaves it out, `//mangoro:name mean` names it,
#' `//mangoro:default n=10` gives an argument a default, `//mangoro:parallel` lets an
#' elementwise function run on all cores.
#'
#' Errors of the compiler and panics name lines of your own: those of the file, or for
#' code that stands in an R script, those of the script, if R keeps them (as
#' it does in interactive sessions; see the option `keep.source`).
#'
#' @returns `mangoro_source()` a [handle], or with `dry_run` the text of a Go file, one
#'   string. `mangoro_function()` a function. `mangoro_eval()` the value.
#'
#' @section Errors:
#' Those of [mangoro_start()]. `mangoro_error_build` has a data frame `diagnostics`
#' of `file`, `line`, `column` and `message`.
#'
#' @examplesIf mangoro:::runs_examples()
#' stats <- mangoro_source(code = "
#' // Mean is the arithmetic mean.
#' func Mean(x []float64) float64 {
#'   sum := 0.0
#'   for _, value := range x {
#'     sum += value
#'   }
#'   return sum / float64(len(x))
#' }
#'
#' func Shout(s string) string { return strings.ToUpper(s) + \"!\" }
#' ")
#' stats
#' stats$Mean(c(1, 2, 6))
#' stats$Shout(c("go", NA))
#' close(stats)
#'
#' add <- mangoro_function("func Add(x, y float64) float64 { return x + y }")
#' add(1:3, 0.5)
#'
#' mangoro_eval("math.Hypot(x, y)", x = 3, y = 4)
#' @export
mangoro_source <- function(file, code = NULL, ..., deps = NULL, dry_run = FALSE, attach = NULL, env = NULL,
                           timeout = NULL, quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  if (missing(file) == is.null(code)) {
    abort_invalid_argument(
      "file", "Exactly one of {.arg file} and {.arg code} must be given.",
      call = call
    )
  }
  check_flag(dry_run)
  if (!is.null(attach) && !is.environment(attach)) {
    abort_invalid_argument(
      "attach", "{.arg attach} must be an environment, not {.obj_type_friendly {attach}}.",
      call = call
    )
  }
  options <- list(env = env, timeout = timeout, settings = source_settings(env, timeout, quiet, list(...), call))
  recipe <- if (is.null(code)) file_recipe(file, call) else code_recipe(code, srcrefs(sys.calls()), call)
  recipe <- add_deps(recipe, deps, call)
  if (dry_run) {
    return(dry_run(recipe, options$settings, call))
  }
  handle <- start_source(recipe, options, call)
  if (!is.null(attach)) list2env(as.list(handle), attach)
  handle
}

#' @rdname mangoro_source
#' @export
mangoro_function <- function(code, ..., deps = NULL, env = NULL, timeout = NULL, quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  settings <- source_settings(env, timeout, quiet, list(...), call)
  recipe <- add_deps(code_recipe(code, srcrefs(sys.calls()), call), deps, call)
  handle <- start_source(recipe, list(env = env, timeout = timeout, settings = settings), call)
  names <- names(handle)
  if (length(names) != 1) {
    mangoro_stop(handle)
    abort_invalid_argument(
      "code",
      c("{.arg code} must define one function for R, not {.fn {names}}.", "i" = "{.fn mangoro_source} takes several."),
      call = call
    )
  }
  handle[[names]]
}

source_settings <- function(env, timeout, quiet, arguments, call) {
  check_env(env, "env", call)
  if (!is.null(timeout)) check_seconds(timeout, "timeout", call)
  check_flag(quiet, "quiet", call)
  build_settings(arguments = arguments, quiet = quiet, call = call)
}

# --- What there is to build -------------------------------------------------

# A recipe is what the user calls the source, a function that reads it, and where
# it stands:
#   label   what messages call it
#   read    a function of the user's call: the files as the generator takes them
#   shown   a function: what messages call files
#   place   a function: see go_program()
#   base    the directory that go:embed lines start from
#   is_dir  whether the files are those of a directory, of which Go takes some
#   deps    modules beside those that travel with the package: "module@version"
#   has_module  whether `base` has a go.mod of its own
#   texts   the lines that are shown for those of `inline_name`, if other ones
file_recipe <- function(file, call) {
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
  list(
    label = paste(file, collapse = ", "),
    is_dir = is_dir,
    read = function(call) {
      # A restart may come when they are gone.
      gone <- file[file.access(path, 4) != 0]
      if (length(gone) > 0) {
        abort_invalid_argument("file", "There is no file or directory {.file {gone}} that can be read.", call = call)
      }
      files <- if (is_dir) go_files(path) else path
      if (length(files) == 0) {
        abort_invalid_argument("file", "There is no {.file .go} file in {.path {file}}.", call = call)
      }
      lines <- lapply(files, read_utf8)
      list(
        names = files, inline = FALSE,
        texts = vapply(lines, function(text) paste(make_valid(text), collapse = "\n"), ""),
        invalid = vapply(lines, function(text) match(FALSE, validUTF8(text)), 1L)
      )
    },
    shown = function(files) {
      if (is_dir) replace_prefix(files, path, file) else file[match(files, path)]
    },
    base = if (is_dir) path else dirname(path[[1]]),
    has_module = is_dir && file.exists(file.path(path[[1]], "go.mod")),
    place = NULL
  )
}

# Go takes no bytes that are not UTF-8. A file that is none of the program's may
# have them.
check_encoding <- function(files, source, recipe, call) {
  line <- source$invalid[match(files, source$names)]
  wrong <- which(!is.na(line))
  if (length(wrong) > 0) {
    file <- recipe$shown(files[[wrong[[1]]]])
    abort_invalid_argument(
      "file", "Line {line[[wrong[[1]]]]} of {.file {file}} is not UTF-8, as Go code is.",
      call = call
    )
  }
}

# Code in UTF-8, in which it goes to Go.
check_utf8 <- function(code, arg, call) {
  text <- as_utf8(code)
  wrong <- which(is.na(text))
  if (length(wrong) > 0) {
    shown <- iconv(code[[wrong[[1]]]], "", "ASCII", sub = "byte")
    abort_invalid_argument(
      arg,
      c("{.arg {arg}} has bytes that are no text in its encoding: {.val {shown}}.",
        "i" = "Mark them with {.code Encoding()}, or convert them with {.code iconv()} to UTF-8."),
      call = call
    )
  }
  text
}

add_deps <- function(recipe, deps, call) {
  recipe$deps <- check_deps(deps, call)
  if (!is.null(deps) && isTRUE(recipe$has_module)) {
    abort_invalid_argument(
      "deps",
      c("{.path {recipe$label}} has a {.file go.mod} of its own, beside which {.arg deps} cannot be.",
        "i" = "Name the modules there, with {.code go get}."),
      call = call
    )
  }
  recipe
}

code_recipe <- function(code, srcrefs, call) {
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
  text <- check_utf8(code, "code", call)
  force(srcrefs)
  list(
    label = inline_name,
    is_dir = FALSE,
    read = function(call) {
      list(names = inline_name, inline = TRUE, texts = paste(text, collapse = "\n"), invalid = NA)
    },
    shown = identity,
    base = getwd(),
    place = function() find_literal(code, srcrefs)
  )
}

# The program of a recipe. What identifies it are the sources; the main function is
# generated when it has to be built.
source_program <- function(recipe, settings, call) {
  source <- recipe$read(call)
  if (!recipe$is_dir) check_encoding(source$names, source, recipe, call)
  home <- source_home(recipe, call)
  seen_as <- home$seen_as
  others <- c(
    character(),
    if (recipe$is_dir) other_sources(recipe$base),
    if (!source$inline) embedded_files(source$names, recipe$base)
  )
  is_elsewhere <- seen_as != recipe$base
  c(home$program, list(
    src = recipe$label,
    overlay = function(work, call) {
      out <- file.path(work, "source")
      dir.create(out)
      answer <- generate(source, out, recipe, settings, call)
      made <- list.files(out, full.names = TRUE)
      # In a directory of the user's they take the place of the sources themselves.
      places <- replace_prefix(made, out, seen_as)
      if (!is_elsewhere) {
        originals <- file.path(out, sprintf("source_%d.go", seq_along(answer$files)))
        places[match(originals, made)] <- answer$files
      }
      rlang::set_names(
        c(made, if (is_elsewhere) others),
        c(places, if (is_elsewhere) replace_prefix(others, recipe$base, seen_as))
      )
    },
    key = if (!isTRUE(recipe$has_module)) {
      c("source", recipe$deps, source$inline, recipe$is_dir, rbind(source$names, cli::hash_sha256(source$texts)))
    },
    files = others,
    base = recipe$base,
    texts = shown_texts(recipe, source),
    place = recipe$place,
    explain = without_generated,
    user_path = function(file) {
      if (basename(file) == inline_name) return(inline_name)
      if (file %in% source$names) recipe$shown(file) else replace_prefix(file, seen_as, recipe$base)
    }
  ))
}

# The module that the sources are in: mangoro's own, one in the cache for `deps`, or
# the user's. Where in it they are seen, and what that makes of a program.
source_home <- function(recipe, call) {
  if (isTRUE(recipe$has_module)) {
    dir <- recipe$base
    modules <- user_modules(dir, call)
  } else if (!is.null(recipe$deps)) {
    dir <- deps_dir(recipe$deps)
    modules <- deps_modules(recipe$deps, dir, call)
  } else {
    dir <- module_dir(call)
    return(list(seen_as = program_dir(dir), program = list(target = "./program", dir = dir)))
  }
  list(seen_as = dir, program = module_home(dir, modules))
}

start_source <- function(recipe, options, call) {
  launch <- function(dir, call) {
    settings <- options$settings
    program <- source_program(recipe, settings, call)
    command <- build_program(program, program_file(dir), settings, call, copy = FALSE)
    list(command = command, args = character(), env = options$env)
  }
  server <- new_server(recipe$label, create_ipc_path(), options$timeout, launch = launch)
  server$place <- recipe$place
  server$shown <- recipe$shown
  start_server(server, call)
  new_handle(server)
}

# --- The generator ----------------------------------------------------------

dry_run <- function(recipe, settings, call) {
  out <- new_server_dir()
  on.exit(unlink(out, recursive = TRUE))
  generate(recipe$read(call), out, recipe, settings, call)$main
}

# Has cmd/mangoro-gen write the program into `out` and returns what it says of it.
generate <- function(source, out, recipe, settings, call) {
  generator <- generator_program(settings, call)
  request <- tempfile(tmpdir = session_dir(), fileext = ".json")
  reply <- tempfile(tmpdir = session_dir(), fileext = ".json")
  on.exit(unlink(c(request, reply)))
  files <- Map(function(name, text) list(name = name, text = text, line = 1L, inline = source$inline),
    go_path(source$names), source$texts, USE.NAMES = FALSE
  )
  asked <- list(
    out = go_path(out), files = files, directory = recipe$is_dir,
    tags = I(unlist(strsplit(c(own_tags, split_tags(settings$arguments)$tags), "[, ]+")))
  )
  write_utf8(jsonlite::toJSON(asked, auto_unbox = TRUE), request)
  # By way of a file: processx::run() collects text in the locale's encoding.
  run <- processx::run(generator, request, stdout = reply, error_on_status = FALSE)
  answer <- tryCatch(parse_json(paste(read_utf8(reply), collapse = "\n")), error = function(cnd) NULL)
  if (is.null(answer) || !run$status %in% 0:1) {
    abort_mangoro(
      "build", c("The generator of mangoro failed.", "x" = "{escape_braces(run$stderr)}"),
      src = recipe$label, call = call
    )
  }
  answer$files <- system_path(as.character(answer$files))
  check_encoding(answer$files, source, recipe, call)
  if (length(answer$diagnostics) > 0) abort_generator(answer$diagnostics, source, recipe, call)
  answer
}

# Built once, and then in the cache as any program.
generator_program <- function(settings, call) {
  settings$arguments <- character()
  src <- go_file("cmd", "mangoro-gen")
  build_program(go_program(src, call), tempfile("gen-", session_dir()), settings, call, copy = FALSE)
}

abort_generator <- function(diagnostics, source, recipe, call) {
  diagnostics$file <- system_path(diagnostics$file)
  known <- diagnostics$file %in% source$names
  diagnostics$file[known] <- recipe$shown(diagnostics$file[known])
  diagnostics$file[!known] <- NA
  output <- sprintf("%s: %s", format_place(diagnostics$file, diagnostics$line, diagnostics$column), diagnostics$message)
  nowhere <- is.na(diagnostics$file)
  output[nowhere] <- diagnostics$message[nowhere]
  diagnostics$row <- seq_along(output)
  program <- list(src = recipe$label, texts = shown_texts(recipe, source), place = recipe$place)
  abort_build(program, diagnostics[!nowhere, ], output, call = call)
}

shown_texts <- function(recipe, source) {
  recipe$texts %||% rlang::set_names(strsplit(source$texts, "\n"), recipe$shown(source$names))
}

# --- Code in an R script ----------------------------------------------------

# Where the calls of a stack stand, if R keeps that, the innermost first.
srcrefs <- function(calls) Filter(Negate(is.null), lapply(rev(calls), attr, "srcref"))

# Where code stands in the script of a call, as string literals in the call itself or
# elsewhere in the same file: the file, and a function from lines and columns of the
# code to those of the script. NULL if it stands nowhere as it is.
find_literal <- function(code, srcrefs) {
  for (srcref in srcrefs) {
    srcfile <- attr(srcref, "srcfile")
    file <- srcfile$filename
    if (!rlang::is_string(file) || !nzchar(file)) next
    map <- literal_in(as.character(srcref, useSource = TRUE), code)
    if (is.null(map)) {
      map <- literal_in(tryCatch(getSrcLines(srcfile, 1, Inf), error = function(cnd) character()), code)
    } else {
      # The text of a call starts where the call does.
      first <- map$line == 1
      map$column[first] <- map$column[first] + srcref[[2]] - 1L
      map$line <- map$line + srcref[[1]] - 1L
    }
    if (!is.null(map)) return(list(file = file, at = function(line, column) look_up(map, line, column)))
  }
  NULL
}

# Where each byte of `code` stands in lines of a script: a data frame of line, column
# (in bytes) and whether the byte ends a line of the code. NULL if the lines have no
# such literals, one after the other.
literal_in <- function(lines, code) {
  parsed <- tryCatch(
    utils::getParseData(parse(text = lines, keep.source = TRUE)),
    error = function(cnd) NULL
  )
  tokens <- parsed[parsed$token == "STR_CONST", ]
  # getParseData() shortens long strings.
  texts <- vapply(tokens$id, function(id) utils::getParseText(parsed, id), "")
  values <- vapply(texts, function(text) tryCatch(eval(str2lang(text)), error = function(cnd) NA_character_), "")
  for (start in seq_len(max(0, length(values) - length(code) + 1))) {
    at <- seq(start, length.out = length(code))
    if (identical(unname(values[at]), as.vector(code))) {
      maps <- Map(function(text, line, column) map_literal(text, line, byte_of(lines[[line]], column)),
        texts[at], tokens$line1[at], tokens$col1[at]
      )
      return(do.call(rbind, unname(maps)))
    }
  }
  NULL
}

# The byte of a line at which the column of a token is: the parser counts characters,
# and to the next multiple of 8 for a tab.
byte_of <- function(line, column) {
  chars <- strsplit(line, "")[[1]]
  columns <- Reduce(function(before, char) if (char == "\t") (before %/% 8L + 1L) * 8L else before + 1L, chars, 0L,
    accumulate = TRUE
  )
  before <- utils::head(chars, match(column, columns[-1], nomatch = 1L) - 1L)
  sum(nchar(before, "bytes")) + 1L
}

# One literal, which starts at a place: see literal_in().
map_literal <- function(text, line, column) {
  opening <- regmatches(text, regexpr("^([rR][\"']-*[(\\[{]|[\"'])", text))
  is_raw <- nchar(opening) > 1
  body <- substring(text, nchar(opening) + 1, nchar(text) - nchar(opening) + is_raw)
  escape <- "\\\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|[uU]\\{[0-9A-Fa-f]+\\}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|.)"
  pieces <- regmatches(body, gregexpr(paste0("(?s)", if (!is_raw) paste0(escape, "|"), "."), body, perl = TRUE))[[1]]
  value <- pieces
  is_escape <- nchar(pieces) > 1
  value[is_escape] <- vapply(pieces[is_escape], function(piece) eval(str2lang(paste0("\"", piece, "\""))), "")

  bytes <- c(nchar(pieces, "bytes"), 0L)
  ends_line <- c(endsWith(pieces, "\n"), FALSE)
  row <- cumsum(c(0L, utils::head(ends_line, -1)))
  offset <- cumsum(c(0L, utils::head(bytes, -1)))
  starts <- c(0L, utils::head(offset + bytes, -1)[utils::head(ends_line, -1)])
  column <- ifelse(row == 0, column + nchar(opening), 1L) + offset - starts[row + 1]

  # A piece is as many bytes of code as its value has; the end stands for the end of
  # the line.
  count <- c(nchar(enc2utf8(value), "bytes"), 1L)
  which <- rep(seq_along(count), count)
  inside <- ifelse(c(is_escape, FALSE)[which], 0L, sequence(count) - 1L)
  data.frame(
    line = as.integer(line + row[which]), column = as.integer(column[which] + inside),
    ends = c(value == "\n", TRUE)[which]
  )
}

look_up <- function(map, line, column) {
  ends <- which(map$ends)
  starts <- c(1L, utils::head(ends, -1) + 1L)
  line <- pmin(line, length(ends))
  at <- pmin(starts[line] + ifelse(is.na(column), 1L, column) - 1L, ends[line])
  list(line = map$line[at], column = ifelse(is.na(column), NA_integer_, map$column[at]))
}

# --- One expression ---------------------------------------------------------

#' @rdname mangoro_source
#' @export
mangoro_eval <- function(expr, ..., timeout = NULL, quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  check_string(expr)
  literal <- expr
  expr <- check_utf8(expr, "expr", call)
  values <- list(...)
  if (!is.null(names(values))) names(values) <- names_of_symbols(names(values))
  check_variables(values, call)
  settings <- source_settings(NULL, timeout, quiet, list(), call)
  places <- srcrefs(sys.calls())
  place <- function() find_literal(literal, places)
  launch <- function(dir, call) {
    program <- eval_program(expr, values, place, settings, call)
    list(command = build_program(program, program_file(dir), settings, call, copy = FALSE), args = character())
  }
  server <- new_server(inline_name, create_ipc_path(), timeout, launch = launch)
  server$place <- place
  rlang::try_fetch(start_server(server, call), mangoro_error_start = function(cnd) {
    refused <- grep("rgoipc: function \"Eval\": result", cnd$stderr, value = TRUE)
    if (length(refused) == 0) return(rlang::zap())
    why <- sub("^.*? `result[0-9]+`: ", "", refused[[1]], perl = TRUE)
    abort_invalid_argument("expr", "R cannot take the value of {.code {expr}}: {why}.", call = call)
  })
  on.exit(stop_server(server))
  value <- call_function(server_connection(server, call), "Eval", values, NULL, call)
  # A row of a vectorized call that is a vector comes in a list.
  is_row <- known_signatures(server)$Eval$vectorized && is.list(value) && !is.data.frame(value)
  if (is_row) value[[1]] else value
}

check_variables <- function(values, call) {
  names <- names(values) %||% rep("", length(values))
  wrong <- which(!grepl("^[\\p{L}_][\\p{L}\\p{Nd}_]*$", enc2utf8(names), perl = TRUE) | duplicated(names))
  if (length(wrong) > 0) {
    abort_invalid_argument(
      "...",
      "The variables of {.arg expr} need unique names that are valid in Go, not {.val {names[[wrong[[1]]]]}}.",
      call = call
    )
  }
  for (name in names) {
    if (is.na(go_scalar(values[[name]]))) {
      abort_invalid_argument(
        name,
        "{.arg {name}} must be double, integer, character or logical, not {.obj_type_friendly {values[[name]]}}.",
        call = call
      )
    }
  }
}

go_scalar <- function(x) {
  types <- c(double = "float64", integer = "int32", character = "string", logical = "bool")
  if (is.object(x)) NA_character_ else unname(types[typeof(x)])
}

# Keyed by the expression and the types of its variables; the type of the result is
# asked for only when the program has to be built. The code around the expression is
# of a file of its own, so that lines and columns are those of the expression.
eval_program <- function(expr, values, place, settings, call) {
  types <- vapply(values, function(x) paste0(if (length(x) != 1) "[]", go_scalar(x)), "")
  as_source <- function(type) {
    local_type <- if (type == unknown_type) sprintf("type %s struct{ Value float64 }", unknown_type)
    head <- sprintf("func Eval(%s) %s { return (", paste(names(values), types, collapse = ", "), type)
    code <- paste0(head, "/*line ", inline_name, ":1:1*/", expr, ") }")
    recipe <- code_recipe(c("//line <eval>:1:1", local_type, code), NULL, call)
    recipe$place <- place
    recipe$texts <- rlang::set_names(strsplit(expr, "\n"), inline_name)
    program <- source_program(recipe, settings, call)
    explain <- program$explain
    program$explain <- function(output) {
      output <- sub("^.*<eval>:[0-9]+:[0-9]+: ", paste0(start_of(expr), ": "), explain(output))
      is_type <- grepl(paste("as", unknown_type, "value"), output, fixed = TRUE)
      if (all(is_type)) output else output[!is_type]
    }
    program
  }
  probe <- as_source(unknown_type)
  program <- probe
  program$key <- c("eval", probe$key)
  program$overlay <- function(work, call) {
    type <- tryCatch(
      {
        build_program(probe, file.path(work, "probe"), settings, call)
        unknown_type
      },
      mangoro_error_build = result_type
    )
    tryCatch(as_source(type)$overlay(work, call), mangoro_error_build = function(cnd) {
      abort_invalid_argument(
        "expr", "The value of {.code {expr}} is of the Go type {.code {type}}, which R cannot take.",
        call = call
      )
    })
  }
  program
}

# The place where an expression begins.
start_of <- function(expr) {
  blank <- strsplit(paste0(regmatches(expr, regexpr("^\\s*", expr)), "x"), "\n", fixed = TRUE)[[1]]
  format_place(inline_name, length(blank), nchar(blank[[length(blank)]], "bytes"))
}

unknown_type <- "unknownType"

# The compiler knows the type of an expression, and says it where another one is
# asked for. An expression with another mistake in it is that mistake.
result_type <- function(cnd) {
  said <- cnd$diagnostics$message
  if (any(startsWith(said, "cannot use nil as"))) return("untyped nil")
  if (length(said) != 1) rlang::cnd_signal(cnd)
  one <- "^cannot use .* \\((?:.* of (?:[a-z0-9]+ )?type |untyped )(.+?)(?: constant.*| value)?\\) as unknownType value"
  several <- "^\\s*have (\\(.*\\))$"
  lines <- if (startsWith(said, "too many return values")) cnd$output else said
  found <- Filter(length, regmatches(lines, regexec(paste0(one, "|", several), lines, perl = TRUE)))
  if (length(found) == 0) rlang::cnd_signal(cnd)
  type <- paste(found[[1]][-1], collapse = "")
  if (type == "float") return("float64")
  # "time".Duration, as the compiler says it, is time.Duration.
  gsub("\"(?:[^\"]*/)?([^\"/]+)\"\\.", "\\1.", type, perl = TRUE)
}
