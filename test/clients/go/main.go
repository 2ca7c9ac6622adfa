// Checks of an API server by the clients that Go programs use: client-go and controller-runtime, unmodified.
// Prints one line a check, as TAP does; exits with 1 when one fails. The kubeconfig is the one argument.

package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type check struct {
	name string
	run  func(ctx context.Context, config *rest.Config) error
}

const timeLimit = 60 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: clients KUBECONFIG [NAME]")
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	config.QPS, config.Burst = 200, 400
	checks := slices.Concat(clientChecks, informerChecks, managerChecks, agreementChecks, patchChecks)
	failed := 0
	fmt.Printf("1..%d\n", len(checks))
	for at, one := range checks {
		if len(os.Args) > 2 && one.name != os.Args[2] {
			continue
		}
		if err := attempt(one, config); err != nil {
			failed++
			fmt.Printf("not ok %d - %s\n  # %v\n", at+1, one.name, err)
		} else {
			fmt.Printf("ok %d - %s\n", at+1, one.name)
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func attempt(one check, config *rest.Config) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("panic: %v\n%s", broken, debug.Stack())
		}
	}()
	return one.run(ctx, rest.CopyConfig(config))
}

// expect answers an error with what was expected unless it holds.
func expect(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// first answers the first error there is.
func first(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}
