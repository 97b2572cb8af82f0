import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackTable,
  cpuTimes,
  expectFinding,
  found,
  groups,
  host,
  judgeCopy,
  netdev,
  pairOf,
  softnet,
  type Copy,
} from '../support/copies.ts';
import { bytesOf } from '../support/fixture.ts';
import { sickFiles } from '../support/sick-host.ts';
import { sickReport } from '../support/sick-report.ts';
import { parseConntrackCommand, parseNetstatCommand } from '../../src/sources/sos/counters.ts';
import { parseIpLinkCommand } from '../../src/sources/sos/links.ts';

/** Of a host with four CPUs. */
const cpus = (online: string): Copy => ({
  'sys/devices/system/cpu/online': `${online}\n`,
  'sys/devices/system/cpu/possible': `${online}\n`,
});

const quiet = groups({
  TcpExt: {
    ...Object.fromEntries(
      'ListenOverflows ListenDrops TCPReqQFullDrop TCPReqQFullDoCookies PruneCalled RcvPruned OfoPruned TCPBacklogDrop PFMemallocDrop TCPMemoryPressures TCPAbortOnMemory TCPTimeouts TCPLostRetransmit TCPTimeWaitOverflow IPReversePathFilter TCPSynRetrans TCPRcvQDrop'
        .split(' ')
        .map((name) => [name, 0]),
    ),
  },
  IpExt: { InNoRoutes: 0, InCsumErrors: 0 },
});

const notInOrder = (outcome: string): void => {
  assert.ok(outcome !== 'ok' && outcome !== 'not-applicable', outcome);
};

describe('a NIC in a copy that followed the links of /sys/class/net', () => {
  const nic = (missed: number): Copy => ({
    'sys/class/net/eth0/flags': '0x1003\n',
    'sys/class/net/eth0/ifindex': '2\n',
    'sys/class/net/eth0/iflink': '2\n',
    'sys/class/net/eth0/statistics/rx_missed_errors': `${missed}\n`,
    'sys/class/net/eth0/statistics/rx_packets': '1000\n',
    'proc/net/dev': netdev({ eth0: { packets: 1000 + missed } }),
  });

  it('is not taken for a virtual device where its `device` was lost: what its ring lost is not measured', () => {
    const judged = judgeCopy(pairOf(host('6.1.0-18-amd64'), nic(0), nic(500)));
    const finding = found(judged, 'PKT0501');
    assert.equal(finding.outcome, 'not-measured');
    assert.match(JSON.stringify(finding.missing), /whether it is hardware is not known/);
  });

  it('is not passed over beside another one that is whole', () => {
    const other: Copy = {
      'sys/class/net/eth1/flags': '0x1003\n',
      'sys/class/net/eth1/ifindex': '3\n',
      'sys/class/net/eth1/device/uevent': 'DRIVER=e1000e\n',
      'sys/class/net/eth1/statistics/rx_missed_errors': '0\n',
    };
    const dev = (packets: number): Copy => ({
      'proc/net/dev': netdev({ eth0: { packets }, eth1: { packets } }),
    });
    const judged = judgeCopy(
      pairOf({ ...host('6.1.0-18-amd64'), ...other }, { ...nic(0), ...dev(5) }, { ...nic(500), ...dev(9000) }),
    );
    assert.equal(found(judged, 'PKT0501', { device: 'eth0' }).outcome, 'not-measured');
    assert.equal(found(judged, 'PKT0501', { device: 'eth1' }).outcome, 'ok');
  });

  it('is a tunnel where it asks for no addresses', () => {
    const judged = judgeCopy({ ...nic(0), 'sys/class/net/eth0/flags': '0xc3\n' });
    assert.equal(found(judged, 'PKT0501').outcome, 'not-applicable');
  });

  it('whose row of /proc/net/dev was cut off is not measured', () => {
    const judged = judgeCopy({
      ...nic(500),
      'sys/class/net/eth0/device/uevent': 'DRIVER=e1000e\n',
      'proc/net/dev': netdev({ lo: { packets: 10 } }),
    });
    notInOrder(found(judged, 'PKT0501').outcome);
  });
});

