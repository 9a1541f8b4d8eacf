// LangChainGo, github.com/tmc/langchaingo: it pulls a model when that is used, and gives no updates.
// The server is in OLLAMA_HOST, the model is the last argument.
package main

import (
	"context"

	"drivers/driver"

	"github.com/tmc/langchaingo/llms/ollama"
)

func main() {
	driver.Main(pull)
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
