package dispatch

import (
	"container/heap"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// maxHeldDelay is the longest delay for which a task waits in this process rather than parked,
	// so that its message does not hold one of its consumer's pending places for longer.
	maxHeldDelay = 10 * time.Second
	// maxWaiting is how many tasks of one target wait in this process.
	maxWaiting = 128
	// Small tasks with short delays have places beyond maxWaiting: until maxSmallWaiting tasks of
	// their target wait, and sharedPlaces for all targets together. Parked work comes back in
	// crowds, because NATS looks for what is due four times a second at most, and the crowds of a
	// target that fails would make the events of other targets late.
	maxSmallWaiting = 2048
	sharedPlaces    = 8 * maxSmallWaiting
	shortDelay      = 4 * time.Second
	smallData       = 8 << 10
	// maxLag is how long a task may be overdue. Beyond that the slots do not suffice, and further
	// tasks would wait for longer than shortDelay.
	maxLag = 100 * time.Millisecond
	// idlePoll is how long take has its caller wait when there is no task.
	idlePoll = time.Hour
)

// task is a message together with what only this process knows about it.
type task struct {
	Message
	// due is when the next attempt may begin.
	due time.Time
	// shared is set while the task waits in one of the sharedPlaces.
	shared bool
}

// waiting holds the tasks of one target until they are due. It runs no timer: the goroutine that
// takes tasks asks how long to wait. Safe for concurrent use.
type waiting struct {
	// added holds a token when a task was added since the token was received.
	added chan struct{}
	// places are the sharedPlaces.
	places *limit.Limiter

	mu     sync.Mutex
	tasks  taskHeap
	closed bool
	// counts is told of the tasks that wait.
	counts *count.Target
}

func newWaiting(places *limit.Limiter) *waiting {
	return &waiting{added: make(chan struct{}, 1), places: places}
}

// countIn has the tasks counted there from now on.
func (w *waiting) countIn(counts *count.Target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Wait(-len(w.tasks))
	w.counts = counts
	w.counts.Wait(len(w.tasks))
}

// add keeps the task until it is due. It returns false when there is no place, and after close: the
// task then stays the caller's.
func (w *waiting) add(t task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return false
	case len(w.tasks) < maxWaiting:
	case w.mayShare(t, time.Now()) && w.places.TryAcquire():
		t.shared = true
	default:
		return false
	}
	w.push(t)
	return true
}

// addDue keeps a task that is due, whether there is a place or not: the task is taken next, and
// must not keep a slot until then. It returns false after close.
func (w *waiting) addDue(t task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.push(t)
	}
	return !w.closed
}

// mayShare reports whether the task may have one of the sharedPlaces. The caller holds the lock.
func (w *waiting) mayShare(t task, now time.Time) bool {
	small := len(t.Event.Data) <= smallData && t.Reply == nil
	return small && len(w.tasks) < maxSmallWaiting && t.due.Sub(now) <= shortDelay &&
		now.Sub(w.tasks[0].due) <= maxLag
}

// freePlace gives the task's shared place back, if it has one. The caller holds the lock.
func (w *waiting) freePlace(t *task) {
	if t.shared {
		t.shared = false
		w.places.Release()
	}
}

// push adds the task and the token. The caller holds the lock.
func (w *waiting) push(t task) {
	heap.Push(&w.tasks, t)
	w.counts.Wait(1)
	loop.Notify(w.added)
}

// take removes and returns the task that has been due for longest. When no task is due, it returns
// how long the next one has to wait, or idlePoll when there is none.
func (w *waiting) take(now time.Time) (t task, ok bool, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tasks) == 0 {
		return task{}, false, idlePoll
	}
	if wait := w.tasks[0].due.Sub(now); wait > 0 {
		return task{}, false, wait
	}
	t = heap.Pop(&w.tasks).(task)
	w.counts.Wait(-1)
	w.freePlace(&t)
	return t, true, 0
}

// close refuses tasks from now on and returns those that it held.
func (w *waiting) close() []task {
	w.mu.Lock()
	defer w.mu.Unlock()
	tasks := w.tasks
	w.tasks, w.closed = nil, true
	w.counts.Wait(-len(tasks))
	for i := range tasks {
		w.freePlace(&tasks[i])
	}
	return tasks
}

// isOpen reports whether close has not been called.
func (w *waiting) isOpen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.closed
}

// size is the number of waiting tasks.
func (w *waiting) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.tasks)
}

// taskHeap orders tasks by the time they are due: a heap.Interface.
type taskHeap []task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h taskHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(t any)        { *h = append(*h, t.(task)) }
func (h *taskHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = task{} // lets the event go
	*h = (*h)[:last]
	return t
}
