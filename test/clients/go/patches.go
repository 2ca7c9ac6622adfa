// JSON patches and merge patches beside the library that upstream's API server uses, on objects without a schema.
// Custom resources keep what they are sent, so that only the patch decides.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

var patchChecks = []check{
	{"JSON and merge patches agree with upstream's library", jsonPatchesAgree},
}

func freeDefinition() *apiextensions.CustomResourceDefinition {
	made := definition()
	made.Name = "frees.clients.k3v.dev"
	made.Spec.Names = apiextensions.CustomResourceDefinitionNames{Plural: "frees", Singular: "free", Kind: "Free", ListKind: "FreeList"}
	preserve := true
	made.Spec.Versions[0].Schema.OpenAPIV3Schema = &apiextensions.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &preserve}
	return made
}

func value(random *rand.Rand, depth int) any {
	switch random.Intn(6 + min(depth, 1)*4) {
	case 0:
		return random.Intn(3)
	case 1:
		return "t"
	case 2:
		return true
	case 3:
		return nil
	case 4:
		return ""
	case 5, 6:
		list := []any{}
		for range random.Intn(4) {
			list = append(list, value(random, depth-1))
		}
		return list
	default:
		return object(random, depth)
	}
}

func object(random *rand.Rand, depth int) document {
	made := document{}
	for _, key := range []string{"a", "b", "c~/d", ""} {
		if chance(random, 45) {
			made[key] = value(random, depth-1)
		}
	}
	return made
}

func pointer(random *rand.Rand) string {
	path := "/spec"
	for range 1 + random.Intn(3) {
		path += "/" + []string{"a", "b", "c~0~1d", "0", "1", "-", "-1", "9", "", "01"}[random.Intn(10)]
	}
	return path
}

func jsonPatchesAgree(ctx context.Context, config *rest.Config) error {
	options := envtest.CRDInstallOptions{CRDs: []*apiextensions.CustomResourceDefinition{freeDefinition()}}
	if _, err := envtest.InstallCRDs(config, options); err != nil {
		return err
	}
	frees := dynamic.NewForConfigOrDie(config).Resource(widgets.WithResource("frees")).Namespace("default")
	_ = frees.Delete(ctx, "free", metav1.DeleteOptions{})
	start := seed()
	for round := range int64(400) {
		random := rand.New(rand.NewSource(start + round))
		spec := object(random, 3)
		free := &unstructured.Unstructured{Object: document{"apiVersion": "clients.k3v.dev/v1", "kind": "Free", "metadata": document{"name": "free"}, "spec": document(spec)}}
		text, _ := json.Marshal(free.Object)
		var patch []byte
		var wanted []byte
		var wantErr error
		kind := types.JSONPatchType
		if chance(random, 30) {
			kind = types.MergePatchType
			patch, _ = json.Marshal(document{"spec": object(random, 3)})
			wanted, wantErr = jsonpatch.MergePatch(text, patch)
		} else {
			operations := []document{}
			for range 1 + random.Intn(3) {
				operation := document{"op": []string{"add", "remove", "replace", "move", "copy", "test"}[random.Intn(6)], "path": pointer(random)}
				switch operation["op"] {
				case "add", "replace", "test":
					operation["value"] = value(random, 2)
				case "move", "copy":
					operation["from"] = pointer(random)
				}
				operations = append(operations, operation)
			}
			patch, _ = json.Marshal(operations)
			decoded, err := jsonpatch.DecodePatch(patch)
			if err != nil {
				return err
			}
			wanted, wantErr = decoded.Apply(text)
		}
		_ = frees.Delete(ctx, "free", metav1.DeleteOptions{})
		body := &unstructured.Unstructured{}
		if err := body.UnmarshalJSON(text); err != nil {
			return err
		}
		if _, err := frees.Create(ctx, body, metav1.CreateOptions{}); err != nil {
			return err
		}
		have, haveErr := frees.Patch(ctx, "free", kind, patch, metav1.PatchOptions{})
		story := fmt.Sprintf("seed %d\n  # of   %s\n  # with %s", start+round, text, patch)
		if (wantErr == nil) != (haveErr == nil) {
			return fmt.Errorf("upstream: %v, here: %v; %s", wantErr, haveErr, story)
		}
		if wantErr != nil {
			continue
		}
		var want, found document
		_ = json.Unmarshal(wanted, &want)
		answer, _ := have.MarshalJSON()
		_ = json.Unmarshal(answer, &found)
		if !reflect.DeepEqual(want["spec"], found["spec"]) {
			return fmt.Errorf("%s\n  # upstream %v\n  # here     %v", story, want["spec"], found["spec"])
		}
	}
	return envtest.UninstallCRDs(config, options)
}
