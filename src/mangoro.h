// All of src/ on a page: R vectors to Arrow IPC streams and back; and what R lacks
// to live with other processes.
//
//   failure.c     what went wrong, on its way to R
//   class.c       the classes of R that have a place in the format
//   flatbuf.c     flatbuffers, written and read
//   utf8.c        UTF-8 and the bits of bitmaps
//   large.c       vectors of many pages
//   owner.c       who owns files, which has nothing to do with Arrow
//   zone.c        time zones: R's own, and fixed offsets
//   pointer.c     external pointers of other packages
//   init.c        what R may call
//
// Writing, from R values to a tree of nodes and from that to bytes:
//
//   plain.c       the arguments of most calls, which need no look at each
//   plan.c        single vectors: type, sizes, nothing copied yet
//   nested.c      lists, data frames, and with them any vector
//   record.c      records of columns, and of boxed values
//   attributes.c  what R knows and Arrow does not, as JSON
//   where.c       the place of what cannot be written
//   interface.c   nodes from the Arrow C data interface
//   write.c       the rows of the nodes into the body of a message
//   encode.c      the stream: schema, dictionaries, batches
//
// Reading, from bytes to checked columns and from those to R values:
//
//   schema.c      messages and fields
//   json.c        what attributes.c has written
//   batch.c       batches and dictionaries, checked against the fields
//   any.c         the types of Arrow that R has no vectors for
//   verify.c      streams that others than decode.c shall read
//   flat_values.c values of columns without children
//   values.c      values of any column
//   finish.c      their class and attributes
//   decode.c      records and rows
//
// Beside other processes:
//
//   log.c         what a server prints
//   lock.c        directories that are locked while this session lives
//   system.c      threads, pipes and locks of Unix and Windows
//
// Memory is R's own (R_alloc or protected), so that an error or interrupt of R
// may leave at any place. A failure of ours fills a `failure` and returns
// false or NULL all the way up to R code, which raises it.

#ifndef MANGORO_H
#define MANGORO_H

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>
#include <Rversion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef WORDS_BIGENDIAN
#error "mangoro writes and reads little-endian data in place"
#endif

#if defined(__GNUC__)
#define FORMAT(at, from) __attribute__((format(printf, at, from)))
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define FORMAT(at, from)
#define PREFETCH(p) ((void)0)
#endif

#if R_VERSION >= R_Version(4, 5, 0)
#define HAS_ATTRIBUTES(x) ANY_ATTRIB(x)
#else
#define HAS_ATTRIBUTES(x) (ATTRIB(x) != R_NilValue)
#endif

// As in Go's internal/arrowipc.
enum { MAX_DEPTH = 64, SHARE_FACTOR = 16 };
#define MAX_METADATA ((size_t)64 << 20)
#define MAX_UNBACKED INT32_MAX
// Bytes that a stream may have R make of nothing: so many for each of its own, and
// these. Rows of nulls, for one, take none in a stream.
#define UNBACKED_FLOOR ((int64_t)64 << 20)
enum { UNBACKED_FACTOR = 128 };
// Attributes beyond R's own: R looks through all of them for each.
enum { MAX_OTHERS = 4096 };
// Rows of anything that R can hold; a sum of two never overflows.
#define MAX_ROWS ((int64_t)1 << 52)

// Values of the Type union of the Arrow metadata.
enum arrow_type {
  ARROW_NULL = 1,
  ARROW_INT,
  ARROW_FLOAT,
  ARROW_BINARY,
  ARROW_UTF8,
  ARROW_BOOL,
  ARROW_DECIMAL,
  ARROW_DATE,
  ARROW_TIME,
  ARROW_TIMESTAMP,
  ARROW_INTERVAL,
  ARROW_LIST,
  ARROW_STRUCT,
  ARROW_UNION,
  ARROW_FIXED_BINARY,
  ARROW_FIXED_LIST,
  ARROW_MAP,
  ARROW_DURATION,
  ARROW_LARGE_BINARY,
  ARROW_LARGE_UTF8,
  ARROW_LARGE_LIST,
  ARROW_RUN_ENDS,
  ARROW_BINARY_VIEW,
  ARROW_UTF8_VIEW,
  ARROW_LIST_VIEW,
  ARROW_LARGE_LIST_VIEW
};

enum time_unit { SECOND, MILLI, MICRO, NANO };

const char *arrow_type_name(int type);

typedef struct {
  bool failed;
  char where[256]; // the argument or column, and the way into it
  double row;      // from 1; 0 if it is not about a row
  char text[512];
} failure;

// Both return false, so that a caller can return what they return. The first
// failure stays.
bool fail(failure *f, const char *format, ...) FORMAT(2, 3);
SEXP failure_value(const failure *f);
void fail_inside(failure *f, const char *name);
void add_text(char *to, size_t room, const char *format, ...) FORMAT(3, 4);

