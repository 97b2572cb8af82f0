/** Debian's sos on a host of a scenario or of the lab, and what is made of its archive. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Report, ReportFinding } from '../../../src/generated/report.ts';
import { pause, type End, type Host, type Kit } from './hosts.ts';

const LIMIT = 500;

export interface Judged {
  readonly report: Report;
  readonly stderr: string;
  readonly status: number;
  readonly archive: string;
}

/**
 * A report of what a namespace is, or with `of` of the machine and the commands that sos runs in those.
 * @param patience how many times as slow the machine is
 */
export async function sosreport(kit: Kit, host: Host, of: readonly Host[] = [], patience = 1): Promise<Judged> {
  const folder = kit.folder();
  const words = [
    ...['sos', 'report', '--batch', '--tmp-dir', folder, '-o', 'networking,kernel,process,date,host'],
    ...['-k', 'process.samples=1,process.lsof=off', '--plugin-timeout', `${40 * patience}`],
    ...['-k', `networking.namespace_pattern=${of.map(({ netns }) => netns).join(' ') || 'none'}`],
  ];
  const [program = '', ...rest] = host.netns === '' ? words : ['ip', 'netns', 'exec', host.netns, ...words];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000 * patience,
    killSignal: 'SIGTERM',
  });
  kit.children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  kit.children.delete(child);
  assert.equal(status, 0, said);
  const name = readdirSync(folder).find((each) => each.endsWith('.tar.xz'));
  assert.ok(name !== undefined, `sos left no archive: ${said}`);
  const archive = join(folder, name);
  const { out, err, exitCode } = await kit.itself().pktcost('replay', archive, '--json');
  return { report: JSON.parse(out) as Report, stderr: err, status: exitCode, archive };
}

export function fired({ findings }: Report): readonly ReportFinding[] {
  return findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
}

export function expectPossible(report: Report, code: string, says: RegExp, netns?: string): void {
  const found = report.findings.find(
    (each) => each.code === code && (netns === undefined || each.at['netns'] === netns),
  );
  assert.ok(found !== undefined, code);
  assert.deepEqual([found.outcome, found.certainty], ['warning', 'possible'], `${code}: ${found.summary}`);
  assert.match(found.summary, says);
}

/** The only namespace of which it is found; what the machine's own lost since boot is not ours. */
export function expectOnlyIn(report: Report, code: string, netns: string): void {
  const places = fired(report).flatMap(({ code: each, at }) => (each === code && at['netns'] ? [at['netns']] : []));
  assert.deepEqual(places, [netns], code);
}

/** Loses datagrams at a small buffer; has lost them before it returns. */
export async function loseDatagrams(server: Host, client: Host, at: End): Promise<void> {
  await server.make('udp-receive', { port: 9000, rcvbuf: 4096, 'delay-us': 20_000, life: 600 });
  await client.make('udp-send', { address: at.v4, port: 9000, rate: 1000, seconds: 5 });
  await counted(server, 'UdpRcvbufErrors');
}

/** Refuses connections at a short queue; has refused them before it returns. */
export async function refuseConnections(server: Host, client: Host, at: End): Promise<void> {
  server.sysctl({ 'net.core.somaxconn': 4096 });
  await server.make('listener', { port: 8080, backlog: 1, life: 600 });
  await client.make('connect', { address: at.v4, port: 8080, count: 50, rounds: 3, 'hold-ms': 1000 });
  await counted(server, 'TcpExtListenOverflows');
}

async function counted(server: Host, counter: string): Promise<void> {
  for (let waited = 0; waited < 200; waited += 1) {
    const [, count = '0'] = /^\w+ +(\d+)/m.exec(server.run('nstat', '-az', counter)) ?? [];
    if (Number(count) > 50) return;
    await pause(200);
  }
  assert.fail(`nothing was lost: ${counter}`);
}

/** Fills the table of conntrack, whose limit is the whole machine's, with flows of UDP. */
export async function fillTable(kit: Kit, server: Host, client: Host, at: End, rate = 1000): Promise<void> {
  server.nft('table inet scenario { chain in { type filter hook input priority 0; ct state new counter; }; }');
  await kit.hostSetting('/proc/sys/net/netfilter/nf_conntrack_max', `${LIMIT}`);
  await server.make('udp-receive', { port: 20_000, life: 600 });
  await client.make('udp-send', { address: at.v4, port: 20_000, ports: 20_000, rate, life: 600, seconds: 600 });
  // However slow the machine is: what is sent stays in the table for half a minute.
  for (let waited = 0; waited < 300; waited += 1) {
    const count = Number(server.run('cat', '/proc/sys/net/netfilter/nf_conntrack_count'));
    if (count >= LIMIT * 0.98) return;
    await pause(200);
  }
  assert.fail('the table did not get full');
}

export function expectFullTable(report: Report): void {
  const table = fired(report).find(({ code }) => code === 'PKT0201' || code === 'PKT0202');
  assert.ok(table !== undefined, report.verdict.headline);
  assert.deepEqual([table.outcome, table.certainty], ['warning', 'possible']);
  assert.match(table.summary, new RegExp(`of (its )?(limit of )?${LIMIT} entries`));
}
