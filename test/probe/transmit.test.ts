/** Sent packets on real devices: what taps take of them, by the way that they come there. The floors, without a host. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../src/base/result.ts';
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { openSession, type ProbeSession } from '../../src/probe/session.ts';
import { calibrateTransmit, transmitFloors } from '../../src/probe/transmit-floor.ts';
import type { Floor } from '../../src/readings/answer.ts';
import { bucketOf, emptySpan, quantile } from '../../src/readings/histogram.ts';
import {
  subtractReadings,
  type TransmitReading,
  type TransmitWay,
  type WayReading,
} from '../../src/readings/reading.ts';
import { Lab, run, whyNoLab } from './lab.ts';

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) assert.fail(result.reason);
  return result.value;
}

describe('taps on sent packets', { skip: whyNoLab() }, () => {
  let lab: Lab;

  before(async () => {
    lab = new Lab();
    await lab.serve();
  });
  after(async () => {
    await lab.close();
  });

  async function open(): Promise<ProbeSession> {
    const can = readCapabilities();
    const plans = planDevices([lab.facts(lab.sender, lab.peer)], { probe: 'auto' }, can);
    const session = unwrap(await openSession({ plans, capabilities: can }));
    await session.watchTransmit();
    assert.ok(session.transmit, JSON.stringify(session.read().attach));
    return session;
  }

  /** What the sender's device sent until one of the ways has enough samples. */
  async function sent(session: ProbeSession, kind: 'tcp' | 'udp', way: TransmitWay): Promise<WayReading> {
    const first = session.read();
    const load = lab.traffic(kind, 2, kind === 'udp' ? 20_000 : 0);
    const count = (): WayReading | undefined =>
      subtractReadings(first, session.read()).transmit?.[0]?.ways.find((each) => each.way === way);
    for (let waited = 0; waited < 10_000 && (count()?.count ?? 0) < 500; waited += 50) await sleep(50);
    await load;
    const found = count();
    assert.ok(found !== undefined && found.count >= 200, `${way}: ${JSON.stringify({ ...found, buckets: [] })}`);
    return found;
  }

  const median = (span: WayReading): number => quantile(span, 0.5) ?? 0;

  async function tapped(work: () => Promise<WayReading>): Promise<WayReading> {
    const before = lab.hooks(lab.sender);
    const taps = [0, 1].map(() => lab.start(lab.sender, 'tcpdump', '-i', lab.peer, '-w', '/dev/null', '-Z', 'root'));
    for (let waited = 0; waited < 10_000 && lab.hooks(lab.sender) < before + 2; waited += 50) await sleep(50);
    try {
      return await work();
    } finally {
      for (const tap of taps) await lab.stop(tap);
    }
  }

  const queues: readonly (readonly [string, readonly string[], TransmitWay])[] = [
    ['no queue', ['noqueue'], 'direct'],
    ['a queue that may be bypassed', ['pfifo_fast'], 'direct'],
    ['a queue that is not', ['tbf', 'rate', '10gbit', 'burst', '1m', 'latency', '50ms'], 'dequeued'],
  ];
  for (const [name, qdisc, way] of queues) {
    it(`${name}: two captures make the span several times as long`, async () => {
      run('tc', '-n', lab.sender, 'qdisc', 'replace', 'dev', lab.peer, 'root', ...qdisc);
      const session = await open();
      try {
        const bare = await sent(session, 'udp', way);
        const captured = await tapped(() => sent(session, 'udp', way));
        assert.ok(median(captured) > 2 * median(bare), `${median(bare)} -> ${median(captured)}`);
        assert.deepEqual(session.read().gaps, []);
      } finally {
        const closed = await session.close();
        assert.deepEqual(closed.problems, []);
      }
    });
  }

  it('segments that the kernel cuts are timed from one to the next', async () => {
    run('tc', '-n', lab.sender, 'qdisc', 'replace', 'dev', lab.peer, 'root', 'noqueue');
    run('ip', 'netns', 'exec', lab.sender, 'ethtool', '-K', lab.peer, 'tso', 'off');
    const session = await open();
    try {
      const bare = await sent(session, 'tcp', 'follows');
      const captured = await tapped(() => sent(session, 'tcp', 'follows'));
      assert.ok(median(captured) > 2 * median(bare), `${median(bare)} -> ${median(captured)}`);
    } finally {
      await session.close();
      run('ip', 'netns', 'exec', lab.sender, 'ethtool', '-K', lab.peer, 'tso', 'on');
    }
  });

  it('are calibrated over lo of a namespace of its own', async () => {
    const session = await open();
    try {
      const floor = unwrap(await calibrateTransmit(session));
      assert.equal(floor.method, 'calibrated');
      assert.ok(floor.p50Ns > 0 && floor.uncertaintyNs > 0 && floor.samples >= 100, JSON.stringify(floor));
    } finally {
      await session.close();
    }
  });

  it('rest and come back with the others, and their time is counted', async () => {
    const session = await open();
    try {
      unwrap(await session.tracepoints.rest());
      const resting = session.read();
      await lab.traffic('udp', 1, 1000);
      const still = subtractReadings(resting, session.read());
      assert.deepEqual([still.transmitCalls, still.transmitNs], [0, 0]);
      assert.ok(
        still.transmit?.every(({ packets }) => packets === 0),
        'nothing is made up in a rest',
      );
      unwrap(await session.tracepoints.resume());
      const back = await sent(session, 'udp', 'direct');
      assert.ok(back.count > 0);
      assert.ok((session.read().transmitNs ?? 0) > (resting.transmitNs ?? 0));
    } finally {
      await session.close();
    }
  });
});

