/**
 * Shows that the package can be published for real, to registries on loopback, and that what users get
 * from there works: from npm by npm, npx and Bun; from JSR, see `deno_test.ts`.
 *
 * Two steps of a release cannot be tried here, because only services elsewhere can take them: signing the
 * proof of where a package was made, and publishing to npm by the identity of a workflow.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createMockServer, type Listener } from "../../mock/mod.ts";
import { readDenoConfig, readText, ROOT } from "../project.ts";
import { intendedFiles } from "../publish.ts";
import { Consumer } from "./consumer.ts";
import { type NpmRegistry, startNpmRegistry } from "./npm_registry.ts";
import { startRegistry } from "./registry.ts";
import { createNpmProject } from "./tarball.ts";

const { name, version } = await readDenoConfig();
const bun = join(ROOT, "node_modules/.bin/bun");

/** A project without dependencies that gets packages of this scope from a registry. */
async function createUser({ userConfig }: NpmRegistry): Promise<Consumer> {
  // With a cache of its own, Bun takes nothing of an earlier package of the same version.
  const user = await Consumer.create({ BUN_INSTALL_CACHE_DIR: ".cache" });
  await user.write({ "package.json": { private: true, type: "module" }, ".npmrc": userConfig });
  return user;
}

describe("the package, published to npm", () => {
  let registry: NpmRegistry;
  let publisher: Consumer;
  let publish: () => ReturnType<Consumer["run"]>;
  let listener: Listener;
  let pull: readonly string[];

  before(async () => {
    registry = await startNpmRegistry();
    const project = await createNpmProject();
    publisher = project.consumer;
    await publisher.write({ ".npmrc": registry.publisherConfig });
    publish = () => publisher.run(["npm", "publish", project.tarball, "--access", "public"]);
    listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
    pull = ["pull", "llama3.2", "--no-manifest", "--host", listener.url];
  });
  after(async () => {
    await listener.close();
    await publisher[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  it("is accepted once", async () => {
    const { ok, stdout, stderr } = await publish();
    assertEquals(ok, true, stderr);
    assertMatch(stdout, new RegExp(`${name}@${version.replaceAll(".", "\\.")}`));
    assertEquals((await publish()).ok, false);
  });

  it("has a command that npx fetches and runs", async () => {
    await using user = await createUser(registry);
    const npx = ["npx", "--yes", name] as const;
    assertEquals(await user.outputOf([...npx, "--version"]), `${version}\n`);
    assertMatch(await user.outputOf([...npx, ...pull]), /\nsuccess\nllama3\.2: .+\n$/);
  });

  it("is installed by npm", async () => {
    await using user = await createUser(registry);
    await user.write({
      "use.js": `
        import { pullModel } from "${name}";
        import { createMockServer } from "${name}/mock";
        await pullModel("llama3.2", createMockServer().client);
        console.log("pulled");
      `,
    });
    await user.outputOf(["npm", "install", "--no-audit", "--no-fund", name]);
    assertEquals(await user.outputOf(["node", "use.js"]), "pulled\n");
  });

  it("is installed by Bun, whose bunx runs the command", async () => {
    await using user = await createUser(registry);
    await user.outputOf([bun, "add", "--silent", name]);
    const bunx = [bun, "x", "--bun", "ollama-pull"] as const;
    assertEquals(await user.outputOf([...bunx, "--version"]), `${version}\n`);
    assertMatch(await user.outputOf([...bunx, ...pull]), /\nsuccess\nllama3\.2: .+\n$/);
  });
});

describe("the package, published to JSR", () => {
  it("arrives with the files that are meant to, unchanged where nothing is imported", async () => {
    await using registry = await startRegistry("person");
    const files = registry.files();
    assertEquals([...files.keys()].sort(), (await intendedFiles()).map((file) => `/${file}`));
    for (const document of ["README.md", "CHANGELOG.md", "LICENSE", "deno.json"]) {
      const text = new TextDecoder().decode(files.get(`/${document}`));
      assertEquals(text, await readText(document), document);
    }
  });

  it("is accepted from a workflow without a secret, which may publish those bytes alone", async () => {
    await using registry = await startRegistry("workflow");
    assertEquals(registry.files().size, (await intendedFiles()).length);
  });

  it("imports nothing by a name that only this repository knows", async () => {
    await using registry = await startRegistry();
    for (const [file, bytes] of registry.files()) {
      if (!file.endsWith(".ts")) continue;
      const code = new TextDecoder().decode(bytes).replaceAll(/\/\*[^]*?\*\//g, "");
      for (const [, specifier] of code.matchAll(/^(?:import|export)\b[^;]* from "([^"]+)";/gm)) {
        assertMatch(specifier!, /^(\.\.?\/|npm:|node:)/, file);
      }
    }
  });
});
