package main

import (
	"context"
	"fmt"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/engine"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// The field manager of Argo CD's application controller.
const manager = "argocd-controller"

// application is what Argo CD calls one: a folder of manifests, and what is in the cluster of it.
type application struct {
	options
	name   string
	config *rest.Config
	cache  cache.ClusterCache
	engine engine.GitOpsEngine
	close  func()
}

// result is what the synchronization did about one object.
type result struct {
	Object  string `json:"object,omitempty"`
	Status  string `json:"status,omitempty"`
	Message string `json:"message"`
}

// outcome is what is printed.
type outcome struct {
	Results []result `json:"results"`
	Objects []seen   `json:"objects"`
	// What carries a mark of the application and is not in the repository: Argo CD would prune it.
	Strays []string `json:"strays"`
}

// seen is one declared object as Argo CD shows it.
type seen struct {
	Object string               `json:"object"`
	Health *health.HealthStatus `json:"health,omitempty"`
	// By the way of comparing: what differs, empty where the object is Synced.
	Differences map[string]string `json:"differences"`
}

func connect(config *rest.Config, options options) (*application, error) {
	application := &application{options: options, name: "databases-of-" + options.namespace, config: config}
	application.cache = cache.NewClusterCache(config, cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(object *unstructured.Unstructured, _ bool) (any, bool) {
			ours := tracked(object, application.name)
			return ours, ours
		}))
	application.engine = engine.NewEngine(config, application.cache, engine.WithLogr(logr.Discard()))
	close, err := application.engine.Run()
	if err != nil {
		return nil, fmt.Errorf("watching the cluster: %w", err)
	}
	application.close = close
	return application, nil
}

func managed(resource *cache.Resource) bool {
	ours, known := resource.Info.(bool)
	return known && ours
}

func (application *application) sync(ctx context.Context, targets []*unstructured.Unstructured, revision string) ([]result, error) {
	for _, target := range targets {
		track(target, application.name)
	}
	done, err := application.engine.Sync(ctx, targets, managed, revision, application.namespace,
		sync.WithLogr(logr.Discard()),
		sync.WithPrune(application.prune),
		sync.WithPruneConfirmed(application.confirmed),
		sync.WithServerSideApply(application.serverSide),
		sync.WithServerSideApplyManager(manager),
		sync.WithHealthOverride(application.customizations))
	var results []result
	for _, one := range done {
		results = append(results, result{Object: short(one.ResourceKey), Status: string(one.Status), Message: one.Message})
	}
	return results, err
}

// compare holds what is declared against what is there, in every way that Argo CD offers.
func (application *application) compare(targets []*unstructured.Unstructured, results []result) (*outcome, error) {
	live, err := application.cache.GetManagedLiveObjs(targets, managed)
	if err != nil {
		return nil, err
	}
	reconciled := sync.Reconcile(targets, live, application.namespace, application.cache)
	dryRuns, cleanup, err := kube.ManageServerSideDiffDryRuns(
		application.config, application.cache.GetOpenAPISchema(), tracing.NopTracer{}, logr.Discard(), func(string) (kube.CleanupFunc, error) { return func() {}, nil })
	if err != nil {
		return nil, err
	}
	defer cleanup()
	serverSide := []diff.Option{
		diff.WithServerSideDiff(true), diff.WithManager(manager), diff.WithGVKParser(application.cache.GetGVKParser()),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(dryRuns)),
	}
	ways := map[string][]diff.Option{
		"three-way":                           nil,
		"structured-merge":                    {diff.WithStructuredMergeDiff(true), diff.WithGVKParser(application.cache.GetGVKParser()), diff.WithManager(manager)},
		"server-side":                         append([]diff.Option{diff.WithIgnoreMutationWebhook(true)}, serverSide...),
		"server-side, IncludeMutationWebhook": append([]diff.Option{diff.WithIgnoreMutationWebhook(false)}, serverSide...),
	}
	outcome := &outcome{Results: results, Objects: []seen{}, Strays: []string{}}
	for i, target := range reconciled.Target {
		live := reconciled.Live[i]
		if target == nil {
			outcome.Strays = append(outcome.Strays, short(kube.GetResourceKey(live)))
			continue
		}
		object := seen{Object: short(kube.GetResourceKey(target)), Differences: map[string]string{}}
		if live != nil {
			if object.Health, err = health.GetResourceHealth(live, application.customizations); err != nil {
				return nil, err
			}
		}
		for way, options := range ways {
			difference, err := diff.Diff(target, live, options...)
			if err != nil {
				return nil, fmt.Errorf("%s, compared %s: %w", object.Object, way, err)
			}
			if difference.Modified {
				object.Differences[way] = fmt.Sprintf("is %s, should be %s", difference.NormalizedLive, difference.PredictedLive)
			}
		}
		outcome.Objects = append(outcome.Objects, object)
	}
	return outcome, nil
}

func short(key kube.ResourceKey) string {
	return key.Kind + " " + key.Namespace + "/" + key.Name
}