describe('the floor of sent packets', () => {
  const span = (way: TransmitWay, count: number, ns: number): WayReading => ({
    ...emptySpan(),
    way,
    count,
    sumNs: count * ns,
    minNs: ns,
    maxNs: ns,
    buckets: [[bucketOf(ns), count]],
  });
  const device = (name: string, ifindex: number, queue: string, ...ways: WayReading[]): TransmitReading => ({
    device: name,
    ifindex,
    netns: '100',
    queue,
    ways,
  });
  const calibrated: Floor = {
    method: 'calibrated',
    sampleEvery: 16,
    samples: 100,
    p50Ns: 100,
    avgNs: 100,
    uncertaintyNs: 35,
  };
  const tapped = ({ device: name }: TransmitReading): boolean => name === 'eth0';
  const eth0 = device('eth0', 2, 'noqueue', span('direct', 1000, 500), span('follows', 1000, 300));
  const methodsOf = (others: readonly TransmitReading[], floor: Result<Floor> = ok(calibrated)): string[] =>
    transmitFloors([eth0, ...others], 16, tapped, floor)
      .filter(({ ifindex }) => ifindex === 2)
      .map(({ way, floor: { method, p50Ns } }) => `${way} ${method} ${Math.round(p50Ns)}`);

  it('is that of a device without a tap, with the same kind of queue and on the same way', () => {
    const alike = device('eth1', 3, 'noqueue', span('direct', 1000, 20), span('follows', 1000, 21));
    assert.deepEqual(methodsOf([alike]), ['direct measured-on:eth1 20', 'follows measured-on:eth1 21']);
  });

  it('is not that of a device with another queue, of few samples, or of one far above what was calibrated', () => {
    const expected = ['direct calibrated 100', 'follows calibrated 41'];
    assert.deepEqual(methodsOf([device('eth1', 3, 'fq', span('direct', 1000, 20))]), expected);
    assert.deepEqual(methodsOf([device('eth1', 3, 'noqueue', span('direct', 199, 20))]), expected);
    assert.deepEqual(methodsOf([device('eth1', 3, 'noqueue', span('direct', 1000, 300))]), expected);
  });

  it('is the shipped one, with the reason, where nothing was calibrated', () => {
    const [first] = transmitFloors([eth0], 16, tapped, fail('no namespace'));
    assert.equal(first?.floor.method, 'shipped');
    assert.equal(first.floor.reason, 'no namespace');
    assert.deepEqual(methodsOf([], fail('no namespace')), ['direct shipped 110', 'follows shipped 45']);
  });
});
