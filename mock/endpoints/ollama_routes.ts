/**
 * The endpoints of the real server, whether or not the mock has them.
 *
 * @module
 */

/** An endpoint of the real server. */
export interface OllamaRoute {
  /** Its path, in which `:name` stands for one part. */
  readonly path: string;
  /** The methods that it accepts, in the order in which the real server lists them. */
  readonly methods: readonly string[];
}

/**
 * All of them (observed: `server/routes.go` of 0.34.1), except `/api/codex`, which is a proxy to third-party
 * servers.
 */
const ROUTES: readonly OllamaRoute[] = Object.entries({
  "/": "HEAD, GET",
  "/api/blobs/:digest": "HEAD, POST",
  "/api/chat": "POST",
  "/api/copy": "POST",
  "/api/create": "POST",
  "/api/delete": "DELETE",
  "/api/embed": "POST",
  "/api/embeddings": "POST",
  "/api/experimental/model-recommendations": "GET",
  "/api/experimental/web_fetch": "POST",
  "/api/experimental/web_search": "POST",
  "/api/generate": "POST",
  "/api/me": "POST",
  "/api/ps": "GET",
  "/api/pull": "POST",
  "/api/push": "POST",
  "/api/show": "POST",
  "/api/signout": "POST",
  "/api/status": "GET",
  "/api/tags": "HEAD, GET",
  "/api/user/keys/:encodedKey": "DELETE",
  "/api/version": "HEAD, GET",
  "/v1/audio/transcriptions": "POST",
  "/v1/chat/completions": "POST",
  "/v1/completions": "POST",
  "/v1/embeddings": "POST",
  "/v1/messages": "POST",
  "/v1/models": "GET",
  "/v1/models/:model": "GET",
  "/v1/responses": "POST",
  "/v1/responses/compact": "POST",
}).map(([path, methods]) => ({ path, methods: methods.split(", ") }));

/** The real server's endpoint at a path, if it has one. As there, an encoded slash counts as a slash. */
export function findOllamaRoute(path: string): OllamaRoute | undefined {
  const parts = decode(path).split("/");
  return ROUTES.find((route) => {
    const wanted = route.path.split("/");
    return wanted.length === parts.length &&
      wanted.every((part, index) => fits(part, parts[index]!));
  });
}

function fits(wanted: string, part: string): boolean {
  return wanted.startsWith(":") ? part !== "" : part === wanted;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // malformed percent-encoding
  }
}
