# The types that R and Go exchange: a named list of R vectors. Tests send each of them
# as a column and as an argument.

# Builds 64-bit integers from their two halves, without bit64.
integer64 <- function(high, low) {
  halves <- as.vector(rbind(low, high))
  bytes <- as.raw(outer(256^(0:3), halves, function(place, x) x %/% place %% 256))
  structure(readBin(bytes, "double", length(high), endian = "little"), class = "integer64")
}

# A NaN that is not NA, with its own payload.
nan_with_payload <- function() readBin(as.raw(c(1, 2, 3, 0, 0, 0, 0xf8, 0x7f)), "double", endian = "little")

vector_types <- function() {
  e_acute <- "\u00e9"
  list(
    logical = c(TRUE, NA, FALSE),
    logical_all_na = c(NA, NA),
    logical_none = logical(),
    logical_many = rep(c(TRUE, FALSE, NA, TRUE, TRUE), 21),
    integer = c(1L, NA, -.Machine$integer.max, .Machine$integer.max),
    integer_one = 7L,
    integer_none = integer(),
    integer_altrep = 1:1000,
    integer_blocks = c(seq_len(20000L), NA, 3L),
    double = c(1.5, NA, NaN, nan_with_payload(), Inf, -Inf, 0, -0, .Machine$double.xmin, 5e-324),
    double_one = pi,
    double_none = double(),
    double_million = c(seq(0, 1, length.out = 1e6), NA),
    character = c("a", NA, "", "two words", e_acute, "e\u0301", "\U1F951", "\u4e2d\u6587", "NA"),
    character_latin1 = c(iconv(e_acute, "UTF-8", "latin1"), "plain"),
    character_none = character(),
    character_repeated = rep(c("x", "y", NA), 100),
    factor = factor(c("b", "a", NA, "b"), levels = c("z", "b", "a")),
    factor_ordered = factor(c("lo", "hi"), levels = c("lo", "mid", "hi"), ordered = TRUE),
    factor_na_level = factor(c("a", NA), levels = c("a", NA), exclude = NULL),
    factor_none = factor(character()),
    Date = as.Date(c("1969-12-31", NA, "2024-02-29", "0001-01-01")),
    Date_integer = structure(c(1L, NA, -5L), class = "Date"),
    Date_fraction = structure(c(0.5, NA, Inf, NaN, -1e15), class = "Date"),
    POSIXct = as.POSIXct(c("2024-02-29 12:34:56", NA, "1900-01-01 00:00:00"), tz = "UTC"),
    POSIXct_zone = as.POSIXct(c(0, 1e9, -1.5), origin = "1970-01-01", tz = "Europe/Berlin"),
    POSIXct_no_zone = structure(c(0, 1e9 + 0.25), class = c("POSIXct", "POSIXt")),
    POSIXct_empty_zone = structure(1, class = c("POSIXct", "POSIXt"), tzone = ""),
    POSIXct_zones = structure(1, class = c("POSIXct", "POSIXt"), tzone = c("", "CET", "CEST")),
    POSIXct_now = structure(c(1764020000.123456, 1764020000.1234567), class = c("POSIXct", "POSIXt")),
    POSIXct_micro = structure(c(1e10 + 0.5, 0), class = c("POSIXct", "POSIXt"), tzone = "UTC"),
    POSIXct_odd = structure(c(1e18, Inf, NA, 1e-300), class = c("POSIXct", "POSIXt"), tzone = "UTC"),
    POSIXct_integer = structure(c(1L, NA), class = c("POSIXct", "POSIXt"), tzone = "UTC"),
    difftime_secs = structure(c(1.5, NA, -3), class = "difftime", units = "secs"),
    difftime_hours = structure(c(1.25, NA), class = "difftime", units = "hours"),
    difftime_weeks = structure(c(1L, NA, .Machine$integer.max), class = "difftime", units = "weeks"),
    difftime_odd = structure(c(1 / 3e10, Inf), class = "difftime", units = "days"),
    hms = structure(c(0, 3600.5, NA), class = c("hms", "difftime"), units = "secs"),
    hms_odd = structure(c(-1, 1e9), class = c("hms", "difftime"), units = "secs"),
    integer64 = integer64(c(0, 0x7fffffff, 0x80000000, 0x80000000), c(1, 0xffffffff, 0, 1)),
    integer64_small = integer64(c(0, 0x80000000), c(1, 0)),
    integer64_none = integer64(double(), double()),
    integer64_list = list(integer64(0, 1), NULL, integer64(c(0, 0), c(2, 3))),
    integer64_names = structure(integer64(0, 1), names = "a"),
    integer64_matrix = structure(integer64(c(0, 0), c(1, 2)), dim = 1:2),
    integer64_amount = structure(integer64(0, 1), class = c("amount", "integer64")),
    integer64_as_is = I(integer64(0, 1)),
    raw = as.raw(c(0, 1, 255)),
    raw_none = raw(),
    complex = c(1 + 2i, NA, complex(real = NaN, imaginary = 1), complex(real = NA, imaginary = 3)),
    list_raw = list(as.raw(1:3), NULL, raw()),
    blob = structure(
      list(as.raw(1:3), NULL),
      class = c("blob", "vctrs_list_of", "vctrs_vctr", "list"), ptype = raw()
    ),
    list_double = list(c(1, NA), NULL, double(), 3),
    list_character = list(c("a", NA), character()),
    list_nested = list(list(1L, 2:3), list(), NULL, list(NULL)),
    list_factor = list(factor("a", levels = c("a", "b")), factor(c("b", NA), levels = c("a", "b"))),
    list_dates = list(as.Date("2024-01-01"), as.Date(c(NA, "1960-01-01"))),
    list_frames = list(data.frame(x = 1:2, y = c("a", NA)), data.frame(x = 3L, y = "b")),
    list_named_elements = list(c(a = 1, b = 2), c(a = 3, b = 4)),
    list_of_null = list(NULL, NULL),
    list_none = list(),
    names = c(a = 1, b = NA, 3),
    names_na = structure(1:2, names = c("a", NA)),
    names_factor = structure(factor(c("a", "b")), names = c("x", "\u00e9\"\\\n")),
    names_list = list(a = 1, b = 2),
    matrix = matrix(1:6, 2, dimnames = list(c("r1", "r2"), NULL)),
    matrix_named = matrix(c("a", "b"), 1, dimnames = list(row = "r", col = c("x", "y"))),
    array = array(as.double(1:24), 2:4, dimnames = list(NULL, letters[1:3], NULL)),
    array_no_names = array(1:3, 3),
    other = structure(
      c(1, 2),
      label = "length", flag = NA, counts = c(1L, NA), odd = c(0.1, NA, NaN, -Inf), none = character()
    ),
    AsIs = I(1:3),
    AsIs_Date = I(as.Date("2024-01-01"))
  )
}

