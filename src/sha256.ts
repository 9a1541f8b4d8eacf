/**
 * SHA-256 (FIPS 180-4), for digests.
 *
 *     bytes ── pad ──▶ blocks of 64 bytes ── schedule, 64 rounds each ──▶ state of 8 words
 *
 * Why not `crypto.subtle`? Pages loaded by `http`, as on a home network, do not have it, and it is
 * asynchronous, so a virtual clock would move on meanwhile. This is used for manifests, which have a few
 * kilobytes.
 *
 * @module
 */

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
// deno-fmt-ignore
const INITIAL_STATE = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
// deno-fmt-ignore
const ROUND_CONSTANTS = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/** The hash of some bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = pad(bytes);
  const state = Uint32Array.from(INITIAL_STATE);
  const schedule = new Uint32Array(ROUND_CONSTANTS.length);
  for (let offset = 0; offset < blocks.byteLength; offset += BLOCK_BYTES) {
    fillSchedule(schedule, blocks, offset);
    compress(state, schedule);
  }
  const hash = new DataView(new ArrayBuffer(state.byteLength));
  for (const [index, word] of state.entries()) hash.setUint32(4 * index, word);
  return new Uint8Array(hash.buffer);
}

/** The bytes, a 1 bit, zeros, and the length in bits, padded to whole blocks. */
function pad(bytes: Uint8Array): DataView<ArrayBuffer> {
  const length = bytes.length + 1 + LENGTH_BYTES;
  const padded = new Uint8Array(Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const blocks = new DataView(padded.buffer);
  blocks.setBigUint64(padded.length - LENGTH_BYTES, BigInt(bytes.length) * 8n);
  return blocks;
}

/** Fills the schedule: the words of a block, and the words derived from them. */
function fillSchedule(schedule: Uint32Array, blocks: DataView, offset: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = blocks.getUint32(offset + 4 * t);
  for (let t = 16; t < schedule.length; t++) {
    const x = schedule[t - 15]!;
    const y = schedule[t - 2]!;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    schedule[t] = schedule[t - 16]! + s0 + schedule[t - 7]! + s1;
  }
}

/** Mixes a block into the state. The names are those of the standard. */
function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < schedule.length; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + ROUND_CONSTANTS[t]! + schedule[t]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + s0 + majority) | 0;
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index]! += word;
}

/** A word of 32 bits, rotated to the right. */
function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
