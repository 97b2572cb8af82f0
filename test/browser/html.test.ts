import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { renderHtml } from '../../src/report/html/index.ts';
import { visible } from '../../src/report/escape.ts';
import { goldenReports, hostile } from '../report/cases.ts';
import { leftOut } from '../support/needs.ts';
import { Chromium, chromiumPath } from './chromium.ts';

/** A telephone, a tablet, a desk, and the narrowest screens that tables of a kind are tables on. */
const WIDTHS = [360, 800, 1400, 641, 781, 901, 1041];
const path = chromiumPath();
const skip = leftOut(path === undefined ? 'needs Chromium: apt-get install chromium' : undefined);

/** What sticks out to the right, other than what is hidden for screen readers. */
const STICKING_OUT = `[...document.querySelectorAll('body *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5 && !each.closest('svg, .sr'))
  .map((each) => each.tagName + '.' + each.className).slice(0, 5)`;

/** Text with too little contrast for its size (WCAG 2.2, AA): the colour, the ground it stands on, the ratio. */
const TOO_FAINT = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => { const [r, g, b] = parse(colour).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (each) => { for (let at = each; at; at = at.parentElement) { const c = getComputedStyle(at).backgroundColor; if ((parse(c)[3] ?? 1) === 1) return c; } return 'rgb(255,255,255)'; };
  const found = new Set();
  for (const each of document.querySelectorAll('body *')) {
    if (![...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || each.closest('script, title, desc')) continue;
    const style = getComputedStyle(each);
    const label = each.matches('.bar text, .icicle text') && each.parentElement.querySelector('rect');
    const under = label ? getComputedStyle(label).fill : ground(each);
    if (!under.startsWith('rgb')) continue;
    const [a, b] = [light(each.closest('svg') ? style.fill : style.color), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.add(each.tagName + '.' + (each.className.baseVal ?? each.className) + ' ' + ratio.toFixed(2));
  }
  return [...found];
})()`;

describe('the HTML report in Chromium', { skip, timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-html-'));
  let browser: Chromium | undefined;
  const page = (name: string): string => pathToFileURL(join(folder, `${name}.html`)).href;

  before(async () => {
    assert.ok(path !== undefined);
    for (const [name, make] of Object.entries(goldenReports)) {
      const report = make();
      writeFileSync(join(folder, `${name}.html`), renderHtml(report, { baseline: report }));
    }
    browser = await Chromium.start(path);
  });
  after(async () => {
    await browser?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of Object.keys(goldenReports)) {
    it(`has no sideways scrolling at any width: ${name}`, async () => {
      for (const width of WIDTHS) {
        await browser!.show(page(name), { width });
        await browser!.ask(`document.querySelectorAll('details').forEach((each) => { each.open = true; })`);
        assert.deepEqual(await browser!.ask(STICKING_OUT), [], `${width} px`);
        assert.equal(await browser!.ask('document.documentElement.scrollWidth'), width);
      }
    });
  }

  it('can be read in light and dark', async () => {
    for (const name of ['tap', 'no-probe', 'hostile']) {
      for (const scheme of ['light', 'dark'] as const) {
        await browser!.show(page(name), { width: 800, scheme });
        await browser!.ask(`document.querySelectorAll('details').forEach((each) => { each.open = true; })`);
        assert.deepEqual(await browser!.ask(TOO_FAINT), [], `${name}, ${scheme}`);
      }
    }
    const [light, dark] = [await ground('light'), await ground('dark')];
    assert.notEqual(light, dark);
  });

  it('is printed on white, with the evidence unfolded', async () => {
    await browser!.show(page('tap'), { width: 700, scheme: 'dark', media: 'print' });
    assert.equal(await browser!.ask('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
    const heights = `[...document.querySelectorAll('details table')].map((each) => each.checkVisibility({ contentVisibilityAuto: true }) && each.getBoundingClientRect().height > 20)`;
    const seen = (await browser!.ask(heights)) as boolean[];
    assert.ok(seen.length >= 3 && seen.every(Boolean), String(seen));
    assert.equal(await browser!.ask('document.documentElement.scrollWidth'), 700);
  });

  it('shows hostile names as text and runs nothing', async () => {
    await browser!.show(page('hostile'), { width: 800 });
    const text = (await browser!.ask('document.body.innerText')) as string;
    assert.ok(text.includes(visible(hostile, 1000)));
    assert.match(text, /<script>alert\(1\)<\/script>/);
    assert.doesNotMatch(text.replaceAll('\n', '').replaceAll('\t', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
    assert.deepEqual(await browser!.ask(`[...document.scripts].map(({ type }) => type)`), ['application/json']);
    assert.match((await browser!.ask('document.title')) as string, /<script>/);
  });

  it('loads nothing and lets nothing be run in it', async () => {
    await browser!.show(page('tap'), { width: 800 });
    assert.equal(await browser!.ask(`performance.getEntriesByType('resource').length`), 0);
    const ran = `(() => { const each = document.createElement('script'); each.textContent = 'window.ran = true'; document.body.append(each); return window.ran === true; })()`;
    assert.equal(await browser!.ask(ran), false);
    assert.equal(await browser!.ask(`JSON.parse(document.getElementById('report').textContent).tool.name`), 'pktcost');
  });

  async function ground(scheme: 'light' | 'dark'): Promise<unknown> {
    await browser!.show(page('tap'), { width: 800, scheme });
    return browser!.ask('getComputedStyle(document.body).backgroundColor');
  }
});
