package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"sort"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Source is what only the Go source tells: the `+marker` comments of types and fields, and the constants of enums.
type Source struct {
	// Keyed by `package.Type` and `package.Type.Field`.
	markers map[string]Markers
	// `type MatchCondition v1.MatchCondition`: the fields' comments stand at the other type.
	copies map[string]string
	// Keyed by `package.Type`: the sorted values of a `+enum` type.
	enums map[string][]string
	// Keyed by `package.Name`, for defaults that name a constant.
	constants map[string]constant.Value
}

type Markers map[string][]string

func (m Markers) has(name string) bool {
	return len(m[name]) > 0
}

func (m Markers) first(name string) string {
	if len(m[name]) == 0 {
		return ""
	}
	return m[name][0]
}

func readSource(patterns []string) (*Source, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedFiles |
			packages.NeedImports | packages.NeedDeps,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	source := &Source{
		markers:   map[string]Markers{},
		copies:    map[string]string{},
		enums:     map[string][]string{},
		constants: map[string]constant.Value{},
	}
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %v", p.PkgPath, p.Errors[0])
		}
		for _, file := range p.Syntax {
			source.readFile(p, file)
		}
	}
	for _, p := range loaded {
		source.readConstants(p.Types)
	}
	return source, nil
}

func (s *Source) readFile(p *packages.Package, file *ast.File) {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, specification := range general.Specs {
			named, ok := specification.(*ast.TypeSpec)
			if !ok {
				continue
			}
			key := p.PkgPath + "." + named.Name.Name
			if copied, ok := p.TypesInfo.TypeOf(named.Type).(*types.Named); ok && copied.Obj().Pkg() != nil {
				s.copies[key] = copied.Obj().Pkg().Path() + "." + copied.Obj().Name()
			}
			s.markers[key] = markersOf(named.Doc, general.Doc)
			if structure, ok := named.Type.(*ast.StructType); ok {
				for _, field := range structure.Fields.List {
					for _, name := range namesOf(field) {
						s.markers[key+"."+name] = markersOf(field.Doc)
					}
				}
			}
		}
	}
}

// The markers of a field; false when its type was not among the packages read.
func (s *Source) ofField(typeKey, field string) (Markers, bool) {
	for {
		if markers, ok := s.markers[typeKey+"."+field]; ok {
			return markers, true
		}
		copied, ok := s.copies[typeKey]
		if !ok {
			return nil, false
		}
		typeKey = copied
	}
}

func namesOf(field *ast.Field) []string {
	if len(field.Names) == 0 {
		text := types.ExprString(field.Type)
		return []string{strings.TrimPrefix(text[strings.LastIndex(text, ".")+1:], "*")}
	}
	var names []string
	for _, name := range field.Names {
		names = append(names, name.Name)
	}
	return names
}

func markersOf(groups ...*ast.CommentGroup) Markers {
	markers := Markers{}
	for _, group := range groups {
		if group == nil {
			continue
		}
		for _, comment := range group.List {
			for _, line := range strings.Split(comment.Text, "\n") {
				line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "//"))
				if !strings.HasPrefix(line, "+") {
					continue
				}
				name, value, _ := strings.Cut(strings.TrimPrefix(line, "+"), "=")
				markers[name] = append(markers[name], value)
			}
		}
	}
	return markers
}

// A constant belongs to an enum when it has its type, in whatever package it stands, as in kube-openapi.
func (s *Source) readConstants(p *types.Package) {
	for _, name := range p.Scope().Names() {
		declared, ok := p.Scope().Lookup(name).(*types.Const)
		if !ok {
			continue
		}
		s.constants[p.Path()+"."+name] = declared.Val()
		named, ok := declared.Type().(*types.Named)
		if !ok || declared.Val().Kind() != constant.String || named.Obj().Pkg() == nil {
			continue
		}
		key := named.Obj().Pkg().Path() + "." + named.Obj().Name()
		if !s.markers[key].has("enum") {
			continue
		}
		s.enums[key] = insert(s.enums[key], constant.StringVal(declared.Val()))
	}
}

func insert(sorted []string, value string) []string {
	at := sort.SearchStrings(sorted, value)
	if at < len(sorted) && sorted[at] == value {
		return sorted
	}
	return append(sorted[:at], append([]string{value}, sorted[at:]...)...)
}

// The value of a `+default` marker: JSON, or `ref(Constant)`.
func (s *Source) defaultOf(packagePath string, markers Markers) (any, error) {
	if !markers.has("default") {
		return nil, nil
	}
	text := strings.TrimSpace(markers.first("default"))
	if name, isReference := strings.CutPrefix(text, "ref("); isReference {
		name = strings.TrimSuffix(name, ")")
		if !strings.Contains(name, ".") {
			name = packagePath + "." + name
		}
		value, known := s.constants[name]
		if !known {
			return nil, fmt.Errorf("no constant %s", name)
		}
		return constant.StringVal(value), nil
	}
	var value any
	err := json.Unmarshal([]byte(text), &value)
	return value, err
}
