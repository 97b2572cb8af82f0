/** Causes of dear packets that are work for others than the receiver: copies, answers, tracers, single frames. Each with its twin. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pause, type Diagnosed, type Kit } from './kit/hosts.ts';
import { beside, costs, named, PORT, sent, serverAndClient, underTraffic, words, type Setting } from './kit/path.ts';
import { finding, scenario } from './kit/scenario.ts';

scenario({
  title: 'Copies for many sockets',
  codes: costs,
  setUp: serverAndClient,
  cases: {
    'a group that sixty sockets joined': {
      priced: ['PKT0116'],
      beside,
      provoke: (setting) => toGroup(setting, 60, 5000),
      check: (report) => named(report, 'PKT0116', /multicast \d+%.*members \(pid \d+\)/),
    },
    'a group that one socket joined': { beside, provoke: (setting) => toGroup(setting, 1, 20_000) },
    'thirty raw sockets for UDP': {
      priced: ['PKT0116'],
      beside: [...beside, 'PKT0708'],
      provoke: async (setting) => {
        await setting.server.make('members', { count: 30, protocol: 17 });
        await sent(setting, setting.at.v4, 10_000);
        return setting.server.diagnose();
      },
      check: (report) => named(report, 'PKT0116', /raw IP sockets \d+%.*members \(pid \d+\)/),
    },
    'thirty raw sockets for a protocol that nobody sends': {
      beside,
      provoke: async (setting) => {
        await setting.server.make('members', { count: 30, protocol: 253 });
        return underTraffic(setting);
      },
    },
  },
});

async function toGroup({ server, client, at, back }: Setting, count: number, rate: number): Promise<Diagnosed> {
  await server.make('members', { group: '239.1.2.3', port: PORT, from: at.v4, count });
  client.run(...words(`ip route add 239.0.0.0/8 dev ${back.device}`));
  await client.make('udp-send', { address: '239.1.2.3', port: PORT, rate, size: 200 });
  return server.diagnose();
}

scenario({
  title: 'Answers of the kernel',
  codes: costs,
  setUp: serverAndClient,
  cases: {
    'a closed port, and no limit to the answers': {
      priced: ['PKT0116'],
      beside: [...beside, 'PKT0701'],
      provoke: async ({ server, client, at }) => {
        server.sysctl({ 'net.ipv4.icmp_ratemask': 0 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 80_000, size: 200 });
        return server.diagnose();
      },
      check: (report) => named(report, 'PKT0116', /ICMP \d+%/),
    },
    'a port that is open': { beside, provoke: underTraffic },
  },
});

scenario({
  title: 'Tracers',
  codes: costs,
  setUp: serverAndClient,
  cases: {
    'one that walks the stack of each packet': {
      priced: ['PKT0108'],
      beside,
      provoke: async (setting) => {
        await setting.server.make('bpf-spin', { kind: 'netif_receive_skb', stacks: 1, calls: 2 });
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0108', /program spin \(id \d+\), raw_tracepoint at .*held by bpf-spin/),
    },
    'perf that records a stack of each packet': {
      priced: ['PKT0108'],
      beside,
      provoke: async (setting) => {
        const record = 'perf record -q -a -g -e net:netif_receive_skb -o /dev/null sleep 40';
        await setting.server.start(['sh', '-c', `mount -t tracefs tracefs /sys/kernel/tracing; exec ${record}`]);
        await sent(setting, setting.at.v4);
        await pause(1500);
        return setting.server.diagnose();
      },
      check: (report) => named(report, 'PKT0108', /perf events of perf \(pid \d+\)/),
    },
    none: { beside, provoke: underTraffic },
  },
});

/** Two clients of one server, the one slow and the other busy; ten thousand rules for what comes in by `through`. */
async function slowAndBusy(kit: Kit, setting: Setting, through: string): Promise<Diagnosed> {
  const { server } = setting;
  const slow = kit.host();
  const [at] = kit.link(server, slow);
  const rules = Array.from({ length: 10_000 }, (_, n) => `ip saddr 10.99.${n >> 8}.${n & 255} drop;`);
  const device = through === '' ? at.device : through;
  const file = join(setting.folder, 'rules.nft');
  const first = `type filter hook input priority 0; iifname != "${device}" accept;`;
  writeFileSync(file, `table ip fw { chain in { ${first} ${rules.join(' ')} }; }\n`);
  server.run('nft', '-f', file);
  // The busy one is known well enough after some seconds, and its program rests in the others.
  await sent(setting, setting.at.v4, 25_000);
  // What the rules take is then well above a twentieth of a CPU on quick machines, too.
  await slow.make('udp-send', { address: at.v4, port: PORT, rate: 4000, size: 200 });
  const diagnosed = await server.diagnose('--window', '10s');
  assert.ok(diagnosed.report.cost.devices.some((each) => each.device === at.device));
  return diagnosed;
}

