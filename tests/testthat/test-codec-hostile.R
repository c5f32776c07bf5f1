# Streams with one thing broken, each refused with what it is. Every case patches
# a good stream at a place that is found through its flatbuffers.

# --- a reader of flatbuffers, as small as they allow; positions count from 0 ---

u16 <- function(bytes, at) sum(as.integer(bytes[at + 1:2]) * 256^(0:1))
u32 <- function(bytes, at) sum(as.integer(bytes[at + 1:4]) * 256^(0:3))

# Where the metadata and body of each message are.
messages <- function(bytes) {
  found <- list()
  at <- 0
  while (u32(bytes, at + 4) > 0) {
    meta <- at + 8
    body <- meta + u32(bytes, at + 4)
    message <- follow(bytes, meta)
    size <- u32(bytes, slot(bytes, message, 3))
    found[[length(found) + 1]] <- list(frame = at, meta = meta, body = body, table = message)
    at <- body + size
  }
  found
}

follow <- function(bytes, at) at + u32(bytes, at)

# The place of a field of a table.
slot <- function(bytes, table, i) {
  vtable <- table - u32(bytes, table)
  table + u16(bytes, vtable + 4 + 2 * i)
}

# The place of the slot of a vtable.
vtable_slot <- function(bytes, table, i) table - u32(bytes, table) + 4 + 2 * i

child <- function(bytes, table, i) follow(bytes, slot(bytes, table, i))
element <- function(bytes, vector, i) follow(bytes, vector + 4 + 4 * i)
header <- function(bytes, i) child(bytes, messages(bytes)[[i]]$table, 2)
field <- function(bytes, i = 0) element(bytes, child(bytes, header(bytes, 1), 1), i)
batch <- function(bytes) header(bytes, length(messages(bytes)))
node <- function(bytes, i = 0) child(bytes, batch(bytes), 1) + 4 + 16 * i
buffer <- function(bytes, i) child(bytes, batch(bytes), 2) + 4 + 16 * i
body <- function(bytes, i = length(messages(bytes))) messages(bytes)[[i]]$body

put <- function(bytes, at, value, size) {
  bytes[at + seq_len(size)] <- as.raw(value %/% 256^(seq_len(size) - 1) %% 256)
  bytes
}

# --- the cases: what is broken, in which stream, and what is said of it ---

numbers <- function() encode_record(list(x = c(1, NA, 3)))
ints <- function() encode_record(list(x = 1:4))
strings <- function() encode_record(list(s = c("ab", "\u00e9", NA)))
lists <- function() encode_record(list(l = list(1:2, 3L)))
factors <- function() encode_record(list(f = factor(c("a", "b"))))

# A double whose r.attributes are `json`, which is no longer than a long name is.
with_attributes <- function(json) {
  label <- strrep("z", 400)
  bytes <- encode_record(list(x = structure(1, label = label)))
  text <- sprintf('{"other":{"label":{"type":"character","value":["%s"]}}}', label)
  at <- find(bytes, charToRaw(text))
  put_text(bytes, at, paste0(json, strrep(" ", nchar(text) - nchar(json))))
}

find <- function(bytes, what) {
  starts <- which(bytes == what[[1]])
  starts <- starts[starts + length(what) - 1 <= length(bytes)]
  starts[vapply(starts, function(at) identical(bytes[at + seq_along(what) - 1], what), NA)][[1]] - 1
}

put_text <- function(bytes, at, text) {
  bytes[at + seq_len(nchar(text, "bytes"))] <- charToRaw(text)
  bytes
}

with_class <- function(class) {
  bytes <- encode_record(list(x = I(c(1, 2)))) # r.class: AsIs
  at <- find(bytes, charToRaw("AsIs"))
  put_text(bytes, at, class)
}

