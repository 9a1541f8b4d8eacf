/**
 * What a route of the control interface is: one description, of which both the router and the OpenAPI
 * document are made.
 *
 * @module
 */

import type { HoldOptions } from "../faults/fault_set.ts";
import type { PullHold } from "../faults/hold.ts";
import type { MockServer, MockSetup } from "../options.ts";
import type { Schema } from "./schema.ts";

/** What the control interface knows of a mock besides what everybody does. */
export interface MockInsight {
  /** The set-up that it has now. */
  readonly setup: () => MockSetup;
  /** Where pulls wait. The number of a hold is its place, counted from 1. */
  readonly holds: () => readonly (readonly [PullHold, HoldOptions])[];
}

/** A parameter of a query, or of a path where that names it. */
export interface Parameter<Value = unknown> {
  /** What it takes. A default is the value of one that is left out. */
  readonly schema: Schema<Value>;
  readonly description?: string;
  /** Whether it must be there. Those of a path are there anyway. */
  readonly isRequired?: boolean;
}

/** The parameters of a route, by their names. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The body of a request. */
export interface RequestBody<Json = unknown> {
  readonly schema: Schema<Json>;
  /** What places in it begin with, if anything: `fault`. */
  readonly place?: string;
  /** Whether there may be none. */
  readonly isOptional?: boolean;
}

/** An answer: its status, and its body if it has one. */
export interface Answer<Json = unknown> {
  readonly status: number;
  readonly description: string;
  readonly schema?: Schema<Json>;
}

/** A request to a route, checked. */
export interface Call<Body, Values> {
  /** The mock. */
  readonly mock: MockServer;
  /** What else there is to know of it. */
  readonly insight: MockInsight;
  /** The body. */
  readonly body: Body;
  /** The parameters. */
  readonly parameters: Values;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
}

/** A route, whatever its parameters and its body are. */
export interface Route {
  readonly operationId: string;
  readonly method: "delete" | "get" | "post" | "put";
  /** The path, with parameters in braces: `/holds/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: Parameters;
  readonly body?: RequestBody;
  /** The answer where all goes well. */
  readonly answer: Answer;
  /** Other answers, besides the one to a body or parameters that cannot be used. */
  readonly failures?: readonly Answer[];
  /** Does what it is there for, and returns the body of the answer. */
  handle(call: Call<unknown, unknown>): unknown;
}

/** The values of parameters. */
type ValuesOf<Given extends Parameters> = {
  readonly [Name in keyof Given]: Given[Name] extends Parameter<infer Value> ? Value : never;
};

/** A route whose handler gets what its schemas say, and gives what they say. */
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
