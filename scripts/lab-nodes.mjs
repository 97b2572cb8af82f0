// The packed command under each Node at hand, on this machine and as root: `npm run lab -- --nodes`.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ outcome: 'pass' | 'fail', said: string }} Tried */
/** @typedef {{ version: string, results: Record<string, Tried> }} NodeRow */
/** @typedef {{ node: string, bin: string, cwd: string, first: string }} Under what runs the command, the command, a folder of its own, and that of the first */

const others = 'test/nodes/node_modules';
const NOBODY = 65534;

/** @param {boolean} right @param {string} said @returns {Tried} */
const tried = (right, said) => ({ outcome: right ? 'pass' : 'fail', said });

/** @param {Under} under @param {readonly string[]} words @param {import('node:child_process').SpawnSyncOptions} options */
function run({ node, bin, cwd }, words, options = {}) {
  const { status, signal, stdout, stderr } = spawnSync(node, [bin, ...words], { cwd, ...options, maxBuffer: 2 ** 28 });
  return { status: status ?? signal, stdout: String(stdout), stderr: String(stderr) };
}

/** @param {string} text */
const shown = (text) => text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';

const outcomesOf = ({ findings }) => findings.map(({ code, outcome, place }) => JSON.stringify([code, outcome, place]));

/** Of the bundle that was made under the first Node, as that printed it. @type {readonly string[] | undefined} */
let firstPages;

/** In the order of the columns. @type {Record<string, (under: Under) => Tried | Promise<Tried>>} */
const checks = {
  'compiled code is taken': ({ node, bin, cwd }) => {
    const listener = join(cwd, 'listener.cjs');
    writeFileSync(
      listener,
      `const vm = require('node:vm');
      vm.Script = class extends vm.Script {
        constructor(...all) { super(...all); process.stderr.write('refused: ' + this.cachedDataRejected); }
      };`,
    );
    const { stderr } = spawnSync(node, ['--require', listener, bin, 'rules'], { cwd, encoding: 'utf8' });
    return tried(stderr === 'refused: false', shown(stderr));
  },
  'measured with the probe': (under) => {
    const words = ['diagnose', '--window', '1s', '--json', '--bundle', 'bundle.tar.gz', '--fail-on', 'never'];
    const { status, stdout, stderr } = run(under, words);
    if (status !== 0) return tried(false, `exit code ${status}: ${shown(stderr)}`);
    const { probe } = JSON.parse(stdout);
    return tried(
      stderr === '' && /^(attached|detached-early)$/.test(probe.status),
      `${probe.status}, tier ${probe.tier}`,
    );
  },
  'its bundle judged alike': (under) => {
    const live = run(under, ['diagnose', '--window', '1s', '--json', '--bundle', 'again.tar.gz', '--fail-on', 'never']);
    const { status, stdout, stderr } = run(under, ['replay', 'again.tar.gz', '--json', '--fail-on', 'never']);
    if (live.status !== 0 || status !== 0) return tried(false, shown(live.stderr + stderr));
    const [was, is] = [live.stdout, stdout].map((text) => outcomesOf(JSON.parse(text)));
    return tried(
      was.join() === is.join(),
      `${was.filter((each, index) => each === is[index]).length} of ${was.length} findings alike`,
    );
  },
  'a signal ends the window': async ({ node, bin, cwd }) => {
    const child = spawn(node, [bin, 'diagnose', '--window', '1m', '--json', '-o', 'cut.json'], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)));
    // From when the report has its place on, a signal ends the window alone.
    while (child.exitCode === null && !readdirSync(cwd).some((name) => name.endsWith('.tmp'))) await sleep(50);
    child.kill('SIGINT');
    const status = await ended;
    const report = join(cwd, 'cut.json');
    const cut = existsSync(report) && JSON.parse(readFileSync(report, 'utf8')).window.cutShort === true;
    return tried(cut, `exit code ${status}, ${cut ? 'the report is cut short' : 'no report'}`);
  },
  'without root': (under) => {
    const { status, stdout, stderr } = run(under, ['diagnose', '--window', '1s', '--json', '--fail-on', 'never'], {
      uid: NOBODY,
      gid: NOBODY,
    });
    if (status !== 0) return tried(false, `exit code ${status}: ${shown(stderr)}`);
    const { probe } = JSON.parse(stdout);
    return tried(probe.status === 'not-measured', probe.reason ?? '');
  },
  'HTML, Markdown and text alike': (under) => {
    const pages = ['html', 'markdown', 'text'].map((format) => {
      const words = ['replay', join(under.first, 'bundle.tar.gz'), '--format', format, '--fail-on', 'never'];
      return run(under, words).stdout;
    });
    firstPages ??= pages;
    const alike = pages.every((page, index) => page !== '' && page === firstPages?.[index]);
    return tried(alike, `${pages.map((page) => Buffer.byteLength(page)).join(', ')} bytes`);
  },
};

export const NODE_CHECKS = Object.keys(checks);

/** @param {(version: string, id: string, result: Tried) => void} onResult */
export async function tryNodes(onResult) {
  if (process.getuid?.() !== 0) throw new Error('the probe needs root');
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-nodes-'));
  try {
    chmodSync(folder, 0o755);
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      encoding: 'utf8',
    });
    execFileSync('tar', ['-xzf', join(folder, packed.trim()), '-C', folder]);
    for (const name of ['koffi', '@koromix'])
      cpSync(join('node_modules', name), join(folder, 'package/node_modules', name), { recursive: true });
    const found = existsSync(others) ? readdirSync(others).filter((name) => name.startsWith('node-')) : [];
    /** @type {NodeRow[]} */
    const nodes = [];
    /** @type {string | undefined} */
    let first;
    for (const program of [process.execPath, ...found.map((name) => resolve(others, name, 'bin/node'))]) {
      const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
      const cwd = join(folder, version);
      mkdirSync(cwd);
      first ??= cwd;
      // Where who is nobody may read it.
      const node = join(folder, `node-${version}`);
      cpSync(program, node);
      const under = { node, bin: join(folder, 'package/bin/pktcost.js'), cwd, first };
      /** @type {Record<string, Tried>} */
      const results = {};
      for (const [id, check] of Object.entries(checks)) {
        results[id] = await check(under);
        onResult(version, id, results[id]);
      }
      nodes.push({ version, results });
    }
    return { release: release().split('-')[0], arch: process.arch, nodes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
