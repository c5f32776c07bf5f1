# Runs the sanitized codec: every type of the table with the collector at work
# all the time, and then broken streams by the million.
# Rscript run.R <root> <library> <streams in all> <first seed>

arguments <- commandArgs(trailingOnly = TRUE)
root <- arguments[[1]]
total <- as.numeric(arguments[[3]])
seed <- as.numeric(arguments[[4]])

source(file.path(root, "tests/testthat/helper-types.R"))
source(file.path(root, "tests/testthat/helper-corpus.R"))
codec <- dyn.load(arguments[[2]])
entry <- function(name) getNativeSymbolInfo(name, codec)
encode_record <- entry("mg_c_encode_record")
encode_row <- entry("mg_c_encode_row")
decode_record <- entry("mg_c_decode_record")
decode_row <- entry("mg_c_decode_row")
mutate <- entry("mutate")

vectors <- vector_types()
vectors <- vectors[lengths(vectors) < 200]
frames <- frame_types()[setdiff(names(frame_types()), "altrep")]
crossing <- Filter(function(x) is.raw(try(mangoro:::encode_row(list(x = x)), silent = TRUE)), class_types())
# What R itself makes anew is not made here.
values <- c(value_types(), crossing[vapply(crossing, function(x) identical(x, as_documented(x)), NA)])

as_record <- function(x) .Call(encode_record, x, raw(), TRUE, NULL, NULL)
as_row <- function(x) .Call(encode_row, x, raw(), TRUE, NULL, NULL)
from_record <- function(bytes) .Call(decode_record, bytes, 0, NULL)
from_row <- function(bytes) .Call(decode_row, bytes, 0, NULL)

records <- c(lapply(seq_along(vectors), function(i) vectors[i]), frames)
rows <- lapply(c(seq_along(vectors), length(vectors) + seq_along(values)), function(i) c(vectors, values)[i])
map <- as_row(list(m = mangoro:::as_map(c(a = 1, b = NA))))
streams <- c(lapply(records, as_record), lapply(rows, as_row), list(as_row(c(vectors, values)), map))
is_row <- seq_along(streams) > length(records)

message("The collector at every fourth allocation, over ", length(records) + length(rows), " values")
torture <- function(x, to, from) {
  gctorture2(4)
  bytes <- to(x)
  got <- from(bytes)
  gctorture2(0)
  stopifnot(identical(got, x), identical(serialized(got), serialized(x)))
}
for (x in records) torture(x, as_record, from_record)
for (x in rows) torture(x, as_row, from_row)

rounds <- 10
counts <- c(accepted = 0, refused = 0, raised = 0)
for (i in seq_len(rounds)) {
  counts <- counts + .Call(mutate, streams, is_row, ceiling(total / rounds), seed + i - 1)
  message(sprintf("seed %g: %s", seed + i - 1, paste(names(counts), format(counts, big.mark = ","), collapse = ", ")))
}
message(sprintf("%s broken streams of %d, no complaint", format(sum(counts), big.mark = ","), length(streams)))
