package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

// mount writes files as a mounted ConfigMap or Secret has them.
func mount(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestReadNATS(t *testing.T) {
	connection := mount(t, map[string]string{"url": "nats://a,nats://b\n", "prefix": "kn\n"})
	tests := []struct {
		name        string
		credentials map[string]string
		want        []string // the files that are used
	}{
		{"no Secret", nil, nil},
		{"credentials", map[string]string{"creds": "x"}, []string{"creds"}},
		{"nkey and server CA", map[string]string{"nkey": "x", "ca.crt": "x"}, []string{"nkey", "ca.crt"}},
		{"mTLS", map[string]string{"ca.crt": "x", "tls.crt": "x", "tls.key": "x"}, []string{"ca.crt", "tls.crt", "tls.key"}},
		{"other keys", map[string]string{"password": "x"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "missing")
			if tt.credentials != nil {
				folder = mount(t, tt.credentials)
			}
			got, err := config.NATSFolders{Config: connection, Credentials: folder}.Read()
			if err != nil || got.URL != "nats://a,nats://b" || got.Prefix != "kn" {
				t.Fatalf("%+v, %v", got, err)
			}
			used := map[string]string{"creds": got.Creds, "nkey": got.NKey, "ca.crt": got.CA, "tls.crt": got.Cert, "tls.key": got.Key}
			for _, name := range tt.want {
				if used[name] != filepath.Join(folder, name) {
					t.Errorf("%s is %q", name, used[name])
				}
				delete(used, name)
			}
			for name, path := range used {
				if path != "" {
					t.Errorf("%s is %q", name, path)
				}
			}
		})
	}
}

func TestNATSWithoutURLIsAnError(t *testing.T) {
	for name, files := range map[string]map[string]string{"no file": nil, "empty": {"url": " \n"}} {
		if got, err := (config.NATSFolders{Config: mount(t, files)}).Read(); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRotationIsSeen(t *testing.T) {
	folders := config.NATSFolders{Config: mount(t, map[string]string{"url": "nats://a"}), Credentials: mount(t, map[string]string{"creds": "old"})}
	before, err := folders.Contents()
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := folders.Changed(before); changed || err != nil {
		t.Errorf("nothing was rotated: %t, %v", changed, err)
	}
	for _, path := range []string{filepath.Join(folders.Credentials, "creds"), filepath.Join(folders.Config, "url"), filepath.Join(folders.Credentials, "ca.crt")} {
		if err := os.WriteFile(path, []byte("new "+path), 0o600); err != nil {
			t.Fatal(err)
		}
		if changed, err := folders.Changed(before); !changed || err != nil {
			t.Errorf("%s was rotated: %t, %v", path, changed, err)
		}
		if before, err = folders.Contents(); err != nil {
			t.Fatal(err)
		}
	}
}
