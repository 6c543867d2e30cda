package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/compare"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

func TestJudgement(t *testing.T) {
	failed := suite.Round{Failed: map[string]string{"p6": "accepted events are lost"}}
	for _, test := range []struct {
		name     string
		verdicts []compare.Verdict
		rounds   []compare.Round
		want     error
	}{
		{"nothing is worse", []compare.Verdict{compare.NotWorse, compare.NotJudged, compare.Reported, compare.NotMeasured}, nil, nil},
		{"one row is worse", []compare.Verdict{compare.NotWorse, compare.Worse}, nil, errWorse},
		{"a run of the old version failed", []compare.Verdict{compare.NotWorse}, []compare.Round{{Old: failed}}, nil},
		{"a run of the new version failed", []compare.Verdict{compare.NotWorse}, []compare.Round{{New: failed}}, errWorse},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rows []compare.Row
			for _, v := range test.verdicts {
				rows = append(rows, compare.Row{Verdict: v})
			}
			if err := judgement(rows, test.rounds); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func TestBenchCompareNamesTheWrongFlag(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want  string
		flags compareFlags
	}{
		{"--old", compareFlags{newer: program, rounds: 1, duration: 1}},
		{"--new", compareFlags{older: program, newer: t.TempDir(), rounds: 1, duration: 1}},
		{"--rounds", compareFlags{older: program, newer: program, duration: 1}},
		{"--duration", compareFlags{older: program, newer: program, rounds: 1}},
		{"--only", compareFlags{older: program, newer: program, rounds: 1, duration: 1, only: []string{"p6-half"}}},
	} {
		if _, _, err := test.flags.check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want one that names %s", err, test.want)
		}
	}
}
