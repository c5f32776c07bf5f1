// Package lane is the server's end of a lane: shared memory through which R sends small
// calls, and the columns of large ones, without a socket.
package lane

// The layout of a lane, of native integers. R's end, src/lane.h, has the same.
const (
	Version = 1

	// Written once by R, before it is attached.
	magicAt   = 0 // 8 bytes
	tokenAt   = 8
	tokenSize = 16
	settledAt = 24 // version, mailbox bytes, ring slots, bytes of a slot

	// Written by R.
	rEvents         = 64 // the server sleeps on it
	request         = 68
	requestSize     = 72
	chunksWritten   = 76
	givenUp         = 80
	offerFD         = 84
	offerGeneration = 88
	rCPU            = 92 // the processor that it has run on
	rSleeps         = 128

	// Written by the server.
	goEvents   = 192 // R sleeps on it
	reply      = 196
	replySize  = 200
	chunksRead = 204
	closed     = 208 // the server reads it no more
	server     = 212 // its process
	goCPU      = 216 // the processor that it has run on
	goSleeps   = 256

	mailboxSize = 65536
	requestBox  = 4096
	replyBox    = requestBox + mailboxSize
	ringSlots   = 8
	slotSize    = 65 * 4096
	ringHeader  = 64
	ringRows    = 8192
	ringAt      = replyBox + mailboxSize
	Size        = ringAt + ringSlots*slotSize

	replyInOffer = 1 << 31
)

const magic = "mgolane1"
