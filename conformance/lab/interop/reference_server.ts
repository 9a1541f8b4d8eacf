/**
 * The reference server as a server under test: it pulls from a mock's registry. Each check has its own
 * registry, so that none of its models and blobs exists beforehand.
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
  /** The scheme to put before names of models from a registry without TLS, if the version needs one. */
  readonly scheme?: string;
  /** The request fields that name a model. */
  readonly fieldsFor: NonNullable<OpenServer["fieldsFor"]>;
  /** The most inputs to try per rule. @default {4} */
  readonly maxRuns?: number;
  /** What the layers of the model hold. @default what the mock takes for usual */
  readonly mediaType?: string;
}

/** The name of the model under test in its registry. */
const MODEL = "library/subject";
const OTHER_MODEL = "library/other";

/**
 * Real bytes are more expensive than those of a mock. So there are fewer of them, and the registry sends them
 * so slowly that a layer takes as long as with the mock's default bandwidth.
 */
const SCALE = 20;
const REGISTRY_BYTES_PER_SECOND = 5_000_000;

/** The most inputs to try per rule, because each takes a second or two. */
const MAX_RUNS = 4;

/** How long the server may retry something that the registry does not have, in milliseconds. */
const CHECK_TIMEOUT_MS = 60_000;

/** Turns a version of the reference server into a server under test. */
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

/** The part of a name after the registry. */
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

/** The registry faults that make the server behind it fail in some way. */
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

/** The layer that is being downloaded at a share of a model. The config is the last one. */
function layerAt(share: number, sizes: readonly number[]): number {
  let left = share * sizes.reduce((sum, size) => sum + size, 0);
  const index = sizes.findIndex((size) => (left -= size) < 0);
  return index === -1 ? sizes.length : index;
}
