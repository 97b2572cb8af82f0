/** Causes of dear packets beyond rules: tunnels, programs of control groups, tracking, locks. Each with its twin. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startInGroup } from './kit/groups.ts';
import type { Diagnosed, Kit } from './kit/hosts.ts';
import { beside, costs, named, PORT, sent, serverAndClient, words, type Setting } from './kit/path.ts';
import { compiled } from './kit/programs.ts';
import { finding, scenario } from './kit/scenario.ts';

/** A VXLAN between the two, which carries all of their traffic. */
function inTunnel(setting: Setting): string {
  const { server, client, at, back } = setting;
  for (const [host, own, other, inner] of [
    [server, at, back, '10.44.0.1/24'],
    [client, back, at, '10.44.0.2/24'],
  ] as const) {
    host.run(...words(`ip link add vx0 type vxlan id 7 dstport 4789 local ${own.v4} remote ${other.v4}`));
    host.run(...words(`ip address add ${inner} dev vx0`));
    host.run(...words('ip link set vx0 up'));
  }
  return '10.44.0.1';
}

/** Another end of the tunnel for each copy of what goes to a group: the last of them is there, the others are not. */
async function flooded(setting: Setting, remotes: number): Promise<Diagnosed> {
  const { server, client, at, back } = setting;
  inTunnel(setting);
  for (let each = 0; each < remotes; each++) {
    const remote = `198.18.0.${100 + each}`;
    client.run(...words(`ip neighbour add ${remote} lladdr 02:00:00:00:00:01 dev ${back.device} nud permanent`));
    client.run(...words(`bridge fdb append 00:00:00:00:00:00 dev vx0 dst ${remote}`));
  }
  client.run(...words('ip route add 239.0.0.0/8 dev vx0'));
  await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await client.make('udp-send', { address: remotes > 0 ? '239.1.2.3' : at.v4, port: PORT, rate: 3000, size: 200 });
  return client.diagnose();
}

scenario({
  title: 'A tunnel that sends to many ends',
  codes: costs,
  needs: ['bridge'],
  setUp: serverAndClient,
  cases: {
    'VXLAN with forty remote ends, each of which gets a copy of what goes to a group': {
      // A copy may cost less than the rule's nanoseconds; that the tunnel is what sending costs is told all the same.
      beside: [...beside, 'PKT0109'],
      provoke: (setting) => flooded(setting, 40),
      check: (report) => {
        const sending = report.profile?.directions.find(({ direction }) => direction === 'transmit');
        if (report.probe.status !== 'attached') return undefined;
        const [largest] = sending?.parts ?? [];
        assert.deepEqual([largest?.part, largest?.owner], ['tunnel', 'tunnel'], JSON.stringify(sending?.parts));
        return { 'share of tunnels': Number((largest?.share ?? 0).toFixed(2)) };
      },
    },
    'one remote end': { beside, provoke: (setting) => flooded(setting, 0) },
    'a tunnel that carries datagrams to one reader': {
      beside,
      provoke: async (setting) => {
        await sent(setting, inTunnel(setting));
        return setting.server.diagnose();
      },
    },
  },
});

/** A control group of version 2, with the receiver in it and a program for each of its packets. */
const UNIFIED = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(`${path}/cgroup.controllers`));

async function inGroup(kit: Kit, { server, client, at }: Setting, calls: number): Promise<Diagnosed> {
  const folder = `${UNIFIED}/pktc-${process.pid}-${server.netns}`;
  const program = [compiled('bpf-spin'), '--kind', 'cgroup-ingress', '--cgroup', folder, '--calls', `${calls}`];
  const receive = [compiled('udp-receive'), '--port', `${PORT}`, '--rcvbuf', `${64 << 20}`];
  await startInGroup(kit, folder, ['ip', 'netns', 'exec', server.netns, ...receive], () =>
    kit.itself().start(program, { ready: /^ready$/m }),
  );
  await client.make('udp-send', { address: at.v4, port: PORT, rate: 20_000, size: 200 });
  return server.diagnose();
}

