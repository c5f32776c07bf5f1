#' What is installed, and what is missing
#'
#' `mangoro_sitrep()` reports which Go toolchains were found and why each of them is
#' used or refused, what is in the cache, whether shared memory is used, which versions are
#' installed, and how to install what is missing. It builds, changes and downloads nothing.
#'
#' @returns A list of class `mangoro_sitrep`, which prints as a report:
#'   `candidates`, a data frame with a row for each `go` (`path`, `source`,
#'   `version`, `problem`, `used`); `go`, the path of the one used, or `NA`;
#'   `minimum`, the version needed; `versions`, those of the packages and vendored
#'   modules, a named character vector; `cache`, the data frame of
#'   [mangoro_cache_info()], with `NA` instead of what would take long to count: all but
#'   built programs; `cache_dir`; `cache_source`, what says that it is there;
#'   `cache_limits` of built programs, a list of `age` in days and `size` in bytes;
#'   `shared_memory`, a list of
#'   `problem`, why it is not used or `NULL`, `refused`, why running servers could not open it,
#'   and what there is of it now: bytes `leased` to calls and results, bytes `pooled` for the
#'   next ones, and the number of `segments`; and `advice`, what to do next, a character vector.
#'
#' @section Errors:
#' None. A setting that is not valid is part of the report.
#'
#' @examples
#' mangoro_sitrep()
#' @export
mangoro_sitrep <- function() {
  problem <- NULL
  told <- function(expr, otherwise) {
    tryCatch(expr, mangoro_error = function(cnd) {
      problem <<- c(problem, cli::ansi_strip(conditionMessage(cnd)))
      otherwise
    })
  }
  cache_dir <- told(cache_dir(), NA_character_)
  candidates <- if (is.na(cache_dir)) NULL else told(judged_candidates(), NULL)
  go <- candidates$path[candidates$used]
  structure(
    list(
      candidates = candidates,
      go = if (length(go) > 0) go else NA_character_,
      minimum = mangoro_min_go_version(),
      versions = c(
        mangoro = installed_version("mangoro"), nanonext = installed_version("nanonext"),
        nanoarrow = installed_version("nanoarrow"), mangos = get_mangos_version(),
        `arrow-go` = get_arrow_go_version()
      ),
      cache = if (!is.na(cache_dir)) cache_info(counted = "bin"),
      cache_dir = cache_dir,
      cache_source = if (is.na(cache_dir)) NA_character_ else cache_source(),
      cache_limits = told(cache_limits(), list(age = NA_real_, size = NA_real_)),
      shared_memory = told(shared_memory_status(), shared_memory_status("options(mangoro.shared_memory) is not valid")),
      advice = c(problem, if (length(go) == 0) go_advice(candidates), if (!is.na(cache_dir)) cache_advice())
    ),
    class = "mangoro_sitrep"
  )
}

# The candidates of go_candidates(), and whether and why each can be used.
judged_candidates <- function() {
  found <- go_candidates()
  candidates <- probe_go(found)
  passed <- is.na(candidates$problem)
  # If one is named, no other is used.
  if (any(found$named)) passed[-1] <- FALSE
  candidates$used <- seq_along(passed) == match(TRUE, passed, nomatch = 0)
  candidates
}

cache_source <- function() named_cache_dir()$source %||% default_cache_dir()$why %||% "the user's"

cache_advice <- function() {
  if (cache_source() == "R CMD check") {
    paste(
      "To have all R processes of a check compile once, set the environment variable MANGORO_CACHE_DIR:",
      "see ?mangoro_cache_info."
    )
  }
}

# Without shared memory everything goes through the socket, which is slower.
shared_memory_status <- function(problem = shared_memory_problem()) {
  status <- function(kept) {
    tryCatch(lane_status(connection_of(kept[[1]], NULL)), mangoro_error = function(cnd) "")
  }
  refused <- if (is.null(problem)) setdiff(unlist(lapply(as.list(held), status)), c("attached", ""))
  c(list(problem = problem, refused = as.character(refused)), as.list(.Call(c_segment_counts)))
}

