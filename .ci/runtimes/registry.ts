/**
 * A JSR registry on loopback: as much of one as it takes for `deno publish` to publish a package there,
 * and for Deno to import it from there.
 *
 * What is served is what `deno publish` has sent, its rewritten imports included.
 *
 * @module
 */

import { join } from "node:path";
import { outputOf } from "../command.ts";
import { listFiles, readDenoConfig, ROOT } from "../project.ts";

/**
 * Who publishes: a person who is logged in, or a workflow of GitHub, which has no secret, but an identity
 * that GitHub vouches for.
 */
export type Publisher = "person" | "workflow";

/** Takes the place of a person who is logged in. */
const TOKEN = "anybody";

/** Where GitHub vouches for a workflow, here. */
const IDENTITY_PATH = "/identity";

/** The files of a package that was published, by their paths. */
export type Release = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** A registry with this package in it. */
export interface Registry {
  /** The address, which Deno takes from `JSR_URL`. */
  readonly url: string;
  /** What was published, by the paths of the files, such as `/mod.ts`. */
  files(): Release;
  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Unpacks what `deno publish` sends: a tarball with gzip. */
async function unpack(tarball: Uint8Array): Promise<Release> {
  const folder = await Deno.makeTempDir();
  try {
    const archive = join(folder, "package.tar.gz");
    const contents = join(folder, "package");
    await Deno.writeFile(archive, tarball);
    await Deno.mkdir(contents);
    await outputOf(["tar", "-xzf", archive, "-C", contents]);
    const release = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const path of await listFiles(contents)) {
      release.set(`/${path}`, await Deno.readFile(join(contents, path)));
    }
    return release;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** What a registry says of a release: its exports, and the size and checksum of each file. */
async function metadataOf(files: Release): Promise<object> {
  const { exports } = JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
  const entries = Array.from(files, async ([path, bytes]) => {
    return [path, { size: bytes.length, checksum: `sha256-${await sha256(bytes)}` }];
  });
  return { exports, manifest: Object.fromEntries(await Promise.all(entries)) };
}

/**
 * What `deno publish` wants to be allowed, and has GitHub sign: one version of one package, and no other
 * bytes than those that it sends.
 */
interface Audience {
  readonly permissions: readonly {
    readonly scope: string;
    readonly package: string;
    readonly version: string;
    readonly tarballHash: string;
  }[];
}

/** Whether a request that publishes a tarball has the right to. */
async function mayPublish(
  request: Request,
  tarball: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const [scheme, credential = ""] = request.headers.get("Authorization")?.split(" ") ?? [];
  if (scheme === "Bearer") return credential === TOKEN;
  const { permissions }: Audience = JSON.parse(credential); // see `vouch`
  const { pathname } = new URL(request.url);
  const hash = `sha256-${await sha256(tarball)}`;
  return permissions.some(({ scope, package: name, version, tarballHash }) =>
    pathname === `/api/scopes/${scope}/packages/${name}/versions/${version}` && tarballHash === hash
  );
}

/** Takes the place of GitHub. It signs what it is asked to; here, the credential is the plain request. */
function vouch(url: string): Response {
  return Response.json({ value: new URL(url).searchParams.get("audience") });
}

/** How a publisher runs `deno publish`: the arguments, and the environment. */
function publishingAs(publisher: Publisher, url: string) {
  if (publisher === "person") return { args: [`--token=${TOKEN}`], env: {} };
  return {
    args: ["--no-provenance"], // the proof of origin is signed by services that are not here
    env: {
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "anything",
      ACTIONS_ID_TOKEN_REQUEST_URL: new URL(`${IDENTITY_PATH}?workflow=1`, url).href,
    },
  };
}

/** Starts a registry and publishes this package there. */
export async function startRegistry(publisher: Publisher = "person"): Promise<Registry> {
  const { name, version } = await readDenoConfig();
  let release: Release | undefined;

  /** Takes the package, and answers what `deno publish` asks about it. */
  const administrate = async (request: Request): Promise<Response | undefined> => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") {
      const tarball = await request.bytes();
      if (!await mayPublish(request, tarball)) return undefined;
      release = await unpack(tarball);
    }
    // The version is not to be there yet.
    if (!release && pathname.endsWith(`/versions/${version}`)) return undefined;
    return Response.json({ id: "1", status: "success", error: null });
  };
  const serve = async (pathname: string): Promise<Response | undefined> => {
    if (!release) return undefined;
    if (pathname === `/${name}/meta.json`) {
      return Response.json({ latest: version, versions: { [version]: {} } });
    }
    if (pathname === `/${name}/${version}_meta.json`) {
      return Response.json(await metadataOf(release));
    }
    const file = release.get(pathname.replace(`/${name}/${version}`, ""));
    return file && new Response(file, { headers: { "Content-Type": "text/plain" } });
  };

  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === IDENTITY_PATH) return vouch(request.url);
      const response = pathname.startsWith("/api/")
        ? await administrate(request)
        : await serve(pathname);
      return response ?? new Response(null, { status: 404 });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const { args, env } = publishingAs(publisher, url);
  const publish = ["publish", "--quiet", "--no-check", "--allow-dirty", ...args];
  await outputOf([Deno.execPath(), ...publish], { cwd: ROOT, env: { JSR_URL: url, ...env } });
  return {
    url,
    files: () => release ?? new Map(),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
