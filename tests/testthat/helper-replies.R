# Thousands of broken replies, and every R function that reads a reply. The readers run
# in a separate session: if R crashes, the reply that caused it is known.
# tools/fuzz-replies runs millions of them.

# --- broken replies ---

# Replies of the server go/types.go and of other servers: results of all types,
# manifests, errors.
reply_samples <- function(types, ...) {
  call_of <- function(server, name) ask(server$sock, envelope_header("call", name))
  names <- decode_record(call_of(types, "names"), 9)$name
  frames <- frame_types()[setdiff(names(frame_types()), "altrep")]
  vectors <- Filter(function(x) length(x) < 200, vector_types())
  rows <- list(vectors, value_types(), list(x = frames))
  result <- envelope_header("result")
  others <- lapply(list(...), function(server) {
    manifest <- ask(server$sock, mangoro_rpc_manifest_request())
    c(list(manifest, manifest), lapply(c("panic", "fail", "nope", "mixed"), call_of, server = server))
  })
  c(
    rep(unlist(others, recursive = FALSE), 4),
    lapply(c(names, "batches", "replaced"), call_of, server = types),
    lapply(frames, encode_record, header = result),
    lapply(vectors, function(x) encode_record(list(x = x), result)),
    lapply(rows, encode_row, header = result),
    rep(list(encode_record(data.frame(status = "ok", message = "running"), result)), 5),
    rep(talk_samples(), 3),
    list(raw(9))
  )
}

# What a call that lives may be answered before its result.
talk_samples <- function() {
  events <- paste0(
    "{\"events\":[{\"kind\":\"progress\",\"done\":3,\"total\":10,\"label\":\"rows\"},",
    "{\"kind\":\"warning\",\"text\":\"careful\"},{\"kind\":\"dropped\",\"warnings\":7}]%s}"
  )
  list(
    envelope_header("event", "h", sprintf(events, "")),
    envelope_header("question", "h", sprintf(events, ",\"target\":1")),
    encode_row(list(x = 1), envelope_header("question", "h", "{\"target\":0}")),
    encode_record(list(x = 1:3), envelope_header("part", "h", sprintf(events, ""))),
    envelope_header("part", "h"),
    envelope_header("result", "h", sprintf(events, "")),
    c(envelope_header("error", "h", "no"), charToRaw(sprintf(events, ",\"code\":\"handler\"")))
  )
}

all_reply_samples <- function(frame = rlang::current_env()) {
  sources <- c("types", "server", "typed", "dynamic")
  servers <- lapply(sources, function(name) local_server(test_source(name), env = frame))
  do.call(reply_samples, servers)
}

# The number of bytes before the payload of a valid reply.
payload_start <- function(reply) {
  name <- read_length(reply[2:5])
  9 + name + read_length(reply[5 + name + 1:4])
}

le <- function(bytes, at, size) sum(as.integer(bytes[at + seq_len(size)]) * 256^(seq_len(size) - 1))

put_le <- function(bytes, at, value, size) {
  value <- value %% 256^min(size, 6)
  bytes[at + seq_len(size)] <- as.raw(value %/% 256^(seq_len(size) - 1) %% 256)
  bytes
}

# The frames of the messages of a stream: the positions of their start, metadata, body
# and end. Positions count from 0.
frames_of <- function(reply) {
  at <- payload_start(reply)
  found <- list()
  while (at + 8 < length(reply) && le(reply, at, 4) == 2^32 - 1) {
    size <- le(reply, at + 4, 4)
    if (size < 16 || at + 8 + size > length(reply)) break
    body <- body_size(reply[at + 8 + seq_len(size)])
    found[[length(found) + 1]] <- c(from = at, meta = at + 8, body = at + 8 + size, to = at + 8 + size + body)
    at <- at + 8 + size + body
  }
  found
}

body_size <- function(meta) {
  table <- le(meta, 0, 4)
  vtable <- table - le(meta, table, 4)
  offset <- if (le(meta, vtable, 2) > 10) le(meta, vtable + 10, 2) else 0
  if (offset == 0) 0 else le(meta, table + offset, 8)
}

# Finds what looks like a table in the metadata from `from` to `to`: the positions of the
# entries of its vtable, and of its fields.
spots_of <- function(reply, from, to) {
  bytes <- as.integer(reply[from + seq_len(to - from)])
  n <- length(bytes)
  u16 <- c(bytes[-n] + 256 * bytes[-1], 0)
  entries <- fields <- numeric()
  for (table in seq(0, n - 4, by = 4)) {
    vtable <- table - (u16[table + 1] + 65536 * u16[table + 3])
    if (vtable < 4 || vtable %% 2 != 0 || vtable > table - 4 && vtable < table) next
    if (vtable + 4 > n) next
    length <- u16[vtable + 1]
    size <- u16[vtable + 2 + 1]
    if (length < 4 || length > 40 || length %% 2 != 0 || size < 4 || size > 64 || vtable + length > n) next
    slots <- vtable + seq(0, length - 2, by = 2)
    entries <- c(entries, slots)
    inside <- u16[slots[-(1:2)] + 1]
    fields <- c(fields, table + inside[inside > 0], table)
  }
  list(entries = from + entries, fields = from + fields)
}

