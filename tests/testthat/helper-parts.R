# Messages by reference without a server: this session plays both ends, and opens its
# segments in /proc as Go does.

call_header_of <- function(name = "f") envelope_header("call", name)

# The message of a call by reference. What is added makes it large enough to be one.
row_by_reference <- function(args, offer = 2^16) {
  encode_row(c(args, list(added = raw(2^16))), call_header_of(), offer = offer)
}

record_by_reference <- function(x, offer = 2^16) encode_record(x, call_header_of(), offer = offer)

# The header of the parts of a message, and what is before and after it.
read_parts <- function(bytes) {
  start <- payload_start(bytes)
  n <- le(bytes, start + 8, 4)
  part <- function(i) {
    at <- start + 16 + 24 * (i - 1)
    list(
      fd = le(bytes, at, 4), generation = le(bytes, at + 4, 4), offset = le(bytes, at + 8, 8),
      size = le(bytes, at + 16, 8)
    )
  }
  list(
    offer = list(fd = le(bytes, start, 4), generation = le(bytes, start + 4, 4)),
    parts = lapply(seq_len(n), part), start = start, stream = bytes[-seq_len(start + 16 + 24 * n)]
  )
}

little <- function(x, size) as.raw(x %/% 256^(seq_len(size) - 1) %% 256)

part_bytes <- function(part) {
  c(little(part$fd, 4), little(part$generation, 4), little(part$offset, 8), little(part$size, 8))
}

# A result by reference, of parts and a stream.
result_by_reference <- function(parts, stream, name = "f") {
  header <- envelope_header("result", name)
  header[[1]] <- as.raw(message_types[["refer_result"]])
  c(header, little(2^32 - 1, 4), raw(4), little(length(parts), 4), raw(4), unlist(lapply(parts, part_bytes)), stream)
}

file_of_segment <- function(segment) file.path("/proc/self/fd", segment$fd)

read_from_segment <- function(part) {
  con <- file(file_of_segment(part), "rb")
  on.exit(close(con))
  seek(con, part$offset)
  readBin(con, "raw", part$size)
}

write_to_segment <- function(segment, offset, bytes) {
  con <- file(file_of_segment(segment), "r+b")
  on.exit(close(con))
  seek(con, offset, rw = "write")
  writeBin(bytes, con)
}

# What a server would answer that returns its arguments: `change` may replace the bytes of
# its parts, a list.
echo <- function(message, change = identity) {
  said <- read_parts(message$bytes)
  bodies <- change(lapply(said$parts, read_from_segment))
  at <- 0
  parts <- lapply(bodies, function(bytes) {
    write_to_segment(said$offer, at, bytes)
    part <- c(said$offer, offset = at, size = length(bytes))
    at <<- (at + length(bytes) + 63) %/% 64 * 64
    part
  })
  result_by_reference(parts, said$stream)
}

# What comes back, as the caller gets it.
read_echo <- function(message, decode, reply = echo(message)) {
  on.exit(.Call(c_segments_end, message$segments, FALSE))
  decode(reply, envelope_header("result", "f"), segments = message$segments)
}

trip_by_reference <- function(x) read_echo(record_by_reference(x), decode_record)

trip_row_by_reference <- function(args) {
  values <- read_echo(row_by_reference(args), decode_row)
  values[names(values) != "added"]
}

# The messages of a stream without bodies.
split_stream <- function(stream) {
  found <- list()
  while (length(stream) > 0) {
    size <- 8 + le(stream, 4, 4)
    found <- c(found, list(stream[seq_len(size)]))
    stream <- stream[-seq_len(size)]
  }
  found
}

# How many bytes are before the first place of `what`.
find_bytes <- function(bytes, what) {
  at <- which(bytes == what[[1]])
  at <- at[at + length(what) - 1 <= length(bytes)]
  for (i in seq_along(what)) at <- at[bytes[at + i - 1] == what[[i]]]
  at[[1]] - 1
}