frame_types <- function() {
  people <- data.frame(name = c("Ann", NA), age = c(30L, 25L))
  list(
    plain = data.frame(x = c(1, NA), y = c("a", "b"), z = c(TRUE, NA)),
    no_rows = data.frame(x = double(), s = character(), f = factor(character())),
    no_columns = data.frame(row.names = 1:3),
    nothing = data.frame(),
    row_names = data.frame(x = 1:2, row.names = c("first", "\u00e9")),
    row_numbers = data.frame(x = 1:3)[c(3, 1), , drop = FALSE],
    odd_names = structure(list(1L, 2L, 3L), names = c("x", "x", ""), row.names = 1L, class = "data.frame"),
    frame_column = structure(list(id = 1:2, person = people), row.names = 1:2, class = "data.frame"),
    frame_as_is = data.frame(id = 1:2, person = I(people)),
    list_column = data.frame(id = 1:2, l = I(list(1:3, NULL))),
    matrix_column = data.frame(id = 1:2, m = I(matrix(c(1, 2, NA, 4), 2, dimnames = list(NULL, c("a", "b"))))),
    integer64_columns = structure(
      list(x = integer64(c(0, 0), c(1, 2)), l = list(integer64(0, 1), NULL), d = structure(
        list(x = integer64(c(0, 0x80000000), c(1, 0))),
        row.names = 1:2, class = "data.frame"
      )),
      row.names = 1:2, class = "data.frame"
    ),
    array_column = structure(
      list(a = array(1:12, c(2, 3, 2)), s = matrix(letters[1:4], 2)),
      row.names = 1:2, class = "data.frame"
    ),
    tibble = structure(list(x = 1:2), class = c("tbl_df", "tbl", "data.frame"), row.names = 1:2),
    data_table = structure(list(x = 1:2), class = c("data.table", "data.frame"), row.names = 1:2),
    attributes = structure(data.frame(x = 1), label = "a frame", version = 2L),
    altrep = data.frame(i = 1:100000)
  )
}

