import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import { validateReport } from '../../src/generated/validate.ts';
import { renderJson } from '../../src/report/json.ts';
import { columns } from '../../src/report/text/layout.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { goldenReports } from './cases.ts';
import { orderErrors } from './schema.ts';

const folder = new URL('../../../test/fixtures/golden/', import.meta.url);
const updating = process.env['UPDATE_GOLDEN'] === '1';

/** Everything a terminal acts on or does not show, the line end aside. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

const isCommand = (line: string): boolean => /^ *(?:Check|Undo|Persist)? *\$ |^ {2}PromQL: /.test(line);

const forms = {
  'screen.80': { width: 80, rows: 24 },
  'file.80': { width: 80 },
  'verbose.60': { width: 60, verbose: true },
  'verbose.80': { width: 80, verbose: true },
  'verbose.120': { width: 120, verbose: true },
  'verbose.200': { width: 200, verbose: true },
  'verbose.80.ascii': { width: 80, verbose: true, unicode: false },
} as const;
const widths = [60, 80, 120, 200];

/** What stands there, wherever a line or a cell was broken: how often each sign does, but for blanks and rules. */
function inked(text: string): ReadonlyMap<string, number> {
  const signs = new Map<string, number>();
  for (const sign of text) if (!/[\s─-]/u.test(sign)) signs.set(sign, (signs.get(sign) ?? 0) + 1);
  return signs;
}
/** Narrower, tables are lists, which name what each cell is. */
const TABLES_FROM = 80;

/** Rows of a terminal of that width. */
const rowsOf = (text: string, width: number): number =>
  text
    .trimEnd()
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);

for (const [name, make] of Object.entries(goldenReports)) {
  describe(`report of ${name}`, () => {
    for (const [form, options] of Object.entries(forms)) {
      it(`reads as agreed as ${form} (UPDATE_GOLDEN=1 to accept a change)`, () => {
        const text = renderText(make(), { colour: false, unicode: true, ...options });
        const file = new URL(`${name}.${form}.txt`, folder);
        if (updating) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(file, text);
        }
        assert.ok(existsSync(file), `${file.pathname} is missing: UPDATE_GOLDEN=1 writes it`);
        assert.equal(text, readFileSync(file, 'utf8'));
      });
    }

    for (const width of widths) {
      it(`has no line beyond ${width} columns but commands, with or without UTF-8`, () => {
        for (const options of [{}, { verbose: true }, { rows: 24 }].flatMap((each) => [
          { ...each, unicode: true },
          { ...each, unicode: false },
        ])) {
          const text = renderText(make(), { colour: false, width, ...options });
          const long = text.split('\n').filter((line) => columns(line) > width && !isCommand(line));
          assert.deepEqual(long, []);
        }
      });

      it(`says at ${width} columns what it says at 200, in UTF-8 and in ASCII`, () => {
        for (const unicode of [true, false])
          for (const verbose of [true, false]) {
            const at = (columns: number): ReadonlyMap<string, number> =>
              inked(renderText(make(), { colour: false, unicode, width: columns, verbose }));
            const [here, wide] = [at(width), at(200)];
            for (const [sign, times] of wide) assert.ok((here.get(sign) ?? 0) >= times, `not all of ${sign} is there`);
            if (width >= TABLES_FROM) assert.deepEqual(here, wide);
          }
      });

      it(`is ASCII at ${width} columns where the terminal takes no more`, () => {
        for (const options of [{}, { verbose: true }, { rows: 24 }]) {
          const text = renderText(make(), { colour: false, unicode: false, width, ...options });
          assert.match(text, /^[\x20-\x7e\n]*$/);
        }
      });

      it(`leaves nothing out in a file of ${width} columns`, () => {
        const text = renderText(make(), { colour: false, unicode: true, width, verbose: true });
        assert.doesNotMatch(text, /…/);
      });
    }

    for (const width of [80, 120]) {
      it(`is one screen with room for a prompt at ${width} columns, and ends in the verdict`, () => {
        const text = renderText(make(), { colour: false, unicode: true, width, rows: 24 });
        const rows = rowsOf(text, width);
        assert.ok(rows <= 23, `${rows} rows`);
        const [around, verdict, ...more] = text.split('\n\n');
        assert.match(around!, /^Checks {5}.*\n(?:.*\n)*Overhead .*\n/);
        assert.match(verdict!, /^(?:CRITICAL|WARNING|OK|NOT FULLY MEASURED)\b/);
        assert.deepEqual(more, []);
      });
    }

    it('begins with the verdict in a file, and says there what the screen says', () => {
      const text = renderText(make(), { colour: false, unicode: true, width: 80 });
      assert.match(text, /^(?:CRITICAL|WARNING|OK|NOT FULLY MEASURED)\b/);
      for (const label of ['Checks', 'Overhead', 'Run', 'More']) assert.match(text, new RegExp(`^${label} `, 'm'));
    });

    it('shows nothing a terminal would act on, verbose or not, with or without UTF-8', () => {
      for (const unicode of [true, false]) {
        const text = renderText(make(), { colour: false, width: 80, unicode, verbose: true });
        assert.doesNotMatch(text, UNSAFE);
        if (!unicode) assert.match(text, /^[\x20-\x7e\n]*$/);
      }
      assert.doesNotMatch(renderJson(make()), UNSAFE);
    });

    it('counts one of a thing as one, and shows no part that is nothing, in no format', () => {
      const text = renderText(make(), { colour: false, width: 200, unicode: true, verbose: true });
      for (const said of [text, renderMarkdown(make()), renderHtml(make()).replace(/<script[^]*<\/script>/, '')]) {
        assert.doesNotMatch(said, /(?<![\d.,])1 (?:packets|checks|samples|frames|hosts|CPUs)\b/);
        assert.doesNotMatch(said, /\b0% \(0 ns\)|\b0% unexplained|, 0 OK/);
      }
    });

    it('adds colour and nothing else', () => {
      const options = { width: 80, unicode: true };
      const coloured = renderText(make(), { ...options, colour: true });

      const stripped = coloured.replace(/\u001b\[[0-9;]*m/g, '');
      assert.notEqual(coloured, stripped);
      assert.equal(stripped, renderText(make(), { ...options, colour: false }));
    });

    it('is JSON that the schema accepts, with every field, in the order of the schema', () => {
      const parsed: unknown = JSON.parse(renderJson(make()));
      assert.ok(validateReport(parsed), JSON.stringify(validateReport.errors?.slice(0, 3)));
      assert.deepEqual(orderErrors(parsed), []);
      assert.equal(renderJson(make()), renderJson(make()));
    });
  });
}

