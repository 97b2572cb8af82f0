// What an installation without Node needs, in one folder: the package, koffi and a Node. The archive and the distribution packages
// are made of it.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { koffiTarball, nodeTarball, unpackTarball } from './npm-package.mjs';

export const root = fileURLToPath(new URL('../', import.meta.url));
/** @param {string} command @param {readonly string[]} args @param {object} [more] */
export const run = (command, args, more = {}) => execFileSync(command, args, { cwd: root, encoding: 'utf8', ...more });
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Follows a link such as /usr/bin/pktcost, and takes nothing of the host's but /bin/sh and readlink. */
const launcher = `#!/bin/sh
here=$(readlink -f "$0") || exit 1
here=\${here%/*}
exec "$here/node" "$here/lib/pktcost/bin/pktcost.js" "$@"
`;

/** One line on stderr, and no archive. @param {string} reason @returns {never} */
export function refuse(reason) {
  process.stderr.write(`pktcost: nothing was made: ${reason}\n`);
  process.exit(2);
}

/**
 * Fills `folder` with pktcost, node and lib/pktcost. The Node is the one that runs this script, or npm's for another architecture.
 * @param {string} folder
 * @param {string} arch as Node names it
 * @param {string} work where what is needed in between may lie
 */
export function assemble(folder, arch, work) {
  const foreign = arch !== process.arch;
  if (!existsSync(join(root, 'dist/index.cjs'))) refuse('dist/ is not built: npm run build');
  if (!['x64', 'arm64'].includes(arch)) refuse(`no archive is made for ${arch}`);
  // Debian's own Node is a small program beside a library of 50 MB; elsewhere it would not start.
  if (!foreign && /libnode/.test(run('ldd', [process.execPath])))
    refuse(`${process.execPath} needs libnode.so: use a Node from nodejs.org, which is one file`);
  const home = join(folder, 'lib/pktcost');
  mkdirSync(home, { recursive: true });
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work]));
  run('tar', ['-xzf', join(work, filename), '-C', home, '--strip-components=1']);
  rmSync(join(work, filename));
  const binary = `@koromix/koffi-linux-${arch}`;
  for (const each of foreign ? ['koffi'] : ['koffi', binary]) {
    const from = join(root, 'node_modules', each);
    if (!existsSync(from)) refuse(`node_modules/${each} is not there: npm ci`);
    cpSync(from, join(home, 'node_modules', each), { recursive: true });
  }
  let [node, nodeVersion] = [process.execPath, process.version];
  if (foreign) {
    unpackTarball(koffiTarball(arch), join(home, 'node_modules', binary));
    unpackTarball(nodeTarball(arch), join(work, 'node'));
    node = join(work, 'node/bin/node');
    nodeVersion = `v${JSON.parse(readFileSync(join(work, 'node/package.json'), 'utf8')).version}`;
  }
  copyFileSync(node, join(folder, 'node'));
  // What the V8 of another Node compiled is of no use to this one.
  const code = join(home, 'dist/code');
  for (const compiled of readdirSync(code))
    if (foreign || !compiled.endsWith(`-${process.versions.v8}-${process.arch}.bin`)) rmSync(join(code, compiled));
  const licence = join(dirname(node), '../LICENSE');
  if (existsSync(licence)) copyFileSync(licence, join(folder, 'LICENSE.node'));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(
    join(folder, 'README'),
    `pktcost ${version} with Node ${nodeVersion} (${arch}, glibc). Run ./pktcost, or link it from /usr/local/bin.\n` +
      `Licences: LICENSE (pktcost, MIT); of Node and what is in it: https://github.com/nodejs/node/blob/${nodeVersion}/LICENSE\n`,
  );
  writeFileSync(join(folder, 'pktcost'), launcher);
  chmodSync(join(folder, 'pktcost'), 0o755);
}
