package fileserver

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// check returns the configuration with absolute paths, all directories among its mounts, and
// its values in one form, or an error that says what is wrong with it.
func (c Config) check() (Config, error) {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return c, fmt.Errorf("%q is not an address of the form host:port, such as \"127.0.0.1:8080\": %w", c.Addr, err)
	}
	c.Protect = slices.Clone(c.Protect)
	for _, file := range slices.Concat([]*string{&c.CertFile, &c.KeyFile}, pointers(c.Protect)) {
		if err := makeAbsolute(file); err != nil {
			return c, err
		}
	}
	err := errors.Join(c.checkMounts(), c.checkOrigins(), c.checkHeaders(), c.checkTypes(), c.checkHosts(), c.checkPaths(), c.checkAuth())
	if err != nil {
		return c, err
	}
	switch {
	case c.Listing < ListPage || c.Listing > ListNone:
		return c, fmt.Errorf("there is no list mode %d", c.Listing)
	case c.MaxAge < 0 || c.MaxAge%time.Second != 0:
		return c, fmt.Errorf("the maximal age %v is not a number of whole seconds, 0 or more", c.MaxAge)
	case c.MaxConns < 0:
		return c, fmt.Errorf("%d connections are too few: give 1 or more, or 0 for the default", c.MaxConns)
	}
	return c, nil
}

func pointers(values []string) (out []*string) {
	for i := range values {
		out = append(out, &values[i])
	}
	return out
}

// makeAbsolute makes a path absolute. It does not follow links.
func makeAbsolute(file *string) error {
	if *file == "" {
		return nil
	}
	full, err := filepath.Abs(*file)
	if err != nil {
		return fmt.Errorf("cannot tell where %q is: %w; give its full path", *file, err)
	}
	*file = full
	return nil
}

// checkMounts collects the directories in Mounts, those with the longest prefixes first.
func (c *Config) checkMounts() error {
	mounts := slices.Clone(c.Mounts)
	if c.Dir != "" || len(mounts) == 0 {
		mounts = slices.Insert(mounts, 0, Mount{Prefix: c.Prefix, Dir: c.Dir})
	}
	for i := range mounts {
		m := &mounts[i]
		m.Prefix = cleanPrefix(m.Prefix)
		if err := makeAbsolute(&m.Dir); err != nil {
			return err
		}
		if err := checkDir(m.Dir); err != nil {
			return err
		}
		if slices.ContainsFunc(mounts[:i], func(other Mount) bool { return other.Prefix == m.Prefix }) {
			return fmt.Errorf("two directories are to be served at %q: give each a prefix of its own", m.Prefix)
		}
	}
	c.Dir, c.Prefix, c.Mounts = mounts[0].Dir, mounts[0].Prefix, mounts
	return nil
}

// checkDir returns an error if the directory cannot be served.
func checkDir(dir string) error {
	if dir == "" {
		return errors.New(`no directory to serve: give one, such as "."`)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("cannot serve %q: %w; give a directory that exists and can be read", dir, err)
	case !info.IsDir():
		return fmt.Errorf("cannot serve %q: it is not a directory; give the one it lies in", dir)
	}
	return nil
}

func cleanPrefix(prefix string) string {
	cleaned := path.Clean("/" + prefix)
	if cleaned != "/" {
		cleaned += "/"
	}
	return cleaned
}

func (c *Config) checkOrigins() error {
	if c.CORS && len(c.Origins) > 0 {
		return errors.New("CORS is for every web site and Origins for some: give one of them")
	}
	c.Origins = slices.Clone(c.Origins)
	for i, origin := range c.Origins {
		u, err := url.Parse(origin)
		if origin != "null" && (err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || strings.Contains(origin, "*") ||
			!strings.EqualFold(origin, u.Scheme+"://"+u.Host)) {
			return fmt.Errorf("%q is not an origin: give scheme and host, such as \"https://igv.org\"", origin)
		}
		c.Origins[i] = strings.ToLower(origin)
	}
	if c.CORP != "" && c.CORP != "same-origin" && c.CORP != "cross-origin" {
		return fmt.Errorf("%q is no resource policy: give \"same-origin\" or \"cross-origin\"", c.CORP)
	}
	return nil
}

// framing are the headers that say what an answer is. They are the server's own.
var framing = []string{
	"Accept-Ranges", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Date", "Etag",
	"Last-Modified", "Location", "Trailer", "Transfer-Encoding", "Upgrade", "Vary",
}

func (c *Config) checkHeaders() error {
	canonical := make(map[string]string, len(c.Headers))
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		value := c.Headers[name]
		if !isToken(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("%q: %q is not a header: a name has no spaces, a value no line ends", name, value)
		}
		key := http.CanonicalHeaderKey(name)
		if slices.Contains(framing, key) {
			return fmt.Errorf("the header %s is set by the server: leave it out", key)
		}
		if _, twice := canonical[key]; twice {
			return fmt.Errorf("the header %s is given twice", key)
		}
		canonical[key] = value
	}
	c.Headers = canonical
	return nil
}

func (c *Config) checkTypes() error {
	lower := make(map[string]string, len(c.Types))
	for _, extension := range slices.Sorted(maps.Keys(c.Types)) {
		value := c.Types[extension]
		if len(extension) < 2 || extension[0] != '.' || strings.ContainsAny(extension, "/\\") {
			return fmt.Errorf("%q is not a file name extension, such as \".bed\"", extension)
		}
		kind, _, err := mime.ParseMediaType(value)
		if err != nil || !strings.Contains(kind, "/") || strings.ContainsAny(value, "\r\n") {
			return fmt.Errorf("%q is not a content type, such as \"text/plain\"", value)
		}
		lower[strings.ToLower(extension)] = value
	}
	c.Types = lower
	return nil
}

func (c *Config) checkHosts() error {
	c.Hosts = slices.Clone(c.Hosts)
	for i, host := range c.Hosts {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
			host = ip.String()
		} else if host == "" || host == "." || strings.ContainsAny(host, ":/ @") || host != "*" && strings.Contains(host, "*") {
			return fmt.Errorf("%q is not a host: give a name without a port, such as \"files.lab.org\", or \".lab.org\" for all in a domain", c.Hosts[i])
		}
		c.Hosts[i] = host
	}
	return nil
}

// checkPaths checks the paths below the directories.
func (c *Config) checkPaths() error {
	c.Allow = slices.Clone(c.Allow)
	for _, name := range slices.Concat(pointers(c.Allow), []*string{&c.Fallback, &c.NotFound}) {
		given := *name
		*name = strings.TrimPrefix(given, "/")
		if given != "" && (*name == "" || !validName(*name)) {
			return fmt.Errorf("%q is not the path of a file below the directory, such as \"docs/index.html\"", given)
		}
	}
	if slices.Contains(c.Allow, "") {
		return errors.New("an allowed path is empty")
	}
	return nil
}

func (c *Config) checkAuth() error {
	switch a := c.Auth; {
	case (a.User == "") != (a.Password == ""):
		return errors.New("give both a user and a password, or neither")
	case strings.Contains(a.User, ":"):
		return fmt.Errorf("the user %q has a colon in its name, which no client can send", a.User)
	case strings.ContainsFunc(a.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`",;\`, r) }):
		return errors.New("the token must consist of ASCII characters that a cookie can have: no spaces, quotes, commas, semicolons, backslashes")
	}
	return nil
}
