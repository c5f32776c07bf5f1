# Calls and results by reference: their values lie in segments. That Go sees the same is in
# test-call.R.

test_that("every type of vector comes back the same", {
  skip_without_segments()
  types <- vector_types()
  for (name in names(types)) {
    expect_same(trip_row_by_reference(types[name]), types[name], info = name)
  }
  frames <- frame_types()
  for (name in names(frames)) expect_same(trip_row_by_reference(frames[name]), frames[name], info = name)
  values <- value_types()
  for (name in names(values)) expect_same(trip_row_by_reference(values[name]), values[name], info = name)
  expect_same(trip_row_by_reference(list(all = c(types, frames, values))), list(all = c(types, frames, values)))
})

large_columns <- function(n = 40000) {
  is_missing <- seq_len(n) %% 7 == 0
  with_na <- function(x) {
    x[is_missing] <- NA
    x
  }
  whole <- seq_len(n)
  list(
    double = with_na(whole + 0.5), nan = replace(whole / 3, 1:3, c(NaN, Inf, NA)), integer = with_na(whole),
    logical = with_na(whole %% 2 == 0), string = with_na(as.character(whole)), raw = as.raw(whole %% 256),
    complex = with_na(complex(real = whole, imaginary = -whole)),
    factor = factor(with_na(c("a", "b", "\u00e9")[whole %% 3 + 1])),
    date = with_na(as.Date("2020-01-01") + whole %% 1000), date_int = structure(with_na(whole), class = "Date"),
    date_half = with_na(as.Date("2020-01-01") + whole / 2),
    time = with_na(as.POSIXct("2020-01-01", tz = "UTC") + whole),
    difftime = with_na(as.difftime(whole + 0, units = "mins")),
    integer64 = structure(replace(whole * 5e-324, is_missing, NA), class = "integer64")
  )
}

test_that("large columns come back the same, and are views where R has them as Arrow does", {
  skip_without_segments()
  columns <- large_columns()
  # The NA of an integer64 is not that of a double.
  columns$integer64[seq(7, 40000, 7)] <- structure(-0, class = "integer64")
  record <- trip_by_reference(as.data.frame(columns))
  expect_same(record, as.data.frame(columns))
  expect_same(trip_row_by_reference(columns), columns)
  is_view <- vapply(record, function(x) .Call(c_view_is_untouched, x), NA)
  views <- c("double", "nan", "integer", "complex", "date_int", "date_half", "integer64")
  expect_setequal(names(record)[is_view], views)
  none <- lapply(columns, function(x) x[0])
  expect_same(trip_row_by_reference(none), none)
})
