/** The compiled BPF objects that ship with the program. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFileGuarded } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** The objects ship in bpf/ beside whatever this module was bundled or compiled into. */
export function findObjects(): Result<string> {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < 5; depth++, folder = dirname(folder)) {
    const candidate = join(folder, 'bpf');
    if (existsSync(join(candidate, 'objects.json'))) return ok(candidate);
  }
  return fail('the folder bpf/ with the compiled objects was not found beside the program');
}

const NAMES = [
  ...([
    'host',
    'device',
    'softirq',
    'driver',
    'sockets',
    'stack',
    'drops',
    'sampler',
    'transmit',
    'names',
    'rings',
  ] as const),
];
export type ObjectName = (typeof NAMES)[number];

function fileOf(folder: string, name: ObjectName): string {
  return join(folder, `${name}.bpf.o`);
}

/** Whether everything that a probe may load is there. */
export function hasObjects(): boolean {
  const folder = findObjects();
  return folder.ok && NAMES.every((name) => existsSync(fileOf(folder.value, name)));
}

export function readObject(folder: string, name: ObjectName): Result<Buffer> {
  const path = fileOf(folder, name);
  const bytes = readFileGuarded(path);
  return bytes.ok ? bytes : fail(`${path}: ${bytes.reason}`);
}
