import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  cpuTimes,
  expectFinding,
  fired,
  found,
  groups,
  host,
  judgeCopy,
  netdev,
  pairOf,
  softnet,
  type Copy,
} from '../support/copies.ts';

const quiet = groups({
  TcpExt: { ListenOverflows: 0, ListenDrops: 0, TCPReqQFullDrop: 0, TCPRcvQDrop: 0, RcvPruned: 0, TCPBacklogDrop: 0 },
});

/** What older sos copies of a device: its statistics, and that it is one by a link. */
const statistics = (name: string, missed: number, packets: number): Copy => ({
  [`sys/class/net/${name}/statistics/rx_missed_errors`]: `${missed}\n`,
  [`sys/class/net/${name}/statistics/rx_packets`]: `${packets}\n`,
  [`sys/class/net/${name}/statistics/rx_nohandler`]: '0\n',
});

describe('frames that a NIC lost, in copies', () => {
  it('are told by statistics/ alone, with the hardware by the link', () => {
    // 45,000 of 1,045,000 frames in 20 s.
    const link = { 'sys/class/net/ens3@': '../../devices/pci0000:00/0000:00:03.0/net/ens3' };
    const inside = (missed: number, packets: number): Copy =>
      Object.fromEntries(
        Object.entries(statistics('ens3', missed, packets)).map(([path, content]) => [
          path.replace('class/net/ens3', 'devices/pci0000:00/0000:00:03.0/net/ens3'),
          content,
        ]),
      );
    const judged = judgeCopy(
      pairOf(
        { ...host('4.4.0-210-generic'), ...link },
        { ...inside(5, 500), 'proc/net/dev': netdev({ lo: { packets: 10 }, ens3: { packets: 500, dropped: 5 } }) },
        {
          ...inside(45_005, 1_000_500),
          'proc/net/dev': netdev({ lo: { packets: 10 }, ens3: { packets: 1_000_500, dropped: 45_005 } }),
        },
        20,
      ),
    );
    const finding = expectFinding(judged, 'PKT0501', ['critical', 'measured', /45,000 frames .*4\.3% .*2,250\/s/]);
    assert.deepEqual(finding.at, { device: 'ens3', netns: '' });
    assert.equal(judged.status, 3);
  });

  it('are told by ip -s -d link alone, which prints them since 5.13', () => {
    // 300 of 30,300.
    const link = (packets: number, missed: number): string =>
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n' +
      '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0 allmulti 0 minmtu 0 maxmtu 0 numtxqueues 1\n' +
      '    RX:  bytes packets errors dropped  missed   mcast           \n           100      10      0       0       0       0 \n' +
      '    TX:  bytes packets errors dropped carrier collsns           \n           100      10      0       0       0       0 \n' +
      '2: enp1s0f0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000\n' +
      '    link/ether 0c:42:a1:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 68 maxmtu 9978 numtxqueues 8\n' +
      `    RX:  bytes packets errors dropped  missed   mcast           \n      27000000   ${packets}      0       0    ${missed}       0 \n` +
      '    TX:  bytes packets errors dropped carrier collsns           \n           800       9      0       0       0       0 \n' +
      '    altname eno1\n';
    const judged = judgeCopy(
      pairOf(
        { 'sos_commands/networking/ethtool_-i_enp1s0f0': 'driver: ice\nversion: 6.5.0\n', 'proc/net/netstat': quiet },
        { 'sos_commands/networking/ip_-s_-d_link': link(1000, 0) },
        { 'sos_commands/networking/ip_-s_-d_link': link(31_000, 300) },
      ),
    );
    const finding = expectFinding(judged, 'PKT0501', [
      'warning',
      'measured',
      /enp1s0f0 \(ice\) lost 300 frames .*0\.99%/,
    ]);
    assert.deepEqual(finding.at, { device: 'enp1s0f0', netns: '' });
  });

  it('are not what a driver calls dropped, nor what a standby port of a bond has no use for', () => {
    // The inactive port drops whatever it receives (rx_nohandler, which is part of rx_dropped): 60,000 frames.
    const port = (packets: number, dropped: number): Copy => ({
      ...statistics('ens2', 0, packets),
      'sys/class/net/ens2/statistics/rx_nohandler': `${dropped}\n`,
      'sys/class/net/ens2/device/numa_node': '-1\n',
      'sys/class/net/ens2/device/driver@': '../../../../bus/pci/drivers/e1000e',
      'sys/class/net/ens2/flags': '0x1803\n',
      'proc/net/dev': netdev({ ens2: { packets, dropped } }),
    });
    const judged = judgeCopy(
      pairOf({ ...host('6.6.10'), 'proc/net/netstat': quiet }, port(1000, 0), port(61_000, 60_000)),
    );
    assert.deepEqual(fired(judged), []);
    assert.equal(found(judged, 'PKT0501').outcome, 'ok');
    assert.equal(judged.status, 0);
  });

  it('are none where a bridge drops frames of protocols that nothing handles', () => {
    const bridge = (packets: number, dropped: number): Copy => ({
      'sys/class/net/br0/flags': '0x1003\n',
      'sys/class/net/br0/uevent': 'DEVTYPE=bridge\nINTERFACE=br0\nIFINDEX=4\n',
      'sys/class/net/br0/statistics/rx_packets': `${packets}\n`,
      'proc/net/dev': netdev({ br0: { packets, dropped } }),
    });
    const judged = judgeCopy(
      pairOf({ ...host('6.6.10'), 'proc/net/netstat': quiet }, bridge(0, 0), bridge(900_000, 20)),
    );
    assert.deepEqual(fired(judged), []);
    assert.equal(judged.status, 0);
  });
});

