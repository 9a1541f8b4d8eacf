/**
 * Projects that have installed the npm package of this repository.
 *
 * @module
 */

import { pack } from "../pack.ts";
import { Consumer } from "./consumer.ts";

/** Other packages that consumers install, at versions that are known to work. */
export const TOOLS = {
  /** The oldest supported Node, and two current ones. */
  nodes: { "node-oldest": "20.16.0", "node-lts": "24.21.0", "node-newest": "26.10.0" },
  /** The newest TypeScript, and the oldest supported one. */
  typescript: "typescript@7.0.2",
  oldestTypescript: "typescript@5.6.3",
  nodeTypes: "@types/node@26.6.6",
  esbuild: "esbuild@0.28.2",
  /** The test tools and servers of the recipes. */
  express: "express@5.3.0",
  jest: "jest@30.5.2",
  msw: "msw@2.15.0",
  playwright: "@playwright/test@1.65.1",
  /** The framework in the guide to the relay. */
  hono: "hono@4.13.19",
  honoNodeServer: "@hono/node-server@2.1.9",
  /** The packages of a recipe for apps. */
  react: "react@19.3.1",
  reactDom: "react-dom@19.3.1",
} as const;

/** A project without dependencies, and the tarball next to it that it can install. */
export async function createNpmProject(
  env: Readonly<Record<string, string>> = {},
): Promise<{ consumer: Consumer; tarball: string }> {
  const consumer = await Consumer.create(env);
  await consumer.write({ "package.json": { private: true, type: "module" } });
  return { consumer, tarball: await pack(consumer.folder) };
}

/** A project in which npm has installed the package and some others. */
export async function installWithNpm(...others: readonly string[]): Promise<Consumer> {
  const { consumer, tarball } = await createNpmProject();
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  await consumer.outputOf(["npm", "install", ...options, tarball, ...others]);
  return consumer;
}

/** Bundles a module of a project for browsers and Workers, as one module. */
export function bundle(consumer: Consumer, entry: string, ...options: string[]): Promise<string> {
  const args = ["--bundle", "--format=esm", "--platform=browser", "--log-level=error"];
  return consumer.outputOf(["node_modules/.bin/esbuild", entry, ...args, ...options]);
}
