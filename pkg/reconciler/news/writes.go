package news

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Behind is for how long an informer may be behind a status that its reconciler has written.
const Behind = 2 * time.Second

// Writes remembers over which version of each resource a reconciler has written a status. Since its own status is no news to it, a
// reconciliation that reads the version from before that write, and finds its status right, would leave the one that it wrote: nobody
// would call again. The zero value is ready. Safe for concurrent use.
type Writes struct {
	mu   sync.Mutex
	over map[types.NamespacedName]written
}

type written struct {
	version string
	at      time.Time
}

// Stale reports whether a reconciliation that has read the resource has to be repeated. changed tells that its status is to be written.
func (w *Writes) Stale(read metav1.Object, changed bool) bool {
	key, version := types.NamespacedName{Namespace: read.GetNamespace(), Name: read.GetName()}, read.GetResourceVersion()
	w.mu.Lock()
	defer w.mu.Unlock()
	last, there := w.over[key]
	switch {
	case version == "": // of a test
	case changed:
		if w.over == nil {
			w.over = map[types.NamespacedName]written{}
		}
		w.over[key] = written{version, time.Now()}
	case there && last.version == version && time.Since(last.at) < Behind:
		return true
	default:
		delete(w.over, key)
	}
	return false
}

// Forget is called for a resource that is gone.
func (w *Writes) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.over, key)
}
