package customization

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/argoproj/gitops-engine/pkg/health"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Folder holds customizations in the layout of Argo CD's own: GROUP/KIND/{health.lua,actions/…}.
type Folder string

// GetResourceHealth is what the object's health.lua says of it, or nil where it has none.
func (folder Folder) GetResourceHealth(object *unstructured.Unstructured) (*health.HealthStatus, error) {
	script, err := folder.read(object, "health.lua")
	if err != nil || script == "" {
		return nil, err
	}
	returned, err := Run(script, object.Object, nil)
	if err != nil {
		return nil, err
	}
	var status health.HealthStatus
	if err := json.Unmarshal(returned, &status); err != nil {
		return nil, fmt.Errorf("health.lua returned %s: %w", returned, err)
	}
	known := []health.HealthStatusCode{
		health.HealthStatusHealthy, health.HealthStatusProgressing, health.HealthStatusDegraded, health.HealthStatusSuspended,
	}
	if !slices.Contains(known, status.Status) {
		return nil, fmt.Errorf("health.lua returned the status %q", status.Status)
	}
	return &status, nil
}

// Action is one that discovery.lua offers.
type Action struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	IconClass   string `json:"iconClass,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
	Params      []struct {
		Name    string `json:"name"`
		Default string `json:"default,omitempty"`
	} `json:"params,omitempty"`
}

// Actions are the ones offered for the object, by name.
func (folder Folder) Actions(object *unstructured.Unstructured) ([]Action, error) {
	script, err := folder.read(object, "actions/discovery.lua")
	if err != nil || script == "" {
		return nil, err
	}
	returned, err := Run(script, object.Object, nil)
	if err != nil {
		return nil, err
	}
	// An empty Lua table is an empty list to JSON.
	if string(returned) == "[]" {
		return nil, nil
	}
	var offered map[string]Action
	if err := json.Unmarshal(returned, &offered); err != nil {
		return nil, fmt.Errorf("discovery.lua returned %s: %w", returned, err)
	}
	var actions []Action
	for _, name := range slices.Sorted(maps.Keys(offered)) {
		action := offered[name]
		action.Name = name
		actions = append(actions, action)
	}
	return actions, nil
}

// Act is the object as an action leaves it.
func (folder Folder) Act(object *unstructured.Unstructured, action string, parameters map[string]string) (*unstructured.Unstructured, error) {
	script, err := folder.read(object, "actions/"+action+"/action.lua")
	if err != nil {
		return nil, err
	}
	if script == "" {
		return nil, fmt.Errorf("there is no action %q", action)
	}
	returned, err := Run(script, object.Object, parameters)
	if err != nil {
		return nil, err
	}
	changed := map[string]any{}
	if err := json.Unmarshal(returned, &changed); err != nil {
		return nil, fmt.Errorf("%s returned %s: %w", action, returned, err)
	}
	return &unstructured.Unstructured{Object: emptyMaps(changed, object.Object).(map[string]any)}, nil
}

// An empty map comes back from Lua as an empty list: where the original has a map it is one again, as Argo CD does it.
func emptyMaps(changed, original any) any {
	switch was := original.(type) {
	case map[string]any:
		switch now := changed.(type) {
		case map[string]any:
			for key := range now {
				if before, there := was[key]; there {
					now[key] = emptyMaps(now[key], before)
				}
			}
		case []any:
			if len(now) == 0 {
				return map[string]any{}
			}
		}
	case []any:
		if now, list := changed.([]any); list {
			for i := range min(len(now), len(was)) {
				now[i] = emptyMaps(now[i], was[i])
			}
		}
	}
	return changed
}

// read gives a file of the object's kind, or nothing where there is none.
func (folder Folder) read(object *unstructured.Unstructured, file string) (string, error) {
	kind := object.GroupVersionKind()
	content, err := os.ReadFile(filepath.Join(string(folder), kind.Group, kind.Kind, file))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(content), err
}
