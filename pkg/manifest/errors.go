package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// maxReported bounds the errors of one Load; one wrong template can make thousands.
const maxReported = 20

// FileError is one thing wrong with one file. The error that Load returns joins them (errors.As finds the first).
type FileError struct {
	// File is the path as Load was given it.
	File string
	// Line counts from 1; 0 means the file as a whole.
	Line int
	Err  error
}

// Error returns file:line: message, which editors and terminals turn into links.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns the cause, such as fs.ErrNotExist.
func (e *FileError) Unwrap() error { return e.Err }

// problems collects what is wrong with all files.
type problems struct {
	all []*FileError
}

func (p *problems) add(file string, line int, err error) {
	p.all = append(p.all, &FileError{File: file, Line: line, Err: err})
}

// err joins the problems in the order of files and lines, at most maxReported of them; nil when there are none.
func (p *problems) err() error {
	slices.SortStableFunc(p.all, func(a, b *FileError) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var reported []error
	for _, problem := range p.all[:min(len(p.all), maxReported)] {
		reported = append(reported, problem)
	}
	if more := len(p.all) - maxReported; more > 0 {
		reported = append(reported, fmt.Errorf("and %d more errors", more))
	}
	return errors.Join(reported...)
}
