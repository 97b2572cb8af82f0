import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import { validateReport } from '../../src/generated/validate.ts';
import { Lab, whyNoLab } from '../probe/lab.ts';
import type { Examined } from '../../src/report/text/doctor.ts';
import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-diagnose-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const nobody = 65534;

function reportIn(stdout: string): Report {
  const parsed: unknown = JSON.parse(stdout);
  assert.ok(validateReport(parsed), JSON.stringify(validateReport.errors?.slice(0, 3)));
  return parsed;
}

describe('pktcost diagnose on this host', () => {
  it('gives a report that passes the shipped schema, measured over the window asked for', async () => {
    const { status, stdout, stderr } = await pktcost(['diagnose', '--window', '1s', '--json']);
    assert.ok(status === 0 || status === 3 || status === 4, stderr);
    const report = reportIn(stdout);
    assert.equal(report.window.requestedSeconds, 1);
    assert.ok(report.window.seconds >= 1);
    assert.equal(report.window.cutShort, false);
    assert.ok(report.findings.length >= 20, 'every rule says something');
    for (const { code, outcome, missing } of report.findings) {
      if (outcome === 'not-measured') assert.ok(missing.length > 0, `${code} says what was missing`);
    }
    assert.equal(status, { critical: 3, warning: 4 }[report.verdict.outcome as string] ?? 0);
  });

  it('puts the verdict first in the text, within 80 columns', async () => {
    const { stdout } = await pktcost(['diagnose', '--window', '500ms', '--probe', 'off']);
    assert.match(stdout, /^(?:CRITICAL|WARNING|OK|NOT FULLY MEASURED)\b/);
    assert.match(stdout, /^Overhead .*\n(?: .*\n)*Run .*pktcost \d+\.\d+\.\d+$/ms);
    assert.doesNotMatch(stdout, /\u001B\[/, 'no colour into a pipe');
    const long = stdout.split('\n').filter((line) => line.length > 80 && !/^\w* *\$ /.test(line));
    assert.deepEqual(long, []);
  });

  it('without root comes all the same, and says what and why', { skip: lacking({ root: true }) }, async () => {
    const { status, stdout, stderr } = await pktcost(['diagnose', '--window', '500ms', '--json'], { uid: nobody });
    assert.ok(status === 0 || status === 3 || status === 4, stderr);
    const { probe } = reportIn(stdout);
    assert.equal(probe.status, 'not-measured');
    assert.match(probe.reason ?? '', /root/);
  });

  it('an interrupt ends the window early, still reports, and is never exit code 0', async () => {
    const { status, stdout } = await pktcost(['diagnose', '--window', '1m', '--json'], {
      during: (child) => {
        setTimeout(() => child.kill('SIGINT'), 3000);
      },
    });
    const report = reportIn(stdout);
    assert.equal(report.window.cutShort, true);
    assert.ok(report.window.seconds < 30);
    assert.ok(status === 130 || status === 3 || status === 4, `exit code ${status}`);
  });

  it('writes the output file whole, for its owner only, and leaves nothing else behind', async () => {
    const path = join(folder, 'report.json');
    const { stdout } = await pktcost(['diagnose', '--window', '500ms', '--probe', 'off', '--json', '--output', path]);
    assert.equal(stdout, '');
    reportIn(readFileSync(path, 'utf8'));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['report.json']);
  });

  it('does not write through a symbolic link', async () => {
    const target = join(folder, 'target');
    const path = join(folder, 'link');
    symlinkSync(target, path);
    const { status } = await pktcost(['diagnose', '--window', '500ms', '--output', path]);
    assert.equal(status, 2);
    assert.equal(existsSync(target), false);
    rmSync(path);
  });

  it('compares with a baseline and applies limits of a config', async () => {
    const first = await pktcost(['diagnose', '--window', '500ms', '--probe', 'off', '--json']);
    const baseline = join(folder, 'baseline.json');
    writeFileSync(baseline, first.stdout);
    const config = join(folder, 'config.json');
    writeFileSync(config, '{"thresholds":{"PKT0201":{"usage":0.5}}}');
    const { stdout, stderr } = await pktcost([
      ...['diagnose', '--window', '500ms', '--probe', 'off', '--json'],
      ...['--baseline', baseline, '--config', config],
    ]);
    assert.equal(stderr, '');
    const report = reportIn(stdout);
    assert.equal(report.baseline, baseline);
    assert.deepEqual(
      report.thresholds.map(({ code, name, value }) => [code, name, value]),
      [['PKT0201', 'usage', 0.5]],
    );
  });

  it('--fail-on never keeps the exit code at 0 whatever was found', async () => {
    const { status } = await pktcost(['diagnose', '--window', '500ms', '--fail-on', 'never', '--probe', 'off']);
    assert.equal(status, 0);
  });
});

