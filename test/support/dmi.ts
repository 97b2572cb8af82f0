/** SMBIOS structures as the firmware lays them down: words by offset, then the strings and their end. */
function structure(
  type: number,
  handle: number,
  length: number,
  fields: Record<number, number>,
  strings = '',
): number[] {
  const area = new Array<number>(length).fill(0);
  area.splice(0, 4, type, length, handle & 255, handle >> 8);
  for (const [at, word] of Object.entries(fields)) area.splice(Number(at), 2, word & 255, word >> 8);
  return [...area, ...(strings === '' ? [0] : new TextEncoder().encode(strings)), 0];
}
export const array = (handle: number, use: number): number[] => structure(16, handle, 0x17, { 4: 3 | (use << 8) });
export const slot = (size: number, inArray = 0x1000): number[] =>
  structure(17, 0x1100, 0x28, { 4: inArray, 0x0c: size }, 'DIMM A1\0Samsung\0');
const end = structure(127, 0xfeff, 4, {});
/** A table with one array of system memory, handle 0x1000, that the slots belong to. */
export const dmiTable = (...structures: number[][]): Uint8Array =>
  Uint8Array.from([...structure(0, 0, 0x18, {}, 'BIOS\0'), ...array(0x1000, 3), ...structures.flat(), ...end]);
