package main

import (
	"log"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a registered kind and the definition that describes it.
type Kind struct {
	Group   string `json:"g"`
	Version string `json:"v"`
	Kind    string `json:"k"`
	Type    string `json:"t"`
}

// Field is what the table says about one JSON field. The README explains the short names.
type Field struct {
	Type     string   `json:"t"`
	Proto    int      `json:"p,omitempty"`
	Required int      `json:"r,omitempty"`
	Pointer  int      `json:"ptr,omitempty"`
	Zero     string   `json:"zero,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	List     string   `json:"list,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Map      string   `json:"map,omitempty"`
	Patch    string   `json:"patch,omitempty"`
	MergeKey string   `json:"mergeKey,omitempty"`
	Default  any      `json:"default,omitempty"`
}

// Inline is a struct that JSON merges into its parent and protobuf keeps as a message.
type Inline struct {
	Proto int    `json:"p"`
	Type  string `json:"t"`
}

// Type is one definition: a struct, or a wrapper such as ExtraValue, which is a list in JSON and a message on the wire.
type Type struct {
	Map     string            `json:"map,omitempty"`
	Wrapper string            `json:"wrapper,omitempty"`
	Inline  []Inline          `json:"inline,omitempty"`
	Fields  map[string]*Field `json:"fields,omitempty"`
}

const metaPackage = "k8s.io/apimachinery/pkg/apis/meta/v1"

// Types with a shape of their own, by `package.Type`. No definition is written for them.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                         "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "intorstring",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "rawextension",
	metaPackage + ".Time":                                                                   "time",
	metaPackage + ".MicroTime":                                                              "microtime",
	metaPackage + ".FieldsV1":                                                               "fieldsv1",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "json",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "schemaorarray",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "schemaorbool",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
}

type walk struct {
	source *Source
	types  map[string]*Type
}

func newWalk(source *Source) *walk {
	return &walk{source: source, types: map[string]*Type{}}
}

// kinds lists every kind that 1.36 can still serve. The kinds of meta/v1 are registered in each group version and are
// listed once, as meta.k8s.io/v1.
func (w *walk) kinds(scheme *runtime.Scheme) []Kind {
	seen := map[Kind]bool{}
	for kind, goType := range scheme.AllKnownTypes() {
		if kind.Version == runtime.APIVersionInternal || kind.Kind == "InternalEvent" || isGone(goType) {
			continue
		}
		if goType.PkgPath() == metaPackage {
			kind = schema.GroupVersionKind{Group: "meta.k8s.io", Version: "v1", Kind: kind.Kind}
		}
		if strings.HasPrefix(goType.PkgPath(), "k8s.io/apimachinery/") && goType.PkgPath() != metaPackage {
			continue
		}
		seen[Kind{kind.Group, kind.Version, kind.Kind, w.definition(goType)}] = true
	}
	var kinds []Kind
	for kind := range seen {
		kinds = append(kinds, kind)
	}
	sort.Slice(kinds, func(i, j int) bool {
		a, b := kinds[i], kinds[j]
		return strings.Join([]string{a.Group, a.Version, a.Kind}, "/") < strings.Join([]string{b.Group, b.Version, b.Kind}, "/")
	})
	return kinds
}

// isGone says that the kind was removed in 1.36 or before, by its own account.
func isGone(goType reflect.Type) bool {
	removed, ok := reflect.New(goType).Interface().(interface{ APILifecycleRemoved() (int, int) })
	if !ok {
		return false
	}
	major, minor := removed.APILifecycleRemoved()
	return major == 1 && minor <= 36
}

func keyOf(goType reflect.Type) string {
	return goType.PkgPath() + "." + goType.Name()
}

func nameOf(goType reflect.Type) string {
	if named, ok := reflect.New(goType).Interface().(interface{ OpenAPIModelName() string }); ok {
		return named.OpenAPIModelName()
	}
	// The wrappers (ExtraValue, Verbs) have none: made as the others are, `k8s.io/api/x` becoming `io.k8s.api.x`.
	path, found := strings.CutPrefix(keyOf(goType), "k8s.io/")
	if !found {
		log.Fatalf("%s has no OpenAPI name", keyOf(goType))
	}
	return "io.k8s." + strings.ReplaceAll(path, "/", ".")
}

// definition walks a named type once and answers its OpenAPI name.
func (w *walk) definition(goType reflect.Type) string {
	name := nameOf(goType)
	if w.types[name] != nil {
		return name
	}
	written := &Type{Fields: map[string]*Field{}}
	w.types[name] = written
	markers := w.source.markers[keyOf(goType)]
	if goType.Kind() == reflect.Slice {
		written.Wrapper = w.expression(goType.Elem())
		return name
	}
	written.Map = markers.first("structType")
	w.fields(goType, written)
	return name
}

