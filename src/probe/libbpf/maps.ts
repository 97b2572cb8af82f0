/** Reads maps: one entry, all keys, all entries. */
import { constants } from 'node:os';
import { ok, type Result } from '../../base/result.ts';
import { refused, u32Bytes, type Foreign, type MapFd } from './calls.ts';

const BATCH = 1024;
/** The largest map of ours that is read so. */
const MOST_ENTRIES = 1 << 18;

export interface EntryBytes {
  readonly key: number;
  readonly value: number;
}

export function lookup(foreign: Foreign, map: MapFd, key: Uint8Array, value: Uint8Array): Result<void> {
  const code = foreign.bpf.lookup(map, key, value);
  return code < 0 ? refused(foreign, 'bpf_map_lookup_elem', code) : ok(undefined);
}

/** All keys of a hash: what could not be walked to its end is not all. */
export function keys(foreign: Foreign, map: MapFd, keyBytes: number, limit: number): Result<Uint8Array[]> {
  const found: Uint8Array[] = [];
  let key: Uint8Array | null = null;
  while (found.length < limit) {
    const next = Buffer.alloc(keyBytes);
    const code = foreign.bpf.nextKey(map, key, next);
    if (code === -constants.errno.ENOENT) break;
    if (code < 0) return refused(foreign, 'bpf_map_get_next_key', code);
    found.push(next);
    key = next;
  }
  return ok(found);
}

/** Every entry of a hash, in as few calls as the kernel permits (5.6); one after the other before. The bytes are the visitor's to copy. */
export function visitEntries(
  foreign: Foreign,
  map: MapFd,
  { key: keyBytes, value: valueBytes }: EntryBytes,
  visit: (key: Buffer, value: Buffer) => void,
): Result<void> {
  const keyBlock = Buffer.allocUnsafeSlow(BATCH * keyBytes);
  const valueBlock = Buffer.allocUnsafeSlow(BATCH * valueBytes);
  let from: Buffer | null = null;
  for (;;) {
    const next = Buffer.alloc(8);
    const count = u32Bytes(BATCH);
    const code = foreign.bpf.lookupBatch(map, from, next, keyBlock, valueBlock, count, null);
    const last = code === -constants.errno.ENOENT;
    if (code < 0 && !last) {
      return from === null
        ? visitOneByOne(foreign, map, keyBytes, valueBytes, visit)
        : refused(foreign, 'bpf_map_lookup_batch', code);
    }
    for (let index = 0; index < count.readUInt32LE(0); index += 1) {
      visit(
        keyBlock.subarray(index * keyBytes, (index + 1) * keyBytes),
        valueBlock.subarray(index * valueBytes, (index + 1) * valueBytes),
      );
    }
    if (last) return ok(undefined);
    from = next;
  }
}

function visitOneByOne(
  foreign: Foreign,
  map: MapFd,
  keyBytes: number,
  valueBytes: number,
  visit: (key: Buffer, value: Buffer) => void,
): Result<void> {
  const value = Buffer.alloc(valueBytes);
  const all = keys(foreign, map, keyBytes, MOST_ENTRIES);
  if (!all.ok) return all;
  for (const key of all.value) {
    const read = lookup(foreign, map, key, value);
    if (read.ok) visit(Buffer.from(key), value);
    // It may have gone since.
    else if (read.errno !== 'ENOENT') return read;
  }
  return ok(undefined);
}
