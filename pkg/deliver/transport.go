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
	// maxTransports bounds the CA bundles in use. A cluster has one or two, or three in a rotation.
	maxTransports = 64
	// maxResponseHeader is twice what a reply's attributes may take in NATS (65,535 bytes).
	maxResponseHeader = 128 << 10
	// maxIdle bounds the idle connections of a transport to all hosts.
	maxIdle = 4096
	// ping is how long an HTTP/2 connection may be silent before a ping, and may take to answer.
	ping = 15 * time.Second
)

// transports has a transport for http, one for https, and one for each CA bundle in use.
type transports struct {
	config Config
	plain  *plain
	system *http.Transport // trusts the system's CAs alone

	mu      sync.Mutex
	bundles []bundle // in order of last use
}

// bundle is the transport that also trusts these CA certificates.
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

// secure returns the transport that trusts the system's CAs and these, as upstream does
// (knative.dev/eventing pkg/eventingtls/eventingtls.go, loadCertPool). Errors: ErrCACerts.
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
		t.bundles[0].transport.CloseIdleConnections() // running requests end normally
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

// newTransport returns a transport for https, without proxy, compression or redirects. The
// dispatcher bounds the requests per target; a bound per host would let a hanging target block
// others.
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
			// IdleTimeout is short, so connections are made often: resumption makes that cheap.
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
		Protocols: &protocols,
		// Without pings, requests to an HTTP/2 peer that vanished would hang until their timeout.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: ping, PingTimeout: ping},
		IdleConnTimeout:        config.IdleTimeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle, // many targets may be at one host
		MaxResponseHeaderBytes: maxResponseHeader,
		// A body is passed on unchanged.
		DisableCompression: true,
	}
}
