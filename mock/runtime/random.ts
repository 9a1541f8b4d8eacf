/**
 * Numbers and bytes that look random but are determined by a seed, the same in every runtime.
 *
 * @module
 */

/** The initial state of a generator, from a text: the cyrb128 hash. */
function hash(text: string): [number, number, number, number] {
  let a = 1779033703, b = 3144134277, c = 1013904242, d = 2773480762;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [a, b, c, d];
}

/** A generator of whole numbers below 2^32, determined by its keys: sfc32. */
export function seededNumbers(...keys: readonly (string | number)[]): () => number {
  let [a, b, c, d] = hash(keys.join("\0"));
  return () => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
}

/** A made-up digest, determined by its keys. It is not the hash of any bytes. */
export function seededDigest(...keys: readonly (string | number)[]): string {
  const next = seededNumbers(...keys);
  // A loop, because a mock makes hundreds of digests at start-up, before the engine has compiled anything.
  let digest = "sha256:";
  for (let word = 0; word < 8; word++) digest += next().toString(16).padStart(8, "0");
  return digest;
}

/** How many seeded bytes are made at once. */
export const SEEDED_BLOCK_BYTES = 64 * 1024;

/**
 * The bytes of a blob from one offset to another, determined by a key. A range is made without the bytes
 * before it.
 */
export function seededBytes(key: string, start: number, end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (
    let block = Math.floor(start / SEEDED_BLOCK_BYTES);
    block * SEEDED_BLOCK_BYTES < end;
    block++
  ) {
    const offset = block * SEEDED_BLOCK_BYTES;
    const from = Math.max(start, offset);
    const to = Math.min(end, offset + SEEDED_BLOCK_BYTES);
    bytes.set(seededBlock(key, block).subarray(from - offset, to - offset), from - start);
  }
  return bytes;
}

function seededBlock(key: string, block: number): Uint8Array {
  const next = seededNumbers(key, block);
  const view = new DataView(new ArrayBuffer(SEEDED_BLOCK_BYTES));
  for (let offset = 0; offset < SEEDED_BLOCK_BYTES; offset += 4) {
    view.setUint32(offset, next(), true);
  }
  return new Uint8Array(view.buffer);
}
