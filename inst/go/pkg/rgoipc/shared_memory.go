package rgoipc

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"mangoro.local/internal/lane"
	"mangoro.local/internal/segment"
)

// sharesMemory tells whether a server at this URL offers shared memory to R.
func sharesMemory(url string) bool {
	return segment.Supported() && strings.HasPrefix(url, "ipc://") && os.Getenv("MANGORO_SHARED_MEMORY") != "0"
}

// attached is the shared memory of a connection, once R has attached a lane.
type attached struct {
	mu    sync.Mutex // protects what follows
	lane  *lane.Lane
	table *segment.Table
	gone  bool // the connection has ended
}

// attachment is the request that attaches a lane, as JSON.
type attachment struct {
	Version int    `json:"version"`
	PID     int    `json:"pid"` // of R
	FD      uint32 `json:"fd"`  // of the lane's segment, there
	Size    int64  `json:"size"`
	Token   string `json:"token"` // that lies in it, in hexadecimal
}

// attach opens the lane of a request, and answers what comes over it.
func (c *connection) attach(request []byte) error {
	var a attachment
	if err := json.Unmarshal(request, &a); err != nil {
		return errorf(CodeProtocol, "the request to attach a lane is not valid: %w", err)
	}
	token, err := hex.DecodeString(a.Token)
	if err != nil || a.Version != lane.Version || a.PID <= 0 {
		return errorf(CodeProtocol, "a lane of version %d of process %d with the token %q cannot be attached", a.Version, a.PID, a.Token)
	}
	s := &c.attached
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lane != nil || s.gone {
		return errorf(CodeProtocol, "the connection has a lane already, or has ended")
	}
	if s.lane, err = lane.Open(a.PID, a.FD, a.Size, token); err != nil {
		return &Error{Code: CodeProtocol, Err: err}
	}
	s.table = segment.NewTable(a.PID, &c.lapsed)
	go s.lane.Serve(c.answerMail)
	return nil
}

// segments returns the segments of R, or an error if it has attached none.
func (s *attached) segments() (*segment.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table == nil {
		return nil, errorf(CodeProtocol, "the connection has no shared memory")
	}
	return s.table, nil
}

// offered returns the segment that R offers for a result, or nil if it offers none. The
// caller releases it.
func (s *attached) offered(name segment.Name) (*segment.Result, error) {
	if name.FD == segment.None {
		return nil, nil
	}
	table, err := s.segments()
	if err != nil {
		return nil, err
	}
	offer, err := table.Offer(name)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	return offer, nil
}

// close ends the use of shared memory, since the connection has ended.
func (s *attached) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	if s.lane != nil {
		s.lane.Close()
		s.table.Close()
	}
}

// answerMail answers a request that has come over the lane.
func (c *connection) answerMail(r lane.Request) {
	if !c.begin() {
		r.Reply(errorReply("", errorf(CodeCancelled, "the server takes no more calls: it stops")), 0)
		return
	}
	defer c.end()
	request := &request{bytes: r.Message, mail: &r}
	request.send = func(reply []byte) {
		if len(reply) > lane.MaxMessage {
			_ = c.openOffer(request) // or the reply does not fit
		}
		message, inOffer := fit(reply, request.offer)
		request.offer.Release() // R may offer it again once it has the reply
		request.mail.Reply(message, inOffer)
	}
	c.answer(request)
}

// openOffer opens the segment that a request over the lane offers. Most small calls do not
// need it.
func (c *connection) openOffer(r *request) (err error) {
	if r.mail != nil && r.offer == nil {
		r.offer, err = c.attached.offered(r.mail.Offer)
	}
	return err
}

// fit returns a reply that fits the mailbox, or has it lie at the beginning of the offered
// segment and returns its size.
func fit(reply []byte, offer *segment.Result) (message []byte, inOffer int) {
	if len(reply) <= lane.MaxMessage {
		return reply, 0
	}
	memory, shift := offer.Prepend(len(reply))
	if memory == nil {
		return errorReply("", errorf(CodeResourceExhausted,
			"the reply has %d bytes, and there is no shared memory left for it", len(reply))), 0
	}
	if message, err := UnmarshalRPCMessage(reply); err == nil && message.Type == MsgTypeReferResult {
		moveParts(message.ArrowData, shift)
	}
	return nil, copy(memory, reply)
}

// guardFaults has a fault of this goroutine panic, which ends only the call, until what it
// returns is called. A read or write of shared memory can fault if the system has no memory
// for it, or if R has used that of a result again.
func guardFaults() (restore func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}
