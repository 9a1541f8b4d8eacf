/**
 * Shows that `modelState` and `ensureModel` tell the truth of real servers, and that the mock answers them
 * as those do: a model goes through the same changes on each of them.
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
  /** Is called when the registry offers another version. */
  readonly publish: (version: SmallVersion) => void;
}

const FIRST = { weights: "llama", template: "{{ .Prompt }}" } satisfies SmallVersion;
const OTHER_TEMPLATE = { ...FIRST, template: "<{{ .Prompt }}>" };
const OTHER_WEIGHTS = { ...OTHER_TEMPLATE, weights: "gemma" };

/** What a model goes through, and its state after each change. */
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
 * What is different on a server that does not know an invalid digest: it may be a gateway that knows no blob,
 * so nothing follows from what it lacks.
 */
const EXPECTED_WITHOUT_BLOBS: typeof EXPECTED = {
  ...EXPECTED,
  "another template": "present",
  "ensured": "present",
};

/** The states that a model goes through on a server. */
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

/** Walks with the mock, which is told what the registry has. */
export async function walkWithMock(registry: SmallRegistry): Promise<Record<string, ModelState>> {
  const mock = createMockServer({ models: [] });
  return await walk({
    url: "http://mock",
    fetch: (url, init) => url.startsWith("http://mock") ? mock.fetch(url, init) : fetch(url, init),
    publish: (version) => mock.registry.publish(registry.publish(version)),
  }, registry);
}

/** Walks with a program. */
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

/** Walks with each server, and says in a line for each what came of it, and whether all is as expected. */
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
