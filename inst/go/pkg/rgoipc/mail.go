package rgoipc

import "mangoro.local/internal/segment"

// answerMail answers a request that came over the lane. The reply has at most limit bytes,
// or lies at the beginning of the offered segment: reply is then nil, and inOffer how many
// bytes it has there. It returns when the function has returned.
func (c *connection) answerMail(request []byte, offer segment.Name, limit int) (reply []byte, inOffer int) {
	c.Answer(request, func(bytes []byte) { reply = bytes })
	return reply, 0
}

var _ = (*connection).answerMail
