package deliver

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxTransports bounds the CA bundles in use at a time. A cluster has one or two, and one more while they rotate.
	maxTransports = 64
	// maxResponseHeader takes twice what a reply's attributes may need in NATS (65,535 bytes).
	maxResponseHeader = 128 << 10
	// maxIdle bounds the idle connections to all hosts of a transport.
	maxIdle = 4096
	// ping is how often a silent HTTP/2 connection is tested, and how long the answer may take.
	ping = 15 * time.Second
)

// transports keeps one transport for http, and for https one per distinct CA bundle, those used last up to maxTransports.
type transports struct {
	config Config
	plain  *plain
	system *http.Transport // trusts the system's CAs alone

	mu      sync.Mutex
	bundles []bundle // the one that was used last is last
}

// bundle is the transport that trusts these CA certificates too.
type bundle struct {
	caCerts   string
	transport *http.Transport
}

func newTransports(config Config) *transports {
	return &transports{
		config: config,
		plain:  newPlain(config),
		system: newTransport(config, nil),
	}
}

// secure returns the transport that trusts the system's CAs and these, as upstream has it: knative.dev/eventing
// pkg/eventingtls/eventingtls.go (loadCertPool). A bundle without any certificate is ErrCACerts.
func (t *transports) secure(caCerts string) (*http.Transport, error) {
	if caCerts == "" {
		return t.system, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.IndexFunc(t.bundles, func(b bundle) bool { return b.caCerts == caCerts }); at >= 0 {
		known := t.bundles[at]
		t.bundles = append(slices.Delete(t.bundles, at, at+1), known)
		return known.transport, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's CA certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM([]byte(caCerts)) {
		return nil, fmt.Errorf("%w: no certificate in PEM form found", ErrCACerts)
	}
	transport := newTransport(t.config, pool)
	if len(t.bundles) == maxTransports {
		t.bundles[0].transport.CloseIdleConnections() // requests that still run on it end normally
		t.bundles = slices.Delete(t.bundles, 0, 1)
	}
	t.bundles = append(t.bundles, bundle{caCerts, transport})
	return transport, nil
}

func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plain.CloseIdleConnections()
	t.system.CloseIdleConnections()
	for _, b := range t.bundles {
		b.transport.CloseIdleConnections()
	}
}

// newTransport returns a transport for https, without proxy, compression or redirects. The connections of a host are not bounded
// here: the dispatcher bounds the requests of each target, and a bound per host would let one hanging target block another at the same host.
func newTransport(config Config, roots *x509.CertPool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		DialContext:         config.Dial,
		TLSHandshakeTimeout: connectTimeout / 2,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    roots,
			// IdleTimeout is short, so connections are made often; resumption makes that cheap.
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
		Protocols: &protocols,
		// Without pings, requests on an HTTP/2 connection whose peer vanished would hang until their timeout.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: ping, PingTimeout: ping},
		IdleConnTimeout:        config.IdleTimeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle, // many targets may be at one host
		MaxResponseHeaderBytes: maxResponseHeader,
		// A body is handed on as it came: the event in it is the subscriber's, not ours to unpack.
		DisableCompression: true,
	}
}
