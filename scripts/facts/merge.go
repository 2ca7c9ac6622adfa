package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// proveMerge compares the table with the structured-merge-diff schema that client-go carries: the same fields, list
// types, list keys, map types and defaults. It answers what differs. client-go's schema has fewer types than the table.
func proveMerge(types map[string]*Type) []string {
	text, err := clientSchema()
	if err != nil {
		return []string{err.Error()}
	}
	parsed, err := typed.NewParser(typed.YAMLObject(text))
	if err != nil {
		return []string{err.Error()}
	}
	proof := &proof{types: types}
	for _, definition := range parsed.Schema.Types {
		if ours := types[definition.Name]; ours != nil && ours.Wrapper == "" && definition.Map != nil {
			proof.compare(definition.Name, ours, definition.Map)
		}
	}
	if proof.compared < 500 {
		proof.report("client-go's schema", "only %d types in common with the table", proof.compared)
	}
	return proof.problems
}

// The schema is in an internal package, so that it is read as source.
func clientSchema() (string, error) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/client-go").Output()
	if err != nil {
		return "", err
	}
	path := filepath.Join(strings.TrimSpace(string(folder)), "applyconfigurations", "internal", "internal.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return "", err
	}
	longest := ""
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && len(literal.Value) > len(longest) {
			longest = literal.Value
		}
		return true
	})
	return strconv.Unquote(longest)
}

type proof struct {
	types    map[string]*Type
	compared int
	problems []string
}

func (p *proof) report(where, format string, arguments ...any) {
	p.problems = append(p.problems, where+": "+fmt.Sprintf(format, arguments...))
}

func (p *proof) compare(name string, ours *Type, theirs *schema.Map) {
	// An empty struct stands there as a map of anything.
	fields := p.fieldsOf(ours)
	if len(theirs.Fields) == 0 && len(fields) == 0 {
		return
	}
	p.compared++
	for _, field := range theirs.Fields {
		mine, known := fields[field.Name]
		if !known {
			p.report(name+"."+field.Name, "missing")
			continue
		}
		delete(fields, field.Name)
		p.compareField(name+"."+field.Name, mine, field)
	}
	for field := range fields {
		p.report(name+"."+field, "not in client-go")
	}
	if isAtomic := theirs.ElementRelationship == schema.Atomic; isAtomic != (ours.Map == "atomic") {
		p.report(name, "atomic: %v", isAtomic)
	}
}

func (p *proof) fieldsOf(ours *Type) map[string]*Field {
	fields := map[string]*Field{}
	for _, inline := range ours.Inline {
		for name, field := range p.fieldsOf(p.types[inline.Type]) {
			fields[name] = field
		}
	}
	for name, field := range ours.Fields {
		fields[name] = field
	}
	return fields
}

func (p *proof) compareField(where string, mine *Field, theirs schema.StructField) {
	if list := theirs.Type.Inlined.List; list != nil && theirs.Type.Inlined.Map == nil {
		want := "atomic"
		if list.ElementRelationship == schema.Associative {
			want = "set"
			if len(list.Keys) > 0 {
				want = "map"
			}
		}
		if got := mine.List; got != want && !(got == "" && want == "atomic") {
			p.report(where, "list type %q, not %q", got, want)
		}
		if !slices.Equal(mine.Keys, list.Keys) {
			p.report(where, "list keys %v, not %v", mine.Keys, list.Keys)
		}
	}
	relationship := theirs.Type.ElementRelationship
	if aMap := theirs.Type.Inlined.Map; aMap != nil && theirs.Type.Inlined.List == nil && aMap.ElementRelationship != "" {
		relationship = &aMap.ElementRelationship
	}
	isAtomic := relationship != nil && *relationship == schema.Atomic
	if isAtomic != (mine.Map == "atomic") {
		p.report(where, "atomic: %v", isAtomic)
	}
	if !isZero(theirs.Default) && !sameJSON(mine.Default, theirs.Default) {
		p.report(where, "default %v, not %v", mine.Default, theirs.Default)
	}
}

// kube-openapi gives each required field its zero value as a default, which says nothing.
func isZero(value any) bool {
	if value == nil || reflect.ValueOf(value).IsZero() {
		return true
	}
	of := reflect.ValueOf(value)
	return of.Kind() == reflect.Map && of.Len() == 0
}

func sameJSON(a, b any) bool {
	one, errOne := json.Marshal(a)
	other, errOther := json.Marshal(b)
	return errOne == nil && errOther == nil && string(one) == string(other)
}
