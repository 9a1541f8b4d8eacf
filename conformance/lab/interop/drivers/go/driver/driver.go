// Package driver runs a client as the command that the conformance kit starts.
package driver

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

// Main pulls the model that is the last argument, and exits as the kit wants it: 0 on success, 1 with
// the reason on standard error, and 130 when it is interrupted.
func Main(pull func(ctx context.Context, model string) error) {
	os.Exit(run(pull))
}

func run(pull func(ctx context.Context, model string) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	err := pull(ctx, os.Args[len(os.Args)-1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	switch {
	case ctx.Err() != nil:
		return 130
	case err != nil:
		return 1
	}
	return 0
}