# Analyses a valid reply before it is broken.
study <- function(reply) {
  frames <- frames_of(reply)
  spots <- lapply(frames, function(f) spots_of(reply, f[["meta"]], f[["body"]]))
  list(
    bytes = reply, start = payload_start(reply), frames = frames,
    entries = unlist(lapply(spots, `[[`, "entries")), fields = unlist(lapply(spots, `[[`, "fields")),
    meta = unlist(lapply(frames, function(f) seq(f[["meta"]], f[["body"]] - 1)))
  )
}

any_of <- function(x) x[[sample.int(length(x), 1)]]

odd_numbers <- c(
  0:5, 7, 8, 16, 63:65, 127, 128, 255, 256, 2^15, 2^16 - 1, 2^20, 2^24, 2^27, 2^31 - 1, 2^31, 2^32 - 1, 2^40, 2^47,
  -1, -8
)

json_words <- c(
  "null", "{}", "[]", "[[]]", "\"NA\"", "1e999", "-1", "true", "\"\\u0000\"", "\"\\ud800\"", "[null,1,\"a\"]",
  "{\"a\":{}}",
  "\"http://localhost:1/\"", "0.5", "\"\"", "1e10", "[", "]", "{", "}", ",", "\""
)

change <- function(bytes, known, samples) {
  n <- length(bytes)
  if (n == 0) {
    return(raw(9))
  }
  pick <- sample.int(12, 1)
  if (length(known$entries) == 0 && pick %in% 4:8) pick <- 12
  # The position may have been cut off before.
  within <- function(at, size) if (at + size <= n) at else max(0, n - size)
  switch(pick,
    { # any byte, mostly in the metadata
      at <- within(if (length(known$meta) > 0 && stats::runif(1) < 0.7) any_of(known$meta) else sample.int(n, 1) - 1, 1)
      bytes[[at + 1]] <- as.raw(sample.int(256, 1) - 1)
      bytes
    },
    { # any bit
      at <- within(sample.int(n, 1) - 1, 1)
      bytes[[at + 1]] <- xor(bytes[[at + 1]], as.raw(2^(sample.int(8, 1) - 1)))
      bytes
    },
    utils::head(bytes, sample.int(n, 1)),
    if (n >= 9) put_le(bytes, within(any_of(known$entries), 2), 0, 2) else bytes,
    if (n >= 9) put_le(bytes, within(any_of(known$entries), 2), any_of(c(4:24, 60, 4000, 65535)), 2) else bytes,
    if (n >= 9) put_le(bytes, within(any_of(known$fields), 4), any_of(odd_numbers), 4) else bytes,
    if (n >= 9) put_le(bytes, within(any_of(known$fields), 8), any_of(odd_numbers), 8) else bytes,
    { # any eight bytes of the metadata, which include lengths
      at <- within(any_of(known$meta) %/% 4 * 4 + known$start %% 4, 8)
      if (n >= 9) put_le(bytes, at, any_of(odd_numbers), any_of(c(4, 8))) else bytes
    },
    exchange(bytes, known, samples),
    if (n >= 9) put_le(bytes, sample.int(9, 1) - 1, any_of(c(0:5, 255)), 1) else bytes,
    c(bytes, as.raw(sample.int(256, any_of(c(1, 4, 8, 24)), TRUE) - 1)),
    { # a piece of JSON instead of some bytes
      at <- sample.int(n, 1)
      c(utils::head(bytes, at), charToRaw(any_of(json_words)), utils::tail(bytes, max(0, n - at - any_of(0:12))))
    }
  )
}

# Repeats a message, leaves it out, or puts another one before, after or in place of it.
exchange <- function(bytes, known, samples) {
  if (length(known$frames) == 0 || length(bytes) != length(known$bytes)) {
    return(bytes)
  }
  here <- any_of(known$frames)
  other <- any_of(samples)
  if (length(other$frames) == 0) {
    return(bytes)
  }
  there <- any_of(other$frames)
  message <- other$bytes[there[["from"]] + seq_len(there[["to"]] - there[["from"]])]
  before <- utils::head(bytes, here[["from"]])
  own <- bytes[here[["from"]] + seq_len(here[["to"]] - here[["from"]])]
  after <- utils::tail(bytes, length(bytes) - here[["to"]])
  switch(sample.int(4, 1),
    c(before, message, after), c(before, own, own, after), c(before, after), c(before, own, message, after)
  )
}

broken_reply <- function(samples) {
  known <- any_of(samples)
  bytes <- known$bytes
  for (i in seq_len(any_of(c(1, 1, 1, 2, 2, 3, 5)))) bytes <- change(bytes, known, samples)
  bytes
}

# --- readers ---

