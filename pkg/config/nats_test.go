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

// Without a folder of credentials, those that happen to lie where the process runs are not its own.
func TestNoFolderOfCredentialsIsNotTheWorkingDirectory(t *testing.T) {
	t.Chdir(mount(t, map[string]string{"creds": "x", "nkey": "x", "ca.crt": "x", "tls.crt": "x", "tls.key": "x"}))
	folders := config.NATSFolders{Config: mount(t, map[string]string{"url": "nats://a"})}
	if got, err := folders.Read(); err != nil || got != (config.NATS{URL: "nats://a"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := folders.Contents(); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOneFolderMayHoldAll(t *testing.T) {
	folder := mount(t, map[string]string{"url": "nats://a", "creds": "x"})
	got, err := config.NATSFolders{Config: folder, Credentials: folder}.Contents()
	if err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNATSWithoutURLIsAnError(t *testing.T) {
	for name, folder := range map[string]string{"empty": mount(t, map[string]string{"url": " \n"}), "no folder": filepath.Join(t.TempDir(), "missing")} {
		if got, err := (config.NATSFolders{Config: folder}).Read(); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAConfigMapWithoutURLMeansTheNATSToTryWith(t *testing.T) {
	got, err := config.NATSFolders{Config: mount(t, map[string]string{"_example": "url: nats://nats.example:4222"})}.Read()
	if err != nil || got != (config.NATS{URL: config.DefaultNATSURL}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRotation(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, connection, credentials string)
		want   config.Rotation
	}{
		{"nothing", func(*testing.T, string, string) {}, config.Unchanged},
		{"the same once more", func(t *testing.T, _, credentials string) { write(t, credentials, "creds", "old") }, config.Unchanged},
		{"something of others", func(t *testing.T, _, credentials string) { write(t, credentials, "password", "new") }, config.Unchanged},
		{"credentials", func(t *testing.T, _, credentials string) { write(t, credentials, "creds", "new") }, config.Renewed},
		{"a client certificate", func(t *testing.T, _, credentials string) {
			write(t, credentials, "tls.crt", "new")
			write(t, credentials, "tls.key", "new")
		}, config.Renewed},
		{"a CA that was not there", func(t *testing.T, _, credentials string) { write(t, credentials, "ca.crt", "new") }, config.Moved},
		{"credentials that went", func(t *testing.T, _, credentials string) {
			if err := os.Remove(filepath.Join(credentials, "creds")); err != nil {
				t.Fatal(err)
			}
		}, config.Moved},
		{"the NKey", func(t *testing.T, _, credentials string) { write(t, credentials, "nkey", "new") }, config.Moved},
		{"the URL", func(t *testing.T, connection, _ string) { write(t, connection, "url", "nats://b") }, config.Moved},
		{"the prefix", func(t *testing.T, connection, _ string) { write(t, connection, "prefix", "b") }, config.Moved},
		{"the URL with credentials", func(t *testing.T, connection, credentials string) {
			write(t, connection, "url", "nats://b")
			write(t, credentials, "creds", "new")
		}, config.Moved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folders := config.NATSFolders{
				Config:      mount(t, map[string]string{"url": "nats://a", "prefix": "a"}),
				Credentials: mount(t, map[string]string{"creds": "old", "nkey": "old", "tls.crt": "old", "tls.key": "old"}),
			}
			before, err := folders.Contents()
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, folders.Config, folders.Credentials)
			now, err := folders.Contents()
			if got := config.RotationOf(before, now); got != tt.want || err != nil {
				t.Errorf("rotation %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
