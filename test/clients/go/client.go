// Typed, dynamic and discovery clients: bodies in protobuf, patches of all types, pages, leases.

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

var clientChecks = []check{
	{"typed clients create, read, update and delete with protobuf bodies", typedObjects},
	{"every field of a rich pod survives protobuf", richPod},
	{"conflicts, missing and present objects are told apart", errorKinds},
	{"patches of all types", patches},
	{"typed apply configurations: conflicts, force, extraction, status", typedApply},
	{"lists in pages", pages},
	{"dynamic client and RESTMapper reach what discovery names", dynamicObjects},
	{"the metadata client reads metadata only", metadataOnly},
	{"scale, eviction and binding", podSubresources},
	{"tokens, reviews and impersonation", identities},
	{"leader election hands over", leaderElection},
	{"delete options: preconditions, propagation, collections", deletion},
	{"generated names and dry runs", namesAndDryRuns},
}

func namespaceFor(ctx context.Context, client kubernetes.Interface, prefix string) (string, error) {
	made, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return made.Name, nil
}

func deploymentOf(name string) *appsv1.Deployment {
	replicas := int32(1)
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "image"}}},
			},
		},
	}
}

func typedObjects(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "typed")
	if err != nil {
		return err
	}
	secrets := client.CoreV1().Secrets(namespace)
	made, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": {0, 1, 255}}, StringData: map[string]string{"t": "ü"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := first(
		expect(string(made.Data["k"]) == "\x00\x01\xff" && string(made.Data["t"]) == "ü" && made.Type == corev1.SecretTypeOpaque, "secret came back as %v", made),
		expect(made.UID != "" && made.ResourceVersion != "" && len(made.ManagedFields) == 1, "metadata came back as %v", made.ObjectMeta),
		expect(made.ManagedFields[0].Manager == "clients", "manager is %q", made.ManagedFields[0].Manager),
	); err != nil {
		return err
	}
	made.Data["k"] = []byte("new")
	updated, err := secrets.Update(ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	same, err := secrets.Update(ctx, updated, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if err := expect(same.ResourceVersion == updated.ResourceVersion, "an update without a change made revision %s of %s", same.ResourceVersion, updated.ResourceVersion); err != nil {
		return err
	}
	deployments := client.AppsV1().Deployments(namespace)
	deployment, err := deployments.Create(ctx, deploymentOf("d"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		deployment, err = deployments.Get(ctx, "d", metav1.GetOptions{})
		if err != nil {
			return err
		}
		deployment.Status.Conditions = append(deployment.Status.Conditions, appsv1.DeploymentCondition{Type: "Mine", Status: "True"})
		deployment.Spec.Paused = true
		deployment, err = deployments.UpdateStatus(ctx, deployment, metav1.UpdateOptions{})
		return err
	}); err != nil {
		return err
	}
	if err := expect(!deployment.Spec.Paused, "an update of status wrote the spec"); err != nil {
		return err
	}
	list, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: "app=d"})
	if err != nil {
		return err
	}
	return first(
		expect(len(list.Items) == 1 && list.ResourceVersion != "", "list is %v", list),
		secrets.Delete(ctx, "s", metav1.DeleteOptions{}),
		client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}),
	)
}

