/**
 * Finds what is wrong with a JSON value, with the place of each problem.
 *
 * The schema library only says whether a value fits its schema. If it does not, this module finds the parts
 * that do not fit, and says what is allowed there.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import type { Problem } from "./json.ts";
import { fits, resolve, type Schema } from "./schema.ts";

/** How many problems of a list, or unknown fields of an object, to report: there may be a million. */
const MAX_PROBLEMS = 20;

/** A JSON value does not fit its schema. */
export class MisfitError extends ConfigurationError {
  /** All problems. */
  readonly problems: readonly Problem[];

  /** Takes the problems. */
  constructor(problems: readonly Problem[]) {
    super(describeProblems(problems));
    this.problems = problems;
  }
}

/**
 * Returns the value if it fits its schema.
 *
 * @param json The value.
 * @param schema The schema.
 * @param place The name of the whole value, such as `fault`, if it has one.
 * @throws {MisfitError} If it does not fit.
 */
export function requireFit<Json>(json: unknown, schema: Schema<Json>, place = ""): Json {
  const problems = problemsIn(json, schema, place);
  if (problems.length > 0) throw new MisfitError(problems);
  return json as Json;
}

/** Describes the problems in one line. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ place, message }) => place ? `${place}: ${message}` : message).join("; ");
}

/** Lists the problems of a value: the smallest parts that do not fit. */
function problemsIn(value: unknown, schema: Schema, place: string): readonly Problem[] {
  if (fits(value, schema)) return [];
  const problems = problemsInParts(value, formFor(value, schema), place);
  if (problems.length > 0) return problems;
  return [{ place, message: `Cannot use ${show(value)}: it must be ${describe(schema)}` }];
}

function problemsInParts(value: unknown, form: Schema, place: string): readonly Problem[] {
  if (Array.isArray(value)) return problemsInItems(value, form, place);
  return isObject(value) ? problemsInFields(value, form, place) : [];
}

function problemsInItems(
  values: readonly unknown[],
  { items = {} }: Schema,
  place: string,
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [index, item] of values.entries()) {
    problems.push(...problemsIn(item, items, `${place}[${index}]`));
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems;
}

function problemsInFields(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties }: Schema,
  place: string,
): readonly Problem[] {
  const placeOf = (name: string) => place === "" ? name : `${place}.${name}`;
  const names = Object.keys(value);
  const isKnown = (name: string) => Object.hasOwn(properties, name);
  const unknown = additionalProperties === false ? names.filter((each) => !isKnown(each)) : [];
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  const takes = Object.keys(properties).join(", ");
  return [
    ...names.filter(isKnown)
      .flatMap((name) => problemsIn(value[name], properties[name]!, placeOf(name))),
    ...missing.map((name) => ({
      place: placeOf(name),
      message: `It is missing: it must be ${describe(properties[name]!)}`,
    })),
    ...unknown.slice(0, MAX_PROBLEMS).map((name) => ({
      place: placeOf(name),
      message: `Unknown field: it must be one of ${takes}`,
    })),
  ];
}

/** Of the alternatives in a schema, the one that was probably meant: same type and same kind. */
function formFor(value: unknown, schema: Schema): Schema {
  const { anyOf, ...form } = resolve(schema);
  if (!anyOf) return form;
  const [first = {}, ...others] = anyOf.map(resolve).filter(({ type }) => type === typeOf(value));
  if (others.length === 0) return first;
  const kinds = [first, ...others].map(({ properties }) => properties?.kind ?? {});
  const index = kinds.findIndex((kind) => isObject(value) && fits(value.kind ?? null, kind));
  return [first, ...others][index] ??
    { properties: { kind: { anyOf: kinds } }, required: ["kind"] };
}

/** Describes in words what fits a schema. */
function describe(schema: Schema): string {
  const { anyOf, enum: values, const: constant, type, ...range } = resolve(schema);
  if (anyOf) return describeChoice(anyOf);
  if (values) return `one of ${values.join(", ")}`;
  if (constant !== undefined) return show(constant);
  switch (type) {
    case "integer":
      return `a whole number${describeRange(range)}`;
    case "number":
      return `a number${describeRange(range)}`;
    case "boolean":
      return "true or false";
    case "array":
      return range.minItems === undefined ? "a list" : `a list of ${range.minItems} or more`;
    default:
      return type === "object" ? "an object" : "a string";
  }
}

function describeChoice(schemas: readonly Schema[]): string {
  const constants = schemas.flatMap(({ const: constant }) => constant ?? []);
  if (constants.length === schemas.length) return `one of ${constants.join(", ")}`;
  return [...new Set(schemas.map(describe))].join(" or ");
}

function describeRange({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum === undefined) return "";
  return maximum === undefined ? `, ${minimum} or more` : ` from ${minimum} to ${maximum}`;
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
