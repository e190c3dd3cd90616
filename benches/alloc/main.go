// The workloads of `cargo xtask bench alloc` as Go has them: see mod.rs. What Rust
// frees, the garbage collector finds, whenever it runs.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// One round of warm-up for so many that count.
const warmUp = 8

// A workload does its work in rounds.
type workload interface {
	operations() int
	round()
	end() uint64
}

func main() {
	scenario, workers, scale := arguments()
	rounds := func(count int) int { return max(count/scale, 1) }
	var took time.Duration
	var operations int
	var sum uint64
	switch scenario {
	case "mixed":
		took, operations, sum = work(newMixed, workers, rounds(2_000))
	case "batches":
		took, operations, sum = work(newBatches, workers, rounds(1_500))
	case "cross":
		took, operations, sum = cross(rounds(1_000_000))
	case "growth":
		took, operations, sum = work(newGrowth(4, 12), workers, rounds(1_500))
	case "growth-large":
		took, operations, sum = work(newGrowth(14, 20), workers, rounds(20))
	case "pairs":
		took, operations, sum = work(newPairs, workers, rounds(10_000))
	default:
		usage()
	}
	fmt.Printf("alloc/%s %.4f\n", scenario, float64(took.Nanoseconds())/float64(operations))
	fmt.Printf("check %d\n", sum)
}

// arguments reads the command line.
func arguments() (scenario string, workers, scale int) {
	if len(os.Args) != 4 {
		usage()
	}
	scenario, found := strings.CutPrefix(os.Args[1], "alloc/")
	workers, _ = strconv.Atoi(os.Args[2])
	scale, _ = strconv.Atoi(os.Args[3])
	if !found || workers < 1 || workers > 2 || scale < 1 {
		usage()
	}
	return scenario, workers, scale
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: PROGRAM alloc/SCENARIO PROCS SCALE")
	os.Exit(1)
}

// work has the workers do as many rounds each; the time is from the first one's
// start to the last one's end.
func work(make func(seed uint64) workload, workers, rounds int) (time.Duration, int, uint64) {
	var ready, done sync.WaitGroup
	var operations, sum atomic.Uint64
	starts, ends := [2]time.Time{}, [2]time.Time{}
	ready.Add(workers)
	for worker := range workers {
		done.Go(func() {
			load := make(uint64(worker + 1))
			for range (rounds + warmUp - 1) / warmUp {
				load.round()
			}
			ready.Done()
			ready.Wait()
			starts[worker] = time.Now()
			for range rounds {
				load.round()
			}
			ends[worker] = time.Now()
			operations.Add(uint64(rounds * load.operations()))
			sum.Add(load.end())
		})
	}
	done.Wait()
	start, end := starts[0], ends[0]
	if workers == 2 && starts[1].Before(start) {
		start = starts[1]
	}
	if workers == 2 && ends[1].After(end) {
		end = ends[1]
	}
	return end.Sub(start), int(operations.Load()), sum.Load()
}
