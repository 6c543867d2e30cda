package connection

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

func TestFlagsNameAFileThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for name, flags := range map[string]Flags{
		"creds": {Creds: missing}, "nkey": {NKey: missing}, "tls-ca": {CA: missing}, "tls-cert": {Cert: missing}, "tls-key": {Key: missing},
	} {
		flags.Prefix = naming.DefaultPrefix
		if _, err := flags.Options("test", nil); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
