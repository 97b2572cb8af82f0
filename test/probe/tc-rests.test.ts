import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { fail, ok, type Result } from '../../src/base/result.ts';
import type { CpuState } from '../../src/probe/layout.ts';
import type { MapFd } from '../../src/probe/libbpf.ts';
import { TcRests, type RestingDevice } from '../../src/probe/tc-rests.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-rests-'));
mkdirSync(join(folder, 'net'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** One CPU and two devices, whose packets count where a program is there; /proc as the kernel prints it. */
function staged(options: { slowChangeMs?: number } = {}) {
  const stage = {
    frames: [0, 0],
    counted: [0, 0],
    there: [true, true],
    log: [] as string[],
    attach: () => Promise.resolve(ok(undefined) as Result<void>),
    detach: () => Promise.resolve(),
  };
  const device = (slot: number): RestingDevice => ({
    facts: {
      ...{ name: `eth${slot}`, ifindex: slot + 2, netns: { id: '1' }, type: 1, up: true, operstate: 'up', mtu: 1500 },
      ...{ upperHasXdp: false, clsact: false, filters: 0, gaps: [] },
    },
    slot,
    canRest: true,
    async detachForRest() {
      await stage.detach();
      stage.there[slot] = false;
      stage.log.push(`eth${slot} goes`);
    },
    async attachAfterRest() {
      const attached = await stage.attach();
      if (attached.ok) {
        stage.there[slot] = true;
        stage.log.push(`eth${slot} comes`);
      }
      return attached;
    },
  });
  const devices = [device(0), device(1)];
  const home = (bytes: Uint8Array): Result<void> => (stage.log.push(`home ${String(bytes[0])}`), ok(undefined));
  const bpf = { possibleCpus: 1, writeOnly: (_map: MapFd, value: Uint8Array) => home(value) };
  const counts = { cpu: 0, skbs: 0, stamped: 0, uncollected: 0 };
  const runs = { netRxRuns: 0, netRxSampledRuns: 0, netRxNs: 0, netRxSkbs: 0 };
  const cpus = (): CpuState[] => [{ counts: { ...counts, ...runs }, packets: [...stage.counted] }];
  const pass = (packets: number, others = 0): void => {
    for (const [slot, came] of [packets, others].entries()) {
      stage.frames[slot]! += came;
      if (stage.there[slot] === true) stage.counted[slot]! += came;
    }
    const [first = 0, second = 0] = stage.frames;
    const words = [first + second, ...Array<number>(14).fill(0)];
    const row = words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
    writeFileSync(join(folder, 'net/softnet_stat'), `${row}\n`);
    const columns = (frames: number): string => ` 0 ${String(frames)}${' 0'.repeat(14)}\n`;
    const header = 'Inter-| Receive | Transmit\n face |bytes packets|bytes packets\n';
    const lines = `  eth0:${columns(first)}  eth1:${columns(second)}`;
    writeFileSync(join(folder, 'net/dev'), header + lines);
  };
  pass(0);
  const rests = new TcRests({ bpf, home: 1 as MapFd, procfs: folder, devices, ...options }, cpus);
  const whole = (slot = 0) => rests.whole(devices[slot]!, cpus(), rests.look());
  const unmarked = (slot: number) => rests.unmarked(devices[slot]!, cpus(), whole(slot));
  /** A slice and the rest after it. */
  const round = async (packets: number, others = 0, restMs = 1000): Promise<void> => {
    await rests.sliceNears();
    pass(packets, others);
    rests.sliceEnds(restMs);
    await new Promise(setImmediate);
    pass(packets, others);
  };
  return { stage, rests, pass, round, whole, unmarked };
}

describe('the TC program of a busy device', () => {
  let set: ReturnType<typeof staged>;
  beforeEach(() => {
    set = staged();
  });

  it('stays for the first rest, in which the estimate is held against its count, then rests with the tracepoints', async () => {
    const { stage, rests, round, whole } = set;
    await round(5000);
    assert.deepEqual(stage.log, []);
    assert.equal(whole(), undefined, 'all were counted');
    await round(5000);
    assert.deepEqual(stage.log, ['home 1', 'eth0 goes']);
    assert.deepEqual(whole(), { byCpu: [20_000], counted: 15_000, error: 0, unmarked: 0 });
    await round(5000);
    assert.deepEqual(stage.log, ['home 1', 'eth0 goes', 'eth0 comes', 'home 0', 'home 1', 'eth0 goes']);
    assert.deepEqual(whole(), { byCpu: [30_000], counted: 20_000, error: 0, unmarked: 0 });
    assert.equal(rests.stays, undefined);
  });

  it('stays in a rest so short that the change would cost more', async () => {
    for (let turn = 0; turn < 4; turn += 1) await set.round(5000, 0, 100);
    assert.deepEqual(set.stage.log, []);
  });

  it('stays where another watched device is busy: the profile would take its packets for this one’s', async () => {
    for (let turn = 0; turn < 4; turn += 1) await set.round(5000, 400);
    assert.deepEqual(set.stage.log, []);
  });

  it('rests with those of other busy devices once the profile has seen enough of each, and marks nobody meanwhile', async () => {
    const { stage, round, whole, unmarked } = set;
    await round(50_000, 40_000);
    await round(50_000, 40_000);
    const goes = ['home 255', 'eth0 goes'];
    assert.deepEqual(stage.log, goes, 'the other is slower: the profile has seen less of it');
    assert.deepEqual([unmarked(0), unmarked(1)], [50_000, 40_000]);
    await round(50_000, 40_000);
    const comes = ['eth0 comes', 'home 0'];
    assert.deepEqual(stage.log, [...goes, ...comes, ...goes, 'eth1 goes']);
    assert.deepEqual(whole(0), { byCpu: [300_000], counted: 200_000, error: 0, unmarked: 100_000 });
    assert.deepEqual([whole(1)?.byCpu, whole(1)?.counted], [[240_000], 200_000]);
    assert.deepEqual([unmarked(0), unmarked(1)], [100_000, 80_000]);
  });

  it('stays on a slow device', async () => {
    for (let turn = 0; turn < 4; turn += 1) await set.round(200);
    assert.deepEqual(set.stage.log, []);
  });

  it('stays for good where a change takes long, and says so', async () => {
    const slow = staged({ slowChangeMs: -1 });
    for (let turn = 0; turn < 5; turn += 1) await slow.round(5000);
    assert.deepEqual(slow.stage.log, ['home 1', 'eth0 goes', 'eth0 comes', 'home 0']);
    assert.match(slow.rests.stays ?? '', /^a TC program was detached in \d+ ms$/);
    assert.deepEqual(slow.whole(), { byCpu: [50_000], counted: 45_000, error: 0, unmarked: 0 });
  });

  it('is waited for no longer than a slice can, and comes back all the same', async () => {
    const { stage, rests, round, pass } = set;
    for (let turn = 0; turn < 2; turn += 1) await round(5000);
    let comes: (() => void) | undefined;
    stage.attach = () =>
      new Promise((resolve) => {
        comes = () => {
          resolve(ok(undefined));
        };
      });
    await rests.sliceNears();
    assert.equal(stage.there[0], false, 'the slice begins without it');
    pass(5000);
    rests.sliceEnds(1000);
    comes?.();
    await new Promise(setImmediate);
    assert.equal(stage.there[0], true);
    assert.match(rests.stays ?? '', /attached in/);
    pass(5000);
    assert.deepEqual(set.whole(), { byCpu: [30_000], counted: 20_000, error: 0, unmarked: 0 });
  });

  it('is estimated to the end where it cannot be attached again', async () => {
    const { stage, rests, round, pass, whole } = set;
    for (let turn = 0; turn < 2; turn += 1) await round(5000);
    stage.attach = () => Promise.resolve(fail('no such device'));
    await rests.sliceNears();
    pass(5000);
    assert.equal(rests.stays, 'no such device');
    assert.deepEqual(whole(), { byCpu: [25_000], counted: 15_000, error: 0, unmarked: 0 });
  });

  it('leaves nothing that is under way when the session ends, and does not wait for ever', async () => {
    const { stage, rests, round } = set;
    for (let turn = 0; turn < 2; turn += 1) await round(5000);
    let comes: (() => void) | undefined;
    stage.attach = () =>
      new Promise((resolve) => {
        comes = () => {
          resolve(ok(undefined));
        };
      });
    void rests.sliceNears();
    await new Promise(setImmediate);
    assert.equal(await rests.end(10), false);
    comes?.();
    await new Promise(setImmediate);
    assert.equal(stage.there[0], false, 'what came too late is taken away again');
    const calm = staged();
    assert.equal(await calm.rests.end(10), true);
  });
});
