import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Report, Span } from '../../../src/generated/report.ts';
import { escapeHtml, markup } from '../../../src/report/html/markup.ts';
import { renderHtml } from '../../../src/report/html/index.ts';
import { visible } from '../../../src/report/escape.ts';
import { fired } from '../../../src/report/words/findings.ts';
import { goldenReports, hostile } from '../cases.ts';
import { elementsOf, textOf } from './markup.ts';

const folder = new URL('../../../../test/fixtures/golden/', import.meta.url);

/** The part that changes with the report: the style sheet and the JSON have tests of their own. */
function shown(page: string): string {
  return page.replace(/<(style|script)([^>]*)>[^]*?<\/\1>/g, '<$1$2></$1>');
}

for (const [name, make] of Object.entries(goldenReports)) {
  describe(`HTML report of ${name}`, () => {
    const page = renderHtml(make());

    it('reads as agreed (UPDATE_GOLDEN=1 to accept a change)', () => {
      const file = new URL(`${name}.html`, folder);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, shown(page));
      assert.ok(existsSync(file), `${file.pathname} is missing: UPDATE_GOLDEN=1 writes it`);
      assert.equal(shown(page), readFileSync(file, 'utf8'));
      assert.equal(page, renderHtml(make()));
    });

    it('is well formed, with ids that are unique and found by what points at them', () => {
      const elements = elementsOf(page);
      const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
      assert.equal(new Set(ids).size, ids.length);
      const pointers = elements.flatMap(({ attributes }) => [
        ...(attributes.get('aria-labelledby')?.split(' ') ?? []),
        ...(attributes.get('href')?.replace(/^#/, '').split(' ') ?? []),
      ]);
      assert.deepEqual(
        pointers.filter((id) => !ids.includes(id)),
        [],
      );
    });

    it('lets nothing run, load or leave', () => {
      const elements = elementsOf(page);
      const policy = elements.find(({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy');
      assert.match(policy?.attributes.get('content') ?? '', /^default-src 'none'; style-src 'unsafe-inline';/);
      // Before anything the policy is to hold for.
      assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<title>'));
      for (const { tag, attributes } of elements) {
        assert.ok(!['img', 'link', 'iframe', 'object', 'embed', 'form', 'base', 'use', 'image'].includes(tag), tag);
        if (tag === 'script') assert.equal(attributes.get('type'), 'application/json');
        for (const [attribute, value] of attributes) {
          assert.doesNotMatch(attribute, /^(?:on|src|style|xlink)/);
          if (attribute === 'href') assert.match(value, /^#[a-z0-9-]+$/);
        }
      }
      assert.doesNotMatch(page.replace(/<script[^]*<\/script>/, ''), /https?:|@import|url\((?!#hatch\))/);
    });

    it('carries the report itself', () => {
      const [, json] = /<script type="application\/json" id="report">\n([^]*?)<\/script>/.exec(page)!;
      assert.doesNotMatch(json!, /[<>&]/);
      assert.deepEqual(JSON.parse(json!), JSON.parse(JSON.stringify(make())));
    });

    it('says what the report says', () => {
      const report = make();
      const text = textOf(page);
      for (const finding of report.findings.filter(fired)) {
        assert.ok(text.includes(visible(finding.summary, 4000)));
        for (const { command, verify } of finding.remedies) {
          for (const each of [command, verify]) if (each !== null) assert.ok(text.includes(visible(each, 4000)));
        }
      }
      for (const { reason } of report.notMeasured) assert.ok(text.includes(visible(reason)));
      if (report.verdict.principal === null) assert.ok(text.includes(report.verdict.headline));
    });

    it('has a heading order without gaps, a caption for each table, a name for each picture', () => {
      const elements = elementsOf(page);
      const levels = elements.flatMap(({ tag }) => (/^h[1-6]$/.test(tag) ? [Number(tag[1])] : []));
      assert.equal(levels.filter((level) => level === 1).length, 1);
      for (const [index, level] of levels.entries()) assert.ok(level <= (levels[index - 1] ?? 0) + 1);
      assert.equal(page.match(/<table/g)?.length ?? 0, page.match(/<table[^>]*><caption>[^<]/g)?.length ?? 0);
      const pictures = elements.filter(({ tag, attributes }) => tag === 'svg' && attributes.get('class') !== 'plot');
      for (const { attributes } of pictures) {
        assert.ok(attributes.get('aria-hidden') === 'true' || attributes.has('aria-labelledby'));
      }
    });
  });
}

describe('what the HTML report shows', () => {
  it('is text, whatever a name is made of', () => {
    const nasty = `</script></style>--><img src=x onerror=alert(1)>" onclick="x" ' &amp; ${hostile}`;
    const page = renderHtml(renamed(goldenReports['hostile']!(), nasty));
    const elements = elementsOf(page);
    assert.equal(elements.filter(({ tag }) => tag === 'script').length, 1);
    assert.equal(elements.filter(({ tag }) => tag === 'img').length, 0);
    assert.ok(textOf(page).includes(visible(nasty, 4000)));
    assert.doesNotMatch(page, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
  });

  it('escapes every value of a template but markup', () => {
    assert.equal(markup`<a b="${'"<'}">${['&', markup`<i/>`, 3]}</a>`.text, '<a b="&quot;&lt;">&amp;<i/>3</a>');
    assert.equal(escapeHtml("\u202e'"), '\\u{202e}&#39;');
  });

  it('draws the baseline only where the span was measured in the same way', () => {
    const report = goldenReports['tap']!();
    const outlines = (baseline: Report): number =>
      renderHtml(report, { baseline }).match(/<path class="before"/g)?.length ?? 0;
    assert.equal(outlines(report), 1);
    assert.equal(outlines(withSpan(report, (span) => ({ ...span, mode: 'generic' }))), 0);
    assert.equal(outlines({ ...report, cost: { ...report.cost, devices: [] } }), 0);
  });

  it('draws odd histograms without a figure that is none', () => {
    const odd: Span['histogram'][] = [
      [],
      [{ leNs: null, count: 3 }],
      [{ leNs: 0, count: 3 }],
      [{ leNs: 1, count: 1 }],
      [
        { leNs: 64, count: 0 },
        { leNs: 64, count: 7 },
        { leNs: null, count: 1 },
      ],
    ];
    for (const histogram of odd) {
      const nothing = { floorNs: null, p50Ns: null, p90Ns: null, p99Ns: null, p999Ns: null, avgNs: null };
      for (const change of [{}, nothing]) {
        const page = renderHtml(withSpan(goldenReports['tap']!(), (span) => ({ ...span, ...change, histogram })));
        elementsOf(page);
        assert.doesNotMatch(shown(page), /NaN|Infinity|undefined/);
      }
    }
  });

  it('stays readable and bounded on a host with very many of everything', () => {
    const report = goldenReports['tap']!();
    const [cpu] = report.cost.cpus;
    const [device] = report.cost.devices;
    const page = renderHtml({
      ...report,
      taps: Array.from({ length: 2000 }, () => report.taps[0]!),
      cost: {
        ...report.cost,
        cpus: Array.from({ length: 512 }, (_, index) => ({ ...cpu!, cpu: String(index), numaNode: index % 8 })),
        devices: Array.from({ length: 2000 }, (_, index) => ({ ...device!, device: `veth${index}` })),
      },
    });
    elementsOf(page);
    assert.match(page, /NUMA node 7/);
    assert.match(page, /1,800 more in the JSON report/);
    assert.ok(shown(page).length < 1_500_000, String(shown(page).length));
  });
});

/** The report with another name wherever the hostile one stands. */
function renamed(report: Report, name: string): Report {
  return JSON.parse(JSON.stringify(report), (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(hostile, name) : value,
  ) as Report;
}

function withSpan(report: Report, change: (span: Span) => Span): Report {
  const devices = report.cost.devices.map((device) => {
    const { spans } = device;
    return spans === null || spans.taps === null
      ? device
      : { ...device, spans: { ...spans, taps: change(spans.taps) } };
  });
  return { ...report, cost: { ...report.cost, devices } };
}

describe('packet sockets that were not read', () => {
  const told = (report: Report): string => textOf(renderHtml(report));

  it('are not said to be none', () => {
    const report = goldenReports['idle']!();
    const status = { id: 'packet', netns: '', milliseconds: 1, gaps: 1 };
    const refused = {
      ...status,
      status: 'unavailable' as const,
      path: '/proc/net/packet',
      reason: 'permission denied',
    };
    const none = { ...status, status: 'ok' as const, path: null, reason: null, gaps: 0 };
    const all = 'No packet socket is on the path of every packet.';
    assert.ok(told({ ...report, collectors: [none] }).includes(all));
    assert.ok(!told({ ...report, collectors: [] }).includes(all));
    const page = told({ ...report, collectors: [refused] });
    assert.ok(!page.includes(all));
    assert.match(page, /could not all be read: \/proc\/net\/packet: permission denied\./);
  });
});
