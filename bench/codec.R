# The codec, compared with nanoarrow and with R's own serialization: encodes and
# decodes the same data in one run. Usage: Rscript bench/codec.R [runs]
#
# nanoarrow's strings are lazy; they are materialized, as by a program that uses them.

library(mangoro)

runs <- as.integer(c(commandArgs(trailingOnly = TRUE), 7)[[1]])

mixed_frame <- function(n) {
  data.frame(
    i = sample.int(n),
    d = c(stats::rnorm(n - 1), NA),
    s = sample(c("alpha", "beta", "gamma", NA), n, TRUE),
    f = factor(sample(c("u", "v", "w"), n, TRUE)),
    day = as.Date("2024-01-01") + sample.int(1000, n, TRUE),
    time = as.POSIXct("2024-01-01", tz = "UTC") + stats::runif(n) * 1e7,
    l = sample(c(TRUE, FALSE, NA), n, TRUE)
  )
}

set.seed(1)
data <- list(
  "5e6 doubles" = data.frame(x = stats::rnorm(5e6)),
  "1e6 distinct strings" = data.frame(s = paste0("string number ", sample.int(1e6))),
  "mixed frame, 1e6 rows" = mixed_frame(1e6)
)

codec <- function(x) mangoro:::decode_record(mangoro:::encode_record(x))

nanoarrow_trip <- function(x) {
  factors <- vapply(x, is.factor, NA)
  x[factors] <- lapply(x[factors], as.character)
  con <- rawConnection(raw(), "wb")
  on.exit(close(con))
  nanoarrow::write_nanoarrow(x, con)
  out <- as.data.frame(nanoarrow::read_nanoarrow(rawConnectionValue(con)))
  for (column in out) if (is.character(column)) nanoarrow:::nanoarrow_altrep_force_materialize(column)
  out
}

serialize_trip <- function(x) unserialize(serialize(x, NULL, xdr = FALSE))

seconds <- function(f, x) {
  gc()
  system.time(f(x), gcFirst = FALSE)[["elapsed"]]
}

# The rounds alternate, so that a slow moment of the machine affects all of them.
measure <- function(x) {
  trips <- list(codec = codec, nanoarrow = nanoarrow_trip, serialize = serialize_trip)
  times <- replicate(runs, vapply(trips, seconds, 0, x = x))
  apply(times, 1, stats::median)
}

rows <- lapply(names(data), function(name) {
  ms <- 1000 * measure(data[[name]])
  data.frame(
    data = name,
    codec_ms = ms[["codec"]],
    nanoarrow_ms = ms[["nanoarrow"]],
    serialize_ms = ms[["serialize"]],
    of_nanoarrow = round(ms[["codec"]] / ms[["nanoarrow"]], 2),
    of_serialize = round(ms[["codec"]] / ms[["serialize"]], 2)
  )
})
print(do.call(rbind, rows), row.names = FALSE)
