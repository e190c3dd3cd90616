package main

import "gort.bench/shared"

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
