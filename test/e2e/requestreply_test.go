package e2e

import (
	"fmt"
	"net/http"
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
		e := cloudevents.NewEvent()
		e.SetID("request")
		if err := requestreply.SetCorrelationId(&e, "correlationid", []byte(sealedWith), 3); err != nil {
			t.Fatal(err)
		}
		header := event("reply", fmt.Sprint(i), "ce-replyid", e.Extensions()["correlationid"].(string))
		if got := (call{url: "http://" + listen + "/default/default", header: header}).do(t); got.status != http.StatusAccepted {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
	}
	if visits := s.gets(t, "/replies", 1); visits[0].id() != "1" {
		t.Errorf("a forged reply arrives: %v", visits[0].header)
	}
}
