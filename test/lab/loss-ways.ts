/** Ways to lose packets that can be provoked on any kernel: what speaks about each, and what these kernels call it. */
import { writeFileSync } from 'node:fs';

import { startInGroup } from '../scenarios/kit/groups.ts';
import { pause } from '../scenarios/kit/hosts.ts';
import type { Lab, Place } from '../scenarios/kit/lab.ts';
import { compiled } from '../scenarios/kit/programs.ts';
import { until } from './traffic.ts';

export const PORT = 9000;

/** Frames for as long as an emulated machine may take to look at them. */
const craft = (lab: Lab, options: Readonly<Record<string, string | number>> = {}): Promise<unknown> =>
  lab.craft({ life: 600, seconds: 600, ...options });

export interface Way {
  readonly what: string;
  readonly code: string;
  /** What these kernels call it: a reason, or the function that stands for it; none where only a counter tells. */
  readonly called?: readonly string[];
  readonly at: Place;
  /** Looked at from the guest itself, where its control groups are seen. */
  readonly outside?: true;
  readonly says?: RegExp;
  readonly provoke: (lab: Lab) => Promise<unknown>;
}

const first: Readonly<Record<string, Way>> = {
  'rp-filter': {
    what: 'a source that is behind another device (rp_filter)',
    code: 'PKT0701',
    called: ['IP_RPFILTER', 'ip_rcv_finish_core'],
    at: 'router',
    provoke: (lab) => {
      lab.router.sysctl({ 'net.ipv4.conf.all.rp_filter': 1 });
      return craft(lab, { from: '198.51.100.9' });
    },
  },
  'no-route': {
    what: 'no route',
    code: 'PKT0701',
    called: ['IP_INNOROUTES', 'ip_error'],
    at: 'router',
    provoke: (lab) => craft(lab, { to: '203.0.113.9' }),
  },
  qdisc: {
    what: 'a queueing discipline that is full (tbf on a router)',
    code: 'PKT0503',
    called: ['QDISC_DROP', 'QDISC_OVERLIMIT'],
    at: 'router',
    provoke: (lab) => {
      lab.router.run(...`tc qdisc add dev ${lab.at.outer.device} root tbf rate 100kbit burst 2k limit 3k`.split(' '));
      return craft(lab);
    },
  },
  neighbours: {
    what: 'a neighbour table that overflows',
    code: 'PKT0702',
    called: ['NEIGH_CREATEFAIL', 'ip_finish_output2', 'NEIGH_QUEUEFULL'],
    at: 'router',
    provoke: async (lab) => {
      lab.router.run('ip', 'address', 'add', '198.19.0.1/16', 'dev', lab.at.outer.device);
      const limits = lab.kit.itself();
      for (const each of [1, 2, 3]) limits.sysctl({ [`net.ipv4.neigh.default.gc_thresh${each}`]: 16 * each });
      lab.kit.undo(() => {
        for (const each of [1, 2, 3])
          limits.sysctl({ [`net.ipv4.neigh.default.gc_thresh${each}`]: [128, 512, 1024][each - 1] ?? 1024 });
      });
      await craft(lab, { to: '198.19.2.0', hosts: 60_000, rate: 1000 });
      await pause(1000);
    },
  },
  nft: {
    what: 'a rule of nftables',
    code: 'PKT0704',
    called: ['NETFILTER_DROP'],
    at: 'server',
    provoke: (lab) => {
      lab.server.nft(`table ip t { chain c { type filter hook input priority 0; udp dport ${PORT} drop; }; }`);
      return craft(lab);
    },
  },
  udp: {
    what: 'a UDP socket whose buffer is full',
    code: 'PKT0405',
    called: ['SOCKET_RCVBUFF'],
    at: 'server',
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 4096, read: 0 });
      return craft(lab);
    },
  },
};

/** Where the guest has its control groups, of version 2. */
export const GROUPS = '/sys/fs/cgroup';