# Functions of mangoro that read a reply. Nothing is sent: the reply is already there.
reply_readers <- function() {
  sock <- structure(list(), class = "nanoSocket")
  signature <- function(boxed) {
    type <- list(Type = "float64", Nullable = TRUE)
    list(Args = list(list(Name = "x", Type = type)), ReturnType = type, Vectorized = !boxed, Boxed = boxed)
  }
  living <- c(signature(TRUE), list(Lives = TRUE))
  signatures <- list(
    f = new_signature(signature(FALSE), "f"), g = new_signature(signature(TRUE), "g"), h = new_signature(living, "h")
  )
  known <- list(sock = sock, state = new_state())
  known$state$signatures <- signatures
  list(
    parse = function() mangoro_rpc_parse_response(the_reply$bytes),
    rpc_call = function() {
      stream <- mangoro_rpc_call(sock, "f", data.frame(x = 1))
      nanoarrow_values(stream)
    },
    manifest = function() mangoro_rpc_get_manifest(sock),
    http = function() mangoro_http_status(sock),
    call = function() call_function(known, "f", list(1), 60, NULL),
    call_boxed = function() call_function(known, "g", list(1), 60, NULL),
    exchange = function() {
      line <- note_request(new_line(), known, 0, "h", 60, NULL)
      line$targets <- new_targets()
      add_target(line$targets, "function", identity, NULL)
      add_target(line$targets, "source", identity, NULL)
      exchange_step(line, known, the_reply$bytes, known$state$signatures$h, NULL)
    },
    signatures = function() {
      found <- fetch_signatures(list(sock = sock, state = new_state()), 60, NULL)
      lapply(found, function(signature) format(make_function(list(), signature)))
    }
  )
}

the_reply <- new.env()

# Converts a stream that was accepted with nanoarrow. An error about an unknown type is
# fine; an error about memory is our fault.
nanoarrow_values <- function(stream) {
  tryCatch(as.data.frame(stream), error = function(cnd) {
    if (grepl("memory|allocate", conditionMessage(cnd))) stop(cnd)
  })
}

# Like abort_mangoro(), but a hundred times faster.
abort_at_once <- function(code, message, ...) {
  stop(structure(
    class = c(paste0("mangoro_error_", code), "mangoro_error", "error", "condition"),
    list(message = message[[1]], call = NULL)
  ))
}

# Has all readers read `count` broken replies. Each reply is written to `file` before it
# is read. Returns all errors that are not mangoro conditions, with their replies.
read_broken_replies <- function(samples, seed, count, file) {
  samples <- lapply(samples, study)
  readers <- reply_readers()
  found <- list()
  raised <- rlang::set_names(numeric(length(readers)), names(readers))
  testthat::local_mocked_bindings(
    connection_of = function(sock, call) list(sock = sock, state = new_state()),
    attach_lane = function(connection, call) NULL,
    take_line = function(connection, call) list(id = "0"),
    release_line = function(line, connection) NULL,
    roundtrip = function(...) the_reply$bytes,
    write_stream = function(...) raw(),
    call_message = function(...) list(bytes = raw()),
    .package = "mangoro"
  )
  slow <- abort_mangoro
  testthat::local_mocked_bindings(
    abort_mangoro = function(..., .envir = parent.frame()) {
      if (the_reply$slow) slow(..., .envir = .envir) else abort_at_once(...)
    },
    .package = "mangoro"
  )
  i <- 0
  for (i in seq_len(count)) {
    set.seed(seed + i)
    the_reply$bytes <- broken_reply(samples)
    the_reply$slow <- i %% 2000 == 1
    writeBin(the_reply$bytes, file)
    for (name in names(readers)) {
      cnd <- tryCatch({
        suppressWarnings(readers[[name]]())
        NULL
      }, error = identity)
      if (inherits(cnd, "mangoro_error")) {
        raised[[name]] <- raised[[name]] + 1
      } else if (!is.null(cnd)) {
        found[[length(found) + 1]] <- list(
          reader = name, reply = the_reply$bytes, message = conditionMessage(cnd), seed = seed + i
        )
      }
    }
    if (length(found) >= 20) break
  }
  list(found = found, raised = raised, read = i)
}

# The same in a separate session. `status` is its exit status, and `reply` the last
# reply: the one that made R crash, or that took it more than a minute.
read_in_session <- function(samples, seed, count) {
  dir <- withr::local_tempdir()
  given <- file.path(dir, "samples.rds")
  result <- file.path(dir, "result.rds")
  last <- file.path(dir, "reply")
  saveRDS(samples, given)
  session <- other_session(
    c(
      "env <- new.env(parent = asNamespace('mangoro'))",
      sprintf("sys.source('%s', env)", test_path("helper-replies.R")),
      sprintf("out <- env$read_broken_replies(readRDS('%s'), %.0f, %.0f, '%s')", given, seed, count, last),
      sprintf("saveRDS(out, '%s')", result)
    ),
    R_MAX_VSIZE = "2Gb"
  )
  before <- NA
  while (session$is_alive()) {
    session$wait(60000)
    now <- file.mtime(last)
    if (session$is_alive() && identical(now, before)) session$kill()
    before <- now
  }
  status <- session$get_exit_status()
  if (status != 0) {
    reply <- if (file.exists(last)) readBin(last, "raw", file.size(last)) else raw()
    return(list(status = status, reply = reply, output = session$read_all_output_lines(), found = list(), raised = 0))
  }
  c(list(status = status), readRDS(result))
}