// Bytes that grow. `cell` is a protected list of one: their owner.
typedef struct {
  SEXP cell;
  uint8_t *data;
  size_t size, room;
} bytes;

bytes bytes_new(SEXP cell);
size_t bytes_add(bytes *b, const void *data, size_t n); // NULL: zeros
void bytes_text(bytes *b, const char *text);

// A flatbuffer is written front to back: a table first, with a slot for each
// field (of so many bytes; 0 for an absent one), then what its slots refer to.
size_t flat_table(bytes *b, int slots, const uint8_t sizes[]);
size_t flat_slot(const bytes *b, size_t table, int slot);
void flat_link(bytes *b, size_t slot, size_t target);
size_t flat_string(bytes *b, size_t slot, const char *text, size_t n);
size_t flat_vector(bytes *b, size_t slot, size_t n, size_t size);

// A flatbuffer that is read believes nothing. After the first failure all
// accessors return zeros.
typedef struct {
  const uint8_t *data;
  size_t size;
  int64_t tables; // how many more tables may be visited
  int64_t spent;  // how many more bytes
  uint8_t *mend;  // the data again, to make the sizes of tables true; NULL: leave them
  failure *failure;
} flat;

typedef struct {
  flat *flat; // NULL: absent
  size_t pos, size, vtable;
  int slots;
} table;

typedef struct {
  flat *flat;
  size_t pos, n, size;
} vector;

flat flat_new(const uint8_t *data, size_t size, failure *f);
table flat_root(flat *f);
int64_t table_int(table t, int slot, size_t size, int64_t otherwise);
table table_child(table t, int slot);
vector table_vector(table t, int slot, size_t size);
vector table_text(table t, int slot);
table vector_table(vector v, size_t i);

bool is_ascii(const uint8_t *p, size_t n);
bool is_utf8(const uint8_t *p, size_t n);
// Count of the unset among n bits from bit `from` on.
int64_t count_unset(const uint8_t *bits, int64_t from, int64_t n);
void copy_bits(uint8_t *to, const uint8_t *from, int64_t first, int64_t n);

static inline bool bit_at(const uint8_t *bits, int64_t i) { return bits[i / 8] >> (i % 8) & 1; }
static inline void clear_bit(uint8_t *bits, int64_t i) { bits[i / 8] = (uint8_t)(bits[i / 8] & ~(1u << (i % 8))); }
static inline void set_bit(uint8_t *bits, int64_t i) { bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8)); }
// R_IsNA(), inline.
static inline bool is_na_bits(uint64_t bits) { return (uint32_t)bits == 1954 && (bits >> 52 & 0x7FF) == 0x7FF; }
static inline bool is_na(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return is_na_bits(bits);
}
static inline int64_t bitmap_size(int64_t rows) { return rows / 8 + (rows % 8 != 0); }

// The values of a stream lie at any address.
#define LOADER(name, type)                    \
  static inline type name(const uint8_t *p) { \
    type v;                                   \
    memcpy(&v, p, sizeof v);                  \
    return v;                                 \
  }
LOADER(load_u16, uint16_t)
LOADER(load_i16, int16_t)
LOADER(load_u32, uint32_t)
LOADER(load_i32, int32_t)
LOADER(load_i64, int64_t)
LOADER(load_u64, uint64_t)
LOADER(load_f32, float)
LOADER(load_f64, double)
static inline void store_i32(uint8_t *p, int32_t v) { memcpy(p, &v, sizeof v); }
static inline void store_i64(uint8_t *p, int64_t v) { memcpy(p, &v, sizeof v); }
static inline void store_f64(uint8_t *p, double v) { memcpy(p, &v, sizeof v); }

enum r_class {
  CLASS_NONE,
  CLASS_DATE,
  CLASS_POSIXCT,
  CLASS_HMS,
  CLASS_DIFFTIME,
  CLASS_INTEGER64,
  CLASS_FACTOR,
  CLASS_ORDERED,
  CLASS_BLOB,
  CLASS_DATA_FRAME,
  CLASS_TBL_DF,
  CLASS_DATA_TABLE,
  // Not classes of R, but types that Arrow does not tell from others.
  CLASS_RAW,
  CLASS_COMPLEX,
  CLASS_LIST,
  CLASS_MATRIX,
  // Only on the way out: a list of named vectors, each a map, and one such vector.
  CLASS_MAPS,
  CLASS_MAP,
  CLASS_UNKNOWN
};

static inline bool is_frame_class(int class) { return class >= CLASS_DATA_FRAME && class <= CLASS_DATA_TABLE; }

