import { fail, ok, type Result } from '../../base/result.ts';
import { wholeOutputLines } from './output.ts';

/** Files as the kernel would have shown them, by their path. */
export type Files = Map<string, string>;

/** Parses `sysctl -a`: `net.core.somaxconn = 4096` a line, into files below /proc/sys. Lines of errors are passed over. */
export function parseSysctlCommand(bytes: Uint8Array): Result<Files> {
  const files: Files = new Map();
  for (const line of wholeOutputLines(bytes)) {
    const [, name, value] = /^((?:net|kernel|vm)(?:\.[\w/-]+)+) ?= ?(.*)$/.exec(line) ?? [];
    // A device whose name has a dot is written with a slash there, and turned round once more.
    if (name === undefined || value === undefined || name.includes('/')) continue;
    files.set(`/proc/sys/${name.replaceAll('.', '/')}`, `${value}\n`);
  }
  return files.size === 0 ? fail('no line NAME = VALUE') : ok(files);
}

/** Parses `uname -a`: name, host, release, version with its date, machine. */
export function parseUnameCommand(bytes: Uint8Array): Result<Files> {
  const line = wholeOutputLines(bytes.subarray(0, 1000))[0] ?? '';
  const found = /^Linux (\S+) (\d\S+) (#.+?)(?: (x86_64|aarch64|ppc64le|s390x|i686|riscv64)\b.*)?$/.exec(line);
  if (found === null) return fail('not what uname -a prints');
  const [, hostname = '', release = '', version = '', machine] = found;
  const kernel = '/proc/sys/kernel';
  const files: Files = new Map([
    [`${kernel}/ostype`, 'Linux\n'],
    [`${kernel}/hostname`, `${hostname}\n`],
    [`${kernel}/osrelease`, `${release}\n`],
    [`${kernel}/version`, `${version}\n`],
    [`${kernel}/domainname`, '(none)\n'],
  ]);
  if (machine !== undefined) files.set(`${kernel}/arch`, `${machine}\n`);
  return ok(files);
}

/** Parses `lsmod`, whose rows are those of /proc/modules in another order. */
export function parseLsmodCommand(bytes: Uint8Array): Result<Files> {
  const lines = wholeOutputLines(bytes).slice(1);
  const rows = lines.flatMap((line) => /^(\w+) +(\d{1,12}) +(\d{1,6})\b/.exec(line) ?? []).length;
  const modules = lines.flatMap((line) => {
    const [, name, size, users] = /^(\w+) +(\d{1,12}) +(\d{1,6})\b/.exec(line) ?? [];
    return name === undefined ? [] : [`${name} ${size ?? '0'} ${users ?? '0'} - Live 0x0\n`];
  });
  return rows === 0 ? fail('no row of a module') : ok(new Map([['/proc/modules', modules.join('')]]));
}
