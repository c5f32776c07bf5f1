# Paths of files, and how they depend on the operating system.

os_name <- function() {
  if (is_windows()) "windows" else tolower(Sys.info()[["sysname"]])
}

is_windows <- function() .Platform$OS.type == "windows"

# Absolute, without links, with forward slashes.
real_path <- function(path) normalizePath(path, winslash = "/", mustWork = FALSE)

# Absolute, with links as they are. Of "" and NA nothing is known.
absolute_path <- function(path) {
  home <- grepl("^~", path)
  # What comes after the home directory may be in any encoding.
  user <- sub("[/\\\\].*", "", path[home])
  path[home] <- paste0(path.expand(user), substring(path[home], nchar(user) + 1))
  relative <- !is.na(path) & nzchar(path) & !is_absolute(path)
  # Not file.path(), which would write escapes for characters that the encoding lacks.
  path[relative] <- paste0(sub("/$", "", getwd()), "/", path[relative])
  path
}

is_absolute <- function(path) grepl(if (is_windows()) "^([/\\\\]|[A-Za-z]:)" else "^/", path)

is_below <- function(path, dir) startsWith(paste0(path, "/"), paste0(dir, "/"))

# Paths below `prefix` as paths below `by`.
replace_prefix <- function(file, prefix, by) {
  ifelse(startsWith(file, paste0(prefix, "/")), file.path(by, substring(file, nchar(prefix) + 2)), file)
}

# Paths for Go, and paths from Go for the system: both have the same bytes, but R would
# write escapes for characters that the encoding of the session lacks.
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

# The longest path of a Unix socket on macOS, in bytes; on Linux it is 107.
max_socket_path <- 103
