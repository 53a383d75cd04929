// Writes down how kubectl reads YAML: the answer of sigs.k8s.io/yaml to each case of answers.json. To add a case, add its "yaml" there
// and run `go run .` in this folder.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/yaml"
)

const file = "answers.json"

type answer struct {
	YAML  string          `json:"yaml"`
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(text, &answers); err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	for i := range answers {
		one := answer{YAML: answers[i].YAML}
		if one.JSON, err = yaml.YAMLToJSON([]byte(one.YAML)); err != nil {
			one = answer{YAML: one.YAML, Error: err.Error()}
		}
		line := bytes.Buffer{}
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(one); err != nil {
			log.Fatal(err)
		}
		out.WriteString(map[bool]string{true: "[\n ", false: ",\n "}[i == 0])
		out.Write(bytes.TrimSpace(line.Bytes()))
	}
	out.WriteString("\n]\n")
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
