# Paths of files, and the system that they are of.

os_name <- function() {
  if (.Platform$OS.type == "windows") return("windows")
  tolower(Sys.info()[["sysname"]])
}

is_windows <- function() .Platform$OS.type == "windows"

# Absolute, without links, with forward slashes.
real_path <- function(path) normalizePath(path, winslash = "/", mustWork = FALSE)

absolute_path <- function(path) {
  path <- path.expand(path)
  if (is_absolute(path)) path else file.path(getwd(), path)
}

is_absolute <- function(path) grepl("^([/\\\\]|[A-Za-z]:)", path)

is_below <- function(path, dir) startsWith(paste0(path, "/"), paste0(dir, "/"))

# Paths as Go has them, and as the system takes them from R: both are the same bytes,
# but R would write escapes where the encoding of the session lacks a character.
go_path <- function(path) {
  text <- as_utf8(path)
  ifelse(is.na(text), path, text)
}

system_path <- function(path) {
  text <- iconv(path, "UTF-8", "")
  lost <- is.na(text) & !is.na(path)
  text[lost] <- path[lost]
  Encoding(text[lost]) <- "unknown"
  text
}

# The longest path of a Unix socket that macOS takes; Linux takes 107 bytes.
max_socket_path <- 103
