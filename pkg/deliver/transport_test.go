package deliver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
)

// caBundle returns a new certificate in PEM form.
func caBundle(t *testing.T, serial int64) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestTransportsAreSharedAndBounded(t *testing.T) {
	all := newTransports(Config{}.withDefaults())
	system, err := all.secure("")
	if err != nil || system != all.system {
		t.Fatalf("no CA certificates: %p, %v; want the system's %p", system, err, all.system)
	}
	often := caBundle(t, 0)
	first, err := all.secure(often)
	if err != nil || first == system {
		t.Fatalf("a CA bundle shares the system's transport (%v)", err)
	}
	for serial := range int64(2 * maxTransports) {
		if _, err := all.secure(caBundle(t, serial+1)); err != nil {
			t.Fatal(err)
		}
		if again, err := all.secure(often); err != nil || again != first {
			t.Fatalf("after %d others the bundle in use has another transport (%v)", serial+1, err)
		}
	}
	if len(all.bundles) != maxTransports {
		t.Errorf("%d transports kept, want %d", len(all.bundles), maxTransports)
	}
}

func TestTransportSettings(t *testing.T) {
	transport := newTransport(Config{}.withDefaults(), nil)
	if transport.Proxy != nil {
		t.Error("a proxy would be honoured")
	}
	if !transport.DisableCompression {
		t.Error("bodies would be unpacked")
	}
	if transport.TLSHandshakeTimeout != connectTimeout/2 {
		t.Errorf("TLS handshake timeout %v is not half of the budget", transport.TLSHandshakeTimeout)
	}
	if transport.IdleConnTimeout != DefaultIdleTimeout {
		t.Errorf("idle timeout %v, want %v", transport.IdleConnTimeout, DefaultIdleTimeout)
	}
	if transport.MaxConnsPerHost != 0 {
		t.Error("a hanging target could block another one at the same host")
	}
}
