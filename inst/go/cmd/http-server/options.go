package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

// maxOptions is the largest text of options.
const maxOptions = 1 << 20

// options are the settings of a server that have no column of their own, as JSON. Their names are those
// of fileserver.Config. What is left out has its default, which for listing is "plain".
type options struct {
	Name   string `json:"name"` // of the server: one without a name and any number with one may run
	Mounts []struct {
		Prefix string `json:"prefix"`
		Dir    string `json:"dir"`
	} `json:"mounts"`
	Origins []string `json:"origins"`
	CORP    string   `json:"corp"`
	Hosts   []string `json:"hosts"`
	Allow   []string `json:"allow"`
	Protect []string `json:"protect"`
	Auth    struct {
		Token    string `json:"token"`
		User     string `json:"user"`
		Password string `json:"password"`
	} `json:"auth"`
	HideDots bool              `json:"hide_dots"`
	Listing  string            `json:"listing"` // "page", "plain", "none"
	MaxAge   float64           `json:"max_age"` // seconds
	Headers  map[string]string `json:"headers"`
	Types    map[string]string `json:"types"`
	Compress bool              `json:"compress"`
	Fallback string            `json:"fallback"`
	NotFound string            `json:"not_found"`
	Reload   bool              `json:"reload"`
	MaxConns int               `json:"max_conns"`
}

// listModes are the names of the list modes.
var listModes = map[string]fileserver.ListMode{
	"": fileserver.ListPlain, "plain": fileserver.ListPlain, "page": fileserver.ListPage, "none": fileserver.ListNone,
}

// applyOptions sets what the options say, and returns the name of the server. An empty text has none.
func applyOptions(text string, config *fileserver.Config) (name string, err error) {
	var o options
	if text != "" {
		if o, err = decodeOptions(text); err != nil {
			return "", invalid("%w", err)
		}
	}
	mode, ok := listModes[o.Listing]
	if !ok {
		return "", invalid("there is no listing %q: use \"page\", \"plain\" or \"none\"", o.Listing)
	}
	if !(o.MaxAge >= 0 && o.MaxAge <= math.MaxInt32) {
		return "", invalid("the maximal age is %v, not a number of seconds from 0 to %d", o.MaxAge, math.MaxInt32)
	}
	for _, m := range o.Mounts {
		config.Mounts = append(config.Mounts, fileserver.Mount{Prefix: m.Prefix, Dir: m.Dir})
	}
	config.Origins, config.CORP, config.Hosts, config.Allow, config.Protect = o.Origins, o.CORP, o.Hosts, o.Allow, o.Protect
	config.Auth = fileserver.Auth{Token: o.Auth.Token, User: o.Auth.User, Password: o.Auth.Password}
	config.HideDots, config.Listing, config.MaxConns = o.HideDots, mode, o.MaxConns
	config.MaxAge = time.Duration(o.MaxAge) * time.Second
	config.Headers, config.Types, config.Compress = o.Headers, o.Types, o.Compress
	config.Fallback, config.NotFound, config.Reload = o.Fallback, o.NotFound, o.Reload
	return o.Name, nil
}

func decodeOptions(text string) (o options, err error) {
	if len(text) > maxOptions {
		return o, fmt.Errorf("%d bytes are too many: %d at most", len(text), maxOptions)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return o, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return o, errors.New("more than one JSON value")
	}
	return o, nil
}

// invalid returns the error of options that cannot be used.
func invalid(format string, args ...any) error {
	return &rgoipc.Error{Code: rgoipc.CodeInvalidArgument, Err: fmt.Errorf("`options`: "+format, args...)}
}
