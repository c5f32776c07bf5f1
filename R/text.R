# Go code and what else goes to and from Go is UTF-8, whatever the locale and
# options(encoding = ) are.

# The lines of a file.
read_utf8 <- function(file) {
  connection <- file(file, "r", encoding = "native.enc")
  on.exit(close(connection))
  readLines(connection, warn = FALSE, encoding = "UTF-8")
}

# Writes strings as lines.
write_utf8 <- function(lines, file) {
  connection <- file(file, "wb", encoding = "native.enc")
  on.exit(close(connection))
  writeLines(enc2utf8(as.character(lines)), connection, useBytes = TRUE)
}

# Bytes that are UTF-8, as one string.
utf8_text <- function(bytes) {
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  text
}

# Strings in UTF-8, NA where they are not valid in their own encoding. Where that of
# the session knows nothing but ASCII, bytes that are valid UTF-8 are UTF-8.
as_utf8 <- function(x) {
  encoding <- Encoding(x)
  unknown <- which(encoding == "unknown")
  text <- iconv(x[unknown], "", "UTF-8")
  left <- is.na(text) & !is.na(x[unknown])
  text[left] <- x[unknown][left]
  Encoding(text[left]) <- "UTF-8"
  x[unknown] <- text
  x[encoding == "bytes"] <- NA
  x <- enc2utf8(x)
  x[!validUTF8(x)] <- NA
  x
}

# Strings with a question mark for each byte that is not UTF-8.
make_valid <- function(x) ifelse(validUTF8(x), x, iconv(x, "UTF-8", "UTF-8", sub = "?"))

# The names that are meant by `given`: R has names of arguments in the encoding of the
# session, with escapes for what that lacks.
match_names <- function(given, known) {
  if (all(given %in% known)) {
    return(given)
  }
  text <- as_utf8(given)
  text[is.na(text)] <- given[is.na(text)]
  at <- match(symbol_names(text), symbol_names(known))
  given[!is.na(at)] <- known[at[!is.na(at)]]
  given
}

# Names as those of R's symbols.
symbol_names <- function(x) {
  as_symbol <- function(name) if (nzchar(name)) as.character(as.name(name)) else ""
  # R warns of an escape.
  suppressWarnings(vapply(x, as_symbol, "", USE.NAMES = FALSE))
}

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
