// Package arrowipc turns the bytes of an Arrow IPC stream that came from
// another process into arrow-go records without trusting a single byte of them.
//
// arrow-go believes what a stream says about itself. A vector length in the
// metadata, or a body length, becomes an allocation of that size, and a Go
// process that asks for more memory than there is ends: no recover helps. So
// nothing reaches arrow-go here before it has been verified: every table,
// vector and string of the metadata lies inside it, the batches fit the schema,
// their buffers lie inside the body and are large enough, and every value that
// steers a later memory access (validity, offsets, sizes, views, type ids, run
// ends, dictionary indices) has been looked at. Strings are valid UTF-8.
//
// Columns of plain types are then assembled from the verified buffers, which takes less
// time than arrow-go's reader does; [Schemas] remembers schemas that have been read.
// [Writer] writes records, those of plain columns without arrow-go.
//
// # What is accepted
//
// Streams as arrow-go reads them: metadata version 4 or 5, little endian, one
// schema first, then dictionaries and record batches; messages with the
// continuation marker or, as written before Arrow 0.15, without. The end of
// stream marker may be missing at a message boundary. Bytes after the marker are
// an error, because they would be lost silently. A null count of -1 means "not
// counted", as in the C data interface; it is counted here.
//
// # What is refused
//
// Each with an error that names it:
//   - compressed bodies, which may claim any size once decompressed;
//   - big endian data, which arrow-go swaps in the caller's memory;
//   - tensors;
//   - unions and run-end encoded data in version 4 metadata, which have a
//     validity bitmap there;
//   - dictionaries whose values are dictionaries, unions or run-end encoded, that
//     columns of different or nested types share, or whose id is negative;
//   - fixed-size binary of width 0 and fixed-size lists of size 0, which arrow-go
//     cannot hold, and decimals whose scale is beyond their greatest precision,
//     which it cannot print;
//   - more than 64 levels of nesting, metadata above 64 MiB, metadata that
//     refers to the same bytes over and over, buffers that share bytes more than
//     sixteenfold, dictionaries that grow out of proportion to the stream, and
//     rows without bytes to back them (null, struct, run-end encoded, no columns
//     at all) beyond 2^31-1.
//
// Every other type of the format passes, extension types included.
//
// # What the caller still has to bear in mind
//
// A small stream can be a large table: a null column has 2^31 rows in no bytes, and run
// ends, dictionaries and views repeat long values. All of that is legal and costs nothing
// here. Code that expands it must set a limit of its own.
package arrowipc
