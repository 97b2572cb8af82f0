import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { leftNamespaces, leftSettings, pause, removeNetns, runOrThrow, withHosts } from './kit/hosts.ts';
import { leftFolders, programsIn } from './kit/leftovers.ts';
import { PREFIX } from './kit/programs.ts';
import { Replays } from './kit/replays.ts';
import { whyNot } from './kit/scenario.ts';

const why = whyNot({});
if (why !== undefined) assert.ok(process.env['CI'] !== 'true', why);

interface Run {
  readonly pid: number;
  said(word: 'hosts' | 'held'): boolean;
  until(word: 'hosts' | 'held'): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

describe('The kit takes away what it made', { skip: why ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const runs: Run[] = [];
  after(async () => {
    // Nothing is left to do where every test passed.
    for (const run of runs) run.kill('SIGKILL');
    await Promise.all(runs.map(({ ended }) => ended));
    leftSettings();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A file stands for a setting of the whole host. */
  function settingOf(name: string): string {
    const setting = join(folder, name);
    writeFileSync(setting, 'before');
    return setting;
  }

  function start(how: string, setting: string): Run {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'kit', 'held.js'), how, setting], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PKTCOST_HOST_CHANGES: '1', NODE_TEST_CONTEXT: '' },
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const ended = new Promise<number | string>((resolve) => {
      child.once('close', (code, signal) => {
        resolve(code ?? signal ?? '');
      });
    });
    const said = (word: string): boolean => out.includes(word);
    const run: Run = {
      pid: child.pid ?? 0,
      said,
      until: async (word) => {
        const deadline = Date.now() + 30_000;
        while (!said(word)) {
          assert.ok(Date.now() < deadline && child.exitCode === null, `it did not come to "${word}": ${out}`);
          await pause(50);
        }
      },
      kill: (signal) => {
        child.kill(signal);
      },
      ended,
    };
    runs.push(run);
    return run;
  }

  function traces({ pid }: Run): Readonly<Record<'namespaces' | 'folders', readonly string[]>> {
    const its = new RegExp(`^${PREFIX}${pid}-`);
    const namespaces = runOrThrow(['ip', 'netns', 'list']).split('\n');
    return {
      namespaces: namespaces.map((line) => line.split(' ')[0] ?? '').filter((name) => its.test(name)),
      folders: readdirSync(tmpdir()).filter((name) => its.test(name)),
    };
  }

  function inodes(namespaces: readonly string[]): ReadonlySet<number> {
    return new Set(namespaces.map((name) => statSync(`/run/netns/${name}`).ino));
  }

  /** What was killed is gone a moment later. */
  async function assertEnded(places: ReadonlySet<number>): Promise<void> {
    const deadline = Date.now() + 5000;
    while (programsIn(places).length > 0 && Date.now() < deadline) await pause(100);
    assert.deepEqual(programsIn(places), []);
  }

  function assertGone(run: Run, setting: string): void {
    assert.deepEqual(traces(run), { namespaces: [], folders: [] });
    assert.equal(readFileSync(setting, 'utf8'), 'before');
  }

  for (const [how, code] of [
    ['end', 0],
    ['fail', 1],
    ['late', 1],
  ] as const) {
    it(`when a scenario ends as in "${how}"`, { timeout: 240_000 }, async () => {
      const setting = settingOf(how);
      const run = start(how, setting);
      assert.equal(await run.ended, code);
      assert.ok(run.said('hosts'));
      assertGone(run, setting);
    });
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`when ${signal} comes in the middle of one`, { timeout: 240_000 }, async () => {
      const setting = settingOf(signal);
      const run = start('wait', setting);
      await run.until('held');
      assert.equal(readFileSync(setting, 'utf8'), 'changed');
      const { namespaces, folders } = traces(run);
      assert.deepEqual([namespaces.length, folders.length], [2, 1]);
      const places = inodes(namespaces);
      assert.ok(programsIn(places).length >= 4, 'receiver, sender, sleep and pktcost');
      run.kill(signal);
      assert.equal(await run.ended, code);
      await assertEnded(places);
      assertGone(run, setting);
    });
  }

  it('after SIGKILL: the programs end by themselves, the check at the end of the next run takes the rest', async () => {
    const setting = settingOf('SIGKILL');
    const run = start('wait', setting);
    await run.until('held');
    const { namespaces, folders } = traces(run);
    const places = inodes(namespaces);
    run.kill('SIGKILL');
    assert.equal(await run.ended, 'SIGKILL');
    await assertEnded(places);
    assert.equal(readFileSync(setting, 'utf8'), 'changed');

    const left = leftNamespaces();
    assert.ok(namespaces.length === 2 && namespaces.every((netns) => left.includes(netns)));
    for (const netns of left) removeNetns(netns);
    assert.ok(leftSettings().includes(setting));
    const removed = leftFolders();
    assert.ok(folders.every((name) => removed.includes(name)));
    assertGone(run, setting);
  });

  it('two runs at once do not collide, and one waits for the setting that the other holds', async () => {
    const setting = settingOf('shared');
    const first = start('wait', setting);
    await first.until('held');
    const second = start('wait', setting);
    await second.until('hosts');
    await pause(1000);
    assert.ok(!second.said('held'));
    for (const run of [first, second]) assert.equal(traces(run).namespaces.length, 2);
    first.kill('SIGTERM');
    assert.equal(await first.ended, 143);
    await second.until('held');
    assert.deepEqual(traces(first), { namespaces: [], folders: [] });
    assert.equal(traces(second).namespaces.length, 2);
    assert.equal(readFileSync(setting, 'utf8'), 'changed');
    second.kill('SIGTERM');
    assert.equal(await second.ended, 143);
    assertGone(second, setting);
  });
});

describe('Bundles are replayed when the scenario is over', { skip: why ?? false }, () => {
  const kinds = { 'that was printed': '', 'of another host': ' ' };
  for (const [kind, added] of Object.entries(kinds))
    it(`with the report ${kind}`, async () => {
      const replays = new Replays();
      await withHosts(
        async (kit) => {
          await kit.host().diagnose('--window', '1s');
          for (const [bundle, report] of kit.recorded) kit.recorded.set(bundle, report + added);
        },
        undefined,
        replays.of('a calm one'),
      );
      if (added === '') await replays.all();
      else await assert.rejects(replays.all(), /report of "a calm one" is the recorded one/);
      const its = new RegExp(`^${PREFIX}${process.pid}-`);
      // The other describe has one for its notes.
      assert.ok(readdirSync(tmpdir()).filter((name) => its.test(name)).length <= 1);
    });
});
