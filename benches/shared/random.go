// Package shared is what the benchmarks' programs in Go have in common.
package shared

// Random makes the numbers of random.rs.
type Random struct{ state uint64 }

// NewRandom makes a generator.
func NewRandom(seed uint64) Random { return Random{seed} }

// Next returns any number.
func (r *Random) Next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	mixed := r.state
	mixed = (mixed ^ mixed>>30) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ mixed>>27) * 0x94d049bb133111eb
	return mixed ^ mixed>>31
}

// Below returns a number below limit, which has at most 32 bits.
func (r *Random) Below(limit int) int {
	return int((r.Next() >> 32) * uint64(limit) >> 32)
}

// Size returns one of at least 2^from and less than 2^to: each power of two is as
// likely, and so are the sizes from one to the next.
func (r *Random) Size(from, to int) int {
	number := r.Next()
	power := from + int((number>>32)*uint64(to-from)>>32)
	return 1<<power + int(number&(1<<power-1))
}
