package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const command = "npx --yes @ollama-pull/kit mock --json --control --port 0 --rate unlimited"

// mock is a mock of Ollama. Each test has its own, so that tests can run in parallel.
type mock struct {
	t          *testing.T
	url        *url.URL
	controlURL string
}

// startMock starts a mock that ends with the test.
func startMock(t *testing.T) *mock {
	t.Helper()
	args := strings.Fields(command)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	stdin, stdinErr := cmd.StdinPipe() // the mock ends when it closes, even after a crash
	stdout, stdoutErr := cmd.StdoutPipe()
	if err := errors.Join(stdinErr, stdoutErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		stdout.Close()
		cmd.Wait()
	})
	var started struct{ URL, Control string }
	err := json.NewDecoder(stdout).Decode(&started)
	base, urlErr := url.Parse(started.URL)
	if err := errors.Join(err, urlErr); err != nil {
		t.Fatal("the mock has not started: ", err)
	}
	return &mock{t, base, started.Control}
}

// control sends a request to the control interface, and decodes the answer unless the target is nil.
func (m *mock) control(method, path, body string, answer any) {
	m.t.Helper()
	request, err := http.NewRequest(method, m.controlURL+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		m.t.Fatal(method, " ", path, ": ", response.Status)
	}
	if answer == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		m.t.Fatal(err)
	}
}
