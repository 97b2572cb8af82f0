// Makes pktcost-VERSION-linux-ARCH.tar.xz: the package, koffi and the Node that runs this script, for hosts without Node.
//   npm run standalone [-- --output FOLDER] [--level 0..9]
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { output: { type: 'string', default: '.' }, level: { type: 'string', default: '6' } },
});

const root = fileURLToPath(new URL('../', import.meta.url));
const run = (command, args, more = {}) => execFileSync(command, args, { cwd: root, encoding: 'utf8', ...more });

/** Follows a link in /usr/local/bin, and takes nothing of the host's but /bin/sh and readlink. */
const launcher = `#!/bin/sh
here=$(readlink -f "$0") || exit 1
here=\${here%/*}
exec "$here/node" "$here/lib/pktcost/bin/pktcost.js" "$@"
`;

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const name = `pktcost-${version}-linux-${process.arch}`;

function refuse(reason) {
  process.stderr.write(`standalone: ${reason}\n`);
  process.exit(2);
}

if (!existsSync(join(root, 'dist/index.js'))) refuse('dist/ is not built: npm run build');
// Debian's own Node is a small program beside a library of 50 MB; elsewhere it would not start.
if (/libnode/.test(run('ldd', [process.execPath])))
  refuse(`${process.execPath} needs libnode.so: use a Node from nodejs.org, which is one file`);

const work = mkdtempSync(join(tmpdir(), 'pktcost-standalone-'));
try {
  const folder = join(work, name);
  const home = join(folder, 'lib/pktcost');
  mkdirSync(home, { recursive: true });
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work]));
  run('tar', ['-xzf', join(work, filename), '-C', home, '--strip-components=1']);
  for (const each of ['koffi', `@koromix/koffi-linux-${process.arch}`]) {
    const from = join(root, 'node_modules', each);
    if (!existsSync(from)) refuse(`node_modules/${each} is not there: npm ci`);
    cpSync(from, join(home, 'node_modules', each), { recursive: true });
  }
  copyFileSync(process.execPath, join(folder, 'node'));
  const licence = join(dirname(process.execPath), '../LICENSE');
  if (existsSync(licence)) copyFileSync(licence, join(folder, 'LICENSE.node'));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(
    join(folder, 'README'),
    `pktcost ${version} with Node ${process.version} (${process.arch}, glibc). Run ./pktcost, or link it from /usr/local/bin.\n` +
      `Licences: LICENSE (pktcost, MIT); of Node and what is in it: https://github.com/nodejs/node/blob/${process.version}/LICENSE\n`,
  );
  writeFileSync(join(folder, 'pktcost'), launcher);
  chmodSync(join(folder, 'pktcost'), 0o755);
  const archive = join(resolve(flags.output), `${name}.tar.xz`);
  // The same input gives the same bytes, whoever makes it and when.
  const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=go-w'];
  run('tar', [...order, '-C', work, '-cJf', archive, name], { env: { ...process.env, XZ_OPT: `-${flags.level} -T0` } });
  process.stdout.write(`${archive}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
