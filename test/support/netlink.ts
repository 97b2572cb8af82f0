import { endianness } from 'node:os';

/** A netlink attribute: length and type in the host's order, the payload, padding. */
export function nla(type: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(payload);
  const bytes = Buffer.alloc((4 + body.length + 3) & ~3);
  const little = endianness() === 'LE';
  if (little) bytes.writeUInt16LE(4 + body.length, 0);
  else bytes.writeUInt16BE(4 + body.length, 0);
  if (little) bytes.writeUInt16LE(type, 2);
  else bytes.writeUInt16BE(type, 2);
  bytes.set(body, 4);
  return bytes;
}

/** A big-endian word, as netfilter writes numbers. */
export function be(word: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(word >>> 0, 0);
  return bytes;
}

export function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`);
}
