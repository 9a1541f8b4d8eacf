/**
 * A registry of models that are small enough to be written by hand, and that the reference server can not
 * only pull but also list and show: their config is JSON, and their weights are a GGUF file.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { MockModel } from "../../../mock/models/models.ts";
import { sha256Digest } from "../../../src/digest.ts";

/** What tells the versions of a model apart. */
export interface SmallVersion {
  /** The architecture that the weights name. */
  readonly weights: string;
  /** The template of prompts. */
  readonly template: string;
  /** Whether the manifest has spaces and more fields, which servers may not keep. */
  readonly isPretty?: true;
}

interface SmallBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const CONFIG_TYPE = "application/vnd.docker.container.image.v1+json";
const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** A registry with one model. */
export class SmallRegistry {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #blobs = new Map<string, Uint8Array>();
  #manifest = "";
  #port = 0;

  /** Begins to listen. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** The name of the model, with the address of this registry. */
  get model(): string {
    return `127.0.0.1:${this.#port}/library/subject`;
  }

  /** Offers a version of the model, and returns it as a mock would describe it. */
  publish({ weights, template, isPretty }: SmallVersion): MockModel {
    const layers = [
      this.#add(ggufOf(weights), "application/vnd.ollama.image.model"),
      this.#add(template, "application/vnd.ollama.image.template"),
    ];
    const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
    const config = this.#add(
      JSON.stringify({ model_format: "gguf", model_family: weights, rootfs }),
      CONFIG_TYPE,
    );
    const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers };
    this.#manifest = isPretty
      ? JSON.stringify({ annotations: {}, ...manifest }, null, 2)
      : JSON.stringify(manifest);
    return { name: this.model, layers, config };
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #add(text: string, mediaType: string): SmallBlob {
    const bytes = new TextEncoder().encode(text);
    const digest = sha256Digest(bytes);
    this.#blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  #answer({ url = "", method, headers }: IncomingMessage, response: ServerResponse): void {
    if (url.includes("/manifests/")) {
      response.writeHead(200, { "Content-Type": MANIFEST_TYPE }).end(this.#manifest);
      return;
    }
    const [digest = "", isRedirected] = url.split("/").at(-1)!.split("?");
    const bytes = this.#blobs.get(digest);
    if (!bytes) return void response.writeHead(404).end();
    if (method === "HEAD") {
      response.writeHead(200, { "Content-Length": bytes.length }).end();
    } else if (isRedirected === undefined) {
      // The server wants to be redirected, and to another host name.
      response.writeHead(307, { Location: `http://localhost:${this.#port}${url}?redirected` })
        .end();
    } else {
      const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? "") ?? [];
      const end = to === "" ? bytes.length : Number(to) + 1;
      response.writeHead(headers.range === undefined ? 200 : 206, {
        "Content-Range": `bytes ${from}-${end - 1}/${bytes.length}`,
      }).end(bytes.subarray(Number(from), end));
    }
  }
}

/** A GGUF file that says of which architecture it is, and nothing else. All of its bytes are ASCII. */
function ggufOf(architecture: string): string {
  const version = "\x03\0\0\0";
  const typeOfText = "\x08\0\0\0";
  const key = lengthAndText("general.architecture");
  return `GGUF${version}${uint64(0)}${uint64(1)}${key}${typeOfText}${lengthAndText(architecture)}`;
}

function lengthAndText(text: string): string {
  return uint64(text.length) + text;
}

/** A number below 128, in eight bytes. */
function uint64(value: number): string {
  return String.fromCharCode(value).padEnd(8, "\0");
}
