# Random R objects of all types that can be sent, with all attributes, of several lengths.

any_of <- function(x) x[[sample.int(length(x), 1)]]

any_strings <- function(n) sample(c("a", "", NA, "NA", "NaN", "Inf", "\u00e9\"\\\n", "two words", "\U1F951"), n, TRUE)

# NULL stands for no tzone attribute.
any_zone <- function() {
  any_of(list(
    NULL, "", "UTC", "GMT", "America/New_York", "Asia/Kolkata", c("", "EST", "EDT"), c("Asia/Tokyo", "JST", "JDT"),
    "+05:30", "-03", "Etc/GMT+5", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3", "No/Where"
  ))
}

any_seconds <- function(n) {
  scale <- any_of(c(1, 1e-9, 1e9, 1e12, 1 / 3))
  x <- any_of(list(round(stats::runif(n, -2e9, 2e9)), stats::runif(n, -2, 2))) * scale
  x[stats::runif(n) < 0.2] <- any_of(list(NA_real_, NaN, Inf, 0, -0))
  x
}

any_ints <- function(n) sample(c(NA, -3:3, .Machine$integer.max), n, TRUE)

any_times <- function(n, class, ...) {
  structure(any_of(list(any_seconds(n), any_ints(n))), class = class, ...)
}

# Vectors of n elements, without names and dimensions.
any_vectors <- list(
  logical = function(n) sample(c(TRUE, FALSE, NA), n, TRUE),
  integer = any_ints,
  double = function(n) sample(c(1.5, NA, NaN, nan_with_payload(), Inf, -Inf, 0, -0, 5e-324), n, TRUE),
  character = any_strings,
  complex = function(n) complex(real = any_seconds(n), imaginary = any_seconds(n)),
  raw = function(n) as.raw(sample.int(256, n, TRUE) - 1),
  factor = function(n) factor(sample(c("a", NA, "b"), n, TRUE), levels = sample(c("b", "a", "unused", "NA"))),
  ordered = function(n) factor(sample(c("lo", "hi"), n, TRUE), levels = c("lo", "mid", "hi"), ordered = TRUE),
  Date = function(n) any_times(n, "Date"),
  POSIXct = function(n) any_times(n, c("POSIXct", "POSIXt"), tzone = any_zone()),
  difftime = function(n) any_times(n, "difftime", units = any_of(c("secs", "mins", "hours", "days", "weeks"))),
  hms = function(n) any_times(n, c("hms", "difftime"), units = "secs"),
  integer64 = function(n) integer64(sample.int(2^31, n, TRUE), sample.int(2^31, n, TRUE)),
  list = function(n) {
    element <- any_of(any_vectors[1:14])
    first <- element(sample(0:3, 1))
    lapply(seq_len(n), function(i) any_of(list(first, first, NULL)))
  },
  list_raw = function(n) lapply(seq_len(n), function(i) any_of(list(as.raw(1:2), raw(), NULL))),
  frame = function(n) any_frame(n, depth = 2)
)

# Adds names, dimensions, a label or I().
with_attributes <- function(x, n) {
  if (is.data.frame(x)) {
    return(x)
  }
  switch(any_of(c("none", "none", "names", "dim", "label", "as_is")),
    names = names(x) <- any_strings(n),
    dim = if (n %% 2 == 0 && n > 0 && !is.object(x)) {
      dim(x) <- c(n / 2, 2)
      if (stats::runif(1) < 0.5) dimnames(x) <- list(row = NULL, c("NA", "b"))
    },
    label = attr(x, "label") <- any_of(list(any_strings(2), c(NA, 1.5, Inf), TRUE, NA_integer_, character())),
    as_is = x <- I(x)
  )
  x
}

any_vector <- function(n = any_of(c(0, 1, 2, 6, 9))) with_attributes(any_of(any_vectors)(n), n)

# A data frame with columns of all kinds, and row names.
any_frame <- function(n = any_of(c(0, 1, 2, 6, 9)), depth = 1) {
  columns <- lapply(seq_len(sample(0:4, 1)), function(i) {
    makers <- if (depth > 1) any_vectors[names(any_vectors) != "frame"] else any_vectors
    x <- any_of(makers)(n)
    if (stats::runif(1) < 0.3 && !is.data.frame(x)) attr(x, "label") <- any_strings(1)
    x
  })
  names(columns) <- sample(c("a", "b", "NA", "\u00e9", ""), length(columns))
  rows <- .set_row_names(n)
  if (n > 0 && stats::runif(1) < 0.3) rows <- sample(c("NA", "NaN", "Inf", "x", "\u00e9", "1", "2", "3", "4"), n)
  class <- any_of(list("data.frame", "data.frame", c("tbl_df", "tbl", "data.frame")))
  structure(columns, class = class, row.names = rows)
}

# A vector, a data frame or a named list of these.
any_value <- function() {
  if (stats::runif(1) < 0.1) {
    return(list(a = any_vector(), b = list(c = any_vector()), d = NULL))
  }
  if (stats::runif(1) < 0.3) any_frame() else any_vector()
}
