package main

import (
	"bufio"
	"encoding/json"
	"log"
	"maps"
	"slices"
)

// One line per kind and per type, sorted, so that a new Kubernetes version is a readable diff.
func write(out *bufio.Writer, kinds []Kind, types map[string]*Type) {
	out.WriteString("{\n\"kubernetes\":" + text(kubernetes) + ",\n\"kinds\":[\n")
	for i, kind := range kinds {
		out.WriteString(text(kind) + comma(i, len(kinds)))
	}
	out.WriteString("],\n\"types\":{\n")
	names := slices.Sorted(maps.Keys(types))
	for i, name := range names {
		out.WriteString(text(name) + ":" + text(types[name]) + comma(i, len(names)))
	}
	out.WriteString("}\n}\n")
}

func comma(i, length int) string {
	if i == length-1 {
		return "\n"
	}
	return ",\n"
}

func text(value any) string {
	written, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(written)
}
