#' Go functions as R functions
#'
#' @description
#' `mangoro_source()` turns Go functions into R functions: it writes a main function
#' for them, builds the program, starts it in a process of its own and returns a
#' [handle].
#'
#' `mangoro_function()` takes the code of one Go function and returns it as an R
#' function. `mangoro_eval()` computes the value of one Go expression.
#'
#' Every Go function whose name begins with a capital letter becomes an R function with
#' the same name and the same names of arguments; its comment is its documentation. A
#' function that R cannot call is left out, and a message says why each time that the
#' program is started. `vignette("types")` lists the types of Go and R.
#'
#' @param file One or more `.go` files of package main, or one directory of them; a
#'   character vector. No default: give either `file` or `code`. In a directory, the
#'   files are used that `go build` would use, depending on build constraints and tags
#'   and on the systems in their names; tests and files that need cgo are not. A
#'   directory with a `go.mod` of its own is built with the modules that the `go.mod`
#'   names, and none of its files is changed.
#' @param code Go code, a character vector of lines or one string. The package
#'   clause and imports from Go's standard library may be left out.
#' @param ... For `mangoro_source()` and `mangoro_function()`, more arguments for
#'   `go build`, as for [mangoro_go_build()]. For `mangoro_eval()`, the variables of
#'   the expression: named vectors of type double, integer, character or logical.
#'   One of length 1 is a `float64`, `int`, `string` or `bool`, any other a slice
#'   of them.
#' @param deps Modules that the code imports from, with their versions, such as
#'   `"gonum.org/v1/gonum@v0.17.0"`; a character vector. Go's standard library and the
#'   modules that travel with the package need not be named. `NULL`, the default, is
#'   none.
#' @param dry_run `TRUE` builds and starts nothing, and returns the main function that
#'   would be built. The default is `FALSE`.
#' @param attach An environment to put the functions into as well, such as
#'   [environment()]. `NULL`, the default, is none.
#' @param env,timeout,quiet As for [mangoro_start()].
#' @param expr A Go expression, one string, such as `"math.Sqrt(x)"`. No default.
#'
#' @details
#' A program that was built before and has not changed is started without running Go.
#' The variables of a Go package live as long as the handle.
#'
#' Modules that `deps` or a `go.mod` names come from the user's module cache, or from
#' where `GOPROXY` and Go's other environment variables say. Only then may Go use the
#' network. For `deps`, the checksums of the first build are kept in the cache; a
#' module that has changed since then is refused.
#'
#' Errors of the compiler and panics point to the line that caused them: in the file or,
#' for code in an R script, in the script, if R keeps its source (as it does in
#' interactive sessions; see the option `keep.source`).
#'
#' @returns `mangoro_source()` a [handle], or with `dry_run` the text of a Go file, one
#'   string. `mangoro_function()` a function. `mangoro_eval()` the value; several values
#'   are a named list, and `nil` is `NULL`. If all variables have length 1 and one of them
#'   is `NA`, the value is `NA`.
#'
#' @section Directives:
#' Comments that start with `//mangoro:`, without a space, directly above a function, change
#' the R function that is made of it. The option of `rgoipc` is for programs with a main
#' function of their own.
#'
#' | directive | effect | option |
#' |---|---|---|
#' | `//mangoro:default n=10` | `n` may be left out, and is then 10: a number, text or bool | `Default("n", 10)` |
#' | `//mangoro:default x=NULL` | `x` may be left out, and is then nil: a slice, a map, a pointer | `Optional("x")` |
#' | `//mangoro:each` | a function of single values is called for each of them, and returns a list | `Each()` |
#' | `//mangoro:name mean` | the R function is called `mean` | the name is an argument of `Func()` |
#' | `//mangoro:once` | an elementwise function is called once, with single values | `Once()` |
#' | `//mangoro:parallel` | an elementwise function, or one with `//mangoro:each`, runs on all cores | `Parallel()` |
#' | `//mangoro:path file dir` | these strings are paths, which R makes absolute | `Paths("file", "dir")` |
#' | `//mangoro:skip` | R does not get the function | it is not registered |
#'
#' Defaults are Go literals, and not expressions. A pointer may be left out without a
#' directive. In a path, R expands `~`, and keeps links as they are.
#'
#' For example, this function returns a list with an element for each file, whose paths may
#' be relative to R's working directory:
#'
#' ```go
#' // Lines are the lines of a file.
#' //
#' //mangoro:each
#' //mangoro:path file
#' func Lines(file string) ([]string, error) {
#'   text, err := os.ReadFile(file)
#'   return strings.Split(string(text), "\n"), err
#' }
#' ```
#'
#' @section Errors:
#' Those of [mangoro_start()]. `mangoro_error_build` has a data frame `diagnostics`
#' with the columns `file`, `line`, `column` and `message`.
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
  settings <- source_settings(env, timeout, quiet, list(...), call)
  deps <- check_deps(deps, call)
  recipe <- if (is.null(code)) file_recipe(file, deps, call) else code_recipe(code, deps, srcrefs(sys.calls()), call)
  if (dry_run) {
    return(main_function(recipe, settings, call))
  }
  handle <- new_handle(start_recipe(recipe, settings, env, timeout, call))
  if (!is.null(attach)) list2env(as.list(handle), attach)
  handle
}

#' @rdname mangoro_source
#' @export
mangoro_function <- function(code, ..., deps = NULL, env = NULL, timeout = NULL, quiet = !rlang::is_interactive()) {
  call <- rlang::current_env()
  settings <- source_settings(env, timeout, quiet, list(...), call)
  recipe <- code_recipe(code, check_deps(deps, call), srcrefs(sys.calls()), call)
  handle <- new_handle(start_recipe(recipe, settings, env, timeout, call))
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

# The text of the main function that would be generated.
main_function <- function(recipe, settings, call) {
  out <- new_server_dir()
  on.exit(unlink(out, recursive = TRUE))
  generate(recipe$read(call), out, recipe, settings, call)$main
}
