import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Report } from '../../src/generated/report.ts';
import type { Diagnosed, End, Host, Kit } from './kit/hosts.ts';
import { finding, scenario } from './kit/scenario.ts';

/** What is no tap and makes packets dear: each case names the mechanism and its owner; its twin stays quiet. */

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  readonly folder: string;
}

function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at] = kit.link(server, client);
  return { server, client, at, folder: kit.folder() };
}

const PORT = 9000;
/** Rules about other things may speak when the machine is under load. */
const beside = ['PKT0101', 'PKT0102', 'PKT0104', 'PKT0115', 'PKT0502', 'PKT0405', 'PKT0406'];

async function underTraffic({ server, client, at }: Setting, rate = 20_000): Promise<Diagnosed> {
  await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await client.make('udp-send', { address: at.v4, port: PORT, rate, size: 200 });
  return server.diagnose();
}

function table(family: string, hook: string, rules: readonly string[]): string {
  return [`table ${family} fw {`, 'chain filter {', `type filter hook ${hook} priority 0`, ...rules, '}', '}', ''].join(
    '\n',
  );
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `ip saddr 10.9.${n >> 8}.${n & 255} drop`);
}

/** The finding measured it, named the owner, and its figures are kept. */
function named(report: Report, code: string, owner: RegExp): Readonly<Record<string, number>> {
  const found = finding(report, code);
  assert.equal(found.certainty, 'measured');
  assert.match(found.summary, owner);
  const { share, ns } = found.args;
  return {
    ...(typeof share === 'number' ? { share: Number(share.toFixed(2)) } : {}),
    ...(typeof ns === 'number' ? { 'ns per packet': Math.round(ns) } : {}),
  };
}

