import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { labelKey } from '../../src/metrics/snapshot.ts';
import { withHosts, type End, type Host, type Kit } from './kit/hosts.ts';
import { parsePage, type Line } from './kit/page.ts';
import { evidence, finding, whyNot } from './kit/scenario.ts';

const NODE_EXPORTER = 'prometheus-node-exporter';
const why = whyNot({ needs: ['nstat', 'ss', 'tc', 'nft', 'conntrack', NODE_EXPORTER] });
if (why !== undefined) assert.ok(process.env['CI'] !== 'true', why);

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
}

function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at] = kit.link(server, client);
  server.nft('table inet scenario { chain in { type filter hook input priority 0; ct state new counter; }; }');
  return { server, client, at };
}

async function metrics(host: Host): Promise<ReadonlyMap<string, Line>> {
  const { out, err, exitCode } = await host.pktcost('metrics');
  assert.equal(exitCode, 0, err);
  return parsePage(out);
}

function valueOf(page: ReadonlyMap<string, Line>, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const line = page.get(`${name} ${labelKey(labels)}`);
  assert.ok(line !== undefined, `no ${name} ${labelKey(labels)} on the page`);
  return line.value;
}

/** Something to count: a full accept queue, a small UDP buffer, two protocols. All of it over before it is looked at. */
async function countSomething({ server, client, at }: Setting): Promise<void> {
  await server.make('listener', { port: 8080, backlog: 3 });
  await server.make('udp-receive', { port: 9000, rcvbuf: 8192, read: 0 });
  const connects = await client.make('connect', { address: at.v4, port: 8080, count: 20, 'hold-ms': 1500 });
  const sender = await client.make('udp-send', { address: at.v4, port: 9000, rate: 2000, seconds: 1 });
  const sender6 = await client.make('udp-send', { address: at.v6, port: 9001, rate: 500, seconds: 1 });
  await Promise.all([connects.ended(), sender.ended(), sender6.ended()]);
}

