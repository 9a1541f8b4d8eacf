// The official Go client, github.com/ollama/ollama/api: prints each update as a line of JSON.
// The server is in OLLAMA_HOST, the model is the last argument.
package main

import (
	"context"
	"encoding/json"
	"os"

	"drivers/driver"

	"github.com/ollama/ollama/api"
)

func main() {
	driver.Main(pull)
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
