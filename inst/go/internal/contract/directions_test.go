package contract

import (
	"os/exec"
	"strings"
	"testing"
)

// Dependencies point one way: from cmd to pkg, to internal, to vendored modules. The file
// server can be used without R, and depends on nothing that knows of R.
func TestDirections(t *testing.T) {
	const (
		rgoipc     = "mangoro.local/pkg/rgoipc"
		fileserver = "mangoro.local/pkg/fileserver"
		arrowipc   = "mangoro.local/internal/arrowipc"
	)
	tests := []struct {
		pkg     string
		without []string // prefixes of import paths
	}{
		{rgoipc, []string{fileserver, "mangoro.local/cmd", "net/http"}},
		{fileserver, []string{"mangoro.local/internal", rgoipc, "go.nanomsg.org", "github.com/"}},
		{arrowipc, []string{"mangoro.local/pkg", "mangoro.local/cmd", "mangoro.local/internal/codec", "go.nanomsg.org"}},
		{"mangoro.local/internal/codec", []string{"mangoro.local/pkg", "mangoro.local/cmd", "mangoro.local/internal/transport", "mangoro.local/internal/rep", "mangoro.local/internal/parent", "go.nanomsg.org"}},
		{"mangoro.local/internal/transport", []string{"mangoro.local/pkg", "mangoro.local/cmd", "github.com/apache"}},
		{"mangoro.local/internal/rep", []string{"mangoro.local/pkg", "mangoro.local/cmd", "mangoro.local/internal/transport", "github.com/"}},
		{"mangoro.local/internal/gen", []string{"mangoro.local/pkg", "mangoro.local/cmd", "go.nanomsg.org", "github.com/", "golang.org/"}},
		{"mangoro.local/internal/parent", []string{"mangoro.local/pkg", "mangoro.local/cmd", "go.nanomsg.org", "github.com/"}},
		{"mangoro.local/cmd/mangoro-gen", []string{"mangoro.local/pkg", "go.nanomsg.org", "github.com/", "golang.org/"}},
		{"mangoro.local/cmd/rpc-example", []string{fileserver, "net/http"}},
	}
	for _, tt := range tests {
		t.Run(tt.pkg, func(t *testing.T) {
			list := exec.CommandContext(t.Context(), "go", "list", "-mod=vendor", "-tags=arrow_json_stdlib", "-deps", tt.pkg)
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, dep := range strings.Fields(string(out)) {
				for _, prefix := range tt.without {
					if strings.HasPrefix(dep, prefix) {
						t.Errorf("%s depends on %s", tt.pkg, dep)
					}
				}
			}
		})
	}
}
