// npm run lab: emulated machines with other kernels, NUMA nodes and NICs, and pktcost on each of them.
//   --kernel 6.1      only scenes of this kernel line (repeatable)
//   --scene NAME      only this scene (repeatable)
//   --only CHECK      only this check (repeatable)
//   --smoke           the subset for CI, a guest for each of two CPUs: under ten minutes
//   --arm64           the scenes of arm64, which are slower still and run only when asked for
//   --shell           a shell on the guest's console instead of its checks; `poweroff -f` ends it
//   --nodes           no machine: the packed command under each Node at hand (npm ci --prefix test/nodes)
//   --write           writes docs/SUPPORT.md from the results
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { ARCHITECTURES } from './lab-architectures.mjs';
import { CACHE } from './lab-debian.mjs';
import { architectureOf, imageOf } from './lab-image.mjs';
import { boot } from './lab-guest.mjs';
import { SCENES } from './lab-scenes.mjs';
import { tryNodes } from './lab-nodes.mjs';
import { keepNodes, keepResults, writeSupport } from './lab-support.mjs';

const { values: flags } = parseArgs({
  options: {
    kernel: { type: 'string', multiple: true, default: [] },
    scene: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true, default: [] },
    smoke: { type: 'boolean', default: false },
    arm64: { type: 'boolean', default: false },
    shell: { type: 'boolean', default: false },
    nodes: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

function needTools(lines) {
  const tools = Object.assign(
    { cpio: 'cpio', depmod: 'kmod', 'dpkg-deb': 'dpkg' },
    ...lines.map((line) => ARCHITECTURES[architectureOf(line)].packages),
  );
  const missing = Object.entries(tools).filter(([tool]) => spawnSync('which', [tool]).status !== 0);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
  process.stderr.write(`the lab needs: apt-get install -y --no-install-recommends ${packages}\n`);
  process.exit(2);
}

/** One run at a time on a machine: two would make each other's figures worthless. */
function holdLock() {
  const path = join(CACHE, 'lock');
  mkdirSync(CACHE, { recursive: true });
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
  } catch {
    const holder = Number(readFileSync(path, 'utf8'));
    if (holder > 0 && spawnSync('kill', ['-0', String(holder)]).status === 0) {
      process.stderr.write(`the lab is in use by process ${holder}\n`);
      process.exit(2);
    }
    writeFileSync(path, String(process.pid));
  }
  process.once('exit', () => rmSync(path, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
}

const mark = { pass: 'ok  ', fail: 'FAIL', skip: 'skip' };

if (flags.nodes) {
  holdLock();
  const tried = await tryNodes((version, id, { outcome, said }) => {
    process.stdout.write(`  ${mark[outcome]} ${version} ${id}: ${said}\n`);
  });
  keepNodes(tried);
  if (flags.write) await writeSupport(SCENES);
  const failed = tried.nodes.some(({ results }) => Object.values(results).some(({ outcome }) => outcome === 'fail'));
  process.exit(failed ? 1 : 0);
}

const chosen = SCENES.filter(
  (scene) =>
    (flags.kernel.length === 0 || flags.kernel.some((line) => scene.kernel.replace('-full', '') === line)) &&
    (flags.scene.length === 0
      ? flags.arm64 === (architectureOf(scene.kernel) === 'arm64')
      : flags.scene.includes(scene.name)) &&
    (!flags.smoke || scene.smoke !== undefined),
).flatMap((scene) => {
  const all = (flags.smoke ? scene.smoke : undefined) ?? scene.checks;
  const checks = flags.only.length === 0 ? all : all.filter((check) => flags.only.includes(check));
  return checks.length > 0 || flags.shell ? [{ scene, checks }] : [];
});
if (chosen.length === 0) {
  process.stderr.write(`no such scene or check; scenes: ${SCENES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

needTools(chosen.map(({ scene }) => scene.kernel));
holdLock();

const outcomes = [];
const images = new Map();
/** @param {{ kernel: string, needs?: readonly string[] }} scene */
const imageName = ({ kernel, needs }) => [kernel, ...(needs ?? [])].join(' ');
for (const { scene } of chosen)
  if (!images.has(imageName(scene))) images.set(imageName(scene), await imageOf(scene.kernel, scene.needs));

/** Two guests at once: their figures are worth less, and the smoke checks ask for none. A guest is one thread. */
const GUEST_BYTES = 3 * 2 ** 30;
const atOnce = flags.smoke ? Math.min(2, availableParallelism(), Math.max(1, Math.floor(freemem() / GUEST_BYTES))) : 1;

/** A host that has other work emulates more slowly. */
const PATIENCE = 2;

async function run({ scene, checks }) {
  const image = images.get(imageName(scene));
  const say = (line) => process.stdout.write(atOnce === 1 ? `  ${line}\n` : `${scene.name.padEnd(12)} ${line}\n`);
  process.stdout.write(`${scene.name}: Linux ${image.release} (${image.name} ${image.version})\n`);
  /** @type {{ id: string, outcome: string, reason?: string, notes?: string[], seconds?: number }[]} */
  const results = [];
  const started = Date.now();
  const end = await boot({
    image,
    scene,
    checks,
    shell: flags.shell,
    seconds: scene.seconds * PATIENCE,
    folder: join(CACHE, 'results', scene.name),
    onResult: (result) => {
      results.push(result);
      const { id, outcome, reason, notes, seconds } = result;
      say(`${mark[outcome]} ${id} (${seconds} s)${reason === undefined ? '' : `: ${reason}`}`);
      for (const note of notes ?? []) say(`       ${note}`);
    },
    onConsole: flags.verbose ? (line) => say(`| ${line}`) : undefined,
  });
  if (flags.shell) process.exit(0);
  for (const id of checks.filter((check) => !results.some((result) => result.id === check)))
    results.push({ id, outcome: 'fail', reason: end.reason ?? 'not run', notes: [] });
  const missing = results.filter((result) => result.seconds === undefined);
  for (const { id, reason } of missing) say(`FAIL ${id}: ${reason}`);
  say(`${Math.round((Date.now() - started) / 1000)} s`);
  keepResults(scene.name, { kernel: scene.kernel, release: image.release, version: image.version, results });
  outcomes.push(...results);
}

const waiting = flags.shell ? chosen.slice(0, 1) : [...chosen];
async function runWaiting() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
}
await Promise.all(Array.from({ length: atOnce }, runWaiting));

if (flags.write) await writeSupport(SCENES);
const count = (outcome) => outcomes.filter((each) => each.outcome === outcome).length;
process.stdout.write(`${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped\n`);
process.exitCode = count('fail') === 0 ? 0 : 1;