cases <- function() {
  n <- numbers()
  i <- ints()
  s <- strings()
  l <- lists()
  f <- factors()
  first <- messages(n)[[1]]
  list(
    empty = list(raw(), "no schema"),
    only_an_end = list(as.raw(c(255, 255, 255, 255, 0, 0, 0, 0)), "no schema"),
    text = list(charToRaw("HTTP/1.1 400 Bad Request"), "claims .* bytes of metadata"),
    cut_in_a_frame = list(n[1:6], "ends inside a message"),
    cut_in_the_metadata = list(n[1:60], "claims .* bytes of metadata"),
    cut_in_the_body = list(n[seq_len(body(n) + 8)], "body of"),
    bytes_after_the_end = list(c(n, raw(8)), "8 bytes follow"),
    metadata_length = list(put(n, 4, 2^31 - 1, 4), "claims"),
    body_length = list(put(n, slot(n, messages(n)[[2]]$table, 3), 2^40, 8), "body of"),
    body_length_negative = list(put(n, slot(n, messages(n)[[2]]$table, 3), -8, 8), "body of"),
    two_schemas = list(c(n[seq_len(first$body)], n), "first message"),
    no_schema = list(n[-seq_len(first$body)], "first message"),
    version = list(put(n, slot(n, first$table, 0), 2, 2), "metadata version 3"),
    header_type = list(put(n, slot(n, messages(n)[[2]]$table, 1), 4, 1), "messages of type 4"),
    header_absent = list(put(n, vtable_slot(n, first$table, 2), 0, 2), "no header"),
    root_offset = list(put(n, first$meta, 2^31, 4), "leaves the metadata"),
    root_offset_zero = list(put(n, first$meta, 0, 4), "leaves the metadata"),
    vtable_offset = list(put(n, first$table, 2^20, 4), "misplaced"),
    vtable_length = list(put(n, vtable_slot(n, first$table, 0) - 4, 3, 2), "no size"),
    table_size = list(put(n, vtable_slot(n, first$table, 0) - 2, 60000, 2), "has no"),
    slot_misaligned = list(put(n, vtable_slot(n, first$table, 3), 9, 2), "misplaced"),
    slot_outside = list(put(n, vtable_slot(n, first$table, 3), 4000, 2), "misplaced"),
    vector_length = list(put(n, child(n, header(n, 1), 1), 2^30, 4), "vector claims"),
    big_endian = list(put(n, slot(n, header(n, 1), 0), 1, 2), "big-endian"),
    name_not_utf8 = list(put(n, child(n, field(n), 0) + 4, 255, 1), "not UTF-8"),
    name_with_nul = list(put(n, child(n, field(n), 0) + 4, 0, 1), "not UTF-8"),
    name_not_terminated = list(put(n, child(n, field(n), 0), 2, 4), "not terminated"),
    type_absent = list(put(n, vtable_slot(n, field(n), 3), 0, 2), "no type"),
    type_unknown = list(put(n, slot(n, field(n), 2), 27, 1), "type unknown"),
    type_union = list(put(n, slot(n, field(n), 2), 14, 1), "type union"),
    type_run_ends = list(put(n, slot(n, field(n), 2), 22, 1), "type run-end encoded"),
    type_list_view = list(put(n, slot(n, field(n), 2), 25, 1), "type list view"),
    type_list_without_child = list(put(n, slot(n, field(n), 2), 12, 1), "cannot have 0 children"),
    type_with_child = list(put(l, slot(l, field(l), 2), 2, 1), "integers of|cannot have 1 children"),
    int_width = list(put(i, slot(i, child(i, field(i), 3), 0), 12, 4), "integers of 12 bits"),
    float_precision = list(put(n, slot(n, child(n, field(n), 3), 0), 3, 2), "precision"),
    batch_rows = list(put(n, slot(n, batch(n), 0), 4, 8), "its batch has 4"),
    batch_rows_negative = list(put(n, slot(n, batch(n), 0), -1, 8), "claims -1 rows"),
    node_rows = list(put(i, node(i), 5, 8), "too small"),
    node_rows_negative = list(put(n, node(n), -1, 8), "claims -1 rows"),
    node_rows_huge = list(put(n, node(n), 2^62, 8), "claims"),
    node_nulls = list(put(n, node(n) + 8, 2, 8), "claims 2 nulls"),
    node_nulls_above = list(put(n, node(n) + 8, 4, 8), "and 4 nulls"),
    nodes_missing = list(put(n, child(n, batch(n), 1), 0, 4), "only 0 nodes"),
    buffers_missing = list(put(n, child(n, batch(n), 2), 1, 4), "only 1 buffers"),
    buffer_offset = list(put(n, buffer(n, 1), 2^40, 8), "leaves the body"),
    buffer_offset_negative = list(put(n, buffer(n, 1), -8, 8), "leaves the body"),
    buffer_misaligned = list(put(n, buffer(n, 0), 1, 8), "misaligned"),
    buffer_length = list(put(n, buffer(n, 1) + 8, 2^62, 8), "leaves the body"),
    buffer_short = list(put(n, buffer(n, 1) + 8, 16, 8), "too small"),
    bitmap_short = list(put(n, buffer(n, 0) + 8, 0, 8), "too small"),
    offset_negative = list(put(s, body(s) + 8, -1, 4), "first offset is -1"),
    offset_falls = list(put(s, body(s) + 12, 9, 4), "falls"),
    offset_outside = list(put(s, body(s) + 20, 400, 4), "offsets reach 400"),
    offsets_short = list(put(s, buffer(s, 1) + 8, 12, 8), "too small for the offsets"),
    string_not_utf8 = list(put(s, body(s) + 24, 255, 1), "row 1.*not UTF-8"),
    string_with_nul = list(put(s, body(s) + 24, 0, 1), "row 1.*zero byte"),
    string_splits_a_character = list(put(s, body(s) + 12, 3, 4), "row 1.*not UTF-8"),
    string_splits_before_null = list(
      put(put(put(s, body(s) + 12, 3, 4), body(s), 1, 1), node(s) + 8, 2, 8), "row 1.*not UTF-8"
    ),
    list_outside = list(put(l, body(l) + 8, 4, 4), "offsets reach 4|falls"),
    index_outside = list(put(f, body(f) + 8, 2, 4), "index 2 is outside"),
    index_negative = list(put(f, body(f) + 8, -1, 4), "index -1 is outside"),
    dictionary_missing = list(
      f[-(messages(f)[[2]]$frame + seq_len(messages(f)[[3]]$frame - messages(f)[[2]]$frame))], "is missing"
    ),
    dictionary_unknown = list(put(f, slot(f, header(f, 2), 0), 9, 8), "no column uses dictionary 9"),
    class_unknown = list(with_class("NoNo"), "r.class is not known"),
    class_of_another_type = list(with_class("blob"), "does not match the type float"),
    attributes_no_json = list(with_attributes("{nothing"), "not JSON"),
    attributes_no_object = list(with_attributes("[1, 2]"), "not a JSON object"),
    attributes_unknown = list(with_attributes('{"srcref": 1}'), "not known"),
    names_too_many = list(with_attributes('{"names": ["a", "b"]}'), "2 names for 1"),
    names_of_a_type = list(with_attributes('{"names": [1]}'), "another type"),
    dim_product = list(with_attributes('{"dim": [2, 2]}'), "dim .* 4 elements"),
    dim_negative = list(with_attributes('{"dim": [-1, -1]}'), "another type"),
    dim_fraction = list(with_attributes('{"dim": [0.5, 2]}'), "another type"),
    dim_huge = list(with_attributes('{"dim": [1e10]}'), "another type"),
    dim_overflow = list(with_attributes('{"dim": [65536, 65536, 65536, 65536]}'), "elements"),
    dimnames_without_dim = list(with_attributes('{"dimnames": [["a"]]}'), "do not fit"),
    dimnames_too_long = list(with_attributes('{"dim": [1], "dimnames": [["a", "b"]]}'), "do not fit"),
    row_names_of_a_vector = list(with_attributes('{"row_names": ["a"]}'), "row names"),
    storage = list(with_attributes('{"storage": "list"}'), "another type"),
    units = list(with_attributes('{"units": "years"}'), "another type"),
    tzone = list(with_attributes('{"tzone": [1]}'), "another type"),
    other_special = list(
      with_attributes('{"other": {"class": {"type": "character", "value": ["lm"]}}}'), "cannot be among"
    ),
    other_type = list(with_attributes('{"other": {"x": {"type": "closure", "value": [1]}}}'), "another type"),
    other_value = list(with_attributes('{"other": {"x": {"type": "logical", "value": ["a"]}}}'), "another type"),
    other_shape = list(with_attributes('{"other": {"x": [1]}}'), "no value"),
    other_name = list(with_attributes('{"other": {"": {"type": "logical", "value": []}}}'), "cannot be among"),
    other_text = list(with_attributes('{"other": {"x": {"type": "double", "value": ["one"]}}}'), "another type"),
    other_fraction = list(with_attributes('{"other": {"x": {"type": "integer", "value": [1.5]}}}'), "another type"),
    other_large = list(
      with_attributes('{"other": {"x": {"type": "integer", "value": [-2147483648]}}}'), "another type"
    ),
    other_twice = list(
      with_attributes('{"other": {"x": {"type": "logical", "value": []}, "x": {"type": "logical", "value": []}}}'),
      "appears twice"
    ),
    names_twice = list(with_attributes('{"names": ["a"], "names": ["a"]}'), "appears twice"),
    names_one = list(with_attributes('{"names": "a"}'), "another type"),
    names_nested = list(with_attributes('{"names": [["a"]]}'), "another type"),
    names_not_apart = list(with_attributes('{"names": ["a" "b"]}'), "not JSON"),
    names_not_closed = list(with_attributes('{"names": ["a"'), "not JSON|another type"),
    string_not_closed = list(with_attributes('{"names": ["a'), "not JSON"),
    escape_unknown = list(with_attributes('{"names": ["\\x"]}'), "not JSON"),
    escape_of_nul = list(with_attributes('{"names": ["\\u0000"]}'), "not JSON"),
    surrogate_alone = list(with_attributes('{"names": ["\\ud800"]}'), "not JSON"),
    more_behind = list(with_attributes('{"names": ["a"]} {}'), "not JSON"),
    dimnames_flat = list(with_attributes('{"dim": [1], "dimnames": ["a"]}'), "another type"),
    dimnames_names_alone = list(with_attributes('{"dimnames_names": []}'), "do not fit"),
    dim_names = list(with_attributes('{"dim": [1], "dim_names": ["a", "b"]}'), "do not fit"),
    dim_names_alone = list(with_attributes('{"dim_names": []}'), "do not fit"),
    dimnames_names = list(with_attributes('{"dimnames_names": ["a"]}'), "do not fit"),
    row_names_twice = list(with_attributes('{"row_names": ["a", "a"]}'), "another type")
  )
}