describe('NUMA nodes in a copy', () => {
  const node = (id: number, list: string): Copy => ({
    [`sys/devices/system/node/node${id}/cpulist`]: `${list}\n`,
    [`sys/devices/system/node/node${id}/meminfo`]: `Node ${id} MemTotal: 9 kB\n`,
    [`sys/devices/system/node/node${id}/numastat`]: 'numa_hit 1\n',
  });
  const irqs = (count: number): string =>
    `           CPU0       CPU1       CPU2       CPU3\n 30: ${count} 0 0 0 PCI-MSI 524288-edge eth0-rx-0\n`;
  const pci = 'sys/devices/pci0000:00/0000:00:03.0';
  const eth0 = {
    'sys/class/net/eth0@': '../../devices/pci0000:00/0000:00:03.0/net/eth0',
    [`${pci}/net/eth0/flags`]: '0x1003\n',
    [`${pci}/net/eth0/ifindex`]: '2\n',
    [`${pci}/numa_node`]: '1\n',
    [`${pci}/msi_irqs/30`]: 'msi\n',
  };
  const judge = (nodes: Copy): ReturnType<typeof judgeCopy> =>
    judgeCopy(
      pairOf(
        { ...host('6.1.0-18-amd64'), ...cpus('0-3'), ...eth0, ...nodes },
        {
          'proc/interrupts': irqs(10),
          'proc/net/dev': netdev({ eth0: { packets: 10 } }),
          'proc/stat': cpuTimes([0, 1, 2, 3], 1000),
        },
        {
          'proc/interrupts': irqs(900_000),
          'proc/net/dev': netdev({ eth0: { packets: 5_000_000 } }),
          'proc/stat': cpuTimes([0, 1, 2, 3], 1010),
        },
      ),
    );
  const online = { 'sys/devices/system/node/online': '0-1\n', 'sys/devices/system/node/possible': '0-1\n' };

  it('tell of the way across where both are there', () => {
    const judged = judge({ ...online, ...node(0, '0-1'), ...node(1, '2-3') });
    assert.equal(found(judged, 'PKT0301').outcome, 'warning', JSON.stringify(found(judged, 'PKT0301').missing));
  });

  for (const [name, nodes] of Object.entries<Copy>({
    'both without their folders': online,
    'one without its folder': { ...online, ...node(0, '0-1') },
    'one without its folder, and no list of them': node(0, '0-1'),
    'one with a list that was cut': { ...online, ...node(0, '0-1'), ...node(1, '2') },
    'one with an empty list': { ...online, ...node(0, '0-1'), ...node(1, '') },
    'one with a number that was cut': { ...online, ...node(0, '0-1'), 'sys/devices/system/node/node1/cpulist': '2-' },
    'folders of which nothing was copied but memory': {
      ...online,
      'sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal: 9 kB\n',
      'sys/devices/system/node/node1/meminfo': 'Node 1 MemTotal: 9 kB\n',
    },
  })) {
    it(`${name} are not taken for a host without NUMA`, () => {
      const finding = found(judge(nodes), 'PKT0301');
      notInOrder(finding.outcome);
      assert.doesNotMatch(JSON.stringify(finding), /built without NUMA|has no interrupts|has interrupts of its own/);
    });
  }
});