/** Programs in a group of their own, whose filter drops. */
async function inGroup(lab: Lab, at: 'client' | 'server', kind: string, argv: readonly string[]): Promise<unknown> {
  const folder = `${GROUPS}/pktc-${process.pid}-${lab[at].netns}`;
  const filter = [compiled('bpf-spin'), '--kind', kind, '--cgroup', folder, '--calls', '1', '--drop', '1'];
  const life = ['--life', '600'];
  return startInGroup(lab.kit, folder, ['ip', 'netns', 'exec', lab[at].netns, ...argv, ...life], () =>
    lab.kit.itself().start([...filter, ...life], { ready: /^ready$/m }),
  );
}
export const argvOf = (
  name: Parameters<typeof compiled>[0],
  options: Readonly<Record<string, string | number>>,
): string[] => [compiled(name), ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`])];

const more: Readonly<Record<string, Way>> = {
  unresolved: {
    what: 'a neighbour that does not answer',
    code: 'PKT0702',
    called: ['NEIGH_QUEUEFULL', 'NEIGH_FAILED', '__neigh_event_send', 'neigh_invalidate', 'arp_error_report'],
    at: 'router',
    provoke: (lab) => craft(lab, { to: lab.at.server.v4.replace(/\d+$/, '99') }),
  },
  'too-big': {
    what: 'too big for the MTU, and not to be fragmented',
    code: 'PKT0703',
    called: ['PKT_TOO_BIG', 'ip_forward'],
    at: 'router',
    provoke: (lab) => {
      lab.router.run('ip', 'link', 'set', lab.at.outer.device, 'mtu', '1000');
      return craft(lab, { kind: 'whole', size: 1200 });
    },
  },
  fragments: {
    what: 'fragments that come alone',
    code: 'PKT0703',
    at: 'server',
    says: /their fragments did not all arrive/,
    provoke: async (lab) => {
      lab.server.sysctl({ 'net.ipv4.ipfrag_time': 1 });
      await craft(lab, { kind: 'fragment' });
      await pause(2000);
    },
  },
  'udp-checksum': {
    what: 'a wrong UDP checksum',
    code: 'PKT0409',
    called: ['UDP_CSUM'],
    at: 'server',
    provoke: (lab) => craft(lab, { kind: 'udp-checksum' }),
  },
  'tcp-checksum': {
    what: 'a wrong TCP checksum',
    code: 'PKT0409',
    called: ['TCP_CSUM'],
    at: 'server',
    provoke: (lab) => craft(lab, { kind: 'tcp-checksum' }),
  },
  tc: {
    what: 'a filter of tc',
    code: 'PKT0704',
    called: ['TC_INGRESS'],
    at: 'router',
    says: /a tc filter dropped it on the way in/,
    provoke: (lab) => {
      const { device } = lab.at.inner;
      lab.router.run(...`tc qdisc add dev ${device} ingress`.split(' '));
      lab.router.run(...`tc filter add dev ${device} ingress protocol ip matchall action drop`.split(' '));
      return craft(lab);
    },
  },
  xdp: {
    what: 'an XDP program',
    code: 'PKT0704',
    called: ['XDP', 'do_xdp_generic', 'generic_xdp_tx'],
    at: 'router',
    provoke: async (lab) => {
      const { device } = lab.at.inner;
      await lab.router.make('bpf-spin', { kind: 'xdp', device, calls: 1, drop: 1, life: 600 });
      return craft(lab);
    },
  },
  'group-out': {
    what: 'a program of the control group, on the way out',
    code: 'PKT0704',
    called: ['BPF_CGROUP_EGRESS'],
    at: 'client',
    provoke: (lab) => {
      const options = { address: lab.at.server.v4, port: PORT, rate: 1000, seconds: 600 };
      return inGroup(lab, 'client', 'cgroup-egress', argvOf('udp-send', options));
    },
  },
  'group-in': {
    what: 'a program of the control group, on the way in',
    code: 'PKT0704',
    called: ['SOCKET_FILTER', 'BPF_CGROUP_INGRESS'],
    at: 'server',
    provoke: async (lab) => {
      await inGroup(lab, 'server', 'cgroup-ingress', argvOf('udp-receive', { port: PORT }));
      return craft(lab);
    },
  },
  'socket-filter': {
    what: 'a UDP socket that loses beside one that turns as many away by its filter',
    code: 'PKT0405',
    called: ['SOCKET_RCVBUFF'],
    at: 'server',
    says: /0\.0\.0\.0:9000 of udp-receive/,
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 4096, read: 0, life: 600 });
      await lab.server.make('udp-receive', { port: PORT + 100, reject: 1, life: 600 });
      await craft(lab, { port: PORT + 100, rate: 1000 });
      return craft(lab, { rate: 500 });
    },
  },
  tun: {
    what: 'a tun device whose reader does not read',
    code: 'PKT0504',
    called: ['FULL_RING', 'tun_net_xmit'],
    at: 'server',
    says: /tun-hold \(pid \d+\)/,
    provoke: async (lab) => {
      await lab.server.make('tun-hold', { device: 'tun0', read: 0, life: 600 });
      lab.server.run(...'ip address add 198.18.200.1/24 dev tun0'.split(' '));
      lab.server.run(...'ip link set tun0 up'.split(' '));
      await lab.server.make('udp-send', { address: '198.18.200.2', port: PORT, rate: 1000, life: 600, seconds: 600 });
      // Its ring has room for 500.
      await until('it is full', () => {
        const counted = lab.server.run('cat', '/sys/class/net/tun0/statistics/tx_dropped');
        return Number(counted) > 0;
      });
    },
  },
  'peer-down': {
    what: 'a veth pair whose peer is down',
    code: 'PKT0504',
    at: 'router',
    provoke: (lab) => {
      lab.server.run('ip', 'link', 'set', lab.at.server.device, 'down');
      return craft(lab);
    },
  },
  'syn-backlog': {
    what: 'the last quarter of tcp_max_syn_backlog, without cookies',
    code: 'PKT0707',
    at: 'server',
    says: /tcp_max_syn_backlog \(64\)/,
    provoke: async (lab) => {
      lab.server.sysctl({ 'net.ipv4.tcp_syncookies': 0, 'net.ipv4.tcp_max_syn_backlog': 64 });
      await lab.server.make('listener', { port: 8080, backlog: 1024, life: 600 });
      return lab.client.make('syn-flood', {
        address: lab.at.server.v4,
        port: 8080,
        rate: 300,
        life: 600,
        seconds: 600,
      });
    },
  },
  ports: {
    what: 'connections to one address that take all ports',
    code: 'PKT0408',
    at: 'client',
    says: /to [0-9.]+:8080 take 9\d of 100 ports/,
    provoke: async (lab) => {
      lab.client.sysctl({ 'net.ipv4.ip_local_port_range': '40000 40099' });
      await lab.server.make('listener', { port: 8080, backlog: 1024, accept: 1, life: 600 });
      const options = { address: lab.at.server.v4, port: 8080, count: 95, 'hold-ms': 300_000, life: 600 };
      return lab.client.make('connect', options);
    },
  },
  throttled: {
    what: 'a reader that its quota stops (cpu.max)',
    code: 'PKT0412',
    at: 'server',
    outside: true,
    says: /udp-receive \(pid \d+\).*quota of 0\.05 CPUs/,
    provoke: async (lab) => {
      writeFileSync(`${GROUPS}/cgroup.subtree_control`, '+cpu');
      const folder = `${GROUPS}/pktc-${process.pid}-${lab.server.netns}`;
      const options = { port: PORT, rcvbuf: 4096, 'delay-us': 1000, life: 600 };
      const argv = ['ip', 'netns', 'exec', lab.server.netns, ...argvOf('udp-receive', options)];
      await startInGroup(lab.kit, folder, argv, async () => {
        writeFileSync(`${folder}/cpu.max`, '5000 100000');
        await Promise.resolve();
      });
      return craft(lab, { rate: 1000 });
    },
  },
};

export const ways: Readonly<Record<string, Way>> = { ...first, ...more };
