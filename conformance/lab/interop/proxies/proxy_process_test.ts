import { assert, assertEquals, assertRejects } from "@std/assert";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { defaultPath, proxies, type Proxy } from "./proxies.ts";
import { startProxy } from "./proxy_process.ts";

const SOURCE = defaultPath("varnish.vcl");

/** A proxy that is some lines of JavaScript, which have its port and its main file. */
function scripted(script: string, folders: string[] = []): Proxy {
  return {
    name: "script",
    tool: "node",
    file: "varnish.vcl",
    addresses: ({ upstreamPort }) => ({ '"11434"': `"${upstreamPort}"` }),
    args(mainFile, { port, folder }) {
      folders.push(folder);
      const values = `const port = ${port}, mainFile = ${JSON.stringify(mainFile)};`;
      return ["-e", values + script];
    },
  };
}

/** Answers with its configuration. */
const ANSWERS = `require("node:http").createServer((_, answer) => {
  answer.end(require("node:fs").readFileSync(mainFile));
}).listen(port, "127.0.0.1");`;

describe("a proxy", () => {
  it("listens with the addresses put in, until it is closed, and leaves nothing behind", async () => {
    const folders: string[] = [];
    const { url, close } = await startProxy(scripted(ANSWERS, folders), SOURCE, 1234);
    const text = await (await fetch(url)).text();
    assertEquals([text.includes('.port = "1234"'), text.includes("11434")], [true, false]);
    assert(existsSync(folders[0]!));
    await close();
    assert(!existsSync(folders[0]!));
    await assertRejects(() => fetch(url));
  });

  it("is ended by force if it does not heed the request", async () => {
    const deaf = `process.on("SIGTERM", () => {}); ${ANSWERS}`;
    const { url, close } = await startProxy(scripted(deaf), SOURCE, 1234);
    await close();
    await assertRejects(() => fetch(url));
  });

  it("that ends at once is an error with what it has printed", async () => {
    const folders: string[] = [];
    const fails = scripted('console.error("no luck"); process.exit(3);', folders);
    await assertRejects(
      () => startProxy(fails, SOURCE, 1234),
      Error,
      "The proxy has ended (3): no luck",
    );
    assert(!existsSync(folders[0]!));
  });

  it("is not started with a configuration whose addresses are other ones", async () => {
    const [nginx] = proxies;
    await assertRejects(() => startProxy(nginx!, SOURCE, 1234), Error, '"listen 80;"');
  });
});
