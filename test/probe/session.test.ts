/** The probe on real devices: own namespaces, own veth pairs, real traffic. Needs root; CI must not skip it. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ok, type Result } from '../../src/base/result.ts';
import { measureCost } from '../../src/probe/budget.ts';
import { readCapabilities, type Capabilities } from '../../src/probe/capabilities.ts';
import { Company } from '../../src/probe/company.ts';
import { calibrateFloor } from '../../src/probe/floor.ts';
import { summarise, type SpanSummary } from '../../src/readings/histogram.ts';
import { loadLibbpf } from '../../src/probe/libbpf.ts';
import { findObjects } from '../../src/probe/objects.ts';
import { planDevices, type ProbeChoice } from '../../src/probe/plan.ts';
import { subtractReadings, tracedShare, type ProbeReading } from '../../src/readings/reading.ts';
import type { ProbeOptions } from '../../src/probe/attach.ts';
import { openSession, type ProbeSession } from '../../src/probe/session.ts';
import { Shifts } from '../../src/probe/shifts.ts';
import { sweep } from '../../src/probe/tc.ts';
import { Lab, run, whyNoLab } from './lab.ts';

const skip = whyNoLab();

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) assert.fail(result.reason);
  return result.value;
}

describe('probe session', { skip }, () => {
  let can: Capabilities;
  let lab: Lab;

  before(async () => {
    can = readCapabilities();
    lab = new Lab();
    await lab.serve();
  });
  after(async () => {
    await lab.close();
  });

  async function open(
    choice: ProbeChoice = { probe: 'auto' },
    more: Partial<ProbeOptions> = {},
  ): Promise<ProbeSession> {
    return unwrap(await openSession({ plans: planDevices([lab.facts()], choice, can), capabilities: can, ...more }));
  }

  /** On a busy machine iperf3 may take seconds to begin; its own time starts then. */
  async function begun(session: ProbeSession): Promise<void> {
    const seen = (): number => session.read().devices[0]?.packets ?? 0;
    const before = seen();
    for (let waited = 0; waited < 10_000 && seen() < before + 200; waited += 50) await sleep(50);
  }

  async function window(session: ProbeSession, seconds = 1, rate = 20_000): Promise<ProbeReading> {
    const load = lab.traffic('udp', seconds + 1, rate);
    await begun(session);
    const first = session.read();
    await sleep(seconds * 1000);
    const delta = subtractReadings(first, session.read());
    await load;
    return delta;
  }

  function taps(delta: ProbeReading): SpanSummary {
    const span = delta.devices[0]?.spans.find((candidate) => candidate.span === 'taps');
    assert.ok(span);
    const summary = summarise(span);
    assert.ok(summary, 'the span has samples');
    return summary;
  }

  /**
   * Of these, the programs that are still there: other sessions may be under way on the same machine. The kernel frees one after
   * an RCU grace period, which a busy machine delays.
   */
  const loaded = async (ids: readonly number[], patience = 20): Promise<number[]> => {
    for (let tries = 0; ; tries++) {
      const all = JSON.parse(run('bpftool', '-j', 'prog', 'show')) as { id: number }[];
      const left = ids.filter((id) => all.some((program) => program.id === id));
      if (left.length === 0 || tries >= patience) return left;
      await sleep(100);
    }
  };
  const filters = (direction = 'ingress'): string =>
    run('tc', '-n', lab.receiver, 'filter', 'show', 'dev', lab.device, direction);
  const qdiscs = (): string => run('tc', '-n', lab.receiver, 'qdisc', 'show', 'dev', lab.device);

  for (const tc of ['tcx', 'clsact'] as const) {
    it(`${tc}: without a tap the span is near its floor, one tcpdump makes nearly every packet's longer`, async () => {
      const session = await open({ probe: 'auto', tc });
      const ids = session.read().programs.map(({ id }) => id);
      try {
        const quiet = await window(session);
        const device = quiet.devices[0];
        assert.ok(device && device.packets > 5000);
        const bare = taps(quiet);
        assert.ok(bare.count > (device.packets / 16) * 0.8, 'nearly every stamp was met');
        const floor = unwrap(await calibrateFloor(session));
        assert.equal(floor.method, 'calibrated');
        assert.ok(
          bare.p50Ns < floor.p50Ns + 2 * floor.uncertaintyNs,
          `p50 ${String(bare.p50Ns)}, floor ${String(floor.p50Ns)}`,
        );
        const tap = await lab.tcpdump();
        const tapped = taps(await window(session));
        await lab.stop(tap);
        // How long a tap takes beside the stamps themselves differs by machine; that they are told apart does not.
        const told = JSON.stringify({ bare, tapped });
        assert.ok(tapped.p50Ns > bare.p90Ns, told);
        assert.ok(tapped.p50Ns > bare.p50Ns * 1.5, told);
        const cpus = quiet.cpus.reduce((sum, cpu) => sum + cpu.netRxNs, 0);
        assert.ok(cpus > 0, 'NET_RX was timed');
        assert.deepEqual(quiet.gaps, []);
      } finally {
        const closed = await session.close();
        assert.deepEqual(closed.problems, []);
        assert.ok(closed.verified);
      }
      assert.doesNotMatch(qdiscs(), /clsact/);
      assert.ok(ids.length > 0);
      assert.deepEqual(await loaded(ids), []);
    });
  }

  it('measures its own cost and takes the statistics off', async () => {
    const session = await open();
    try {
      const load = lab.traffic('udp', 2, 20_000);
      await begun(session);
      const cost = unwrap(await measureCost(session, 1400));
      await load;
      assert.ok(cost.calibrated && cost.statsNsPerRun > 0);
      assert.ok(
        cost.packets >= 1000 && cost.nsPerPacket > 0 && cost.nsPerPacket < 2000,
        `${String(cost.nsPerPacket)} ns`,
      );
      assert.ok(cost.measuredMs < 1000, 'no longer than it takes to see enough packets');
    } finally {
      await session.close();
    }
    assert.equal(run('sysctl', '-n', 'kernel.bpf_stats_enabled').trim(), '0');
  });

  it('works in shifts: spans are sampled in some of the time, packets counted in all of it', async () => {
    const session = await open({ probe: 'auto' }, { sampleEvery: 4, netRxEvery: 1 });
    const shifts = new Shifts(session, 4, { random: () => 0.5 });
    try {
      shifts.start();
      const delta = await window(session, 4);
      const packets = delta.devices[0]?.packets ?? 0;
      assert.ok(packets > 20_000, 'the TC program counts all the time');
      const share = tracedShare(delta);
      assert.ok(share > 0.01 && share < 0.5, `attached for ${String(share)} of the time`);
      // What the tracepoint counted in its slices, scaled, is what the TC programs counted all the time.
      const scaled = delta.cpus.reduce((sum, { skbs }) => sum + skbs, 0) / share;
      assert.ok(Math.abs(scaled / packets - 1) < 0.3, `${String(scaled)} of ${String(packets)} packets`);
      const whole = delta.cpus.reduce((sum, { allSkbs = 0 }) => sum + allSkbs, 0);
      assert.ok(Math.abs(whole / packets - 1) < 0.3, `${String(whole)} of ${String(packets)} packets`);
      const { count } = taps(delta);
      const expected = (packets * share) / 4;
      assert.ok(Math.abs(count - expected) < expected * 0.4, `${String(count)} samples, not ${String(expected)}`);
      const span = delta.devices[0]?.spans.find((each) => each.span === 'taps');
      const lost = Object.values<number>({ ...span?.lost }).reduce((sum, each) => sum + each, 0);
      assert.ok(lost < count * 0.02, `${String(lost)} lost`);
      // Nothing is timed across a rest, which lasts 300 ms.
      assert.ok(taps(delta).maxNs < 200e6);
      const timed = delta.cpus.reduce((sum, cpu) => sum + cpu.netRxNs, 0);
      assert.ok(timed > 0 && timed < 4e9 * share * delta.cpus.length, String(timed));
      const calls = delta.cpus.reduce((sum, cpu) => sum + (cpu.driverCalls ?? 0), 0);
      const runs = delta.cpus.reduce((sum, cpu) => sum + cpu.netRxRuns, 0);
      assert.ok(
        calls > 0 && calls < 0.6 * runs,
        `the driver was told apart in ${String(calls)} of ${String(runs)} runs`,
      );
      assert.deepEqual(delta.gaps, []);
    } finally {
      await shifts.stop();
      const closed = await session.close();
      assert.deepEqual(closed.problems, []);
    }
  });

  it('rests the longer the more packets come, and has timed enough of them all the same', async () => {
    const shares: number[] = [];
    for (const rate of [1000, 0]) {
      const session = await open({ probe: 'auto' }, { sampleEvery: 2, netRxEvery: 1 });
      const load = lab.traffic('udp', 13, rate);
      await begun(session);
      const shifts = new Shifts(session, 12);
      try {
        const first = session.read();
        shifts.start();
        await sleep(12_000);
        const delta = subtractReadings(first, session.read());
        shares.push(tracedShare(delta));
        const { count } = taps(delta);
        assert.ok(count > (rate === 0 ? 1000 : 200), `${String(count)} packets timed`);
        assert.ok(session.tracepoints.attached, 'the end of the window is looked at');
      } finally {
        await shifts.stop();
        await session.close();
        await load;
      }
    }
    const [slow = 0, fast = 0] = shares;
    assert.ok(slow > 0.15 && fast < slow * 0.75, `attached for ${shares.join(' and ')} of the time`);
  });

  /** Of NET_RX, the nanoseconds per packet in the driver and in the stack, and the frames to a packet. */
  const split = ({ cpus }: ProbeReading): { driver: number; stack: number; calls: number } => {
    const total = (of: (cpu: ProbeReading['cpus'][number]) => number | undefined): number =>
      cpus.reduce((sum, cpu) => sum + (of(cpu) ?? 0), 0);
    const skbs = total(({ splitSkbs }) => splitSkbs);
    assert.ok(skbs > 500, `only ${String(skbs)} packets in runs that were split`);
    const stack = total(({ splitStackNs }) => splitStackNs);
    const calls = total(({ driverCalls }) => driverCalls) / total((cpu) => cpu.skbs);
    return { driver: (total(({ splitNs }) => splitNs) - stack) / skbs, stack: stack / skbs, calls };
  };

  it('tells driver from stack: taps are in the stack, and without the programs nothing is split', async () => {
    const session = await open({ probe: 'auto' }, { netRxEvery: 2 });
    try {
      const apart = await window(session);
      assert.ok(apart.cpus.every(({ splitNs, driverCalls }) => splitNs === 0 && driverCalls === 0));
      session.tracepoints.join();
      assert.equal(session.tracepoints.refused, undefined);
      const share = ({ driver, stack }: ReturnType<typeof split>): number => driver / (driver + stack);
      const seen: string[] = [];
      // What else the machine does in a second may outweigh three taps; taps that were counted to the driver are there in each turn.
      for (let told = false; !told;) {
        const bare = split(await window(session));
        assert.ok(bare.driver > 0 && bare.stack > 0);
        const captures = [await lab.tcpdump(), await lab.tcpdump(), await lab.tcpdump()];
        const tapped = split(await window(session));
        for (const capture of captures) await lab.stop(capture);
        told = share(tapped) < 0.9 * share(bare) && tapped.stack > 1.1 * bare.stack;
        seen.push(JSON.stringify({ bare, tapped }));
        assert.ok(told || seen.length < 4, seen.join('; '));
      }
      unwrap(await session.tracepoints.part());
      assert.ok((await window(session)).cpus.every(({ driverCalls }) => driverCalls === 0));
    } finally {
      const closed = await session.close();
      assert.deepEqual(closed.problems, []);
      assert.ok(closed.verified);
    }
  });

  it('counts the merging of frames to the driver', async () => {
    const merging = new Lab();
    try {
      merging.mergeFrames();
      await merging.serve();
      const plans = planDevices([merging.facts()], { probe: 'auto' }, can);
      const session = unwrap(await openSession({ plans, capabilities: can, netRxEvery: 2 }));
      try {
        session.tracepoints.join();
        const load = merging.traffic('tcp', 3);
        await sleep(1000);
        const first = session.read();
        await sleep(1500);
        const { driver, stack, calls } = split(subtractReadings(first, session.read()));
        await load;
        assert.ok(calls > 3, `${String(calls)} frames and polls to a packet`);
        assert.ok(driver > 0.3 * stack, `${String(driver)} ns in the driver, ${String(stack)} in the stack`);
      } finally {
        await session.close();
      }
    } finally {
      await merging.close();
    }
  });

  it('counts and times nothing while asked to, and goes on timing after it', async () => {
    const session = await open({ probe: 'auto' }, { sampleEvery: 4 });
    const load = lab.traffic('udp', 2, 20_000);
    try {
      const { tracepoints } = session;
      assert.ok(tracepoints);
      await begun(session);
      const delta = unwrap(
        await tracepoints.untimed(async () => {
          // A program that runs already may still end with a time.
          await sleep(5);
          const first = session.read();
          await sleep(200);
          return ok(subtractReadings(first, session.read()));
        }),
      );
      assert.ok((delta.devices[0]?.packets ?? 0) > 1000);
      assert.equal(delta.devices[0]?.spans[0]?.count, 0);
      assert.equal(
        delta.cpus.reduce((sum, cpu) => sum + cpu.netRxNs, 0),
        0,
      );
      const first = session.read();
      await sleep(200);
      assert.ok(taps(subtractReadings(first, session.read())).count > 100);
    } finally {
      await load;
      await session.close();
    }
  });

  it('notices another session, also one that has gone again', async () => {
    const session = await open();
    const own = session.stampId();
    assert.ok(own !== undefined);
    try {
      const company = new Company(session.bpf, own);
      const other = await open();
      company.look();
      assert.ok(company.seen);
      await other.close();
      company.look();
      assert.ok(company.seen, 'its programs were in the readings');
    } finally {
      await session.close();
    }
  });

  it('samples less after thinning', async () => {
    const session = await open({ probe: 'auto' }, { sampleEvery: 4 });
    try {
      const dense = await window(session);
      unwrap(session.thin(4));
      const thin = await window(session);
      const share = (delta: ProbeReading): number => taps(delta).count / (delta.devices[0]?.packets ?? 1);
      assert.ok(Math.abs(share(dense) - 1 / 4) < 0.06, String(share(dense)));
      assert.ok(Math.abs(share(thin) - 1 / 16) < 0.02, String(share(thin)));
      assert.equal(thin.sampleEvery, 16);
    } finally {
      await session.close();
    }
  });

  it('measures the stack span by generic XDP and says that it is generic', async () => {
    const session = await open({ probe: 'xdp' });
    try {
      const delta = await window(session);
      const span = delta.devices[0]?.spans.find((candidate) => candidate.span === 'stack');
      assert.ok(span && span.count > 50, JSON.stringify(delta.attach));
      assert.equal(span.mode, 'generic');
      assert.equal(delta.tier, 'stack');
      assert.equal(span.lost.badMagic + span.lost.foreignIfindex + span.lost.noMetadata, 0);
    } finally {
      assert.deepEqual((await session.close()).problems, []);
    }
    assert.equal(lab.facts().xdp, undefined);
  });

  it('records the offloads that native XDP takes from the peer, and that they came back', async () => {
    const choice = { probe: 'xdp', xdpMode: 'native', allowSystemChanges: true } as const;
    const both = [lab.facts(), lab.facts(lab.sender, lab.peer)];
    // XDP on one end only; the other is in the plan, so it is looked at.
    const plans = both.map((device, index) => planDevices([device], index === 0 ? choice : { probe: 'taps' }, can)[0]!);
    const session = unwrap(await openSession({ plans, capabilities: can }));
    assert.equal(session.tier, 'stack', JSON.stringify(session.read().attach));
    const closed = await session.close();
    assert.deepEqual(closed.problems, []);
    const done = closed.done.join('\n');
    assert.match(done, new RegExp(`XDP program \\(native\\) taken off ${lab.device}`));
    assert.match(done, new RegExp(`${lab.peer}: .*tx-tcp-segmentation.* changed by XDP and put back`));
    assert.deepEqual(lab.facts(lab.sender, lab.peer).features, both[1]?.features);
  });

  it('leaves an XDP program that is there alone, and reports it', async () => {
    const other = holder(can.tcx ? 'tcx' : 'clsact', 'generic');
    await ready(other);
    try {
      const before = lab.facts().xdp;
      assert.ok(before);
      const session = await open({ probe: 'xdp' });
      const stack = session.read().attach.find((status) => status.span === 'stack');
      assert.ok(stack);
      assert.equal(stack.attached, false);
      assert.match(stack.reason ?? '', /never replaced/);
      assert.equal(session.tier, 'taps');
      await session.close();
      assert.deepEqual(lab.facts().xdp, before);
    } finally {
      await kill(other);
      // Without TCX its filter outlives it.
      sweep(unwrap(loadLibbpf()), [lab.target()]);
    }
  });

  it("leaves another's clsact filter alone, on close and on sweep", async () => {
    const object = join(unwrap(findObjects()), 'device.bpf.o');
    run('tc', '-n', lab.receiver, 'qdisc', 'add', 'dev', lab.device, 'clsact');
    try {
      // Not ours, although it has the same bytes and the priority we like best: name and handle are somebody else's.
      const theirs = ['pref', '1', 'protocol', 'all', 'bpf', 'direct-action', 'object-file', object, 'section', 'tc'];
      run('tc', '-n', lab.receiver, 'filter', 'add', 'dev', lab.device, 'ingress', ...theirs);
      const before = filters();
      assert.match(before, /device\.bpf\.o/);
      const session = await open({ probe: 'taps', tc: 'clsact' });
      assert.match(filters(), /pktcost_in:\[/);
      assert.deepEqual((await session.close()).problems, []);
      assert.equal(filters(), before);
      const swept = sweep(unwrap(loadLibbpf()), [lab.target()]);
      assert.deepEqual(swept, { removed: [], problems: [] });
      assert.equal(filters(), before);
    } finally {
      run('tc', '-n', lab.receiver, 'qdisc', 'del', 'dev', lab.device, 'clsact');
    }
  });

  it('leaves nothing after SIGKILL where links hold it', async (test) => {
    if (!can.tcx) {
      test.skip('this kernel has no TCX');
      return;
    }
    const child = holder('tcx', 'generic');
    const ids = await ready(child);
    assert.ok(ids.length > 0);
    assert.deepEqual(await loaded(ids, 0), ids);
    await kill(child);
    await sleep(500);
    assert.deepEqual(await loaded(ids), []);
    assert.equal(lab.facts().xdp, undefined);
    assert.doesNotMatch(qdiscs(), /clsact/);
  });

  it('sweeps what SIGKILL leaves of a clsact session', async () => {
    const child = holder('clsact');
    await ready(child);
    await kill(child);
    assert.match(filters(), /pktcost_in/, 'a filter outlives its process');
    const swept = sweep(unwrap(loadLibbpf()), [lab.target()]);
    assert.equal(swept.removed.length, 1);
    assert.deepEqual(swept.problems, []);
    assert.doesNotMatch(qdiscs(), /clsact/);
  });

  it('removes its filter on SIGTERM', async () => {
    const child = holder('clsact');
    await ready(child);
    await kill(child, 'SIGTERM');
    assert.equal(child.signalCode, 'SIGTERM', 'the signal still ends the process');
    assert.doesNotMatch(qdiscs(), /clsact/);
  });

  for (const tc of ['auto', 'clsact'] as const)
    it(`${tc}: survives its device, and says that it has gone`, async () => {
      const brief = new Lab();
      try {
        const plans = planDevices([brief.facts()], { probe: 'auto', tc }, can);
        const session = unwrap(await openSession({ plans, capabilities: can }));
        assert.equal(session.read().devices[0]?.present, true);
        run('ip', '-n', brief.receiver, 'link', 'del', brief.device);
        const reading = session.read();
        const [first] = reading.devices;
        assert.ok(first);
        assert.equal(first.present, false);
        assert.match(first.note ?? '', /gone/);
        assert.deepEqual((await session.close()).problems, []);
        const last = session.read();
        assert.equal(last.devices[0]?.present, false);
        assert.equal(session.read(), last, 'after close the last reading stands');
      } finally {
        await brief.close();
      }
    });

  it('tries to price sockets and gives the reason where the kernel refuses', async () => {
    const session = await open({ probe: 'taps' }, { sockets: true });
    try {
      const status = session.read().attach.find((candidate) => candidate.span === 'sockets');
      assert.ok(status);
      if (!status.attached) assert.match(status.reason ?? '', /EPERM|refused|BTF/);
      assert.ok(session.tier === 'taps' || session.tier === 'sockets');
    } finally {
      await session.close();
    }
  });

  it('says what is missing instead of throwing', async () => {
    const plans = planDevices([lab.facts()], { probe: 'auto' }, can);
    const noLibrary = await openSession({ plans, capabilities: can, libbpf: 'libbpf.so.99' });
    assert.ok(!noLibrary.ok);
    assert.match(noLibrary.reason, /libbpf1/);
    const noBtf = await openSession({ plans, capabilities: readCapabilities('/nonexistent') });
    assert.ok(!noBtf.ok);
    assert.match(noBtf.reason, /BTF/);
    const noObjects = await openSession({ plans, capabilities: can, objectsDirectory: '/nonexistent' });
    assert.ok(!noObjects.ok);
    assert.match(noObjects.reason, /ENOENT/);
  });

  function holder(...args: string[]): ChildProcess {
    const script = fileURLToPath(new URL('./holder.js', import.meta.url));
    return spawn(process.execPath, [script, lab.receiver, lab.device, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** The ids of its programs. */
  function ready(child: ChildProcess): Promise<number[]> {
    return new Promise((resolve, reject) => {
      child.stdout?.once('data', (said: Buffer) => {
        resolve((said.toString().trim().split(' ')[2] ?? '').split(',').map(Number));
      });
      child.once('exit', () => {
        reject(new Error('the holder ended'));
      });
    });
  }

  async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    child.kill(signal);
    await ended;
  }
});