describe('packets that a CPU dropped, in copies', () => {
  const busy = (packets: number, dropped: number): { counts: readonly number[] } => ({ counts: [packets, dropped, 3] });
  const still = { counts: [100, 0, 0] };

  it('are those of the CPU that /proc/stat names, where one in the middle is offline', () => {
    // CPU 4 is off: the fifth row of a kernel before 5.10 is CPU 5. 40,000 dropped of 100,000 given.
    const cpus = [0, 1, 2, 3, 5];
    const at = (packets: number, dropped: number, seconds: number): Copy => ({
      'proc/net/softnet_stat': softnet([still, still, still, still, busy(packets, dropped)], 11),
      'proc/stat': cpuTimes(cpus, seconds),
    });
    const judged = judgeCopy(pairOf(host('4.18.0-305.el8.x86_64'), at(0, 0, 1000), at(60_000, 40_000, 1010)));
    const finding = expectFinding(judged, 'PKT0502', ['critical', 'measured', /dropped 40,000 packets, 40% /]);
    assert.deepEqual(finding.at, { cpu: '5' });
  });

  it('are those of the CPU that the row names since 5.10, whatever else is missing', () => {
    const at = (packets: number, dropped: number): Copy => ({
      'proc/net/softnet_stat': softnet(
        [
          { ...still, cpu: 0 },
          { ...busy(packets, dropped), cpu: 8 },
        ],
        15,
      ),
    });
    const judged = judgeCopy(pairOf(host('6.1.0-ppc64le'), at(10, 0), at(99_010, 1000)));
    const finding = expectFinding(judged, 'PKT0502', ['critical', 'measured', /CPU 8 .*dropped 1,000 packets, 1% /]);
    assert.deepEqual(finding.at, { cpu: '8' });
  });

  it('are of no CPU that is named where nothing says which are online', () => {
    const at = (packets: number, dropped: number): Copy => ({
      'proc/net/softnet_stat': softnet([still, busy(packets, dropped)], 11),
    });
    const judged = judgeCopy(pairOf(host('3.10.0-1160.el7.ppc64le'), at(0, 0), at(60_000, 40_000)));
    assert.equal(found(judged, 'PKT0502').outcome, 'not-measured');
    assert.equal(judged.report.verdict.principal, null);
  });
});

