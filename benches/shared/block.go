package shared

import "encoding/binary"

// NewBlock allocates a block with a mark in its first and in its last word.
func NewBlock(size int, mark uint64) []byte {
	block := make([]byte, size)
	binary.LittleEndian.PutUint64(block, mark)
	binary.LittleEndian.PutUint64(block[size-8:], ^mark)
	return block
}

// MarkOf returns the mark of a block.
func MarkOf(block []byte) uint64 {
	mark := binary.LittleEndian.Uint64(block)
	if mark != ^binary.LittleEndian.Uint64(block[len(block)-8:]) {
		panic("a block was damaged")
	}
	return mark
}
