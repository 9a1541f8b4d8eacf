/**
 * Describes one route of the control interface. Both the router and the OpenAPI document are built from these
 * descriptions.
 *
 * @module
 */

import type { HoldOptions } from "../faults/fault_set.ts";
import type { PullHold } from "../faults/hold.ts";
import type { MockServer, MockSetup } from "../options.ts";
import type { Schema } from "./schema.ts";

/** What only the control interface needs to know about a mock. */
export interface MockInsight {
  /** The current set-up. */
  readonly setup: () => MockSetup;
  /** All holds. The number of a hold is its position, counted from 1. */
  readonly holds: () => readonly (readonly [PullHold, HoldOptions])[];
}

/** A parameter in the query, or in the path if the path names it. */
export interface Parameter<Value = unknown> {
  /** Its type. A `default` is used if the parameter is absent. */
  readonly schema: Schema<Value>;
  readonly description?: string;
  /** Whether it is required. Parameters in the path always are. */
  readonly isRequired?: boolean;
}

/** The parameters of a route by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The body of a request. */
export interface RequestBody<Json = unknown> {
  readonly schema: Schema<Json>;
  /** A prefix for places in it, such as `fault`. */
  readonly place?: string;
  /** Whether it may be absent. */
  readonly isOptional?: boolean;
}

/** An answer: its status, and the schema of its body if it has one. */
export interface Answer<Json = unknown> {
  readonly status: number;
  readonly description: string;
  readonly schema?: Schema<Json>;
}

/** A request to a route, already checked. */
export interface Call<Body, Values> {
  /** The mock. */
  readonly mock: MockServer;
  /** The mock's internals. */
  readonly insight: MockInsight;
  /** The body. */
  readonly body: Body;
  /** The parameters. */
  readonly parameters: Values;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

/** A route with any parameters and body. */
export interface Route {
  readonly operationId: string;
  readonly method: "delete" | "get" | "post" | "put";
  /** The path, with parameters in braces: `/holds/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: Parameters;
  readonly body?: RequestBody;
  /** The answer on success. */
  readonly answer: Answer;
  /** Other answers, besides the one for invalid input. */
  readonly failures?: readonly Answer[];
  /** Handles the request, and returns the body of the answer. */
  handle(call: Call<unknown, unknown>): unknown;
}

/** The values of parameters. */
type ValuesOf<Given extends Parameters> = {
  readonly [Name in keyof Given]: Given[Name] extends Parameter<infer Value> ? Value : never;
};

/** A route whose handler is type-checked against its schemas. */
export function route<
  Given extends Parameters = Record<never, never>,
  Body = undefined,
  Json = undefined,
>(
  description: Omit<Route, "handle"> & {
    readonly parameters?: Given;
    readonly body?: RequestBody<Body>;
    readonly answer: Answer<Json>;
    handle(call: Call<Body, ValuesOf<Given>>): Json | Promise<Json>;
  },
): Route {
  return description as Route;
}

/** Whether a parameter is part of the path of its route. */
export function isInPath({ path }: Route, name: string): boolean {
  return path.includes(`{${name}}`);
}
