// The goroutines of `cargo xtask bench spawn` as Go has them: each waits on a
// channel that is closed in the end.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"gort.bench/shared"
)

const many = 1_000_000

func main() {
	if len(os.Args) != 4 || os.Args[1] != "spawn" {
		usage()
	}
	scale, err := strconv.Atoi(os.Args[3])
	if err != nil || scale < 1 {
		usage()
	}
	count := many / scale
	before := shared.Status("VmRSS:", "VmPTE:")
	first, after := park(count)
	few := max(count/10, 1)
	again, _ := park(few)
	fmt.Printf("spawn/first %.4f\n", float64(first.Nanoseconds())/float64(count))
	fmt.Printf("spawn/again %.4f\n", float64(again.Nanoseconds())/float64(few))
	fmt.Printf("spawn/bytes %.4f\n", (float64(after)-float64(before))/float64(count))
	fmt.Printf("check %d\n", count+few)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: PROGRAM spawn PROCS SCALE")
	os.Exit(1)
}

// park has goroutines park, and then end. It returns how long it took until all
// were parked, and the resident memory then.
func park(count int) (time.Duration, uint64) {
	var parked, ended atomic.Int64
	release := make(chan struct{})
	start := time.Now()
	for range count {
		go func() {
			parked.Add(1)
			<-release
			ended.Add(1)
		}()
	}
	waitFor(&parked, count)
	took := time.Since(start)
	memory := shared.Status("VmRSS:", "VmPTE:")
	if goroutines := runtime.NumGoroutine(); goroutines != count+1 {
		panic(fmt.Sprintf("there are %d goroutines", goroutines))
	}
	close(release)
	waitFor(&ended, count)
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	return took, memory
}

// waitFor lets others run until there are so many.
func waitFor(counter *atomic.Int64, count int) {
	for counter.Load() < int64(count) {
		runtime.Gosched()
	}
}
