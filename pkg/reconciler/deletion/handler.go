package deletion

import "k8s.io/client-go/tools/cache"

// Handler hands all on to a handler. A deletion that was missed while a watch was interrupted reaches it as the object that was known
// last: filters, and handlers that look at the object's type, pass by the cache.DeletedFinalStateUnknown that it arrives in.
func Handler(to cache.ResourceEventHandler) cache.ResourceEventHandler {
	return missed{to}
}

type missed struct{ cache.ResourceEventHandler }

// OnDelete unwraps a deletion that was missed.
func (m missed) OnDelete(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok && unknown.Obj != nil {
		object = unknown.Obj
	}
	m.ResourceEventHandler.OnDelete(object)
}
