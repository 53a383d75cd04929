// Synchronizes a folder of a git repository once with the engine of Argo CD, then looks at the result as Argo CD does and prints it as JSON.
//
//	sync --kubeconfig FILE --namespace NAMESPACE --customizations FOLDER [--server-side] [--prune] [--confirmed] REPOSITORY
//
// Beside it, gitops-engine's own `agent` does the synchronization alone, and for ever.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"rds-operator.invalid/testbed/gitops/internal/customization"
	"rds-operator.invalid/testbed/gitops/internal/repository"
)

// The longest that a synchronization may take; a prune waits until the object is gone.
const patience = 3 * time.Minute

func main() {
	var options options
	flag.StringVar(&options.kubeconfig, "kubeconfig", "", "credentials")
	flag.StringVar(&options.namespace, "namespace", "default", "where objects go that name no namespace")
	customizations := flag.String("customizations", "", "folder in the layout of Argo CD's resource_customizations")
	flag.BoolVar(&options.serverSide, "server-side", false, "apply on the server's side")
	flag.BoolVar(&options.prune, "prune", false, "delete what left the repository")
	flag.BoolVar(&options.confirmed, "confirmed", false, "a person has confirmed what asks for it before it is pruned")
	flag.DurationVar(&options.patience, "patience", patience, "the longest that the synchronization may take")
	flag.Parse()
	options.customizations = customization.Folder(*customizations)
	options.repository = flag.Arg(0)
	// client-go speaks of every reconnection.
	klog.SetLogger(logr.Discard())

	outcome, err := run(options)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(outcome)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	kubeconfig, namespace, repository string
	customizations                    customization.Folder
	serverSide, prune, confirmed      bool
	patience                          time.Duration
}

func run(options options) (*outcome, error) {
	if options.repository == "" {
		return nil, errors.New("which repository?")
	}
	config, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return nil, err
	}
	// The defaults are those of a long-lived client: five requests a second.
	config.QPS, config.Burst = 200, 400
	targets, revision, err := repository.Read(options.repository)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), options.patience)
	defer cancel()
	application, err := connect(config, options)
	if err != nil {
		return nil, err
	}
	defer application.close()
	results, err := application.sync(ctx, targets, revision)
	if err != nil {
		// What stands in the way is part of the outcome: a refused deletion is not the end of the comparison.
		results = append(results, result{Message: err.Error()})
	}
	return application.compare(targets, results)
}
