/** Runs inside a lab guest: the checks named on the kernel's command line, one line of result each on the console. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withHosts } from '../scenarios/kit/hosts.ts';
import { commandLine, Skip, type Check } from './check.ts';
import { isolationChecks } from './isolation.ts';
import { kernelChecks } from './kernel.ts';
import { lossChecks } from './losses.ts';
import { nicChecks } from './nics.ts';
import { numaChecks } from './numa.ts';
import { parityChecks } from './parity.ts';
import { profileChecks } from './profile.ts';
import { refusalChecks } from './refusals.ts';
import { sosChecks } from './sosreport.ts';

const results = '/results';
const all: readonly Check[] = [
  ...kernelChecks,
  ...parityChecks,
  ...profileChecks,
  ...numaChecks,
  ...isolationChecks,
  ...nicChecks,
  ...lossChecks,
  ...refusalChecks,
  ...sosChecks,
];

function say(line: Record<string, unknown>): void {
  process.stdout.write(`@lab ${JSON.stringify(line)}\n`);
}

const wanted = commandLine('checks').split(',');
const scene = commandLine('scene');
const kernel = commandLine('kernel');
/** For a host that has other work, and for machines of another architecture than it, which are emulated more slowly still. */
const patience = 3;
/** Replays are left out there: they take minutes, time would decide, and what they say depends on no machine. */
if (process.arch === 'arm64') process.env['PKTCOST_LAB_REPLAYS'] = 'no';

for (const id of wanted) {
  const check = all.find((each) => each.id === id);
  if (check === undefined) {
    say({ id, outcome: 'fail', reason: 'no such check' });
    continue;
  }
  const notes: string[] = [];
  const started = performance.now();
  let outcome = 'pass';
  let reason: string | undefined;
  try {
    await withHosts(
      async (kit) => {
        await check.run({
          kernel,
          scene,
          kit,
          keep: (name, content) => {
            mkdirSync(join(results, id), { recursive: true });
            writeFileSync(join(results, id, name), content);
          },
          note: (text) => notes.push(text),
          said: () => notes.join('\n'),
        });
      },
      (check.seconds ?? 120) * patience,
    );
  } catch (error) {
    outcome = error instanceof Skip ? 'skip' : 'fail';
    reason = error instanceof Error ? error.message : String(error);
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  say({ id, what: check.what, outcome, ...(reason === undefined ? {} : { reason }), notes, seconds });
}
process.stdout.write('@lab end\n');
process.exit(0);
