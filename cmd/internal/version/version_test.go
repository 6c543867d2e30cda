package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	const revision = "0123456789abcdef0123456789abcdef01234567"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	for name, c := range map[string]struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		"a release":          {"v0.3.0", vcs("false"), "v0.3.0 (commit 0123456789ab)"},
		"between releases":   {"v0.3.1-0.20261127200000-0123456789ab+dirty", vcs("true"), "v0.3.1-0.20261127200000-0123456789ab+dirty"},
		"without git":        {"(devel)", nil, "(devel)"},
		"a changed checkout": {"(devel)", vcs("true"), "(devel) (commit 0123456789ab, changed since)"},
		"a test":             {"", nil, "(devel)"},
	} {
		got := describe(&debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: c.version}, Settings: c.settings})
		if want := c.want + " go1.26 " + runtime.GOOS + "/" + runtime.GOARCH; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
