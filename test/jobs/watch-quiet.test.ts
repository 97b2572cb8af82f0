import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { atOnce } from '../../src/base/steps.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { InetSockets } from '../../src/collectors/dumps.ts';
import type { Reader } from '../../src/collectors/reader.ts';
import type { Report } from '../../src/generated/report.ts';
import { judgeInSteps } from '../../src/jobs/judge.ts';
import { everything, QuietWindows } from '../../src/jobs/watch/quiet.ts';
import { Stirring, stirs } from '../../src/jobs/watch/stirred.ts';
import { rules } from '../../src/rules/index.ts';
import { template } from '../../src/rules/template.ts';
import type { Rule } from '../../src/rules/rule.ts';
import {
  cpuSeconds,
  netstat,
  pressureCpuWaiting,
  pressureIoWaiting,
  pressureMemoryWaiting,
  softnetProcessed,
} from '../../src/metrics/catalogue/index.ts';
import type { Snapshot } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { ok } from '../../src/base/result.ts';
import { samplePieces, type Pieces } from '../../src/sources/piecewise.ts';
import { replaySample } from '../../src/sources/replay.ts';
import { takeSample, type NamespaceView } from '../../src/sources/take-sample.ts';
import { windowOf } from '../support/window.ts';
import { fakeReader } from '../support/reader.ts';

const fixture = (path: string): string =>
  readFileSync(new URL(`../../../test/fixtures/${path}`, import.meta.url), 'latin1');

const netstatFile = (overflows: number, segments = 100): string =>
  `TcpExt: ListenOverflows ListenDrops TCPReqQFullDrop\nTcpExt: ${overflows} ${overflows} 0\n`.concat(
    `IpExt: InNoRoutes InOctets\nIpExt: 0 ${segments}\n`,
  );
const snmpFile = (segments: number): string =>
  `Tcp: PassiveOpens InSegs OutSegs RetransSegs\nTcp: ${segments} ${segments} ${segments} 0\n` +
  'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors\nUdp: 0 0 0 0 0 0 0\n';

const listener = { family: 'v4', address: '127.0.0.1', port: 8080, inode: 52017 } as const;
const nothing: InetSockets = {
  listeners: [],
  udp: [],
  boundUdp: [],
  slowReaders: [],
  stalledSenders: [],
  tcpDrops: [],
  ports: [],
  slowReadersSkipped: null,
  udpQueues: null,
};

const node = '/sys/devices/system/node/node0';

/** A namespace in memory, in which connections come and listeners overflow. */
class FakeNamespace {
  segments = 100;
  overflows = 0;
  #asked = 0;
  #reads = 0;
  #memoryReads = 0;

  /** Questions to sockets: what is dear on a live host. */
  get asked(): number {
    return this.#asked;
  }

  get reads(): number {
    return this.#reads;
  }

  /** Of its only memory node. */
  get memoryReads(): number {
    return this.#memoryReads;
  }

  get reader(): Reader {
    const below = fakeReader({
      files: {
        '/proc/stat': fixture('cpu/stat-6.18'),
        '/proc/net/softnet_stat': fixture('softnet/softnet_stat-6.18'),
        '/proc/net/netstat': netstatFile(this.overflows, this.segments),
        '/proc/net/snmp': snmpFile(this.segments),
        '/proc/sys/kernel/osrelease': '6.18.0\n',
        '/proc/sys/net/core/somaxconn': '4096\n',
        [`${node}/meminfo`]: 'Node 0 MemTotal: 4000 kB\nNode 0 MemFree: 1000 kB\n',
        [`${node}/numastat`]: 'numa_hit 100\nnuma_miss 0\nnuma_foreign 0\n',
        [`${node}/cpulist`]: '0-3\n',
      },

      dumps: {
        inet_diag: {
          ...nothing,
          listeners: [{ ...listener, queue: 0, limit: 1, drops: this.overflows }],
        },
        socket_owners: [],
        sysconf: { clockTicks: 100, pageSize: 4096 },
      },
    });
    let lastReadAt = 0;
    const timed = <T>(answer: T): T => {
      lastReadAt = performance.now() / 1000;
      return answer;
    };
    return {
      get lastReadAt() {
        return lastReadAt;
      },
      read: (path) => {
        this.#reads += 1;
        if (path === `${node}/meminfo`) this.#memoryReads += 1;
        return timed(below.read(path));
      },
      list: (path) => timed(below.list(path)),
      link: (path) => timed(below.link(path)),
      dump: (name, inodes) => {
        if (name === 'inet_diag') this.#asked += 1;
        return timed(below.dump(name, inodes));
      },
    };
  }
}

/** A reader that sees what the namespace is now. */
const readerOf = (namespace: FakeNamespace): Reader => {
  let last: Reader = namespace.reader;
  const now = (): Reader => (last = namespace.reader);
  return {
    get lastReadAt() {
      return last.lastReadAt;
    },
    read: (path) => now().read(path),
    list: (path) => now().list(path),
    link: (path) => now().link(path),
    dump: (name, inodes) => now().dump(name, inodes),
  };
};

