package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Argo CD's marks of what it tracks: the annotation, its default since version 3, and the label, its default before.
const (
	trackingAnnotation = "argocd.argoproj.io/tracking-id"
	trackingLabel      = "app.kubernetes.io/instance"
)

// track marks an object as Argo CD marks what an Application declares.
func track(object *unstructured.Unstructured, application string) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[trackingLabel] = application
	object.SetLabels(labels)

	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	kind := object.GroupVersionKind()
	annotations[trackingAnnotation] = fmt.Sprintf("%s:%s/%s:%s/%s", application, kind.Group, kind.Kind, object.GetNamespace(), object.GetName())
	object.SetAnnotations(annotations)
}

// tracked says whether the object carries one of the marks, in either way of tracking.
func tracked(object *unstructured.Unstructured, application string) bool {
	return object.GetLabels()[trackingLabel] == application ||
		strings.HasPrefix(object.GetAnnotations()[trackingAnnotation], application+":")
}
