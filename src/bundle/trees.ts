import { createReadStream, readdirSync, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';

import { ifAllowed, systemRefusal } from '../base/errno.ts';
import { readStart } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { folderTree, memoryTree, type Tree } from '../sources/copy/tree.ts';
import { unpackReport, type Packing } from './sos-archive.ts';

const parts = ['proc', 'sys', 'sos_commands'];

/** Whether a tree is a copy of a host, or what sos collected there. */
export function isCopy(tree: Tree): boolean {
  return parts.some((name) => tree.list(`/${name}`).ok);
}

/** A copy of one host as a tree, whatever it is packed in: a folder, or an archive of one. */
export async function openTree(path: string): Promise<Result<Tree>> {
  try {
    if (statSync(path).isDirectory()) return folderOf(path);
  } catch (error) {
    return systemRefusal(error);
  }
  const packing = packingOf(path);
  return packing.ok ? openReport(path, packing.value) : packing;
}

function folderOf(path: string): Result<Tree> {
  const tree = folderTree(path);
  if (isCopy(tree)) return ok(tree);
  const folders = (ifAllowed(() => readdirSync(path, { withFileTypes: true })) ?? []).filter((each) =>
    each.isDirectory(),
  );
  const [only] = folders;
  const inside = only === undefined || folders.length > 1 ? undefined : folderTree(`${path}/${only.name}`);
  return inside !== undefined && isCopy(inside)
    ? ok(inside)
    : fail('nothing to judge: no proc/, sys/ or sos_commands/ in it');
}

export async function openReport(path: string, packing: Packing): Promise<Result<Tree>> {
  const files = await unpackReport(path, packing);
  return files.ok ? ok(memoryTree(files.value)) : files;
}

const refused: readonly (readonly [hex: string, name: string])[] = [
  ['425a68', 'a bzip2 archive'],
  ['28b52ffd', 'a zstd archive'],
  ['504b0304', 'a zip archive'],
];

/** How a file is packed, by its first bytes. */
export function packingOf(path: string): Result<Packing> {
  const start = readStart(path, 512);
  if (!start.ok) return start;
  const bytes = Buffer.from(start.value);
  const hex = bytes.toString('hex', 0, 6);
  const known = refused.find(([magic]) => hex.startsWith(magic));
  if (known !== undefined) return fail(`${known[1]}: unpack it first, and give the folder`);
  if (hex === 'fd377a585a00') return ok('xz');
  return ok(bytes.toString('latin1', 257, 262) === 'ustar' ? 'none' : 'gzip');
}

/** Whether a gzip archive begins with a folder that is not one of pktcost's bundles, as tar of a folder does. */
export async function beginsWithFolder(path: string): Promise<boolean> {
  const file = createReadStream(path, { end: 256 * 1024 });
  const gunzip = createGunzip();
  file.pipe(gunzip);
  try {
    for await (const chunk of gunzip) {
      const bytes = chunk as Buffer;
      const name = bytes.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      return bytes.length >= 512 && bytes[156] === 0x35 && !name.startsWith('pktcost-');
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return false;
}