describe('the node of a NIC, in copies', () => {
  /** Two nodes of two CPUs; mlx5 names its interrupts after the PCI function, which the link of the device names too. */
  const nodes: Copy = {
    'sys/devices/system/node/node0/cpulist': '0-1\n',
    'sys/devices/system/node/node1/cpulist': '2-3\n',
    'sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 900 kB\n',
    'sys/devices/system/node/node1/meminfo': 'Node 1 MemTotal: 1000 kB\nNode 1 MemFree: 900 kB\n',
    'sys/devices/system/node/node0/numastat':
      'numa_hit 1\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 1\nother_node 0\n',
    'sys/devices/system/node/node1/numastat':
      'numa_hit 1\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 1\nother_node 0\n',
  };
  const folder = 'sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0';
  const device: Copy = {
    'sys/class/net/ens1f0@': '../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0/net/ens1f0',
    [`${folder}/net/ens1f0/flags`]: '0x1003\n',
    [`${folder}/net/ens1f0/statistics/rx_packets`]: '5\n',
    [`${folder}/net/ens1f0/statistics/rx_missed_errors`]: '0\n',
  };
  /** CPU 2 spent 3 s of them in softirq. */
  const receiving = (stat: string): string =>
    stat.replace(
      /^cpu2 (\d+ \d+ \d+) (\d+) 0 0 10 /m,
      (_, front: string, idle: string) => `cpu2 ${front} ${Number(idle) - 300} 0 0 310 `,
    );
  const at = (packets: number, counts: number): Copy => ({
    'proc/net/dev': netdev({ ens1f0: { packets } }),
    'proc/stat': packets === 0 ? cpuTimes([0, 1, 2, 3], 1000) : receiving(cpuTimes([0, 1, 2, 3], 1010)),
    'proc/softirqs': `                    CPU0       CPU1       CPU2       CPU3\n      NET_TX:          0          0          0          0\n      NET_RX:          0          0       ${10 + counts}          0\n`,
    'proc/net/softnet_stat': softnet(
      [
        { counts: [5], cpu: 0 },
        { counts: [5], cpu: 1 },
        { counts: [5 + packets], cpu: 2 },
        { counts: [5], cpu: 3 },
      ],
      13,
    ),
    'proc/interrupts':
      '            CPU0       CPU1       CPU2       CPU3       \n' +
      ` 130:          0          0          1          0  IR-PCI-MSI 30932992-edge      mlx5_async0@pci:0000:3b:00.0\n` +
      ` 131:          0          0 ${String(100 + counts).padStart(10)}          0  IR-PCI-MSI 30932993-edge      mlx5_comp0@pci:0000:3b:00.0\n`,
  });

  it('is another than that of the interrupts, which are named after the PCI function', () => {
    const node = { [`${folder}/numa_node`]: '0\n' };
    const judged = judgeCopy(
      pairOf({ ...host('5.14.0-70.el9.x86_64'), ...nodes, ...device, ...node }, at(0, 0), at(2_000_000, 400_000)),
    );
    const finding = found(judged, 'PKT0301');
    assert.deepEqual([finding.outcome, finding.certainty], ['warning', 'measured'], JSON.stringify(finding));
    assert.deepEqual(finding.at, { device: 'ens1f0' });
    assert.match(finding.summary, /^100% /);
  });

  it('is not known without numa_node: the rule is not measured, never without object', () => {
    const judged = judgeCopy(
      pairOf({ ...host('5.14.0-70.el9.x86_64'), ...nodes, ...device }, at(0, 0), at(2_000_000, 400_000)),
    );
    assert.equal(found(judged, 'PKT0301').outcome, 'not-measured');
  });
});
