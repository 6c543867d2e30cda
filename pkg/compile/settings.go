package compile

import (
	"maps"
	"slices"
	"strings"

	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
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
