import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Report } from '../../src/generated/report.ts';
import { metBy, parseCondition } from '../../src/jobs/watch/condition.ts';
import { watch, type Occurrence, type SeenWindow, type JudgedWindow } from '../../src/jobs/watch/loop.ts';
import { bundleLines, watchLine, watchObject } from '../../src/report/text/watch-line.ts';
import { rules } from '../../src/rules/index.ts';
import { finding, reportOf } from '../report/cases.ts';

type Outcome = 'ok' | 'warning' | 'critical';

const reportWith = (outcome: Outcome, code = 'PKT0405', lostPerSecond = 20): Report =>
  reportOf({ cells: [] }, [
    finding({ code, rule: 'udp-buffer-errors', outcome, ...(outcome === 'ok' ? {} : { impact: { lostPerSecond } }) }),
  ]);

/** What a watch does with windows that come to these outcomes, one after the other; `signal` ends it after so many. */
async function watched(
  outcomes: readonly Outcome[],
  until = 'warning',
  probedOutcome: Outcome = 'critical',
): Promise<{ taken: string[]; events: Occurrence<number>[]; lines: SeenWindow[]; worst: Report; count: number }> {
  const taken: string[] = [];
  const events: Occurrence<number>[] = [];
  const lines: SeenWindow[] = [];
  let next = 0;
  const of = (outcome: Outcome): Promise<JudgedWindow<number>> =>
    Promise.resolve({ report: reportWith(outcome), evidence: taken.length });
  const { worst, windows } = await watch<number>({
    condition: parseCondition(until, rules),
    windows: {
      over: () => next >= outcomes.length,
      quiet: () => {
        taken.push('quiet');
        return of(outcomes[next++]!);
      },
      probed: () => {
        taken.push('probed');
        return of(probedOutcome);
      },
    },
    onWindow: (seen) => {
      lines.push(seen);
      return Promise.resolve();
    },
    onEvent: (event) => {
      events.push(event);
      return Promise.resolve();
    },
  });
  return { taken, events, lines, worst, count: windows };
}

describe('what a watch waits for', () => {
  const met = (until: string, outcome: Outcome, code?: string): boolean =>
    metBy(reportWith(outcome, code), parseCondition(until, rules)) !== undefined;

  it('is an outcome or worse, a rule by code or name, or a rule with an outcome', () => {
    assert.deepEqual(
      [met('warning', 'warning'), met('warning', 'critical'), met('warning', 'ok')],
      [true, true, false],
    );
    assert.deepEqual([met('critical', 'warning'), met('critical', 'critical')], [false, true]);
    assert.deepEqual([met('PKT0405', 'warning'), met('PKT0201', 'critical')], [true, false]);
    assert.deepEqual([met('pkt0405', 'warning'), met('udp-buffer-errors', 'warning')], [true, true]);
    assert.deepEqual([met('PKT0405:critical', 'warning'), met('PKT0405:critical', 'critical')], [false, true]);
    assert.deepEqual([met('PKT0201, PKT0405', 'warning'), met('PKT0201,critical', 'warning')], [true, false]);
  });

  it('is refused with a hint where it is none of these', () => {
    for (const [until, hint] of [
      ['warnin', /did you mean "warning"/],
      ['PKT0450', /did you mean "PKT04\d\d"/],
      ['udp-buffer-error', /did you mean "udp-buffer-errors"/],
      ['PKT0405:ok', /after PKT0405: comes warning or critical/],
      ['', /it takes warning, critical/],
      ['warning,', /it takes warning, critical/],
      ['warning:critical', /it takes warning/],
    ] as const)
      assert.throws(() => parseCondition(until, rules), hint, until);
  });
});

