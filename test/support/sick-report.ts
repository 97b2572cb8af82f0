import type { Copy } from './copies.ts';
import { sickFiles } from './sick-host.ts';

const commands = 'sos_commands';

/** What sos copies of /proc and /sys; settings it has as the output of sysctl -a. */
const COPIED =
  /^(?:proc\/(?:stat|softirqs|interrupts|meminfo|modules|cmdline)$|proc\/net\/|proc\/pressure\/|proc\/irq\/|sys\/class\/net\/|sys\/devices\/(?:pci[^/]*\/[^/]+\/(?:net\/[^/]+\/(?:statistics\/|flags|device@)|numa_node)|system\/(?:node|cpu)\/))/;

/** The sick host as sos of its distribution copies it, with what its commands say. */
export function sickReport(end: 0 | 1): Copy {
  const all = sickFiles(end);
  const settings = Object.entries(all).flatMap(([path, value]) =>
    path.startsWith('proc/sys/') ? [`${path.slice('proc/sys/'.length).replaceAll('/', '.')} = ${value}`] : [],
  );
  return {
    ...Object.fromEntries(Object.entries(all).filter(([path]) => COPIED.test(path))),
    [`${commands}/kernel/sysctl_-a`]: settings.join(''),
    [`${commands}/kernel/uname_-a`]:
      'Linux sick-1 6.12.9-1.el10.x86_64 #1 SMP PREEMPT_DYNAMIC Mon Jan 6 10:00:00 UTC 2025 x86_64 x86_64 x86_64 GNU/Linux\n',
    [`${commands}/kernel/dmesg`]:
      '[ 8123.1] nf_conntrack: nf_conntrack: table full, dropping packet\n[ 8124.1] neighbour: arp_cache: neighbor table overflow!\n[ 8125.1] TCP: out of memory -- consider tuning tcp_mem\n',
    [`${commands}/date/date`]: `Wed Nov 15 23:13:${String(20 + 10 * end)} UTC 2023\n`,
    [`${commands}/host/uptime`]: ' 23:13:20 up 1 day,  1:00,  2 users,  load average: 3.58, 3.27, 2.58\n',
    ...networking(end),
    ...namespace(end),
    [`${commands}/openvswitch/ovs-appctl_dpctl.show_-s_system_ovs-system`]: `system@ovs-system:\n  lookups: hit:${900_000 * (1 + end)} missed:${20_000 * (1 + end)} lost:${5000 * (1 + end)}\n  flows: 7\n`,
    [`${commands}/openvswitch/ovs-vsctl_-t_5_show`]: 'b8a20458\n    Bridge br-ex\n        Port br-ex\n',
    [`${commands}/process/ps_auxwww`]:
      'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\nroot 77 1.0 0.1 9 9 ? Ss 10:00 0:01 /usr/bin/web\nroot 600 1.0 0.1 9 9 ? Ss 10:00 0:01 /usr/sbin/rsyslogd -n\n',
  };
}

function networking(end: 0 | 1): Copy {
  const skmem = (drops: number): string => `\t skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d${drops})\n`;
  const counted = (names: Readonly<Record<string, number>>): string =>
    `NIC statistics:\n${Object.entries(names)
      .map(([name, count]) => `     ${name}: ${count}\n`)
      .join('')}`;
  const of = (device: string, own: number): Copy => ({
    [`${commands}/networking/ethtool_-i_${device}`]: 'driver: ixgbe\nversion: 6.12.9\nbus-info: 0000:81:00.0\n',
    [`${commands}/networking/ethtool_-g_${device}`]: `Ring parameters for ${device}:\nPre-set maximums:\nRX:\t\t4096\nTX:\t\t4096\nCurrent hardware settings:\nRX:\t\t512\nTX:\t\t512\n`,
    [`${commands}/networking/ethtool_-S_${device}`]: counted({
      rx_packets: 1_000_000 * (1 + end),
      rx_missed_errors: own * (1 + end),
      rx_no_buffer_count: 9,
      rx_no_dma_resources: own * 2 * (1 + end),
      alloc_rx_page_failed: 70 * (1 + end),
      rx_crc_errors: 40 * (1 + end),
    }),
  });
  return {
    ...of('eth0', 40_000),
    ...of('eth1', 0),
    [`${commands}/networking/ss_-peaonmi`]:
      'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n' +
      `udp   UNCONN 212000 0      0.0.0.0:514   0.0.0.0:*    users:(("rsyslogd",pid=600,fd=5)) ino:6001 sk:3 <->\n${skmem(50_000 * (1 + end))}` +
      `tcp   LISTEN 129    128    0.0.0.0:80    0.0.0.0:*    users:(("web",pid=77,fd=3)) ino:5001 sk:1 <->\n${skmem(7000 * (1 + end))}` +
      `tcp   LISTEN 0      128    0.0.0.0:22    0.0.0.0:*    users:(("sshd",pid=78,fd=3)) ino:5002 sk:2 <->\n${skmem(0)}`,
    [`${commands}/networking/tc_-s_qdisc_show`]: `qdisc tbf 8001: dev eth1 root refcnt 2 rate 1Mbit burst 10Kb lat 50ms \n Sent 126000 bytes ${84_000 * (1 + end)} pkt (dropped ${16_000 * (1 + end)}, overlimits 9 requeues 3) \n backlog 0b 5p requeues 3\n`,
  };
}

/** A namespace in which a card loses frames and a socket datagrams, as sos 4.8 keeps what it ran there. */
function namespace(end: 0 | 1): Copy {
  const front = `${commands}/networking/namespaces/blue/ip_netns_exec_blue_`;
  const counters = [
    ...[`IpInReceives ${500_000 * (1 + end)}`, `UdpInDatagrams ${20_000 * (1 + end)}`],
    ...[`UdpInErrors ${9000 * (1 + end)}`, `UdpRcvbufErrors ${9000 * (1 + end)}`, 'Udp6RcvbufErrors 0'],
  ];
  return {
    [`${commands}/networking/ip_netns`]: 'blue (id: 0)\n',
    [`${front}nstat_-zas`]: `#kernel\n${counters.map((line) => `${line} 0.0\n`).join('')}`,
    [`${front}ss_-peaonmi`]:
      'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n' +
      `udp   UNCONN 212000 0      10.5.0.1:5140  0.0.0.0:*     users:(("fluentd",pid=991,fd=5)) ino:8001 sk:3 <->\n` +
      `\t skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d${9000 * (1 + end)})\n`,
    [`${front}netstat_-W_-neopa`]:
      'Active Internet connections (servers and established)\n' +
      'Proto Recv-Q Send-Q Local Address           Foreign Address         State       User       Inode      PID/Program name     Timer\n' +
      'udp   212000      0 10.5.0.1:5140           0.0.0.0:*                           0          8001       991/fluentd          off (0.00/0/0)\n',
    [`${front}ethtool_-i_ens9`]: 'driver: ixgbe\nversion: 6.12.9\nbus-info: 0000:82:00.0\n',
    [`${front}ethtool_-S_ens9`]: `NIC statistics:\n     rx_packets: ${1_000_000 * (1 + end)}\n     rx_missed_errors: ${70_000 * (1 + end)}\n     rx_no_dma_resources: ${70_000 * (1 + end)}\n     alloc_rx_page_failed: 0\n`,
  };
}
