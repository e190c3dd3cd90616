package main

import (
	"runtime"
	"sync"
	"time"
)

// pingPong sends a number to another one, which sends it back, again and again.
func pingPong(count int) (time.Duration, uint64) {
	ping, pong := make(chan uint64), make(chan uint64)
	sum := uint64(0)
	start := time.Now()
	go func() {
		for number := range ping {
			pong <- number
		}
	}()
	for number := range uint64(count) {
		ping <- number
		sum += <-pong
	}
	took := time.Since(start)
	close(ping)
	return took, sum
}

// produce sends so many numbers.
func produce(to chan<- uint64, count int) {
	for number := range uint64(count) {
		to <- number
	}
}

// consume receives until there is no more, and returns the sum.
func consume(from <-chan uint64) uint64 {
	sum := uint64(0)
	for number := range from {
		sum += number
	}
	return sum
}

// buffered has one send what another receives.
func buffered(count int) (time.Duration, uint64) {
	numbers := make(chan uint64, capacity)
	start := time.Now()
	go func() {
		produce(numbers, count)
		close(numbers)
	}()
	sum := consume(numbers)
	return time.Since(start), sum
}

// sendAll has many send the same; the last one closes.
func sendAll(numbers chan uint64, senders, count int) {
	var all sync.WaitGroup
	for range senders {
		all.Go(func() { produce(numbers, count) })
	}
	go func() {
		all.Wait()
		close(numbers)
	}()
}

// many has some send what some others receive.
func many(count int) (time.Duration, uint64) {
	numbers := make(chan uint64, capacity)
	var all sync.WaitGroup
	var sums [receivers]uint64
	start := time.Now()
	sendAll(numbers, senders, count)
	for who := range receivers {
		all.Go(func() { sums[who] = consume(numbers) })
	}
	all.Wait()
	took := time.Since(start)
	sum := uint64(0)
	for _, part := range sums {
		sum += part
	}
	return took, sum
}

// closes receives what many send until all of them have gone.
func closes(count int) (time.Duration, uint64) {
	numbers := make(chan uint64, capacity)
	start := time.Now()
	sendAll(numbers, leavers, count)
	sum := consume(numbers)
	return time.Since(start), sum
}

// selects receives what two send by a channel each.
func selects(count, capacity int) (time.Duration, uint64) {
	one, other := make(chan uint64, capacity), make(chan uint64, capacity)
	sum := uint64(0)
	start := time.Now()
	go produce(one, count)
	go produce(other, count)
	for range 2 * count {
		select {
		case number := <-one:
			sum += number
		case number := <-other:
			sum += number
		}
	}
	return time.Since(start), sum
}

// sequence is what the lock protects.
type sequence struct {
	sync.Mutex
	number uint64
}

// step goes a step on.
func (s *sequence) step() {
	s.number ^= s.number << 13
	s.number ^= s.number >> 7
	s.number ^= s.number << 17
}

// locks has some change what one lock protects.
func locks(count int, givesWay bool) (time.Duration, uint64) {
	shared := &sequence{number: 88_172_645_463_325_252}
	var all sync.WaitGroup
	start := time.Now()
	for range lockers {
		all.Go(func() {
			for range count {
				shared.Lock()
				shared.step()
				if givesWay {
					runtime.Gosched()
				}
				shared.Unlock()
			}
		})
	}
	all.Wait()
	return time.Since(start), shared.number
}

// skynet starts a tree of them, and waits for the sum.
func skynet(leaves int) (time.Duration, uint64) {
	result := make(chan uint64)
	start := time.Now()
	go grow(result, 0, leaves)
	sum := <-result
	return time.Since(start), sum
}

// grow is one of the tree: it sends its number, or the sum of those under it.
func grow(parent chan<- uint64, first uint64, leaves int) {
	if leaves == 1 {
		parent <- first
		return
	}
	numbers := make(chan uint64)
	part := leaves / children
	for child := range children {
		go grow(numbers, first+uint64(child*part), part)
	}
	sum := uint64(0)
	for range children {
		sum += <-numbers
	}
	parent <- sum
}
