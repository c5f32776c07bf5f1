package fileserver

import (
	"net/http"
	"slices"
	"strings"
)

// cors sets the headers that let scripts of other origins read an answer.
type cors struct {
	all     bool
	origins []string // in lower case
}

var (
	corsAll     = []string{"*"}
	corsMethods = []string{methods}
	corsAllow   = []string{"Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control, Content-Type, Authorization"}
	corsExpose  = []string{"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Content-Type, ETag, Last-Modified"}
	corsMaxAge  = []string{"600"}
)

func (c *cors) set(header, request http.Header) {
	switch {
	case c.all:
		header["Access-Control-Allow-Origin"] = corsAll
	case len(c.origins) > 0:
		header.Add("Vary", "Origin")
		origin := request.Get("Origin")
		if origin == "" || !slices.Contains(c.origins, strings.ToLower(origin)) {
			return
		}
		header["Access-Control-Allow-Origin"] = []string{origin}
	default:
		return
	}
	header["Access-Control-Allow-Methods"] = corsMethods
	header["Access-Control-Allow-Headers"] = corsAllow
	header["Access-Control-Expose-Headers"] = corsExpose
	header["Access-Control-Max-Age"] = corsMaxAge
}
