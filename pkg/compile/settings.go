package compile

import (
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// apply reads our annotations into the settings, which are named without the prefix. All other annotations are left alone.
func apply(annotations map[string]string, kind string, settings map[string]config.Setting) *apis.FieldError {
	var errs *apis.FieldError
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		short, ours := strings.CutPrefix(name, AnnotationPrefix)
		if !ours {
			continue
		}
		path := "metadata.annotations[" + name + "]"
		set, known := settings[short]
		if !known {
			errs = errs.Also(&apis.FieldError{
				Message: "unknown annotation of a " + kind,
				Paths:   []string{path},
				Details: "known: " + AnnotationPrefix + strings.Join(slices.Sorted(maps.Keys(settings)), ", "+AnnotationPrefix),
			})
			continue
		}
		if err := set(annotations[name]); err != nil {
			errs = errs.Also(apis.ErrInvalidValue(annotations[name], path, err.Error()))
		}
	}
	return errs
}

// madeAt is when the resource was made: in a cluster the API server says so, one of files is made now.
func madeAt(meta metav1.ObjectMeta) time.Time {
	if meta.CreationTimestamp.IsZero() {
		return time.Now()
	}
	return meta.CreationTimestamp.Time
}

// PausedBy returns why somebody has paused what has these annotations; "" when nobody has.
func PausedBy(annotations map[string]string) (why string) {
	if config.PausedSetting(&why)(annotations[PausedAnnotation]) != nil {
		return "" // apply says what is wrong with it
	}
	return why
}

// pausedWith returns why a target is paused: by itself, or else with its Broker or Channel.
func pausedWith(own, kind, ofAddress string) string {
	if own == "" && ofAddress != "" {
		return "its " + kind + " is paused: " + ofAddress
	}
	return own
}

// CopiedBy reports whether what has these annotations asks for a copy of each dead letter.
func CopiedBy(annotations map[string]string) (copies bool) {
	_ = config.CopySetting(&copies)(annotations[DeadLetterCopyAnnotation]) // apply says what is wrong with it
	return copies
}

// addressSettings are the annotations of a Broker or Channel.
func addressSettings(log *route.Log) map[string]config.Setting {
	settings := config.LogSettings(log)
	// These two are for its targets; it takes events as before.
	settings[pausedSetting] = config.PausedSetting(new(string))
	settings[copySetting] = config.CopySetting(new(bool))
	return settings
}
