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

# Strings in UTF-8, NA where they are not valid in their own encoding.
as_utf8 <- function(x) {
  encoding <- Encoding(x)
  x[encoding == "unknown"] <- iconv(x[encoding == "unknown"], "", "UTF-8")
  x[encoding == "bytes"] <- NA
  x <- enc2utf8(x)
  x[!validUTF8(x)] <- NA
  x
}

# Strings with a question mark for each byte that is not UTF-8.
make_valid <- function(x) ifelse(validUTF8(x), x, iconv(x, "UTF-8", "UTF-8", sub = "?"))
