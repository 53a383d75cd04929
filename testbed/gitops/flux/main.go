// Applies a folder of a git repository once as Flux's kustomize-controller does, waits as `wait: true` makes it wait, and prints as JSON what
// it did.
//
//	flux --kubeconfig FILE --name KUSTOMIZATION --namespace NAMESPACE [--prune] [--wait=false] REPOSITORY
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"

	"rds-operator.invalid/testbed/gitops/internal/repository"
)

// A database takes minutes on AWS, and seconds here.
const patience = 3 * time.Minute

// Marks an object that is never pruned.
var keptByAnnotation = map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled"}

type options struct {
	kubeconfig, name, namespace, repository string
	prune, wait                             bool
}

// change is what was done about one object.
type change struct {
	Object string `json:"object"`
	Action string `json:"action"`
}

func main() {
	var options options
	flag.StringVar(&options.kubeconfig, "kubeconfig", "", "credentials")
	flag.StringVar(&options.name, "name", "databases", "name of the Kustomization")
	flag.StringVar(&options.namespace, "namespace", "flux-system", "namespace of the Kustomization, and of the objects in it")
	flag.BoolVar(&options.prune, "prune", false, "delete what left the repository")
	flag.BoolVar(&options.wait, "wait", true, "wait until every object is current")
	flag.Parse()
	options.repository = flag.Arg(0)
	log.SetLogger(logr.Discard())
	changes, err := run(options)
	if encoded := json.NewEncoder(os.Stdout).Encode(changes); err == nil {
		err = encoded
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(options options) ([]change, error) {
	if options.repository == "" {
		return nil, errors.New("which repository?")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return nil, err
	}
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(cluster, cluster.RESTMapper(), polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	manager := ssa.NewResourceManager(cluster, poller, owner)

	objects, _, err := repository.Read(options.repository)
	if err != nil {
		return nil, err
	}
	if err := normalize.UnstructuredList(objects); err != nil {
		return nil, err
	}
	manager.SetOwnerLabels(objects, options.name, options.namespace)
	applied, err := manager.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
	if err != nil {
		return nil, err
	}
	changes := told(applied)
	if options.prune {
		pruned, err := prune(ctx, manager, options, objects)
		changes = append(changes, pruned...)
		if err != nil {
			return changes, err
		}
	}
	if !options.wait {
		return changes, nil
	}
	return changes, manager.WaitForSet(applied.ToObjMetadataSet(), ssa.WaitOptions{Interval: time.Second, Timeout: patience, FailFast: true})
}

// prune deletes the databases of this Kustomization that the repository does not declare any more. Flux knows them from its inventory; here
// the labels tell.
func prune(ctx context.Context, manager *ssa.ResourceManager, options options, declared []*unstructured.Unstructured) ([]change, error) {
	wanted := map[string]bool{}
	for _, object := range declared {
		wanted[object.GetKind()+"/"+object.GetName()] = true
	}
	labels := manager.GetOwnerLabels(options.name, options.namespace)
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "matrixmind.cloud", Version: "v1", Kind: "RDSDatabaseList"})
	if err := manager.Client().List(ctx, list, client.MatchingLabels(labels)); err != nil {
		return nil, err
	}
	var left []*unstructured.Unstructured
	for i := range list.Items {
		if object := &list.Items[i]; !wanted[object.GetKind()+"/"+object.GetName()] {
			left = append(left, object)
		}
	}
	deleted, err := manager.DeleteAll(ctx, left, ssa.DeleteOptions{
		PropagationPolicy: "Background", Inclusions: labels, Exclusions: keptByAnnotation,
	})
	return told(deleted), err
}

func told(set *ssa.ChangeSet) []change {
	changes := []change{}
	if set != nil {
		for _, entry := range set.Entries {
			changes = append(changes, change{Object: entry.Subject, Action: entry.Action.String()})
		}
	}
	return changes
}
