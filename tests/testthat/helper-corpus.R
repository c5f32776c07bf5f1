# Objects of all kinds, the ways in which they are sent to Go and back, and what the
# documentation promises for each. Tests cover some of them, and tools/corpus.R all.

# Data frames and vectors of common classes, as their packages create them.
class_types <- function() {
  class <- function(x, ...) structure(x, class = c(...))
  tibble_of <- function(x, class, ...) structure(x, ..., class = c(class, "tbl_df", "tbl", "data.frame"))
  days <- as.Date("2024-02-28") + 0:2
  people <- data.frame(g = c("a", "b", "a"), x = c(1, NA, 3))
  pointer <- methods::new("externalptr")
  list(
    ts = ts(1:8, start = c(2020, 2), frequency = 4),
    ts_matrix = ts(matrix(c(1, 2, 3, 4), 2), start = 1, names = c("a", "b")),
    table = table(c("a", "b", "a")),
    table_two = table(g = c("a", "b", "a"), h = c(1, 1, 2)),
    noquote = noquote(c("a", NA)),
    na_omit = stats::na.omit(c(1, NA, 3)),
    na_omit_named = stats::na.omit(c(a = "x", b = NA)),
    haven_labelled = structure(
      c(1, 2, NA),
      labels = c(yes = 1, no = 2), label = "Q1", class = c("haven_labelled", "vctrs_vctr", "double")
    ),
    hmisc_labelled = structure(1:3, label = "length", units = "cm", class = c("labelled", "integer")),
    hmisc_factor = structure(factor(c("a", "b")), label = "group", class = c("labelled", "factor")),
    labelled_time = structure(
      as.POSIXct("2024-02-29", tz = "UTC"),
      label = "when", class = c("labelled", "POSIXct", "POSIXt")
    ),
    IDate = structure(19000:19002, class = c("IDate", "Date")),
    ITime = structure(c(0L, 3600L), class = "ITime"),
    octmode = as.octmode(8:10),
    roman = utils::as.roman(c(1, 4)),
    units = structure(
      c(1.5, 2),
      units = class(list(numerator = "m", denominator = "s"), "symbolic_units"), class = "units"
    ),
    zoo = structure(c(1, 2, 3), index = days, class = "zoo"),
    zoo_matrix = structure(matrix(c(1, 2, 3, 4, 5, 6), 3), index = days, class = "zoo"),
    surv = structure(
      cbind(time = c(1, 2), status = c(1, 0)),
      class = "Surv", type = "right", inputAttributes = list(time = list(names = c("a", "b")))
    ),
    dist = stats::dist(matrix(c(1, 2, 4), 3)),
    version = numeric_version(c("1.2.3", "4.0")),
    package_version = package_version("4.2.2"),
    list_of = structure(list(1, c(2, 3)), ptype = double(), class = c("vctrs_list_of", "vctrs_vctr", "list")),
    glue = class("a", "glue", "character"),
    difftime_class = structure(c(1, 2), units = "mins", class = c("waiting", "difftime")),
    factor_class = structure(factor("a"), class = c("quality", "factor")),
    AsIs_class = I(class(1:2, "octmode")),
    money = class(c(1.25, NA), "money"),
    test = stats::t.test(c(1, 2, 4)),
    labels = structure(c(1, 2), labels = list(a = 1, b = NULL, c = c(x = TRUE)), codes = as.raw(1:2), roots = 1i),
    row_names_like = structure(1:2, levels = c("a", "b")),
    comment = structure(1, comment = "measured"),
    zone = structure(1, tzone = "UTC"),
    anova = structure(data.frame(Df = 1:2, p = c(NA, 0.5)), heading = "Analysis", class = c("anova", "data.frame")),
    na_omit_frame = stats::na.omit(people),
    spec_tbl = tibble_of(
      people, "spec_tbl_df",
      spec = class(list(cols = list(g = class(list(), "collector_character", "collector"))), "col_spec"),
      problems = pointer
    ),
    grouped = tibble_of(people, "grouped_df", groups = structure(data.frame(g = c("a", "b")), .drop = TRUE)),
    rowwise = tibble_of(people, "rowwise_df", groups = data.frame(r = 1:3)),
    grouped_data = structure(
      people,
      formula = x ~ 1 | g, labels = list(x = "X"), class = c("groupedData", "data.frame")
    ),
    frame_of_classes = structure(
      list(d = class(19000:19001, "IDate", "Date"), n = noquote(c("a", "b")), v = numeric_version(c("1.0", "2.1"))),
      class = "data.frame", row.names = 1:2
    ),
    frame_in_frame = structure(
      list(i = 1:3, p = tibble_of(people, "rowwise_df", groups = data.frame(r = 1:3))),
      class = "data.frame", row.names = 1:3
    ),
    frames_of_class = list(
      tibble_of(people, "spec_tbl_df", problems = pointer),
      tibble_of(people, "spec_tbl_df", problems = methods::new("externalptr"))
    ),
    matrix_of_class = structure(list(m = stats::ts(matrix(1:4, 2))), class = "data.frame", row.names = 1:2),
    real_table = structure(
      list(x = 1:2),
      class = c("data.table", "data.frame"), row.names = 1:2, sorted = "x", .internal.selfref = pointer
    ),
    frame_of_lists = structure(data.frame(x = 1), source = list(file = "a.csv", lines = 1:2)),
    POSIXlt = as.POSIXlt("2024-02-29 12:00", tz = "UTC"),
    POSIXlt_column = structure(
      list(t = as.POSIXlt(c("2024-02-29", "2024-03-01"), tz = "UTC")),
      class = "data.frame", row.names = 1:2
    ),
    model_frame = stats::model.frame(dist ~ speed, datasets::cars),
    model = stats::lm(dist ~ speed, datasets::cars),
    formula = y ~ x,
    function_value = sum,
    call = quote(f(x)),
    environment = globalenv(),
    pointer = pointer,
    S4 = methods::new("numeric"),
    function_attribute = structure(1, fun = sum),
    long_names = stats::setNames(1:2, c(strrep("n", 5000), "short")),
    long_strings = c(strrep("\u00e9", 40000), "")
  )
}