const viewOf = (name: string, namespace: FakeNamespace): NamespaceView => ({
  name,
  path: `/run/netns/${name}`,
  visit: (look) => {
    look(readerOf(namespace));
    return ok(undefined);
  },
});

const wanted = collectors.filter(({ id }) => id !== 'programs' && id !== 'netfilter');

function watchOf(own: FakeNamespace, others: Readonly<Record<string, FakeNamespace>> = {}) {
  const host: Pieces = {
    reader: readerOf(own),
    collectors: wanted,
    keep: () => true,
    namespaces: () => Object.entries(others).map(([name, namespace]) => viewOf(name, namespace)),
  };
  const windows = new QuietWindows(host, {}, ([before, after]) =>
    judgeInSteps({
      window: new Window(before.snapshot(), after.snapshot()),
      requestedSeconds: 10,
      cutShort: false,
      overrides: {},
      version: '0.1.0',
      self: () => ({ cpuSeconds: 0, peakMemoryBytes: 0 }),
    }),
  );
  let before = atOnce(samplePieces(host, everything));
  return {
    host,
    /** The next window. */
    look: (): Report => {
      const { after, report } = atOnce(windows.look(before));
      before = after;
      return report;
    },
    get now() {
      return before;
    },
  };
}

const firedIn = ({ findings }: Report): string[] =>
  findings
    .filter(({ outcome }) => outcome === 'critical' || outcome === 'warning')
    .map(({ code, place }) => `${code} ${place.netns ?? ''}`.trim());

const shown = (snapshot: Snapshot): unknown =>
  snapshot
    .metrics()
    .flatMap((metric) => snapshot.series(metric).map(({ labels, value }) => [metric.name, labels, value]));

describe('the windows of a watch in which nothing is wrong', () => {
  it('ask for no sockets while connections come and go, and say what the whole of the host said', () => {
    const own = new FakeNamespace();
    const { look } = watchOf(own);
    const first = look();
    assert.deepEqual(firedIn(first), []);
    const { asked } = own;
    for (let window = 0; window < 20; window++) {
      own.segments += 500;
      const report = look();
      assert.deepEqual(report.findings, first.findings);
      assert.notEqual(report.window.endedAt, '');
    }
    assert.equal(own.asked, asked);
  });

  it('do not read again what the memory of a host with one node holds, whose allocations go nowhere else', () => {
    const own = new FakeNamespace();
    const { look } = watchOf(own);
    look();
    const { memoryReads } = own;
    assert.ok(memoryReads > 0);
    own.segments += 500;
    look();
    assert.equal(own.memoryReads, memoryReads);
  });

  it('read in other namespaces only what counts losses', () => {
    const others = { blue: new FakeNamespace(), green: new FakeNamespace() };
    const { look } = watchOf(new FakeNamespace(), others);
    look();
    const [{ asked }, reads] = [others.blue, others.blue.reads];
    look();
    assert.equal(others.blue.asked, asked);
    assert.ok(others.blue.reads - reads <= 20, `${others.blue.reads - reads} files`);
  });
});

describe('a fault that is over before the window is', () => {
  for (const where of ['own', 'blue'] as const) {
    it(`is found in the window in which it was, with its listener, in ${where}`, () => {
      const [own, blue] = [new FakeNamespace(), new FakeNamespace()];
      const { look } = watchOf(own, { blue });
      const sick = where === 'own' ? own : blue;
      for (let window = 0; window < 5; window++) {
        own.segments += 500;
        assert.deepEqual(firedIn(look()), []);
      }
      sick.overflows += 40;
      const report = look();
      assert.ok(firedIn(report).includes(where === 'own' ? 'PKT0401' : 'PKT0401 blue'), firedIn(report).join());
      const finding = report.findings.find(({ code, outcome }) => code === 'PKT0401' && outcome !== 'ok');
      assert.match(finding!.summary, /127\.0\.0\.1:8080/);
      sick.segments += 10;
      assert.deepEqual(firedIn(look()), [], 'it was told twice');
      sick.overflows += 40;
      assert.ok(firedIn(look()).length > 0, 'the second time was not seen');
    });
  }

  it('that is no warning is not said of the windows after it', () => {
    const own = new FakeNamespace();
    const { look } = watchOf(own);
    const mentioned = ({ findings }: Report): string[] =>
      findings.filter(({ outcome }) => outcome === 'info').map(({ code }) => code);
    const full: string[][] = [];
    own.overflows += 2;
    full.push(mentioned(look()));
    full.push(mentioned(look()));
    own.segments += 500;
    full.push(mentioned(look()));
    assert.deepEqual(full, [['PKT0401'], [], []]);
  });

  it('is told by its own figures in each window for as long as it stays', () => {
    const own = new FakeNamespace();
    const { look } = watchOf(own);
    look();
    for (const lost of [40, 70, 110]) {
      own.overflows += lost;
      const finding = look().findings.find(({ code, outcome }) => code === 'PKT0401' && outcome !== 'ok');
      assert.match(finding!.summary, new RegExp(`\\b${lost}\\b`));
    }
  });
});

