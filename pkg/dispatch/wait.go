package dispatch

import (
	"container/heap"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
)

const (
	// maxLocalDelay is the longest delay that a message waits for in this process while the log has room for it otherwise:
	// a message that waits longer is parked, so that it does not hold one of its consumer's pending places.
	maxLocalDelay = 10 * time.Second
	// maxWaiting bounds the messages of one target that wait in this process.
	maxWaiting = 128
	// Small messages that wait briefly have places beyond that, maxBrief for one target and allBrief for all of a process. For what is
	// parked comes back in crowds, since NATS looks four times a second at most what is due, and the crowds of a target that fails make
	// the events of the others late.
	maxBrief  = 2048
	allBrief  = 8 * maxBrief
	briefly   = 4 * time.Second
	briefData = 8 << 10
	// late is how far behind its time a task may be. Beyond that the slots do not suffice: waiting is not brief then.
	late = 100 * time.Millisecond
	// idle is how long the loop sleeps when it waits for nothing but the next task.
	idle = time.Hour
)

// task is a message together with what only this process knows about it.
type task struct {
	Message
	// due is when the task may be taken up again.
	due time.Time
	// brief says that it has one of the places of all targets while it waits.
	brief bool
}

// waiting holds the tasks of one target until they are due. It runs no timer of its own: the one loop that takes tasks
// asks how long to sleep. Safe for concurrent use.
type waiting struct {
	// added holds a token when a task came in since the last one was taken from it.
	added chan struct{}
	// brief are the places of all targets.
	brief *limit.Limiter

	mu     sync.Mutex
	tasks  taskHeap
	closed bool
}

func newWaiting(brief *limit.Limiter) *waiting {
	return &waiting{added: make(chan struct{}, 1), brief: brief}
}

// add keeps the task until it is due. It returns errWaitingFull when there is no place for it and errWaitingClosed after close; the
// task then stays the caller's.
func (w *waiting) add(t task) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return errWaitingClosed
	case len(w.tasks) < maxWaiting:
	case w.isBrief(t, time.Now()) && w.brief.TryAcquire():
		t.brief = true
	default:
		return errWaitingFull
	}
	w.push(t)
	return nil
}

// addDue keeps a task whose time has come, whether there is a place for it or not: it is taken up next, and must not keep a slot from
// that meanwhile. It returns errWaitingClosed after close.
func (w *waiting) addDue(t task) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errWaitingClosed
	}
	w.push(t)
	return nil
}

// isBrief tells whether the task may have one of the places of all targets. The caller holds the lock.
func (w *waiting) isBrief(t task, now time.Time) bool {
	return len(w.tasks) < maxBrief && t.due.Sub(now) <= briefly && len(t.Event.Data) <= briefData && t.Reply == nil &&
		now.Sub(w.tasks[0].due) <= late
}

// leave gives the task's place back. The caller holds the lock.
func (w *waiting) leave(t *task) {
	if t.brief {
		t.brief = false
		w.brief.Release()
	}
}

// putBack returns a task that was taken and not begun. It finds room even when others took its place meanwhile. It must
// not be called after close: the loop that takes tasks has ended by then.
func (w *waiting) putBack(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.push(t)
}

// push adds the task and wakes the loop. The caller holds the lock.
func (w *waiting) push(t task) {
	heap.Push(&w.tasks, t)
	select {
	case w.added <- struct{}{}:
	default:
	}
}

// take removes and returns the task that has been due for longest. When none is due, it returns how long the next
// one has to wait: idle when there is none, for added tells when one comes.
func (w *waiting) take(now time.Time) (t task, ok bool, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tasks) == 0 {
		return task{}, false, idle
	}
	if wait := w.tasks[0].due.Sub(now); wait > 0 {
		return task{}, false, wait
	}
	t = heap.Pop(&w.tasks).(task)
	w.leave(&t)
	return t, true, 0
}

// close refuses tasks from now on and returns those that it held.
func (w *waiting) close() []task {
	w.mu.Lock()
	defer w.mu.Unlock()
	tasks := w.tasks
	w.tasks, w.closed = nil, true
	for i := range tasks {
		w.leave(&tasks[i])
	}
	return tasks
}

// isOpen reports whether tasks are still kept.
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
