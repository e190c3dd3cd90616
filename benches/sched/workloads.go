package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// turns counts how often another one's turn came.
type turns struct{ last, changes atomic.Int64 }

func (t *turns) take(who int) {
	if t.last.Swap(int64(who)) != int64(who) {
		t.changes.Add(1)
	}
}

// checkTurns has two give way to each other, and checks that on one processor each
// yield lets the other go on.
func checkTurns(count, procs int) {
	seen := new(turns)
	seen.last.Store(-1)
	_, yielded := yields(count, seen)
	if changes := int(seen.changes.Load()); procs == 1 && changes < yielded-yielded/10 {
		panic(fmt.Sprintf("%d yields, and only %d times another went on", yielded, changes))
	}
}

// yields has two give way to each other.
func yields(count int, seen *turns) (time.Duration, int) {
	var both sync.WaitGroup
	var done [2]int
	start := time.Now()
	for who := range 2 {
		both.Go(func() {
			yielded := 0
			for range count {
				if seen != nil {
					seen.take(who)
				}
				runtime.Gosched()
				yielded++
			}
			done[who] = yielded
		})
	}
	both.Wait()
	return time.Since(start), done[0] + done[1]
}

// spawnWait spawns one and waits for it, again and again.
func spawnWait(count int) (time.Duration, int) {
	var one sync.WaitGroup
	sum := 0
	start := time.Now()
	for number := range count {
		one.Go(func() { sum += number })
		one.Wait()
	}
	return time.Since(start), sum
}

// spawnSignal does the same with a channel.
func spawnSignal(count int) (time.Duration, int) {
	done := make(chan int)
	sum := 0
	start := time.Now()
	for number := range count {
		go func() { done <- number }()
		sum += <-done
	}
	return time.Since(start), sum
}

// spawnMany spawns many and waits for all, again and again.
func spawnMany(batches int) (time.Duration, int) {
	var all sync.WaitGroup
	var results [batchSize]int
	sum := 0
	start := time.Now()
	for range batches {
		for number := range batchSize {
			all.Go(func() { results[number] = number })
		}
		all.Wait()
		for number := range results {
			sum += results[number]
			results[number] = 0
		}
	}
	return time.Since(start), sum
}

// wakes wakes one on the other processor, again and again, and returns in order of
// size how long it took until that one ran, which was elsewhere: here it could not.
func wakes(count int) []time.Duration {
	wake := make(chan struct{}, 1)
	var answer atomic.Int64 // since the beginning
	begin := time.Now()
	var sleeper sync.WaitGroup
	sleeper.Go(func() {
		for range wake {
			answer.Store(int64(time.Since(begin)))
		}
	})
	times := make([]time.Duration, 0, count)
	for range count {
		// It parks meanwhile, and its processor, with nothing to do, sleeps.
		for start := time.Now(); time.Since(start) < settle; {
		}
		answer.Store(0)
		woken := time.Since(begin)
		wake <- struct{}{}
		for spins := 0; answer.Load() == 0; spins++ {
			if spins%1000 == 999 && time.Since(begin) > woken+latest {
				panic("who was woken does not run")
			}
		}
		times = append(times, time.Duration(answer.Load())-woken)
	}
	close(wake)
	sleeper.Wait()
	slices.Sort(times)
	return times
}

// sleeps has many sleep.
func sleeps(sleepers, times int) (time.Duration, int) {
	var all sync.WaitGroup
	var slept atomic.Int64
	start := time.Now()
	for number := range sleepers {
		all.Go(func() {
			for range times {
				if number%observed == 0 {
					before := time.Now()
					time.Sleep(nap)
					if took := time.Since(before); took < nap {
						panic(fmt.Sprintf("1 ms was over after %v", took))
					}
				} else {
					time.Sleep(nap)
				}
			}
			slept.Add(int64(times))
		})
	}
	all.Wait()
	return time.Since(start), int(slept.Load())
}

// park has many park for good.
func park(count int) {
	var parked sync.WaitGroup
	never := make(chan struct{})
	parked.Add(count)
	for range count {
		go func() {
			parked.Done()
			<-never
		}()
	}
	parked.Wait()
}
