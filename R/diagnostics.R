# The compiler's messages, with the user's own file names and lines.

# The lines that name a location, as a data frame; the compiler's name for the file is
# replaced by the user's. `row` is the number of the line in the output.
find_diagnostics <- function(program, output) {
  pattern <- "^\t?(.*?(?:\\.[A-Za-z]+|<inline>)):([0-9]+)(?::([0-9]+))?: (.*)$"
  matched <- regmatches(output, regexec(pattern, output, perl = TRUE))
  found <- which(lengths(matched) > 0)
  part <- function(i) vapply(matched[found], `[[`, "", i)
  data.frame(
    file = vapply(part(2), user_file, "", program = program, USE.NAMES = FALSE),
    line = as.integer(part(3)),
    column = as.integer(part(4)),
    message = trimws(part(5), "left"),
    row = found
  )
}

# The compiler's output without locations in generated files: its own name for a
# source, in brackets after the user's, and the main function.
without_generated <- function(output) {
  output <- sub("\\[[^][]*:[0-9]+:[0-9]+\\]: ", ": ", output)
  location <- "^\\s*\\S.*mangoro_main\\.go:[0-9]+:[0-9]+: "
  generated <- grepl(location, output)
  # A line with a tab belongs to the one before it.
  for (i in which(startsWith(output, "\t"))) generated[[i]] <- generated[[i]] || (i > 1 && generated[[i - 1]])
  rest <- output[!generated]
  said <- sub(location, "", output[generated])
  if (length(setdiff(rest, "too many errors")) > 0) {
    return(rest)
  }
  # It imports what the user's code does.
  ifelse(grepl("\\b(module|package) ", said), said, paste("In the generated main function:", said))
}

# Each line with a location is followed by the line of source that it names.
show_diagnostics <- function(diagnostics, output, excerpts, limit = 10) {
  shown <- as.list(output)
  shown[diagnostics$row] <- Map(
    function(file, line, column, message, excerpt) {
      c(sprintf("%s: %s", format_location(file, line, column), message), excerpt)
    },
    diagnostics$file, diagnostics$line, diagnostics$column, diagnostics$message, excerpts
  )
  more <- length(shown) - limit
  c(
    unlist(utils::head(shown, limit), use.names = FALSE),
    if (more > 0) sprintf("... and %d more line%s in the field `output`", more, if (more > 1) "s" else "")
  )
}

# The line of source and a caret below the column, which Go counts in bytes.
excerpt <- function(line, column) {
  if (is.na(line) || is.na(column)) return(NULL)
  shown <- untab(line)
  text <- trimws(shown, "left")
  if (!nzchar(text)) return(NULL)
  before <- untab(rawToChar(utils::head(charToRaw(line), column - 1)))
  indent <- nchar(shown) - nchar(text)
  c(
    paste0("    ", text),
    paste0("    ", strrep(" ", max(0, nchar(before, "width") - indent)), "^")
  )
}

untab <- function(text) {
  gsub("\t", "    ", make_valid(text))
}

source_line <- function(program, file, line) {
  lines <- program$lines[[file]]
  if (is.null(lines) && file.exists(file)) lines <- read_utf8(file)
  if (line >= 1 && line <= length(lines)) enc2utf8(lines[[line]]) else NA_character_
}

# Inline code by its location in the user's script, see find_literal().
relocate <- function(rows, location) {
  inline <- which(rows$file == inline_name)
  if (length(inline) == 0 || is.null(found <- location())) {
    return(rows)
  }
  at <- found$at(rows$line[inline], rows$column[inline] %||% NA_integer_)
  rows$file[inline] <- found$file
  rows$line[inline] <- at$line
  if (!is.null(rows$column)) rows$column[inline] <- at$column
  rows
}

# Raises mangoro_error_build for the complaints of the compiler, or of the generator.
# `diagnostics` has a row for each: file, line, column, message, and the row of `output`
# that it is in.
abort_diagnostics <- function(program, diagnostics, output, status = 1L, call) {
  lines <- mapply(source_line, diagnostics$file, diagnostics$line,
    MoreArgs = list(program = program), USE.NAMES = FALSE
  )
  excerpts <- Map(excerpt, lines, diagnostics$column)
  if (!is.null(program$location)) diagnostics <- relocate(diagnostics, program$location)
  shown <- show_diagnostics(diagnostics, output, excerpts)
  output[diagnostics$row] <- sprintf(
    "%s: %s", format_location(diagnostics$file, diagnostics$line, diagnostics$column), diagnostics$message
  )
  hints <- c(
    main_hints(output, program$src),
    undefined_hints(diagnostics$message, lines),
    if (program$own_module) module_hints(output) else import_hints(output)
  )
  diagnostics <- diagnostics[c("file", "line", "column", "message")]
  abort_build(program$src, shown, hints, diagnostics, output, status, call)
}

user_file <- function(file, program) {
  file <- system_path(file)
  path <- if (is_absolute(file)) file else file.path(program$dir, file)
  program$user_path(lexical_path(real_path(path)))
}

# The path without "." and "..", which real_path() leaves in where there is no
# such file, as in an overlay.
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

# The linker does not say what to do about it.
main_hints <- function(output, src) {
  if (any(grepl("function main is undeclared in the main package", output, fixed = TRUE))) {
    sprintf(
      "There is no main function. mangoro_source() writes one, and turns the functions of %s into R functions.", src
    )
  }
}

