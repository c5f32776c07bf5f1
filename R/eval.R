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
  recipe <- eval_recipe(expr, values, location = function() find_literal(literal, srcrefs))
  server <- start_recipe(recipe, settings, NULL, timeout, call)
  on.exit(stop_server(server))
  # The value of single values is NA if one of them is, as in R's arithmetic.
  if (all(lengths(values) == 1) && any(vapply(values, function(x) is.na(x) && !is.nan(x), NA))) {
    return(NA)
  }
  rlang::try_fetch(
    call_function(server_connection(server, call), "Eval", values, NULL, call),
    mangoro_error = function(cnd) {
      if (inherits(cnd, "mangoro_error_handler") && !is.null(cnd$detail$result)) {
        abort_invalid_argument(
          "expr", c("R cannot take the value of {.code {expr}}.", "x" = escape_braces(cnd$error_msg)),
          call = call
        )
      }
      cnd$message <- sub("Go function `Eval()`", "Go expression", cnd$message, fixed = TRUE)
      raise(cnd)
    }
  )
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
  types <- c(double = "float64", integer = "int", character = "string", logical = "bool")
  if (is.object(x)) NA_character_ else unname(types[typeof(x)])
}

# A function that returns the value of the expression, of any type. The code around the
# expression is in a file of its own, <eval>, so that lines and columns are those of the
# expression.
eval_recipe <- function(expr, values, location) {
  types <- vapply(values, function(x) paste0(if (length(x) != 1) "[]", go_scalar(x)), "")
  parameters <- paste(names(values), types, collapse = ", ")
  # A name that no variable has.
  value <- utils::tail(make.unique(c(names(values), "value"), "_"), 1)
  code <- paste0(
    "//line /<eval>:1:1\n", "func ", value, value_body,
    "func Eval(", parameters, ") (any, error) { return ", value, "((/*line /", inline_name, ":1:1*/", expr, ")) }"
  )
  explain <- function(output) {
    said <- sub("^.*<eval>:[0-9]+:[0-9]+: ", paste0(start_of(expr), ": "), without_generated(output))
    slices <- names(values)[lengths(values) != 1]
    if (any(grepl("mismatched types|not defined on|cannot use", said))) {
      said <- c(said, sprintf("%s has %d values, so it is a slice in Go.", slices, lengths(values[slices])))
    }
    said
  }
  inline_recipe(code, expr, location = location, explain = explain)
}

# The Go function that makes one value of those of an expression: of several, a named list.
# If the last is an error, that is the error of the call; a nil there is no error.
value_body <- "(values ...any) (any, error) {
	last := len(values) - 1
	if err, ok := values[last].(error); ok {
		return nil, err
	}
	if values[last] == nil {
		values = values[:last]
	}
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
		return values[0], nil
	}
	all := make(map[string]any)
	for i, value := range values {
		all[fmt.Sprint(\"result\", i+1)] = value
	}
	return all, nil
}
"

# The location where an expression begins.
start_of <- function(expr) {
  blank <- strsplit(paste0(regmatches(expr, regexpr("^\\s*", expr)), "x"), "\n", fixed = TRUE)[[1]]
  format_location(inline_name, length(blank), nchar(blank[[length(blank)]], "bytes"))
}
