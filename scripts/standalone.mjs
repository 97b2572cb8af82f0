// Makes pktcost-VERSION-linux-ARCH.tar.xz: the package, koffi and a Node, for hosts without Node: the Node that runs this script,
// or npm's for another architecture.
//   npm run standalone [-- --output FOLDER] [--level 0..9] [--arch x64|arm64]
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { assemble, run, version } from './assemble.mjs';

const { values: flags } = parseArgs({
  options: {
    output: { type: 'string', default: '.' },
    level: { type: 'string', default: '6' },
    arch: { type: 'string', default: process.arch },
  },
});

const name = `pktcost-${version}-linux-${flags.arch}`;
const work = mkdtempSync(join(tmpdir(), 'pktcost-standalone-'));
// Also where it is refused.
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

mkdirSync(join(work, 'out'));
assemble(join(work, 'out', name), flags.arch, work);
const archive = join(resolve(flags.output), `${name}.tar.xz`);
// The same input gives the same bytes, whoever makes it and when.
const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=go-w'];
const env = { ...process.env, XZ_OPT: `-${flags.level} -T0` };
run('tar', [...order, '-C', join(work, 'out'), '-cJf', archive, name], { env });
process.stdout.write(`${archive}\n`);
