package gen

import (
	"encoding/json"
	"flag"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected files of testdata")

// inputs returns the files of testdata: whole ones, and inline code, which is
// no Go file.
func inputs(t *testing.T) []File {
	t.Helper()
	var files []File
	for _, extension := range []string{".go", ".txt"} {
		found, err := filepath.Glob("testdata/*" + extension)
		if err != nil || len(found) == 0 {
			t.Fatal("there are no inputs", err)
		}
		for _, file := range found {
			name := "/home/me/" + filepath.Base(file)
			files = append(files, File{Name: name, Text: read(t, file), Line: 7, Inline: extension == ".txt"})
		}
	}
	return files
}

// Each file of testdata has its source as generated, the main function and the
// answer beside it.
func TestGenerate(t *testing.T) {
	for _, input := range inputs(t) {
		t.Run(input.Name, func(t *testing.T) {
			answer, sources := Generate([]File{input}, Choice{})
			if len(sources) != 2 {
				t.Fatalf("there are %d sources, and diagnostics %v", len(sources), answer.Diagnostics)
			}
			if sources[1].Text != "//line mangoro_main.go:1:1\n"+answer.Main {
				t.Errorf("the main function is %s", sources[1].Text)
			}
			if formatted, err := format.Source([]byte(sources[1].Text)); err != nil || string(formatted) != sources[1].Text {
				t.Errorf("gofmt would change the main function: %v", err)
			}
			base := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(input.Name), filepath.Ext(input.Name)))
			same(t, base+".main", answer.Main)
			same(t, base+".source", sources[0].Text)
			answer.Main = ""
			text, err := json.MarshalIndent(answer, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			same(t, base+".json", string(text)+"\n")
		})
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// same compares a text with a file, or writes the file.
func same(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, file); got != want {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

// What is generated compiles, and go vet has no complaints.
func TestGeneratedCompiles(t *testing.T) {
	for _, input := range inputs(t) {
		if strings.Contains(input.Text, gonumPath) {
			continue // it is not vendored: tests in R compile such programs
		}
		t.Run(input.Name, func(t *testing.T) {
			files := write(t, input)
			vet := exec.CommandContext(t.Context(), "go", append([]string{"vet", "-mod=vendor", "-tags=arrow_json_stdlib"}, files...)...)
			if out, err := vet.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// write writes the sources of a program, and returns their names.
func write(t *testing.T, files ...File) []string {
	t.Helper()
	answer, sources := Generate(files, Choice{})
	if len(answer.Diagnostics) > 0 {
		t.Fatalf("there are diagnostics: %v", answer.Diagnostics)
	}
	dir := t.TempDir()
	var names []string
	for _, s := range sources {
		name := filepath.Join(dir, s.Name)
		if err := os.WriteFile(name, []byte(s.Text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// The compiler names the user's own places, with or without lines that have
// been added.
func TestCompilerNamesTheUsersPlaces(t *testing.T) {
	bad := "func F(x float64) string {\n\treturn strings.ToUpper(x)\n}\n"
	tests := []struct {
		name string
		file File
		want string
	}{
		{"inline", File{Name: "/r/analysis.R", Text: bad, Line: 41, Inline: true}, "/r/analysis.R:42:25: "},
		{"inline, first line", File{Name: "/r/analysis.R", Text: strings.ReplaceAll(bad, "\n", " "), Line: 41, Inline: true}, "/r/analysis.R:41:52: "},
		{"inline with a package", File{Name: "/r/a.go", Text: "/* a */ package main; " + bad, Line: 41, Inline: true}, "/r/a.go:42:25: "},
		{"whole", File{Name: "/r/a.go", Text: "package main\n\nimport \"strings\"\n\n" + bad}, "/r/a.go:6:25: "},
		{"inline, not in a file", File{Name: "<inline>", Text: bad, Line: 1, Inline: true}, "/<inline>:2:25: "},
		{"colons", File{Name: "/r/a:1:2.go", Text: bad, Line: 3, Inline: true}, "/r/a:1:2.go:4:25: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-mod=vendor", "-tags=arrow_json_stdlib", "-o", os.DevNull}, write(t, tt.file)...)...)
			out, err := build.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "\n"+tt.want) {
				t.Errorf("want %s, got %v\n%s", tt.want, err, out)
			}
		})
	}
}

func TestDiagnostics(t *testing.T) {
	const add = "func Add(x, y float64) float64 { return x + y }\n"
	at := func(line, column int, message string) []Diagnostic {
		return []Diagnostic{{"a.R", line, column, message}}
	}
	tests := []struct {
		name, text string
		want       []Diagnostic
	}{
		{"syntax", "func F() {\n\tx = 1 2\n}\nfunc G() { y = 'abc' }\n", []Diagnostic{
			{"a.R", 6, 8, "expected ';', found 2"},
			{"a.R", 8, 16, "illegal rune literal"},
		}},
		{"no code", "", []Diagnostic{{Message: "there is no exported function: R can only call those whose names begin with a capital letter"}}},
		{"nothing exported", "func add(x float64) float64 { return x }\n", at(5, 6, "there is no exported function: R can only call those whose names begin with a capital letter")},
		{"nothing left", "func Add[T any](x T) T { return x }\n", at(5, 6, "there is no function that R can call: Add is left out because it is generic: write a function that calls it with the types that R needs")},
		{"another package", "package stats\n\n" + add, at(5, 9, "the package must be main, but is stats")},
		{"main", add + "func main() {}\n", at(6, 6, "the program has a main function of its own: start it with mangoro_start()")},
		{"two names", add + "//mangoro:name Add\nfunc Plus(x float64) float64 { return x }\n", at(7, 6, "there are two functions `Add`")},
		{"unknown directive", "//mangoro:fast\n" + add, at(5, 1, "//mangoro:fast is unknown; the directives are default, each, name, once, parallel, path and skip")},
		{"no directive", "//mangoro:\n" + add, at(5, 1, "//mangoro: is unknown; the directives are default, each, name, once, parallel, path and skip")},
		{"two directives", "//mangoro:name a b\n//mangoro:once more\n" + add, []Diagnostic{
			{"a.R", 5, 1, `//mangoro:name takes one name, not "a b"`},
			{"a.R", 6, 1, `//mangoro:once takes nothing after it, not "more"`},
		}},
		{"space", "// Add adds.\n// mangoro:skip\n//\tmangoro:name plus\n// mangoro: is a package.\n" + add, []Diagnostic{
			{"a.R", 6, 1, "write //mangoro:skip, without the space"},
			{"a.R", 7, 1, "write //mangoro:name, without the space"},
		}},
		{"no parameter", "//mangoro:default z=1\n" + add, at(5, 1, "//mangoro:default: `Add` has no parameter `z`")},
		{"default of another type", "//mangoro:default x=\"a\"\n" + add, at(5, 1, "//mangoro:default: parameter `x` of type float64 cannot be \"a\"")},
		{"half a row", "//mangoro:default n=1.5\nfunc F(n int) int { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type int cannot be 1.5")},
		{"large", "//mangoro:default n=3000000000\nfunc F(n int32) int32 { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type int32 cannot be 3000000000")},
		{"no uint8", "//mangoro:default n=256\nfunc F(n uint8) uint8 { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type uint8 cannot be 256")},
		{"no int8", "//mangoro:default n=-129\nfunc F(n int8) int8 { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type int8 cannot be -129")},
		{"negative", "//mangoro:default n=-1\nfunc F(n uint) uint { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type uint cannot be -1")},
		{"no uint64", "//mangoro:default n=18446744073709551616\nfunc F(n uint64) uint64 { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type uint64 cannot be 18446744073709551616")},
		{"no float32", "//mangoro:default x=1e39\nfunc F(x float32) float32 { return x }\n", at(5, 1, "//mangoro:default: parameter `x` of type float32 cannot be 1e39")},
		{"too large", "//mangoro:default x=1e999\n" + add, at(5, 1, "//mangoro:default: parameter `x` of type float64 cannot be 1e999")},
		{"signed text", "//mangoro:default x=-\"a\"\n" + add, at(5, 1, `//mangoro:default takes a parameter and a value that is a number, a "string", a date, true, false or NULL, as in n=10, not "x=-\"a\""`)},
		{"logical", "//mangoro:default n=true\nfunc F(n int32) int32 { return n }\n", at(5, 1, "//mangoro:default: parameter `n` of type int32 cannot be true")},
		{"vector", "//mangoro:default n=1\nfunc F(n []float64) {}\n", at(5, 1, "//mangoro:default: parameter `n` of type []float64 cannot be 1")},
		{"code", "//mangoro:default x=f()\n" + add, at(5, 1, `//mangoro:default takes a parameter and a value that is a number, a "string", a date, true, false or NULL, as in n=10, not "x=f()"`)},
		{"no value", "//mangoro:default x\n" + add, at(5, 1, `//mangoro:default takes a parameter and a value that is a number, a "string", a date, true, false or NULL, as in n=10, not "x"`)},
		{"two defaults", "//mangoro:default x=1\n//mangoro:default x=2\n" + add, at(6, 1, "//mangoro:default gives `x` a second default")},
		{"parallel", "//mangoro:parallel\nfunc F(n []float64) {}\n", at(5, 1, "//mangoro:parallel needs a function that is called for each element: one of single values, or with //mangoro:each")},
		{"parallel and once", "//mangoro:once\n//mangoro:parallel\n" + add, at(6, 1, "//mangoro:parallel needs a function that is called for each element: one of single values, or with //mangoro:each")},
		{"each and once", "//mangoro:once\n//mangoro:each\n" + add, at(6, 1, "//mangoro:each: the function cannot be called for each element and once")},
		{"each of nothing", "//mangoro:each\nfunc F() []int { return nil }\n", at(5, 1, "//mangoro:each: the function has no parameters, and so no elements to be called for")},
		{"each of vectors", "//mangoro:each\nfunc F(x float64, y []float64, z ...byte) any { return x }\n", []Diagnostic{
			{"a.R", 5, 1, "//mangoro:each: parameter `y` of type []float64 is not a single value"},
			{"a.R", 5, 1, "//mangoro:each: parameter `z` of type []byte is not a single value"},
		}},
		{"each stream", "//mangoro:each\nfunc F(x float64) array.RecordReader { return nil }\n", at(5, 1, "//mangoro:each: the result is a stream")},
		{"parallel and vectors", "//mangoro:parallel\nfunc F(x float64) []float64 { return nil }\n", at(5, 1, "//mangoro:parallel needs a function that is called for each element: one of single values, or with //mangoro:each")},
		{"NULL", "//mangoro:default x=NULL\n" + add, at(5, 1, "//mangoro:default: parameter `x` of type float64 cannot be NULL")},
		{"path of a number", "//mangoro:path x\n" + add, at(5, 1, "//mangoro:path: parameter `x` of type float64 is no string")},
		{"path of nothing", "//mangoro:path file\n" + add, at(5, 1, "//mangoro:path: `Add` has no parameter `file`")},
		{"path without a name", "//mangoro:path\n" + add, at(5, 1, `//mangoro:path takes the names of parameters, not ""`)},
		{"path with code", "//mangoro:path x=1\n" + add, at(5, 1, `//mangoro:path takes the names of parameters, not "x=1"`)},
		{"stray", add + "//mangoro:once\nfunc add() {}\n//mangoro:once\n", []Diagnostic{
			{"a.R", 6, 1, "a //mangoro: line belongs in the comment right above an exported function"},
			{"a.R", 8, 1, "a //mangoro: line belongs in the comment right above an exported function"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, sources := Generate([]File{{Name: "a.R", Text: tt.text, Line: 5, Inline: true}}, Choice{})
			if !reflect.DeepEqual(answer.Diagnostics, tt.want) || sources != nil || answer.Main != "" {
				t.Errorf("got %+v", answer.Diagnostics)
			}
		})
	}
}

func TestSeveralFiles(t *testing.T) {
	answer, sources := Generate([]File{
		{Name: "a.go", Text: "package main\n\nfunc A(x T) T { return x }\n"},
		{Name: "b.go", Text: "package main\n\ntype T float64\n\nvar strings struct{ Builder int }\n"},
		{Name: "c.go", Text: "func C(x float64) int { return strings.Builder }", Inline: true},
	}, Choice{})
	if len(answer.Diagnostics) > 0 || len(sources) != 4 || len(answer.Functions) != 2 {
		t.Fatalf("got %+v", answer)
	}
	if !strings.Contains(answer.Main, "func loopA(n int, x, out []T) {") {
		t.Errorf("the type of another file is not known:\n%s", answer.Main)
	}
	if strings.Contains(sources[2].Text, "import") {
		t.Errorf("what another file declares is imported:\n%s", sources[2].Text)
	}
}

func TestByteOrderMark(t *testing.T) {
	answer, _ := Generate([]File{{Name: "a.go", Text: "\uFEFFpackage main\r\n\r\nfunc A() {}\r\n"}}, Choice{})
	if len(answer.Diagnostics) > 0 {
		t.Errorf("got %v", answer.Diagnostics)
	}
}

// Types of which nothing is known are registered: rgoipc judges them.
func TestUnknownTypes(t *testing.T) {
	answer, _ := Generate([]File{{Name: "a.go", Text: `package main

import "net"

//mangoro:parallel
//mangoro:default a="x"
func Address(a net.IP, m []net.IPMask) (string, error) { return "", nil }
`}}, Choice{})
	if len(answer.Functions) != 1 || strings.Contains(answer.Main, "Loop") {
		t.Errorf("got %+v", answer)
	}
}

// A result may be any, and a parameter may not.
func TestAny(t *testing.T) {
	answer, _ := Generate([]File{{Name: "a.R", Text: "type T any\nfunc F(x float64) any { return x }\nfunc G() T { return 1 }\nfunc H(x any) {}", Inline: true}}, Choice{})
	if len(answer.Functions) != 3 || strings.Contains(answer.Main, "Loop") || len(answer.Diagnostics) > 0 {
		t.Errorf("got %+v", answer)
	}
	if len(answer.LeftOut) > 0 {
		t.Errorf("got %+v", answer.LeftOut)
	}
}

// A struct whose fields have one name in R is left out.
func TestFieldsOfOneName(t *testing.T) {
	for _, tt := range []struct{ fields, reason string }{
		{"A int `r:\"a\"`; B int `r:\"a\"`", "parameter `x` is of type T, which has two fields `a`"},
		{"A int; B int `json:\"b\" r:\"A\"`", "parameter `x` is of type T, which has two fields `A`"},
		{"A int `r:\"-\"`", "parameter `x` is of type T, which is not supported: it has no exported fields"},
		{"A int `other:\"r:\\\"-\\\"\"`; B int `r:\"\"`; C int `r:\"-\"`", ""},
	} {
		answer, _ := Generate([]File{{Name: "a.R", Text: "type T struct{ " + tt.fields + " }\nfunc F(x T) {}\nfunc G() {}", Inline: true}}, Choice{})
		reason := ""
		if len(answer.LeftOut) > 0 {
			reason = answer.LeftOut[0].Reason
		}
		if reason != tt.reason || len(answer.Diagnostics) > 0 {
			t.Errorf("%s: %q, %v", tt.fields, reason, answer.Diagnostics)
		}
	}
}

// Each package of the standard library is found by its name.
func TestStandardPackages(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Name}} {{.ImportPath}}", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		inside := strings.Contains(line, "internal/") || strings.Contains(line, "/internal\n") || strings.Contains(line, "vendor/")
		if !inside && !strings.Contains("\n"+standardPackages, "\n"+strings.TrimSpace(line)) {
			t.Errorf("%s is unknown: run go generate", strings.TrimSpace(line))
		}
	}
	for _, tt := range []struct{ name, selected, want string }{
		{"rand", "IntN", "math/rand/v2"},
		{"rand", "Intn", "math/rand"},
		{"rand", "Reader", "crypto/rand"},
		{"rand", "NoSuch", "math/rand/v2"},
		{"template", "New", "text/template"},
		{"template", "HTML", "html/template"},
		{"json", "Marshal", "encoding/json"},
		{"sha256", "Sum256", "crypto/sha256"},
		{"filepath", "Join", "path/filepath"},
		{"rgoipc", "Null", rgoipcPath},
		{"memory", "NewGoAllocator", arrowPath + "/memory"},
		{"nosuch", "F", ""},
	} {
		if got := pathOf(tt.name, []string{tt.selected}); got != tt.want {
			t.Errorf("%s.%s is of %q, want %q", tt.name, tt.selected, got, tt.want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	text, err := os.ReadFile("testdata/stats.go")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Generate([]File{{Name: "a.go", Text: string(text)}}, Choice{})
	}
}

// Whatever the files hold, there is a program or a diagnostic.
func FuzzGenerate(f *testing.F) {
	for _, file := range []string{"testdata/stats.go", "testdata/inline.txt", "testdata/inline_package.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), true)
	}
	f.Add("package main;func F(", false)
	f.Add("//mangoro:default by=0//\nfunc A(by float64) {}", true)
	f.Fuzz(func(t *testing.T, text string, inline bool) {
		answer, sources := Generate([]File{{Name: "a.R", Text: text, Line: 3, Inline: inline}}, Choice{})
		if (len(answer.Diagnostics) > 0) != (sources == nil) {
			t.Errorf("%d diagnostics and %d sources", len(answer.Diagnostics), len(sources))
		}
		if sources == nil {
			return
		}
		if _, err := format.Source([]byte(sources[1].Text)); err != nil {
			t.Errorf("the main function is no Go: %v\n%s", err, answer.Main)
		}
	})
}

// A loop knows the row of a panic unless there cannot be one.
func TestLoopsThatTrackTheirRow(t *testing.T) {
	tests := []struct {
		fn     string
		tracks bool
	}{
		{"func F(x, y float64) float64 { return x + y*2 - (-x) }", false},
		{"func F(x, y int) int { return x + y }", false},
		{"func F(x, y int) bool { return x < y && x != 3 }", false},
		{"func F(x string) string { return x + \"!\" }", false},
		{"func F(x, y float64) float64 { return x / y }", false},
		{"func F(x float64) float64 { return math.Sqrt(x) / math.Pi }", false},
		{"func F(x float64) float64 { if x < 0 { x = -x }; return math.Log(x) }", false},
		{"func F(x int) float64 { return float64(x) }", false},
		{"func F(x, y int) int { return x / y }", true},
		{"func F(x, y int) int { return x % y }", true},
		{"func F(x int, y float64) float64 { return y / 2 }", true},
		{"func F(x float64) float64 { n := 0; return float64(5 / n) }", true},
		{"var N = 0\nfunc F(x float64) float64 { return float64(5 / N) }", true},
		{"func F(x int) int { x /= 0; return x }", true},
		{"func F(x, y int) int { return x << y }", true},
		{"func F(x, y int) int { x >>= y; return x }", true},
		{"func F(x string) bool { return x[0] == 'a' }", true},
		{"func F(x string) string { return x[1:] }", true},
		{"func F(x float64) float64 { return g(x) }\nfunc g(x float64) float64 { return x }", true},
		{"func F(x float64) float64 { panic(x) }", true},
		{"func F(x float64) float64 { var p *float64; return *p }", true},
		{"func F(x float64) float64 { return func() float64 { return x }() }", true},
		{"func F(x float64) (float64, error) { return x, nil }", false},
		{"func F(x float64) (float64, error) { return x, fmt.Errorf(\"no\") }", true},
	}
	for _, tt := range tests {
		answer, _ := Generate([]File{{Name: "a.R", Text: tt.fn, Inline: true}}, Choice{})
		if !strings.Contains(answer.Main, "func loopF") {
			t.Errorf("%s: no loop in %+v", tt.fn, answer)
		}
		if tracks := strings.Contains(answer.Main, "AtRow"); tracks != tt.tracks {
			t.Errorf("%s: tracks its row: %v", tt.fn, tracks)
		}
	}
}
