/**
 * A client of the control interface that holds every answer against its OpenAPI document.
 *
 * @module
 */

import { assert } from "@std/assert";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { createMockServer, type MockServer, type MockServerOptions } from "../mod.ts";
import { CONTROL_PATH } from "./access.ts";

/** An answer of the control interface. */
export interface ControlAnswer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- each test knows what it asked for
  readonly json: any;
}

interface Content {
  readonly content?: { readonly "application/json": { readonly schema: object } };
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** An OpenAPI document, as far as its shape matters here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** The OpenAPI document of a mock, as another program reads it. */
export class ControlDocument {
  readonly document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.document = document;
    this.#ajv.addSchema({ $id: "document", ...document });
  }

  /** Whether a value fits a schema of the document. */
  fits(schema: object, value: unknown): boolean {
    let validate = this.#validators.get(schema);
    if (!validate) {
      const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
      validate = this.#ajv.compile(JSON.parse(text));
      this.#validators.set(schema, validate);
    }
    return validate(value);
  }

  /** The operation of a request, if the document has it. */
  operation(method: string, path: string): Operation | undefined {
    const parts = path.split("/");
    const found = Object.entries(this.document.paths).find(([template]) => {
      const wanted = template.split("/");
      return wanted.length === parts.length &&
        wanted.every((part, index) => part.startsWith("{") || part === parts[index]);
    });
    return found?.[1][method.toLowerCase()];
  }
}

/** The document, which is the same for all mocks. */
let document: Promise<ControlDocument> | undefined;

async function readDocument(server: MockServer): Promise<ControlDocument> {
  const response = await server.fetch(`http://localhost${CONTROL_PATH}/openapi.json`);
  return new ControlDocument(await response.json());
}

/** A mock with a control interface, and its client. */
export class ControlledTest {
  readonly server: MockServer;
  readonly document: ControlDocument;

  private constructor(server: MockServer, document: ControlDocument) {
    this.server = server;
    this.document = document;
  }

  static async begin(options: MockServerOptions = {}): Promise<ControlledTest> {
    const server = createMockServer({ control: true, ...options });
    return new ControlledTest(server, await (document ??= readDocument(server)));
  }

  /** Asks for something, and checks that the answer is one that the document has. */
  async ask(method: string, path: string, body?: unknown): Promise<ControlAnswer> {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const url = new URL(`${CONTROL_PATH}${path}`, "http://localhost");
    const response = await this.server.fetch(url, init);
    const text = await response.text();
    const answer = { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
    const operation = this.document.operation(method, url.pathname);
    const declared = operation?.responses[answer.status];
    if (!declared) throw new Error(`${method} ${path} must not answer ${answer.status}: ${text}`);
    const schema = declared.content?.["application/json"].schema;
    const fits = schema ? this.document.fits(schema, answer.json) : text === "";
    assert(fits, `${operation.operationId} must not answer ${text}`);
    return answer;
  }
}
