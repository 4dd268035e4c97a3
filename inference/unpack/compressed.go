package unpack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/skiff-ml/skiff/inference"
)

// isGzip reports whether data starts as a member of gzip's format does: RFC
// 1952, 2.3.1.
func isGzip(data []byte) bool { return bytes.HasPrefix(data, []byte("\x1f\x8b\x08")) }

// isZlib reports whether data starts as zlib's format does: RFC 1950, 2.2. With
// the largest window, which everyone uses, that is an x and another byte: no
// JSON, and one in 31 of other texts with an x.
func isZlib(data []byte) bool {
	return len(data) > 2 && data[0] == 0x78 && binary.BigEndian.Uint16(data)%31 == 0
}

// gunzip adds what came out of gzip's format.
func (u *Unpacker) gunzip(key, data []byte, depth int, _ bool) (bool, *inference.Rejection) {
	u.source.Reset(data)
	err := u.gzip.Reset(&u.source)
	return u.unzip(key, "compressed with gzip", &u.gzip, err, gzipSize(data), depth)
}

// inflate adds what came out of zlib's format.
func (u *Unpacker) inflate(key, data []byte, depth int, _ bool) (bool, *inference.Rejection) {
	u.source.Reset(data)
	var err error
	if u.zlib == nil {
		u.zlib, err = zlib.NewReader(&u.source)
	} else {
		err = u.zlib.(zlib.Resetter).Reset(&u.source, nil) //nolint:forcetypeassert // zlib's documentation promises it
	}
	return u.unzip(key, "compressed with zlib", u.zlib, err, 4*len(data), depth)
}

var errBehind = errors.New("there are bytes behind its end")

// unzip adds what a reader has, of about so many bytes, or says why not.
func (u *Unpacker) unzip(key []byte, what string, r io.Reader, err error, size, depth int) (bool, *inference.Rejection) {
	var data []byte
	if err == nil {
		data, err = u.readAll(r, size)
	}
	switch {
	case errors.Is(err, errLarge):
		return false, &inference.Rejection{
			Reason: inference.TooLarge, Detail: fmt.Sprintf("it is %s, and what comes out has more than %d bytes", what, MaxBytes),
		}
	case err == nil && u.source.Len() > 0:
		err = errBehind
	}
	if err != nil {
		return false, damaged(what, err)
	}
	return u.add(key, data, depth, true), nil
}

var errLarge = errors.New("too large")

// readAll reads all of r, as long as the record's bound is kept. What was read
// counts, whatever becomes of it: it took its time.
func (u *Unpacker) readAll(r io.Reader, size int) ([]byte, error) {
	const least = 512
	size = max(min(size, u.left+1), least) // one more shows that it is too large
	data := u.spare[:0]
	if cap(data) < size {
		data = make([]byte, 0, size)
	}
	u.spare = nil
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		u.total += n
		if u.left -= n; u.left < 0 {
			u.spare = data // a bomb seldom comes alone
			return nil, errLarge
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)] // more room
		}
	}
}

// gzipSize returns how many bytes a gzip member says that it has, modulo 2^32,
// where that can be true, with one more to see that there are no more.
func gzipSize(data []byte) int {
	const ratio = 1032 // deflate's best
	if len(data) < 4 {
		return 0
	}
	return min(int(binary.LittleEndian.Uint32(data[len(data)-4:])), ratio*len(data)) + 1
}
