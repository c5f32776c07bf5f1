# Text to and from Go, which is UTF-8 whatever the locale and options(encoding = ) are.

# The lines of a file.
read_utf8 <- function(file) {
  connection <- file(file, "r", encoding = "native.enc")
  on.exit(close(connection))
  readLines(connection, warn = FALSE, encoding = "UTF-8")
}

# The first line, "" if there is no such file.
read_line <- function(file) {
  lines <- tryCatch(utils::head(read_utf8(file), 1), condition = function(cnd) character())
  if (length(lines) == 0) "" else lines
}

# Writes strings as lines.
write_utf8 <- function(lines, file) {
  connection <- file(file, "wb", encoding = "native.enc")
  on.exit(close(connection))
  writeLines(enc2utf8(as.character(lines)), connection, useBytes = TRUE)
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

# JSON in UTF-8, simplified as jsonlite does it, except that "NA", "NaN" and "Inf"
# always stay strings. Unlike fromJSON(), it never takes JSON for a file or URL to read.
parse_json <- function(json) {
  Encoding(json) <- "UTF-8"
  mark <- "text:"
  while (grepl(mark, json, fixed = TRUE)) mark <- paste0(mark, ":")
  # Inside a longer string the mark is removed as well.
  marked <- gsub("\"(NA|NaN|-?Inf|[$]date)\"", paste0("\"", mark, "\\1\""), json)
  value <- jsonlite::parse_json(marked, simplifyVector = TRUE)
  if (marked == json) value else unmark(value, mark)
}

# Whether JSON was an object: {} and [] are both an empty list.
is_object <- function(x) {
  is.list(x) && !is.data.frame(x) && (length(x) == 0 || (!is.null(names(x)) && !anyDuplicated(names(x))))
}

unmark <- function(x, mark) {
  if (is.list(x)) {
    x[] <- lapply(x, unmark, mark)
  } else if (is.character(x)) {
    x[] <- gsub(mark, "", x, fixed = TRUE)
  }
  if (!is.null(names(x))) names(x) <- gsub(mark, "", names(x), fixed = TRUE)
  x
}

# Any bytes as a string in UTF-8: a zero byte becomes \x00, and bytes that are not UTF-8
# become U+FFFD.
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

# Strings with a question mark for each byte that is not UTF-8.
make_valid <- function(x) ifelse(validUTF8(x), x, iconv(x, "UTF-8", "UTF-8", sub = "?"))

# Those of the names `known` that `given` stands for: R has the names of arguments in the
# encoding of the session, with escapes for characters that it lacks.
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

# The reverse of symbol_names(): names in UTF-8, without the escapes.
names_of_symbols <- function(x) {
  x <- as_utf8(x)
  at <- gregexpr("<U\\+[0-9A-F]{4,8}>", x)
  regmatches(x, at) <- lapply(regmatches(x, at), function(escapes) {
    intToUtf8(strtoi(gsub("[<U+>]", "", escapes), 16L), multiple = TRUE)
  })
  x
}

# 1 part, 1,234 parts.
quantity <- function(n, what) paste0(format(n, big.mark = ",", scientific = FALSE), " ", what, if (!n %in% 1) "s")
