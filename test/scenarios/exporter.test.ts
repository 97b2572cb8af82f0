import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { isSince } from '../../src/base/release.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Report } from '../../src/generated/report.ts';
import { neededElsewhere } from '../../src/jobs/judge.ts';
import { cpuSeconds, udpMem, unameInfo } from '../../src/metrics/catalogue/index.ts';
import { countsUp } from '../../src/metrics/metric.ts';
import { labelKey, type Series, type Snapshot } from '../../src/metrics/snapshot.ts';
import { parseEndpoint, type Endpoint } from '../../src/sources/pages/endpoint.ts';
import { scrape } from '../../src/sources/pages/exporter.ts';
import { HOST_ROOTS, liveReader, monotonicSeconds } from '../../src/sources/live-reader.ts';
import { windowOfPages, type ExporterPage } from '../../src/sources/pages/page-window.ts';
import { takeSample } from '../../src/sources/take-sample.ts';
import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';
import { answers, freePort } from './kit/prometheus.ts';

const NODE_EXPORTER = 'prometheus-node-exporter';
const without = lacking({ tools: [NODE_EXPORTER, 'setpriv'] });

/** Read at other moments of a sample than those beside it, or of another namespace's devices; or derived. */
const moving = /^node_(sockstat|memory_(?!MemTotal|Hugepagesize))|_backlog_len$|pktcost_/;

describe('A real node_exporter', { skip: without }, () => {
  let program: ChildProcess;
  let endpoint: Endpoint;

  before(async () => {
    const port = await freePort();
    program = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', NODE_EXPORTER, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
        ...['--collector.interrupts', '--collector.meminfo_numa', '--collector.netdev.device-exclude=^$'],
        '--collector.netstat.fields=.*',
      ],
      { stdio: 'ignore' },
    );
    endpoint = parseEndpoint('--exporter', `http://127.0.0.1:${port}/metrics`);
    await answers(endpoint.url.href, () => program.exitCode === null);
  });

  after(() => program.kill('SIGKILL'));

  const page = async (): Promise<ExporterPage> => {
    const scraped = await scrape(endpoint, monotonicSeconds);
    assert.ok(scraped.ok, scraped.ok ? '' : scraped.reason);
    return scraped.value;
  };
  const sample = (): Snapshot => takeSample({ reader: liveReader(HOST_ROOTS), collectors });

  it('gives the figures that a sample of this host gives', async () => {
    const earlier = sample();
    const [first, second] = [await page(), await page()];
    const later = sample();
    const window = windowOfPages(first, second, { shown: endpoint.shown, absent: 'absent', needed: neededElsewhere });
    assert.ok(window.ok);
    const { after: seen } = window.value;
    const wrong: string[] = [];
    const compared = new Map<string, number>();
    for (const metric of seen.metrics()) {
      if (moving.test(metric.name)) continue;
      for (const { labels, value } of seen.series(metric)) {
        const [from, to] = [earlier.get(metric, labels), later.get(metric, labels)];
        // Zero cells of an interrupt are on the page and not in a sample.
        if (from === undefined || to === undefined) {
          if (value !== 0) wrong.push(`${metric.name} ${labelKey(labels)}: ${value} on the page, and not in a sample`);
          continue;
        }
        compared.set(metric.collector, (compared.get(metric.collector) ?? 0) + 1);
        if (!between(value, from, to)) {
          wrong.push(`${metric.name} ${labelKey(labels)}: ${value} is not from ${from.value} to ${to.value}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    for (const collector of ['cpu', 'softnet', 'netdev', 'netstat', 'interrupts', 'meminfo', 'host']) {
      assert.ok((compared.get(collector) ?? 0) > 0, `nothing of ${collector} was compared`);
    }
    assert.ok([...compared.values()].reduce((sum, each) => sum + each, 0) > 300);
  });

  it('is judged', async () => {
    const { status, stdout, stderr } = await pktcost([
      'diagnose',
      '--exporter',
      endpoint.url.href,
      '-w',
      '1s',
      '--json',
    ]);
    assert.ok(status === 0 || status === 3 || status === 4, stderr);
    const report = JSON.parse(stdout) as Report;
    const { hostname, cpus } = report.host;
    const here = sample();
    assert.equal(report.probe.reason, `another host's page: ${endpoint.shown}`);
    assert.equal(hostname, here.series(unameInfo)[0]?.labels['nodename']);
    assert.equal(cpus, new Set(here.series(cpuSeconds).map(({ labels }) => labels['cpu'])).size);
    const outcome = (code: string): string | undefined => report.findings.find((each) => each.code === code)?.outcome;
    assert.equal(outcome('PKT0101'), 'not-measured', 'no exporter shows taps');
    for (const code of ['PKT0401', 'PKT0402', 'PKT0403', 'PKT0405', 'PKT0502']) {
      // Since 6.18 not all datagrams refused for memory are counted, and no exporter shows udp_mem unless it is asked to.
      if (code === 'PKT0405' && isSince(here.series(unameInfo)[0]?.labels['release'], '6.18') === true) {
        const lacking = report.findings.filter((each) => each.code === code).flatMap(({ missing }) => missing);
        assert.deepEqual(
          [...new Set(lacking.map(({ metric }) => metric))],
          outcome(code) === 'ok' ? [] : [udpMem.name],
        );
        continue;
      }
      assert.notEqual(outcome(code), 'not-measured', `${code}: netstat.fields and softnet have all it needs`);
    }
  });
});

function between(value: number, from: Series, to: Series): boolean {
  // node_exporter adds microseconds and ticks up in floating point.
  const slack = 1e-9 * Math.abs(value);
  if (countsUp(from.metric)) return value >= from.value - slack && (value <= to.value + slack || from.metric.stepsBack);
  const [least, most] = [Math.min(from.value, to.value), Math.max(from.value, to.value)];
  return value >= least - slack && value <= most + slack;
}
