package fileserver

// defaultMaxConns is the largest number of open connections, unless configured.
const defaultMaxConns = 10_000

// maxConns returns the largest number of open connections: each answer needs a second file.
func (c *Config) maxConns() int {
	limit := c.MaxConns
	if limit == 0 {
		limit = defaultMaxConns
	}
	if files := maxFiles(); files > 0 {
		limit = min(limit, max(1, files/2))
	}
	return limit
}
