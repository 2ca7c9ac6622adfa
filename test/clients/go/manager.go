// An operator as controller-runtime has it: a CRD, a reconciler, owned objects, status, events, finalizers.

package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var managerChecks = []check{
	{"a controller-runtime manager with a CRD of its own", operator},
	{"events of events.k8s.io are those of the core group", newEvents},
}

var widgets = schema.GroupVersion{Group: "clients.k3v.dev", Version: "v1"}

type Widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              WidgetSpec   `json:"spec"`
	Status            WidgetStatus `json:"status,omitempty"`
}

type WidgetSpec struct {
	Size  int32  `json:"size"`
	Color string `json:"color,omitempty"`
}

type WidgetStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	Ready      int32              `json:"ready"`
}

type WidgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Widget `json:"items"`
}

func (w *Widget) DeepCopyObject() runtime.Object {
	next := *w
	next.ObjectMeta = *w.ObjectMeta.DeepCopy()
	next.Status.Conditions = append([]metav1.Condition(nil), w.Status.Conditions...)
	return &next
}

func (l *WidgetList) DeepCopyObject() runtime.Object {
	next := *l
	next.Items = nil
	for at := range l.Items {
		next.Items = append(next.Items, *l.Items[at].DeepCopyObject().(*Widget))
	}
	return &next
}

func definition() *apiextensions.CustomResourceDefinition {
	one, ten := 1.0, 10.0
	preserve := true
	return &apiextensions.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.clients.k3v.dev"},
		Spec: apiextensions.CustomResourceDefinitionSpec{
			Group: widgets.Group, Scope: apiextensions.NamespaceScoped,
			Names: apiextensions.CustomResourceDefinitionNames{Plural: "widgets", Singular: "widget", Kind: "Widget", ListKind: "WidgetList"},
			Versions: []apiextensions.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensions.CustomResourceSubresources{Status: &apiextensions.CustomResourceSubresourceStatus{}},
				Schema: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: &apiextensions.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensions.JSONSchemaProps{
						"spec": {Type: "object", Required: []string{"size"}, Properties: map[string]apiextensions.JSONSchemaProps{
							"size":  {Type: "integer", Format: "int32", Minimum: &one, Maximum: &ten},
							"color": {Type: "string", Default: &apiextensions.JSON{Raw: []byte(`"blue"`)}},
						}},
						"status": {Type: "object", XPreserveUnknownFields: &preserve},
					},
				}},
			}},
		},
	}
}

const finalizer = "clients.k3v.dev/cleanup"

