// The workloads of `cargo xtask bench chan` as Go has them: see work.rs.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// The sizes of work.rs.
const (
	roundTrips      = 500_000
	messages        = 5_000_000
	senders         = 4
	receivers       = 4
	manyEach        = 1_000_000
	leavers         = 100
	leavesEach      = 3_000
	selectCount     = 250_000
	bufferedSelects = 1_000_000
	lockers         = 8
	locksEach       = 1_000_000
	yieldingLocks   = 100_000
	tree            = 1_000_000
	children        = 10
	capacity        = 128
)

// warmUp returns how much of the work goes before what counts.
func warmUp(count int) int { return (count + 7) / 8 }

func main() {
	name, scale := arguments()
	// each has so much done, operations at a time.
	each := func(of, operations int, work func(int) (time.Duration, uint64)) {
		count := max(of/scale, 1)
		work(warmUp(count))
		took, check := work(count)
		fmt.Printf("%s %.4f\n", name, float64(took.Nanoseconds())/float64(operations*count))
		fmt.Printf("check %d\n", check)
	}
	selects := func(capacity int) func(int) (time.Duration, uint64) {
		return func(count int) (time.Duration, uint64) { return selects(count, capacity) }
	}
	locks := func(givesWay bool) func(int) (time.Duration, uint64) {
		return func(count int) (time.Duration, uint64) { return locks(count, givesWay) }
	}
	switch name {
	case "chan/ping-pong":
		each(roundTrips, 1, pingPong)
	case "chan/buffered":
		each(messages, 1, buffered)
	case "chan/many":
		each(manyEach, senders, many)
	case "chan/close":
		each(leavesEach, leavers, closes)
	case "chan/select":
		each(selectCount, 2, selects(0))
	case "chan/select-buffered":
		each(bufferedSelects, 2, selects(capacity))
	case "chan/mutex":
		each(locksEach, lockers, locks(false))
	case "chan/mutex-yield":
		each(yieldingLocks, lockers, locks(true))
	case "chan/skynet":
		leaves := 1
		for leaves*children <= max(tree/scale, 1) {
			leaves *= children // all levels are full
		}
		first, _ := skynet(leaves)
		again, sum := skynet(leaves)
		fmt.Printf("%s/first %.4f\n", name, float64(first.Nanoseconds())/1e6)
		fmt.Printf("%s/again %.4f\n", name, float64(again.Nanoseconds())/1e6)
		fmt.Printf("check %d\n", sum)
	default:
		usage()
	}
}

// arguments reads the command line.
func arguments() (name string, scale int) {
	if len(os.Args) != 4 {
		usage()
	}
	procs, _ := strconv.Atoi(os.Args[2])
	scale, _ = strconv.Atoi(os.Args[3])
	if procs < 1 || procs > 2 || scale < 1 {
		usage()
	}
	return os.Args[1], scale
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: PROGRAM chan/SCENARIO PROCS SCALE")
	os.Exit(1)
}
