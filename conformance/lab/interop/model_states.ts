/**
 * Checks `modelState` and `ensureModel` with real servers, and that the mock behaves like them: a model goes
 * through the same changes on each server.
 *
 * @module
 */

import { ensureModel, type ModelState, modelState } from "../../../mod.ts";
import { createMockServer } from "../../../mock/server.ts";
import { messageOf } from "../../../src/text.ts";
import { ReferenceProcess } from "./reference_process.ts";
import { buildCurrent, buildRewriting } from "./servers/reference.ts";
import { SmallRegistry, type SmallVersion } from "./small_registry.ts";
import { findObstacle, tools } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

/** A server that pulls from a small registry. */
interface Server {
  readonly url: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Called when the registry offers another version. */
  readonly publish: (version: SmallVersion) => void;
}

const FIRST = { weights: "llama", template: "{{ .Prompt }}" } satisfies SmallVersion;
const OTHER_TEMPLATE = { ...FIRST, template: "<{{ .Prompt }}>" };
const OTHER_WEIGHTS = { ...OTHER_TEMPLATE, weights: "gemma" };

/** The changes of a model, and the expected state after each. */
export const EXPECTED: Readonly<Record<string, ModelState>> = {
  "not pulled": "missing",
  "pulled": "current",
  "pulled, and not compared": "present",
  "its manifest written anew": "current",
  "another template": "outdated",
  "another template, behind a gateway that shows no more than the list": "present",
  "ensured": "outdated",
  "ensured with update": "current",
  "other weights": "outdated",
  "deleted": "missing",
};

/**
 * The differences for a server that does not recognize an invalid digest. It may be a gateway without blobs,
 * so nothing follows from missing ones.
 */
const EXPECTED_WITHOUT_BLOBS: typeof EXPECTED = {
  ...EXPECTED,
  "another template": "present",
  "ensured": "present",
};

/** The states of a model on a server, after each change. */
async function walk(server: Server, registry: SmallRegistry): Promise<Record<string, ModelState>> {
  const { model } = registry;
  const { url, fetch, publish } = server;
  const options = { host: url, fetch, insecure: true };
  const stateOf = (more = {}) => modelState(model, { ...options, checkRegistry: true, ...more });
  const ensure = async (update: boolean) => {
    for await (const _ of ensureModel(model, { ...options, update }));
  };
  const behindGateway: Server["fetch"] = async (url, init) =>
    /\/api\/(show|blobs)/.test(url) ? new Response("", { status: 404 }) : await fetch(url, init);

  const states: Record<string, ModelState> = {};
  publish(FIRST);
  states["not pulled"] = await stateOf();
  await ensure(false);
  states["pulled"] = await stateOf();
  states["pulled, and not compared"] = await stateOf({ checkRegistry: false });
  publish({ ...FIRST, isPretty: true });
  states["its manifest written anew"] = await stateOf();
  publish(OTHER_TEMPLATE);
  states["another template"] = await stateOf();
  states["another template, behind a gateway that shows no more than the list"] = await stateOf({
    fetch: behindGateway,
  });
  await ensure(false);
  states["ensured"] = await stateOf();
  await ensure(true);
  states["ensured with update"] = await stateOf();
  publish(OTHER_WEIGHTS);
  states["other weights"] = await stateOf();
  const body = JSON.stringify({ model, name: model });
  await fetch(`${url}/api/delete`, { method: "DELETE", body });
  states["deleted"] = await stateOf();
  return states;
}

/** Runs the changes with the mock. */
export async function walkWithMock(registry: SmallRegistry): Promise<Record<string, ModelState>> {
  const mock = createMockServer({ models: [] });
  return await walk({
    url: "http://mock",
    fetch: (url, init) => url.startsWith("http://mock") ? mock.fetch(url, init) : fetch(url, init),
    publish: (version) => mock.registry.publish(registry.publish(version)),
  }, registry);
}

/** Runs the changes with a program. */
async function walkWithProcess(
  program: string,
  registry: SmallRegistry,
): Promise<Record<string, ModelState>> {
  const server = new ReferenceProcess({ program });
  try {
    const publish = (version: SmallVersion) => void registry.publish(version);
    return await walk({ url: await server.url(), fetch, publish }, registry);
  } finally {
    await server.close();
  }
}

/** Runs the changes with each server. Returns a line about each, and whether all states are as expected. */
export async function checkModelStates(
  workshop: Workshop,
): Promise<{ text: string; isGood: boolean; isRun: boolean }> {
  const registry = new SmallRegistry();
  await registry.listen();
  let text = "";
  let isGood = true;
  const check = async (
    name: string,
    expected: typeof EXPECTED,
    run: () => Promise<Record<string, ModelState>>,
  ) => {
    const faults = await run().then(
      (states) =>
        Object.entries(expected).filter(([step, state]) => states[step] !== state)
          .map(([step, state]) => `  ${step}: ${states[step]}, not ${state}\n`),
      (error) => [`  ${messageOf(error)}\n`],
    );
    isGood &&= faults.length === 0;
    text +=
      `modelState with ${name}: ${faults.length === 0 ? "as expected" : "NOT as expected"}\n` +
      faults.join("");
  };
  try {
    await check("the mock", EXPECTED, () => walkWithMock(registry));
    const obstacle = await findObstacle(tools.go);
    if (obstacle !== undefined) {
      text += `modelState with ollama serve: not run, ${obstacle}\n`;
      return { text, isGood, isRun: false };
    }
    await check(
      "ollama serve",
      EXPECTED,
      async () => await walkWithProcess(await buildCurrent(workshop), registry),
    );
    await check(
      "ollama serve that writes manifests anew",
      EXPECTED_WITHOUT_BLOBS,
      async () => await walkWithProcess(await buildRewriting(workshop), registry),
    );
    return { text, isGood, isRun: true };
  } finally {
    await registry.close();
  }
}
