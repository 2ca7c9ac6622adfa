// The server beside upstream's own libraries: random applies and patches, with the same outcome demanded of both.
// A failure prints its seed; CLIENTS_SEED plays it again.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
)

var agreementChecks = []check{
	{"server-side apply agrees with upstream's field manager", applyAgrees},
	{"strategic merge patches agree with upstream's", strategicAgrees},
}

func seed() int64 {
	if given, err := strconv.ParseInt(os.Getenv("CLIENTS_SEED"), 10, 64); err == nil {
		return given
	}
	return time.Now().UnixNano() % 1_000_000
}

type document = map[string]any

func chance(random *rand.Rand, percent int) bool { return random.Intn(100) < percent }

// configuration is a valid deployment of which every part but the needed ones may be missing. It has no empty maps:
// the deployment controller annotates, and takes an empty map of annotations over from its owner.
func configuration(random *rand.Rand, name string) document {
	pick := func(choices ...string) string { return choices[random.Intn(len(choices))] }
	metadata := document{"name": name, "namespace": "default"}
	for _, field := range []string{"labels", "annotations"} {
		if chance(random, 50) {
			values := document{}
			for _, key := range []string{"a", "b", "c"} {
				if chance(random, 50) {
					values[key] = pick("1", "2")
				}
			}
			if len(values) > 0 {
				metadata[field] = values
			}
		}
	}
	containers := []any{}
	for _, one := range []string{"base", "one", "two"} {
		if one != "base" && chance(random, 50) {
			continue
		}
		container := document{"name": one, "image": pick("i", "i", "j")}
		if chance(random, 40) {
			env := []any{}
			for _, variable := range []string{"X", "Y", "Z"} {
				if chance(random, 50) {
					env = append(env, document{"name": variable, "value": pick("1", "2")})
				}
			}
			random.Shuffle(len(env), func(i, j int) { env[i], env[j] = env[j], env[i] })
			container["env"] = env
		}
		if chance(random, 40) {
			ports := []any{}
			for _, protocol := range []string{"TCP", "UDP"} {
				if chance(random, 60) {
					port := document{"containerPort": 80, "protocol": protocol}
					if chance(random, 40) {
						port["name"] = strings.ToLower(protocol) + pick("a", "b")
					}
					ports = append(ports, port)
				}
			}
			container["ports"] = ports
		}
		if chance(random, 30) {
			container["args"] = []any{pick("x", "y"), pick("x", "y")}
		}
		if chance(random, 30) {
			container["resources"] = document{"limits": document{"cpu": pick("1", "2"), "memory": pick("1Gi", "2Gi")}}
		}
		containers = append(containers, container)
	}
	pod := document{"containers": containers}
	if chance(random, 30) {
		pod["nodeSelector"] = document{"n": pick("1", "2")}
	}
	if chance(random, 30) {
		pod["tolerations"] = []any{document{"key": pick("k", "l"), "operator": "Exists"}}
	}
	if chance(random, 30) {
		pod["imagePullSecrets"] = []any{document{"name": pick("p", "q")}}
	}
	if chance(random, 30) {
		pod["hostAliases"] = []any{document{"ip": pick("1.1.1.1", "2.2.2.2"), "hostnames": []any{"h"}}}
	}
	if chance(random, 30) {
		pod["volumes"] = []any{document{"name": pick("v", "w"), "emptyDir": document{}}}
	}
	spec := document{
		"selector": document{"matchLabels": document{"app": "x"}},
		"template": document{"metadata": document{"labels": document{"app": "x"}}, "spec": pod},
	}
	if chance(random, 40) {
		spec["replicas"] = random.Intn(2)
	}
	if chance(random, 20) {
		spec["paused"] = true
	}
	return document{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
}

func applyAgrees(ctx context.Context, config *rest.Config) error {
	start := seed()
	server := kubernetes.NewForConfigOrDie(config)
	for round := range int64(40) {
		random := rand.New(rand.NewSource(start + round))
		name := fmt.Sprintf("agree-%d", start+round)
		judge := fake.NewClientset()
		history := []string{}
		for range 6 {
			body, _ := json.Marshal(configuration(random, name))
			force := chance(random, 60)
			options := metav1.PatchOptions{FieldManager: "m" + strconv.Itoa(random.Intn(3)), Force: &force}
			history = append(history, fmt.Sprintf("%s force=%v %s", options.FieldManager, force, body))
			want, wantErr := judge.AppsV1().Deployments("default").Patch(ctx, name, types.ApplyPatchType, body, options)
			have, haveErr := server.AppsV1().Deployments("default").Patch(ctx, name, types.ApplyPatchType, body, options)
			// Only the server validates; what the two hold differs from here on.
			if apierrors.IsInvalid(haveErr) && wantErr == nil {
				break
			}
			if err := sameOutcome(want, wantErr, have, haveErr); err != nil {
				return fmt.Errorf("seed %d: %w\n  # %s", start+round, err, strings.Join(history, "\n  # "))
			}
		}
		if err := server.AppsV1().Deployments("default").Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func sameOutcome(want *appsv1.Deployment, wantErr error, have *appsv1.Deployment, haveErr error) error {
	if (wantErr == nil) != (haveErr == nil) {
		return fmt.Errorf("upstream: %v, here: %v", wantErr, haveErr)
	}
	if wantErr != nil {
		return expect(conflictFields(wantErr) == conflictFields(haveErr), "upstream: %v, here: %v", wantErr, haveErr)
	}
	if wanted, found := owned(want), owned(have); wanted != found {
		return fmt.Errorf("owners differ:\n  # upstream %s\n  # here     %s", wanted, found)
	}
	wanted, found := shape(want), shape(have)
	return expect(wanted == found, "objects differ:\n  # upstream %s\n  # here     %s", wanted, found)
}

func conflictFields(err error) string {
	status, isStatus := err.(apierrors.APIStatus)
	if !isStatus || status.Status().Details == nil {
		return err.Error()
	}
	causes := []string{}
	for _, cause := range status.Status().Details.Causes {
		causes = append(causes, cause.Field+" "+cause.Message)
	}
	sort.Strings(causes)
	return strings.Join(causes, "; ")
}

// owned is who applied what; entries of controllers are not the fake's.
func owned(deployment *appsv1.Deployment) string {
	entries := []string{}
	for _, entry := range deployment.ManagedFields {
		if entry.Operation != metav1.ManagedFieldsOperationApply {
			continue
		}
		var fields any
		_ = json.Unmarshal(entry.FieldsV1.Raw, &fields)
		text, _ := json.Marshal(fields)
		entries = append(entries, entry.Manager+" "+string(text))
	}
	sort.Strings(entries)
	return strings.Join(entries, " | ")
}

// shape is what appliers said, in its order, without defaults.
func shape(deployment *appsv1.Deployment) string {
	pod := deployment.Spec.Template.Spec
	annotations := map[string]string{}
	for key, value := range deployment.Annotations {
		if !strings.Contains(key, "/") {
			annotations[key] = value
		}
	}
	containers := []any{}
	for _, one := range pod.Containers {
		containers = append(containers, []any{one.Name, one.Image, one.Env, one.Ports, one.Args, one.Resources})
	}
	volumes := []string{}
	for _, one := range pod.Volumes {
		volumes = append(volumes, one.Name)
	}
	text, _ := json.Marshal([]any{deployment.Labels, annotations, containers, pod.NodeSelector, pod.Tolerations, pod.ImagePullSecrets, pod.HostAliases, volumes, deployment.Spec.Paused})
	return strings.NewReplacer("null", "", "[]", "", "{}", "").Replace(string(text))
}

// strategic makes a patch out of a configuration: parts of it, deletions, orders and directives.
func strategic(random *rand.Rand, name string) document {
	patch := configuration(random, name)
	spec := patch["spec"].(document)
	delete(spec, "selector")
	pod := spec["template"].(document)["spec"].(document)
	containers := pod["containers"].([]any)
	for _, one := range containers {
		container := one.(document)
		if env, has := container["env"].([]any); has {
			if chance(random, 30) {
				env = append(env, document{"name": "Y", "$patch": "delete"})
			}
			if chance(random, 15) {
				env = append(env, document{"$patch": "replace"})
			}
			container["env"] = env
			if chance(random, 30) {
				container["$setElementOrder/env"] = []any{document{"name": "Z"}, document{"name": "X"}, document{"name": "Y"}}
			}
		}
		if chance(random, 15) {
			container["args"] = nil
		}
		if chance(random, 15) {
			container["resources"] = document{"$patch": "replace", "limits": document{"cpu": "3"}}
		}
	}
	if chance(random, 30) {
		containers = append(containers, document{"name": "two", "$patch": "delete"})
	}
	pod["containers"] = containers
	if chance(random, 30) {
		pod["$setElementOrder/containers"] = []any{document{"name": "two"}, document{"name": "base"}, document{"name": "one"}}
	}
	if chance(random, 20) {
		pod["nodeSelector"] = nil
	}
	if chance(random, 20) {
		patch["metadata"].(document)["labels"] = document{"a": nil, "d": "4"}
	}
	if chance(random, 15) {
		patch["metadata"].(document)["annotations"] = document{"$patch": "replace", "e": "5"}
	}
	if chance(random, 20) {
		spec["strategy"] = document{"$retainKeys": []any{"type"}, "type": "Recreate"}
	}
	if chance(random, 20) {
		patch["metadata"].(document)["finalizers"] = []any{"x.io/a"}
	}
	if _, adds := patch["metadata"].(document)["finalizers"]; !adds && chance(random, 20) {
		patch["metadata"].(document)["$deleteFromPrimitiveList/finalizers"] = []any{"x.io/a"}
	}
	delete(patch, "apiVersion")
	delete(patch, "kind")
	return patch
}

func strategicAgrees(ctx context.Context, config *rest.Config) error {
	start := seed()
	config.WarningHandler = rest.NoWarnings{}
	deployments := kubernetes.NewForConfigOrDie(config).AppsV1().Deployments("default")
	dry := []string{metav1.DryRunAll}
	for round := range int64(60) {
		random := rand.New(rand.NewSource(start + round))
		name := fmt.Sprintf("patch-%d", start+round)
		first, _ := json.Marshal(configuration(random, name))
		force := true
		made, err := deployments.Patch(ctx, name, types.ApplyPatchType, first, metav1.PatchOptions{FieldManager: "maker", Force: &force})
		if err != nil {
			return err
		}
		for range 5 {
			if made, err = deployments.Get(ctx, name, metav1.GetOptions{}); err != nil {
				return err
			}
			patch, _ := json.Marshal(strategic(random, name))
			before, _ := json.Marshal(made)
			merged, wantErr := strategicpatch.StrategicMergePatch(before, patch, appsv1.Deployment{})
			have, haveErr := deployments.Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{DryRun: dry})
			story := fmt.Sprintf("seed %d\n  # of   %s\n  # with %s", start+round, before, patch)
			if wantErr != nil {
				// Upstream answers 500 to some directives that make no difference; here they make none.
				continue
			}
			wanted := &appsv1.Deployment{}
			if err := json.Unmarshal(merged, wanted); err != nil {
				continue
			}
			wanted.ResourceVersion = ""
			want, wantErr := deployments.Update(ctx, wanted, metav1.UpdateOptions{DryRun: dry})
			if (wantErr == nil) != (haveErr == nil) {
				return fmt.Errorf("upstream: %v, here: %v; %s", wantErr, haveErr, story)
			}
			if wantErr != nil {
				continue
			}
			for _, one := range []*appsv1.Deployment{want, have} {
				one.ManagedFields, one.ResourceVersion, one.Status = nil, "", appsv1.DeploymentStatus{}
				delete(one.Annotations, "deployment.kubernetes.io/revision")
			}
			wantText, _ := json.Marshal(want)
			haveText, _ := json.Marshal(have)
			if string(wantText) != string(haveText) {
				return fmt.Errorf("%s\n  # upstream %s\n  # here     %s", story, wantText, haveText)
			}
		}
		if err := deployments.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return nil
}