describe('the finding that the verdict is about', () => {
  it('has its own outcome, and the worst of the report a line of its own', () => {
    const text = renderText(goldenReports['tap']!(), { colour: false, unicode: true, width: 80 });
    assert.match(
      text,
      /^WARNING PKT0101 af-packet-tap-cost \(measured\)\n.*\nWorst {6}critical: PKT0405 udp-buffer-errors on CPU 1\n/,
    );
  });
});

describe('the screen', () => {
  const long = 'word '.repeat(400).trim();
  const sickReport = (others: number, command: string): Report => {
    const report = goldenReports['tap']!();
    const [first] = report.findings;
    const remedies = [{ action: long, command, verify: command, undo: command, lasts: command }];
    const findings = Array.from({ length: others }, () => ({ ...first!, title: long, summary: long, remedies }));
    const actions = [{ seconds: 1, action: long, reason: long, restored: true }];
    return {
      ...report,
      findings,
      probe: { ...report.probe, status: 'detached-early', reason: long },
      selfCost: { ...report.selfCost, actions },
      notMeasured: [{ reason: long, sources: [long], rules: ['PKT0101'], metrics: [] }],
    };
  };

  for (const [rows, width] of [
    [24, 80],
    [24, 60],
    [50, 200],
  ] as const) {
    it(`of ${width}x${rows} holds the verdict however much fired and however long the words are`, () => {
      for (const command of ['id', 'x'.repeat(80 * 3), 'x'.repeat(4000)]) {
        const sick = sickReport(40, command);
        for (const baseline of [undefined, { ...sick, host: { ...sick.host, hostname: long } }]) {
          const text = renderText(sick, { colour: false, width, unicode: true, baseline, rows });
          const taken = rowsOf(text, width);
          assert.ok(taken > rows / 2 && taken < rows, `${taken} rows`);
          assert.match(text, /^ {2}and \d+ more: -v$/m);
          assert.match(text, /^Fix /m);
        }
      }
    });
  }

  it('shows commands whole or says where they are', () => {
    const text = renderText(sickReport(1, 'x'.repeat(2000)), { colour: false, width: 80, unicode: true, rows: 24 });
    assert.doesNotMatch(text, /xxx/);
    assert.match(text, /too long for a screen: -v/);
  });

  it('says what is lost first, also when the verdict is about what merely costs', () => {
    const { findings, ...report } = goldenReports['tap']!();
    const [tap, udp] = findings;
    const apart = { ...report, findings: [tap!, udp!], verdict: { ...report.verdict, causes: [] } };
    const text = renderText(apart, { colour: false, width: 80, unicode: true });
    assert.match(
      text,
      /\nLost {7}123 datagrams\/s \(PKT0405\); no link to this was seen\nCosts {6}0\.90% of all CPU time\n/,
    );
  });

  it('lists what else was found by severity, losses before costs, one line each', () => {
    const { findings, ...report } = goldenReports['tap']!();
    const [tap, udp] = findings;
    const cheap = { ...tap!, code: 'PKT0102', outcome: 'warning' as const };
    const lossy = { ...udp!, code: 'PKT0502', outcome: 'warning' as const };
    const text = renderText(
      { ...report, findings: [tap!, cheap, lossy, udp!] },
      { colour: false, width: 80, unicode: true, rows: 24 },
    );
    assert.deepEqual(text.match(/(?<=^ {2}\w+ +)PKT\d+/gm), ['PKT0405', 'PKT0502', 'PKT0102']);
  });

  it('says first to somebody without root what root would see, each reason once with a count', () => {
    const report = goldenReports['no-probe']!();
    const text = (asRoot: boolean | null, rows?: number): string =>
      renderText({ ...report, host: { ...report.host, asRoot } }, { colour: false, width: 80, unicode: true, rows });
    const first = /^Run it as root to see 2 more checks: PKT0104 stack-latency and 1 more\.\n/;
    assert.match(text(false), first);
    assert.match(text(false, 24), first);
    for (const other of [true, null]) assert.doesNotMatch(text(other), /as root/);
    const unwanted = {
      ...report,
      host: { ...report.host, asRoot: false },
      probe: { ...report.probe, status: 'off' as const },
    };
    assert.match(
      renderText(unwanted, { colour: false, width: 80, unicode: true }),
      /^Run it as root to see 1 more check: PKT0201 conntrack-table-full\.\n/,
    );
    assert.match(text(false), /\nNot run {4}1 check: probe not built in; 1 check: permission denied \(EACCES\)\n/);
  });

  it('says in two lines what could not run, each check once, with how many more there are and where', () => {
    const report = goldenReports['no-probe']!();
    const [sample] = report.findings;
    const codes = Array.from({ length: 23 }, (_, index) => `PKT9${String(index).padStart(3, '0')}`);
    const lacking = codes.map((code) => ({ ...sample!, code, outcome: 'not-measured' as const }));
    const reasons = Array.from({ length: 9 }, (_, index) => ({
      reason: `reason ${index}: a few words more than would fit beside the others`,
      sources: [],
      // The first keeps all but four from running, some of which lack other things as well.
      rules: index === 0 ? codes.slice(4) : [codes[index > 4 ? 11 : index - 1]!, codes[10]!],
      metrics: [],
    }));
    const text = (rows?: number): string =>
      renderText(
        { ...report, findings: lacking, notMeasured: reasons },
        { colour: false, width: 80, unicode: true, rows },
      );
    for (const shown of [text(), text(24)]) {
      const told = /\nNot run {4}((?:.*\n {11})*.*)/.exec(shown)?.[1] ?? '';
      const checks = Array.from(told.matchAll(/(\d+)(?: more)? checks?/g), ([, count]) => Number(count));
      assert.equal(
        checks.reduce((sum, count) => sum + count, 0),
        23,
        told,
      );
      assert.match(told, /\(-v\)$/);
      assert.match(shown, /^Checks {5}0 made, 23 could not run$/m);
    }
    assert.ok(text(24).match(/\nNot run .*\n {11}.*\nOverhead/), text(24));
  });

  it('says what evidence has in common once, breaks names at commas only, and hides zeros from tickets', () => {
    const { findings, ...report } = goldenReports['tap']!();
    const [tap, ...others] = findings;
    const [line] = tap!.evidence;
    const other = { ...line!, metric: 'pktcost_span_samples_total', labels: { ...line!.labels, device: 'br0' } };
    const zero = { ...line!, metric: 'pktcost_span_lost_total', value: 0, threshold: null, comparison: null };
    const sick = { ...report, findings: [{ ...tap!, evidence: [line!, other, zero] }, ...others] };
    const text = renderText(sick, { colour: false, width: 80, unicode: true, verbose: true });
    assert.match(text, /\n {2}All of span="taps", mode="tracepoint":\n/);
    assert.match(text, /\n {2}pktcost_span_samples_total\{device="br0"\} /);
    assert.match(text, /pktcost_span_lost_total/);
    const markdown = renderMarkdown(sick);
    assert.doesNotMatch(markdown, /pktcost_span_lost_total/);
    assert.match(markdown, /1 more reading was zero at both ends\./);
  });

  it('shows how to take a fix back and how to make it last', () => {
    const { findings, ...report } = goldenReports['conntrack-full']!();
    const [full, ...others] = findings;
    const fix = { ...full!.remedies[0]!, undo: 'sysctl -w a=1', lasts: 'echo a=2 >/etc/sysctl.d/90-a.conf' };
    const sick = { ...report, findings: [{ ...full!, remedies: [fix] }, ...others] };
    for (const options of [{}, { rows: 30 }, { verbose: true }])
      assert.match(
        renderText(sick, { colour: false, width: 80, unicode: true, ...options }),
        /\nUndo {7}\$ sysctl -w a=1\nPersist {4}\$ echo a=2 >\/etc\/sysctl\.d\/90-a\.conf\n/,
      );
  });
});