func richPod(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "rich")
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "me"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	yes, no, user, seconds := true, false, int64(1000), int64(0)
	zero := int32(0)
	mode := int32(0o400)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{"a": ""}},
		Spec: corev1.PodSpec{
			ServiceAccountName:            "me",
			AutomountServiceAccountToken:  &no,
			TerminationGracePeriodSeconds: &seconds,
			SecurityContext:               &corev1.PodSecurityContext{RunAsUser: &user, RunAsNonRoot: &yes, FSGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			NodeSelector:                  map[string]string{"x": "y"},
			Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: 5, PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "h", LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "k", Operator: metav1.LabelSelectorOpIn, Values: []string{"v"}}}}}}}}},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "z", WhenUnsatisfiable: corev1.DoNotSchedule}},
			InitContainers:            []corev1.Container{{Name: "i", Image: "i", RestartPolicy: func() *corev1.ContainerRestartPolicy { p := corev1.ContainerRestartPolicyAlways; return &p }()}},
			Containers: []corev1.Container{{
				Name: "c", Image: "image:1", Command: []string{"a"}, Args: []string{"$(B)"},
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
				Env:   []corev1.EnvVar{{Name: "B", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}, {Name: "E", Value: ""}},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("0.5"), corev1.ResourceMemory: resource.MustParse("1.5Gi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2048Mi")},
				},
				LivenessProbe:   &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/h", Port: intstr.FromString("http")}}},
				ReadinessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}, InitialDelaySeconds: 3},
				Lifecycle:       &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"x"}}}},
				SecurityContext: &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, AllowPrivilegeEscalation: &no},
				VolumeMounts:    []corev1.VolumeMount{{Name: "v", MountPath: "/v", ReadOnly: true}, {Name: "p", MountPath: "/p"}, {Name: "s", MountPath: "/s"}},
			}},
			Volumes: []corev1.Volume{
				{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
				{Name: "s", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", Optional: &yes, DefaultMode: &mode}}},
				{Name: "p", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "c"}}}, {DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "l", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels"}}}}}}}}},
			},
			Tolerations:      []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			HostAliases:      []corev1.HostAlias{{IP: "1.2.3.4", Hostnames: []string{"h"}}},
			Priority:         nil,
		},
	}
	_ = zero
	made, err := client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	c := made.Spec.Containers[0]
	cpu, memory := c.Resources.Requests[corev1.ResourceCPU], c.Resources.Requests[corev1.ResourceMemory]
	return first(
		expect(cpu.String() == "500m" && memory.String() == "1536Mi", "quantities are %s and %s", cpu.String(), memory.String()),
		expect(c.LivenessProbe.HTTPGet.Port.StrVal == "http" && c.ReadinessProbe.TCPSocket.Port.IntVal == 80 && c.LivenessProbe.PeriodSeconds == 10, "probes are %v", c.LivenessProbe),
		expect(made.Spec.TerminationGracePeriodSeconds != nil && *made.Spec.TerminationGracePeriodSeconds == 0, "an explicit zero was lost"),
		expect(made.Spec.Volumes[0].EmptyDir != nil && *made.Spec.Volumes[1].Secret.DefaultMode == 0o400 && len(made.Spec.Volumes[2].Projected.Sources) == 2, "volumes are %v", made.Spec.Volumes),
		expect(made.Annotations["a"] == "" && len(made.Annotations) == 1, "annotations are %v", made.Annotations),
		expect(*made.Spec.SecurityContext.RunAsUser == 1000 && c.SecurityContext.Capabilities.Drop[0] == "ALL", "security contexts are lost"),
		expect(made.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.LabelSelector.MatchExpressions[0].Values[0] == "v", "affinity is lost"),
		expect(*made.Spec.InitContainers[0].RestartPolicy == corev1.ContainerRestartPolicyAlways, "sidecar is lost"),
		expect(made.Status.Phase == corev1.PodPending && made.Status.QOSClass == corev1.PodQOSBurstable, "status is %v", made.Status),
		client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}),
	)
}

func errorKinds(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	maps := client.CoreV1().ConfigMaps("default")
	_ = maps.Delete(ctx, "errors", metav1.DeleteOptions{})
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "errors"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, again := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "errors"}}, metav1.CreateOptions{})
	stale := made.DeepCopy()
	made.Data = map[string]string{"a": "1"}
	if _, err := maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	stale.Data = map[string]string{"a": "2"}
	_, conflict := maps.Update(ctx, stale, metav1.UpdateOptions{})
	_, missing := maps.Get(ctx, "nobody", metav1.GetOptions{})
	_, wrong := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "A_B"}}, metav1.CreateOptions{})
	_, homeless := client.CoreV1().ConfigMaps("no-such-namespace").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{})
	_, field := maps.List(ctx, metav1.ListOptions{FieldSelector: "data.a=1"})
	otherName := made.DeepCopy()
	otherName.ResourceVersion = ""
	otherUID := made.DeepCopy()
	otherUID.ResourceVersion, otherUID.UID = "", "another"
	_, uid := maps.Update(ctx, otherUID, metav1.UpdateOptions{})
	return first(
		expect(apierrors.IsAlreadyExists(again), "create again: %v", again),
		expect(apierrors.IsConflict(conflict), "stale update: %v", conflict),
		expect(apierrors.IsNotFound(missing), "missing: %v", missing),
		expect(apierrors.IsInvalid(wrong), "bad name: %v", wrong),
		expect(apierrors.IsNotFound(homeless), "no namespace: %v", homeless),
		expect(apierrors.IsBadRequest(field), "field selector: %v", field),
		expect(apierrors.IsConflict(uid), "other uid: %v", uid),
		maps.Delete(ctx, "errors", metav1.DeleteOptions{}),
	)
}