static inline bool is_time_class(int class) { return class >= CLASS_DATE && class <= CLASS_DIFFTIME; }

static inline bool is_frame(SEXP x) { return Rf_inherits(x, "data.frame"); }

// A class of R, or the one of the above that it is derived from: CLASS_NONE if that
// is but a type.
typedef struct {
  int class;
  bool as_is;   // wrapped in I()
  bool derived; // it has further classes
} r_class;

r_class class_of(SEXP x);
// The same of the strings of a class attribute.
r_class class_among(SEXP strings);
void set_class(SEXP x, r_class class);
const char *class_name(int class);
// A value of r.class, such as "AsIs Date".
r_class class_from(const char *text, size_t n);

// Units of an int64 time in one second, minute, ... as R counts; 0 if unknown.
int64_t units_seconds(const char *units);
static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};

// A count of `per` units to a whole, as R's double and back. What came from a
// double by the one comes back by the other, or from_double() says no.
double to_double(int64_t count, int64_t per);
bool from_double(double x, int64_t per, int64_t *count);

// In what strings are that R has not marked: R would replace what is not valid there,
// and the bytes of UTF-8 are looked at here.
typedef enum { NATIVE_UNKNOWN, NATIVE_OTHER, NATIVE_UTF8 } native_encoding;

SEXP session_zone(void); // a CHARSXP, protected by the caller
bool is_local(SEXP tzone);
bool zone_offset(const char *zone, int *minutes);
SEXP zone_in_r(const char *zone); // likewise

typedef struct node node;
typedef void (*row_writer)(node *n, uint8_t *const to[]);

struct node {
  // The field.
  const char *name; // UTF-8
  int type;
  int32_t width; // bits of integers, floats, times and decimals; size of fixed ones
  int unit;      // of times; precision of decimals
  int32_t scale;
  bool is_signed, nullable, sorted;
  const char *zone;
  r_class class; // what r.class shall say
  const char *attributes;
  const char *metadata; // further pairs, as the C data interface has them
  const int32_t *codes; // type ids of a union
  node *dictionary;     // its values, if the rows are indices
  int64_t dictionary_id;
  bool ordered;
  int n_children;
  node **children;
  // The rows.
  int64_t rows, nulls;
  int n_buffers;
  int64_t size[3];
  row_writer write;
  // Where they come from: R vectors one after the other ...
  const SEXP *pieces;
  R_xlen_t n_pieces;
  int64_t per;
  native_encoding native;
  // ... or an array.
  const void *array;
  int64_t from;
};

node *node_new(int type, const char *name);
void *take(size_t n, size_t size); // zeroed, of R_alloc
SEXP new_vector(SEXPTYPE type, R_xlen_t n);

// The way to the pieces of a node, for messages: the elements of the lists
// `lists`, or else the part `name` or number `item` of each piece of `up`.
typedef struct where {
  const struct where *up;
  const char *name;
  R_xlen_t item;
  const SEXP *lists;
  R_xlen_t n_lists;
} where;

typedef struct {
  failure *failure;
  SEXP shelter;    // a protected list of one that holds a pairlist
  SEXP send_as;    // an R function: what an object of another class is sent as
  native_encoding native; // of strings that are not marked
} plan;

// Row `row` (from 1; 0: none) of a piece (from 0) cannot be written. Returns false.
bool fail_at(plan *p, const where *at, R_xlen_t piece, R_xlen_t row, const char *format, ...) FORMAT(5, 6);
node *plan_record(plan *p, SEXP x);
node *plan_row(plan *p, SEXP args);
bool plan_attributes(plan *p, const where *at, node *n, SEXP x, r_class class, bool names);
bool is_left_behind(const char *name, SEXP value, r_class class);
bool is_cache(const char *name, r_class class);
bool is_automatic(SEXP row_names);
SEXP attributes_of(SEXP x); // a list, protected by the caller
bool is_own_attribute(const char *name);
bool any_na(SEXP x);
bool any_twice(SEXP x);
bool are_row_names(SEXP x);
bool fits_series(SEXP x, SEXP tsp);
SEXP read_attributes(failure *f, const char *text);

// A string as UTF-8; false if it has none.
bool string_bytes(native_encoding native, SEXP s, const char **text, size_t *n);
enum { SEEN = 64 };
typedef struct {
  SEXP string;
  const char *text;
  size_t n;
} seen_string;
bool seen_bytes(seen_string *seen, native_encoding native, SEXP s, const char **text, size_t *n);

