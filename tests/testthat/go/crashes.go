// A program that is not a server: it prints lines and then ends. Its arguments are a
// URL, the number of lines to print, and the way to end.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

func main() {
	lines, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	text := strings.Repeat(strings.Repeat("x", 99)+"\n", 1000)
	for ; lines > 0; lines -= 1000 {
		fmt.Print(text)
		fmt.Fprint(os.Stderr, text)
	}
	debug.SetMaxStack(1 << 20)
	var wait sync.WaitGroup
	wait.Go(func() { ends[os.Args[3]]() })
	wait.Wait()
}

var ends = map[string]func(){
	"exit":        func() { fmt.Fprintln(os.Stderr, "last"); os.Exit(7) },
	"exit 2":      func() { fmt.Fprintln(os.Stderr, "last"); os.Exit(2) },
	"half a line": func() { fmt.Fprint(os.Stderr, "last"); os.Exit(7) },
	"panic":       func() { panic("oh\nno") },
	"nil":         func() { var p *int; *p = 1 },
	"abort":       func() { signal(syscall.SIGABRT) },
	"segv":        func() { signal(syscall.SIGSEGV) },
	"kill":        func() { signal(syscall.SIGKILL) },
	"stack":       func() { deeper(1) },
	"asleep":      func() { select {} },
	"unlock":      func() { new(sync.Mutex).Unlock() },
	"memory":      func() { fmt.Println(len(make([]byte, 1<<46))) },
	"map": func() {
		m := make(map[int]int)
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%10]++
				}
			}()
		}
		select {}
	},
	"many": func() {
		for range 5000 {
			go func() { select {} }()
		}
		deeper(1)
	},
	"recovered": func() {
		fmt.Fprint(os.Stderr, "panic: one that was recovered\n\ngoroutine 1 [running]:\nmain.f()\n\tmain.go:1\nlog\n")
		panic("the last one")
	},
}

func signal(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(err)
	}
	// Keep working, or the runtime reports a deadlock before the signal arrives.
	for {
		runtime.Gosched()
	}
}

func deeper(n int) int { return deeper(n+1) + 1 }
