/**
 * What would be published, according to `deno publish` itself.
 *
 * @module
 */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandResult, runDeno } from "./command.ts";
import { entryFiles, followImports, ROOT } from "./project.ts";
import { GUIDES } from "./readme.ts";

/** The documents of the package. */
export const DOCUMENTS: readonly string[] = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "cli/views/bars.svg",
  "conformance/proxies/Caddyfile",
  "conformance/proxies/README.md",
  "conformance/proxies/apache.conf",
  "conformance/proxies/haproxy.cfg",
  "conformance/proxies/nginx.conf",
  "conformance/proxies/varnish.vcl",
  "mock/recipes/browser/page.png",
  ...GUIDES,
];

/** Does a dry run of publishing, which fails for types that JSR would have to infer. */
export function tryPublishing(): Promise<CommandResult> {
  return runDeno(["publish", "--dry-run", "--allow-dirty"], ROOT);
}

/** The files that the output of {@link tryPublishing} lists. */
export function publishedFiles({ stdout, stderr }: CommandResult): string[] {
  const lines = (stdout + stderr).matchAll(/^ +(file:\S+) \(.*\)$/gm);
  return Array.from(lines, ([, url]) => relative(ROOT, fileURLToPath(url!))).sort();
}

/** The files that should be published: the documents, and all modules that the exports import. */
export async function intendedFiles(): Promise<string[]> {
  const { files } = await followImports(await entryFiles(), ROOT);
  return [...DOCUMENTS, "deno.json", ...files].sort();
}
