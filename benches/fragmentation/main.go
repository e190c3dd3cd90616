// The trace of `cargo xtask bench fragmentation` as Go has it: see mod.rs.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"gort.bench/shared"
)

const (
	liveLimit = 100_000_000   // bytes that are live at most, and nearly always
	churn     = 1_000_000_000 // bytes that are allocated in a phase
	leastLive = 1_000_000     // in a quick look: the largest block must fit in
	leastMean = 64            // there are never more blocks than live bytes by this
)

// A phase has sizes between two powers of two, the second one excluded.
type phase struct {
	name     string
	from, to int
}

var (
	small  = phase{"small", 4, 8}
	medium = phase{"medium", 8, 12}
	large  = phase{"large", 12, 18}
	mixed  = phase{"mixed", 4, 16}
	phases = []phase{small, medium, large, mixed, small, large, medium, small, mixed, small}
)

// heap is the live blocks.
type heap struct {
	shared.Random
	blocks         [][]byte
	live, limit    int
	operations     int
	written, found uint64
}

func main() {
	if len(os.Args) != 4 || os.Args[1] != "fragmentation" {
		usage()
	}
	scale, err := strconv.Atoi(os.Args[3])
	if err != nil || scale < 1 {
		usage()
	}
	h := &heap{Random: shared.NewRandom(1), limit: max(liveLimit/scale, leastLive)}
	h.blocks = make([][]byte, h.limit/leastMean)
	for place := range h.blocks {
		h.blocks[place] = nil // resident from here on
	}
	h.blocks = h.blocks[:0]
	worst, last := 0.0, 0.0
	start := time.Now()
	for _, phase := range phases {
		h.churn(phase, churn/scale)
		last = h.ratio()
		worst = max(worst, last)
		fmt.Printf("# %s: %.3f, %d blocks\n", phase.name, last, len(h.blocks))
	}
	sum := h.end()
	took := time.Since(start)
	fmt.Printf("fragmentation/last %.4f\n", last)
	fmt.Printf("fragmentation/worst %.4f\n", worst)
	fmt.Printf("fragmentation/time %.4f\n", float64(took.Nanoseconds())/float64(h.operations))
	fmt.Printf("check %d\n", sum)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: PROGRAM fragmentation PROCS SCALE")
	os.Exit(1)
}

// churn allocates so many bytes in blocks of a phase's sizes, and forgets others.
func (h *heap) churn(phase phase, bytes int) {
	for bytes > 0 {
		size, mark := h.Size(phase.from, phase.to), h.Next()
		for h.live+size > h.limit {
			index, last := h.Below(len(h.blocks)), len(h.blocks)-1
			block := h.blocks[index]
			h.blocks[index] = h.blocks[last]
			h.blocks[last] = nil
			h.blocks = h.blocks[:last]
			h.live -= len(block)
			h.found += shared.MarkOf(block)
		}
		// Go fills it with zeros, which touches every page.
		h.blocks = append(h.blocks, shared.NewBlock(size, mark))
		h.live += size
		h.written += mark
		h.operations++
		bytes -= size
	}
}

// ratio divides what is resident, without the table, by what is live.
func (h *heap) ratio() float64 {
	table := uint64(cap(h.blocks)) * 24
	return float64(shared.Status("VmRSS:")-table) / float64(h.live)
}

// end checks what is left, and returns the sum of the marks.
func (h *heap) end() uint64 {
	for _, block := range h.blocks {
		h.found += shared.MarkOf(block)
	}
	if h.written != h.found {
		panic("what was written is not there")
	}
	return h.found
}
