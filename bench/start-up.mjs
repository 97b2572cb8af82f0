// node bench/start-up.mjs [--rounds 20]: what a start takes beside `node -e 0`, under each Node at hand. Rounds are interleaved, so
// that what else the machine does meets all alike; medians of the clock, means of the CPU time. What is left beyond Node's own is, for
// `rules` by --cpu-prof, about alike: V8 taking in the code that it made of dist/rulebook.cjs (650 KB), the garbage collector meanwhile,
// and reading both files; then the modules that are evaluated. On a busy machine that was 1.33 times bare Node's CPU on Node 20 and 1.66
// on 24; with one bundle for everything 1.76 and 2.13.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = `${root}bin/pktcost.js`;
const others = `${root}test/nodes/node_modules`;
const copy = `${root}test/fixtures/copies/control-lldp-rx-dropped`;

/** @type {readonly { name: string, args: readonly string[], goal?: number }[]} */
const cases = [
  { name: 'bare', args: ['-e', '0'] },
  { name: '--version', args: [bin, '--version'], goal: 1.6 },
  { name: '--help', args: [bin, '--help'], goal: 1.6 },
  { name: 'a command that is none', args: [bin, 'diagnos'], goal: 1.6 },
  { name: 'rules', args: [bin, 'rules'], goal: 1.6 },
  { name: 'rules explain', args: [bin, 'rules', 'explain', 'PKT0201'], goal: 1.6 },
  // To where the work would begin.
  { name: 'replay, to its work', args: [bin, 'replay', '/nonexistent'], goal: 1.6 },
  { name: 'replay of a copy', args: [bin, 'replay', `${copy}/before`, `${copy}/after`] },
  { name: 'diagnose, to its work', args: [bin, 'diagnose', '--path.procfs', '/nonexistent'], goal: 1.6 },
  { name: 'doctor', args: [bin, 'doctor'] },
];

/** CPU time of the children that have ended, in milliseconds: clock ticks of 10 ms, of sums that are exact. */
function spentByChildren() {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * @param {string} node @param {number} rounds
 * @returns {readonly { name: string, ms: number, cpuMs: number, ratio: number, cpuRatio: number, goal?: number }[]}
 */
export function startUps(node, rounds) {
  const clock = cases.map(() => /** @type {number[]} */ ([]));
  const cpu = cases.map(() => 0);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, { args }] of cases.entries()) {
      const [before, began] = [spentByChildren(), performance.now()];
      spawnSync(node, args);
      clock[index]?.push(performance.now() - began);
      cpu[index] = (cpu[index] ?? 0) + spentByChildren() - before;
    }
  const bare = median(clock[0] ?? []);
  const bareCpu = (cpu[0] ?? NaN) / rounds;
  return cases.map((each, index) => {
    const [ms, cpuMs] = [median(clock[index] ?? []), (cpu[index] ?? NaN) / rounds];
    return { ...each, ms, cpuMs, ratio: ms / bare, cpuRatio: cpuMs / bareCpu };
  });
}

/** @returns {readonly string[]} this Node and those of the tests */
export function nodesAtHand() {
  const found = existsSync(others) ? readdirSync(others).filter((name) => name.startsWith('node-')) : [];
  return [process.execPath, ...found.map((name) => `${others}/${name}/bin/node`)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
  for (const node of nodesAtHand()) {
    console.log(`Node ${spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim()}`);
    for (const { name, ms, cpuMs, ratio, cpuRatio } of startUps(node, Number(values.rounds)))
      console.log(
        `  ${name.padEnd(22)} ${ms.toFixed(1).padStart(6)} ms  x ${ratio.toFixed(2)}   CPU ${cpuMs.toFixed(1).padStart(6)} ms  x ${cpuRatio.toFixed(2)}`,
      );
  }
}
