// LangChainGo, github.com/tmc/langchaingo: it pulls a model when that is used, and gives no updates.
// The server is in OLLAMA_HOST, the model is the last argument.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/tmc/langchaingo/llms/ollama"
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
	llm, err := ollama.New(ollama.WithModel(model), ollama.WithPullModel())
	if err != nil {
		return err
	}
	// Each use of the model begins with the pull. With nothing to embed, it ends with it, too.
	_, err = llm.CreateEmbedding(ctx, nil)
	return err
}
