// Functions for tests of what a program prints.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"mangoro.local/pkg/rgoipc"
)

func Add(x, y float64) float64 { return x + y }

// Prints a text, and returns its length.
func Print(text string) int {
	fmt.Print(text)
	return len(text)
}

// Prints x, which is a call in C.
func Show(x float64) float64 {
	fmt.Println("x is", x)
	return x
}

// Writes a text to standard error.
func Complain(text []string) int {
	fmt.Fprint(os.Stderr, text[0])
	return len(text[0])
}

// Prints a line of each way and level.
func Levels() int {
	log.SetFlags(log.LstdFlags)
	slog.SetLogLoggerLevel(slog.LevelDebug)
	fmt.Fprintln(os.Stderr, "to stderr")
	log.Println("a log")
	slog.Debug("a detail")
	slog.Info("an information", "key", 1)
	slog.Warn("a warning")
	slog.Error("an error")
	text := slog.New(slog.NewTextHandler(os.Stderr, nil))
	text.Warn("as text")
	json := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	json.Error("as JSON")
	return 1
}

// Prints and logs in turn.
func Alternate(n []int) int {
	for i := range n[0] {
		fmt.Println("out", i)
		log.Println("log", i)
	}
	return n[0]
}

// Prints n lines.
func Flood(ctx context.Context, n []int, stderr []bool) int {
	to := os.Stdout
	if stderr[0] {
		to = os.Stderr
	}
	for i := range n[0] {
		_, _ = fmt.Fprintln(to, "line", i)
	}
	return n[0]
}

// Prints something and waits for its end.
func Wait(ctx context.Context, text string) error {
	fmt.Print(text)
	<-ctx.Done()
	return ctx.Err()
}

// Prints and ends the program.
func Exit(status int) int {
	fmt.Println("so long")
	fmt.Fprintln(os.Stderr, "and good bye")
	os.Exit(status)
	return 0
}

// Prints and is killed.
func Die() int {
	fmt.Println("so long")
	fmt.Fprintln(os.Stderr, "and good bye")
	me, _ := os.FindProcess(os.Getpid())
	_ = me.Kill()
	select {}
}

// Prints and crashes.
func Crash() int {
	fmt.Println("before")
	go func() { panic("oh") }()
	select {}
}

// Tells how far it is, so many times, of a total.
func Steps(ctx context.Context, n, total []int) int {
	for i := range n[0] {
		rgoipc.Progress(ctx, int64(i+1), int64(total[0]), "steps")
	}
	return n[0]
}
