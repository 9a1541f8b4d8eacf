/**
 * Helpers for the tests of this folder: a small model, and pulls of it as text.
 *
 * @module
 */

import type { MockModel } from "./models/models.ts";
import type { MockServer, MockServerOptions } from "./options.ts";
import { createMockServer } from "./server.ts";

/** A recognizable digest: one hexadecimal digit, 64 times. */
export function digestOf(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}

/** Digests that tests give to layers. */
export const [A, B, C, D] = ["a", "b", "c", "d"].map(digestOf) as [string, string, string, string];

/**
 * Two layers and a config. At the default of 100 MB/s, the first layer takes 200 ms (between three and four
 * ticks), the second 30 ms, and the config almost none.
 */
export const SMALL = {
  name: "small",
  layers: [{ size: 20_000_000, digest: A }, { size: 3_000_000, digest: B }],
  config: { size: 500, digest: C },
} satisfies MockModel;

/** {@link SMALL}, after its second layer has been replaced. */
export const CHANGED = {
  ...SMALL,
  layers: [{ size: 20_000_000, digest: A }, { size: 2_000_000, digest: D }],
} satisfies MockModel;

/** A mock that offers {@link SMALL}. */
export function mockOfSmall(options: MockServerOptions = {}): MockServer {
  return createMockServer({ models: [SMALL], ...options });
}

/** Sends a request with a JSON body. */
export function post(
  server: MockServer,
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> {
  const url = new URL(path, "http://localhost");
  return server.fetch(url, { method: "POST", body: JSON.stringify(body), ...init });
}

/** Asks for a pull. */
export function requestPull(
  server: MockServer,
  model = "small",
  fields: Record<string, unknown> = {},
  init: RequestInit = {},
): Promise<Response> {
  return post(server, "/api/pull", { model, ...fields }, init);
}

/** All that a pull sends. */
export async function pullText(
  server: MockServer,
  model = "small",
  fields: Record<string, unknown> = {},
): Promise<string> {
  return await (await requestPull(server, model, fields)).text();
}

/** Replaces the digests {@link A} to {@link D} in a text by their names. */
export function abbreviate(text: string): string {
  return text.replace(/sha256:([a-d])\1{63}/g, (_, digit: string) => digit.toUpperCase());
}

/** All that a pull sends, with {@link abbreviate}d digests. */
export async function transcript(
  server: MockServer,
  model = "small",
  fields: Record<string, unknown> = {},
): Promise<string> {
  return abbreviate(await pullText(server, model, fields));
}

/** The chunks of an answer's body, and the error that ended it, if any. */
export async function readChunks(
  response: Response,
): Promise<{ chunks: string[]; failure: unknown }> {
  const utf8 = new TextDecoder();
  const chunks: string[] = [];
  try {
    for await (const chunk of response.body!) chunks.push(utf8.decode(chunk, { stream: true }));
    return { chunks, failure: undefined };
  } catch (failure) {
    return { chunks, failure };
  }
}

/** The next line of a pull that sends one line per chunk. */
export async function readLine(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string | undefined> {
  const { value } = await reader.read();
  return value && new TextDecoder().decode(value).trimEnd();
}

/** Starts a pull and reads a number of its lines. */
export async function beginPull(
  server: MockServer,
  lines: number,
  model = "small",
): Promise<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>> {
  const reader = (await requestPull(server, model)).body!.getReader();
  for (let line = 0; line < lines; line++) await reader.read();
  return reader;
}
