/**
 * Signals at moments that a seed chooses, while the probe is being attached, measures, is taken away and the report is written.
 * Half are sent a second time, which is to end the run whatever it does. A few in every run; PKTCOST_SIGNALS=200 sends as many,
 * PKTCOST_SEED says which.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import { Chance } from '../fuzz/mutate.ts';
import { bin } from '../support/command.ts';
import { lacking } from '../support/needs.ts';
import { leftProbes } from '../scenarios/kit/leftovers.ts';
import { TestNamespace } from '../support/root.ts';

const count = Number(process.env['PKTCOST_SIGNALS'] ?? 10);
const seed = Number(process.env['PKTCOST_SEED'] ?? Date.now() % 2 ** 31);

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const probing = ['--window', '500ms', '--netns', 'none', '--probe', 'xdp'];

/** What is run, and the files that it promises once it has begun to measure. */
const commands: readonly { readonly words: readonly string[]; readonly files: readonly string[] }[] = [
  {
    words: ['diagnose', ...probing, '--json', '-o', 'report.json', '--bundle', 'bundle.tar.gz'],
    files: ['report.json', 'bundle.tar.gz'],
  },
  { words: ['record', ...probing, '--bundle', 'bundle.tar.gz'], files: ['bundle.tar.gz'] },
  {
    words: ['watch', ...probing, '--for', '2s', '--format', 'json', '-o', 'report.json', '--bundle', 'kept'],
    files: ['report.json'],
  },
  { words: ['taps', ...probing], files: [] },
  { words: ['metrics', ...probing, '-o', 'own.prom'], files: ['own.prom'] },
];

describe(
  `${count} signals at any moment (PKTCOST_SEED=${seed})`,
  {
    skip: lacking({ root: true, tools: ['ip', 'tc', 'bpftool'] }),
  },
  () => {
    const chance = new Chance(seed);
    const folder = mkdtempSync(join(tmpdir(), 'pktcost-random-'));
    let netns: TestNamespace;
    before(() => {
      netns = new TestNamespace();
      const script = 'link add v0 type veth peer name v1\nlink set v0 up\nlink set v1 up\n';
      execFileSync('ip', ['-n', netns.name, '-batch', '-'], { input: script });
    });
    after(async () => {
      await netns.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    /** What a run has left outside of its folder, where others may run too. */
    const surroundings = (): readonly string[] => {
      const inside = (...words: readonly string[]): string =>
        execFileSync('ip', ['netns', 'exec', netns.name, ...words], { encoding: 'utf8' });
      return [
        ...leftProbes(),
        ...['v0', 'v1'].flatMap((device) => [
          inside('tc', 'qdisc', 'show', 'dev', device),
          inside('ip', '-d', 'link', 'show', 'dev', device).includes('prog/xdp') ? `XDP on ${device}` : '',
        ]),
      ];
    };

    /** The kernel takes programs away a moment after the last that held them. */
    const left = async (was: ReadonlySet<string>): Promise<readonly string[]> => {
      for (let attempt = 0; ; attempt += 1) {
        const more = surroundings().filter((each) => !was.has(each));
        if (more.length === 0 || attempt === 50) return more;
        await sleep(200);
      }
    };

    for (let index = 0; index < count; index += 1) {
      const { words, files } = commands[index % commands.length]!;
      const signal = chance.of(signals);
      // Loading the probe takes the most of a run; on a slow machine a signal comes early, on a fast one after the end.
      const delay = chance.below(words[0] === 'watch' ? 4000 : 2500);
      // The first is not yet taken for the second, sent on, and a window that has ended is still closed, judged and written.
      const again = chance.below(2) === 0 ? undefined : 300 + chance.below(700);
      const more = again === undefined ? '' : ` and ${again} ms more`;
      it(`${index}: ${signal} after ${delay}${more} ms of ${words[0] ?? ''}`, async (context) => {
        const cwd = join(folder, `${index}`);
        const temporary = join(cwd, 'tmp');
        mkdirSync(temporary, { recursive: true });
        const was = new Set(surroundings());
        const child = spawn('ip', ['netns', 'exec', netns.name, process.execPath, bin, ...words], {
          cwd,
          env: { ...process.env, TMPDIR: temporary },
          stdio: ['ignore', 'ignore', 'pipe'],
          // A group of its own, so that what it leaves running is found.
          detached: true,
        });
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
        const timers = [setTimeout(() => child.kill(signal), delay)];
        let sentAgain = Infinity;
        const sendAgain = (): void => {
          if (child.kill(signal)) sentAgain = performance.now();
        };
        if (again !== undefined) timers.push(setTimeout(sendAgain, delay + again));
        const [status, killedBy] = await new Promise<readonly [number | null, string | null]>((resolve, reject) => {
          child.once('error', reject);
          child.once('close', (code, by) => {
            resolve([code, by]);
          });
        });
        timers.forEach(clearTimeout);
        if (sentAgain < Infinity) context.diagnostic(`the second took ${Math.round(performance.now() - sentAgain)} ms`);
        const told = `exit code ${status ?? killedBy ?? ''}: ${stderr}`;

        assert.ok([0, 3, 4, null, 128 + constants.signals[signal]].includes(status), told);
        assert.ok(killedBy === null || killedBy === signal, told);
        assert.doesNotMatch(stderr, /\n\s+at |internal error|left behind/);
        assert.throws(() => process.kill(-child.pid!, 0), /ESRCH/, 'a process is left');
        const there = readdirSync(cwd);
        // Once it measures, a signal ends the window and not the run: what was promised comes.
        if (killedBy === null) for (const file of files) assert.ok(there.includes(file), `no ${file}: ${told}`);
        assert.deepEqual(
          there.filter((name) => ![...files, 'kept', 'tmp'].includes(name)),
          [],
          told,
        );
        if (there.includes('report.json')) JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
        if (there.includes('bundle.tar.gz')) gunzipSync(readFileSync(join(cwd, 'bundle.tar.gz')));
        if (there.includes('own.prom')) assert.match(readFileSync(join(cwd, 'own.prom'), 'utf8'), /^# HELP [^]*\n$/);
        const kept = join(cwd, 'kept');
        const bundles = existsSync(kept) ? readdirSync(kept, { recursive: true, encoding: 'utf8' }) : [];
        for (const name of bundles.filter((each) => each.endsWith('.gz'))) gunzipSync(readFileSync(join(kept, name)));
        assert.deepEqual(
          bundles.filter((name) => name.endsWith('.tmp')),
          [],
        );
        assert.deepEqual(readdirSync(temporary), []);
        assert.deepEqual(await left(was), [], told);
      });
    }
  },
);
