import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../../src/generated/report.ts';
import { tapsPage } from '../../../src/report/markdown/index.ts';
import { renderTaps } from '../../../src/report/text/cost.ts';
import { goldenReports } from '../cases.ts';

type Collectors = Report['collectors'];

const read = { id: 'packet', netns: '', status: 'ok', reason: null, path: null, gaps: 0, milliseconds: 1 } as const;
const refused = (netns: string): Collectors[number] => {
  const reason = 'cannot enter the network namespace: operation not permitted (EPERM)';
  return { ...read, netns, status: 'unavailable', gaps: 1, path: `/run/netns/${netns}`, reason };
};
const style = { colour: false, width: 200, unicode: true };
const pages = (taps: Report['taps'], collectors: Collectors): string[] => [
  renderTaps({ taps, collectors }, style),
  tapsPage({ taps, collectors }),
];

describe('the list of packet sockets', () => {
  it('is empty where all was read', () => {
    for (const page of pages([], [read])) assert.equal(page, 'No packet socket in the namespaces looked into.\n');
  });

  it('names the namespaces that could not be entered, whether or not there are sockets elsewhere', () => {
    const { taps } = goldenReports['tap']!();
    for (const page of [...pages([], [read, refused('blue')]), ...pages(taps, [read, refused('blue')])]) {
      assert.match(page, /could not all be read: those of namespace blue: \/run\/netns\/blue: cannot enter/);
      assert.doesNotMatch(page, /namespaces looked into/);
    }
  });

  it('tells the reason of many once', () => {
    const all = ['a', 'b', 'c', 'd'].map((netns) => ({ ...refused(netns), path: '/run/netns' }));
    for (const page of pages([], [read, ...all])) {
      assert.match(page, /those of 4 namespaces: a, b, c and 1 more: /);
      assert.equal(page.split('cannot enter').length, 2);
    }
  });

  it('does not take for none what was not looked for', () => {
    for (const page of pages([], [])) assert.match(page, /Packet sockets were not looked for/);
  });
});
