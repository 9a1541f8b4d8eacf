// The official Go client, github.com/ollama/ollama/api: prints each update as a line of JSON.
// The server is in OLLAMA_HOST, the model is the last argument.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"

	"github.com/ollama/ollama/api"
)

func main() {
	os.Exit(run())
}

func run() int {
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

func pull(ctx context.Context, model string) error {
	client, err := api.ClientFromEnvironment()
	if err != nil {
		return err
	}
	updates := json.NewEncoder(os.Stdout)
	request := &api.PullRequest{Model: model}
	return client.Pull(ctx, request, func(update api.ProgressResponse) error {
		return updates.Encode(update)
	})
}
