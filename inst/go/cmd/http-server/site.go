package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

// siteFunctions registers the functions that R's own sites need.
func (c *controller) siteFunctions(registry *rgoipc.Registry) error {
	return errors.Join(
		registry.Func("stopNamed", c.stopServer, rgoipc.Columns(), rgoipc.Args("name"),
			rgoipc.Describe("Stop the HTTP server of that name")),
		registry.Func("namedStatus", c.serverStatus, rgoipc.Columns(), rgoipc.Args("name"),
			rgoipc.Describe("Tell whether the HTTP server of that name runs, and where")),
		registry.Func("siteStatus", c.siteStatus,
			rgoipc.Describe("Tell what is served, a row for each directory")),
		registry.Func("siteRequests", c.siteRequests, rgoipc.Args("n"),
			rgoipc.Describe("Tell the last requests, the oldest first")),
		registry.Func("protectFiles", c.protectFiles, rgoipc.Args("files"),
			rgoipc.Describe("Never serve these files")),
		registry.Func("newCertificate", newCertificate, rgoipc.Args("hosts", "days"),
			rgoipc.Describe("Make a certificate and its key, as PEM")),
	)
}

// servedDir tells of a directory that is served.
type servedDir struct {
	Name        string  `r:"name"` // of the server
	URL         string  `r:"url"`
	Prefix      string  `r:"prefix"`
	Dir         string  `r:"dir"`
	Missing     bool    `r:"missing"`
	Requests    float64 `r:"requests"`
	Bytes       float64 `r:"bytes"`
	Errors      float64 `r:"errors"`
	Connections float64 `r:"connections"` // of the server
}

func (c *controller) siteStatus() []servedDir {
	c.mu.Lock()
	defer c.mu.Unlock()
	dirs := []servedDir{}
	for _, name := range slices.Sorted(maps.Keys(c.servers)) {
		server := c.servers[name]
		if !running(server) {
			continue
		}
		urls, connections := server.URLs(), float64(server.Connections())
		for i, s := range server.Stats() {
			dirs = append(dirs, servedDir{
				name, urls[i], s.Prefix, printable(s.Dir), s.Missing,
				float64(s.Requests), float64(s.Bytes), float64(s.Errors), connections,
			})
		}
	}
	return dirs
}

// request is a request that was answered.
type request struct {
	Time    float64 `r:"time"` // seconds since 1970
	Method  string  `r:"method"`
	Path    string  `r:"path"`
	Status  int32   `r:"status"`
	Bytes   float64 `r:"bytes"`
	Range   string  `r:"range"` // "" if none was asked for
	Seconds float64 `r:"seconds"`
	Client  string  `r:"client"`
}

func (c *controller) siteRequests(n int) []request {
	c.mu.Lock()
	defer c.mu.Unlock()
	var last []fileserver.Request
	for _, server := range c.servers {
		last = append(last, server.Requests(n)...)
	}
	slices.SortStableFunc(last, func(a, b fileserver.Request) int { return a.Time.Compare(b.Time) })
	requests := []request{}
	for _, r := range last[max(0, len(last)-max(0, n)):] {
		requests = append(requests, request{
			float64(r.Time.UnixMicro()) / 1e6, printable(r.Method), printable(r.Path), int32(r.Status),
			float64(r.Bytes), printable(r.Range), r.Duration.Seconds(), r.Client,
		})
	}
	return requests
}

// printable returns a text with the bytes that are not UTF-8 as "\xNN". R has no strings with NUL.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || r == 0 {
			fmt.Fprintf(&out, `\x%02x`, text[0])
		} else {
			out.WriteString(text[:size])
		}
		text = text[size:]
	}
	return out.String()
}

// protectFiles keeps files from being served, by the servers that run and by later ones. It returns
// their number.
func (c *controller) protectFiles(files []string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, file := range files {
		if slices.Contains(c.protected, file) {
			continue
		}
		c.protected = append(c.protected, file)
		for _, server := range c.servers {
			server.Protect(file)
		}
	}
	return len(c.protected)
}

// keyPair is a certificate and its key, as PEM.
type keyPair struct {
	Cert string `r:"cert"`
	Key  string `r:"key"`
}

func newCertificate(hosts []string, days float64) (keyPair, error) {
	cert, key, err := fileserver.NewCertificate(hosts, time.Duration(days*24*float64(time.Hour)))
	return keyPair{string(cert), string(key)}, err
}
