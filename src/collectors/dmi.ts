import { fail, ok, type Result } from '../base/result.ts';

/** One SMBIOS structure without its strings. */
export interface DmiStructure {
  readonly type: number;
  readonly handle: number;
  /** The formatted area, its header of 4 bytes included. */
  readonly area: Uint8Array;
}

const END_OF_TABLE = 127;

/**
 * Parses /sys/firmware/dmi/tables/DMI: structures of type, length, handle and `length` bytes, each followed by its strings
 * up to a double NUL; type 127 ends the table. Source: drivers/firmware/dmi_scan.c:dmi_decode_table.
 */
export function parseDmiTable(bytes: Uint8Array): Result<readonly DmiStructure[]> {
  const structures: DmiStructure[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 1];
    if (length === undefined || length < 4 || at + length > bytes.length) return fail('a structure cut short', at);
    const type = bytes[at]!;
    structures.push({ type, handle: word(bytes, at + 2), area: bytes.subarray(at, at + length) });
    if (type === END_OF_TABLE) break;
    let end = at + length;
    while (end + 1 < bytes.length && (bytes[end] !== 0 || bytes[end + 1] !== 0)) end += 1;
    if (end + 1 >= bytes.length) return fail('strings without an end', at + length);
    at = end + 2;
  }
  if (structures.length === 0) return fail('empty', 0);
  return ok(structures);
}

export interface MemorySlots {
  readonly populated: number;
  readonly empty: number;
  readonly unknown: number;
}

const MEMORY_ARRAY = 16;
const MEMORY_DEVICE = 17;
const SYSTEM_MEMORY = 3;

/**
 * Counts the memory devices (type 17) by their size word at 0x0C: 0 is an empty slot, 0xFFFF an unknown size, which is
 * neither empty nor populated. Devices of an array that is not system memory (the flash chip of the firmware, video
 * memory) are no memory slots. Undefined when there is none. Source: dmi_scan.c:save_mem_devices.
 */
export function countSlots(structures: readonly DmiStructure[]): MemorySlots | undefined {
  const others = new Set(
    structures
      .filter(({ type, area }) => type === MEMORY_ARRAY && area[5] !== SYSTEM_MEMORY)
      .map(({ handle }) => handle),
  );
  const slots = { populated: 0, empty: 0, unknown: 0 };
  for (const { type, area } of structures) {
    if (type !== MEMORY_DEVICE || area.length < 0x0e || others.has(word(area, 4))) continue;
    const size = word(area, 0x0c);
    slots[size === 0 ? 'empty' : size === 0xffff ? 'unknown' : 'populated'] += 1;
  }
  return slots.populated + slots.empty + slots.unknown === 0 ? undefined : slots;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
