import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { pktcost } from '../support/command.ts';
import { serve } from '../support/http.ts';
import { INTERRUPT, onTerminal, QUIT, withoutTerminal } from '../support/terminal.ts';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pktcost-signals-'));
  folders.push(folder);
});
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

const window = ['--window', '1m', '--probe', 'off'];
const measuring = 'interrupt ends it early';

/** A report that was cut short has its own exit code, or that of what was found; never 0. */
function ended(status: number, signal: number): void {
  assert.ok([3, 4, 128 + signal].includes(status), `exit code ${status}`);
}

/** The signals that a process has handlers for, as a mask. */
function handled(pid: number | undefined): number {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
  return Number.parseInt(mask.slice(-8), 16);
}

function opened(pid: number | undefined, path: string): boolean {
  const folderOf = `/proc/${pid}/fd`;
  return readdirSync(folderOf).some((fd) => {
    try {
      return readlinkSync(join(folderOf, fd)) === path;
    } catch {
      // Closed since it was listed.
      return false;
    }
  });
}

describe('the interrupt key on a terminal', { skip: withoutTerminal }, () => {
  it('ends the window of diagnose, and the report comes', async () => {
    const seen = await onTerminal(['diagnose', ...window], { steps: [{ when: measuring, press: INTERRUPT }] });
    ended(seen.status, 2);
    assert.equal(seen.killed, false);
    assert.match(seen.screen, /Checks  /);
  });

  it('does so for a report in a file, beside a bundle', async () => {
    const [report, bundle] = [join(folder, 'report.json'), join(folder, 'bundle.tar.gz')];
    const seen = await onTerminal(['diagnose', ...window, '--json', '-o', report, '--bundle', bundle], {
      steps: [{ when: measuring, press: INTERRUPT }],
    });
    ended(seen.status, 2);
    assert.equal((JSON.parse(readFileSync(report, 'utf8')) as { window: { cutShort: boolean } }).window.cutShort, true);
    assert.deepEqual(readdirSync(folder).sort(), ['bundle.tar.gz', 'report.json']);
  });

  it('ends the window of taps, and the list comes', async () => {
    const seen = await onTerminal(['taps', ...window], { steps: [{ when: measuring, press: INTERRUPT }] });
    assert.equal(seen.status, 130);
    assert.equal(seen.killed, false);
    assert.match(seen.screen, /packet socket|TAP|tap/);
  });

  it('ends the window of record, and the bundle is there', async () => {
    const bundle = join(folder, 'bundle.tar.gz');
    const seen = await onTerminal(['record', ...window, '--bundle', bundle], {
      steps: [{ when: measuring, press: INTERRUPT }],
    });
    assert.equal(seen.status, 130);
    assert.deepEqual(readdirSync(folder), ['bundle.tar.gz']);
  });

  it('ends what waits for nothing at once', async () => {
    // The server never answers.
    const server = await serve(() => undefined);
    try {
      const page = ['diagnose', '--exporter', server.url, '--window', '5s', '-o', join(folder, 'report.txt')];
      const seen = await onTerminal(page, {
        steps: [
          { when: measuring, press: INTERRUPT },
          { when: '\\^C', afterMs: 500, press: INTERRUPT },
        ],
      });
      assert.equal(seen.status, 130);
      assert.equal(seen.killed, true, 'by the signal, so that a shell ends its loop');
      assert.ok(seen.seconds < 8, `took ${seen.seconds} s`);
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      await server.close();
    }
  });

  it('the quit key too', async () => {
    const seen = await onTerminal(['diagnose', ...window], { steps: [{ when: measuring, press: QUIT }] });
    ended(seen.status, 3);
    assert.match(seen.screen, /Checks  /);
  });

  for (const [name, signal] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    it(`${name} from elsewhere too`, async () => {
      const seen = await onTerminal(['diagnose', ...window], { steps: [{ when: measuring, signal }] });
      ended(seen.status, signal);
      assert.match(seen.screen, /Checks  /);
    });
  }
});

