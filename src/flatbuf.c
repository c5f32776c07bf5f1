// Flatbuffers: a writer that goes forward, and a reader that checks.

#include "arrow.h"
#include "bits.h"
#include "flatbuf.h"

mg_bytes mg_bytes_new(SEXP cell) { return (mg_bytes){.cell = cell}; }

mg_bytes mg_bytes_at(uint8_t *data, size_t room) { return (mg_bytes){.data = data, .room = room}; }

static void bytes_grow(mg_bytes *b, size_t n) {
  if (n > (size_t)INT32_MAX || b->size > (size_t)INT32_MAX) Rf_error("metadata of more than 4 GiB");
  size_t need = b->size + n;
  if (need <= b->room) return;
  if (b->cell == NULL) Rf_error("metadata has become longer");
  size_t room = need < 512 ? 1024 : 2 * need;
  SEXP grown = Rf_allocVector(RAWSXP, (R_xlen_t)room);
  if (b->size > 0) memcpy(RAW(grown), b->data, b->size);
  SET_VECTOR_ELT(b->cell, 0, grown);
  b->data = RAW(grown);
  b->room = room;
}

size_t mg_bytes_add(mg_bytes *b, const void *data, size_t n) {
  bytes_grow(b, n);
  size_t at = b->size;
  if (n > 0) {
    if (data == NULL) {
      memset(b->data + at, 0, n);
    } else {
      memcpy(b->data + at, data, n);
    }
  }
  b->size += n;
  return at;
}

void mg_bytes_text(mg_bytes *b, const char *text) { mg_bytes_add(b, text, strlen(text)); }

static void bytes_align(mg_bytes *b, size_t to, size_t ahead) {
  while ((b->size + ahead) % to != 0) mg_bytes_add(b, NULL, 1);
}

// The vtable stands before its table, which is aligned for the largest slot.
size_t mg_put_table(mg_bytes *b, int slots, const uint8_t sizes[]) {
  uint16_t vtable[2 + 16] = {0};
  size_t at = 4;
  for (int i = 0; i < slots; i++) {
    if (sizes[i] == 0) continue;
    at = (at + sizes[i] - 1) / sizes[i] * sizes[i];
    vtable[2 + i] = (uint16_t)at;
    at += sizes[i];
  }
  size_t length = 4 + 2 * (size_t)slots;
  vtable[0] = (uint16_t)length;
  vtable[1] = (uint16_t)at;
  bytes_align(b, 8, length);
  size_t from = mg_bytes_add(b, vtable, length);
  size_t table = mg_bytes_add(b, NULL, at);
  store_i32(b->data + table, (int32_t)(table - from));
  return table;
}

size_t mg_slot(const mg_bytes *b, size_t table, int slot) {
  size_t vtable = table - (size_t)load_i32(b->data + table);
  return table + load_u16(b->data + vtable + 4 + 2 * (size_t)slot);
}

void mg_put_link(mg_bytes *b, size_t slot, size_t target) { store_i32(b->data + slot, (int32_t)(target - slot)); }

void mg_put_string(mg_bytes *b, size_t slot, const char *text, size_t n) {
  size_t at = mg_put_vector(b, slot, 0, 1);
  mg_bytes_add(b, text, n);
  mg_bytes_add(b, NULL, 1);
  store_i32(b->data + at - 4, (int32_t)n);
}

// n zeroed elements; returns where the first is.
size_t mg_put_vector(mg_bytes *b, size_t slot, size_t n, size_t size) {
  bytes_align(b, size < 8 ? 4 : 8, 4);
  size_t at = mg_bytes_add(b, NULL, 4);
  store_i32(b->data + at, (int32_t)n);
  mg_put_link(b, slot, at);
  if (n > 0) mg_bytes_add(b, NULL, n * size);
  return at + 4;
}

mg_flat mg_flat_new(const uint8_t *data, size_t size, mg_failure *f) {
  return (mg_flat){
      .data = data,
      .size = size,
      .tables = (int64_t)(size / 8 + 64),
      .left = (int64_t)size * SHARE_FACTOR + (64 << 10),
      .failure = f,
  };
}

static bool spend(mg_flat *f, size_t n) {
  f->left -= (int64_t)n;
  if (f->left < 0) mg_fail(f->failure, "the metadata refers to its own bytes too often");
  return !f->failure->failed;
}

// Checks that n elements of a size follow pos.
static bool has_span(mg_flat *f, size_t pos, size_t n, size_t size) {
  if (!f->failure->failed && (pos > f->size || n > (f->size - pos) / size)) {
    mg_fail(f->failure, "the metadata of %.0f bytes has no %.0f x %.0f bytes at %.0f", (double)f->size, (double)n,
            (double)size, (double)pos);
  }
  return !f->failure->failed;
}

// Where the offset at pos leads; false if it leaves the metadata. Offsets are relative
// and unsigned, so that a chain of them always moves on.
static bool follow(mg_flat *f, size_t *pos) {
  uint32_t offset = load_u32(f->data + *pos);
  if (offset < 4 || offset > f->size - *pos) {
    return mg_fail(f->failure, "the offset %.0f at %.0f leaves the metadata of %.0f bytes", (double)offset,
                   (double)*pos, (double)f->size);
  }
  *pos += offset;
  return true;
}

