package body

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// AcceptEncoding names Decode's content codings as an Accept-Encoding header does (RFC 7694).
const AcceptEncoding = "gzip, identity"

// maxCodings bounds the codings on top of each other: nobody needs more than one.
const maxCodings = 4

// firstDecoded is the first buffer of a decoded body, in bytes. The buffer doubles when full.
const firstDecoded = 4 << 10

// readerBytes is the memory of a gzip reader, mostly its window of 32 KiB.
const readerBytes = 44 << 10

// Decode removes the content codings of the body that came with these headers (RFC 9110 8.4).
// Without a coding it returns the body itself. An empty body stays empty in any coding.
//
// Errors: ErrCoding for a coding other than gzip and identity, ErrCoded for a body that is not
// coded as announced, ErrTooLarge for more than room.Limit bytes, and room.Grow's. Decode never
// holds more than room.Limit decoded bytes.
func Decode(h http.Header, body []byte, room Room) ([]byte, error) {
	codings, err := contentCodings(h["Content-Encoding"])
	if err != nil {
		return nil, err
	}
	for range codings {
		if len(body) == 0 {
			break
		}
		if body, err = gunzip(body, room); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// DecodeHead decodes what it can of head, the first part of a body such as an error text, up to
// most bytes. In a coding that Decode does not know it returns head.
func DecodeHead(h http.Header, head []byte, most int64) []byte {
	codings, err := contentCodings(h["Content-Encoding"])
	if err != nil {
		return head
	}
	for range codings {
		decoded, err := gunzip(head, Room{Limit: most})
		if err != nil && len(decoded) == 0 {
			return head
		}
		head = decoded[:min(int64(len(decoded)), most)]
	}
	return head
}

// contentCodings counts the gzip codings in the values of a Content-Encoding header.
func contentCodings(values []string) (gzips int, err error) {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			switch coding = strings.TrimSpace(coding); {
			case coding == "", strings.EqualFold(coding, "identity"):
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				gzips++
			default:
				return 0, fmt.Errorf("%w %.40q", ErrCoding, coding)
			}
		}
	}
	if gzips > maxCodings {
		return 0, fmt.Errorf("%w: gzip %d times", ErrCoding, gzips)
	}
	return gzips, nil
}

// gunzip decodes all members of the body, which nothing else may follow (RFC 1952 2.2). With an
// error it returns what it has decoded so far.
func gunzip(body []byte, room Room) ([]byte, error) {
	if err := room.grow(readerBytes); err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %w", ErrCoded, err)
	}
	decoded, err := room.read(gunzipped{reader}, -1, firstDecoded)
	if int64(len(decoded)) > room.Limit {
		return decoded, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, room.Limit)
	}
	return decoded, err
}

// gunzipped marks faults of the body as ErrCoded, unlike errors of Room.Grow.
type gunzipped struct{ *gzip.Reader }

func (g gunzipped) Read(b []byte) (int, error) {
	n, err := g.Reader.Read(b)
	if err != nil && err != io.EOF { //nolint:errorlint // a Reader says it so
		err = fmt.Errorf("%w: gzip: %w", ErrCoded, err)
	}
	return n, err
}
