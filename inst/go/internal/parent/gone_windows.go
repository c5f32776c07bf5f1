package parent

import (
	"context"
	"os"

	"golang.org/x/sys/windows"
)

// waitTime is how often, in milliseconds, it looks whether the context has ended.
const waitTime = 200

// gone waits for the end of the process and tells whether it ended before ctx did.
func gone(ctx context.Context, pid int) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return true
	}
	defer windows.CloseHandle(process)
	if os.Getppid() != pid {
		return true
	}
	for ctx.Err() == nil {
		event, err := windows.WaitForSingleObject(process, waitTime)
		if err != nil || event == windows.WAIT_OBJECT_0 {
			return err == nil
		}
	}
	return false
}