# An undefined name may be a type of R. One that is followed by an exported name is a package
# that is not imported.
undefined_hints <- function(messages, lines) {
  said <- grep("^undefined: \\w+$", messages)
  name <- sub("^undefined: ", "", messages[said])
  types <- intersect(name, names(go_types))
  is_package <- mapply(function(name, line) grepl(sprintf("\\b%s\\.[[:upper:]]", name), line), name, lines[said])
  c(
    sprintf("The type %s of R is %s in Go.", types, go_types[types]),
    vapply(unique(name[as.logical(is_package)]), package_hint, "", USE.NAMES = FALSE)
  )
}

go_types <- c(
  numeric = "float64", double = "float64", float = "float64", integer = "int", character = "string",
  logical = "bool", complex = "complex128", Date = "rgoipc.Date", POSIXct = "time.Time", difftime = "time.Duration",
  matrix = "rgoipc.Matrix[float64]"
)

package_hint <- function(name) {
  path <- known_packages(name)
  if (length(path) == 0) {
    sprintf(
      "If %s is a package, import it by its path, and name its module in the argument `deps` of mangoro_source().",
      name
    )
  } else if (startsWith(path[[1]], gonum)) {
    sprintf("If the package %s of gonum is meant, write `import \"%s\"` and use `deps = \"%s@v0.17.0\"`.",
      name, path[[1]], gonum
    )
  } else {
    sprintf("To use the package %s, write `import \"%s\"`.", name, path[[1]])
  }
}

# The paths of the known packages of a name: those of Go's standard library, those that
# travel with mangoro, and the usual ones of gonum, which do not travel with it.
known_packages <- function(name) {
  standard <- standard_packages()
  arrow <- "github.com/apache/arrow-go/v18/arrow"
  others <- c(
    rgoipc = "mangoro.local/pkg/rgoipc", arrow = arrow, array = file.path(arrow, "array"),
    memory = file.path(arrow, "memory"),
    rlang::set_names(file.path(gonum, gonum_packages), basename(gonum_packages))
  )
  unname(c(standard[names(standard) == name], others[names(others) == name]))
}

# The paths of the packages of Go's standard library, by their names.
standard_packages <- function() {
  lines <- strsplit(read_utf8(go_file("internal", "gen", "standard.txt")), " ", fixed = TRUE)
  rlang::set_names(vapply(lines, `[[`, "", 2), vapply(lines, `[[`, "", 1))
}

gonum <- "gonum.org/v1/gonum"

gonum_packages <- c(
  "floats", "stat", "stat/distuv", "stat/distmv", "stat/combin", "stat/sampleuv", "mat", "optimize",
  "integrate", "integrate/quad", "interp", "dsp/fourier", "dsp/window", "diff/fd", "graph", "cmplxs", "mathext"
)

# Go itself would advise to download a missing module, which it may not do here.
import_hints <- function(output) {
  pattern <- "(?:provides|providing) package ([^:; ]+)|package ([^:; ]+) is not in std"
  found <- Filter(length, regmatches(output, regexec(pattern, output, perl = TRUE)))
  missing <- unique(vapply(found, function(parts) paste0(parts[-1], collapse = ""), ""))
  # The path of a module begins with a domain, that of a standard package does not.
  standard <- grep("^[^/.]+(/|$)", missing, value = TRUE)
  missing <- setdiff(missing, standard)
  similar <- vapply(standard, function(path) paste(similar_names(path, standard_packages()), collapse = " or "), "")
  c(
    sprintf("Is the package %s meant?", similar[nzchar(similar)]),
    if (length(missing) > 0) c(
      paste(missing, "is not among the modules that travel with mangoro."),
      paste(
        "To use other modules, name them in the argument `deps` of mangoro_source(),",
        "or put the program into a directory with a go.mod of its own."
      )
    )
  )
}

# What to do if a module is not available, has changed, or has packages that do not
# travel with mangoro.
module_hints <- function(output) {
  named <- function(pattern) {
    found <- Filter(length, regmatches(output, regexec(pattern, output, perl = TRUE)))
    unique(vapply(found, function(parts) paste(parts[-1], collapse = "@"), ""))
  }
  changed <- named("verifying ([^ @]+)@([^ :/]+)[^ ]*: checksum mismatch")
  missing <- setdiff(named("(?:^|[ (])([^ @:]+\\.[^ @:]+)@(v[^ :/]+): "), changed)
  partial <- named("module ([^ @]+)@[^ ]* found \\((v[^ ,]+), replaced by .*does not contain package")
  c(
    if (length(missing) > 0) c(
      paste(missing, "is neither in the module cache nor available from the proxies that GOPROXY names."),
      sprintf(
        "Check its name and version, or run `go mod download %s` in a shell while there is a network.",
        paste(missing, collapse = " ")
      )
    ),
    if (length(changed) > 0) paste(
      changed, "has changed since it was first used; do not use it unless you know why."
    ),
    if (length(partial) > 0) c(
      paste("Only a part of", partial, "is vendored, by mangoro or the program."),
      "To have all of it, name it in `deps` or the go.mod, and build without a vendor directory of the program's own."
    )
  )
}
