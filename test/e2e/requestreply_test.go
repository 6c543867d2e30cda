package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"knative.dev/eventing/pkg/requestreply"
)

// TestRepliesOfRequestReplyAreRecognised asks, as the Triggers do that upstream's RequestReply makes, for the ids it seals.
func TestRepliesOfRequestReplyAreRecognised(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	natsURL := startNATS(t, manifest(b, triggerOf(b, "replies", s.URL+"/replies",
		`filters: [{cesql: 'KN_VERIFY_CORRELATION_ID(replyid, "orders", "default", "request-reply-keys", 1, 2)'}]`)))
	listen := "127.0.0.1:" + freePort(t)
	startPart(t, built.ingress, natsURL, "--listen", listen)
	startPart(t, built.filter, natsURL, "--request-reply-keys", mounted(t, map[string]string{"default.orders.key": key}))
	for i, sealedWith := range []string{"fedcba9876543210", key} {
		reply(t, "http://"+listen, fmt.Sprint(i), sealedWith)
	}
	if visits := s.gets(t, "/replies", 1); visits[0].id() != "1" {
		t.Errorf("a forged reply arrives: %v", visits[0].header)
	}
}

// reply sends the reply with this id to a request that was sealed with a key.
func reply(t *testing.T, url, id, sealedWith string) {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID("request")
	if err := requestreply.SetCorrelationId(&e, "correlationid", []byte(sealedWith), 3); err != nil {
		t.Fatal(err)
	}
	header := event("reply", id, "ce-replyid", e.Extensions()["correlationid"].(string))
	if got := (call{url: url + "/default/default", header: header}).do(t); got.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
}

// TestRepliesWaitForTheirKey sends them while the mounted Secret has no key yet. Who has another Trigger gets them at once.
func TestRepliesWaitForTheirKey(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	natsURL := startNATS(t, manifest(b, triggerOf(b, "all", s.URL+"/all"), triggerOf(b, "replies", s.URL+"/replies",
		`filters: [{cesql: 'KN_VERIFY_CORRELATION_ID(replyid, "orders", "default", "request-reply-keys", 1, 2)'}]`)))
	listen, folder := "127.0.0.1:"+freePort(t), mounted(t, nil)
	startPart(t, built.ingress, natsURL, "--listen", listen)
	startPart(t, built.filter, natsURL, "--request-reply-keys", folder)
	for i, sealedWith := range []string{"fedcba9876543210", key} {
		reply(t, "http://"+listen, fmt.Sprint(i), sealedWith)
	}
	s.gets(t, "/all", 2)
	if visits := s.at("/replies"); len(visits) > 0 {
		t.Errorf("it gets what nobody can tell yet: %v", visits[0].header)
	}
	if err := os.WriteFile(filepath.Join(folder, "default.orders.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if visits := s.gets(t, "/replies", 1); visits[0].id() != "1" {
		t.Errorf("a forged reply arrives: %v", visits[0].header)
	}
	if visits := s.at("/all"); len(visits) != 2 {
		t.Errorf("the other Trigger gets %d events", len(visits))
	}
}
