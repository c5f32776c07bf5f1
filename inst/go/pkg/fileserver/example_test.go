package fileserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"mangoro.local/pkg/fileserver"
)

// folder makes a directory with files to serve.
func folder(files map[string]string) string {
	dir, err := os.MkdirTemp("", "site")
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}

// read prints what a client gets.
func read(request *http.Request) {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %s: %s\n", answer.StatusCode, answer.Header.Get("Content-Type"), text)
}

func get(url string, headers ...string) *http.Request {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

// A directory is served until the server is stopped, parts of files included.
func ExampleStart() {
	dir := folder(map[string]string{"genes.bed": "chr1\t10\t20\n", ".env": "PASSWORD=x"})
	defer os.RemoveAll(dir)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := fileserver.Start(ctx, fileserver.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Stop(ctx)

	read(get(server.URL()+"genes.bed", "Range", "bytes=0-3"))
	read(get(server.URL() + ".env")) // names that hold secrets are not served
	// Output:
	// 206 text/plain; charset=utf-8: chr1
	// 404 text/plain; charset=utf-8: 404 page not found
}

// Several directories are served below prefixes of their own.
func ExampleStart_mounts() {
	docs, data := folder(map[string]string{"index.html": "<h1>Docs</h1>"}), folder(map[string]string{"a.csv": "x,y"})
	defer os.RemoveAll(docs)
	defer os.RemoveAll(data)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := fileserver.Start(ctx, fileserver.Config{
		Addr:   "127.0.0.1:0",
		Mounts: []fileserver.Mount{{Prefix: "/", Dir: docs}, {Prefix: "data", Dir: data}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Stop(ctx)

	base := "http://" + server.Addr()
	read(get(base + "/"))
	read(get(base + "/data/a.csv"))
	// Output:
	// 200 text/html; charset=utf-8: <h1>Docs</h1>
	// 200 text/csv; charset=utf-8: x,y
}

// Who does not know the token gets nothing.
func ExampleStart_auth() {
	dir := folder(map[string]string{"a.txt": "hello"})
	defer os.RemoveAll(dir)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := fileserver.Start(ctx, fileserver.Config{
		Addr: "127.0.0.1:0", Dir: dir,
		Auth: fileserver.Auth{Token: "0123456789abcdef"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Stop(ctx)

	read(get(server.URL()+"a.txt", "Authorization", "Bearer 0123456789abcdef"))
	if answer, err := http.Get(server.URL() + "a.txt"); err == nil {
		defer answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
	// Output:
	// 200 text/plain; charset=utf-8: hello
	// 401
}

// A handler is for programs that have an http.Server of their own. Programs read a directory as JSON.
func ExampleNew() {
	dir := folder(map[string]string{"b.txt": "", "a.txt": ""})
	defer os.RemoveAll(dir)

	handler, err := fileserver.New(fileserver.Config{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer handler.Close()
	server := httptest.NewServer(handler)
	defer server.Close()

	answer, err := http.Get(server.URL + "/?json")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var list struct {
		Entries []struct{ Name, Type string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		log.Fatal(err)
	}
	fmt.Println(list.Entries)
	// Output:
	// [{a.txt file} {b.txt file}]
}
