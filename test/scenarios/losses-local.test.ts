/** Ways to lose packets within a host: what BPF, bridges, virtual devices, queues to user space, IPsec and sockets drop. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe } from 'node:test';

import { startInGroup } from './kit/groups.ts';
import { provoked, type Lab, type Row } from './kit/lab.ts';
import { compiled } from './kit/programs.ts';
import { whyNot } from './kit/scenario.ts';

const PORT = 9000;
const words = (line: string): string[] => line.split(' ');
const receiver = (lab: Lab): Promise<unknown> => lab.server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
const sender = (lab: Lab): Promise<unknown> =>
  lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT, rate: 1000 });
/** Traffic that arrives, as the twin of every way to lose it. */
async function calm(lab: Lab): Promise<void> {
  await receiver(lab);
  await sender(lab);
}
const NFT = (hook: string, rest: string): string =>
  `table ip t { chain c { type filter hook ${hook} priority 0; ${rest} }; }`;

/** Programs at a device: what they let pass, and what they drop. */
const spin =
  (kind: string, end: 'inner' | 'outer', drop: 0 | 1, native: 0 | 1 = 0) =>
  async (lab: Lab): Promise<unknown> => {
    await receiver(lab);
    await lab.router.make('bpf-spin', { kind, device: lab.at[end].device, calls: 1, drop, native });
    return lab.craft();
  };
const filters: Readonly<Record<string, Row>> = {
  'a program of tc drops on the way in': {
    code: 'PKT0704',
    reason: 'TC_INGRESS',
    at: 'router',
    says: /a tc filter dropped it on the way in, on veth0/,
    provoke: spin('tcx', 'inner', 1),
    twin: spin('tcx', 'inner', 0),
  },
  'a program of tc drops on the way out': {
    code: 'PKT0704',
    reason: 'TC_EGRESS',
    at: 'router',
    says: /a tc filter dropped it on the way out, on veth1/,
    // Address resolution is dropped there as well.
    provoke: (lab) => {
      const { device, v4 } = lab.at.server;
      const mac = lab.server.run('cat', `/sys/class/net/${device}/address`).trim();
      lab.router.run(...words(`ip neigh replace ${v4} lladdr ${mac} dev ${lab.at.outer.device} nud permanent`));
      return spin('tcx-egress', 'outer', 1)(lab);
    },
    twin: spin('tcx-egress', 'outer', 0),
  },
  'an XDP program drops': {
    code: 'PKT0704',
    reason: ['XDP', 'do_xdp_generic'],
    at: 'router',
    says: /an XDP program dropped it, on veth0/,
    provoke: spin('xdp', 'inner', 1),
    twin: spin('xdp', 'inner', 0),
  },
  'an XDP program in the driver drops, of which no packet is made': {
    code: 'PKT0704',
    reason: ['rx_queue_N_xdp_drops', 'veth_xdp_rcv_skb'],
    at: 'router',
    says: /an XDP program dropped it in the driver, on veth0/,
    provoke: spin('xdp', 'inner', 1, 1),
    twin: spin('xdp', 'inner', 0, 1),
  },
};

/** A control group of version 2, with a program started in it. */
const UNIFIED = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(`${path}/cgroup.controllers`));
async function inGroup(lab: Lab, at: 'client' | 'server', kind: string, argv: readonly string[], drop: 0 | 1) {
  const folder = `${UNIFIED}/pktc-${process.pid}-${lab.server.netns}`;
  const filter = [compiled('bpf-spin'), '--kind', kind, '--cgroup', folder, '--calls', '1', '--drop', `${drop}`];
  await startInGroup(lab.kit, folder, ['ip', 'netns', 'exec', lab[at].netns, ...argv], () =>
    lab.kit.itself().start(filter, { ready: /^ready$/m }),
  );
}
const inServer =
  (drop: 0 | 1) =>
  async (lab: Lab): Promise<unknown> => {
    await inGroup(lab, 'server', 'cgroup-ingress', [compiled('udp-receive'), '--port', `${PORT}`], drop);
    return sender(lab);
  };
const inClient =
  (drop: 0 | 1) =>
  async (lab: Lab): Promise<unknown> => {
    await receiver(lab);
    const argv = [compiled('udp-send'), '--address', lab.at.server.v4, '--port', `${PORT}`, '--rate', '1000'];
    return inGroup(lab, 'client', 'cgroup-egress', argv, drop);
  };
const groups: Readonly<Record<string, Row>> = {
  'a program of the control group drops on the way in': {
    code: 'PKT0704',
    reason: ['BPF_CGROUP_INGRESS', 'SOCKET_FILTER'],
    at: 'server',
    provoke: inServer(1),
    twin: inServer(0),
  },
  'a program of the control group drops on the way out': {
    code: 'PKT0704',
    reason: 'BPF_CGROUP_EGRESS',
    at: 'client',
    provoke: inClient(1),
    twin: inClient(0),
  },
};

