package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"rds-operator.invalid/bench/peers/controller-runtime/internal/rules"
)

const (
	group       = "matrixmind.cloud"
	kind        = "RDSDatabase"
	lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
)

// handler answers /mutate or /validate.
type handler struct {
	mutating bool
	now      func() time.Time
}

// Handle decides, and logs a line of each decision.
func (h *handler) Handle(ctx context.Context, req admission.Request) admission.Response {
	start := h.now()
	response := h.decide(req, start.UTC())
	logf.FromContext(ctx).Info("decided", "mutating", h.mutating, "operation", req.Operation, "dryRun", req.DryRun != nil && *req.DryRun,
		"allowed", response.Allowed, "micros", h.now().Sub(start).Microseconds())
	return response
}

func (h *handler) decide(req admission.Request, now time.Time) admission.Response {
	if req.Kind.Group != group || req.Kind.Kind != kind {
		return admission.Allowed("").WithWarnings(fmt.Sprintf("rds-webhook is registered for %.63s, which it has no rules for", req.Kind.Kind))
	}
	if req.SubResource != "" {
		return admission.Allowed("")
	}
	today := now.Truncate(24 * time.Hour)
	switch req.Operation {
	case admissionv1.Create:
		return h.create(req, today)
	case admissionv1.Update:
		return h.update(req, today)
	case admissionv1.Delete:
		return h.delete(req)
	default:
		return admission.Allowed("")
	}
}

func (h *handler) create(req admission.Request, today time.Time) admission.Response {
	object, err := decode(req.Object.Raw, "request.object")
	if err != nil {
		return badRequest(err)
	}
	if object.Metadata.DeletionTimestamp != nil {
		return admission.Allowed("")
	}
	verdict := rules.Create(object.subject(req.Name), today)
	return h.judge(req, object, verdict, object.Spec, nil)
}

func (h *handler) update(req admission.Request, today time.Time) admission.Response {
	object, err := decode(req.Object.Raw, "request.object")
	if err != nil {
		return badRequest(err)
	}
	if object.Metadata.DeletionTimestamp != nil {
		return admission.Allowed("")
	}
	old, err := decode(req.OldObject.Raw, "request.oldObject")
	if err != nil {
		return badRequest(err)
	}
	// Labels and finalizers never wait for a rule, also where an old spec breaks one.
	if reflect.DeepEqual(object.Spec, old.Spec) {
		return admission.Allowed("")
	}
	// A record that this request does not write is of an earlier one, and says nothing of what is wanted now.
	subject, before := object.subject(req.Name), old.subject(req.Name)
	if object.Metadata.Annotations[lastApplied] == old.Metadata.Annotations[lastApplied] {
		subject.Applied = nil
	}
	before.Applied, before.Observed = nil, old.observed()
	judge := rules.Replace
	if h.mutating {
		judge = rules.Update
	}
	return h.judge(req, object, judge(subject, before, today), object.Spec, old.Spec)
}

func (h *handler) delete(req admission.Request) admission.Response {
	if h.mutating {
		return admission.Allowed("")
	}
	old, err := decode(req.OldObject.Raw, "request.oldObject")
	if err != nil {
		return badRequest(err)
	}
	return h.judge(req, old, rules.Delete(old.Spec), nil, nil)
}

// judge is the response of a verdict. The patch is made only where it is sent.
func (h *handler) judge(req admission.Request, object *object, verdict rules.Verdict, spec, oldSpec any) admission.Response {
	if !verdict.Admitted() {
		name := req.Name
		for _, other := range []string{object.Metadata.Name, object.Metadata.GenerateName} {
			if name == "" {
				name = other
			}
		}
		return refused(name, verdict.Violations).WithWarnings(verdict.FittedWarnings()...)
	}
	response := admission.Allowed("")
	if h.mutating {
		response = admission.Patched("", rules.Patch(spec, oldSpec)...)
	}
	return response.WithWarnings(verdict.FittedWarnings()...)
}

// refused is 422 Invalid with a cause for each violation. kubectl prints the causes when it applied one object, and only
// the message when it applied several: so the message holds the same list.
func refused(name string, violations []rules.Violation) admission.Response {
	causes := make([]metav1.StatusCause, 0, len(violations))
	listed := make([]string, 0, len(violations))
	for _, violation := range violations {
		causes = append(causes, metav1.StatusCause{Type: violation.Reason(), Message: violation.Message, Field: violation.Field})
		listed = append(listed, violation.String())
	}
	list := strings.Join(listed, ", ")
	if len(listed) > 1 {
		list = "[" + list + "]"
	}
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{
		Result: &metav1.Status{
			Status:  metav1.StatusFailure,
			Code:    http.StatusUnprocessableEntity,
			Reason:  metav1.StatusReasonInvalid,
			Message: fmt.Sprintf("%s.%s %q is invalid: %s", kind, group, name, list),
			Details: &metav1.StatusDetails{Name: name, Group: group, Kind: kind, Causes: causes},
		},
	}}
}

func badRequest(err error) admission.Response { return admission.Errored(http.StatusBadRequest, err) }

// object has the parts of an RDSDatabase that decide its admission; the others are skipped.
type object struct {
	Metadata struct {
		Name              string            `json:"name"`
		GenerateName      string            `json:"generateName"`
		DeletionTimestamp *string           `json:"deletionTimestamp"`
		Annotations       map[string]string `json:"annotations"`
	} `json:"metadata"`
	// Spec has any shape: the rules judge it.
	Spec any `json:"spec"`
	// Status is looked at only where it is needed, and then part by part.
	Status json.RawMessage `json:"status"`
}

func decode(raw []byte, path string) (*object, error) {
	if len(raw) == 0 {
		return nil, errors.New(path + " must be there")
	}
	object := new(object)
	if err := utiljson.Unmarshal(raw, object); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return object, nil
}

func (o *object) subject(requested string) *rules.Subject {
	name := o.Metadata.Name
	if name == "" {
		name = requested
	}
	return &rules.Subject{Name: name, GenerateName: o.Metadata.GenerateName, Spec: o.Spec, Applied: o.appliedSpec()}
}

// appliedSpec is what kubectl recorded, nulls included. Anyone may write the annotation: one that cannot be read is no
// error of the request.
func (o *object) appliedSpec() any {
	record, ok := o.Metadata.Annotations[lastApplied]
	if !ok {
		return nil
	}
	var applied struct {
		Spec any `json:"spec"`
	}
	if utiljson.Unmarshal([]byte(record), &applied) != nil {
		return nil
	}
	return applied.Spec
}

// observed is what the status tells of the instance. Only the reconciler writes it: what is odd in it is as if it were
// not there.
func (o *object) observed() rules.Observed {
	var parts struct {
		Instance            json.RawMessage `json:"instance"`
		AllocatedStorageGiB json.RawMessage `json:"allocatedStorageGiB"`
		EngineVersion       json.RawMessage `json:"engineVersion"`
	}
	var observed rules.Observed
	if len(o.Status) == 0 || utiljson.Unmarshal(o.Status, &parts) != nil {
		return observed
	}
	var instance struct {
		Created bool `json:"created"`
	}
	if json.Unmarshal(parts.Instance, &instance) == nil {
		observed.Created = instance.Created
	}
	_ = json.Unmarshal(parts.AllocatedStorageGiB, &observed.AllocatedGiB)
	_ = json.Unmarshal(parts.EngineVersion, &observed.EngineVersion)
	return observed
}