scenario({
  title: 'A slow device whose packets are dear beside a busy one',
  codes: ['PKT0106', 'PKT0115'],
  needs: ['nft'],
  setUp: serverAndClient,
  cases: {
    'ten thousand rules for the slow one': {
      priced: ['PKT0106'],
      beside,
      provoke: (setting, kit) => slowAndBusy(kit, setting, ''),
      check: (report, { at }) => {
        const dear = finding(report, 'PKT0115');
        // The rules have a finding of their own, this one says whose packets they make dear.
        assert.match(dear.summary, /nftables \d+%/);
        assert.notEqual(dear.place.device, null);
        assert.notEqual(dear.place.device, at.device);
        return named(report, 'PKT0106', /10,001 rules/);
      },
    },
    'the same rules for a device that is not there': {
      beside: beside.filter((code) => code !== 'PKT0115'),
      provoke: (setting, kit) => slowAndBusy(kit, setting, 'none0'),
    },
  },
});

scenario({
  title: 'Frames that go through the stack alone',
  codes: ['PKT0113'],
  needs: ['ethtool', 'iperf3'],
  setUp: serverAndClient,
  cases: {
    'TCP in bulk without GRO': {
      priced: ['PKT0113'],
      beside: ['PKT0102', 'PKT0115', 'PKT0403', 'PKT0406'],
      provoke: (setting) => inBulk(setting, 'off'),
      check: (report, { at }) => {
        assert.match(finding(report, 'PKT0113').summary, new RegExp(`${at.device} receives`));
        return undefined;
      },
    },
    'the same with GRO': {
      beside: ['PKT0102', 'PKT0115', 'PKT0403', 'PKT0406'],
      provoke: (setting) => inBulk(setting, 'on'),
    },
  },
});

/** The sender cuts its segments to frames, as a card would. */
async function inBulk({ server, client, at, back, folder }: Setting, gro: 'on' | 'off'): Promise<Diagnosed> {
  client.run(...words(`ethtool -K ${back.device} tso off gso off`));
  server.run(...words(`ethtool -K ${at.device} gro ${gro}`));
  await server.start(['iperf3', '-s', '-1', '--forceflush'], { ready: /listening/ });
  await client.start(['iperf3', '-c', at.v4, '-t', '25']);
  await pause(500);
  // How fast it is sent hangs on what else the machine does; that frames go alone does not.
  const config = join(folder, 'limits.json');
  writeFileSync(config, JSON.stringify({ thresholds: { PKT0113: { busy: 5000 } } }));
  return server.diagnose('--config', config);
}

scenario({
  title: 'Packets handed to another CPU',
  codes: costs,
  cpus: 2,
  setUp: serverAndClient,
  cases: {
    'RPS to the other CPU: it is counted in, and is nobody else’s fault': {
      beside,
      provoke: async (setting) => {
        const { server, client, at } = setting;
        server.write(`/sys/class/net/${at.device}/queues/rx-0/rps_cpus`, '2');
        await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 20_000, size: 200 }, { cpu: 0 });
        return server.diagnose();
      },
    },
    'the same without': { beside, provoke: underTraffic },
  },
});

scenario({
  title: 'Rules that look into each packet',
  codes: costs,
  needs: ['iptables'],
  setUp: serverAndClient,
  cases: {
    'twenty strings of iptables in each datagram': {
      priced: ['PKT0106'],
      beside,
      provoke: async ({ server, client, at }) => {
        for (let each = 0; each < 20; each++)
          server.run(...words(`iptables -A INPUT -m string --algo bm --string nothing-of-the-kind-${each} -j DROP`));
        await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 20_000, size: 1400 });
        return server.diagnose();
      },
      check: (report) =>
        named(report, 'PKT0106', /input hook.*chain INPUT of table ip filter \(iptables-nft\), 20 rules/),
    },
    'five ports of iptables': {
      beside,
      provoke: async ({ server, client, at }) => {
        for (let each = 0; each < 5; each++)
          server.run(...words(`iptables -A INPUT -p udp --dport ${each + 1} -j DROP`));
        await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 20_000, size: 1400 });
        return server.diagnose();
      },
    },
  },
});