describe('pktcost metrics, rules and doctor', () => {
  it('replaces the textfile in one step, readable by all', async () => {
    const path = join(folder, 'pktcost.prom');
    writeFileSync(path, 'old');
    const { status, stderr } = await pktcost(['metrics', '--output', path]);
    assert.equal(status, 0, stderr);
    const page = readFileSync(path, 'utf8');
    assert.match(
      page,
      /^# HELP node_cpu_seconds_total .+\n# TYPE node_cpu_seconds_total counter\nnode_cpu_seconds_total\{cpu="0",mode="idle"\} /m,
    );
    assert.match(page, /^node_ebpf_pmd_jitter_collector_up 0$/m);
    assert.match(page, /^node_ebpf_pmd_jitter_object_path_configured 1$/m, 'there are objects to load');
    assert.doesNotMatch(page, /_load_error\{/, 'nobody tried');
    assert.equal(statSync(path).mode & 0o777, 0o644);
  });

  it("has the probe's series of a window", { skip: whyNoLab() }, async () => {
    const lab = new Lab();
    try {
      await lab.serve();
      const load = lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-u', '-b', '20M', '-l', '64', '-t', '60');
      const inside = ['ip', 'netns', 'exec', lab.receiver];
      const args = ['metrics', '--window', '1s', '--probe', 'xdp'];
      const { status, stdout, stderr } = await pktcost(args, { under: inside });
      await lab.stop(load);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^pktcost_span_packets_total\{device="pcin0"\} \d/m);
      assert.match(stdout, /^pktcost_span_quantile_seconds\{device="pcin0",.*quantile="0.5",span="taps"\} \d/m);
      assert.match(stdout, /^node_ebpf_pmd_jitter_collector_up 1$/m);
      assert.match(stdout, /^node_ebpf_pmd_jitter_latency_avg_ns\{interface="pcin0"\} \d/m);
      assert.match(stdout, /^node_ebpf_pmd_jitter_object_path_configured 1$/m);
      assert.match(stdout, /^node_cpu_seconds_total\{/m, 'and everything else');
      assert.equal(stderr, '');
    } finally {
      await lab.close();
    }
  });

  it('gives the page of a window without root too, and says why the probe is not in it', async () => {
    const uid = process.geteuid?.() === 0 ? { uid: nobody } : {};
    const { status, stdout, stderr } = await pktcost(['metrics', '--window', '500ms'], uid);
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /^pktcost: the probe: attaching eBPF programs needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN\n$/,
    );
    assert.match(stdout, /^node_ebpf_pmd_jitter_collector_up 0$/m);
    assert.doesNotMatch(stdout, /_load_error\{/);
  });

  it('lists every rule, and explains one with its signals, limits and page', async () => {
    const list = await pktcost(['rules']);
    assert.match(list.stdout, /^PKT0101 {2}af-packet-tap-cost/m);
    const explained = await pktcost(['rules', 'explain', 'pkt0201']);
    assert.match(explained.stdout, /^PKT0201 conntrack-table-full/);
    assert.match(explained.stdout, /increase\(node_nf_conntrack_stat_drop\[5m\]\)/);
    assert.match(explained.stdout, /## What to do/);
  });

  it('doctor tells what can be measured and what the probe would do', async () => {
    const { status, stdout } = await pktcost(['doctor']);
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}conntrack +(ok|not-applicable)/m);
    assert.match(stdout, /^Probe(, as root would have it)?$/m);
    assert.match(stdout, /^ {2}drops of the kernel: (not )?counted|^ {2}nothing can be planned/m);
    assert.doesNotMatch(stdout, /the probe is not attached/, 'which it is not meant to be');
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('doctor gives the same as JSON, for one device if it is asked to', async () => {
    const { status, stdout, stderr } = await pktcost(['doctor', '-i', 'lo', '--json']);
    assert.equal(status, 0, stderr);
    const { root, collectors, probe } = JSON.parse(stdout) as Examined;
    assert.equal(root, process.geteuid?.() === 0);
    const cpu = collectors.find(({ id }) => id === 'cpu');
    assert.deepEqual([cpu?.status, (cpu?.series ?? 0) > 0], ['ok', true]);
    const devices = new Set(probe.plan.map(({ device }) => device));
    assert.deepEqual([...devices].sort(), probe.reason === null ? ['', 'lo'] : []);
  });

  it('without root doctor cleans nothing and does not say that nothing was left', async () => {
    const uid = process.geteuid?.() === 0 ? { uid: nobody } : {};
    const { status, stdout } = await pktcost(['doctor', '--clean'], uid);
    assert.equal(status, 1);
    assert.equal(stdout, 'not cleaned: removing packet filters needs root\n');
  });

  it('taps are listed as a table for a ticket, too', async () => {
    const { status, stdout, stderr } = await pktcost(['taps', '--netns', 'none', '--format', 'markdown']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^### Packet sockets and their cost\n|^No packet socket in the namespaces looked into\.\n/);
  });

  it('fails no differently for a closed pipe', async () => {
    const { stderr } = await pktcost(['rules', '--json'], { during: (child) => void child.stdout?.destroy() });
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
});
