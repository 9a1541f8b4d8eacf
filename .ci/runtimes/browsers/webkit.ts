/**
 * WebKit, the engine of Safari: WebKitGTK's small browser, over WebDriver. It needs a display.
 *
 * @module
 */

import { type Browser, type Engine, findProgram } from "./engine.ts";

const driver = findProgram("WebKitWebDriver");
const xvfb = findProgram("Xvfb");

const LACKS = "there is no WebKit, or no display for it: `apt-get install webkit2gtk-driver xvfb`";

/** Asks the package manager: the driver does not print its version, and the browser does so only with a display. */
const PRINT_VERSION =
  "dpkg-query --show --showformat='${source:Upstream-Version}' webkit2gtk-driver";

/** How long a script or the start of a program may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;

/** A program that runs until stopped. */
interface Running extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
}

function run(program: string, options: Deno.CommandOptions): Running {
  const command = new Deno.Command(program, { stdin: "null", stderr: "null", ...options });
  const child = command.spawn();
  const stop = async () => {
    child.kill();
    await child.status;
  };
  return { child, [Symbol.asyncDispose]: stop };
}

/** Starts a display without a screen, and returns its name once it is ready. */
async function startDisplay(): Promise<Running & { name: string }> {
  const args = ["-displayfd", "1", "-nolisten", "tcp"]; // prints the number that it has chosen
  const display = run(xvfb!, { args, stdout: "piped" });
  const { value } = await display.child.stdout.getReader().read(); // the pipe must stay open
  if (value === undefined) throw new Error(`${xvfb} has not started`);
  return { ...display, name: `:${new TextDecoder().decode(value).trim()}` };
}

/** A free port. */
function findPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Sends a WebDriver command (https://www.w3.org/TR/webdriver2/) and returns the answer. */
async function send<Value>(method: string, url: string, parameters?: object): Promise<Value> {
  const body = parameters === undefined ? null : JSON.stringify(parameters);
  const response = await fetch(url, { method, body, signal: AbortSignal.timeout(PATIENCE_MS) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${value.error}: ${value.message}`);
  return value;
}

/** Starts the WebDriver server, and returns its address once it accepts commands. */
async function startDriver(display: string): Promise<Running & { url: string }> {
  const port = findPort();
  const running = run(driver!, {
    args: [`--port=${port}`],
    env: { DISPLAY: display },
    stdout: "null",
  });
  const url = `http://127.0.0.1:${port}`;
  for (const startedAt = Date.now();;) {
    try {
      await send("GET", `${url}/status`);
      return { ...running, url };
    } catch (error) {
      if (Date.now() - startedAt > PATIENCE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function start(): Promise<Browser> {
  await using stack = new AsyncDisposableStack();
  const display = stack.use(await startDisplay());
  const { url } = stack.use(await startDriver(display.name));
  const capabilities = { alwaysMatch: { timeouts: { script: PATIENCE_MS } } };
  const { sessionId } = await send<{ sessionId: string }>("POST", `${url}/session`, {
    capabilities,
  });
  const session = `${url}/session/${sessionId}`;
  stack.defer(() => send("DELETE", session));
  const programs = stack.move();

  const inWindow = windowsOf(session);
  const first = await send<string>("GET", `${session}/window`); // stays, or the session would end
  return {
    async open(address) {
      const { handle } = await inWindow<{ handle: string }>(first, "POST", "window/new", {
        type: "window", // a tab that another one covers would be slowed down
      });
      await inWindow(handle, "POST", "url", { url: address });
      return {
        evaluate: (expression) =>
          inWindow(handle, "POST", "execute/sync", { script: `return ${expression}`, args: [] }),
        reload: () => inWindow(handle, "POST", "refresh", {}),
        screenshot: async () => Uint8Array.fromBase64(await inWindow(handle, "GET", "screenshot")),
        close: () => inWindow(handle, "DELETE", "window"),
      };
    },
    close: () => programs.disposeAsync(),
  };
}

/**
 * Returns a function that sends a command to a window of a session. A session has one current window, to
 * which its commands go, so each command waits for its turn.
 */
function windowsOf(session: string) {
  let turn: Promise<unknown> = Promise.resolve();
  return <Value>(handle: string, method: string, path: string, body?: object): Promise<Value> => {
    const result = turn.then(async () => {
      await send("POST", `${session}/window`, { handle });
      return await send<Value>(method, `${session}/${path}`, body);
    });
    turn = result.catch(() => {});
    return result;
  };
}

/** WebKit. */
export const webkit: Engine = {
  name: "WebKit",
  runtime: /^Safari \d+/,
  versionCommand: ["sh", "-c", PRINT_VERSION],
  ...((driver === undefined || xvfb === undefined) && { lacks: LACKS }),
  start,
};