func (w *walk) fields(goType reflect.Type, into *Type) {
	for i := range goType.NumField() {
		field := goType.Field(i)
		jsonName, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case jsonName == "-" || !field.IsExported():
			continue
		case field.Type.PkgPath() == metaPackage && field.Name == "TypeMeta":
			into.Fields["apiVersion"] = &Field{Type: "string"}
			into.Fields["kind"] = &Field{Type: "string"}
		case jsonName == "" && (field.Anonymous || strings.Contains(options, "inline")):
			w.inline(field, into)
		case jsonName == "":
			log.Fatalf("%s.%s has no JSON name", keyOf(goType), field.Name)
		default:
			into.Fields[jsonName] = w.field(goType, field, options)
		}
	}
}

func (w *walk) inline(field reflect.StructField, into *Type) {
	structure := indirect(field.Type)
	if number := protoNumber(field); number > 0 {
		into.Inline = append(into.Inline, Inline{number, w.definition(structure)})
		return
	}
	w.fields(structure, into)
}

func (w *walk) field(parent reflect.Type, field reflect.StructField, options string) *Field {
	key := keyOf(parent) + "." + field.Name
	markers, known := w.source.ofField(keyOf(parent), field.Name)
	if !known {
		log.Fatalf("%s is not in the source that was read", key)
	}
	typeMarkers := w.source.markers[keyOf(indirect(field.Type))]
	either := func(name string) string {
		if markers.has(name) {
			return markers.first(name)
		}
		return typeMarkers.first(name)
	}
	written := &Field{
		Type:     w.expression(field.Type),
		Proto:    protoNumber(field),
		Required: flag(isRequired(markers, options)),
		Pointer:  flag(field.Type.Kind() == reflect.Pointer),
		Enum:     w.enum(field.Type),
		List:     either("listType"),
		Keys:     markers["listMapKey"],
		Map:      either("mapType"),
		Patch:    field.Tag.Get("patchStrategy"),
		MergeKey: field.Tag.Get("patchMergeKey"),
	}
	if markers.has("structType") {
		written.Map = markers.first("structType")
	}
	written.Zero = zeroOf(field.Type, options, written.Required == 1)
	value, err := w.source.defaultOf(parent.PkgPath(), markers)
	if err != nil {
		log.Fatalf("%s: default: %v", key, err)
	}
	written.Default = value
	return written
}

// isRequired is kube-openapi's rule.
func isRequired(markers Markers, options string) bool {
	if markers.has("required") {
		return true
	}
	return !markers.has("optional") && !strings.Contains(options, "omitempty")
}

// zeroOf says what becomes of a zero value in Go's JSON, where the default for its required-ness does not hold:
// a required field is kept, an optional one dropped. Structs are kept unless `omitzero` says otherwise.
func zeroOf(goType reflect.Type, options string, required bool) string {
	dropped := strings.Contains(options, "omitzero")
	if goType.Kind() != reflect.Struct {
		dropped = dropped || strings.Contains(options, "omitempty")
	}
	switch {
	case dropped && required:
		return "drop"
	case !dropped && !required:
		return "keep"
	}
	return ""
}

func (w *walk) enum(goType reflect.Type) []string {
	for {
		if values := w.source.enums[keyOf(goType)]; goType.Name() != "" && len(values) > 0 {
			return values
		}
		switch goType.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			goType = goType.Elem()
		default:
			return nil
		}
	}
}

func (w *walk) expression(goType reflect.Type) string {
	if goType.Kind() == reflect.Pointer {
		return w.expression(goType.Elem())
	}
	if name, ok := special[keyOf(goType)]; ok {
		return name
	}
	switch goType.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32:
		return "int32"
	case reflect.Int64, reflect.Int, reflect.Uint32:
		return "int64"
	case reflect.Float64:
		return "double"
	case reflect.Interface:
		return "json"
	case reflect.Struct:
		return w.definition(goType)
	case reflect.Map:
		if goType.Key().Kind() != reflect.String {
			log.Fatalf("%s: a map needs string keys", goType)
		}
		return "map[string]" + w.expression(goType.Elem())
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		// ExtraValue and Verbs can be null, so protobuf gives them a message; other named lists are plain lists.
		if w.source.markers[keyOf(goType)].has("protobuf.nullable") {
			return w.definition(goType)
		}
		return "[]" + w.expression(goType.Elem())
	}
	log.Fatalf("%s: no expression for it", goType)
	return ""
}

func protoNumber(field reflect.StructField) int {
	for i, part := range strings.Split(field.Tag.Get("protobuf"), ",") {
		if i == 1 {
			number, err := strconv.Atoi(part)
			if err != nil {
				log.Fatalf("%s: %v", field.Name, err)
			}
			return number
		}
	}
	return 0
}

func indirect(goType reflect.Type) reflect.Type {
	if goType.Kind() == reflect.Pointer {
		return goType.Elem()
	}
	return goType
}

func flag(set bool) int {
	if set {
		return 1
	}
	return 0
}