func patches(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	deployments := client.AppsV1().Deployments("default")
	_ = deployments.Delete(ctx, "patched", metav1.DeleteOptions{})
	if _, err := deployments.Create(ctx, deploymentOf("patched"), metav1.CreateOptions{}); err != nil {
		return err
	}
	bodies := []struct {
		kind types.PatchType
		body string
	}{
		{types.StrategicMergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}`},
		{types.MergePatchType, `{"metadata":{"labels":{"merged":"yes"}}}`},
		{types.JSONPatchType, `[{"op":"add","path":"/metadata/annotations","value":{"json":"yes"}},{"op":"test","path":"/metadata/annotations/json","value":"yes"}]`},
		{types.ApplyPatchType, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"patched","labels":{"applied":"yes"}}}`},
	}
	var last *appsv1.Deployment
	for _, one := range bodies {
		options := metav1.PatchOptions{}
		if one.kind == types.ApplyPatchType {
			options.FieldManager = "me"
		}
		var err error
		// The deployment controller writes too, and a JSON patch of annotations replaces what it wrote.
		if last, err = deployments.Patch(ctx, "patched", one.kind, []byte(one.body), options); err != nil {
			return fmt.Errorf("%s: %w", one.kind, err)
		}
	}
	_, test := deployments.Patch(ctx, "patched", types.JSONPatchType, []byte(`[{"op":"test","path":"/metadata/name","value":"x"}]`), metav1.PatchOptions{})
	_, stale := deployments.Patch(ctx, "patched", types.MergePatchType, []byte(`{"metadata":{"resourceVersion":"1"},"spec":{"paused":true}}`), metav1.PatchOptions{})
	_, cbor := deployments.Patch(ctx, "patched", types.PatchType("application/nonsense"), []byte(`{}`), metav1.PatchOptions{})
	status, err := deployments.Patch(ctx, "patched", types.MergePatchType, []byte(`{"status":{"collisionCount":3},"spec":{"paused":true}}`), metav1.PatchOptions{}, "status")
	if err != nil {
		return err
	}
	return first(
		expect(len(last.Spec.Template.Spec.Containers) == 2, "containers are %v", last.Spec.Template.Spec.Containers),
		expect(last.Labels["merged"] == "yes" && last.Labels["applied"] == "yes" && last.Annotations["json"] == "yes", "metadata is %v", last.ObjectMeta),
		expect(apierrors.IsInvalid(test), "failed test: %v", test),
		expect(apierrors.IsConflict(stale), "stale patch: %v", stale),
		expect(apierrors.IsUnsupportedMediaType(cbor), "unknown patch: %v", cbor),
		expect(!status.Spec.Paused, "a patch of status wrote the spec"),
		deployments.Delete(ctx, "patched", metav1.DeleteOptions{}),
	)
}

