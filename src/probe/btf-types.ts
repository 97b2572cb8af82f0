/** struct btf_type: name, info, size or type. */
export const TYPE_BYTES = 12;

/**
 * The places of the types of some kinds that have the name at this offset; 0, the empty name, has none. Searched for as bytes: to walk
 * the types of a kernel takes longer than all else that is read of it.
 */
export function typesNamed(types: Buffer, name: number, kinds: readonly number[]): number[] {
  if (name === 0) return [];
  const word = Buffer.alloc(4);
  word.writeUInt32LE(name);
  const found: number[] = [];
  for (let at = types.indexOf(word); at >= 0 && at + TYPE_BYTES <= types.length; at = types.indexOf(word, at + 1))
    if (at % 4 === 0 && kinds.includes(types[at + 7]! & 0x1f)) found.push(at);
  return found;
}
