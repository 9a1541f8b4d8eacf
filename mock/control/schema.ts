/**
 * JSON Schemas (draft 2020-12), as far as the control interface uses them, and what fits them.
 *
 * @module
 */

import { type Schema as LibrarySchema, validate } from "@cfworker/json-schema";

/** Stands for the type of what fits a schema. Only the compiler knows of it. */
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

/** The schemas that have names, by the references to them. */
const named: Record<string, Schema> = {};

/** Where OpenAPI keeps schemas that have names. */
const COMPONENTS = "#/components/schemas/";

/** Gives a schema a name, and returns a reference to it. */
export function define<Json>(name: string, schema: Schema<Json>): Schema<Json> {
  const $ref = COMPONENTS + name;
  named[$ref] = schema;
  return { $ref };
}

/** The schemas that have names, by these. */
export function namedSchemas(): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(named).map(([$ref, schema]) => [$ref.slice(COMPONENTS.length), schema]),
  );
}

/** The schema that a reference leads to; any other one is itself. */
export function resolve(schema: Schema): Schema {
  const { $ref } = schema;
  return $ref === undefined ? schema : resolve(named[$ref]!);
}

/** An object that takes its fields and no others. */
export function fields<Json extends object>(
  properties: { readonly [Name in keyof Json]-?: Schema },
  required: readonly (keyof Json & string)[] = [],
): Schema<Json> {
  return { ...record(properties, required), additionalProperties: false };
}

/** An object that has some fields, and may get others in later versions. */
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

/** Whether a value that JSON can have fits a schema. */
export function fits(value: unknown, schema: Schema): boolean {
  const lookup = named as Record<string, LibrarySchema>;
  return validate(value, schema as LibrarySchema, "2020-12", lookup).valid;
}
