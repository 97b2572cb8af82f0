import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { pathWords } from '../../src/report/words/phrases.ts';
import { parseEthtoolChannels, parseEthtoolFeatures, parseEthtoolRings } from '../../src/sources/sos/links.ts';
import { parseLsofCommand, parsePsCommand, withNames } from '../../src/sources/sos/processes.ts';
import { parseQdiscCommand } from '../../src/sources/sos/queues.ts';
import { parseLstopoCommand, parseNumactlCommand } from '../../src/sources/sos/topology.ts';
import { expectFinding, fired, found, groups, judgeCopy, netdev, type Copy } from '../support/copies.ts';
import { fixture } from '../support/fixture.ts';

const text = (name: string): string => Buffer.from(fixture(`sos/${name}`)).toString();
const value = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  assert.ok(result.ok);
  return result.value;
};

describe('commands of sos beyond the files of /proc', () => {
  it('are parsed as they are printed', () => {
    assert.deepEqual(value(parseQdiscCommand(fixture('sos/tc_-s_qdisc_show'))), [
      { device: 'eth0', kind: 'mq', packets: 6000, drops: 12, requeues: 4, queued: 1 },
      { device: 'eth1', kind: 'tbf', packets: 84_000, drops: 16_000, requeues: 0, queued: 20 },
    ]);
    assert.deepEqual(value(parseEthtoolRings(fixture('sos/ethtool_-g_eth0'))), { frames: 512, most: 4096 });
    assert.deepEqual(value(parseEthtoolChannels(fixture('sos/ethtool_-l_eth0'))), { used: 1, most: 16 });
    assert.deepEqual(value(parseEthtoolFeatures(fixture('sos/ethtool_-k_eth0'))), { gro: false });
  });

  it('name the holders of sockets, with the whole name where lsof cuts it', () => {
    const owners = value(parseLsofCommand(fixture('sos/lsof_-b_M_-n_-l_-c')));
    const names = value(parsePsCommand(fixture('sos/ps_axo_pid_ppid_user_group_lwp_nlwp_start_time_comm_cgroup')));
    assert.deepEqual(
      withNames(owners, names).map(({ inode, pid, comm }) => [inode, pid, comm]),
      [
        [15_980, 1, 'systemd'],
        [19_717, 567, 'systemd-network'],
        [90_210, 4711, 'rsyslogd'],
        [48_123, 8001, 'tcpdump'],
      ],
    );
    assert.equal(value(parsePsCommand(fixture('sos/ps_auxwwwm'))).get(4711), 'rsyslogd');
  });

  it('tell the nodes of CPUs and devices, in the words of both versions of hwloc', () => {
    const files = value(parseLstopoCommand(fixture('sos/lstopo.txt')));
    assert.deepEqual(Object.fromEntries(files), {
      '/sys/devices/system/node/node0/cpulist': '0-1,4-5\n',
      '/sys/devices/system/node/node1/cpulist': '2-3\n',
      '/sys/class/net/ens1f0/device/numa_node': '0\n',
      '/sys/class/net/ens5f0/device/numa_node': '1\n',
    });
    const older = value(parseLstopoCommand(fixture('sos/lstopo-hwloc1.txt')));
    assert.equal(older.get('/sys/devices/system/node/node1/cpulist'), '1,3\n');
    assert.equal(older.get('/sys/class/net/eth0/device/numa_node'), '0\n');
    const numactl = value(parseNumactlCommand(fixture('sos/numactl_--hardware')));
    assert.equal(numactl.get('/sys/devices/system/node/node1/cpulist'), '1,3,5,7\n');
  });
});

