# Where Go code stands in an R script.

# The source references of the calls on a stack, if R keeps them, the innermost first.
srcrefs <- function(calls) Filter(Negate(is.null), lapply(rev(calls), attr, "srcref"))

# Where code stands in the script of a call, as string literals in the call itself or
# elsewhere in the same file: the `file`, and a function `at` from lines and columns of
# the code to those of the script. NULL if it is not found as it is.
find_literal <- function(code, srcrefs) {
  for (srcref in srcrefs) {
    srcfile <- attr(srcref, "srcfile")
    file <- srcfile$filename
    if (!rlang::is_string(file) || !nzchar(file)) next
    map <- literal_in(as.character(srcref, useSource = TRUE), code)
    if (is.null(map)) {
      map <- literal_in(tryCatch(getSrcLines(srcfile, 1, Inf), error = function(cnd) character()), code)
    } else {
      # The text of a call starts where the call does.
      first <- map$line == 1
      map$column[first] <- map$column[first] + srcref[[2]] - 1L
      map$line <- map$line + srcref[[1]] - 1L
    }
    if (!is.null(map)) return(list(file = file, at = function(line, column) look_up(map, line, column)))
  }
  NULL
}

# Where each byte of `code` stands in lines of a script: a data frame of line, column
# (in bytes) and whether the byte ends a line of the code. NULL if the lines have no
# such literals, one after the other.
literal_in <- function(lines, code) {
  parsed <- tryCatch(
    utils::getParseData(parse(text = lines, keep.source = TRUE)),
    error = function(cnd) NULL
  )
  tokens <- parsed[parsed$token == "STR_CONST", ]
  # getParseData() shortens long strings.
  texts <- vapply(tokens$id, function(id) utils::getParseText(parsed, id), "")
  values <- vapply(texts, function(text) tryCatch(eval(str2lang(text)), error = function(cnd) NA_character_), "")
  for (start in seq_len(max(0, length(values) - length(code) + 1))) {
    at <- seq(start, length.out = length(code))
    if (identical(unname(values[at]), as.vector(code))) {
      maps <- Map(function(text, line, column) map_literal(text, line, byte_of(lines[[line]], column)),
        texts[at], tokens$line1[at], tokens$col1[at]
      )
      return(do.call(rbind, unname(maps)))
    }
  }
  NULL
}

# The byte of a line at which the column of a token is: the parser counts characters,
# and to the next multiple of 8 for a tab.
byte_of <- function(line, column) {
  chars <- strsplit(line, "")[[1]]
  columns <- Reduce(function(before, char) if (char == "\t") (before %/% 8L + 1L) * 8L else before + 1L, chars, 0L,
    accumulate = TRUE
  )
  before <- utils::head(chars, match(column, columns[-1], nomatch = 1L) - 1L)
  sum(nchar(before, "bytes")) + 1L
}

# As literal_in(), for one literal that starts at this line and column.
map_literal <- function(text, line, column) {
  opening <- regmatches(text, regexpr("^([rR][\"']-*[(\\[{]|[\"'])", text))
  is_raw <- nchar(opening) > 1
  body <- substring(text, nchar(opening) + 1, nchar(text) - nchar(opening) + is_raw)
  escape <- "\\\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|[uU]\\{[0-9A-Fa-f]+\\}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|.)"
  pieces <- regmatches(body, gregexpr(paste0("(?s)", if (!is_raw) paste0(escape, "|"), "."), body, perl = TRUE))[[1]]
  value <- pieces
  is_escape <- nchar(pieces) > 1
  value[is_escape] <- vapply(pieces[is_escape], function(piece) eval(str2lang(paste0("\"", piece, "\""))), "")

  bytes <- c(nchar(pieces, "bytes"), 0L)
  ends_line <- c(endsWith(pieces, "\n"), FALSE)
  line_breaks <- cumsum(c(0L, utils::head(ends_line, -1)))
  offset <- cumsum(c(0L, utils::head(bytes, -1)))
  starts <- c(0L, utils::head(offset + bytes, -1)[utils::head(ends_line, -1)])
  column <- ifelse(line_breaks == 0, column + nchar(opening), 1L) + offset - starts[line_breaks + 1]

  # A piece is as many bytes of code as its value has; the end stands for the end of
  # the line.
  count <- c(nchar(enc2utf8(value), "bytes"), 1L)
  which <- rep(seq_along(count), count)
  byte <- ifelse(c(is_escape, FALSE)[which], 0L, sequence(count) - 1L)
  data.frame(
    line = as.integer(line + line_breaks[which]), column = as.integer(column[which] + byte),
    ends = c(value == "\n", TRUE)[which]
  )
}

look_up <- function(map, line, column) {
  ends <- which(map$ends)
  starts <- c(1L, utils::head(ends, -1) + 1L)
  line <- pmin(line, length(ends))
  at <- pmin(starts[line] + ifelse(is.na(column), 1L, column) - 1L, ends[line])
  list(line = map$line[at], column = ifelse(is.na(column), NA_integer_, map$column[at]))
}
