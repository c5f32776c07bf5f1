// A server for the tests: functions that take long, fail, panic or exit.
package main

import (
	"errors"
	"log"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/pkg/rgoipc"
)

func main() {
	registry := rgoipc.NewRegistry()
	for name, handler := range map[string]rgoipc.FunctionHandler{
		"echo": func(rec arrow.Record) (arrow.Record, error) { rec.Retain(); return rec, nil },
		"fail": func(arrow.Record) (arrow.Record, error) {
			return nil, errors.New("the {file} is {{gone}}")
		},
		"not_found": func(arrow.Record) (arrow.Record, error) {
			return nil, &rgoipc.Error{Code: rgoipc.CodeNotFound, Message: "no such sample"}
		},
		"panic": func(arrow.Record) (arrow.Record, error) {
			var values []int
			return nil, errors.New(string(rune(values[3])))
		},
		"exit": func(arrow.Record) (arrow.Record, error) { os.Exit(3); return nil, nil },
		// interrupt sends SIGINT to a process and never returns.
		"interrupt": func(rec arrow.Record) (arrow.Record, error) {
			process, err := os.FindProcess(int(rec.Column(0).(*array.Int32).Value(0)))
			if err != nil {
				return nil, err
			}
			if err := process.Signal(os.Interrupt); err != nil {
				return nil, err
			}
			select {}
		},
		// work stands for a computation that takes the given number of seconds.
		"work": func(rec arrow.Record) (arrow.Record, error) {
			seconds := rec.Column(0).(*array.Float64).Value(0)
			<-time.After(time.Duration(seconds * float64(time.Second)))
			rec.Retain()
			return rec, nil
		},
	} {
		if err := registry.Register(name, handler, rgoipc.FunctionSignature{}); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry)
}
