package fileserver

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// form is how something without a file of its own, a directory or an error, is shown.
type form int

const (
	asPage  form = iota
	asPlain      // links only, or text
	asJSON
	asNothing
)

// formOf returns how a directory is shown to a client.
func (h *Handler) formOf(r *http.Request) form {
	html, json := accepts(r)
	switch {
	case h.config.Listing == ListNone:
		return asNothing
	case json > html || r.URL.Query().Has("json"):
		return asJSON
	case h.config.Listing == ListPlain && html == 0:
		return asPlain
	default:
		return asPage
	}
}

// formOfError returns how an error is shown to a client: as text, unless it asks for something else.
func formOfError(r *http.Request) form {
	switch html, json := accepts(r); {
	case json > html:
		return asJSON
	case html > 0:
		return asPage
	default:
		return asPlain
	}
}

// accepts returns how much a client wants HTML and JSON: 0 unless it names them, up to 1.
func accepts(r *http.Request) (html, json float64) {
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			kind, parameters, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "text/html":
				html = max(html, quality(parameters))
			case "application/json":
				json = max(json, quality(parameters))
			}
		}
	}
	return html, json
}

// quality returns the weight among the parameters of a media range.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}

// viewOf returns the view that a query asks for. What it does not say, or says wrongly, is the
// default.
func viewOf(query url.Values) view {
	v := view{sort: byName, down: query.Get("order") == "desc", page: 1, filter: query.Get("q")}
	switch key := query.Get("sort"); key {
	case bySize, byTime, byType:
		v.sort = key
	}
	if page, err := strconv.Atoi(query.Get("page")); err == nil {
		v.page = max(1, page)
	}
	v.filter = v.filter[:min(len(v.filter), maxFilter)]
	return v
}

// link returns the address of a view of the same directory.
func (v view) link() string {
	if query := v.query(); query != "" {
		return "?" + query
	}
	return "./"
}

// json returns the address of a view as JSON.
func (v view) json() string { return strings.TrimSuffix("?json&"+v.query(), "&") }

// query returns what a view has that is not the default.
func (v view) query() string {
	query := make(url.Values)
	if v.sort != byName {
		query.Set("sort", v.sort)
	}
	if v.down {
		query.Set("order", "desc")
	}
	if v.page > 1 {
		query.Set("page", strconv.Itoa(v.page))
	}
	if v.filter != "" {
		query.Set("q", v.filter)
	}
	return query.Encode()
}

// sorted returns the view sorted by a key, the other way round if it is already.
func (v view) sorted(key string) view {
	down := key == bySize || key == byTime // who sorts by these looks for the largest and the last
	if v.sort == key {
		down = !v.down
	}
	v.sort, v.down, v.page = key, down, 1
	return v
}

func (v view) at(page int) view {
	v.page = page
	return v
}