scenario({
  title: 'BPF programs of control groups and at the egress',
  codes: costs,
  setUp: serverAndClient,
  cases: {
    'a program of the control group, on the way in': {
      priced: ['PKT0107'],
      beside,
      provoke: (setting, kit) => inGroup(kit, setting, 400),
      check: (report) =>
        named(report, 'PKT0107', /program spin \(id \d+\), cgroup_skb at .*held by bpf-spin \(pid \d+\)/),
    },
    'one that does next to nothing': { beside, provoke: (setting, kit) => inGroup(kit, setting, 1) },
    'a program at the egress, which senders pay for': {
      priced: ['PKT0107'],
      beside,
      provoke: async (setting) => {
        await setting.client.make('bpf-spin', { kind: 'tcx-egress', device: setting.back.device, calls: 400 });
        await sent(setting, setting.at.v4);
        return setting.client.diagnose();
      },
      check: (report) =>
        named(report, 'PKT0107', /sent packets.*program spin \(id \d+\), sched_cls at .*held by bpf-spin/),
    },
    'one there that does next to nothing': {
      beside,
      provoke: async (setting) => {
        await setting.client.make('bpf-spin', { kind: 'tcx-egress', device: setting.back.device, calls: 1 });
        await sent(setting, setting.at.v4);
        return setting.client.diagnose();
      },
    },
  },
});

/** Flows from twenty thousand ports, all to one. */
async function manyFlows({ server, client, at }: Setting, rules: string): Promise<Diagnosed> {
  server.nft(rules);
  const mac = server.read(`/sys/class/net/${at.device}/address`).trim();
  await client.make('craft', { device: at.device, mac, from: '198.18.0.2', to: at.v4, port: PORT, rate: 50_000 });
  return server.diagnose();
}

const last = 'chain last { type filter hook input priority 300; udp dport 9000 drop; }';
/** What is never let in is never known: each packet is a flow of its own, and asks for a port. */
const TRANSLATED = `table ip fw { chain nat { type nat hook input priority 100; meta l4proto udp snat to 198.18.0.200:1000-9000; }; ${last}; }`;
const NOT_TRACKED = `table ip fw { chain pre { type filter hook prerouting priority -300; udp dport 9000 notrack; }; ${last}; }`;

scenario({
  title: 'Connection tracking and address translation',
  codes: costs,
  needs: ['nft'],
  setUp: serverAndClient,
  cases: {
    'flows that are all new, each translated': {
      priced: ['PKT0110'],
      beside: [...beside, 'PKT0704'],
      provoke: (setting) => manyFlows(setting, TRANSLATED),
      check: (report) => named(report, 'PKT0110', /\(NAT\) \d+%|connection tracking \d+%/),
    },
    'the same flows, not tracked': {
      beside: [...beside, 'PKT0704'],
      provoke: (setting) => manyFlows(setting, NOT_TRACKED),
    },
  },
});

/** Two senders that want one queue at once: an htb, whose filters run below its lock, or one that only queues, with filters before it. */
async function manySenders(setting: Setting, queue: 'htb' | 'pfifo', filters: number): Promise<Diagnosed> {
  const { server, client, at, back, folder } = setting;
  const add = `tc qdisc add dev ${back.device}`;
  const queues = {
    htb: [
      `${add} root handle 1: htb default 1`,
      `tc class add dev ${back.device} parent 1: classid 1:1 htb rate 10gbit`,
    ],
    pfifo: [`${add} root pfifo`, `${add} clsact`],
  };
  for (const line of queues[queue]) client.run(...words(line));
  const place = queue === 'htb' ? 'parent 1:' : 'egress';
  const file = join(folder, 'filters');
  const lines = Array.from(
    { length: filters },
    (_, n) =>
      `filter add dev ${back.device} ${place} protocol ip prio 7 u32 match ip src 10.6.${n >> 8}.${n & 255}/32 flowid 1:1`,
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  client.run('tc', '-batch', file);
  // Whoever receives would take the CPUs from the senders.
  server.nft('table ip off { chain pre { type filter hook prerouting priority -300; udp dport 9000 drop; }; }');
  for (const cpu of [0, 1])
    await client.make('udp-send', { address: at.v4, port: PORT, rate: 0, size: 64, sndbuf: 16 << 20 }, { cpu });
  return client.diagnose();
}

scenario({
  title: 'One queue for all senders',
  codes: costs,
  needs: ['tc', 'taskset'],
  cpus: 2,
  setUp: serverAndClient,
  cases: {
    'two CPUs that send before one htb with two thousand filters': {
      priced: ['PKT0118'],
      // How long they wait for the lock hangs on whether both have their CPUs to themselves.
      beside: [...beside, 'PKT0111'],
      provoke: (setting) => manySenders(setting, 'htb', 2000),
      check: (report) => {
        const waits = finding(report, 'PKT0111');
        if (waits.outcome !== 'ok' && waits.certainty !== null)
          assert.match(waits.summary, /dev_queue_xmit|dev_xmit_skb/);
        return named(report, 'PKT0118', /sent packets.*2,000 u32 filters at the htb 1: of veth0/);
      },
    },
    // An htb takes half of what sending costs by itself.
    'two before a queue that counts nothing, with three filters': {
      beside,
      provoke: (setting) => manySenders(setting, 'pfifo', 3),
    },
  },
});