# Values that can only be an argument, since they have no rows.
value_types <- function() {
  list(
    null = NULL,
    list_mixed = list(1, "a", NULL, TRUE, list(2L, b = "c")),
    list_named = list(a = 1:3, b = "x", c = NULL, d = list(e = 1)),
    list_same_names = list(a = 1, a = 2, 3),
    list_no_names = structure(list(), names = character()),
    list_blank_names = structure(list(1, "a"), names = c("", "")),
    list_as_is = I(list(a = 1, b = "x")),
    list_labelled = structure(list(a = 1, b = "x"), label = "two"),
    list_frames = list(data.frame(a = 1:2), data.frame(b = "x")),
    list_matrix = matrix(list(1, 2, 3, 4), 2),
    model = list(coef = c(a = 1, b = 2), data = data.frame(x = 1:3), fit = matrix(1:4, 2))
  )
}

# Checks that two values are identical to the bit, including NaN payloads and -0.
expect_same <- function(got, wanted, info = NULL) {
  expect_true(identical(got, wanted), info = info)
  expect_true(identical(serialized(got), serialized(wanted)), info = info)
}

# The bits of all numbers in a value. NA_real_ has several bit patterns, all of them NA.
serialized <- function(x) {
  if (is.list(x)) {
    return(lapply(unclass(x), serialized))
  }
  if (is.double(x)) {
    x <- unclass(x)
    attributes(x) <- NULL
    x[is.na(x) & !is.nan(x)] <- NA
    return(writeBin(x, raw()))
  }
  if (is.complex(x)) {
    return(list(serialized(Re(x)), serialized(Im(x))))
  }
  NULL
}

# --- data frames of random columns ---

# A string of any length, or one that could be mistaken for something else.
random_text <- function() {
  looks_like <- c("NA", "NaN", "Inf", "-Inf", "null", "true", "1", "0x1p3", "\"", "\\", "{}", "[1]", "\n\t", "")
  if (stats::runif(1) < 0.5) {
    return(sample(looks_like, 1))
  }
  strrep(sample(c("x", "\u00e9", "\U1F951", " "), 1), sample(c(1:5, 40), 1))
}

random_texts <- function(n) vapply(seq_len(n), function(i) random_text(), "")

# `n` values with attributes of any kind, and sometimes with NA.
random_vector <- function(n) {
  levels <- unique(random_texts(sample(4, 1)))
  days <- sample(20000, n, TRUE)
  x <- switch(sample(13, 1),
    sample(c(TRUE, FALSE), n, TRUE),
    sample(1000L, n, TRUE),
    stats::rnorm(n),
    random_texts(n),
    factor(sample(levels, n, TRUE), levels = levels),
    factor(sample(levels, n, TRUE), levels = levels, ordered = TRUE),
    structure(as.double(days), class = "Date"),
    structure(days * 86400 + 0.5, class = c("POSIXct", "POSIXt"), tzone = "Asia/Tokyo"),
    structure(as.double(days), class = "difftime", units = sample(c("secs", "mins", "hours", "days", "weeks"), 1)),
    structure(as.double(days), class = c("hms", "difftime"), units = "secs"),
    complex(real = stats::rnorm(n), imaginary = stats::rnorm(n)),
    integer64(rep(0, n), days),
    as.raw(days %% 256)
  )
  if (!is.raw(x) && n > 0 && stats::runif(1) < 0.5 && !inherits(x, "integer64")) x[sample(n, 1)] <- NA
  for (i in seq_len(sample(0:2, 1))) {
    value <- switch(sample(4, 1), random_text(), c(random_text(), NA), stats::rnorm(2), NA)
    attr(x, paste0("label", strrep("s", i))) <- value
  }
  if (stats::runif(1) < 0.3) names(x) <- random_texts(n)
  x
}

random_column <- function(n, depth) {
  kind <- sample(8, 1)
  if (depth > 0 && kind == 1) {
    return(random_frame(n, depth - 1))
  }
  if (depth > 0 && kind == 2) {
    element <- random_vector(2)
    return(sample(list(element, NULL), n, TRUE))
  }
  if (kind == 3 && n > 0) {
    return(matrix(stats::rnorm(2 * n), n, dimnames = list(NULL, c(random_text(), "b"))))
  }
  random_vector(n)
}

random_frame <- function(n = sample(0:4, 1), depth = 2) {
  columns <- lapply(seq_len(sample(0:6, 1)), function(i) random_column(n, depth))
  names(columns) <- random_texts(length(columns))
  row_names <- if (stats::runif(1) < 0.3) make.unique(random_texts(n)) else seq_len(n)
  frame <- structure(columns, class = "data.frame", row.names = row_names)
  if (stats::runif(1) < 0.3) attr(frame, "label") <- random_text()
  if (stats::runif(1) < 0.2) class(frame) <- c("tbl_df", "tbl", "data.frame")
  frame
}
