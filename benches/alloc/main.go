// The workloads of `cargo xtask bench alloc` as Go has them: see mod.rs. What Rust
// frees, the garbage collector finds, whenever it runs.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gort.bench/shared"
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

// marks are those that were written and those that were found again.
type marks struct{ written, found uint64 }

func (m *marks) allocate(r *shared.Random) []byte {
	size, mark := r.Size(4, 12), r.Next()
	m.written += mark
	return shared.NewBlock(size, mark)
}

func (m *marks) free(block []byte) { m.found += shared.MarkOf(block) }

func (m *marks) check() uint64 {
	if m.written != m.found {
		panic("what was written is not there")
	}
	return m.found
}

// mixed: a random block of many is replaced.
type mixed struct {
	shared.Random
	marks
	live [][]byte
}

func newMixed(seed uint64) workload {
	m := &mixed{Random: shared.NewRandom(seed)}
	for range 10_000 {
		m.live = append(m.live, m.allocate(&m.Random))
	}
	return m
}

func (m *mixed) operations() int { return 1_000 }

func (m *mixed) round() {
	last := len(m.live) - 1
	for range m.operations() {
		index := m.Below(len(m.live))
		m.free(m.live[index])
		m.live[index] = m.live[last]
		m.live[last] = m.allocate(&m.Random)
	}
}

func (m *mixed) end() uint64 {
	for _, block := range m.live {
		m.free(block)
	}
	return m.check()
}

// batches: many are allocated, then all are freed.
type batches struct {
	shared.Random
	marks
	batch [1_000][]byte
}

func newBatches(seed uint64) workload { return &batches{Random: shared.NewRandom(seed)} }

func (b *batches) operations() int { return 2 * len(b.batch) }

func (b *batches) fill() {
	for place := range b.batch {
		b.batch[place] = b.allocate(&b.Random)
	}
}

func (b *batches) round() {
	b.fill()
	for place := range b.batch {
		b.free(b.batch[place])
		b.batch[place] = nil
	}
	b.fill()
	for place := len(b.batch) - 1; place >= 0; place-- {
		b.free(b.batch[place])
		b.batch[place] = nil
	}
}

func (b *batches) end() uint64 { return b.check() }

// pairs: one block, again and again.
type pairs struct {
	marks
	last uint64
}

// seen keeps a block from staying on the stack; one for each worker.
var seen [2]struct {
	block []byte
	_     [128]byte
}

func newPairs(seed uint64) workload { return &pairs{last: seed} }

func (p *pairs) operations() int { return 1_000 }

func (p *pairs) round() {
	worker := &seen[p.last%2]
	for range p.operations() {
		p.last++
		p.written += p.last
		worker.block = shared.NewBlock(64, p.last)
		p.free(worker.block)
	}
}

func (p *pairs) end() uint64 { return p.check() }

// growth: slices that grow by append.
type growth struct {
	from, to  int
	last, sum uint64
	seen      []uint64
}

func newGrowth(from, to int) func(uint64) workload {
	return func(seed uint64) workload { return &growth{from: from, to: to, last: seed} }
}

func (g *growth) operations() int { return ((g.to-g.from)/2 + 1) << g.to }

func (g *growth) round() {
	for power := g.from; power <= g.to; power += 2 {
		for range 1 << (g.to - power) {
			g.grow(1 << power)
		}
	}
}

func (g *growth) grow(length int) {
	var words []uint64
	for word := g.last; word < g.last+uint64(length); word++ {
		words = append(words, word)
	}
	g.seen = words
	for _, place := range []int{0, length / 3, length / 2, length - 1} {
		if len(words) != length || words[place] != g.last+uint64(place) {
			panic("what was written is not there")
		}
	}
	g.sum += words[length-1]
	g.last += uint64(length)
}

func (g *growth) end() uint64 { return g.sum }

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
