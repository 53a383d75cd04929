// Says how GitOps tools see objects: kstatus, which Flux and kubectl-like tools read, and Argo CD's health and actions.
//
//	health --customizations FOLDER [FILE…]                           prints a line of JSON for each object; without files it reads stdin
//	health --customizations FOLDER --test GROUP/KIND --kstatus FILE  runs the tests beside the customization of a kind
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"rds-operator.invalid/testbed/gitops/internal/customization"
)

// verdict is what is printed of an object.
type verdict struct {
	Kind           string                 `json:"kind"`
	Namespace      string                 `json:"namespace,omitempty"`
	Name           string                 `json:"name"`
	KStatus        status.Status          `json:"kstatus"`
	KStatusMessage string                 `json:"kstatusMessage,omitempty"`
	Health         *health.HealthStatus   `json:"health,omitempty"`
	Actions        []customization.Action `json:"actions,omitempty"`
}

func main() {
	customizations := flag.String("customizations", "", "folder in the layout of Argo CD's resource_customizations")
	kind := flag.String("test", "", "GROUP/KIND: runs the tests beside its customization")
	kstatus := flag.String("kstatus", "", "file with kstatus' verdict on each file of testdata")
	flag.Parse()
	folder := customization.Folder(*customizations)
	var err error
	if *kind != "" {
		err = test(folder, *kind, *kstatus)
	} else {
		err = judge(folder, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func test(folder customization.Folder, kind, kstatus string) error {
	report, err := folder.Test(kind, kstatus)
	if err != nil {
		return err
	}
	for _, failure := range report.Failures {
		fmt.Fprintln(os.Stderr, failure)
	}
	fmt.Printf("%s: %d of health, %d of kstatus, %d of discovery, %d of actions: %d failed\n",
		kind, report.Health, report.KStatus, report.Discoveries, report.Actions, len(report.Failures))
	if len(report.Failures) > 0 {
		return errors.New("the customization is not as expected")
	}
	return nil
}

func judge(folder customization.Folder, files []string) error {
	if len(files) == 0 {
		return judgeAll(folder, os.Stdin)
	}
	for _, file := range files {
		stream, err := os.Open(file)
		if err != nil {
			return err
		}
		err = judgeAll(folder, stream)
		stream.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func judgeAll(folder customization.Folder, stream io.Reader) error {
	objects, err := customization.Objects(stream)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	for _, object := range objects {
		judged, err := see(folder, object)
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if err := lines.Encode(judged); err != nil {
			return err
		}
	}
	return nil
}

func see(folder customization.Folder, object *unstructured.Unstructured) (*verdict, error) {
	computed, err := status.Compute(object)
	if err != nil {
		return nil, err
	}
	// What Argo CD shows: its own rule for deletions, the script, and for the kinds it knows its own code.
	shown, err := health.GetResourceHealth(object, folder)
	if err != nil {
		return nil, err
	}
	actions, err := folder.Actions(object)
	if err != nil {
		return nil, err
	}
	return &verdict{
		Kind: object.GetKind(), Namespace: object.GetNamespace(), Name: object.GetName(),
		KStatus: computed.Status, KStatusMessage: computed.Message, Health: shown, Actions: actions,
	}, nil
}
