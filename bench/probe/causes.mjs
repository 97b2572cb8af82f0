/** What can make packets dear, made in a lab of two namespaces: for profile.mjs, which asks how much of the cost each is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../../build/test/scenarios/kit/programs.js';
import { run } from '../../build/test/probe/lab.js';

/**
 * @typedef {{ lab: import('../../build/test/probe/lab.js').Lab, folder: string, seconds: number, pps: number }} Setting
 * @typedef {{ part: string, direction: 'receive' | 'transmit', prepare: (setting: Setting) => Promise<void> | void }} Cause
 */

const inNs = (netns, ...command) => run('ip', 'netns', 'exec', netns, ...command);
const words = (line) => line.split(' ');
const port = 9000;

/** @param {Setting} setting */
function send({ lab, seconds, pps }, address = '10.9.0.2', each = 1) {
  const to = ['--address', address, '--port', `${port}`, '--rate', `${Math.max(1, Math.round(pps / each))}`];
  const length = `${seconds + 4}`;
  lab.start(lab.sender, compiled('udp-send'), ...to, '--seconds', length, '--life', length);
}

/** @param {Setting} setting */
function udp(setting) {
  const { lab, seconds } = setting;
  const at = ['--address', '0.0.0.0', '--port', `${port}`, '--rcvbuf', `${64 << 20}`];
  lab.start(lab.receiver, compiled('udp-receive'), ...at, '--life', `${seconds + 8}`);
  send(setting);
}

/** @param {Setting} setting */
function nftRules({ lab, folder }, count) {
  const rules = Array.from({ length: count }, (_, i) => `ip saddr 192.0.2.${i % 250} udp dport ${10000 + i} drop`);
  const path = join(folder, 'rules.nft');
  writeFileSync(
    path,
    `table ip pktcost {\nchain in {\ntype filter hook input priority 0;\n${rules.join('\n')}\n}\n}\n`,
  );
  inNs(lab.receiver, 'nft', '-f', path);
}

/** A program that spins, held by a process of its own. */
async function spin({ lab }, netns, ...options) {
  lab.start(netns, compiled('bpf-spin'), ...options);
  await sleep(500);
}

/** With the receiver's work after it. @returns {(setting: Setting) => Promise<void>} */
const before = (prepare) => async (setting) => {
  await prepare(setting);
  udp(setting);
};

