/**
 * Error messages, in the shapes of several servers.
 *
 * @module
 */

/** The message of an error, whatever its shape; its JSON if the shape is unknown. */
export function messageOf(error: unknown): string {
  return findMessage(error) ?? JSON.stringify(error);
}

/** The message in the body of an HTTP error. */
export function reasonOf(body: string): string {
  try {
    return messageOf(JSON.parse(body));
  } catch {
    return body.trim() || "no reason was given";
  }
}

function findMessage(value: unknown): string | undefined {
  if (typeof value === "string") return value || "no reason was given";
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return value.map(messageOf).join("; ");
  const { error, message, detail, errors, msg } = value as Record<string, unknown>;
  return findMessage(error ?? message ?? detail ?? errors ?? msg);
}