describe('Figures agree with those of the tools an operator would use', { skip: why ?? false }, () => {
  it('nstat, ss, conntrack, ip', { timeout: 240_000 }, async () => {
    await withHosts(async (kit) => {
      const setting = serverAndClient(kit);
      await countSomething(setting);
      const { server, at } = setting;
      const before = nstat(server);
      const [flows, frames] = [tracked(server), received(server, at.device)];
      const page = await metrics(server);
      const [flowsAfter, framesAfter] = [tracked(server), received(server, at.device)];
      const after = nstat(server);

      let compared = 0;
      for (const [field, from] of before) {
        const name = `node_netstat_${netstatName(field)}`;
        const line = page.get(`${name} `);
        assert.ok(line !== undefined, `nstat knows ${field}, pktcost has no ${name}`);
        const to = after.get(field) ?? from;
        assert.ok(from <= line.value && line.value <= to, `${name} ${line.value}, nstat ${from} and then ${to}`);
        compared += 1;
      }
      assert.ok(compared > 300, `nstat knows only ${compared} fields`);
      assert.ok(valueOf(page, 'node_netstat_TcpExt_ListenOverflows') > 0);
      assert.ok(valueOf(page, 'node_netstat_Udp_RcvbufErrors') > 0);

      const [, , queue, limit] =
        /^(LISTEN)?\s*(\d+)\s+(\d+)/m.exec(server.run('ss', '-Hltn', 'sport = :8080'))?.map((text) => text) ?? [];
      const listener = only(page, 'pktcost_listener_accept_queue', { port: '8080' });
      assert.equal(listener.value, Number(queue), 'ss Recv-Q');
      assert.equal(
        only(page, 'pktcost_listener_accept_queue_limit', { port: '8080' }).value,
        Number(limit),
        'ss Send-Q',
      );
      const drops = /skmem:\(.*,d(\d+)\)/.exec(server.run('ss', '-Huanm', 'sport = :9000'))?.[1];
      assert.equal(only(page, 'pktcost_udp_socket_drops_total', { port: '9000' }).value, Number(drops), 'ss -m d');

      for (const field of conntrackFields)
        assertBetween(
          valueOf(page, `node_nf_conntrack_stat_${field}`),
          flows.get(field) ?? NaN,
          flowsAfter.get(field) ?? NaN,
          `conntrack -S ${field}`,
        );
      // A flow may come and go in between.
      const held = valueOf(page, 'node_nf_conntrack_entries');
      assertBetween(held, (flows.get('entries') ?? NaN) - 2, (flowsAfter.get('entries') ?? NaN) + 2, 'conntrack -C');

      const packets = valueOf(page, 'node_network_receive_packets_total', { device: at.device });
      assert.ok(packets > 2000);
      assertBetween(packets, frames.packets, framesAfter.packets, 'ip -s link');
      const dropped = valueOf(page, 'node_network_receive_drop_total', { device: at.device });
      assertBetween(dropped, frames.dropped, framesAfter.dropped, 'ip -s link, dropped');
    });
  });

  it('tc: what a queueing discipline drops is what UDP could not send', { timeout: 240_000 }, async () => {
    await withHosts(async (kit) => {
      const { client, at } = serverAndClient(kit);
      client.run(...`tc qdisc add dev ${at.device} root tbf rate 1mbit burst 4kb limit 8kb`.split(' '));
      const sender = await client.make('udp-send', { address: at.v4, port: 9000, rate: 3000, size: 200, seconds: 1 });
      await sender.ended();
      const [qdisc] = JSON.parse(client.run('tc', '-s', '-j', 'qdisc', 'show', 'dev', at.device)) as readonly {
        readonly drops: number;
      }[];
      const refused = valueOf(await metrics(client), 'node_netstat_Udp_SndbufErrors');
      assert.ok(refused > 500, `${refused} datagrams`);
      // ICMP, neighbour discovery and the like may be dropped there as well.
      assert.ok(Math.abs(refused - (qdisc?.drops ?? 0)) <= 10, `tc ${qdisc?.drops}, pktcost ${refused}`);
    });
  });

  it('prometheus-node-exporter, on every series that both have', { timeout: 240_000 }, async () => {
    await withHosts(async (kit) => {
      const setting = serverAndClient(kit);
      await countSomething(setting);
      const { server } = setting;
      const exporter = await server.start(
        [
          NODE_EXPORTER,
          '--web.listen-address=127.0.0.1:9199',
          '--collector.interrupts',
          '--collector.zoneinfo',
          '--collector.meminfo_numa',
        ],
        { ready: /[Ll]istening on/ },
      );
      const before = await metrics(server);
      const page = parsePage(server.run(process.execPath, '-e', fetchPage));
      const after = await metrics(server);
      await exporter.stop();
      let compared = 0;
      const apart: string[] = [];
      const known = new Set([...after.values()].map(({ name }) => name));
      for (const [key, line] of page) {
        const { name, value } = line;
        const [from, to] = [before.get(key)?.value, after.get(key)?.value];
        if (from === undefined || to === undefined) {
          if (known.has(name) && !leftOut(line))
            apart.push(`${key}: node_exporter ${value}, pktcost has no such series`);
          continue;
        }
        const counts = /_total$|_stat_|node_netstat_/.test(name) && !/mode=(idle|iowait)|CurrEstab/.test(key);
        // Levels move both ways, as far again as they were seen to move, and the scrape's own sockets are among those it counts.
        const slack = counts
          ? 1e-9 * Math.abs(value)
          : Math.abs(to - from) + 0.05 * Math.abs(value) + (/^node_memory_/.test(name) ? 64 << 20 : 5);
        compared += 1;
        if (value < Math.min(from, to) - slack || value > Math.max(from, to) + slack)
          apart.push(`${key}: node_exporter ${value}, pktcost ${from} before and ${to} after`);
      }
      assert.deepEqual(apart, []);
      assert.ok(compared > 200, `only ${compared} series are known to both`);
    });
  });

  it('evidence of a finding, against nstat at both ends', { timeout: 240_000 }, async () => {
    await withHosts(async (kit) => {
      const { server, client, at } = serverAndClient(kit);
      await server.make('listener', { port: 8080, backlog: 1 });
      await client.make('connect', { address: at.v4, port: 8080, count: 50, rounds: 25, 'hold-ms': 1000 });
      const from = nstat(server).get('TcpExtListenOverflows') ?? NaN;
      const { report } = await server.diagnose();
      const to = nstat(server).get('TcpExtListenOverflows') ?? NaN;
      const found = finding(report, 'PKT0401');
      const line = found.evidence.find(({ metric }) => metric === 'node_netstat_TcpExt_ListenOverflows');
      assert.ok(line?.before !== null && line?.after !== null && line !== undefined);
      assert.ok(
        from <= line.before && line.before < line.after && line.after <= to,
        JSON.stringify({ from, line, to }),
      );
      assert.equal(evidence(found, 'node_netstat_TcpExt_ListenOverflows'), line.after - line.before);
    });
  });
});

