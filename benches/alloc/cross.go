package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"gort.bench/shared"
)

// ring hands blocks from one goroutine to another.
type ring struct {
	put    atomic.Uint64
	_      [120]byte
	taken  atomic.Uint64
	_      [120]byte
	places [256][]byte
}

func (r *ring) send(block []byte) {
	put := r.put.Load()
	for put-r.taken.Load() == uint64(len(r.places)) {
		runtime.Gosched()
	}
	r.places[put%uint64(len(r.places))] = block
	r.put.Store(put + 1)
}

func (r *ring) receive() []byte {
	taken := r.taken.Load()
	for r.put.Load() == taken {
		runtime.Gosched()
	}
	place := &r.places[taken%uint64(len(r.places))]
	block := *place
	*place = nil
	r.taken.Store(taken + 1)
	return block
}

// cross has one goroutine allocate, and another one look and forget.
func cross(operations int) (time.Duration, int, uint64) {
	r := new(ring)
	var allSent, allFound uint64
	var ready, done sync.WaitGroup
	var start, end time.Time
	ready.Add(2)
	done.Go(func() {
		random, written := shared.NewRandom(1), uint64(0)
		for count := range operations + (operations+warmUp-1)/warmUp {
			if count == (operations+warmUp-1)/warmUp {
				ready.Done()
				ready.Wait()
				start = time.Now()
			}
			size, mark := random.Size(4, 12), random.Next()
			written += mark
			r.send(shared.NewBlock(size, mark))
		}
		allSent = written
	})
	done.Go(func() {
		found := uint64(0)
		for count := range operations + (operations+warmUp-1)/warmUp {
			if count == (operations+warmUp-1)/warmUp {
				ready.Done()
				ready.Wait()
			}
			found += shared.MarkOf(r.receive())
		}
		end = time.Now()
		allFound = found
	})
	done.Wait()
	both := marks{allSent, allFound}
	return end.Sub(start), operations, both.check()
}
