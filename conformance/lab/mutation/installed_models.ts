/**
 * The models that the small server has, and the requests about them. Not part of a pull: the rules use it to
 * start over, and it is not mutated.
 *
 * @module
 */

/** A layer of a model. */
export interface Layer {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** The models that are installed, by name. */
export class InstalledModels {
  readonly #layers: Map<string, readonly Layer[]>;
  readonly #removeLayer: (digest: string) => void;

  constructor(layers: Map<string, readonly Layer[]>, removeLayer: (digest: string) => void) {
    this.#layers = layers;
    this.#removeLayer = removeLayer;
  }

  /** Answers a request that is not a pull. */
  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "GET /":
        return new Response("Ollama is running");
      case "GET /api/tags":
        return Response.json({ models: this.#list() });
      case "DELETE /api/delete":
        return this.#delete(JSON.parse(await request.text()).model);
      default:
        return new Response("404 page not found", { status: 404 });
    }
  }

  #list(): { name: string; size: number }[] {
    return Array.from(this.#layers, ([name, layers]) => ({
      name,
      size: layers.reduce((sum, { size }) => sum + size, 0),
    }));
  }

  #delete(name: string): Response {
    const layers = this.#layers.get(name);
    if (!layers) return Response.json({ error: `model '${name}' not found` }, { status: 404 });
    this.#layers.delete(name);
    const used = new Set([...this.#layers.values()].flat().map(({ digest }) => digest));
    for (const { digest } of layers) if (!used.has(digest)) this.#removeLayer(digest);
    return new Response(null);
  }
}
