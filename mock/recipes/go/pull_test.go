// Package app tests code that pulls models with the official client, github.com/ollama/ollama/api.
package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"
)

func TestFullDiskIsReported(t *testing.T) {
	mock := startMock(t)
	mock.control(http.MethodPost, "/faults", `"disk-full@50%,times=1"`, nil)
	client := api.NewClient(mock.url, http.DefaultClient)
	var last api.ProgressResponse
	pull := func() error {
		request := &api.PullRequest{Model: "llama3.2"}
		return client.Pull(t.Context(), request, func(progress api.ProgressResponse) error {
			last = progress
			return nil
		})
	}

	if err := pull(); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("the first pull ended with %v, want a full disk", err)
	}
	if err := pull(); err != nil || last.Status != "success" {
		t.Errorf("the second pull ended with %v after %q, want success", err, last.Status)
	}

	var log struct{ Requests []struct{ Outcome string } }
	mock.control(http.MethodGet, "/requests?path=/api/pull", "", &log)
	if got, want := fmt.Sprint(log.Requests), "[{faulted} {finished}]"; got != want {
		t.Errorf("the pulls were %s, want %s", got, want)
	}
}