/** What pktcost does not read by intent: interrupts that never came on a CPU, and the link state of a veth. */
function leftOut({ name, labels, value }: Line): boolean {
  if (name === 'node_interrupts_total') return value === 0;
  const ofVeth = /^node_network_(carrier_(up_|down_)?changes_total|transmit_queue_length)$/;
  return (labels['device'] ?? '').startsWith('veth') && ofVeth.test(name);
}

/** What the tools say of the same moment is between what they say before and after it. */
function assertBetween(value: number, from: number, to: number, what: string): void {
  assert.ok(
    Math.min(from, to) <= value && value <= Math.max(from, to),
    `${what}: ${from}, then ${to}; pktcost ${value}`,
  );
}

const conntrackFields = ['found', 'invalid', 'insert', 'insert_failed', 'drop', 'early_drop', 'search_restart'];

function tracked(host: Host): ReadonlyMap<string, number> {
  const rows = host.run('conntrack', '-S').trim().split('\n');
  const sum = (field: string): number =>
    rows.reduce((total, row) => total + Number(new RegExp(`\\b${field}=(\\d+)`).exec(row)?.[1]), 0);
  return new Map([
    ...conntrackFields.map((field) => [field, sum(field)] as const),
    ['entries', Number(host.run('conntrack', '-C'))] as const,
  ]);
}

function received(host: Host, device: string): LinkRow['stats64']['rx'] {
  const links = JSON.parse(host.run('ip', '-s', '-j', 'link')) as readonly LinkRow[];
  const link = links.find(({ ifname }) => ifname === device);
  assert.ok(link !== undefined);
  return link.stats64.rx;
}

interface LinkRow {
  readonly ifname: string;
  readonly stats64: { readonly rx: { readonly packets: number; readonly dropped: number } };
}

const fetchPage =
  "fetch('http://127.0.0.1:9199/metrics').then((r) => r.text()).then((text) => process.stdout.write(text))";

/** Absolute values by nstat's names; without its history file. */
function nstat(host: Host): ReadonlyMap<string, number> {
  const answer = JSON.parse(host.run('nstat', '-asjz')) as { readonly kernel: Readonly<Record<string, number>> };
  return new Map(Object.entries(answer.kernel));
}

/** nstat glues protocol and field together, and calls Icmp6 and the like by their names in snmp6. */
function netstatName(field: string): string {
  const [, protocol = '', rest = ''] =
    /^(TcpExt|IpExt|MPTcpExt|IcmpMsg|UdpLite6|UdpLite|Icmp6|Udp6|Ip6|Icmp|Udp|Tcp|Ip)(.*)$/.exec(field) ?? [];
  return `${protocol}_${rest}`;
}

function only(page: ReadonlyMap<string, Line>, name: string, labels: Readonly<Record<string, string>>): Line {
  const found = [...page.values()].filter(
    (line) => line.name === name && Object.entries(labels).every(([label, value]) => line.labels[label] === value),
  );
  assert.equal(found.length, 1, `${name}: ${JSON.stringify(found)}`);
  return found[0]!;
}
