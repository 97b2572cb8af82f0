// Makes packages for Debian and Ubuntu (.deb) and for RHEL, Fedora and SUSE (.rpm): pktcost with a Node of its own, man pages,
// completion, documents, the plugin for sos, units of systemd that are not started, and /etc/pktcost.
//   npm run package -- --deb --rpm [--output FOLDER] [--level 0..9, 0: not compressed] [--arch x64|arm64]
// Their maintainer is whoever makes them, by DEBFULLNAME and DEBEMAIL, or the author in package.json.
// Takes dpkg-deb (Debian: dpkg) and rpmbuild (Debian: rpm).
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

import { assemble, refuse, run, version } from './assemble.mjs';
import { writeDeb } from './deb.mjs';
import { madeHere, maintainerOf } from './maintainer.mjs';
import { writeRpm } from './rpm.mjs';

const { values: flags } = parseArgs({
  options: {
    deb: { type: 'boolean', default: false },
    rpm: { type: 'boolean', default: false },
    output: { type: 'string', default: '.' },
    level: { type: 'string', default: '6' },
    arch: { type: 'string', default: process.arch },
  },
});
if (!flags.deb && !flags.rpm) refuse('say which: --deb, --rpm or both');

const work = mkdtempSync(join(tmpdir(), 'pktcost-package-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

/** Where the shells look: zsh in another folder on Debian than elsewhere. */
const completions = {
  'pktcost.bash': { deb: 'bash-completion/completions/pktcost', rpm: 'bash-completion/completions/pktcost' },
  _pktcost: { deb: 'zsh/vendor-completions/_pktcost', rpm: 'zsh/site-functions/_pktcost' },
  'pktcost.fish': { deb: 'fish/vendor_completions.d/pktcost.fish', rpm: 'fish/vendor_completions.d/pktcost.fish' },
};
/** sos lies where the distribution's Python has it: one place on Debian, one for each version of Python elsewhere. */
const sosPlugin = { deb: 'usr/lib/python3/dist-packages/sos/report/plugins', rpm: 'usr/share/pktcost/sos' };

/**
 * Moves what was assembled to where a distribution has it.
 * @param {string} tree
 * @param {'deb' | 'rpm'} kind
 */
function layOut(tree, kind) {
  const at = (/** @type {string[]} */ ...path) => join(tree, ...path);
  const home = at('usr/lib/pktcost/lib/pktcost');
  const move = (/** @type {string} */ from, /** @type {string} */ to) => {
    mkdirSync(dirname(at(to)), { recursive: true });
    renameSync(from, at(to));
  };
  mkdirSync(at('usr/bin'), { recursive: true });
  symlinkSync('../lib/pktcost/pktcost', at('usr/bin/pktcost'));
  for (const page of readdirSync(join(home, 'docs/man'))) {
    const path = at('usr/share/man/man1', `${page}.gz`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(readFileSync(join(home, 'docs/man', page)), { level: 9 }));
  }
  rmSync(join(home, 'docs/man'), { recursive: true });
  for (const [name, path] of Object.entries(completions))
    move(join(home, 'contrib/completion', name), `usr/share/${path[kind]}`);
  move(join(home, 'contrib/sos/pktcost.py'), join(sosPlugin[kind], 'pktcost.py'));
  for (const unit of readdirSync(join(home, 'contrib/systemd')).filter((name) => !name.endsWith('.md'))) {
    const text = readFileSync(join(home, 'contrib/systemd', unit), 'utf8');
    mkdirSync(at('usr/lib/systemd/system'), { recursive: true });
    writeFileSync(at('usr/lib/systemd/system', unit), text.replaceAll('/usr/local/bin/pktcost', '/usr/bin/pktcost'));
    rmSync(join(home, 'contrib/systemd', unit));
  }
  // The pages of the rules are read by `rules explain`; all else is for people.
  const doc = 'usr/share/doc/pktcost';
  cpSync(join(home, 'docs'), at(doc, 'docs'), { recursive: true });
  for (const name of readdirSync(join(home, 'docs')).filter((each) => each !== 'rules'))
    rmSync(join(home, 'docs', name), { recursive: true });
  rmSync(join(home, 'contrib/completion'), { recursive: true });
  move(join(home, 'contrib'), join(doc, 'contrib'));
  for (const name of ['README.md', 'CHANGELOG.md']) move(join(home, name), join(doc, name));
  rmSync(at('usr/lib/pktcost/README'));
  writeFileSync(at(doc, 'copyright'), copyright(existsSync(at('usr/lib/pktcost/LICENSE.node'))));
  mkdirSync(at('etc/pktcost'), { recursive: true });
  run('chmod', ['-R', 'u=rwX,go=rX', tree]);
}

/** In the form that Debian's machines read. @param {boolean} ofNode whether the licence of Node lies beside it */
function copyright(ofNode) {
  const mit = readFileSync(new URL('../LICENSE', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const body = mit.slice(mit.findIndex((line) => line.startsWith('Permission')));
  const node = ofNode
    ? '/usr/lib/pktcost/LICENSE.node'
    : `https://github.com/nodejs/node/blob/${process.version}/LICENSE`;
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: pktcost',
    'Source: https://github.com/pktcost/pktcost',
    'Comment: /usr/lib/pktcost/node is Node.js; its licence and those of what is in it are in',
    ` ${node}.`,
    ' What is in the bundle, and koffi: /usr/lib/pktcost/lib/pktcost/dist/THIRD-PARTY.txt.',
    '',
    'Files: *',
    `Copyright: ${(mit.find((line) => line.startsWith('Copyright')) ?? '').replace(/^Copyright \(c\) /, '')}`,
    'License: Expat',
    ...body.map((line) => ` ${line === '' ? '.' : line}`),
    '',
  ].join('\n');
}

const { author } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const maintainer = maintainerOf(process.env, author);
if (maintainer === undefined)
  process.stderr.write(`no maintainer is named: the package says "${madeHere}"; DEBFULLNAME and DEBEMAIL name one\n`);
const made = join(work, 'assembled');
assemble(join(made, 'usr/lib/pktcost'), flags.arch, work);
for (const [kind, write] of Object.entries({ deb: writeDeb, rpm: writeRpm })) {
  if (!flags[/** @type {'deb' | 'rpm'} */ (kind)]) continue;
  const tree = join(work, kind, 'tree');
  cpSync(made, tree, { recursive: true });
  layOut(tree, /** @type {'deb' | 'rpm'} */ (kind));
  const file = write({
    tree,
    work: join(work, kind),
    version,
    arch: flags.arch,
    level: flags.level,
    into: resolve(flags.output),
    maintainer,
  });
  process.stdout.write(`${file}\n`);
}
