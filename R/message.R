# The text of conditions, from templates in the markup of cli. cli itself also wraps and
# styles them: with it, the first condition of a session takes 130 ms instead of 13, and
# each later one 45 ms instead of 5.

# `text` with everything in braces filled in:
#   {code}        the value of R code in `.envir`
#   {.tag text}   text, or each value of {code}, styled as its tag says
#   {?s}, {?a/b}  by the last number, or number of values, before it, or else after it
#   {{ and }}     braces
format_inline <- function(text, .envir = parent.frame()) {
  fill_in(gsub("[[:space:]]+", " ", text), .envir, rlang::env(n = NULL))
}

fill_in <- function(text, envir, amount) {
  pieces <- split_markup(text)
  waiting <- integer()
  for (i in which(pieces$markup)) {
    piece <- pieces$text[[i]]
    if (!startsWith(piece, "?")) {
      read <- if (startsWith(piece, ".")) tagged else values_of
      pieces$text[[i]] <- collapse(read(piece, envir, amount))
    } else if (is.null(amount$n)) {
      waiting <- c(waiting, i)
    } else {
      pieces$text[[i]] <- plural(piece, amount$n)
    }
  }
  for (i in waiting) pieces$text[[i]] <- plural(pieces$text[[i]], amount$n)
  paste(pieces$text, collapse = "")
}

# The pieces of a template: text as it is, and what stands in braces, without them.
split_markup <- function(text) {
  at <- gregexpr("\\{\\{|\\}\\}|\\{((?:[^{}]++|\\{(?1)\\})*+)\\}", text, perl = TRUE)
  found <- regmatches(text, at)[[1]]
  is_brace <- found %in% c("{{", "}}")
  marked <- ifelse(is_brace, substr(found, 1, 1), substr(found, 2, nchar(found) - 1))
  outside <- regmatches(text, at, invert = TRUE)[[1]]
  n <- 2 * length(found) + 1
  list(text = rbind(outside, c(marked, ""))[seq_len(n)], markup = rbind(FALSE, c(!is_brace, FALSE))[seq_len(n)])
}

values_of <- function(code, envir, amount) {
  value <- eval(str2expression(code), envir)
  amount$n <- if (is.numeric(value) && length(value) == 1) unclass(value) else length(value)
  if (inherits(value, "cli_noprint")) "" else value # of cli::qty()
}

tagged <- function(piece, envir, amount) {
  tag <- sub("^\\.([a-z_]*).*$", "\\1", piece)
  rest <- substring(piece, nchar(tag) + 3)
  values <- split_markup(rest)
  alone <- sum(nzchar(values$text)) == 1 && sum(values$markup) == 1
  x <- if (alone) values_of(values$text[values$markup], envir, amount) else fill_in(rest, envir, amount)
  switch(tag,
    arg = , code = , envvar = ticks(x),
    fn = ticks(paste0(sub("\\(\\)$", "", x), rep("()", length(x)))),
    command = x,
    field = cli::col_green(x),
    file = , path = cli::col_blue(paste0(rep("'", length(x)), x, rep("'", length(x)))),
    url = cli::col_blue(paste0(rep("<", length(x)), x, rep(">", length(x)))),
    val = cli::col_blue(if (is.character(x)) encodeString(x, quote = "\"") else x),
    obj_type_friendly = friendly_type(x),
    cli::format_inline(paste0("{", piece, "}"), .envir = envir)
  )
}

ticks <- function(x) if (length(x) == 0) character() else paste0("`", x, "`")

collapse <- function(x) if (length(x) == 1) as.character(x) else cli::ansi_collapse(as.character(x), trunc = 20)

# "?s", "?y/ies", "?no/one/many" for `n` of something.
plural <- function(piece, n) {
  forms <- strsplit(substring(piece, 2), "/", fixed = TRUE)[[1]]
  if (length(forms) == 1) forms <- c("", forms)
  if (length(forms) == 2) forms <- forms[c(2, 1, 2)]
  forms[[if (n == 0) 1 else if (n == 1) 2 else 3]]
}

# What `x` is, in words: "a string", "an empty list", "a <factor> object".
friendly_type <- function(x) {
  type <- typeof(x)
  if (is.object(x)) {
    if (identical(class(x), "data.frame")) "a data frame"
    else if (identical(class(x), c("tbl_df", "tbl", "data.frame"))) "a tibble"
    else with_article(paste0("<", class(x)[[1]], "> object"), class(x)[[1]])
  } else if (is.null(x) || !is.atomic(x) && !is.list(x)) {
    switch(type,
      "NULL" = "NULL", closure = "a function", builtin = , special = "a primitive function",
      environment = "an environment", symbol = "a symbol", language = "a call", externalptr = "a pointer",
      S4 = "an S4 object", expression = "an expression vector", paste("an object of type", type)
    )
  } else if (!is.null(dim(x))) {
    with_article(paste(type, if (length(dim(x)) == 2) "matrix" else "array"))
  } else if (length(x) == 0) {
    paste("an empty", if (is.list(x)) "list" else paste(sub("double", "numeric", type), "vector"))
  } else if (is.list(x)) {
    "a list"
  } else if (length(x) > 1) {
    with_article(paste(type, "vector"))
  } else if (is.na(x)) {
    if (is.logical(x)) "`NA`" else with_article(paste(sub("double", "numeric", type), "`NA`"))
  } else {
    switch(type,
      logical = ticks(x), integer = "an integer", double = "a number", complex = "a complex number",
      character = if (nzchar(x)) "a string" else "`\"\"`", raw = "a raw value"
    )
  }
}

with_article <- function(text, word = text) paste(if (grepl("^[aeiou]", word, ignore.case = TRUE)) "an" else "a", text)
