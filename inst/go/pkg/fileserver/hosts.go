package fileserver

import (
	"net"
	"strings"
)

// hosts are the names that requests may be addressed to. A web site can have a name of its own point to
// this machine, and its scripts would then be of the same origin as the files.
type hosts struct {
	any      bool
	names    map[string]bool
	suffixes []string // such as ".lab.org"
}

// newHosts returns the names for a server that listens at a host, and tells whether that is a loopback address.
func newHosts(listensAt string, loopback bool, more []string) *hosts {
	h := &hosts{any: !loopback && len(more) == 0, names: map[string]bool{"localhost": true, "::1": true}, suffixes: []string{".localhost"}}
	if listensAt = hostname(listensAt); listensAt != "" {
		h.names[listensAt] = true
	}
	for _, host := range more {
		switch {
		case host == "*":
			h.any = true
		case strings.HasPrefix(host, "."):
			h.suffixes = append(h.suffixes, host)
		default:
			h.names[host] = true
		}
	}
	return h
}

// allow tells whether the Host header of a request is one of the names. A request without one, of
// HTTP/1.0, comes from no browser.
func (h *hosts) allow(host string) bool {
	if h.any || host == "" {
		return true
	}
	name := hostname(host)
	if h.names[name] {
		return true
	}
	for _, suffix := range h.suffixes {
		if len(name) > len(suffix) && strings.HasSuffix(name, suffix) {
			return true
		}
	}
	ip := net.ParseIP(name)
	return ip != nil && (ip.IsLoopback() || h.names[ip.String()])
}

// hostname returns the name in a Host header, in lower case, without port, brackets and the dot at the end.
func hostname(host string) string {
	if inside, port, ok := strings.Cut(host, "]"); ok {
		// Only an IPv6 address has brackets, and only a port may follow them.
		if address, ok := strings.CutPrefix(inside, "["); ok && strings.Contains(address, ":") && (port == "" || port[0] == ':') {
			host = address
		}
	} else if colon := strings.LastIndexByte(host, ':'); colon >= 0 && strings.IndexByte(host, ':') == colon {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