# The value that comes back for x according to vignette("types"): a data frame of any
# other class, with an attribute that is not an atomic vector, becomes the nearest known
# class, without that attribute. Internal attributes of data.table are created anew, or
# dropped.
as_documented <- function(x) {
  if (!is.list(x)) {
    return(x)
  }
  attributes <- attributes(x)
  x <- lapply(unclass(x), as_documented)
  attributes$.internal.selfref <- NULL
  if ("data.frame" %in% attributes$class) {
    kinds <- list("data.frame", c("tbl_df", "tbl", "data.frame"), c("data.table", "data.frame"))
    attributes <- attributes[names(attributes) != "index"]
    own <- c("names", "row.names", "class")
    behind <- !names(attributes) %in% own & !vapply(attributes, is.atomic, NA)
    known <- any(vapply(kinds, identical, NA, setdiff(attributes$class, "AsIs")))
    if (any(behind) && !known) {
      kind <- if ("data.table" %in% attributes$class) 3 else if ("tbl_df" %in% attributes$class) 2 else 1
      attributes <- attributes[!behind]
      attributes$class <- kinds[[kind]]
    }
  }
  attributes(x) <- attributes
  x
}

# x as a data frame.
as_frame <- function(x) {
  if (is.data.frame(x)) {
    return(x)
  }
  if (is.null(x)) x <- NA
  n <- if (is.null(dim(x))) length(unclass(x)) else nrow(x)
  structure(list(x = x), class = "data.frame", row.names = .set_row_names(n))
}

# The Go function for the values of x, and these values without attributes, as a slice
# in Go has them. NULL if there is no such function.
typed_way <- function(x) {
  values <- function(x) as.vector(unclass(x))
  if (is.null(x) || is.data.frame(x) || isS4(x) || inherits(x, c("roman", "POSIXlt", "vctrs_rcrd"))) {
    NULL
  } else if (inherits(x, "factor")) {
    list("strings", as.character(x))
  } else if (inherits(x, c("Date", "POSIXct"))) {
    list("times", NULL)
  } else if (inherits(x, "difftime")) {
    list("durations", NULL)
  } else if (inherits(x, "integer64")) {
    list("int64s", counted(structure(values(x), class = "integer64")))
  } else if (is.list(x)) {
    NULL
  } else {
    switch(typeof(x),
      logical = list("bools", values(x)),
      integer = list("ints", values(x)),
      double = list("floats", values(x)),
      character = list("strings", values(x)),
      # In Go, a complex NA has no real and imaginary part.
      complex = list("complexes", ifelse(is.na(x) & !is.nan(Re(x)), NA_complex_, values(x)))
    )
  }
}

# An integer64 as R counts.
counted <- function(x) {
  numbers <- suppressWarnings(as.double(x))
  # 2^53 + 1 is rounded to 2^53.
  rounded <- !identical(unclass(suppressWarnings(bit64::as.integer64(numbers))), unclass(x))
  if (rounded || any(abs(numbers) > 2^53, na.rm = TRUE)) {
    x
  } else if (all(abs(numbers) <= .Machine$integer.max, na.rm = TRUE)) {
    as.integer(numbers)
  } else {
    numbers
  }
}

# How each object is sent, and what must come back.
corpus_ways <- function(h) {
  list(
    array = function(x) list(got = h$array(x), wanted = x),
    batch = function(x) list(got = h$batch(as_frame(x)), wanted = as_frame(x)),
    record = function(x) list(got = h$record(as_frame(x)), wanted = as_frame(x)),
    typed = function(x) {
      way <- typed_way(x)
      if (is.null(way)) {
        return(NULL)
      }
      got <- h[[way[[1]]]](x)
      # Times come back with Go's units and time zone.
      if (is.null(way[[2]])) {
        seconds <- function(x) {
          as.vector(if (inherits(x, "difftime")) as.numeric(x, units = "secs") else as.numeric(as.POSIXct(x)))
        }
        return(list(got = seconds(got), wanted = seconds(x), close = TRUE))
      }
      list(got = got, wanted = way[[2]])
    }
  )
}

# The outcome for x: "identical", "as documented", "refused", "changed" or "failed".
corpus_outcome <- function(x, way) {
  result <- tryCatch(
    way(x),
    mangoro_error_invalid_argument = function(cnd) list(refused = conditionMessage(cnd)),
    error = function(cnd) list(failed = conditionMessage(cnd))
  )
  outcome <- if (is.null(result)) {
    "not tried"
  } else if (!is.null(result$refused)) {
    "refused"
  } else if (!is.null(result$failed)) {
    "failed"
  } else if (isTRUE(result$close)) {
    if (isTRUE(all.equal(result$got, result$wanted, tolerance = 1e-12))) "identical" else "changed"
  } else if (identical(result$got, result$wanted)) {
    "identical"
  } else if (identical(as_documented(result$got), as_documented(result$wanted))) {
    "as documented"
  } else {
    "changed"
  }
  list(outcome = outcome, message = result$refused %||% result$failed, result = result)
}
