// Package coded makes bodies with a content coding, for tests.
package coded

import (
	"bytes"
	"compress/gzip"
)

// Gzip returns the data as one gzip member.
func Gzip(data string) string {
	var coded bytes.Buffer
	w := gzip.NewWriter(&coded)
	_, _ = w.Write([]byte(data)) // a buffer takes everything
	_ = w.Close()
	return coded.String()
}
