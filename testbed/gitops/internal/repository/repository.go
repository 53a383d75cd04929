// Package repository reads what a git repository declares.
package repository

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"rds-operator.invalid/testbed/gitops/internal/customization"
)

// Read reads all manifests of a repository's work tree, with its revision.
func Read(repository string) ([]*unstructured.Unstructured, string, error) {
	command := exec.Command("git", "rev-parse", "HEAD")
	command.Dir = repository
	revision, err := command.Output()
	if err != nil {
		return nil, "", fmt.Errorf("%s: git rev-parse HEAD: %w", repository, err)
	}
	var objects []*unstructured.Unstructured
	declared := map[string]bool{}
	err = filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		stream, err := os.Open(path)
		if err != nil {
			return err
		}
		defer stream.Close()
		found, err := customization.Objects(stream)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, object := range found {
			// Of two declarations of one object Argo CD takes one, and warns.
			key := object.GroupVersionKind().String() + object.GetNamespace() + "/" + object.GetName()
			if !declared[key] {
				declared[key] = true
				objects = append(objects, object)
			}
		}
		return nil
	})
	return objects, strings.TrimSpace(string(revision)), err
}
