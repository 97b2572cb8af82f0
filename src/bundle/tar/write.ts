/** Headers of plain files, with pax records for long names. */
import { BLOCK, NAME_BYTES, PREFIX_BYTES, types, padding, checksum } from './format.ts';

/** The header of a file, with a pax record before it when the name is too long for ustar. */
export function tarHeader(name: string, size: number, mtimeSeconds: number): Buffer {
  const bytes = Buffer.from(name);
  const split = splitName(bytes);
  if (split !== undefined) return ustar(split.name, split.prefix, types.file, size, mtimeSeconds);
  const record = paxRecord('path', name);
  const short = bytes.subarray(0, NAME_BYTES);
  return Buffer.concat([
    ustar(Buffer.from('pax'), Buffer.alloc(0), types.pax, record.length, mtimeSeconds),
    record,
    Buffer.alloc(padding(record.length)),
    ustar(short, Buffer.alloc(0), types.file, size, mtimeSeconds),
  ]);
}

function splitName(name: Buffer): { readonly name: Buffer; readonly prefix: Buffer } | undefined {
  if (name.length <= NAME_BYTES) return { name, prefix: Buffer.alloc(0) };
  const slash = name.indexOf(0x2f, name.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === name.length - 1) return undefined;
  return { name: name.subarray(slash + 1), prefix: name.subarray(0, slash) };
}

function ustar(name: Buffer, prefix: Buffer, type: number, size: number, mtimeSeconds: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    header.write(Math.max(0, Math.floor(value)).toString(8).padStart(digits, '0'), at, digits, 'latin1');
  };
  name.copy(header, 0);
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(mtimeSeconds, 136, 11);
  header[156] = type;
  header.write('ustar\u000000', 257, 8, 'latin1');
  prefix.copy(header, 345);
  octal(checksum(header), 148, 6);
  header[155] = 0x20;
  return header;
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const size = Buffer.byteLength(rest);
  let length = size + String(size).length;
  if (size + String(length).length !== length) length = size + String(length).length;
  return Buffer.from(`${length}${rest}`);
}
