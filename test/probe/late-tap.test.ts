/** Taps that come while the tracepoints rest, and are seen all the same. Real devices, real traffic; needs root. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { subtractReadings, tracedShare } from '../../src/readings/reading.ts';
import { quantile, subtractSpans } from '../../src/readings/histogram.ts';
import { openHostProbe } from '../../src/probe/open.ts';
import { Overhead } from '../../src/probe/overhead.ts';
import { KernelSymbols } from '../../src/probe/symbols.ts';
import type { ProbeAnswer } from '../../src/readings/answer.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { tapHooksIn } from '../../src/sources/tapped.ts';
import { Lab, whyNoLab } from './lab.ts';

const SECONDS = 12;

describe('a tap that begins in the window', { skip: whyNoLab() }, () => {
  let lab: Lab;

  before(async () => {
    lab = new Lab();
    await lab.serve();
  });
  after(async () => {
    await lab.close();
  });

  /** Two thirds into the window, while the tracepoints rest: a device in a flood needs them for a small part of the time. */
  it('is timed at once and priced, though the tracepoints had enough before', async () => {
    const { id, path = '' } = lab.target();
    const nothing = { any: 0, devices: new Map<string, number>() };
    const probe = await openHostProbe({
      ...{ probe: 'taps', devices: [], sysfs: '/sys', procfs: '/proc', windowSeconds: SECONDS },
      namespaces: [{ name: 'receiver', inode: Number(id), path }],
      symbols: new KernelSymbols('/proc'),
      overhead: new Overhead(0.1),
      stop: new AbortController().signal,
      hooks: (where) => (where === undefined ? nothing : tapHooksIn(where, liveReader(HOST_ROOTS))),
    });
    const answered = (): ProbeAnswer => {
      const answer = probe.answer();
      return answer.ok ? answer.value : assert.fail(answer.reason);
    };
    const children: ChildProcess[] = [];
    try {
      children.push(lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-u', '-b', '0', '-l', '64', '-t', '60'));
      await sleep(1000);
      const first = answered().reading;
      for (let ticks = SECONDS * 2; ticks > 0; ticks -= 1) {
        if (ticks === SECONDS / 1.5) children.push(await lab.tcpdump());
        await probe.watch(ticks / 2);
        await sleep(500);
      }
      const { reading, tapped } = answered();
      const time = tapped?.find(({ reading: { device } }) => device === lab.device);
      assert.ok(time, 'the time with the tap is told apart');
      assert.ok(time.taps === 1 && time.lasts, JSON.stringify({ taps: time.taps, lasts: time.lasts }));
      const span = time.reading.spans.find(({ span: name }) => name === 'taps');
      assert.ok(span && span.count > 500, `${String(span?.count)} packets timed`);
      const all = subtractReadings(first, reading);
      const whole = all.devices.find(({ device }) => device === lab.device)?.spans[0];
      assert.ok(whole);
      const without = subtractSpans(whole, span);
      assert.ok(without.count > 200, `${String(without.count)} packets timed before`);
      const [dear = 0, bare = 0] = [quantile(span, 0.5), quantile(without, 0.5)];
      assert.ok(dear > 1.5 * bare, `${String(dear)} ns beside ${String(bare)} without`);
      assert.ok(tracedShare(all) < 0.6, String(tracedShare(all)));
    } finally {
      for (const child of children) await lab.stop(child);
      await probe.close();
    }
  });
});
