/**
 * The reference server as a server under test: it pulls from the registry of a mock, with one of its own
 * for each check, so that no model and no blob of a check is there before.
 *
 * @module
 */

import type { RegistryFault } from "../../../mock/endpoints/registry_faults.ts";
import type { Fault } from "../../../mock/faults/faults.ts";
import type { MockModel } from "../../../mock/models/models.ts";
import { createMockServer } from "../../../mock/server.ts";
import {
  layersOf,
  type OpenServer,
  OTHER_SIZES,
  publish,
  type ServerSetup,
  type ServerSubject,
} from "../../server/subject.ts";
import { createWireFetch } from "../../server/wire/wire_fetch.ts";
import { ReferenceProcess } from "./reference_process.ts";
import type { ReadySubject } from "./subject.ts";

const fetchWire = createWireFetch()!;

/** A version of the reference server. */
export interface ReferenceVersion {
  /** The name in reports. */
  readonly name: string;
  /** The version. */
  readonly version: string;
  /** The path of the program. */
  readonly program: string;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The scheme of a registry without TLS in the name of a model, if there has to be one. */
  readonly scheme?: string;
  /** The fields by which it is asked for a model. */
  readonly fieldsFor: NonNullable<OpenServer["fieldsFor"]>;
  /** The most inputs to try for a rule. @default {4} */
  readonly maxRuns?: number;
  /** What the layers of the model hold. @default what the mock takes for usual */
  readonly mediaType?: string;
}

/** The name of the model under test in its registry. */
const MODEL = "library/subject";
const OTHER_MODEL = "library/other";

/**
 * Real bytes take longer to come by than those of a mock: there are fewer of them, and the registry sends
 * them so slowly that a layer takes as long as with the mock's own bandwidth.
 */
const SCALE = 20;
const REGISTRY_BYTES_PER_SECOND = 5_000_000;

/** How many inputs are tried for a rule: each of them takes a second or two. */
const MAX_RUNS = 4;

/** How long the server may try again and again to get what the registry does not have. */
const CHECK_TIMEOUT_MS = 60_000;

/** Makes a version of the reference server a server under test. */
export function referenceServer(version: ReferenceVersion): ReadySubject<ServerSubject> {
  const server = new ReferenceProcess(version);
  let seed = 0;
  const implementation: ServerSubject = {
    name: version.name,
    version: version.version,
    lacks: {},
    maxRuns: version.maxRuns ?? MAX_RUNS,
    checkTimeoutMs: CHECK_TIMEOUT_MS,
    open: async (setup) => await open(version, await server.url(), setup, ++seed),
  };
  return { implementation, close: () => server.close() };
}

async function open(
  { scheme = "", fieldsFor, mediaType }: ReferenceVersion,
  url: string,
  { layers, faults = [] }: ServerSetup,
  seed: number,
): Promise<OpenServer> {
  const modelOf = (sizes: readonly number[]) => scaledModel(sizes, mediaType);
  const mock = createMockServer({
    models: [modelOf(layers), { ...modelOf(OTHER_SIZES), name: OTHER_MODEL }],
    realBytes: true,
    seed,
    registry: {
      bytesPerSecond: REGISTRY_BYTES_PER_SECOND,
      faults: faults.map((fault) => registryFault(fault, layers)),
    },
  });
  const registry = await mock.listen();
  return {
    model: `${scheme}${new URL(registry.url).host}/${MODEL}`,
    fieldsFor,
    layers: await layersOf(mock, MODEL),
    otherModel: {
      name: `${scheme}${new URL(registry.url).host}/${OTHER_MODEL}`,
      layers: await layersOf(mock, OTHER_MODEL),
    },
    change: (sizes) => publish(mock, modelOf(sizes)),
    offer: (name, sizes) => publish(mock, { ...modelOf(sizes), name: modelNameIn(name) }),
    fetch: (path, init) => fetchWire(new URL(path, url), init),
    now: () => performance.now(),
    close: () => registry.close(),
  };
}

/** The part of a name that follows the registry. */
function modelNameIn(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function scaledModel(sizes: readonly number[], mediaType?: string): MockModel {
  const layers = sizes.map((size, index) => ({
    size: Math.ceil(size / SCALE),
    content: `layer ${index}`,
    ...(mediaType !== undefined && { mediaType }),
  }));
  return { name: MODEL, layers };
}

/** What has to go wrong with a registry so that the server behind it fails in some way. */
function registryFault({ kind, times, at = {} }: Fault, sizes: readonly number[]): RegistryFault {
  const often = times === undefined ? {} : { times };
  switch (kind) {
    case "digest-mismatch":
      return { kind: "corrupt", layer: Number(at.layer ?? 0), ...often };
    case "rollback":
      return { kind: "broken", layer: 0, ...often };
    default: {
      const share = Number.parseFloat(String(at.completed ?? 0)) / 100;
      return { kind: "missing", layer: layerAt(share, sizes), ...often };
    }
  }
}

/** The layer that is being downloaded when a share of a model is there; the config is the last one. */
function layerAt(share: number, sizes: readonly number[]): number {
  let left = share * sizes.reduce((sum, size) => sum + size, 0);
  const index = sizes.findIndex((size) => (left -= size) < 0);
  return index === -1 ? sizes.length : index;
}