func typedApply(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	deployments := client.AppsV1().Deployments("default")
	_ = deployments.Delete(ctx, "applied", metav1.DeleteOptions{})
	labels := map[string]string{"app": "applied"}
	wanted := appsapply.Deployment("applied", "default").WithLabels(labels).WithSpec(appsapply.DeploymentSpec().
		WithReplicas(1).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(
			coreapply.Container().WithName("c").WithImage("one").WithPorts(coreapply.ContainerPort().WithContainerPort(80)).WithEnv(coreapply.EnvVar().WithName("A").WithValue("1"), coreapply.EnvVar().WithName("B").WithValue("2")),
		))))
	one := metav1.ApplyOptions{FieldManager: "one"}
	made, err := deployments.Apply(ctx, wanted, one)
	if err != nil {
		return err
	}
	again, err := deployments.Apply(ctx, wanted, one)
	if err != nil {
		return err
	}
	if err := expect(again.Generation == made.Generation, "the same apply made generation %d", again.Generation); err != nil {
		return err
	}
	rival := appsapply.Deployment("applied", "default").WithSpec(appsapply.DeploymentSpec().WithReplicas(3))
	_, conflict := deployments.Apply(ctx, rival, metav1.ApplyOptions{FieldManager: "two"})
	if err := expect(apierrors.IsConflict(conflict) && apierrors.HasStatusCause(conflict, metav1.CauseTypeFieldManagerConflict), "conflict: %v", conflict); err != nil {
		return err
	}
	forced, err := deployments.Apply(ctx, rival, metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	mine, err := appsapply.ExtractDeployment(forced, "one")
	if err != nil {
		return err
	}
	if err := first(
		expect(*forced.Spec.Replicas == 3, "replicas are %d", *forced.Spec.Replicas),
		expect(mine.Spec.Replicas == nil && len(mine.Spec.Template.Spec.Containers[0].Env) == 2, "extracted %v", mine),
	); err != nil {
		return err
	}
	mine.Spec.Template.Spec.Containers[0].Env = mine.Spec.Template.Spec.Containers[0].Env[:1]
	less, err := deployments.Apply(ctx, mine, one)
	if err != nil {
		return err
	}
	if err := expect(len(less.Spec.Template.Spec.Containers[0].Env) == 1, "a field given up stayed: %v", less.Spec.Template.Spec.Containers[0].Env); err != nil {
		return err
	}
	_, err = deployments.ApplyStatus(ctx, appsapply.Deployment("applied", "default").WithStatus(appsapply.DeploymentStatus().WithConditions(
		appsapply.DeploymentCondition().WithType("Mine").WithStatus("True").WithReason("R").WithMessage("m"))), metav1.ApplyOptions{FieldManager: "status", Force: true})
	if err != nil {
		return err
	}
	services := client.CoreV1().Services("default")
	_ = services.Delete(ctx, "applied", metav1.DeleteOptions{})
	_, err = services.Apply(ctx, coreapply.Service("applied", "default").WithSpec(coreapply.ServiceSpec().WithPorts(coreapply.ServicePort().WithName("a").WithPort(80), coreapply.ServicePort().WithName("b").WithPort(80).WithProtocol("UDP"))), one)
	return first(err, services.Delete(ctx, "applied", metav1.DeleteOptions{}), deployments.Delete(ctx, "applied", metav1.DeleteOptions{}))
}

func pages(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "pages")
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	for number := range 25 {
		if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%02d", number), Labels: map[string]string{"paged": "yes"}}}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	page, err := maps.List(ctx, metav1.ListOptions{Limit: 10})
	if err != nil {
		return err
	}
	if err := expect(len(page.Items) == 10 && page.Continue != "" && page.RemainingItemCount != nil && *page.RemainingItemCount >= 15, "page is %v", page.ListMeta); err != nil {
		return err
	}
	if err := maps.Delete(ctx, "m-20", metav1.DeleteOptions{}); err != nil {
		return err
	}
	second, err := maps.List(ctx, metav1.ListOptions{Limit: 500, Continue: page.Continue})
	if err != nil {
		return err
	}
	if err := expect(second.ResourceVersion == page.ResourceVersion, "pages of %s and %s", page.ResourceVersion, second.ResourceVersion); err != nil {
		return err
	}
	found := 0
	for _, item := range append(page.Items, second.Items...) {
		if item.Labels["paged"] == "yes" {
			found++
		}
	}
	if err := expect(found == 25, "pages of one revision hold %d of 25", found); err != nil {
		return err
	}
	lister := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (result runtimeObject, err error) {
		return maps.List(ctx, options)
	}))
	lister.PageSize = 7
	seen := 0
	if err := lister.EachListItem(ctx, metav1.ListOptions{LabelSelector: "paged=yes"}, func(runtimeObject) error { seen++; return nil }); err != nil {
		return err
	}
	return first(expect(seen == 24, "the pager saw %d", seen), client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}))
}

func dynamicObjects(ctx context.Context, config *rest.Config) error {
	found := discovery.NewDiscoveryClientForConfigOrDie(config)
	_, resources, err := found.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	client := dynamic.NewForConfigOrDie(config)
	for _, list := range resources {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for _, one := range list.APIResources {
			listable := false
			for _, verb := range one.Verbs {
				listable = listable || verb == "list"
			}
			if !listable {
				continue
			}
			if _, err := client.Resource(version.WithResource(one.Name)).List(ctx, metav1.ListOptions{Limit: 3}); err != nil {
				return fmt.Errorf("list %s %s: %w", list.GroupVersion, one.Name, err)
			}
		}
	}
	deployments := client.Resource(mapping.Resource).Namespace("default")
	_ = deployments.Delete(ctx, "dynamic", metav1.DeleteOptions{})
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "dynamic"},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i"}}}},
		},
	}}
	if _, err := deployments.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	applied, err := deployments.Apply(ctx, "dynamic", &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "dynamic", "labels": map[string]any{"x": "y"}}}}, metav1.ApplyOptions{FieldManager: "d"})
	if err != nil {
		return err
	}
	version, err := found.ServerVersion()
	if err != nil {
		return err
	}
	document, err := found.OpenAPISchema()
	if err != nil {
		return err
	}
	return first(
		expect(applied.GetLabels()["x"] == "y", "applied %v", applied),
		expect(version.Minor == "36", "minor version %s", version.Minor),
		expect(len(document.GetDefinitions().GetAdditionalProperties()) > 100, "OpenAPI v2 is short"),
		deployments.Delete(ctx, "dynamic", metav1.DeleteOptions{}),
	)
}