shared_memory_problem <- function() {
  if (read_option("mangoro.shared_memory", TRUE, call = NULL)) {
    .Call(c_segment_problem)
  } else {
    "options(mangoro.shared_memory) is FALSE"
  }
}

installed_version <- function(package) as.character(utils::packageVersion(package))

go_advice <- function(candidates) {
  named <- candidates$source[candidates$source %in% named_sources]
  c(
    if (length(named) > 0) {
      sprintf("Change or unset the %s: it names a Go that cannot be used.", name_setting(named[[1]]))
    },
    "To have the current Go downloaded for you alone, type mangoro_install_go()."
  )
}

name_setting <- function(source) if (source == "MANGORO_GO") paste("environment variable", source) else source

#' @export
format.mangoro_sitrep <- function(x, ...) {
  cli::cli_format_method({
    cli::cli_h1("mangoro")
    cli::cli_bullets(rlang::set_names(
      sprintf("%s %s", names(x$versions), x$versions), rep("*", length(x$versions))
    ))
    cli::cli_h2("Go {x$minimum} or newer")
    cli::cli_bullets(candidate_lines(x$candidates))
    cli::cli_h2("Cache")
    cli::cli_bullets(cache_lines(x))
    cli::cli_h2("Shared memory")
    cli::cli_bullets(shared_memory_lines(x$shared_memory))
    cli::cli_h2("What to do next")
    cli::cli_bullets(if (length(x$advice) > 0) {
      rlang::set_names(escape_braces(x$advice), rep("!", length(x$advice)))
    } else {
      c("v" = "Nothing: Go programs can be built.")
    })
  })
}

candidate_lines <- function(candidates) {
  if (NROW(candidates) == 0) {
    return(c("x" = "None was found."))
  }
  verdict <- paste0("version ", candidates$version, ifelse(candidates$used, ", used", ", not needed"))
  verdict <- ifelse(is.na(candidates$problem), verdict, candidates$problem)
  lines <- sprintf("%s (%s): %s", candidates$path, candidates$source, verdict)
  rlang::set_names(escape_braces(lines), ifelse(candidates$used, "v", ifelse(is.na(candidates$problem), "*", "x")))
}

cache_lines <- function(x) {
  if (is.na(x$cache_dir)) {
    return(c("x" = "There is none."))
  }
  counted <- x$cache[!is.na(x$cache$files), ]
  others <- setdiff(x$cache$kind, counted$kind)
  c(
    " " = escape_braces(sprintf("%s (%s)", x$cache_dir, x$cache_source)),
    rlang::set_names(
      sprintf(
        "%s: %d program%s, %s; after a build, those not used for %s days are removed, and the oldest beyond %s",
        counted$kind, counted$files, ifelse(counted$files == 1, "", "s"), vapply(counted$size, format_size, ""),
        format(x$cache_limits$age), format_size(x$cache_limits$size)
      ),
      rep("*", nrow(counted))
    ),
    if (length(others) > 0) c(
      "*" = sprintf("%s: without limits", paste(others, collapse = ", ")),
      " " = "mangoro_cache_info() tells their sizes, mangoro_cache_clean() removes all."
    )
  )
}

shared_memory_lines <- function(memory) {
  if (!is.null(memory$problem)) {
    return(c("x" = escape_braces(paste0("Not used: ", memory$problem, ". Everything goes through sockets."))))
  }
  c(
    "v" = "Used with servers on this machine that have it.",
    "*" = sprintf(
      "%.0f segment%s: %s in use, %s for the next calls", memory$segments, if (memory$segments == 1) "" else "s",
      format_size(memory$leased), format_size(memory$pooled)
    ),
    rlang::set_names(
      escape_braces(sprintf("Not used with a server: %s", memory$refused)), rep("x", length(memory$refused))
    )
  )
}

format_size <- function(size) format(structure(size, class = "object_size"), units = "auto", standard = "SI")

#' @export
print.mangoro_sitrep <- function(x, ...) {
  cat(format(x), sep = "\n")
  invisible(x)
}