describe('a table with fewer rows than the host has CPUs', () => {
  const stat = (drops: readonly number[]): string =>
    `entries  searched found insert_failed drop early_drop\n${drops
      .map((drop) => [900, 0, 0, 0, drop, 0].map((cell) => cell.toString(16).padStart(8, '0')).join(' '))
      .join('\n')}\n`;
  const command = (drops: readonly number[]): string =>
    drops
      .map(
        (drop, cpu) =>
          `cpu=${cpu} found=0 invalid=0 insert=0 insert_failed=0 drop=${drop} early_drop=0 error=0 search_restart=0 \n`,
      )
      .join('');
  const full = { ...host('6.1.0-18-amd64'), ...conntrackTable(1000, 1000), ...cpus('0-3') };

  it('of conntrack is whole with all of them', () => {
    const judged = judgeCopy({ ...full, 'proc/net/stat/nf_conntrack': stat([0, 0, 0, 9000]) });
    expectFinding(judged, 'PKT0201', ['warning', 'possible', /9,000 packets were dropped since boot/]);
  });

  for (const [name, content] of Object.entries({
    'a row less': stat([0, 0, 0]),
    'a cut number': stat([0, 0, 0, 9000]).slice(0, -12),
    'no column of drops': stat([0, 0, 0, 9000]).replaceAll(/^((?:\S+ +){4})\S+ /gm, '$1'),
  })) {
    it(`of conntrack with ${name} tells nothing`, () => {
      notInOrder(found(judgeCopy({ ...full, 'proc/net/stat/nf_conntrack': content }), 'PKT0201').outcome);
    });
  }

  it('of conntrack may miss some where nothing lists the CPUs: it proves no health, and what it shows stands', () => {
    const unknown = { ...host('6.1.0-18-amd64'), ...conntrackTable(10, 1000) };
    notInOrder(found(judgeCopy({ ...unknown, 'proc/net/stat/nf_conntrack': stat([0, 0, 0]) }), 'PKT0201').outcome);
    const sick = { ...unknown, ...conntrackTable(1000, 1000), 'proc/net/stat/nf_conntrack': stat([7000]) };
    assert.equal(found(judgeCopy(sick), 'PKT0201').outcome, 'warning');
  });

  it('of conntrack -S tells nothing, cut at a line, within one, or within a number', () => {
    const whole = command([0, 0, 0, 9000]);
    const commandOf = (content: string): Copy => ({ ...full, 'sos_commands/networking/conntrack_-S': content });
    assert.equal(found(judgeCopy(commandOf(whole)), 'PKT0201').outcome, 'warning');
    for (const cut of [command([0, 0]), whole.slice(0, whole.indexOf('drop=9000') + 6), whole.slice(0, -30)])
      notInOrder(found(judgeCopy(commandOf(cut)), 'PKT0201').outcome);
    assert.equal(parseConntrackCommand(bytesOf(whole.replace('drop=9000 ', ''))).ok, false);
  });

  it('of the backlogs leaves the CPU that is missing not measured, whatever lists it', () => {
    const rows = [0, 1, 2].map((cpu) => ({ counts: [1000, 0, 0], cpu }));
    const lists: readonly Copy[] = [
      cpus('0-3'),
      { 'proc/stat': cpuTimes([0, 1, 2, 3], 1000) },
      {
        'proc/interrupts': '           CPU0       CPU1       CPU2       CPU3\n 30: 1 0 0 0 PCI-MSI 524288-edge eth0\n',
      },
    ];
    for (const list of lists) {
      const judged = judgeCopy({ ...host('6.1.0-18-amd64'), ...list, 'proc/net/softnet_stat': softnet(rows, 13) });
      assert.equal(found(judged, 'PKT0502', { cpu: '3' }).outcome, 'not-measured');
    }
    const unlisted = judgeCopy({ ...host('6.1.0-18-amd64'), 'proc/net/softnet_stat': softnet(rows, 13) });
    assert.ok(
      unlisted.report.findings.some(
        ({ code, outcome, missing }) =>
          code === 'PKT0502' &&
          outcome === 'not-measured' &&
          /no list of them was copied/.test(JSON.stringify(missing)),
      ),
    );
  });

  it('of the backlogs with rows of unlike length, or shorter than the kernel prints, is refused', () => {
    const row = (width: number, cpu: number): string => softnet([{ counts: [1000, 90, 0], cpu }], width);
    for (const [release, content] of [
      ['6.1.0-18-amd64', row(13, 0) + row(12, 1)],
      ['6.1.0-18-amd64', row(9, 0) + row(9, 1)],
    ] as const) {
      const judged = judgeCopy({ ...host(release), ...cpus('0-1'), 'proc/net/softnet_stat': content });
      assert.equal(found(judged, 'PKT0502').outcome, 'not-measured', release);
    }
    const old = judgeCopy({
      ...host('2.6.32-754.el6.x86_64'),
      ...cpus('0-1'),
      'proc/net/softnet_stat': row(9, 0) + row(9, 1),
    });
    assert.equal(found(old, 'PKT0502').outcome, 'warning');
  });
});

describe('a counter that every kernel prints', () => {
  const netstat = (release: string, table: string): ReturnType<typeof judgeCopy> =>
    judgeCopy({ ...host(release), 'proc/net/netstat': table, 'proc/net/snmp': groups({ Tcp: { InSegs: 9 } }) });
  const without = (name: string): string => {
    const [names = [], values = [], ...rest] = quiet.split('\n').map((line) => line.split(' '));
    const column = names.indexOf(name);
    assert.ok(column > 0);
    return [names.toSpliced(column, 1), values.toSpliced(column, 1), ...rest]
      .map((words) => words.join(' '))
      .join('\n');
  };

  it('and is not in the table was cut off, and is not zero', () => {
    assert.equal(found(netstat('4.18.0-305.el8.x86_64', quiet), 'PKT0403').outcome, 'ok');
    const finding = found(netstat('4.18.0-305.el8.x86_64', without('TCPBacklogDrop')), 'PKT0403');
    assert.equal(finding.outcome, 'not-measured');
    assert.match(
      JSON.stringify(finding.missing),
      /cut off: it has no TcpExt TCPBacklogDrop, which every kernel prints/,
    );
  });

  it('since some release is missing from older kernels only', () => {
    assert.equal(found(netstat('4.18.0-305.el8.x86_64', without('TCPRcvQDrop')), 'PKT0403').outcome, 'ok');
    assert.equal(found(netstat('5.14.0-70.el9.x86_64', without('TCPRcvQDrop')), 'PKT0403').outcome, 'not-measured');
  });

  it('and netstat -s leaves out is zero where the next section is there', () => {
    const said =
      'Tcp:\n    7 passive connection openings\n    90 segments received\n    80 segments sent out\n' +
      'TcpExt:\n    51 times the listen queue of a socket overflowed\nIpExt:\n    InOctets: 900\n';
    const whole = parseNetstatCommand(bytesOf(said));
    assert.ok(whole.ok);
    assert.match(whole.value.get('/proc/net/netstat') ?? '', /TCPBacklogDrop/);
    const cut = parseNetstatCommand(bytesOf(said.slice(0, said.indexOf('IpExt'))));
    assert.ok(cut.ok);
    assert.doesNotMatch(cut.value.get('/proc/net/netstat') ?? '', /TCPBacklogDrop/);
  });

  it('and ip -s -d link did not come to print is not zero', () => {
    const link =
      '2: eth0: <BROADCAST,UP> mtu 1500 qdisc mq state UP\n    link/ether 0c:42:a1:00:00:01 brd ff:ff:ff:ff:ff:ff\n' +
      '    RX:  bytes packets errors dropped  missed   mcast\n      2700   31000      0       0    5       0\n' +
      '    TX:  bytes packets errors dropped carrier collsns\n      800       9      0       0       0       0\n';
    const whole = parseIpLinkCommand(bytesOf(link));
    assert.ok(whole.ok && whole.value.has('/proc/net/dev'));
    const cut = parseIpLinkCommand(bytesOf(link.slice(0, link.indexOf('    TX:'))));
    assert.ok(cut.ok && !cut.value.has('/proc/net/dev'));
  });
});

