/**
 * JSON Schemas (draft 2020-12), as far as the control interface uses them, and a check of values against
 * them.
 *
 * @module
 */

import { type Schema as LibrarySchema, validate } from "@cfworker/json-schema";

/** The type of the values that fit a schema. It exists only for the type checker. */
declare const TYPE: unique symbol;

/** A JSON Schema. */
export interface Schema<Json = unknown> {
  readonly [TYPE]?: Json;
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly type?: "array" | "boolean" | "integer" | "number" | "object" | "string";
  readonly format?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Schema;
}

/** The named schemas, by their references. */
const named: Record<string, Schema> = {};

/** The prefix of references to named schemas in OpenAPI. */
const COMPONENTS = "#/components/schemas/";

/** Gives a schema a name, and returns a reference to it. */
export function define<Json>(name: string, schema: Schema<Json>): Schema<Json> {
  const $ref = COMPONENTS + name;
  named[$ref] = schema;
  return { $ref };
}

/** The named schemas, by name. */
export function namedSchemas(): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(named).map(([$ref, schema]) => [$ref.slice(COMPONENTS.length), schema]),
  );
}

/** Resolves a reference; returns any other schema as it is. */
export function resolve(schema: Schema): Schema {
  const { $ref } = schema;
  return $ref === undefined ? schema : resolve(named[$ref]!);
}

/** An object with exactly these fields. */
export function fields<Json extends object>(
  properties: { readonly [Name in keyof Json]-?: Schema },
  required: readonly (keyof Json & string)[] = [],
): Schema<Json> {
  return { ...record(properties, required), additionalProperties: false };
}

/** An object with these fields, to which later versions may add more. */
export function record<Json extends object>(
  properties: { readonly [Name in keyof Json]-?: Schema },
  required: readonly (keyof Json & string)[],
): Schema<Json> {
  return { type: "object", properties, required };
}

/** A list. */
export function list<Item>(items: Schema<Item>): Schema<readonly Item[]> {
  return { type: "array", items };
}

/** Whether a JSON value fits a schema. */
export function fits(value: unknown, schema: Schema): boolean {
  const lookup = named as Record<string, LibrarySchema>;
  return validate(value, schema as LibrarySchema, "2020-12", lookup).valid;
}
