// Package arrowipc turns the bytes of an Arrow IPC stream that came from
// somebody else into Arrow records, safely.
//
// arrow-go trusts its input: a length in the metadata that lies makes it ask
// for more memory than there is, which ends the process and cannot be
// recovered. So [Verify] walks all messages first and checks each table, vector
// and length against the bytes that are there, and each batch against the
// schema. What is left, the values inside the bodies, arrow-go itself checks
// for each record, and a panic on the way is an error.
//
// Refused by name, as R does not write them: compressed bodies, big-endian
// data, unions, run-end encoding and the view layouts.
//
// The formats are those of Arrow's Schema.fbs and Message.fbs, and of the
// section "Encapsulated message format" of the Arrow columnar format.
package arrowipc
