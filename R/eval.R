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
  srcrefs <- srcrefs(sys.calls())
  location <- function() find_literal(literal, srcrefs)
  launch <- function(dir, call) {
    program <- eval_program(expr, values, location, settings, call)
    list(command = build_program(program, program_file(dir), settings, call, copy = FALSE), args = character())
  }
  server <- new_server(inline_name, create_ipc_path(), timeout, launch = launch)
  server$recipe <- inline_recipe(expr, expr, location = location)
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
eval_program <- function(expr, values, location, settings, call) {
  types <- vapply(values, function(x) paste0(if (length(x) != 1) "[]", go_scalar(x)), "")
  as_source <- function(type) {
    local_type <- if (type == unknown_type) sprintf("type %s struct{ Value float64 }\n", unknown_type)
    head <- sprintf("func Eval(%s) %s { return (", paste(names(values), types, collapse = ", "), type)
    code <- paste0("//line /<eval>:1:1\n", local_type, head, "/*line /", inline_name, ":1:1*/", expr, ") }")
    explain <- function(output) {
      output <- sub("^.*<eval>:[0-9]+:[0-9]+: ", paste0(start_of(expr), ": "), without_generated(output))
      is_type <- grepl(paste("as", unknown_type, "value"), output, fixed = TRUE)
      if (all(is_type)) output else output[!is_type]
    }
    source_program(inline_recipe(code, expr, location = location, explain = explain), settings, call)
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
  format_location(inline_name, length(blank), nchar(blank[[length(blank)]], "bytes"))
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