test_that("each broken stream is refused with what is broken", {
  broken <- cases()
  for (name in names(broken)) {
    cnd <- expect_error(decode_record(broken[[!!name]][[1]]), class = "mangoro_error_protocol")
    text <- gsub("\\s+", " ", conditionMessage(cnd))
    expect_match(text, broken[[name]][[2]], info = name)
  }
})

test_that("the streams that the cases break are good ones", {
  expect_identical(decode_record(numbers()), list(x = c(1, NA, 3)))
  expect_identical(decode_record(strings()), list(s = c("ab", "\u00e9", NA)))
  expect_identical(decode_record(with_attributes('{"names": ["a"]}')), list(x = c(a = 1)))
  labelled <- with_attributes('{"dim": [1], "dimnames": [["a"]]}')
  expect_identical(decode_record(labelled), list(x = array(1, 1, list("a"))))
})

test_that("attributes are read as JSON says them, however it is written", {
  read <- function(json) attributes(decode_record(with_attributes(json))$x)
  expect_identical(
    read(paste(
      ' { "other" : { "a" : { "value" : [ 1 , null, -2e1 ], "type" : "integer" } } ,',
      '"names" : [ "\\u0041\\ud83e\\udd51\\/" ] } '
    )),
    list(names = "A\U1F951/", a = c(1L, NA, -20L))
  )
  expect_identical(
    read('{"other":{"d":{"type":"double","value":["NA","NaN","-Inf","0x1.8p1",0.5,"1e-3",null]}}}'),
    list(d = c(NA, NaN, -Inf, 3, 0.5, 0.001, NA))
  )
  expect_identical(read('{"other":{"l":{"type":"logical","value":[]}}}'), list(l = logical()))
})

test_that("every stream that ends too early is refused", {
  bytes <- encode_record(data.frame(x = c(1, NA), s = c("a", "b"), f = factor(c("u", "v"))))
  ends <- vapply(messages(bytes), function(m) m$frame, 0)
  for (size in setdiff(seq(1, length(bytes) - 9, by = 7), ends)) {
    expect_error(decode_record(bytes[seq_len(size)]), class = "mangoro_error_protocol")
  }
})

test_that("a claim of rows makes no memory", {
  null <- encode_record(list(a = NULL, b = 1L))
  null <- put(null, slot(null, batch(null), 0), 2^31, 8)
  null <- put(null, node(null, 0), 2^31, 8)
  expect_error(decode_record(null), "without bytes", class = "mangoro_error_protocol")
  nothing <- encode_record(data.frame(row.names = 1:3))
  nothing <- put(nothing, slot(nothing, batch(nothing), 0), 2^31, 8)
  expect_error(decode_record(nothing), "claims", class = "mangoro_error_protocol")
})

test_that("a row is one row", {
  expect_error(decode_row(numbers()), "3 rows", class = "mangoro_error_protocol")
  expect_error(decode_row(encode_record(data.frame(x = double()))), "0 rows", class = "mangoro_error_protocol")
})
