// Alerts judges alerting rules by Prometheus's own parser, engine and checks.
//
//	alerts RULES TESTS
//
// RULES is a PrometheusRule. TESTS has samples, and the names of all alerts that fire at a time: one that fires and is not named is an error, too.
// Prometheus's packages for whole rule groups link every cloud that it can discover; what remains of them is here: an alert fires once its
// expression has had the same labels for as long as its `for` says.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"gopkg.in/yaml.v3"
)

// Prometheus evaluates rules this often, unless it is told otherwise.
const step = time.Minute

type tests struct {
	// What every test starts from; its own series replace those of the same name.
	Healthy map[string]string `yaml:"healthy"`
	Tests   []test            `yaml:"tests"`
}

type test struct {
	Name   string            `yaml:"name"`
	Series map[string]string `yaml:"series"`
	At     model.Duration    `yaml:"at"`
	Fire   []string          `yaml:"fire"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: alerts RULES TESTS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rulesFile, testsFile string) error {
	groups, err := checked(rulesFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(testsFile)
	if err != nil {
		return err
	}
	var all tests
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		return fmt.Errorf("%s: %w", testsFile, err)
	}
	if len(all.Tests) == 0 {
		return fmt.Errorf("%s has no tests", testsFile)
	}
	var failures []error
	tried := map[string]bool{}
	for _, test := range all.Tests {
		fires, err := firing(groups, merged(all.Healthy, test.Series), time.Duration(test.At))
		if err != nil {
			return fmt.Errorf("%s: %w", test.Name, err)
		}
		slices.Sort(test.Fire)
		for _, name := range test.Fire {
			tried[name] = true
		}
		verdict := "ok"
		if !slices.Equal(fires, test.Fire) {
			verdict = "FAILED"
			failures = append(failures, fmt.Errorf("%s: after %s %v fire, not %v", test.Name, test.At, fires, test.Fire))
		}
		fmt.Printf("%-6s %s\n", verdict, test.Name)
	}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if !tried[rule.Alert] {
				failures = append(failures, fmt.Errorf("no test lets %s fire", rule.Alert))
			}
		}
	}
	return errors.Join(failures...)
}

// The groups, after the checks that Prometheus makes when it loads them.
func checked(file string) (*rulefmt.RuleGroups, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var resource struct {
		Spec yaml.Node `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &resource); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	spec, err := yaml.Marshal(&resource.Spec)
	if err != nil {
		return nil, err
	}
	groups, errs := rulefmt.Parse(spec, false, model.UTF8Validation)
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s: %w", file, errors.Join(errs...))
	}
	if len(groups.Groups) == 0 {
		return nil, fmt.Errorf("%s has no groups", file)
	}
	return groups, nil
}

func merged(healthy, series map[string]string) map[string]string {
	all := maps.Clone(healthy)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, series)
	return all
}

// The names of the alerts that fire at a time, sorted.
func firing(groups *rulefmt.RuleGroups, series map[string]string, at time.Duration) ([]string, error) {
	samples, err := read(series)
	if err != nil {
		return nil, err
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true,
	})
	names := []string{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			since := map[string]time.Duration{}
			for now := time.Duration(0); now <= at; now += step {
				active, err := active(engine, samples, rule.Expr, now)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", rule.Alert, err)
				}
				for key := range since {
					if !active[key] {
						delete(since, key)
					}
				}
				for key := range active {
					if _, known := since[key]; !known {
						since[key] = now
					}
				}
			}
			for _, began := range since {
				if at-began >= time.Duration(rule.For) {
					names = append(names, rule.Alert)
					break
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// The label sets for which an expression has a value now.
func active(engine *promql.Engine, samples samples, expression string, now time.Duration) (map[string]bool, error) {
	query, err := engine.NewInstantQuery(context.Background(), samples, nil, expression, time.Unix(0, 0).Add(now))
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		return nil, result.Err
	}
	vector, err := result.Vector()
	if err != nil {
		return nil, err
	}
	active := map[string]bool{}
	for _, sample := range vector {
		active[labels.NewBuilder(sample.Metric).Del(labels.MetricName).Labels().String()] = true
	}
	return active, nil
}
