package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rowRuns are the runs that the rows of each id are measured by, their floors' and those that a rate comes from among them.
func rowRuns() map[string][]string {
	return map[string][]string{
		"P1":  {"f2a", "f2b", "p1"},
		"P2":  {"f2b", "p1"},
		"P3":  {"f2b", "f2b-half", "p3"},
		"P4":  {"p1", "p4-structured", "p4-large", "p4-structured-large"},
		"P5":  {streamRun, "p5"},
		"P6":  {streamRun, "f1", "f2b", "p6"},
		"P7":  {"p6", "f6", "p7"},
		"P8":  {streamRun, "f1", "f2b", "p8"},
		"P9":  {"p6", "p9"},
		"P10": {"p6", "p10-suffix", "p10-cesql"},
		"P11": {streamRun, "f1-slow", "f2b-slow", "p11"},
		"P12": {"p6", "p12-healthy", "p12"},
		"P13": {"p6", "p13"},
		"P14": {streamRun, "f1", "p14"},
		"P15": {streamRun, "f1", "f2b", "p15"},
		"P16": {idleRun},
		"P17": {"p6", "p17", "p17-100", "p17-1000", "p17-trim", "p17-1000-trim"},
	}
}

// Rows returns the targets with these ids, in their order, and the runs that they need; no ids are all. Case does not matter.
func Rows(ids []string) (rows []Target, needed []string, err error) {
	runs, known := map[string]bool{}, rowRuns()
	chosen := map[string]bool{}
	for _, id := range ids {
		id = strings.ToUpper(strings.TrimSpace(id))
		if known[id] == nil {
			return nil, nil, fmt.Errorf("there is no row %q; there are P1 to P%d", id, len(known))
		}
		chosen[id] = true
	}
	for _, t := range targets() {
		if len(ids) > 0 && !chosen[t.ID] {
			continue
		}
		rows = append(rows, t)
		for _, name := range known[t.ID] {
			runs[name] = true
		}
	}
	return rows, slices.Sorted(maps.Keys(runs)), nil
}