func metadataOnly(ctx context.Context, config *rest.Config) error {
	client := metadata.NewForConfigOrDie(config)
	namespaces := client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces"))
	list, err := namespaces.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	one, err := namespaces.Get(ctx, "default", metav1.GetOptions{})
	if err != nil {
		return err
	}
	watcher, err := namespaces.Watch(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	event := <-watcher.ResultChan()
	_, isPartial := event.Object.(*metav1.PartialObjectMetadata)
	return first(
		expect(len(list.Items) >= 4 && list.Items[0].Name != "", "list is %v", list.Items),
		expect(one.Name == "default" && one.UID != "", "one is %v", one),
		expect(isPartial, "the watch sent %T", event.Object),
	)
}

func podSubresources(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "pods")
	if err != nil {
		return err
	}
	deployments := client.AppsV1().Deployments(namespace)
	if _, err := deployments.Create(ctx, deploymentOf("d"), metav1.CreateOptions{}); err != nil {
		return err
	}
	// The deployment controller writes too.
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := deployments.GetScale(ctx, "d", metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Spec.Replicas = 2
		_, err = deployments.UpdateScale(ctx, "d", current, metav1.UpdateOptions{})
		return err
	}); err != nil {
		return err
	}
	found := discovery.NewDiscoveryClientForConfigOrDie(config)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	scales, err := scale.NewForConfig(config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(found))
	if err != nil {
		return err
	}
	seen, err := scales.Scales(namespace).Get(ctx, schema.GroupResource{Group: "apps", Resource: "deployments"}, "d", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := expect(seen.Spec.Replicas == 2 && seen.Status.Selector == "app=d", "scale is %v", seen); err != nil {
		return err
	}
	pods := client.CoreV1().Pods(namespace)
	no := false
	pod, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{AutomountServiceAccountToken: &no, Containers: []corev1.Container{{Name: "c", Image: "i"}}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := pods.Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: namespace}, Target: corev1.ObjectReference{Kind: "Node", Name: "somewhere"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	bound, err := pods.Get(ctx, "p", metav1.GetOptions{})
	if err != nil {
		return err
	}
	twice := pods.Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: namespace}, Target: corev1.ObjectReference{Kind: "Node", Name: "elsewhere"}}, metav1.CreateOptions{})
	wrong := bound.DeepCopy()
	wrong.Spec.Containers[0].Command = []string{"other"}
	_, immutable := pods.Update(ctx, wrong, metav1.UpdateOptions{})
	return first(
		expect(bound.Spec.NodeName == "somewhere", "bound to %q", bound.Spec.NodeName),
		expect(apierrors.IsConflict(twice), "bound twice: %v", twice),
		expect(apierrors.IsInvalid(immutable), "changed a pod: %v", immutable),
		pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: namespace}}),
		client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}),
	)
}

