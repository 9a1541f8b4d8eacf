/**
 * Reads the body of a request as the real server does, which is written in Go, with its messages.
 *
 * @module
 */

/** The types of the fields that an endpoint reads, by their names in lower case. */
export type FieldTypes = Readonly<Record<string, "string" | "bool" | "object">>;

/** A body that cannot be read; the message is the real server's. */
export class BodyError extends Error {
  /** Always `"BodyError"`. */
  override readonly name = "BodyError";
}

/** Reads a body as an object with fields of given types, and leaves out the others. */
export function parseBody(
  text: string,
  struct: string,
  types: FieldTypes,
): Record<string, unknown> {
  if (text.trim() === "") throw new BodyError("missing request body");
  const value = parseValue(text);
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new BodyError(
      `json: cannot unmarshal ${goType(value)} into Go value of type api.${struct}`,
    );
  }
  const fields: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const name = key.toLowerCase(); // Go matches names without regard to case
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined || field === null) continue;
    if (goType(field) !== type) {
      const target = `Go struct field ${struct}.${name} of type ${type}`;
      throw new BodyError(`json: cannot unmarshal ${goType(field)} into ${target}`);
    }
    fields[name] = field;
  }
  return fields;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const start = text.trimStart();
    if (!/^[[{"tfn\d-]/.test(start)) {
      throw new BodyError(`invalid character '${start.charAt(0)}' looking for beginning of value`);
    }
    const opened = start.match(/[[{]/g)?.length ?? 0;
    const closed = start.match(/[\]}]/g)?.length ?? 0;
    throw new BodyError(opened > closed ? "unexpected EOF" : "invalid character in value");
  }
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