type reconciler struct {
	client.Client
	recorder record.EventRecorder
	cleaned  chan string
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	widget := &Widget{}
	if err := r.Get(ctx, request.NamespacedName, widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !widget.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(widget, finalizer) {
			if err := r.Update(ctx, widget); err != nil {
				return ctrl.Result{}, err
			}
			r.cleaned <- widget.Name
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(widget, finalizer) {
		return ctrl.Result{}, r.Update(ctx, widget)
	}
	wanted := deploymentOf(widget.Name)
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: widget.Name, Namespace: widget.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		if deployment.CreationTimestamp.IsZero() {
			deployment.Spec = wanted.Spec
		}
		deployment.Spec.Replicas = &widget.Spec.Size
		return controllerutil.SetControllerReference(widget, deployment, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	before := widget.DeepCopyObject().(*Widget)
	widget.Status.Ready = *deployment.Spec.Replicas
	meta.SetStatusCondition(&widget.Status.Conditions, metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Done", ObservedGeneration: widget.Generation})
	if before.Status.Ready != widget.Status.Ready || len(before.Status.Conditions) != len(widget.Status.Conditions) {
		r.recorder.Event(widget, corev1.EventTypeNormal, "Sized", fmt.Sprintf("size is %d", widget.Status.Ready))
		return ctrl.Result{}, r.Status().Patch(ctx, widget, client.MergeFrom(before))
	}
	return ctrl.Result{}, nil
}

func operator(ctx context.Context, config *rest.Config) error {
	log.SetLogger(zap.New(zap.WriteTo(discard{})))
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensions.CustomResourceDefinition{definition()}}); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	_ = clientscheme.AddToScheme(scheme)
	scheme.AddKnownTypes(widgets, &Widget{}, &WidgetList{})
	metav1.AddToGroupVersion(scheme, widgets)
	election := "widgets-election"
	running, err := ctrl.NewManager(config, manager.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, LeaderElection: true, LeaderElectionID: election, LeaderElectionNamespace: "default", LeaderElectionReleaseOnCancel: true})
	if err != nil {
		return err
	}
	reconciling := &reconciler{Client: running.GetClient(), recorder: running.GetEventRecorderFor("widgets"), cleaned: make(chan string, 5)}
	if err := ctrl.NewControllerManagedBy(running).For(&Widget{}).Owns(&appsv1.Deployment{}).Complete(reconciling); err != nil {
		return err
	}
	inner, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- running.Start(inner) }()
	defer func() { stop(); <-ended }()
	direct, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	widget := &Widget{ObjectMeta: metav1.ObjectMeta{Name: "w", Namespace: "default"}, Spec: WidgetSpec{Size: 2}}
	if err := direct.Create(ctx, widget); err != nil {
		return err
	}
	if err := expect(widget.Spec.Color == "blue" && widget.Generation == 1, "created %v", widget); err != nil {
		return err
	}
	tooBig := &Widget{ObjectMeta: metav1.ObjectMeta{Name: "big", Namespace: "default"}, Spec: WidgetSpec{Size: 11}}
	if err := direct.Create(ctx, tooBig); !apierrors.IsInvalid(err) {
		return fmt.Errorf("too big: %v", err)
	}
	key := client.ObjectKeyFromObject(widget)
	ready := func(size int32) error {
		for ctx.Err() == nil {
			if err := direct.Get(ctx, key, widget); err != nil {
				return err
			}
			if widget.Status.Ready == size {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
		return fmt.Errorf("never ready with %d: %v", size, widget.Status)
	}
	if err := ready(2); err != nil {
		return err
	}
	generation := widget.Generation
	if err := direct.Patch(ctx, widget, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"size":3}}`))); err != nil {
		return err
	}
	if err := expect(widget.Generation == generation+1, "generation %d after %d", widget.Generation, generation); err != nil {
		return err
	}
	if err := ready(3); err != nil {
		return err
	}
	deployment := &appsv1.Deployment{}
	if err := direct.Get(ctx, key, deployment); err != nil {
		return err
	}
	if err := expect(*deployment.Spec.Replicas == 3 && metav1.IsControlledBy(deployment, widget), "deployment is %v", deployment.ObjectMeta); err != nil {
		return err
	}
	// Somebody else's change is put back, which proves the watch of owned objects.
	zero := int32(1)
	deployment.Spec.Replicas = &zero
	if err := direct.Update(ctx, deployment); err != nil && !apierrors.IsConflict(err) {
		return err
	}
	for ctx.Err() == nil {
		if err := direct.Get(ctx, key, deployment); err != nil {
			return err
		}
		if *deployment.Spec.Replicas == 3 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	events := &corev1.EventList{}
	for ctx.Err() == nil && len(events.Items) == 0 {
		if err := direct.List(ctx, events, client.InNamespace("default"), client.MatchingFields{"involvedObject.kind": "Widget"}); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := direct.Delete(ctx, widget); err != nil {
		return err
	}
	select {
	case <-reconciling.cleaned:
	case <-ctx.Done():
		return fmt.Errorf("the finalizer was never seen")
	}
	for ctx.Err() == nil {
		if err := direct.Get(ctx, key, deployment); apierrors.IsNotFound(err) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("what was owned stays: %w", err)
	}
	return envtest.UninstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensions.CustomResourceDefinition{definition()}})
}

func newEvents(ctx context.Context, config *rest.Config) error {
	cluster := kubernetes.NewForConfigOrDie(config)
	made, err := cluster.EventsV1().Events("default").Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "new-"}, EventTime: metav1.NowMicro(), ReportingController: "k3v.dev/clients", ReportingInstance: "one",
		Action: "Testing", Reason: "Tested", Regarding: corev1.ObjectReference{Kind: "Namespace", Name: "default", APIVersion: "v1", Namespace: "default"}, Note: "a note", Type: "Normal",
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	old, err := cluster.CoreV1().Events("default").Get(ctx, made.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	list, err := cluster.EventsV1().Events("default").List(ctx, metav1.ListOptions{FieldSelector: "regarding.name=default,reason=Tested"})
	if err != nil {
		return err
	}
	return first(
		expect(old.Message == "a note" && old.InvolvedObject.Name == "default" && old.ReportingController == "k3v.dev/clients", "the core event is %v", old),
		expect(len(list.Items) >= 1, "listed %d", len(list.Items)),
		cluster.EventsV1().Events("default").Delete(ctx, made.Name, metav1.DeleteOptions{}),
	)
}

type discard struct{}

func (discard) Write(bytes []byte) (int, error) { return len(bytes), nil }
