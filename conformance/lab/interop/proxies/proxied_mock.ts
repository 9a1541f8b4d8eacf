/**
 * The mock behind a reverse proxy, as a server under test. Its registry is in view, so that no rule is
 * skipped, and so is its log, which shows what becomes of a request behind the proxy.
 *
 * @module
 */

import type { MockServer } from "../../../../mock/options.ts";
import { createMockServer } from "../../../../mock/server.ts";
import {
  layersOf,
  modelOf,
  OTHER_SIZES,
  publish,
  type ServerSubject,
} from "../../../server/subject.ts";
import { createWireFetch } from "../../../server/wire/wire_fetch.ts";
import type { ReadySubject } from "../subject.ts";
import type { Proxy } from "./proxies.ts";
import { startProxy } from "./proxy_process.ts";

const fetchWire = createWireFetch()!;

/** A mock behind a proxy. */
export interface ProxiedMock extends ServerSubject {
  /** The address of the proxy. */
  readonly url: string;
  /** The mock behind it. */
  readonly mock: MockServer;
  /** How soon the mock must hear that a client has left, in milliseconds. */
  readonly leftWithinMs: number;
}

/** The model under test. */
const MODEL = "subject";
const OTHER_MODEL = "other";

/** What the mock takes: more than the megabyte at which some proxies stop. */
const MAX_BODY_BYTES = 10_000_000;

/** Some ticks, and time for a machine that is busy. */
const LEFT_WITHIN_MS = 3_000;

/** How many inputs are tried for a rule: time is real, and each of them takes up to two seconds. */
const MAX_RUNS = 2;

/** What is told of a proxy in reports. */
export interface ProxyInfo {
  /** The name. */
  readonly name: string;
  /** The version. */
  readonly version?: string;
}

/**
 * Starts a mock and a proxy in front of it.
 *
 * @param proxy The proxy.
 * @param source The path of its configuration.
 * @param info What is told of it in reports.
 */
export async function proxiedMock(
  proxy: Proxy,
  source: string,
  info: ProxyInfo,
): Promise<ReadySubject<ProxiedMock>> {
  const mock = createMockServer();
  const listener = await mock.listen();
  const running = await startProxy(proxy, source, Number(new URL(listener.url).port))
    .catch(async (error) => {
      await listener.close();
      throw error;
    });
  const implementation = behind(running.url, mock, info);
  const close = async () => {
    await running.close();
    await listener.close();
  };
  return { implementation, close };
}

/**
 * A mock as a server under test that is asked at the address of a proxy.
 *
 * @param url The address of the proxy.
 * @param mock The mock behind it.
 * @param info What is told of the proxy in reports.
 */
export function behind(url: string, mock: MockServer, info: ProxyInfo): ProxiedMock {
  return {
    ...info,
    url,
    mock,
    leftWithinMs: LEFT_WITHIN_MS,
    lacks: {},
    maxRuns: MAX_RUNS,
    async open({ layers, faults = [] }) {
      const models = [modelOf(MODEL, layers), modelOf(OTHER_MODEL, OTHER_SIZES)];
      mock.setUp({ models, dialect: "v0.33", faults, maxBodyBytes: MAX_BODY_BYTES });
      return {
        model: MODEL,
        layers: await layersOf(mock, MODEL),
        otherModel: { name: OTHER_MODEL, layers: await layersOf(mock, OTHER_MODEL) },
        change: (sizes) => publish(mock, modelOf(MODEL, sizes)),
        offer: (name, sizes) => publish(mock, modelOf(name, sizes)),
        fetch: (path, init) => fetchWire(new URL(path, url), init),
        now: () => performance.now(),
        close: () => Promise.resolve(),
      };
    },
  };
}
