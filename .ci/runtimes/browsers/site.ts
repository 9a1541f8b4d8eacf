/**
 * A site on this machine, whose pages are opened in browsers.
 *
 * @module
 */

/** A file of a site. */
export interface SiteFile {
  readonly type: string;
  readonly text: string;
}

/** The files of a site, by path. */
export type SiteFiles = ReadonlyMap<string, SiteFile>;

/** Makes a page collect its uncaught errors. */
const WATCH = `<script>
  globalThis.problems = [];
  const note = ({ message, target }) => problems.push(message ?? "Cannot load " + target.src);
  addEventListener("error", note, true);
  addEventListener("unhandledrejection", ({ reason }) => problems.push("Unhandled " + reason));
</script>`;

/** A page whose global `problems` has its uncaught errors. */
export function watched(html: string): SiteFile {
  return { type: "text/html", text: html.replace("<head>", `<head>${WATCH}`) };
}

/** A script of a page. */
export function scriptFile(text: string): SiteFile {
  return { type: "text/javascript", text };
}

/** Serves a site until the tests end. Requests for other paths go to a handler, if there is one. */
export function serveSite(
  files: SiteFiles,
  answer: Deno.ServeHandler = () => new Response(null, { status: 404 }),
): Deno.HttpServer<Deno.NetAddr> {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const site = Deno.serve(options, (request, info) => {
    const file = files.get(new URL(request.url).pathname);
    if (!file) return answer(request, info);
    return new Response(file.text, { headers: { "Content-Type": file.type } });
  });
  site.unref();
  return site;
}
