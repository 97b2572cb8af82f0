import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { compareReports } from '../../src/report/compare/index.ts';
import { renderComparisonText } from '../../src/report/text/comparison.ts';
import { renderFolded } from '../../src/report/folded.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { goldenReports, host, profiled, reportOf, spans } from './cases.ts';

describe('a report with a profile', () => {
  const report = goldenReports['tap']!();
  const profile = report.profile!;

  it('says how its clock fires, which on arm64 is no NMI', () => {
    const by = (clock: string, machine: string): string =>
      renderMarkdown({ ...report, profile: { ...profile, clock }, host: { ...report.host, machine } });
    assert.match(by('cycles', 'x86_64'), /by the cycle counter;/);
    assert.match(by('cycles', 'aarch64'), /the cycle counter, which under-counts what runs with interrupts off unless/);
    assert.match(by('cpu-clock', 'aarch64'), /a timer, which under-counts/);
  });

  it('has the parts of each direction with their errors, and takes the rest of NET_RX apart', () => {
    const [receive, transmit] = profile.directions;
    assert.deepEqual(
      receive?.parts.map(({ part, share }) => [part, share]),
      [
        ['nftables', 0.5],
        ['tap-receive', 0.25],
        ['driver-receive', 0.15],
        ['udp', 0.0925],
        ['other', 0.0075],
      ],
    );
    // 2 us of NET_RX to a packet, half of them in the rules.
    assert.equal(receive.nsPerPacket, 2000);
    assert.equal(receive.parts[0]?.ns, 1000);
    assert.match(transmit?.reason ?? '', /only 40 of the 100 samples/);
    const rest = report.cost.host.breakdown.find(({ part }) => part === 'net-rx-rest');
    assert.ok(rest);
    const sum = (rest.parts ?? []).reduce((total, { ns }) => total + ns, 0);
    assert.ok(Math.abs(sum - rest.ns) < 1e-6, `${sum} of ${rest.ns}`);
    assert.deepEqual(
      (rest.parts ?? []).map(({ part }) => part),
      ['nftables', 'udp', 'other'],
    );
  });

  it('tells parts, hook and what is below in text and Markdown, and says why sending has no price', () => {
    const text = renderText(report, { colour: false, width: 100, unicode: true, verbose: true });
    assert.match(text, /Receiving: 2 µs per packet/);
    assert.match(text, /nftables +1 µs +50% +4\.9% +firewall rules/);
    assert.match(text, /and 1 smaller part, together 0\.75%/);
    assert.match(text, /Netfilter by hook: input nftables 50%\./);
    assert.match(text, /Sending: not priced, only 40 of the 100 samples/);
    assert.match(renderMarkdown(report), /nftables \| +1 µs \| +50% /);
  });

  it('draws a flame graph without script, and what the host named is text in it', () => {
    const html = renderHtml(report);
    assert.match(html, /<title>nft_do_chain \(nftables\): 50%, 200 samples<\/title>/);
    assert.ok(!html.includes('<b>surprise'));
    assert.match(html, /&lt;b&gt;surprise/);
  });

  it('is printed as stacks for other tools', () => {
    const lines = renderFolded(report).trimEnd().split('\n');
    assert.equal(lines.length, 5);
    assert.equal(lines[0], 'receive;net_rx_action;__napi_poll;ip_local_deliver;nf_hook_slow;nft_do_chain 200');
    for (const line of lines) assert.match(line, /^(?:receive|transmit|socket);\S+ \d+$/);
  });

  it('without one says why, and prints no stack', () => {
    const failed = { profile: { path: 'profile', reason: 'perf_event_open: operation not permitted (EPERM)' } };
    const without = reportOf({ cells: [...host(), ...spans], failed }, []);
    assert.equal(without.profile?.reason, 'perf_event_open: operation not permitted (EPERM)');
    assert.deepEqual(without.profile.directions, []);
    assert.match(
      renderText(without, { colour: false, width: 200, unicode: true, verbose: true }),
      /Not sampled: perf_event_open: operation not permitted/,
    );
    assert.equal(renderFolded(without), '');
  });

  it('whose devices share their CPUs with others prices none of them by a mean', () => {
    const shared = reportOf({ cells: [...host({ packets: 900_000 }), ...spans, ...profiled] }, []);
    assert.deepEqual(shared.profile?.devices, []);
    const rest = shared.cost.devices.flatMap(({ breakdown }) => breakdown.filter(({ part }) => part === 'net-rx-rest'));
    for (const { parts } of rest) assert.deepEqual(parts, []);
  });

  it('held against another tells which parts grew, and which direction cannot be compared', () => {
    const base = host({ packets: 200_000, frames: 500_000, softirq: 0.5 });
    const named = (cells: typeof base): Parameters<typeof compareReports>[0] => ({
      source: 'a.json',
      report: reportOf({ cells: [...base, ...spans, ...cells] }, []),
    });
    const grown = profiled.map((cell): (typeof profiled)[number] =>
      cell[1]['part'] === 'nftables' && cell[1]['cpu'] === '1' && cell[1]['device'] === undefined
        ? [cell[0], cell[1], null, 1400]
        : cell,
    );
    const comparison = compareReports(named(profiled), named(grown), '0.1.0');
    const [receiving, sending] = comparison.profile;
    const rules = receiving?.figures.find(({ figure }) => figure === 'nftables');
    assert.deepEqual([rules?.before, rules?.after, rules?.verdict], [1000, 1750, 'more']);
    assert.equal(sending?.reason, 'not priced before');
    assert.match(
      renderComparisonText(comparison, { colour: false, width: 120, unicode: true, verbose: false }),
      /PARTS[\s\S]*receiving +nftables +1 µs +1\.75 µs/,
    );
  });
});