/** Bridges, tun, veth, queues to user space, IPsec, raw sockets. */
function bridge(lab: Lab, spanningTree: 0 | 1): void {
  // A port listens for twice the delay before it takes anything.
  lab.router.run(...words(`ip link add br0 type bridge stp_state ${spanningTree} forward_delay 3000`));
  lab.router.run(...words('ip link set br0 up'));
  lab.router.run(...words(`ip link set ${lab.at.inner.device} master br0`));
}
function tun(read: 0 | 1) {
  return async (lab: Lab): Promise<unknown> => {
    await lab.server.make('tun-hold', { device: 'tun0', read });
    lab.server.run(...words('ip address add 198.18.200.1/24 dev tun0'));
    lab.server.run(...words('ip link set tun0 up'));
    return lab.server.make('udp-send', { address: '198.18.200.2', port: PORT, rate: 2000 });
  };
}
function ipsec(lab: Lab): void {
  const { client, server } = lab.at;
  lab.client.run(...words(`ip xfrm policy add src ${client.v4} dst ${server.v4} dir out priority 1 action block`));
}
const devices: Readonly<Record<string, Row>> = {
  'a port of a bridge that the spanning tree does not let forward yet': {
    code: 'PKT0704',
    reason: ['BRIDGE_INGRESS_STP_STATE', 'br_handle_frame'],
    at: 'router',
    provoke: (lab) => {
      bridge(lab, 1);
      return lab.craft();
    },
    twin: (lab) => {
      bridge(lab, 0);
      return lab.craft({ mac: lab.router.run('cat', '/sys/class/net/br0/address').trim() });
    },
  },
  'a bridge that has no other port for a frame': {
    code: 'PKT0704',
    reason: ['BRIDGE_NO_EGRESS_PORT', 'NO_TX_TARGET', 'br_flood'],
    at: 'router',
    provoke: (lab) => {
      bridge(lab, 0);
      return lab.craft({ mac: '02:11:22:33:44:55' });
    },
  },
  'a tun device whose reader does not read': {
    code: 'PKT0504',
    reason: ['FULL_RING', 'tun_net_xmit'],
    at: 'server',
    says: /: tun-hold \(pid \d+\), which reads the tun or tap device, does not take them/,
    provoke: tun(0),
    twin: tun(1),
  },
  'a veth pair whose peer is down': {
    code: 'PKT0504',
    at: 'router',
    provoke: (lab) => {
      lab.server.run(...words(`ip link set ${lab.at.server.device} down`));
      return lab.craft();
    },
    twin: calm,
  },
  'a raw socket that is full': {
    code: 'PKT0708',
    at: 'server',
    warns: true,
    says: /raw socket of raw-hold \(pid \d+\) for protocol 253 was full/,
    provoke: async (lab) => {
      await lab.server.make('raw-hold', { protocol: 253, rcvbuf: 4096 });
      return lab.craft({ kind: 'protocol' });
    },
    twin: async (lab) => {
      await lab.server.make('raw-hold', { protocol: 253, rcvbuf: 1 << 22, read: 1 });
      return lab.craft({ kind: 'protocol' });
    },
  },
  'a policy of IPsec that blocks': {
    code: 'PKT0706',
    at: 'client',
    provoke: async (lab) => {
      ipsec(lab);
      return sender(lab);
    },
    twin: calm,
  },
};

/** The queue by iptables: kernels have the target of xtables that have not nftables' own expression. */
const QUEUE = `iptables -A INPUT -p udp --dport ${PORT} -j NFQUEUE --queue-num 7`;
const queues: Readonly<Record<string, Row>> = {
  'a queue to user space that nobody reads': {
    code: 'PKT0708',
    reason: 'nf_queue',
    at: 'server',
    warns: true,
    says: /because its NFQUEUE has no reader, or was full/,
    provoke: (lab) => {
      lab.server.run(...words(QUEUE));
      return lab.craft();
    },
    twin: async (lab) => {
      lab.server.run(...words(`${QUEUE} --queue-bypass`));
      return calm(lab);
    },
  },
};
/** Not every kernel has them. */
function noQueues(): string | false {
  return spawnSync('unshare', ['-n', ...words(QUEUE)]).status === 0
    ? false
    : 'iptables or the kernel has no queues to user space';
}

