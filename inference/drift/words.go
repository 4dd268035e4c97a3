package drift

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

const (
	// WordBytes is how much is kept of a word, in bytes.
	WordBytes = 64

	maxKept = 256 // words of a column that are counted at a time
	maxTold = 20  // of them are told
)

// A top counts the most frequent words of a stream in bounded memory, by Space
// Saving: where a new word finds no room, it takes the place, and the count, of
// the rarest. A word of more than a 256th of all is surely there.
// Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k
// Elements in Data Streams (ICDT 2005).
type top struct {
	seed   maphash.Seed
	hashes [maxKept]uint64
	kept   [maxKept]kept
	n      int // of them are there
}

type kept struct {
	text    []byte
	n, over int
}

func newTop() *top { return &top{seed: maphash.MakeSeed()} }

// see counts a word.
func (t *top) see(word []byte) {
	word = cut(word)
	hash := maphash.Bytes(t.seed, word)
	for i, h := range t.hashes[:t.n] {
		if h == hash && string(t.kept[i].text) == string(word) {
			t.kept[i].n++
			return
		}
	}
	at := t.n
	if t.n < maxKept {
		t.n++
	} else {
		at = 0
		for i := range t.kept {
			if t.kept[i].n < t.kept[at].n {
				at = i
			}
		}
	}
	k := &t.kept[at]
	k.over = k.n
	k.n++
	k.text = append(k.text[:0], word...)
	t.hashes[at] = hash
}

// words returns the most frequent.
func (t *top) words() []Word {
	words := make([]Word, t.n)
	for i := range words {
		k := &t.kept[i]
		words[i] = Word{strings.ToValidUTF8(string(k.text), "\ufffd"), k.n, k.over}
	}
	sortWords(words)
	return words[:min(len(words), maxTold)]
}

// forget forgets all, and keeps the memory.
func (t *top) forget() {
	for i := range t.kept[:t.n] {
		t.kept[i].n = 0
	}
	t.n = 0
}

// cut returns the start of a word that is too long, up to a whole letter.
func cut(word []byte) []byte {
	if len(word) <= WordBytes {
		return word
	}
	end := WordBytes
	for end > WordBytes-utf8.UTFMax && !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}
