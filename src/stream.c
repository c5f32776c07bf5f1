// Reads the messages of a stream.

#include "read.h"

// The body of a message, of which `left` bytes follow the metadata.
static bool find_body(mg_stream *s, const uint8_t *data, size_t left, int64_t size, mg_body *body) {
  if (s->segment != NULL) left = (size_t)(s->starts[s->n_parts] - s->at);
  if (size < 0 || (uint64_t)size > left) {
    return mg_fail(s->failure, "a message claims a body of %.0f bytes, but %.0f are left", (double)size, (double)left);
  }
  *body = (mg_body){data, 0, size};
  if (s->segment == NULL) return true;
  if (size % 8 != 0) return mg_fail(s->failure, "a body of %.0f bytes does not end at a multiple of 8", (double)size);
  *body = (mg_body){NULL, s->at, size};
  s->at += (uint64_t)size;
  return true;
}

// Its size without the body, if that is not in parts, is `metadata`.
static bool read_message(mg_stream *s, const uint8_t *data, size_t metadata, size_t left, mg_body *body, bool first) {
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
  if (!find_body(s, data + metadata, left, size, body)) return false;
  if (!mg_read_pairs(s, mg_table_vector(t, 4, 4), NULL, NULL)) return false;
  if (first) s->version = version;
  if (version != s->version) return mg_fail(s->failure, "the messages are of different metadata versions");
  if ((kind == HEADER_SCHEMA) != first) return mg_fail(s->failure, "the first message, and no other, must be a schema");
  switch (kind) {
  case HEADER_SCHEMA: return mg_read_schema(s, header) && !s->failure->failed;
  case HEADER_DICTIONARY: return mg_read_dictionary(s, header, *body);
  case HEADER_RECORDS: return mg_read_batch(s, header, *body);
  default: return mg_fail(s->failure, "messages of type %.0f are not supported", (double)kind);
  }
}

static void lay_out_parts(mg_stream *s, mg_input in) {
  s->segment = in.segment;
  s->no_nan = in.no_nan;
  s->copied = in.copied;
  s->parts = in.parts;
  s->n_parts = in.n_parts;
  s->starts = mg_alloc(in.n_parts + 1, sizeof *s->starts);
  for (size_t i = 0; i < in.n_parts; i++) s->starts[i + 1] = s->starts[i] + (in.parts[i].size + 7) / 8 * 8;
  s->unbacked += (int64_t)s->starts[in.n_parts] * UNBACKED_FACTOR;
}

// A message has a continuation marker (none before Arrow 0.15) and the length of
// its metadata; 0 ends the stream. The end may be missing between messages.
bool mg_read_stream(mg_stream *s, mg_input in) {
  const uint8_t *data = in.data;
  size_t size = in.size, at = 0;
  mg_keep(s->shelter, in.owner);
  s->unbacked += (int64_t)size * UNBACKED_FACTOR;
  if (in.segment != NULL) lay_out_parts(s, in);
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
    mg_body body;
    if (!read_message(s, data + at, length, size - at - length, &body, first)) return false;
    at += length + (body.data == NULL ? 0 : (size_t)body.size);
    first = false;
  }
  if (first) return mg_fail(s->failure, "it has no schema");
  if (at < size) return mg_fail(s->failure, "%.0f bytes follow its end", (double)(size - at));
  return s->segment == NULL || s->at == s->starts[s->n_parts] ||
         mg_fail(s->failure, "its bodies have %.0f bytes, but its parts %.0f", (double)s->at,
                 (double)s->starts[s->n_parts]);
}
