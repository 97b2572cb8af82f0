/**
 * An address of the kernel as a number: less 2^64, so that what stands in the top 2^53 bytes is exact. Kernel text, modules and JIT
 * code do, on x86-64 and arm64.
 */
export type Address = number;

export function addressAt(bytes: Buffer, at: number): Address {
  const high = bytes.readUInt32LE(at + 4);
  return (high >= 2 ** 31 ? high - 2 ** 32 : high) * 2 ** 32 + bytes.readUInt32LE(at);
}
