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

# Bytes of others as a string in UTF-8, whatever they are: a zero byte becomes \x00,
# and what is not UTF-8 becomes U+FFFD.
readable <- function(bytes) {
  zero <- bytes == 0
  if (any(zero)) {
    size <- ifelse(zero, 4L, 1L)
    last <- cumsum(size)[zero]
    bytes <- rep(bytes, size)
    for (i in 0:3) bytes[last - 3L + i] <- charToRaw("\\x00")[[i + 1]]
  }
  text <- rawToChar(bytes)
  if (!validUTF8(text)) text <- iconv(text, "UTF-8", "UTF-8", sub = "\ufffd")
  if (!validUTF8(text)) text <- iconv(text, "UTF-8", "ASCII", sub = "byte") # not all iconv() are as strict
  Encoding(text) <- "UTF-8"
  text
}
