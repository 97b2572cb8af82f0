import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { kernelLogLines } from '../../src/metrics/catalogue/index.ts';
import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { lacking, leftOut } from '../support/needs.ts';
import { hostChangesAllowed, pause, withHosts, type End, type Host, type Kit } from './kit/hosts.ts';
import { compiler, onPath } from './kit/programs.ts';

const LIMIT = 500;
const SOS_MS = 60_000;
const seconds = 110;

/** A report of what a namespace is, or with `of` of the machine and the commands that sos runs in that one. */
async function sosreport(kit: Kit, host: Host, of?: Host): Promise<{ report: Report; stderr: string; status: number }> {
  const folder = kit.folder();
  const words = [
    ...['sos', 'report', '--batch', '--tmp-dir', folder, '-o', 'networking,kernel,process,date,host'],
    ...[
      '-k',
      'process.samples=1,process.lsof=off',
      '--plugin-timeout',
      '40',
      '-k',
      `networking.namespace_pattern=${of?.netns ?? 'none'}`,
    ],
  ];
  const [program = '', ...rest] = host.netns === '' ? words : ['ip', 'netns', 'exec', host.netns, ...words];
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], timeout: SOS_MS, killSignal: 'SIGTERM' });
  kit.children.add(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  kit.children.delete(child);
  assert.equal(status, 0, said);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tar.xz'));
  assert.ok(archive !== undefined, 'sos left an archive');
  const { out, err, exitCode } = await kit.itself().pktcost('replay', join(folder, archive), '--json');
  return { report: JSON.parse(out) as Report, stderr: err, status: exitCode };
}

function fired({ findings }: Report): readonly ReportFinding[] {
  return findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
}

function expectPossible(report: Report, code: string, says: RegExp, netns?: string): void {
  const found = report.findings.find(
    (each) => each.code === code && (netns === undefined || each.at['netns'] === netns),
  );
  assert.ok(found !== undefined, code);
  assert.deepEqual([found.outcome, found.certainty], ['warning', 'possible'], `${code}: ${found.summary}`);
  assert.match(found.summary, says);
}

/** Loses datagrams at a small buffer and connections at a short queue; has lost them before it returns. */
async function overflow(server: Host, client: Host, at: End): Promise<void> {
  server.sysctl({ 'net.core.somaxconn': 4096 });
  await server.make('udp-receive', { port: 9000, rcvbuf: 4096, 'delay-us': 20_000 });
  await client.make('udp-send', { address: at.v4, port: 9000, rate: 1000 });
  await server.make('listener', { port: 8080, backlog: 1 });
  await client.make('connect', { address: at.v4, port: 8080, count: 50, rounds: 3, 'hold-ms': 1000 });
  for (let waited = 0; waited < 100; waited += 1) {
    const netstat = server.run('nstat', '-az', 'UdpRcvbufErrors', 'TcpExtListenOverflows');
    const counts = [...netstat.matchAll(/^\w+ +(\d+)/gm)].map(([, count]) => Number(count));
    if (counts.length === 2 && counts.every((count) => count > 50)) return;
    await pause(200);
  }
  assert.fail('nothing was lost');
}

const skip =
  leftOut(
    onPath('sos') && compiler() !== undefined ? undefined : 'needs sos (apt-get install sosreport) and a C compiler',
  ) || lacking({ root: true });

describe('a sosreport', { skip }, () => {
  it('of a namespace that loses names what it lost, from one sample, as possible', async () => {
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      await overflow(server, client, at);
      const { report, status } = await sosreport(kit, server);
      expectPossible(
        report,
        'PKT0405',
        /^[\d,]+ UDP datagrams \(\d+%\) were dropped since boot \(.*\) because the receive buffer/,
      );
      expectPossible(
        report,
        'PKT0401',
        /^[\d,]+ connection attempts met a full accept queue since boot \(.*\), \d+(\.\d+)?% of all/,
      );
      assert.equal(status, 4);
      for (const { certainty, code } of fired(report)) assert.equal(certainty, 'possible', code);
      const outside = await sosreport(kit, kit.itself(), server);
      expectPossible(outside.report, 'PKT0405', /since their namespace was made/, server.netns);
      expectPossible(outside.report, 'PKT0401', /since their namespace was made/, server.netns);
    }, seconds);
  });

  it('of a namespace whose conntrack table is full names that', async (test) => {
    if (!hostChangesAllowed()) {
      test.skip('it changes nf_conntrack_max of the whole host, which PKTCOST_HOST_CHANGES=1 allows');
      return;
    }
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      server.nft('table inet scenario { chain in { type filter hook input priority 0; ct state new counter; }; }');
      await kit.hostSetting('/proc/sys/net/netfilter/nf_conntrack_max', `${LIMIT}`);
      await server.make('udp-receive', { port: 20_000 });
      await client.make('udp-send', { address: at.v4, port: 20_000, ports: 20_000, rate: 1000 });
      await pause(1500);
      const { report, status } = await sosreport(kit, server);
      const table = fired(report).find(({ code }) => code === 'PKT0201' || code === 'PKT0202');
      assert.ok(table !== undefined, report.verdict.headline);
      assert.deepEqual([table.outcome, table.certainty], ['warning', 'possible']);
      assert.match(table.summary, /of (its )?(limit of )?500 entries/);
      assert.equal(status, 4);
    }, seconds);
  });

  it('of a healthy namespace says that it lost nothing, and finds nothing in it', async () => {
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      await server.make('listener', { port: 8080, backlog: 128, accept: 1 });
      await client.make('connect', { address: at.v4, port: 8080, count: 20, rounds: 2, 'hold-ms': 100 });
      const { report } = await sosreport(kit, server);
      // What CPUs dropped since boot is the whole machine's.
      const own = report.findings.filter(({ at: { netns } }) => netns !== undefined);
      assert.deepEqual(
        own
          .filter(({ outcome }) => outcome === 'critical' || outcome === 'warning')
          // The kernel's log is the machine's, too, with what other tests made it say.
          .filter(({ evidence }) => evidence.every(({ metric }) => metric !== kernelLogLines.name))
          .map(({ summary }) => summary),
        [],
      );
      for (const code of ['PKT0401', 'PKT0405']) {
        const found = report.findings.find((each) => each.code === code && each.at['netns'] === '');
        // Only the first namespace shows udp_mem, and what all sockets of the host hold may be near it.
        if (code === 'PKT0405' && found?.outcome === 'not-measured') {
          assert.match(JSON.stringify(found.missing), /udp_mem/);
          continue;
        }
        assert.equal(found?.outcome, 'ok', code);
        assert.match(found.summary, /^No .* since boot/);
      }
    }, seconds);
  });
});
