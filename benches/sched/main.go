// The workloads of `cargo xtask bench sched` as Go has them: see work.rs.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// The sizes of work.rs.
const (
	yieldCount  = 2_000_000
	spawnCount  = 1_000_000
	batchSize   = 100
	batchCount  = 2_000
	wakeCount   = 2_000
	sleepers    = 100_000
	seriesCount = 1_000
	seriesSleep = 100
	parkedCount = 10_000
	settle      = 50 * time.Microsecond
	latest      = 2 * time.Second
	nap         = time.Millisecond
	observed    = 64
)

// warmUp returns how much of the work goes before what counts.
func warmUp(count int) int { return (count + 7) / 8 }

func main() {
	name, procs, scale := arguments()
	part := func(of int) int { return max(of/scale, 1) }
	each := func(took time.Duration, operations, check int) {
		fmt.Printf("%s %.4f\n", name, float64(took.Nanoseconds())/float64(operations))
		fmt.Printf("check %d\n", check)
	}
	all := func(sleepers, times int) {
		first, _ := sleeps(sleepers, times)
		again, sum := sleeps(sleepers, times)
		fmt.Printf("%s/first %.4f\n", name, float64(first.Nanoseconds())/1e6)
		fmt.Printf("%s/again %.4f\n", name, float64(again.Nanoseconds())/1e6)
		fmt.Printf("check %d\n", sum)
	}
	switch name {
	case "sched/yield":
		count := part(yieldCount)
		checkTurns(warmUp(count), procs)
		took, sum := yields(count, nil)
		each(took, 2*count, sum)
	case "sched/spawn-wait":
		count := part(spawnCount)
		spawnWait(warmUp(count))
		took, sum := spawnWait(count)
		each(took, count, sum)
	case "sched/spawn-signal":
		count := part(spawnCount)
		spawnSignal(warmUp(count))
		took, sum := spawnSignal(count)
		each(took, count, sum)
	case "sched/spawn-many":
		batches := part(batchCount)
		spawnMany(warmUp(batches))
		took, sum := spawnMany(batches)
		each(took, batches*batchSize, sum)
	case "sched/wake":
		times := wakes(part(wakeCount))
		fmt.Printf("%s/median %d\n", name, times[len(times)/2].Nanoseconds())
		fmt.Printf("%s/p90 %d\n", name, times[len(times)*9/10].Nanoseconds())
		fmt.Printf("check %d\n", len(times))
	case "sched/sleep":
		all(part(sleepers), 1)
	case "sched/sleep-series":
		all(part(seriesCount), seriesSleep)
	case "sched/idle":
		park(parkedCount)
		fmt.Printf("parked %d\n", parkedCount)
		time.Sleep(time.Hour)
	default:
		usage()
	}
}

// arguments reads the command line.
func arguments() (name string, procs, scale int) {
	if len(os.Args) != 4 {
		usage()
	}
	procs, _ = strconv.Atoi(os.Args[2])
	scale, _ = strconv.Atoi(os.Args[3])
	if procs < 1 || procs > 2 || scale < 1 {
		usage()
	}
	return os.Args[1], procs, scale
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: PROGRAM sched/SCENARIO PROCS SCALE")
	os.Exit(1)
}
