package customization

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// healthTests is a file health_test.yaml, as Argo CD's own tests read it.
type healthTests struct {
	Tests []struct {
		InputPath    string              `json:"inputPath"`
		HealthStatus health.HealthStatus `json:"healthStatus"`
	} `json:"tests"`
}

// actionTests is a file actions/action_test.yaml, as Argo CD's own tests read it.
type actionTests struct {
	DiscoveryTests []struct {
		InputPath string   `json:"inputPath"`
		Result    []Action `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action               string            `json:"action"`
		InputPath            string            `json:"inputPath"`
		ExpectedOutputPath   string            `json:"expectedOutputPath"`
		ExpectedErrorMessage string            `json:"expectedErrorMessage"`
		Parameters           map[string]string `json:"parameters"`
	} `json:"actionTests"`
}

// Report counts what was held against its expectation.
type Report struct {
	Health, KStatus, Discoveries, Actions int
	Failures                              []string
}

func (report *Report) failed(format string, arguments ...any) {
	report.Failures = append(report.Failures, fmt.Sprintf(format, arguments...))
}

// Test runs the tests that lie beside the scripts. `kstatus` is a file that gives kstatus' verdict on files of testdata, by their names; each
// file of testdata must be in it and in health_test.yaml, so that no state is left without a verdict.
func (folder Folder) Test(kind, kstatus string) (*Report, error) {
	dir := filepath.Join(string(folder), kind)
	report := &Report{}
	if err := folder.testHealth(dir, report); err != nil {
		return nil, err
	}
	if err := testKStatus(dir, kstatus, report); err != nil {
		return nil, err
	}
	if err := folder.testActions(filepath.Join(dir, "actions"), report); err != nil {
		return nil, err
	}
	return report, nil
}

func (folder Folder) testHealth(dir string, report *Report) error {
	var tests healthTests
	if err := strictly(filepath.Join(dir, "health_test.yaml"), &tests); err != nil {
		return err
	}
	untested, err := testdata(dir)
	if err != nil {
		return err
	}
	for _, test := range tests.Tests {
		object, err := one(filepath.Join(dir, test.InputPath))
		if err != nil {
			return err
		}
		delete(untested, filepath.Base(test.InputPath))
		report.Health++
		found, err := folder.GetResourceHealth(object)
		if err != nil {
			report.failed("health of %s: %v", test.InputPath, err)
		} else if !reflect.DeepEqual(&test.HealthStatus, found) {
			report.failed("health of %s: wanted %+v, got %+v", test.InputPath, test.HealthStatus, found)
		}
	}
	for name := range untested {
		report.failed("%s: no health is expected of it", name)
	}
	return nil
}

func testKStatus(dir, file string, report *Report) error {
	var wanted map[string]status.Status
	if err := strictly(file, &wanted); err != nil {
		return err
	}
	untested, err := testdata(dir)
	if err != nil {
		return err
	}
	for name, wanted := range wanted {
		object, err := one(filepath.Join(dir, "testdata", name))
		if err != nil {
			return err
		}
		delete(untested, name)
		report.KStatus++
		found, err := status.Compute(object)
		if err != nil {
			report.failed("kstatus of %s: %v", name, err)
		} else if found.Status != wanted {
			report.failed("kstatus of %s: wanted %s, got %s (%s)", name, wanted, found.Status, found.Message)
		}
	}
	for name := range untested {
		report.failed("%s: no kstatus is expected of it", name)
	}
	return nil
}

func (folder Folder) testActions(dir string, report *Report) error {
	var tests actionTests
	if err := strictly(filepath.Join(dir, "action_test.yaml"), &tests); err != nil {
		return err
	}
	offerless, err := testdata(filepath.Dir(dir))
	if err != nil {
		return err
	}
	for _, test := range tests.DiscoveryTests {
		object, err := one(filepath.Join(dir, test.InputPath))
		if err != nil {
			return err
		}
		delete(offerless, filepath.Base(test.InputPath))
		report.Discoveries++
		found, err := folder.Actions(object)
		if err != nil {
			report.failed("actions of %s: %v", test.InputPath, err)
		} else if len(found)+len(test.Result) > 0 && !reflect.DeepEqual(test.Result, found) {
			report.failed("actions of %s: wanted %+v, got %+v", test.InputPath, test.Result, found)
		}
	}
	// In every other state there is nothing to do by hand.
	for name := range offerless {
		object, err := one(filepath.Join(filepath.Dir(dir), "testdata", name))
		if err != nil {
			return err
		}
		report.Discoveries++
		if found, err := folder.Actions(object); err != nil || len(found) > 0 {
			report.failed("actions of %s: wanted none, got %+v, %v", name, found, err)
		}
	}
	for _, test := range tests.ActionTests {
		object, err := one(filepath.Join(dir, test.InputPath))
		if err != nil {
			return err
		}
		report.Actions++
		what := fmt.Sprintf("%s of %s", test.Action, test.InputPath)
		changed, err := folder.Act(object, test.Action, test.Parameters)
		switch {
		case test.ExpectedErrorMessage != "":
			if err == nil || err.Error() != test.ExpectedErrorMessage {
				report.failed("%s: wanted the error %q, got %v", what, test.ExpectedErrorMessage, err)
			}
			continue
		case err != nil:
			report.failed("%s: %v", what, err)
			continue
		}
		expected, err := one(filepath.Join(dir, test.ExpectedOutputPath))
		if err != nil {
			return err
		}
		difference, err := diff.Diff(expected, changed)
		if err != nil {
			return err
		}
		if difference.Modified {
			report.failed("%s: wanted %s, got %s", what, difference.PredictedLive, difference.NormalizedLive)
		}
	}
	return nil
}

// testdata gives the names of the files that lie in it.
func testdata(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "testdata"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := map[string]bool{}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".yaml") {
			names[entry.Name()] = true
		}
	}
	return names, nil
}

func one(path string) (*unstructured.Unstructured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	object, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if object == nil {
		return nil, fmt.Errorf("%s: empty", path)
	}
	return object, nil
}

// strictly reads a YAML file; a key that nobody knows is an error, or a misspelt expectation would expect nothing.
func strictly(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