scenario({
  title: 'Filter rules that each packet goes through',
  codes: ['PKT0106', 'PKT0107', 'PKT0108', 'PKT0109', 'PKT0110', 'PKT0111', 'PKT0116', 'PKT0117', 'PKT0118'],
  needs: ['nft', 'iptables'],
  setUp: serverAndClient,
  cases: {
    '1,000 rules of nftables on the way in': {
      priced: ['PKT0106'],
      beside,
      provoke: (setting) => {
        setting.server.nft(table('inet', 'input', addresses(1000)));
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0106', /chain filter of table inet fw \(nftables\), 1,000 rules/),
    },
    'the same rules, known flows pass first': {
      beside,
      provoke: (setting) => {
        setting.server.nft(
          table('inet', 'input', ['ct state established,related accept', 'udp dport 9000 accept', ...addresses(1000)]),
        );
        return underTraffic(setting);
      },
    },
    'the same addresses as one set': {
      beside,
      provoke: (setting) => {
        const set = addresses(1000).map((rule) => rule.split(' ')[2]);
        setting.server.nft(table('inet', 'input', [`ip saddr { ${set.join(', ')} } drop`]));
        return underTraffic(setting);
      },
    },
    '2,000 rules of iptables': {
      priced: ['PKT0106'],
      beside,
      provoke: (setting) => {
        const rules = Array.from(
          { length: 2000 },
          (_, n) => `-A INPUT -s 10.8.${n >> 8}.${n & 255} -p tcp -m tcp --dport 99 -j DROP`,
        );
        const { server, folder } = setting;
        const file = join(folder, 'rules');
        writeFileSync(file, ['*filter', ...rules, 'COMMIT', ''].join('\n'));
        server.run('iptables-restore', file);
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0106', /chain INPUT of table ip filter \(iptables-nft\), 2,000 rules/),
    },
    'no rule at all': { beside, provoke: (setting) => underTraffic(setting) },
  },
});

scenario({
  title: 'Rules that choose a routing table',
  codes: ['PKT0106', 'PKT0107', 'PKT0109', 'PKT0110', 'PKT0117', 'PKT0118'],
  setUp: serverAndClient,
  cases: {
    '1,000 of them': {
      priced: ['PKT0117'],
      beside,
      provoke: (setting) => {
        const { server, folder } = setting;
        const file = join(folder, 'rules');
        const rules = Array.from({ length: 1000 }, (_, n) => `rule add from 10.7.${n >> 8}.${n & 255} table 100`);
        server.write(file, `${rules.join('\n')}\n`);
        server.run('ip', '-batch', file);
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0117', /1,00\d rules/),
    },
    'the usual three': { beside, provoke: (setting) => underTraffic(setting) },
  },
});

scenario({
  title: 'Filters of tc',
  codes: ['PKT0106', 'PKT0107', 'PKT0109', 'PKT0117', 'PKT0118'],
  needs: ['tc'],
  setUp: serverAndClient,
  cases: {
    '3,000 u32 filters': {
      priced: ['PKT0118'],
      beside,
      provoke: (setting) => {
        const { server, folder, at } = setting;
        server.run('tc', 'qdisc', 'add', 'dev', at.device, 'clsact');
        const file = join(folder, 'filters');
        const filters = Array.from(
          { length: 3000 },
          (_, n) =>
            `filter add dev ${at.device} ingress protocol ip prio 7 u32 match ip src 10.6.${n >> 8}.${n & 255}/32 flowid 1:1`,
        );
        writeFileSync(file, `${filters.join('\n')}\n`);
        server.run('tc', '-batch', file);
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0118', /3,000 u32 filters at the ingress of veth/),
    },
    three: {
      beside,
      provoke: (setting) => {
        const { server, at } = setting;
        server.run('tc', 'qdisc', 'add', 'dev', at.device, 'clsact');
        for (const last of [1, 2, 3])
          server.run(
            ...`tc filter add dev ${at.device} ingress protocol ip prio 7 u32 match ip src 10.6.0.${last}/32 flowid 1:1`.split(
              ' ',
            ),
          );
        return underTraffic(setting);
      },
    },
  },
});

scenario({
  title: 'BPF programs on the path of each packet',
  codes: ['PKT0106', 'PKT0107', 'PKT0108', 'PKT0109', 'PKT0110', 'PKT0117', 'PKT0118'],
  setUp: serverAndClient,
  cases: {
    'a program at TCX that takes its time': {
      priced: ['PKT0107'],
      beside,
      provoke: async (setting) => {
        await setting.server.make('bpf-spin', { kind: 'tcx', device: setting.at.device, calls: 400 });
        return underTraffic(setting);
      },
      check: (report) =>
        named(report, 'PKT0107', /program spin \(id \d+\), sched_cls at .*held by bpf-spin \(pid \d+\)/),
    },
    'generic XDP that takes its time': {
      priced: ['PKT0107'],
      beside,
      provoke: async (setting) => {
        await setting.server.make('bpf-spin', { kind: 'xdp', device: setting.at.device, calls: 400 });
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0107', /program spin \(id \d+\), xdp at .*held by bpf-spin \(pid \d+\)/),
    },
    'a tracer on the tracepoint of each received packet': {
      priced: ['PKT0108'],
      beside,
      provoke: async (setting) => {
        await setting.server.make('bpf-spin', { kind: 'netif_receive_skb', calls: 400 });
        return underTraffic(setting);
      },
      check: (report) => {
        const kept = named(
          report,
          'PKT0108',
          /program spin \(id \d+\), raw_tracepoint at .*held by bpf-spin \(pid \d+\)/,
        );
        assert.match(
          finding(report, 'PKT0108')
            .remedies.map(({ command }) => command)
            .join('\n'),
          /kill -INT \d+/,
        );
        const { breakdown } = report.cost.host;
        if (breakdown.length > 0) {
          const ns = (name: string): number => breakdown.find(({ part }) => part === name)?.ns ?? 0;
          assert.ok(
            ns('tracing') > ns('driver-gro'),
            `tracing is not booked as the driver's: ${JSON.stringify(breakdown)}`,
          );
          return { ...kept, tracing: Math.round(ns('tracing')), driver: Math.round(ns('driver-gro')) };
        }
        return kept;
      },
    },
    'programs that do next to nothing': {
      beside,
      provoke: async (setting) => {
        await setting.server.make('bpf-spin', { kind: 'tcx', device: setting.at.device, calls: 1 });
        await setting.server.make('bpf-spin', { kind: 'netif_receive_skb', calls: 1 });
        return underTraffic(setting);
      },
    },
  },
});

/** The server's end of the link is a port of a bridge, which has its address. */
function behindBridge(kit: Kit): Setting {
  const setting = serverAndClient(kit);
  const { server, at } = setting;
  server.run('ip', 'link', 'add', 'br0', 'type', 'bridge');
  server.run('ip', 'address', 'flush', 'dev', at.device);
  server.run('ip', 'link', 'set', at.device, 'master', 'br0');
  server.run('ip', 'address', 'add', `${at.v4}/24`, 'dev', 'br0');
  server.run('ip', 'link', 'set', 'br0', 'up');
  return setting;
}

scenario({
  title: 'A bridge in the way',
  codes: ['PKT0106', 'PKT0107', 'PKT0109', 'PKT0110', 'PKT0117', 'PKT0118'],
  needs: ['nft'],
  setUp: behindBridge,
  cases: {
    '2,000 rules for bridged packets': {
      priced: ['PKT0106'],
      beside,
      provoke: (setting) => {
        setting.server.nft(table('bridge', 'input', addresses(2000)));
        return underTraffic(setting);
      },
      check: (report) => named(report, 'PKT0106', /chain filter of table bridge fw \(nftables\), 2,000 rules/),
    },
    'the bridge alone': { beside, provoke: (setting) => underTraffic(setting) },
  },
});
