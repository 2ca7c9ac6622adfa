// Prints the facts of the built-in kinds as one JSON table: fields, protobuf numbers, list keys, merge keys, enums.
// Reflection knows the tags, source.go the markers in comments; merge.go proves both against client-go's own schema.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	admission "k8s.io/api/admission/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const kubernetes = "v1.36.3"

func main() {
	log.SetFlags(0)
	source, err := readSource([]string{
		"k8s.io/api/...",
		"k8s.io/apimachinery/pkg/apis/meta/v1",
		"k8s.io/apimachinery/pkg/runtime",
		"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
		"k8s.io/kube-aggregator/pkg/apis/apiregistration/v1",
	})
	if err != nil {
		log.Fatal(err)
	}
	walk := newWalk(source)
	kinds := walk.kinds(everything())
	if problems := proveMerge(walk.types); len(problems) > 0 {
		for _, problem := range problems {
			log.Print(problem)
		}
		log.Fatalf("%d facts differ from client-go's schema", len(problems))
	}
	out := bufio.NewWriter(os.Stdout)
	write(out, kinds, walk.types)
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "%d kinds, %d types\n", len(kinds), len(walk.types))
}

func everything() *runtime.Scheme {
	all := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		scheme.AddToScheme,
		admission.AddToScheme,
		apiextensions.AddToScheme,
		apiregistration.AddToScheme,
		meta.AddMetaToScheme,
	} {
		utilruntime.Must(add(all))
	}
	return all
}
