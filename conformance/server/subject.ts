/**
 * Servers under test: ones that the kit can make in any state, and ones of which it knows no more than
 * their address.
 *
 * @module
 */

import type { Fault } from "../../mock/faults/faults.ts";
import type { MockModel } from "../../mock/models/models.ts";
import { createMockServer, type MockServer } from "../../mock/server.ts";
import type { LayerSize } from "../../mod.ts";
import type { DialectName } from "../../src/dialects.ts";
import type { SubjectInfo } from "../report.ts";
import { CannotRun } from "../rule.ts";

/** What a server is to be like when a check begins. */
export interface World {
  /** The sizes in bytes of the layers of the model, of which none is there yet. */
  readonly layers: readonly number[];
  /** What goes wrong. @default nothing */
  readonly faults?: readonly Fault[] | undefined;
}

/** A server that is ready for a check. */
export interface OpenServer {
  /** The model to pull. */
  readonly model: string;
  /** The fields by which it is asked for a model. @default `model` alone */
  readonly fieldsFor?: ((model: string) => Readonly<Record<string, unknown>>) | undefined;
  /** The layers of the model, config included, where they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
  /**
   * Offers another version of the model, with layers of these sizes in bytes, where that can be done.
   * One that has the place and the size of one before is the same. Returns all layers.
   */
  readonly change?: ((sizes: readonly number[]) => Promise<readonly LayerSize[]>) | undefined;
  /** Makes a request to a path of the server. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** The time that the server lives by, in milliseconds. */
  readonly now: () => number;
  /** Ends what is still open. */
  readonly close: () => Promise<void>;
}

/**
 * What some rules need to see or do: that the model is not there yet (`fresh`), what its manifest says
 * (`manifest`), to offer another version of it (`changes`), and to make things go wrong (`faults`).
 */
export type Need = "fresh" | "manifest" | "changes" | "faults";

/** A server under test. */
export interface ServerSubject extends SubjectInfo {
  /** What the kit cannot see or do with it, and why. */
  readonly lacks: Readonly<Partial<Record<Need, string>>>;
  /** The most inputs to try for a rule, where each one costs much. `runs` goes before it. */
  readonly maxRuns?: number | undefined;
  /**
   * How long the check of one input may take, in milliseconds, where servers try again and again.
   * `checkTimeoutMs` goes before it.
   */
  readonly checkTimeoutMs?: number | undefined;
  /** Makes it ready for a check. */
  readonly open: (world: World) => Promise<OpenServer>;
}

/** Why a rule says nothing about a server that lacks something, if it does. */
export function unlessHas(
  ...needs: readonly Need[]
): (server: ServerSubject) => string | undefined {
  return ({ lacks }) => needs.map((need) => lacks[need]).find((reason) => reason !== undefined);
}

/** The model that a mock under test offers. */
const MOCK_MODEL = "subject";

/** Options of {@link mockServer}. */
export interface MockSubjectOptions {
  /** The dialect that the mock speaks. @default {"spec"} */
  dialect?: DialectName | undefined;
  /** The name in reports. */
  name?: string | undefined;
  /** Wraps the `fetch` of the mock, as specimens do. `openAnother` makes one more of the same kind. */
  wrap?:
    | ((mock: MockServer, openAnother: () => MockServer) => (request: Request) => Promise<Response>)
    | undefined;
}

/** The mock as a server under test, in process and in virtual time. */
export function mockServer(options: MockSubjectOptions = {}): ServerSubject {
  const { dialect = "spec", name = `mock (${dialect})`, wrap = (mock) => mock.fetch } = options;
  return {
    name,
    lacks: {},
    async open({ layers, faults = [] }) {
      const models = [modelOf(MOCK_MODEL, layers)];
      const openMock = () => createMockServer({ models, dialect, faults });
      const mock = openMock();
      const answer = wrap(mock, openMock);
      const address = "http://conformance.invalid";
      return {
        model: MOCK_MODEL,
        layers: await layersOf(mock, MOCK_MODEL),
        change: (sizes) => publish(mock, modelOf(MOCK_MODEL, sizes)),
        fetch: (path, init) => answer(new Request(new URL(path, address), init)),
        now: () => mock.clock.now(),
        close: () => mock[Symbol.asyncDispose](),
      };
    },
  };
}

/** A model with layers of some sizes in bytes. */
function modelOf(name: string, sizes: readonly number[]): MockModel {
  return { name, layers: sizes.map((size) => ({ size })) };
}

/** All layers of a model that a mock offers, in the order in which they are pulled. */
export async function layersOf({ library }: MockServer, name: string): Promise<LayerSize[]> {
  const { layers, config } = await library.manifest(name);
  return [...layers, config];
}

/** Has a mock offer another version of a model. Returns all of its layers. */
export async function publish(mock: MockServer, model: MockModel): Promise<LayerSize[]> {
  mock.library.publish(model);
  return await layersOf(mock, model.name);
}

/** Options of {@link remoteServer}. */
export interface RemoteServerOptions {
  /** The address, as in `http://127.0.0.1:11434`. */
  url: string | URL;
  /** A model that the server can pull, best a small one. */
  model: string;
  /** Whether the kit may delete that model before each check, to see it downloaded. @default {false} */
  mayDelete?: boolean | undefined;
  /** The name in reports. @default the address */
  name?: string | undefined;
  /** The version in reports. @default what the server says it is */
  version?: string | undefined;
}

const REMOTE_RUNS = 5;

/**
 * A server of which no more is known than its address and the name of a model.
 *
 * @throws {CannotRun} If the address is none.
 */
export function remoteServer(options: RemoteServerOptions): ServerSubject {
  const { url, model, mayDelete = false, version } = options;
  if (!URL.canParse(url)) {
    throw new CannotRun(`${url} is not an address such as http://127.0.0.1:11434`);
  }
  const base = new URL(url);
  const request = (path: string, init?: RequestInit) => fetch(new URL(path, base), init);
  return {
    name: options.name ?? base.origin,
    ...(version !== undefined && { version }),
    lacks: {
      manifest: "What the library holds cannot be seen from the server's address alone",
      changes: "The kit cannot change what a library offers that is not its own",
      faults: "The kit cannot make things go wrong behind a server that is not its own",
      ...(!mayDelete && {
        fresh: "The model may be there already, and the kit was not allowed to delete it",
      }),
    },
    maxRuns: REMOTE_RUNS,
    async open() {
      await requireServer(base);
      if (mayDelete) await deleteModel(request, model);
      const now = () => performance.now();
      return { model, fetch: request, now, close: () => Promise.resolve() };
    },
  };
}

async function requireServer(url: URL): Promise<void> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotRun(`There is no server at ${url.origin}: ${reason}`);
  }
}

async function deleteModel(request: OpenServer["fetch"], model: string): Promise<void> {
  const body = JSON.stringify({ model });
  const response = await request("/api/delete", { method: "DELETE", body });
  await response.body?.cancel();
  if (response.ok || response.status === 404) return;
  throw new CannotRun(`The model ${model} cannot be deleted: HTTP ${response.status}`);
}
