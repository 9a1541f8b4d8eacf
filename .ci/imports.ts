/**
 * Which files import which, and what is wrong with that: imports that go round in a circle, and imports
 * that climb from a lower floor of the package to a higher one.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FROM_CACHE, outputOf } from "./command.ts";
import { isForTests, listFiles, toProjectPath } from "./project.ts";

/** The imports of every file, types and `import()` among them, by its path from the root. */
export type Imports = ReadonlyMap<string, readonly string[]>;

interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly Partial<Record<"code" | "type", { specifier?: string }>>[];
}

/** Reads the imports of all TypeScript files below a root. */
export async function readImports(root: string): Promise<Imports> {
  const files = (await listFiles(root)).filter((file) => file.endsWith(".ts"));
  const folder = await Deno.makeTempDir();
  try {
    // Deno follows the imports of one file: of this one, which imports all.
    const everything = join(folder, "everything.ts");
    const urls = files.map((file) => pathToFileURL(join(root, file)).href);
    await Deno.writeTextFile(everything, urls.map((url) => `import "${url}";\n`).join(""));
    const config = join(root, "deno.json");
    const args = ["info", "--json", FROM_CACHE, "--config", config, everything];
    const command = [Deno.execPath(), ...args] as const;
    const { modules } = JSON.parse(await outputOf(command, { cwd: root })) as {
      modules: readonly ModuleInfo[];
    };
    const paths = new Map(modules.map((module) => [toProjectPath(module.specifier, root), module]));
    return new Map(files.map((file) => [file, importsOf(paths.get(file), root)]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The files of the repository that a module imports. */
function importsOf(module: ModuleInfo | undefined, root: string): string[] {
  if (!module) throw new Error("Deno has left out a file");
  const specifiers = (module.dependencies ?? []).flatMap(({ code, type }) =>
    [
      code?.specifier ?? [],
      type?.specifier ?? [],
    ].flat()
  );
  const paths = specifiers.map((specifier) => toProjectPath(specifier, root));
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** A circle of imports, as `a.ts → b.ts → a.ts`, or `undefined` if there is none. */
export function findCircle(imports: Imports): string | undefined {
  const isCleared = new Set<string>();
  const way: string[] = [];
  const follow = (file: string): string | undefined => {
    if (isCleared.has(file)) return undefined;
    const start = way.indexOf(file);
    if (start !== -1) return [...way.slice(start), file].join(" → ");
    way.push(file);
    for (const imported of imports.get(file) ?? []) {
      const circle = follow(imported);
      if (circle) return circle;
    }
    way.pop();
    isCleared.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = follow(file);
    if (circle) return circle;
  }
  return undefined;
}

/** The floors of a house, the lowest first, each with its rooms: folders and files. */
export type FloorPlan = readonly (readonly string[])[];

/**
 * The imports between the rooms of a plan that do not lead to a lower floor, as `a.ts → b.ts`. Tests are
 * passed over: they may use everything. A file in no room of the plan is an error.
 *
 * @param folder The folder that the plan is of, or `""` for a plan of all.
 */
export function findClimbs(imports: Imports, folder: string, plan: FloorPlan): string[] {
  const rooms = plan.flatMap((floor, height) => floor.map((name) => ({ name, height })));
  const roomOf = (file: string) => {
    const path = folder === "" ? file : file.slice(folder.length + 1);
    return rooms.find(({ name }) => path === name || path.startsWith(`${name}/`));
  };
  const isInside = (file: string) => folder === "" || file.startsWith(`${folder}/`);
  return [...imports].filter(([file]) => isInside(file) && !isForTests(file)).flatMap(
    ([file, imported]) => {
      const room = roomOf(file);
      if (!room) return folder === "" ? [] : [`${file} is in no room`];
      return imported.filter(isInside).filter((other) => {
        const otherRoom = roomOf(other);
        return otherRoom && otherRoom !== room && otherRoom.height >= room.height;
      }).map((other) => `${file} → ${other}`);
    },
  );
}

/** The imports of some files that lead to some others, as `a.ts → b.ts`. */
export function findImports(
  imports: Imports,
  from: (file: string) => boolean,
  to: (file: string) => boolean,
): string[] {
  return [...imports].filter(([file]) => from(file)).flatMap(([file, imported]) =>
    imported.filter(to).map((other) => `${file} → ${other}`)
  );
}