void write_bools(node *n, uint8_t *const to[]);
void write_ints(node *n, uint8_t *const to[]);
void write_doubles(node *n, uint8_t *const to[]);
void write_ints_as_doubles(node *n, uint8_t *const to[]);
void write_strings(node *n, uint8_t *const to[]);
void write_codes(node *n, uint8_t *const to[]);
void write_dates(node *n, uint8_t *const to[]);
void write_times(node *n, uint8_t *const to[]);
void write_int64s(node *n, uint8_t *const to[]);
void write_raws(node *n, uint8_t *const to[]);
void write_complex(node *n, uint8_t *const to[]);
void write_parts(node *n, uint8_t *const to[]);
void write_binaries(node *n, uint8_t *const to[]);
void write_lists(node *n, uint8_t *const to[]);
void write_row(node *n, uint8_t *const to[]);
R_xlen_t piece_rows(SEXP x);

typedef struct dictionary dictionary;
typedef struct column column;

enum layout {
  LAYOUT_NULL,
  LAYOUT_BITS,
  LAYOUT_FIXED,  // values of `width` bytes
  LAYOUT_BINARY, // offsets of `width` bytes, data
  LAYOUT_LIST,   // offsets of `width` bytes, a child
  LAYOUT_FIXED_LIST,
  LAYOUT_STRUCT,
  LAYOUT_INDEX, // indices of `width` bytes into a dictionary
  // Of types that R has no vectors for.
  LAYOUT_VIEW,
  LAYOUT_LIST_VIEW, // offsets and sizes of `width` bytes, a child
  LAYOUT_SPARSE,
  LAYOUT_DENSE,
  LAYOUT_RUN_ENDS
};

typedef struct field {
  SEXP name; // a CHARSXP, protected
  int type, layout;
  int64_t width;
  int unit;
  int32_t scale;
  bool is_signed;
  const char *zone;
  r_class class;
  SEXP attributes; // of read_attributes(), or NULL; protected
  int n_children;
  struct field **children;
  dictionary *dictionary;
  bool ordered;
  bool fractional; // date64: not all are whole days
  int8_t *codes;   // unions: the child of each type id, or -1
} field;

// The values of a dictionary, in parts: the first, deltas, and what came to
// replace them.
struct dictionary {
  int64_t id;
  field *value;
  int64_t base;  // of the part that indices count from now
  int64_t limit; // of indices now
  int64_t total;
  bool known;
  column *first, *last;
  SEXP values; // decoded once; NULL before
  SEXP codes;  // of levels, if some are there twice: positions among the unique ones
  dictionary *next;
};

struct column {
  int64_t rows, nulls;
  const uint8_t *valid; // NULL without nulls
  const uint8_t *values, *data;
  int64_t data_size;
  int64_t base, limit; // of a dictionary's indices
  column **children;
  column *next; // of the same field in the next batch
};

typedef struct {
  failure *failure;
  SEXP shelter;   // a growing list of what must be protected
  bool any;       // take all of Arrow's types, and leave alone what is R's
  int64_t version;
  bool int64_as_double;
  field **fields;
  int n_fields;
  r_class class;
  SEXP attributes;
  dictionary *dictionaries;
  column **columns, **last; // by field
  int64_t rows;
  int64_t unbacked; // what may still be made of nothing, in bytes
} stream;

bool read_stream(stream *s, const uint8_t *data, size_t size);
bool read_schema(stream *s, table t);
bool read_batch(stream *s, table t, const uint8_t *body, int64_t size);
bool read_dictionary(stream *s, table t, const uint8_t *body, int64_t size);
SEXP decode_stream(const uint8_t *data, size_t size, bool row, bool int64_as_double, int64_t unbacked);
void shelter(stream *s, SEXP x);
int64_t index_at(const uint8_t *values, int64_t i, int64_t width, bool is_signed);

SEXP encode_record(SEXP x, SEXP header, SEXP native, SEXP send_as);
SEXP encode_row(SEXP args, SEXP header, SEXP native, SEXP send_as);
SEXP encode_arrow(SEXP stream, SEXP header);
SEXP decode_record(SEXP bytes, SEXP ahead);
SEXP decode_row(SEXP bytes, SEXP ahead);
SEXP verified(SEXP bytes, SEXP ahead);
bool verify_stream(uint8_t *data, size_t size, failure *f);
SEXP encode_plain(SEXP args, SEXP types, SEXP names, SEXP header, SEXP native);
SEXP log_open(void);
SEXP log_lines(SEXP pointer, SEXP which, SEXP lines);
SEXP log_crash(SEXP pointer);
SEXP log_close(SEXP pointer);
void stop_logs(void);
SEXP lock_make(SEXP path);
SEXP lock_is_free(SEXP path);
SEXP lock_release(SEXP pointer);
SEXP file_owners(SEXP paths);
SEXP write_tree(node *root, node *const batches[], R_xlen_t n, SEXP header, failure *f);

SEXP clear_pointer(SEXP pointer);

#endif
