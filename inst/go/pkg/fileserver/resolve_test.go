package fileserver

import (
	"testing"
)

func TestWindowsNames(t *testing.T) {
	for name, want := range map[string]bool{
		"": true, "a.txt": true, ".Rbuildignore": true, "..Rcheck/x": true, "a b": true,
		"a.txt:stream": false, "C:/x": false, `a\b`: false, "PROGRA~1": false, "a.": false, "a ": false, "a./b": false,
	} {
		if got := validWindowsName(name); got != want {
			t.Errorf("validWindowsName(%q) = %v", name, got)
		}
	}
}