describe('signals without a terminal', () => {
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGQUIT', 3],
    ['SIGTERM', 15],
  ] as const) {
    it(`${signal} ends the window, and the page of metrics comes`, async () => {
      const path = join(folder, 'own.prom');
      const { status } = await pktcost(['metrics', '--own', '--window', '1m', '-o', path], {
        during: (child) => setTimeout(() => child.kill(signal), 2500),
      });
      assert.equal(status, 128 + number);
      assert.match(readFileSync(path, 'utf8'), /^# HELP /);
      assert.deepEqual(readdirSync(folder), ['own.prom']);
    });
  }

  it('at whatever moment: the report is whole, or there is none; nothing else is left', async () => {
    for (const delay of [20, 90, 160, 230, 300, 400, 500, 700, 900, 1000, 1100, 1200, 1300, 1400]) {
      const signal = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)[delay % 4]!;
      const path = join(folder, `${delay}.json`);
      const { status, signal: killedBy } = await pktcost(
        ['diagnose', '--window', '500ms', '--probe', 'off', '--json', '-o', path],
        { during: (child) => setTimeout(() => child.kill(signal), delay) },
      );
      if (killedBy === null && status !== 130 && status !== 143 && status !== 129 && status !== 131) {
        assert.ok(existsSync(path), `${delay} ms: exit code ${status} and no report`);
      }
      if (existsSync(path)) JSON.parse(readFileSync(path, 'utf8'));
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => !/^\d+\.json$/.test(name)),
      [],
    );
  });

  it('an interrupt that a wrapper passes on a second time is no second one', async () => {
    const report = join(folder, 'report.json');
    let apart = Infinity;
    let status: number | null = null;
    // On a busy machine this test itself may sleep too long between the two: then they say nothing.
    for (let attempt = 0; attempt < 5 && apart > 150; attempt++) {
      rmSync(report, { force: true });
      ({ status } = await pktcost(['diagnose', ...window, '--json', '-o', report], {
        during: (child) => {
          // What is to hold the report is opened once the window can be ended.
          const opened = setInterval(() => {
            if (readdirSync(folder).length === 0) return;
            clearInterval(opened);
            const first = performance.now();
            child.kill('SIGINT');
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
            child.kill('SIGINT');
            apart = performance.now() - first;
          }, 50);
          child.once('exit', () => {
            clearInterval(opened);
          });
        },
      }));
    }
    ended(status ?? -1, 2);
    assert.equal((JSON.parse(readFileSync(report, 'utf8')) as { window: { cutShort: boolean } }).window.cutShort, true);
  });

  it('the first one ends a replay at once, also in the middle of a parse: no handler waits for its end', async () => {
    // A pipe that nobody writes to holds it up where a large file would keep it busy.
    const pipe = join(folder, 'config.json');
    execFileSync('mkfifo', [pipe]);
    const copy = 'test/fixtures/copies/control-lldp-rx-dropped';
    const writer = openSync(pipe, 'r+');
    try {
      let caught = 0;
      const { signal } = await pktcost(['replay', `${copy}/before`, `${copy}/after`, '--config', pipe], {
        during: async (child) => {
          while (!opened(child.pid, pipe)) await sleep(20);
          caught = handled(child.pid);
          child.kill('SIGINT');
        },
      });
      // SIGHUP and SIGQUIT; of SIGINT and SIGTERM Node has handlers of its own, which wait for no parse: they set the terminal right.
      assert.equal(caught & 0x5, 0, `handlers of ${caught.toString(16)}`);
      assert.equal(signal, 'SIGINT');
    } finally {
      closeSync(writer);
    }
  });

  it('SIGUSR1 opens no debugger', async () => {
    // A program that has begun waits for its configuration; it gets it after the signal.
    const pipe = join(folder, 'config.json');
    execFileSync('mkfifo', [pipe]);
    const writer = openSync(pipe, 'r+');
    const { stderr, status } = await pktcost(
      ['diagnose', '--window', '500ms', '--probe', 'off', '--quiet', '--config', pipe],
      {
        during: async (child) => {
          while (!opened(child.pid, pipe)) await sleep(20);
          child.kill('SIGUSR1');
          await sleep(200);
          writeSync(writer, '{}');
          closeSync(writer);
        },
      },
    );
    assert.equal(stderr, '');
    assert.ok([0, 3, 4].includes(status ?? -1), `exit code ${status}`);
  });
});