describe('what stands in the place of a file', () => {
  const ends = (change: (path: string, content: string) => string): Copy =>
    Object.fromEntries(
      ([0, 1] as const).flatMap((end) =>
        Object.entries(sickFiles(end)).map(([path, content]) => [
          `${end === 0 ? 'before' : 'after'}/${path}`,
          path.endsWith('@') ? content : change(path, content),
        ]),
      ),
    );
  const outcomesOf = (copy: Copy): readonly string[] =>
    judgeCopy(copy).report.findings.map(({ code, outcome, certainty, at }) =>
      [code, outcome, certainty, ...Object.values(at)].join(' '),
    );

  it('is the same where somebody padded it with NULs, clocks and outputs of commands among them', () => {
    const padded = ends((path, content) => `${content}${path.startsWith('sys/firmware/') ? '' : '\0'.repeat(300)}`);
    assert.deepEqual(outcomesOf(padded), outcomesOf(ends((_, content) => content)));
    const report = Object.entries(sickReport(1)).map(([path, content]): [string, string] => [
      path,
      path.endsWith('@') ? content : `${content}\0\0\0`,
    ]);
    assert.deepEqual(outcomesOf(Object.fromEntries(report)), outcomesOf(sickReport(1)));
  });

  it('an error proves nothing: a list of modules that is none does not say what is not loaded', () => {
    for (const said of [
      'cat: /proc/modules: Permission denied\n',
      '[plugin:kernel] timed out after 300s\n',
      '139264 2 nf_nat,openvswitch, Live 0x0\n139264 2 - Live 0x0\n',
    ]) {
      const judged = judgeCopy({
        ...sickFiles(1),
        'proc/modules': said,
        'proc/sys/net/netfilter/nf_conntrack_max': '',
      });
      for (const code of ['PKT0505', 'PKT0201', 'PKT0202', 'PKT0203']) notInOrder(found(judged, code).outcome);
    }
  });

  it('the end of /proc/stat is not the CPU time of the host', () => {
    const end = ends((path, content) => (path === 'proc/stat' ? content.slice(content.indexOf('cpu2')) : content));
    for (const code of ['PKT0606', 'PKT0102']) assert.equal(found(judgeCopy(end), code).outcome, 'not-measured');
  });

  it('the beginning of what tc printed tells nothing of the devices behind it', () => {
    const loop = 'qdisc noqueue 0: dev lo root refcnt 2 \n Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n';
    const quiet =
      'qdisc fq_codel 0: dev eth0 root refcnt 2 \n Sent 9 bytes 900 pkt (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n';
    const judged = (said: string): readonly string[] =>
      judgeCopy({
        'proc/net/dev': netdev({ lo: { packets: 5 }, eth0: { packets: 900 }, eth1: { packets: 700 } }),
        'sos_commands/networking/tc_-s_qdisc_show': said,
      }).report.findings.flatMap(({ code, outcome }) => (code === 'PKT0503' ? [outcome] : []));
    assert.deepEqual(judged(`${loop}${quiet}${quiet.replace('eth0', 'eth1')}`), ['ok']);
    for (const cut of [`${loop}${quiet}`, loop, `${loop}Terminated\n`]) {
      const outcomes = judged(cut);
      assert.ok(outcomes.includes('not-measured') && !outcomes.includes('not-applicable'), outcomes.join());
    }
  });
});
