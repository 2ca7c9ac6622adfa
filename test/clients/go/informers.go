// Informers as operators run them: streaming lists, resumed watches, bookmarks, selectors, what is too old.

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

type runtimeObject = runtime.Object

var informerChecks = []check{
	{"shared informers over watch lists see every change once", sharedInformers},
	{"dynamic informers follow", dynamicInformers},
	{"a watch resumes where another ended", watchResume},
	{"a streaming list ends with its bookmark", watchList},
	{"objects that leave a selector are deleted for its watcher", selectorLeave},
	{"a revision from the future or the far past is refused", strangeRevisions},
	{"fifty watchers on one connection", manyWatchers},
}

func sharedInformers(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "informers")
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	var added, updated, deleted atomic.Int32
	informer := factory.Core().V1().Secrets().Informer()
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		UpdateFunc: func(any, any) { updated.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	factory.Core().V1().Pods().Informer()
	factory.Apps().V1().Deployments().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.Coordination().V1().Leases().Informer()
	inner, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(inner.Done())
	synced, stopWaiting := context.WithTimeout(ctx, 10*time.Second)
	defer stopWaiting()
	for kind, ok := range factory.WaitForCacheSync(synced.Done()) {
		if !ok {
			return fmt.Errorf("no sync of %v", kind)
		}
	}
	secrets := client.CoreV1().Secrets(namespace)
	for number := range 20 {
		name := fmt.Sprintf("s-%d", number)
		made, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		made.Data = map[string][]byte{"a": []byte("b")}
		if _, err := secrets.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
			return err
		}
		if err := secrets.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	for deleted.Load() < 20 && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	return first(
		expect(added.Load() == 20 && updated.Load() == 20 && deleted.Load() == 20, "saw %d, %d and %d of 20", added.Load(), updated.Load(), deleted.Load()),
		client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}),
	)
}

func dynamicInformers(ctx context.Context, config *rest.Config) error {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(config), 0)
	factory.ForResource(corev1.SchemeGroupVersion.WithResource("namespaces")).Informer()
	factory.ForResource(corev1.SchemeGroupVersion.WithResource("configmaps")).Informer()
	inner, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	factory.Start(inner.Done())
	for kind, ok := range factory.WaitForCacheSync(inner.Done()) {
		if !ok {
			return fmt.Errorf("no sync of %v", kind)
		}
	}
	return nil
}

func watchResume(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "resume")
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	// Each connection ends after a second, so that the watcher has to come back several times.
	seconds := int64(1)
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		options.TimeoutSeconds = &seconds
		options.LabelSelector = "seen"
		return maps.Watch(ctx, options)
	}})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	go func() {
		for number := range 30 {
			_, _ = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%02d", number), Labels: map[string]string{"seen": "no"}}}, metav1.CreateOptions{})
			time.Sleep(100 * time.Millisecond)
		}
	}()
	for number := range 30 {
		select {
		case event, open := <-watcher.ResultChan():
			if !open {
				return fmt.Errorf("the watch gave up at %d", number)
			}
			made, isMap := event.Object.(*corev1.ConfigMap)
			if !isMap || made.Name != fmt.Sprintf("m-%02d", number) {
				return fmt.Errorf("event %d is %v", number, event)
			}
		case <-ctx.Done():
			return fmt.Errorf("event %d never came", number)
		}
	}
	return client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
}

func watchList(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	yes := true
	watcher, err := client.CoreV1().Namespaces().Watch(ctx, metav1.ListOptions{SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	added := 0
	for {
		select {
		case event := <-watcher.ResultChan():
			if event.Type == watch.Added {
				added++
				continue
			}
			bookmark, isNamespace := event.Object.(*corev1.Namespace)
			return expect(isNamespace && event.Type == watch.Bookmark && bookmark.Annotations[metav1.InitialEventsAnnotationKey] == "true" && bookmark.ResourceVersion != "" && added >= 4, "after %d: %v", added, event)
		case <-time.After(5 * time.Second):
			return fmt.Errorf("no bookmark after %d", added)
		}
	}
}

func selectorLeave(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	maps := client.CoreV1().ConfigMaps("default")
	_ = maps.Delete(ctx, "leaver", metav1.DeleteOptions{})
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "leaver", Labels: map[string]string{"in": "yes"}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	watcher, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: made.ResourceVersion, LabelSelector: "in=yes", FieldSelector: fields.OneTermEqualSelector("metadata.name", "leaver").String()})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	made.Labels = nil
	left, err := maps.Update(ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	left.Labels = map[string]string{"in": "yes"}
	if _, err := maps.Update(ctx, left, metav1.UpdateOptions{}); err != nil {
		return err
	}
	one, two := <-watcher.ResultChan(), <-watcher.ResultChan()
	last := one.Object.(*corev1.ConfigMap)
	return first(
		expect(one.Type == watch.Deleted && last.Labels["in"] == "yes" && last.ResourceVersion == left.ResourceVersion, "leaving is %v", one),
		expect(two.Type == watch.Added, "coming back is %v", two),
		maps.Delete(ctx, "leaver", metav1.DeleteOptions{}),
	)
}

func strangeRevisions(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	maps := client.CoreV1().ConfigMaps("default")
	// The client tries ten times what it may retry; here once is enough.
	future := client.CoreV1().RESTClient().Get().Namespace("default").Resource("configmaps").MaxRetries(0).
		Param("resourceVersion", "999999999").Param("resourceVersionMatch", "NotOlderThan").Do(ctx).Error()
	_, nonsense := maps.List(ctx, metav1.ListOptions{ResourceVersion: "abc"})
	_, match := maps.List(ctx, metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	_, token := maps.List(ctx, metav1.ListOptions{Continue: "nonsense"})
	return first(
		expect(apierrors.IsTimeout(future) && apierrors.HasStatusCause(future, metav1.CauseTypeResourceVersionTooLarge), "future: %v", future),
		expect(apierrors.IsBadRequest(nonsense) || apierrors.IsInvalid(nonsense), "nonsense: %v", nonsense),
		expect(apierrors.IsInvalid(match), "match without a revision: %v", match),
		expect(apierrors.IsBadRequest(token), "token: %v", token),
	)
}

func manyWatchers(ctx context.Context, config *rest.Config) error {
	client := kubernetes.NewForConfigOrDie(config)
	namespace, err := namespaceFor(ctx, client, "many")
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	var all sync.WaitGroup
	failures := make(chan error, 50)
	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for range 50 {
		watcher, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion, LabelSelector: "many"})
		if err != nil {
			return err
		}
		all.Go(func() {
			defer watcher.Stop()
			for number := range 100 {
				event, open := <-watcher.ResultChan()
				if !open {
					failures <- fmt.Errorf("closed at %d", number)
					return
				}
				if name := event.Object.(*corev1.ConfigMap).Name; name != fmt.Sprintf("m-%03d", number) {
					failures <- fmt.Errorf("event %d is of %s", number, name)
					return
				}
			}
		})
	}
	for number := range 100 {
		if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%03d", number), Labels: map[string]string{"many": ""}}}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	all.Wait()
	close(failures)
	return first(<-failures, client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}))
}