/** Ports, listeners, and sockets that filter. */
const sockets: Readonly<Record<string, Row>> = {
  'connections to one address that take all ports': {
    code: 'PKT0408',
    at: 'client',
    warns: true,
    says: /to [0-9.]+:8080 take 9\d of 100 ports/,
    provoke: async (lab) => {
      lab.client.sysctl({ 'net.ipv4.ip_local_port_range': '40000 40099' });
      await lab.server.make('listener', { port: 8080, backlog: 1024, accept: 1 });
      return lab.client.make('connect', { address: lab.at.server.v4, port: 8080, count: 95, 'hold-ms': 30_000 });
    },
    twin: async (lab) => {
      lab.client.sysctl({ 'net.ipv4.ip_local_port_range': '40000 40999' });
      await lab.server.make('listener', { port: 8080, backlog: 1024, accept: 1 });
      return lab.client.make('connect', { address: lab.at.server.v4, port: 8080, count: 95, 'hold-ms': 30_000 });
    },
  },
  'more closed connections than may wait': {
    code: 'PKT0408',
    at: 'client',
    warns: true,
    says: /TIME_WAIT/,
    provoke: async (lab) => {
      lab.client.sysctl({ 'net.ipv4.tcp_max_tw_buckets': 5 });
      await lab.server.make('listener', { port: 8080, backlog: 1024, accept: 1 });
      return lab.client.make('connect', {
        ...{ address: lab.at.server.v4, port: 8080, count: 50, 'hold-ms': 50, rounds: 400 },
      });
    },
    twin: async (lab) => {
      await lab.server.make('listener', { port: 8080, backlog: 1024, accept: 1 });
      return lab.client.make('connect', {
        ...{ address: lab.at.server.v4, port: 8080, count: 10, 'hold-ms': 200, rounds: 100 },
      });
    },
  },
  'the last quarter of tcp_max_syn_backlog, without cookies': {
    code: 'PKT0707',
    at: 'server',
    warns: true,
    says: /0\.0\.0\.0:8080 of listener \(pid \d+\).*tcp_max_syn_backlog \(64\)/,
    provoke: async (lab) => {
      lab.server.sysctl({ 'net.ipv4.tcp_syncookies': 0, 'net.ipv4.tcp_max_syn_backlog': 64 });
      await lab.server.make('listener', { port: 8080, backlog: 1024 });
      return lab.client.make('syn-flood', { address: lab.at.server.v4, port: 8080, rate: 300 });
    },
    twin: async (lab) => {
      lab.server.sysctl({ 'net.ipv4.tcp_syncookies': 1, 'net.ipv4.tcp_max_syn_backlog': 64 });
      await lab.server.make('listener', { port: 8080, backlog: 4096 });
      return lab.client.make('syn-flood', { address: lab.at.server.v4, port: 8080, rate: 100 });
    },
  },
  'one socket that loses beside one that turns as many away by its filter': {
    code: 'PKT0405',
    reason: 'SOCKET_RCVBUFF',
    at: 'server',
    warns: true,
    says: /0\.0\.0\.0:9000 of udp-receive/,
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 4096, 'delay-us': 2000 });
      await lab.server.make('udp-receive', { port: PORT + 100, reject: 1 });
      await lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT + 100, rate: 8000 });
      return lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT, rate: 2000 });
    },
    twin: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
      await lab.server.make('udp-receive', { port: PORT + 100, reject: 1 });
      await lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT + 100, rate: 8000 });
      return lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT, rate: 2000 });
    },
  },
};

/** The same from outside of the namespace, which is then named. */
const outside: Readonly<Record<string, Row>> = {
  'no route': {
    code: 'PKT0701',
    reason: 'IP_INNOROUTES',
    at: 'router',
    provoke: (lab) => lab.craft({ to: '203.0.113.9' }),
    twin: calm,
  },
  'nftables drops on the way in': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'server',
    provoke: (lab) => {
      lab.server.nft(NFT('input', `udp dport ${PORT} drop;`));
      return lab.craft();
    },
    twin: calm,
  },
  'a socket whose buffer is full': {
    code: 'PKT0405',
    reason: 'SOCKET_RCVBUFF',
    at: 'server',
    says: /of udp-receive \(pid \d+\)/,
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 4096, 'delay-us': 2000 });
      return lab.craft({ rate: 4000 });
    },
    twin: calm,
  },
  'a tun device whose reader does not read': {
    code: 'PKT0504',
    reason: ['FULL_RING', 'tun_net_xmit'],
    at: 'server',
    says: /: tun-hold \(pid \d+\), which reads the tun or tap device, does not take them/,
    provoke: tun(0),
    twin: tun(1),
  },
};

describe('losses within a host', () => {
  const reason = whyNot({ needs: ['nft', 'tc', 'bridge'] }) ?? false;
  provoked(filters, reason);
  provoked(groups, UNIFIED === undefined ? 'no control groups of version 2 are mounted' : reason);
  provoked(devices, reason);
  provoked(sockets, reason);
  provoked(queues, reason === false ? noQueues() : reason);
});

describe('losses within another namespace', () => {
  provoked(outside, whyNot({ needs: ['nft'] }) ?? false, 'outside');
});
