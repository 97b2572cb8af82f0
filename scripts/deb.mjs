// A .deb of a tree that is laid out already.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { run } from './assemble.mjs';
import { madeHere } from './maintainer.mjs';

/** @typedef {{ tree: string, work: string, version: string, arch: string, level: string, into: string, maintainer: string | undefined }} Packaging */

export const summary = 'says why the kernel cost per packet of a host is high, and what to do';
export const description =
  'A one-shot diagnostic of a Linux host: what packets cost, what is lost, what causes it, which process owns the cause, and what to type to fix it. One command, one window, one verdict, with its evidence. It changes nothing on the host.';

/** What a unit of systemd needs when packages come and go; none of them is started by itself. */
export const reload =
  'if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi';
export const stopUnits =
  'if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then systemctl disable --now pktcost-watch.service pktcost-metrics.timer || true; fi';

/** A release candidate comes before its release: 1.0.0-rc.1 is 1.0.0~rc.1. @param {string} version */
export const packageVersion = (version) => version.replace('-', '~');

/** Node is built for glibc 2.28 and the libstdc++ of GCC 7 (test/commands/packages.test.ts looks). */
const depends = 'libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 7)';

/** @param {Packaging} packaging @returns {string} the file */
export function writeDeb({ tree, version, arch, level, into, maintainer }) {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[arch];
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const control = {
    Package: 'pktcost',
    Version: packageVersion(version),
    Architecture: architecture,
    Maintainer: maintainer ?? madeHere,
    'Installed-Size': Math.ceil(bytes / 1024),
    Depends: depends,
    Recommends: 'libbpf1 | libbpf0',
    Suggests: 'bash-completion, man-db',
    Section: 'net',
    Priority: 'optional',
    Homepage: 'https://github.com/pktcost/pktcost',
    Description: `${summary}\n ${description}`,
  };
  const sums = files.map(
    (file) => `${createHash('md5').update(readFileSync(file)).digest('hex')}  ${relative(tree, file)}\n`,
  );
  const meta = join(tree, 'DEBIAN');
  mkdirSync(meta);
  writeFileSync(
    join(meta, 'control'),
    Object.entries(control)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  );
  writeFileSync(join(meta, 'md5sums'), sums.join(''));
  const scripts = {
    postinst: reload,
    prerm: `if [ "$1" = remove ]; then\n  ${stopUnits}\nfi`,
    postrm: reload,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(meta, name), `#!/bin/sh\nset -e\n${script}\n`);
    chmodSync(join(meta, name), 0o755);
  }
  const file = join(into, `pktcost_${packageVersion(version)}_${architecture}.deb`);
  const env = { ...process.env, SOURCE_DATE_EPOCH: '0' };
  run(
    'dpkg-deb',
    ['--root-owner-group', ...(level === '0' ? ['-Znone'] : ['-Zxz', `-z${level}`]), '--build', tree, file],
    {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return file;
}