describe('what follows from them', () => {
  const networking = (names: readonly string[]): Copy =>
    Object.fromEntries(names.map((name) => [`sos_commands/networking/${name}`, text(name)]));

  it('a queueing discipline that dropped is named with its share since boot', () => {
    const judged = judgeCopy({ ...networking(['tc_-s_qdisc_show']), 'proc/uptime': '86400.00 1.00\n' });
    const finding = expectFinding(judged, 'PKT0503', [
      'warning',
      'possible',
      /^tbf on eth1 dropped 16,000 packets that were to be sent since boot \(1 day.*\), 16% of those it was given/,
    ]);
    assert.deepEqual(finding.at, { device: 'eth1', kind: 'tbf', netns: '' });
    // 12 of 6,012 on the other.
    assert.equal(found(judged, 'PKT0503', { device: 'eth0' }).outcome, 'warning');
  });

  it('a lossy ring that has room is to be raised to what its driver allows, and one without is not', () => {
    const nic = (rings: string): Copy => ({
      'proc/net/dev': netdev({ eth0: { packets: 1_000_000 } }),
      'sys/class/net/eth0/statistics/rx_missed_errors': '40000\n',
      'sys/class/net/eth0/statistics/rx_packets': '1000000\n',
      'sys/class/net/eth0/device/numa_node': '-1\n',
      'sos_commands/networking/ethtool_-g_eth0': rings,
    });
    const rings = text('ethtool_-g_eth0');
    const raised = found(judgeCopy(nic(rings)), 'PKT0501');
    assert.equal(raised.outcome, 'warning');
    const actions = raised.remedies.map(({ action }) => action).join('\n');
    assert.match(actions, /Raise the receive ring of eth0 from 512 to 4096 frames/);
    const full = found(judgeCopy(nic(rings.replaceAll('512', '4096'))), 'PKT0501').remedies;
    assert.match(full.map(({ action }) => action).join('\n'), /ring of eth0 is as large as its driver allows/);
    assert.ok(full.every(({ command }) => command?.includes('ethtool -G') !== true));
  });

  it('lost upcalls, drops of ports, threads without time and broken ports of Open vSwitch are said', () => {
    const files = [
      'ovs-appctl_dpctl.show_-s_system_ovs-system',
      'ovs-appctl_coverage.show',
      'ovs-appctl_dpif-netdev.pmd-rxq-show',
      'ovs-vsctl_-t_5_show',
    ];
    const judged = judgeCopy({
      'proc/net/netstat': groups({ TcpExt: { ListenOverflows: 0 } }),
      ...Object.fromEntries(files.map((name) => [`sos_commands/openvswitch/${name}`, text(name)])),
    });
    const said = judged.notes.join('\n');
    expectFinding(judged, 'PKT0505', [
      'warning',
      'possible',
      /Open vSwitch lost 500 packets on their way to ovs-vswitchd .*, 11% of those that no flow was there for/,
    ]);
    assert.match(said, /ports of Open vSwitch dropped packets: tap0e778df8-ca 2,100 \(TX\)$/m);
    assert.match(said, /counted since it was started: datapath_drop_upcall_error 4,242, drop_action_of_pipeline 17$/m);
    assert.match(said, /no time to spare: core 2 of node 0 98%$/m);
    assert.match(said, /do not work: could not open network device ens9 \(No such device\)$/m);
    assert.doesNotMatch(said, /br-int|not read/);
  });

  it('settings of hardware that cost something are said, those of other devices are not', () => {
    const said = (driver: string): string =>
      judgeCopy({
        ...networking(['ethtool_-k_eth0', 'ethtool_-l_eth0']),
        'sos_commands/networking/ethtool_-i_eth0': `driver: ${driver}\nversion: 6.8.0\n`,
      }).notes.join('\n');
    assert.match(said('ixgbe'), /^eth0 uses one of 16 queues \(ethtool -l\)\neth0 does not merge frames: GRO is off/m);
    assert.doesNotMatch(said('veth'), /eth0/);
  });

  it('the same commands of a healthy switch and of well-set devices say nothing', () => {
    const { notes } = judgeCopy({
      'sos_commands/openvswitch/ovs-appctl_dpctl.show_-s_system_ovs-system':
        'system@ovs-system:\n  lookups: hit:36830 missed:4948 lost:0\n  flows: 7\n  port 1: br-tun (internal)\n    RX packets:0 errors:0 dropped:9 overruns:0 frame:0\n',
      'sos_commands/openvswitch/ovs-appctl_coverage.show':
        'poll_create_node 143.4/sec 325.783/sec 169.6/sec total: 9079111\n',
      'sos_commands/networking/ethtool_-k_eth0': text('ethtool_-k_eth0').replace(
        'receive-offload: off\n',
        'receive-offload: on\n',
      ),
      'sos_commands/networking/ethtool_-l_eth0': text('ethtool_-l_eth0').replace('Combined:\t1\n', 'Combined:\t8\n'),
    });
    assert.equal(notes.length, 1, notes.join('\n'));
  });

  it('a tap without a known holder is held by whom lsof names', () => {
    const packet =
      'sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n0000000000000000 3      3    0003   0     1 0      0      48123\n';
    const judged = judgeCopy({
      'proc/net/packet': packet,
      'proc/net/ptype': 'Type Device      Function\nALL           packet_rcv\n',
      'sos_commands/process/lsof_-b_M_-n_-l_-c': text('lsof_-b_M_-n_-l_-c'),
    });
    assert.deepEqual(
      judged.report.taps.map(({ owners }) => owners.map(({ comm, pid }) => `${comm} ${pid}`)),
      [['tcpdump 8001']],
    );
    assert.deepEqual(fired(judged), []);
  });

  it('a tap that is not running sees nothing, rather than "only 0003"', () => {
    const judged = judgeCopy({
      'proc/net/packet':
        'sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n0000000000000000 3      3    0003   0     0 0      0      48123\n',
      'proc/net/ptype': 'Type Device      Function\n0800          ip_rcv\n',
    });
    assert.deepEqual(judged.report.taps.map(pathWords), ['nothing, as it is not running']);
  });

  it('what lies unread is named, what says something about packets first', () => {
    const { notes } = judgeCopy({
      'proc/net/netstat': groups({ TcpExt: { ListenOverflows: 0 } }),
      ...Object.fromEntries(
        ['apt/a', 'block/b', 'boot/c', 'dpkg/d', 'firewall_tables/e', 'grub2/f', 'libvirt/g', 'networking/h'].map(
          (name) => [`sos_commands/${name}`, 'x\n'],
        ),
      ),
    });
    assert.ok(
      notes.includes('not read: sos_commands of firewall_tables, libvirt, apt, block, boot, dpkg and 1 more'),
      notes.join('\n'),
    );
  });
});