describe('a sample in pieces', () => {
  it('is what one pass would have read, whatever of it was carried over', () => {
    const [own, blue] = [new FakeNamespace(), new FakeNamespace()];
    const watched = watchOf(own, { blue });
    watched.look();
    own.segments += 5;
    blue.overflows += 1;
    watched.look();
    const whole = takeSample({
      reader: readerOf(own),
      collectors: wanted,
      namespaces: [viewOf('blue', blue)],
    });
    const pieces = watched.now.snapshot();
    assert.deepEqual(shown(pieces), shown(whole));
    const told = ({ collectors: reports }: Snapshot): unknown =>
      reports.map(({ id, netns, status, gaps }) => ({ id, netns, status, gaps }));
    assert.deepEqual(told(pieces), told(whole));
  });

  it('is recorded so that a replay gives the same', () => {
    const [own, blue] = [new FakeNamespace(), new FakeNamespace()];
    const watched = watchOf(own, { blue });
    watched.look();
    own.segments += 5;
    watched.look();
    const replayed = replaySample(watched.now.recording(), wanted);
    const pieces = watched.now.snapshot();
    const timed = (snapshot: Snapshot): unknown =>
      snapshot
        .metrics()
        .flatMap((metric) => snapshot.series(metric).map(({ labels, value, at }) => [metric.name, labels, value, at]));
    assert.deepEqual(timed(replayed), timed(pieces));
  });

  it('has the time of the latest reading where a file says the same again', () => {
    const own = new FakeNamespace();
    const watched = watchOf(own);
    watched.look();
    const metric = netstat.member('TcpExt_ListenOverflows');
    const before = watched.now.snapshot().series(metric)[0]!;
    watched.look();
    const after = watched.now.snapshot().series(metric)[0]!;
    assert.ok(after.at > before.at);
    assert.ok(after.at >= watched.now.at);
  });
});

describe('what a watch reads each time', () => {
  it('holds a counter of each rule about losses, so that a fault between two full looks is seen', () => {
    const blind = rules.filter(({ signals, watched }) => {
      const metrics = Object.values(signals).flatMap((signal) => ('of' in signal ? signal.of.metrics : signal.metrics));
      const required = Object.values(signals).flatMap((signal) =>
        'of' in signal ? (signal.kind === 'list' && signal.required ? signal.of.metrics : []) : signal.metrics,
      );
      const probed = required.some(({ collector }) => collector === 'profile' || collector === 'ebpf');
      const load = watched !== undefined && 'from' in watched;
      return !probed && !load && !metrics.some((metric) => stirs(metric));
    });
    // Each that is not looked at then says why it need not be, and no other does.
    const seldom = rules.filter(({ watched }) => watched !== undefined && 'seldom' in watched);
    assert.deepEqual(
      blind.map(({ code }) => code),
      seldom.map(({ code }) => code),
    );
  });

  it('looks at a rule about load from the load on that the rule itself names', () => {
    const busy = (perSecond: number): Window =>
      windowOf({ cells: [[softnetProcessed, { cpu: '0' }, 0, 10 * perSecond]] });
    const rule: Rule = { ...template, watched: { from: { packetsPerSecond: 700 } } };
    const stirred = (perSecond: number): readonly string[] => {
      const { before, after } = busy(perSecond);
      return [...new Stirring([rule], {}).after([before, after], new Map(), new Set()).stirred];
    };
    assert.deepEqual([stirred(699), stirred(700)], [[], [template.code]]);
  });

  it('looks at no rule for who waits for CPUs and disks, nor for what softirq takes of a host that is merely in use', () => {
    const stirred = (cells: Parameters<typeof windowOf>[0]['cells']): readonly string[] => {
      const { before, after } = windowOf({ cells });
      return [...new Stirring(rules, {}).after([before, after], new Map(), new Set()).stirred];
    };
    assert.deepEqual(
      stirred([
        [pressureCpuWaiting, {}, 0, 6],
        [pressureIoWaiting, {}, 0, 6],
        [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 0.5],
        [cpuSeconds, { cpu: '0', mode: 'steal' }, 0, 0.4],
        [softnetProcessed, { cpu: '0' }, 0, 400],
      ]),
      [],
    );
    assert.deepEqual(stirred([[pressureMemoryWaiting, {}, 0, 0.5]]), ['PKT0604']);
    assert.deepEqual(stirred([[cpuSeconds, { cpu: '0', mode: 'steal' }, 0, 0.6]]), ['PKT0606']);
  });
});
