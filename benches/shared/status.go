package shared

import (
	"os"
	"strconv"
	"strings"
)

// Status reads /proc/self/status, and adds up the bytes that the fields tell.
func Status(fields ...string) uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	sum := uint64(0)
	for line := range strings.Lines(string(text)) {
		for _, field := range fields {
			if rest, found := strings.CutPrefix(line, field); found {
				kibibytes, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
				if err != nil {
					panic(err)
				}
				sum += kibibytes * 1024
			}
		}
	}
	return sum
}