func identities(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	accounts := client.CoreV1().ServiceAccounts("default")
	_ = accounts.Delete(ctx, "robot", metav1.DeleteOptions{})
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	token, err := accounts.CreateToken(ctx, "robot", &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	asRobot := rest.AnonymousClientConfig(config)
	asRobot.BearerToken = token.Status.Token
	robot := kubernetes.NewForConfigOrDie(asRobot)
	me, err := robot.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, forbidden := robot.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
	review, err := client.AuthenticationV1().TokenReviews().Create(ctx, &authv1.TokenReview{Spec: authv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	access, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authzv1.SubjectAccessReview{Spec: authzv1.SubjectAccessReviewSpec{User: "system:serviceaccount:default:robot", ResourceAttributes: &authzv1.ResourceAttributes{Verb: "list", Resource: "pods", Namespace: "default"}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	asBob := rest.CopyConfig(config)
	asBob.Impersonate = rest.ImpersonationConfig{UserName: "bob", Groups: []string{"dev"}}
	bob, err := kubernetes.NewForConfigOrDie(asBob).AuthenticationV1().SelfSubjectReviews().Create(ctx, &authv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	asNobody := rest.AnonymousClientConfig(config)
	asNobody.BearerToken = "nonsense"
	_, unauthorized := kubernetes.NewForConfigOrDie(asNobody).CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
	return first(
		expect(me.Status.UserInfo.Username == "system:serviceaccount:default:robot", "robot is %v", me.Status.UserInfo),
		expect(apierrors.IsForbidden(forbidden), "robot lists: %v", forbidden),
		expect(review.Status.Authenticated && review.Status.User.Username == me.Status.UserInfo.Username, "review is %v", review.Status),
		expect(!access.Status.Allowed, "robot may list"),
		expect(bob.Status.UserInfo.Username == "bob", "bob is %v", bob.Status.UserInfo),
		expect(apierrors.IsUnauthorized(unauthorized), "nonsense: %v", unauthorized),
	)
}

func leaderElection(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	_ = client.CoordinationV1().Leases("default").Delete(ctx, "election", metav1.DeleteOptions{})
	var leaders atomic.Int32
	elect := func(ctx context.Context, identity string, started chan<- string) error {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "default", "election", client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: identity})
		if err != nil {
			return err
		}
		go leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leaders.Add(1); started <- identity },
				OnStoppedLeading: func() {},
			},
		})
		return nil
	}
	started := make(chan string, 2)
	one, stopOne := context.WithCancel(ctx)
	defer stopOne()
	if err := elect(one, "one", started); err != nil {
		return err
	}
	if leader := <-started; leader != "one" {
		return fmt.Errorf("%s leads", leader)
	}
	two, stopTwo := context.WithCancel(ctx)
	defer stopTwo()
	if err := elect(two, "two", started); err != nil {
		return err
	}
	time.Sleep(time.Second)
	if err := expect(leaders.Load() == 1, "two lead at once"); err != nil {
		return err
	}
	stopOne()
	select {
	case leader := <-started:
		return expect(leader == "two", "%s leads", leader)
	case <-ctx.Done():
		return fmt.Errorf("nobody took over")
	}
}

func deletion(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "deletion")
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	owner, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	yes := true
	reference := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID, BlockOwnerDeletion: &yes, Controller: &yes}
	if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owned", Labels: map[string]string{"l": "v"}, OwnerReferences: []metav1.OwnerReference{reference}}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	other := types.UID("other")
	wrong := maps.Delete(ctx, "owner", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}})
	if err := expect(apierrors.IsConflict(wrong), "deleted another: %v", wrong); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := maps.Delete(ctx, "owner", metav1.DeleteOptions{PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &owner.UID}}); err != nil {
		return err
	}
	for {
		_, err := maps.Get(ctx, "owner", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the owner stays")
		}
		time.Sleep(50 * time.Millisecond)
	}
	_, owned := maps.Get(ctx, "owned", metav1.GetOptions{})
	for _, name := range []string{"a", "b", "c"} {
		if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"many": name}}}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "many in (a,b)"}); err != nil {
		return err
	}
	left, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "many"})
	if err != nil {
		return err
	}
	return first(
		expect(apierrors.IsNotFound(owned), "what was owned stays: %v", owned),
		expect(len(left.Items) == 1 && left.Items[0].Name == "c", "left are %v", left.Items),
		client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}),
	)
}

func namesAndDryRuns(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	maps := client.CoreV1().ConfigMaps("default")
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "gen-"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	dry, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry"}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	_, missing := maps.Get(ctx, "dry", metav1.GetOptions{})
	if err := maps.Delete(ctx, made.Name, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		return err
	}
	_, stays := maps.Get(ctx, made.Name, metav1.GetOptions{})
	_, badDry := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry"}}, metav1.CreateOptions{DryRun: []string{"Some"}})
	return first(
		expect(len(made.Name) == len("gen-")+5, "generated %q", made.Name),
		expect(dry.UID != "" && dry.ResourceVersion == "", "dry run answered %v", dry.ObjectMeta),
		expect(apierrors.IsNotFound(missing), "a dry run stored: %v", missing),
		stays,
		expect(apierrors.IsInvalid(badDry) || apierrors.IsBadRequest(badDry), "dryRun=Some: %v", badDry),
		maps.Delete(ctx, made.Name, metav1.DeleteOptions{}),
	)
}
