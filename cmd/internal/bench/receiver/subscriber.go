package receiver

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// serve tells what a request brings, and to whom.
func (r *Receiver) serve(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	number, isSubscriber := strings.CutPrefix(path, SubscriberPath)
	number, isSink := strings.CutPrefix(number, SinkPath)
	target, err := strconv.Atoi(number)
	i, due, ok := workload.ParseID(eventID(ctx), r.Run)
	if !ok || err != nil || isSubscriber == isSink || target < 0 || target >= len(r.Targets) {
		r.foreign.Add(1)
		ctx.SetStatusCode(http.StatusBadRequest)
		return
	}
	if isSink {
		r.settle(r.Ledger.DeadLetter(target, i))
		ctx.SetStatusCode(http.StatusAccepted)
		return
	}
	r.subscriber(ctx, arrival{target: target, event: i, due: due})
}

// arrival is an event at a target.
type arrival struct {
	target, event int
	due           time.Duration
}

func (r *Receiver) subscriber(ctx *fasthttp.RequestCtx, a arrival) {
	failing := a.target >= r.busy-r.Failing && a.target < r.busy
	if now := time.Since(r.Began); !failing && int64(a.due) >= r.from.Load() {
		r.EndToEnd.Record(now - a.due)
	}
	if r.Latency > 0 {
		<-time.After(r.Latency)
	}
	switch {
	case failing:
		r.Ledger.Refuse(a.target, a.event)
		ctx.SetStatusCode(http.StatusServiceUnavailable)
		return
	case r.FailShare > 0 && rand.Float64() < r.FailShare: //nolint:gosec // no secret
		r.Ledger.Refuse(a.target, a.event)
		ctx.SetStatusCode(http.StatusInternalServerError)
		return
	}
	r.settle(r.Ledger.Deliver(a.target, a.event))
	if r.Targets[a.target].Replies {
		r.reply(ctx)
		return
	}
	ctx.SetStatusCode(http.StatusAccepted)
}

// reply answers with an event of the same number and size.
func (r *Receiver) reply(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("Ce-Specversion", "1.0")
	h.SetBytesV("Ce-Id", ctx.Request.Header.Peek("Ce-Id"))
	h.Set("Ce-Source", workload.ReplySource)
	h.Set("Ce-Type", workload.ReplyType)
	h.SetContentType("application/json")
	ctx.SetBody(ctx.Request.Body())
}

// settle notes when something new arrived.
func (r *Receiver) settle(fresh bool) {
	if !fresh {
		return
	}
	now := int64(time.Since(r.Began))
	if before := r.last.Swap(now); before != 0 {
		for gap := now - before; ; {
			longest := r.pause.Load()
			if gap <= longest || r.pause.CompareAndSwap(longest, gap) {
				break
			}
		}
	}
	r.first.CompareAndSwap(0, now)
	r.Settled()
}

// eventID reads the id of a binary event, or of one in the JSON format: other Brokers may deliver so.
func eventID(ctx *fasthttp.RequestCtx) string {
	if id := ctx.Request.Header.Peek("Ce-Id"); len(id) > 0 {
		return string(id)
	}
	var envelope struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(ctx.Request.Body(), &envelope) != nil {
		return ""
	}
	return envelope.ID
}
