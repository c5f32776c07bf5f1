// Reads the messages of a stream.

#include "read.h"

static bool read_message(mg_stream *s, const uint8_t *data, size_t metadata, size_t left, size_t *body, bool first) {
  mg_flat f = mg_flat_new(data, metadata, s->failure);
  if (s->verify_only) f.mend = (uint8_t *)(uintptr_t)data;
  mg_table t = mg_flat_root(&f);
  int64_t version = mg_table_int(t, 0, 2, 0), kind = mg_table_int(t, 1, 1, 0), size = mg_table_int(t, 3, 8, 0);
  mg_table header = mg_table_child(t, 2);
  if (s->failure->failed) return false;
  if (header.flat == NULL) return mg_fail(s->failure, "a message has no header");
  if (version != VERSION_4 && version != VERSION_5) {
    return mg_fail(s->failure, "metadata version %.0f is not supported", (double)version + 1);
  }
  if (size < 0 || (uint64_t)size > left) {
    return mg_fail(s->failure, "a message claims a body of %.0f bytes, but %.0f are left", (double)size, (double)left);
  }
  if (!mg_read_pairs(s, mg_table_vector(t, 4, 4), NULL, NULL)) return false;
  if (first) s->version = version;
  if (version != s->version) return mg_fail(s->failure, "the messages are of different metadata versions");
  if ((kind == HEADER_SCHEMA) != first) return mg_fail(s->failure, "the first message, and no other, must be a schema");
  *body = (size_t)size;
  const uint8_t *at = data + metadata;
  switch (kind) {
  case HEADER_SCHEMA: return mg_read_schema(s, header) && !s->failure->failed;
  case HEADER_DICTIONARY: return mg_read_dictionary(s, header, at, size);
  case HEADER_RECORDS: return mg_read_batch(s, header, at, size);
  default: return mg_fail(s->failure, "messages of type %.0f are not supported", (double)kind);
  }
}

// A message has a continuation marker (none before Arrow 0.15) and the length of
// its metadata; 0 ends the stream. The end may be missing between messages.
bool mg_read_stream(mg_stream *s, mg_input in) {
  const uint8_t *data = in.data;
  size_t size = in.size, at = 0;
  mg_keep(s->shelter, in.owner);
  s->unbacked += (int64_t)size * UNBACKED_FACTOR;
  bool first = true;
  while (at < size) {
    size_t marker = size - at >= 4 && load_u32(data + at) == UINT32_MAX ? 4 : 0;
    if (size - at < marker + 4) return mg_fail(s->failure, "it ends inside a message");
    uint32_t length = load_u32(data + at + marker);
    at += marker + 4;
    if (length == 0) break;
    if (length < 4 || length > MAX_METADATA || length > size - at) {
      return mg_fail(s->failure, "a message claims %.0f bytes of metadata, but %.0f are left", (double)length,
                     (double)(size - at));
    }
    size_t body = 0;
    if (!read_message(s, data + at, length, size - at - length, &body, first)) return false;
    at += length + body;
    first = false;
  }
  if (first) return mg_fail(s->failure, "it has no schema");
  return at == size || mg_fail(s->failure, "%.0f bytes follow its end", (double)(size - at));
}