describe('a watch', () => {
  it('takes the window after a fault with the probe, and keeps the window before, that one, and the one after', async () => {
    const { taken, events, count } = await watched(['ok', 'ok', 'ok', 'warning', 'ok', 'ok']);
    assert.deepEqual(taken, ['quiet', 'quiet', 'quiet', 'quiet', 'probed', 'quiet', 'quiet']);
    assert.equal(count, 7);
    assert.equal(events.length, 1);
    const [{ before, met, after, cause }] = events as [Occurrence<number>];
    assert.deepEqual([before?.evidence, met.evidence, after.evidence], [3, 4, 5]);
    assert.equal(cause.code, 'PKT0405');
  });

  it('takes one with the probe each time that it comes, not while it stays', async () => {
    const { events, taken } = await watched(['warning', 'warning', 'critical', 'ok', 'warning', 'ok']);
    assert.equal(events.length, 2);
    assert.equal(events[0]?.before, undefined, 'there was none before the first');
    assert.equal(taken.filter((each) => each === 'probed').length, 2);
  });

  it('has nothing left to take when it is over with the window in which it came', async () => {
    const { events, taken, lines } = await watched(['ok', 'critical']);
    assert.deepEqual([events.length, taken.length], [0, 2]);
    assert.equal(lines.at(-1)?.cause?.code, 'PKT0405');
  });

  it('ends with the worst, and of two as bad with the one that had the probe', async () => {
    assert.equal((await watched(['ok', 'ok'])).worst.verdict.outcome, 'ok');
    const { worst, lines } = await watched(['ok', 'critical', 'warning', 'ok']);
    assert.equal(worst.verdict.outcome, 'critical');
    assert.equal(worst, lines.find(({ probed }) => probed)?.report);
    assert.equal((await watched(['critical', 'ok', 'ok'], 'critical', 'ok')).worst.verdict.outcome, 'critical');
  });

  it('does not grow: of 200 windows with their recordings three are held', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const MEGABYTE = 2 ** 20;
    let count = 0;
    let early = 0;
    const take = (): Promise<JudgedWindow<Uint8Array>> =>
      Promise.resolve({
        report: reportWith(count % 10 === 9 ? 'warning' : 'ok'),
        evidence: new Uint8Array(2 * MEGABYTE).fill(count),
      });
    await watch<Uint8Array>({
      condition: parseCondition('warning', rules),
      windows: { quiet: take, probed: take, over: () => count >= 200 },
      onWindow: () => {
        count += 1;
        if (count === 20) early = held();
        return Promise.resolve();
      },
      onEvent: () => Promise.resolve(),
    });
    // What nobody holds any more is taken away when V8 sees fit, array buffers after that.
    let grown = held() - early;
    for (let tries = 0; tries < 50 && grown >= 8 * MEGABYTE; tries += 1) {
      await setImmediate();
      grown = held() - early;
    }
    assert.ok(grown < 8 * MEGABYTE, `${(grown / MEGABYTE).toFixed(1)} MiB more than after 20 windows`);
  });
});

describe('a window of a watch', () => {
  const style = { colour: false, width: 80, unicode: true };

  it('is one line: when it ended, whether the condition is met, and the worst that fired with its rate', () => {
    const report = reportWith('critical');
    assert.equal(
      watchLine({ report, probed: true, cause: report.findings[0] }, style),
      '00:00:10Z probe critical PKT0405 20 datagrams/s lost: udp-buffer-errors',
    );
    assert.equal(
      watchLine({ report: reportWith('ok'), probed: false, cause: undefined }, style),
      '00:00:10Z       nothing found by 1 check',
    );
  });

  it('says where each bundle is on a line of its own, whole, whatever the width', () => {
    const folder = `/var/lib/${'night/'.repeat(20)}`;
    const paths = ['1-before', '2-when', '3-probed'].map(
      (part) => `${folder}watch-20260101T000000Z-PKT0405-${part}.tar.gz`,
    );
    const lines = bundleLines(paths, { ...style, width: 80, rows: 24 });
    assert.deepEqual(
      lines.map((line) => line.trim()),
      paths.map((path) => `bundle ${path}`),
    );
    assert.doesNotMatch(bundleLines(['/tmp/a\u001b[2J'], style)[0]!, /\u001b/);
  });

  it('is one line of a terminal, with how many more fired', () => {
    const [fired] = reportWith('critical').findings;
    const title = 'Connections time out at a listener: its accept queue is full';
    const report = {
      ...reportWith('critical'),
      findings: [
        { ...fired!, title },
        { ...fired!, code: 'PKT0414' },
      ],
    };
    const line = watchLine({ report, probed: false, cause: fired }, { ...style, rows: 24 });
    assert.ok(line.length <= 80, line);
    assert.match(line, /^00:00:10Z met {3}critical PKT0405 20 datagrams\/s lost: Connections .*…, and 1 more$/);
    assert.match(watchLine({ report, probed: false, cause: fired }, style), /queue is full, and 1 more$/);
  });

  it('and the bundles of an event name the same finding', () => {
    const [critical] = reportWith('critical', 'PKT0401').findings;
    const [warning] = reportWith('warning', 'PKT0414').findings;
    const report = { ...reportWith('critical'), findings: [warning!, critical!] };
    const cause = metBy(report, parseCondition('warning', rules));
    assert.equal(cause?.code, 'PKT0401');
    assert.match(watchLine({ report, probed: false, cause }, style), / PKT0401 /);
  });

  it('is one object for programs', () => {
    const report = reportWith('critical');
    const text = JSON.stringify(watchObject({ report, probed: false, cause: report.findings[0] }));
    assert.doesNotMatch(text, /\n/);
    const parsed = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(
      [parsed['kind'], parsed['met'], parsed['outcome'], parsed['probed']],
      ['window', 'PKT0405', 'critical', false],
    );
  });
});