static bool open_table(mg_flat *f, size_t pos, mg_table *t) {
  if (!has_span(f, pos, 1, 4)) return false;
  if (--f->tables < 0) return mg_fail(f->failure, "the metadata has too many tables");
  int64_t vtable = (int64_t)pos - load_i32(f->data + pos);
  if (pos % 4 != 0 || vtable < 0 || vtable % 2 != 0 || vtable > (int64_t)f->size) {
    return mg_fail(f->failure, "the table at %.0f of the metadata is misplaced", (double)pos);
  }
  *t = (mg_table){.flat = f, .pos = pos, .vtable = (size_t)vtable};
  if (!has_span(f, t->vtable, 1, 4)) return false;
  size_t length = load_u16(f->data + t->vtable);
  t->size = load_u16(f->data + t->vtable + 2);
  if (length < 4 || length % 2 != 0 || t->size < 4) {
    return mg_fail(f->failure, "the table at %.0f of the metadata has no size", (double)pos);
  }
  t->slots = (int)(length / 2 - 2);
  return has_span(f, t->vtable, length, 1) && has_span(f, pos, t->size, 1) && spend(f, t->size);
}

// The table that the offset at pos leads to; none after a failure.
static mg_table table_behind(mg_flat *f, size_t pos) {
  mg_table t;
  return follow(f, &pos) && open_table(f, pos, &t) ? t : (mg_table){0};
}

mg_table mg_flat_root(mg_flat *f) { return has_span(f, 0, 1, 4) ? table_behind(f, 0) : (mg_table){0}; }

// Where a slot's value of `size` bytes is; 0 if it is absent. It may lie beyond the
// size of its table: the flatbuffers of Go let tables share a vtable if their fields
// begin at the same places, and with it the size of the first of them, though the
// last field of another one may be longer. Strict readers refuse that.
static size_t table_at(mg_table t, int slot, size_t size) {
  if (t.flat == NULL || t.flat->failure->failed || slot >= t.slots) return 0;
  size_t offset = load_u16(t.flat->data + t.vtable + 4 + 2 * (size_t)slot);
  if (offset == 0) return 0;
  size_t end = offset + size;
  if (offset < 4 || (t.pos + offset) % size != 0 || t.pos + end > t.flat->size) {
    mg_fail(t.flat->failure, "field %d of the table at %.0f of the metadata is misplaced", slot, (double)t.pos);
    return 0;
  }
  uint8_t *mend = t.flat->mend;
  if (mend != NULL && end > load_u16(mend + t.vtable + 2) && end <= UINT16_MAX) {
    uint16_t long_enough = (uint16_t)end;
    memcpy(mend + t.vtable + 2, &long_enough, sizeof long_enough);
  }
  return t.pos + offset;
}

int64_t mg_table_int(mg_table t, int slot, size_t size, int64_t otherwise) {
  size_t at = table_at(t, slot, size);
  if (at == 0) return otherwise;
  const uint8_t *p = t.flat->data + at;
  switch (size) {
  case 1: return *p;
  case 2: return load_i16(p);
  case 4: return load_i32(p);
  default: return load_i64(p);
  }
}

mg_table mg_table_child(mg_table t, int slot) {
  size_t at = table_at(t, slot, 4);
  return at == 0 ? (mg_table){0} : table_behind(t.flat, at);
}

static bool open_vector(mg_flat *f, size_t pos, size_t size, mg_vector *v) {
  if (!follow(f, &pos) || !has_span(f, pos, 1, 4)) return false;
  size_t n = load_u32(f->data + pos);
  if (n > (f->size - pos - 4) / size) {
    return mg_fail(f->failure, "a vector claims %.0f elements of %.0f bytes in metadata of %.0f bytes", (double)n,
                   (double)size, (double)f->size);
  }
  if (pos % 4 != 0 || (n > 0 && (pos + 4) % (size < 8 ? size : 8) != 0)) {
    return mg_fail(f->failure, "a vector of the metadata is misaligned");
  }
  *v = (mg_vector){.flat = f, .pos = pos + 4, .n = n, .size = size};
  return spend(f, n * size);
}

mg_vector mg_table_vector(mg_table t, int slot, size_t size) {
  mg_vector v;
  size_t at = table_at(t, slot, 4);
  return at != 0 && open_vector(t.flat, at, size, &v) ? v : (mg_vector){0};
}

// A string; it is not checked for UTF-8 here.
mg_vector mg_table_text(mg_table t, int slot) {
  mg_vector v = mg_table_vector(t, slot, 1);
  if (v.flat == NULL || (v.pos + v.n < v.flat->size && v.flat->data[v.pos + v.n] == 0)) return v;
  mg_fail(v.flat->failure, "a string of the metadata is not terminated");
  return (mg_vector){0};
}

mg_table mg_vector_table(mg_vector v, size_t i) {
  bool usable = v.flat != NULL && !v.flat->failure->failed;
  return usable ? table_behind(v.flat, v.pos + 4 * i) : (mg_table){0};
}
