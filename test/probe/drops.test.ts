/** The counter of drops on the running kernel: namespaces of our own, real drops. Needs root. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import type { DropsAnswer } from '../../src/readings/drops.ts';
import type { DropNamespace } from '../../src/probe/drop-names.ts';
import { DropCounter } from '../../src/probe/drops.ts';
import { Overhead } from '../../src/probe/overhead.ts';
import { KernelSymbols } from '../../src/probe/symbols.ts';
import { whyNoLab } from './lab.ts';

const NAME = `pktc-drops-${String(process.pid)}`;

function ip(...argv: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', argv, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

describe('the counter of drops', { skip: whyNoLab() }, () => {
  let namespaces: readonly DropNamespace[];

  before(() => {
    ip('netns', 'add', NAME);
    ip('-n', NAME, 'link', 'set', 'lo', 'up');
    const path = `/run/netns/${NAME}`;
    namespaces = [{ name: NAME, inode: statSync(path).ino, path }];
  });
  after(() => {
    ip('netns', 'delete', NAME);
  });

  async function open(list = namespaces, overhead = new Overhead(0.01)): Promise<DropCounter> {
    const opened = await DropCounter.open({
      procfs: '/proc',
      sysfs: '/sys',
      symbols: new KernelSymbols('/proc'),
      namespaces: () => list,
      overhead,
    });
    assert.ok(opened.ok, JSON.stringify(opened));
    return opened.value;
  }

  /** Datagrams to a port of loopback that nobody listens on, in the namespace. */
  function knock(count: number): void {
    const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(${String(count)}): s.sendto(b"x", ("127.0.0.1", 9))`;
    const { status, stderr } = spawnSync('ip', ['netns', 'exec', NAME, 'python3', '-c', script], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }

  function said(counter: DropCounter): DropsAnswer {
    const answer = counter.answer();
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value;
  }

  const here = ({ rows }: DropsAnswer): DropsAnswer['rows'] => rows.filter(({ netns }) => netns === NAME);

  it('names reason, function, device and namespace of each', async () => {
    const counter = await open();
    try {
      said(counter);
      knock(25);
      const answer = said(counter);
      const udp = here(answer).filter(({ location }) => location === '__udp4_lib_rcv');
      assert.deepEqual(udp, [
        { reason: 'NO_SOCKET', location: '__udp4_lib_rcv', device: 'lo', netns: NAME, packets: 25 },
      ]);
      assert.ok(answer.total >= 25 && answer.reasons);
    } finally {
      counter.close();
    }
  });

  it('counts all of a flood, though it looks at a part', async () => {
    const counter = await open();
    try {
      const before = said(counter);
      knock(60_000);
      const answer = said(counter);
      const told = here(answer).reduce((sum, { packets }) => sum + packets, 0);
      assert.ok(answer.total - before.total >= 60_000);
      // What was passed over since the last one that was looked at is still to be told.
      assert.ok(told > 59_000 && told < 62_000, String(told));
    } finally {
      counter.close();
    }
  });

  it('counts what is rare beside a flood, each of it, as long as the counter is there', async () => {
    const counter = await open();
    try {
      said(counter);
      const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r.bind(("127.0.0.1", 9001)); r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
for n in range(4000):
  s.sendto(b"x", ("127.0.0.1", 9))
  if n % 100 == 0: s.sendto(b"x" * 4000, ("127.0.0.1", 9001))`;
      const { status, stderr } = spawnSync('ip', ['netns', 'exec', NAME, 'python3', '-c', script], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      const rare = here(said(counter)).filter(({ reason }) => reason === 'SOCKET_RCVBUFF');
      const packets = rare.reduce((sum, row) => sum + row.packets, 0);
      const text = spawnSync('ip', ['netns', 'exec', NAME, 'cat', '/proc/net/snmp'], { encoding: 'utf8' }).stdout;
      const [names, counts] = text
        .split('\n')
        .filter((line) => line.startsWith('Udp:'))
        .map((line) => line.split(' '));
      assert.equal(packets, Number(counts?.[names?.indexOf('RcvbufErrors') ?? -1]));
      assert.ok(packets >= 30, String(packets));
    } finally {
      counter.close();
    }
  });

  it('tells drops elsewhere without naming the place', async () => {
    const counter = await open([]);
    try {
      knock(5);
      const found = said(counter).rows.find(({ location }) => location === '__udp4_lib_rcv');
      assert.deepEqual([found?.netns, found?.device], ['(elsewhere)', '']);
    } finally {
      counter.close();
    }
  });

  it('is gone when it is closed, and its last answer stands', async () => {
    const counter = await open();
    knock(5);
    const last = said(counter);
    counter.close();
    knock(5);
    assert.deepEqual(said(counter), last);
    assert.doesNotMatch(spawnSync('bpftool', ['prog'], { encoding: 'utf8' }).stdout, /pktcost_drop\b.*\n.*pids node/);
  });

  it('stays where spans and profile have the whole budget for a while: they make room, and a loss has to be told', async () => {
    const overhead = new Overhead(0.01);
    overhead.takes('spans', () => 0.02);
    const counter = await open(namespaces, overhead);
    try {
      counter.watch();
      knock(5000);
      counter.watch();
      assert.ok(here(said(counter)).some(({ packets }) => packets >= 4000));
    } finally {
      counter.close();
    }
  });

  it('leaves when it would cost more than it may', async () => {
    const counter = await open(namespaces, new Overhead(1e-9));
    counter.watch();
    knock(200);
    counter.watch();
    const answer = counter.answer();
    assert.ok(!answer.ok && /above the budget/.test(answer.reason), JSON.stringify(answer));
  });
});