/** @type {Record<string, Cause>} */
export const causes = {
  'udp plain': { part: 'wake-up', direction: 'receive', prepare: udp },
  'tcp plain': {
    part: 'tcp',
    direction: 'receive',
    prepare: async ({ lab, seconds }) => {
      await lab.serve();
      lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-t', `${seconds + 4}`);
    },
  },
  'nft 200 rules': { part: 'nftables', direction: 'receive', prepare: before((at) => nftRules(at, 200)) },
  'nft 2000 rules': { part: 'nftables', direction: 'receive', prepare: before((at) => nftRules(at, 2000)) },
  iptables: {
    part: 'nftables',
    direction: 'receive',
    prepare: before(({ lab }) => {
      for (let i = 0; i < 100; i += 1) inNs(lab.receiver, ...words(`iptables -A INPUT -s 192.0.2.${i} -p udp -j DROP`));
    }),
  },
  strings: {
    part: 'iptables',
    direction: 'receive',
    prepare: before(({ lab }) => {
      for (let i = 0; i < 20; i += 1)
        inNs(lab.receiver, ...words(`iptables -A INPUT -m string --algo bm --string nothing-of-the-kind-${i} -j DROP`));
    }),
  },
  conntrack: {
    part: 'conntrack',
    direction: 'receive',
    prepare: before(({ lab }) => {
      inNs(lab.receiver, ...words('iptables -A INPUT -m conntrack --ctstate INVALID -j DROP'));
    }),
  },
  'ip rules': {
    part: 'routing',
    direction: 'receive',
    prepare: before(({ lab, folder }) => {
      const path = join(folder, 'rules.ip');
      const rule = (i) => `rule add from 198.51.${i >> 8}.${i & 255} table 100 pref ${i + 100}`;
      writeFileSync(path, `${Array.from({ length: 1000 }, (_, i) => rule(i)).join('\n')}\n`);
      inNs(lab.receiver, 'ip', '-batch', path);
    }),
  },
  'u32 filters': {
    part: 'tc-filter',
    direction: 'receive',
    prepare: before(({ lab, folder }) => {
      inNs(lab.receiver, 'tc', 'qdisc', 'add', 'dev', lab.device, 'clsact');
      const path = join(folder, 'filters');
      const filter = (i) =>
        `filter add dev ${lab.device} ingress protocol ip prio 7 u32 match ip src 10.6.${i >> 8}.${i & 255}/32 flowid 1:1`;
      writeFileSync(path, `${Array.from({ length: 300 }, (_, i) => filter(i)).join('\n')}\n`);
      inNs(lab.receiver, 'tc', '-batch', path);
    }),
  },
  'program at TCX': {
    part: 'tc-bpf',
    direction: 'receive',
    prepare: before((at) => spin(at, at.lab.receiver, '--kind', 'tcx', '--device', at.lab.device, '--calls', '100')),
  },
  'generic XDP': {
    part: 'xdp-generic',
    direction: 'receive',
    prepare: before((at) => spin(at, at.lab.receiver, '--kind', 'xdp', '--device', at.lab.device, '--calls', '100')),
  },
  tracing: {
    part: 'tracing',
    direction: 'receive',
    prepare: before((at) => spin(at, at.lab.receiver, '--kind', 'netif_receive_skb', '--stacks', '1', '--calls', '1')),
  },
  'program at the egress': {
    part: 'tc-bpf',
    direction: 'transmit',
    prepare: before((at) => spin(at, at.lab.sender, '--kind', 'tcx-egress', '--device', at.lab.peer, '--calls', '100')),
  },
  'tcpdump on receive': {
    part: 'tap-receive',
    direction: 'receive',
    prepare: before(async ({ lab }) => {
      await lab.tcpdump();
    }),
  },
  'tcpdump on transmit': {
    part: 'tap-transmit',
    direction: 'transmit',
    prepare: before(async ({ lab }) => {
      lab.start(lab.sender, 'tcpdump', '-i', lab.peer, '-w', '/dev/null', '-Z', 'root');
      await sleep(700);
    }),
  },
  // At a tenth of the rate: each datagram is twenty.
  multicast: {
    part: 'multicast',
    direction: 'receive',
    prepare: async (setting) => {
      const { lab } = setting;
      const group = '239.1.2.3';
      lab.start(lab.receiver, ...[compiled('members'), '--group', group, '--from', '10.9.0.2', '--count', '20']);
      inNs(lab.sender, ...words(`ip route add 239.0.0.0/8 dev ${lab.peer}`));
      await sleep(300);
      send(setting, group, 10);
    },
  },
  'raw sockets': {
    part: 'raw',
    direction: 'receive',
    prepare: before(async ({ lab }) => {
      lab.start(lab.receiver, compiled('members'), '--protocol', '17', '--count', '20');
      await sleep(300);
    }),
  },
  'ICMP answers': {
    part: 'icmp',
    direction: 'receive',
    prepare: (setting) => {
      inNs(setting.lab.receiver, 'sysctl', '-qw', 'net.ipv4.icmp_ratemask=0');
      send(setting);
    },
  },
  // At a tenth of the rate: each datagram is ten.
  'VXLAN to ten ends': {
    part: 'tunnel',
    direction: 'transmit',
    prepare: (setting) => {
      const { lab } = setting;
      inNs(lab.sender, ...words('ip link add vx0 type vxlan id 7 dstport 4789 local 10.9.0.1'));
      inNs(lab.sender, ...words('ip addr add 10.44.0.2/24 dev vx0'));
      inNs(lab.sender, ...words('ip link set vx0 up'));
      for (let i = 0; i < 10; i += 1) {
        inNs(
          lab.sender,
          ...words(`ip neigh add 10.9.0.${100 + i} lladdr 02:00:00:00:00:01 dev ${lab.peer} nud permanent`),
        );
        inNs(lab.sender, ...words(`bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.9.0.${100 + i}`));
      }
      inNs(lab.sender, ...words('ip route add 239.0.0.0/8 dev vx0'));
      send(setting, '239.1.2.3', 10);
    },
  },
  'three htb filters': {
    part: 'qdisc',
    direction: 'transmit',
    prepare: before(({ lab }) => {
      inNs(lab.sender, ...words(`tc qdisc add dev ${lab.peer} root handle 1: htb default 1`));
      inNs(lab.sender, ...words(`tc class add dev ${lab.peer} parent 1: classid 1:1 htb rate 10gbit`));
    }),
  },
};
