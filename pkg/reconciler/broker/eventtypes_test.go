package broker

import (
	"testing"

	"knative.dev/eventing/pkg/apis/feature"
)

func TestTheFeatureTurnsTheRecordingOfEventTypesOn(t *testing.T) {
	for name, test := range map[string]struct {
		flags feature.Flags
		want  bool
	}{
		"no features":  {},
		"disabled":     {feature.Flags{feature.EvenTypeAutoCreate: feature.Disabled}, false},
		"enabled":      {feature.Flags{feature.EvenTypeAutoCreate: feature.Enabled}, true},
		"another's on": {feature.Flags{feature.NewAPIServerFilters: feature.Enabled}, false},
	} {
		t.Run(name, func(t *testing.T) {
			address, err := (&Reconciler{}).compile(feature.ToContext(t.Context(), test.flags), &work{broker: newBroker("orders")})
			if err != nil || address.RecordEventTypes != test.want {
				t.Errorf("it records: %v, error %v; want %v", address.RecordEventTypes, err, test.want)
			}
		})
	}
}
