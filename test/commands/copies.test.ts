import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { pktcost } from '../support/command.ts';
import { repository } from '../support/fixture.ts';
import { serve } from '../support/http.ts';

const copies = `${repository}/test/fixtures/copies`;
const folder = mkdtempSync(join(tmpdir(), 'pktcost-copies-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Replayed {
  readonly report: Report;
  readonly status: number | null;
  readonly stderr: string;
}

async function replayed(path: string): Promise<Replayed> {
  const { status, stdout, stderr } = await pktcost(['replay', path, '--json']);
  assert.notEqual(stdout, '', stderr);
  return { report: JSON.parse(stdout) as Report, status, stderr };
}

function found({ report }: Replayed, code: string): ReportFinding {
  const finding = report.findings.find((each) => each.code === code);
  assert.ok(finding !== undefined, code);
  return finding;
}

/** The fixtures are made up after reports that people filed; the sources stand beside each. */
describe('replay of copies that people sent', () => {
  it('a full conntrack table in a kernel without /proc/net/stat/nf_conntrack is a warning', async () => {
    // prometheus/node_exporter#3184
    const run = await replayed(`${copies}/conntrack-full-without-proc-stat`);
    const finding = found(run, 'PKT0202');
    assert.deepEqual([finding.outcome, finding.certainty, run.status], ['warning', 'possible', 4]);
    assert.match(finding.summary, /65,536 of 65,536/);
    for (const code of ['PKT0201', 'PKT0203']) assert.equal(found(run, code).outcome, 'not-measured');
  });

  it('frames that no protocol wants are no loss', async () => {
    // lldpd/lldpd#296
    const run = await replayed(`${copies}/control-lldp-rx-dropped`);
    assert.deepEqual([run.report.verdict.principal, run.status], [null, 0]);
  });

  it('what was not copied is not absent', async () => {
    const run = await replayed(`${copies}/copy-without-proc-sys`);
    for (const code of ['PKT0201', 'PKT0202', 'PKT0203', 'PKT0302', 'PKT0601', 'PKT0602', 'PKT0604']) {
      assert.equal(found(run, code).outcome, 'not-measured', code);
    }
    assert.ok(run.report.findings.every(({ outcome }) => outcome !== 'not-applicable'));
  });

  it('a copy of empty files judges nothing, says why, and is no success', async () => {
    // util-linux/util-linux#1810
    const run = await replayed(`${copies}/empty-copy-counts-checks-as-made`);
    assert.match(run.report.verdict.headline, /^Nothing could be judged/);
    assert.match(run.stderr, /tar and cp --sparse/);
    assert.equal(run.status, 5);
  });

  it('a packet is not dropped by a CPU that is not there', async () => {
    // prometheus/procfs#84
    const run = await replayed(`${copies}/offline-cpus-name-a-cpu-that-is-not-there`);
    assert.deepEqual(found(run, 'PKT0502').at, { cpu: '8' });
    assert.equal(found(run, 'PKT0502').outcome, 'critical');
  });

  it('a table is full in one sample as it is in two', async () => {
    // kubernetes/kubernetes#71261
    const run = await replayed(`${copies}/sos-conntrack-full-one-sample`);
    const finding = found(run, 'PKT0202');
    assert.deepEqual([finding.outcome, finding.certainty, run.status], ['warning', 'possible', 4]);
  });

  it('devices are told by what sos copies of them', async () => {
    const run = await replayed(`${copies}/sos-layout-device-not-read`);
    const finding = found(run, 'PKT0501');
    assert.equal(finding.outcome, 'critical');
    assert.match(finding.summary, /90,000 frames.*47%/);
  });

  it('interrupts are told by the names that drivers give them', async () => {
    const run = await replayed(`${copies}/sos-layout-numa-not-applicable`);
    // What the way across costs is not known where no softirq time was counted; of so many packets it has to be something.
    const finding = found(run, 'PKT0301');
    assert.deepEqual([finding.outcome, finding.certainty], ['warning', 'possible']);
    assert.match(finding.summary, /^100% .*what that costs is not known/);
  });

  it('losses since boot are named with their share, the worst first', async () => {
    const run = await replayed(`${copies}/sos-losses-since-boot`);
    const losses = run.report.findings.filter(({ message }) => message === 'since-boot');
    assert.deepEqual(
      losses.map(({ code }) => code),
      ['PKT0401', 'PKT0405', 'PKT0502', 'PKT0501'],
    );
    for (const { certainty, summary } of losses) {
      assert.equal(certainty, 'possible');
      assert.match(summary, /since boot \(1\.2 days\)/);
    }
    assert.match(losses[1]!.summary, /900,000 UDP datagrams \(82%\)/);
    assert.match(losses[2]!.summary, /200,000 packets.*67%/);
    assert.match(losses[3]!.summary, /400,000 frames/);
    assert.equal(run.status, 4);
  });

  for (const equal of [false, true]) {
    it(`the window of two reports is the kernel's, whatever ${equal ? 'equal ' : ''}times the files have`, async () => {
      const pair = join(folder, `pair-${equal}`);
      cpSync(`${copies}/sos-pair-window-by-inode-times`, pair, { recursive: true });
      const times = { before: '2022-02-10T08:00:00Z', after: equal ? '2022-02-10T08:00:00Z' : '2022-02-10T08:00:05Z' };
      for (const [part, time] of Object.entries(times)) {
        for (const name of readdirSync(join(pair, part), { recursive: true, encoding: 'utf8' })) {
          utimesSync(join(pair, part, name), new Date(time), new Date(time));
        }
      }
      const run = await replayed(pair);
      assert.equal(run.report.window.seconds, 600);
      assert.equal(found(run, 'PKT0401').outcome, 'warning');
      assert.equal(found(run, 'PKT0401').impact.lostPerSecond, 0.5);
    });
  }

  it('UDP memory at its limit is told without MemErrors', async () => {
    // Edgio/vflow#184
    const run = await replayed(`${copies}/udp-mem-reached-inerrors-only`);
    const finding = found(run, 'PKT0405');
    assert.deepEqual([finding.outcome, finding.certainty], ['critical', 'correlated']);
    assert.match(finding.summary, /90,000 UDP datagrams \(47%\)/);
  });

  it('what only the commands of sos tell is told', async () => {
    // canonical/hotsos: the tree of an OpenStack node
    const run = await replayed(`${copies}/sos-facts-only-in-commands`);
    const { hostname, kernel } = run.report.host;
    assert.deepEqual([hostname, kernel, run.status], ['net-1', '5.4.0-97-generic', 4]);
    assert.equal(run.report.window.startedAt, '2022-02-10T09:52:10.000Z');
    const table = found(run, 'PKT0202');
    assert.deepEqual([table.outcome, table.certainty], ['warning', 'possible']);
    assert.match(table.summary, /limit of 65,536 entries: 3,000 flows were evicted since boot/);
    // As many clashes as drops, and the row of a CPU is missing: by the counters nobody can say that packets met the full table, nor
    // that none did; the kernel's log says that some did.
    const full = found(run, 'PKT0201');
    assert.deepEqual([full.outcome, full.certainty], ['warning', 'possible']);
    assert.match(full.summary, /^The kernel's log says once that the conntrack table was full/);
    assert.match(found(run, 'PKT0401').summary, /^51,234 connection attempts met a full accept queue since boot\./);
    assert.match(found(run, 'PKT0405').summary, /^900,000 UDP datagrams \(82%\) were dropped since boot/);
    assert.match(run.stderr, /kernel's log has a line to it: .*table full, dropping packet/);
  });

  it("what an exporter's page lacks is not asserted", async () => {
    // netdata/netdata#4086
    const page = (name: string): string =>
      readFileSync(`${copies}/exporter-remedy-claims-rmem-max/${name}.prom`, 'utf8');
    const pages = [page('before'), page('after')];
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(pages.shift() ?? page('after'));
    });
    try {
      const { status, stdout, stderr } = await pktcost([
        'diagnose',
        '-q',
        '--window',
        '1s',
        '--exporter',
        server.url,
        '--json',
      ]);
      assert.equal(status, 3, stderr);
      const report = JSON.parse(stdout) as Report;
      const run = { report, status, stderr };
      assert.equal(report.host.hostname, 'syslog-1');
      const udp = found(run, 'PKT0405');
      assert.deepEqual([udp.outcome, udp.certainty], ['critical', 'measured']);
      assert.match(udp.summary, /^900 UDP datagrams \(4\.3%\) .*Which socket is unknown: they could not be listed\.$/);
      assert.match(report.verdict.headline, /See net\.core\.rmem_max before, and raise it if it is below \d+:/);
      assert.match(
        found(run, 'PKT0401').summary,
        /^400 connection attempts .*Which listener is unknown: .*could not be listed\.$/,
      );
      assert.doesNotMatch(stdout, /rmem_max allows|open for the whole window|0 connections came/);
      for (const { code, outcome } of report.findings) {
        if (code !== 'PKT0405' && code !== 'PKT0401') assert.equal(outcome, 'not-measured', code);
      }
    } finally {
      await server.close();
    }
  });
});
