/** Losses that can be provoked on any kernel: that it names them as the development machine's does, or by counters. */
import assert from 'node:assert/strict';
import { Lab, ofHere, said } from '../scenarios/kit/lab.ts';
import type { Check, Guest } from './check.ts';
import { PORT, ways, type Way } from './loss-ways.ts';
import { memoryGroupChecks } from './memory-group.ts';
import { diagnosed, until } from './traffic.ts';

async function told(guest: Guest, { code, called, at, outside, says, provoke }: Way): Promise<void> {
  const lab = new Lab(guest.kit);
  await provoke(lab);
  const { netns } = lab[at];
  const report =
    outside === true ? await diagnosed(guest, guest.kit.itself(), '--netns', netns) : await diagnosed(guest, lab[at]);
  const ofNetns = outside === true ? netns : '';
  const findings = report.findings.filter((each) => (each.at['netns'] ?? '') === ofNetns);
  const finding = said({ ...report, findings }, code);
  const rows = ofHere(report);
  const seen = JSON.stringify({ rows, notMeasured: report.notMeasured });
  assert.ok(finding !== undefined, `${code} says nothing: ${seen}`);
  guest.note(`${code} ${finding.outcome}: ${finding.summary}`);
  if (says !== undefined) assert.match(finding.summary, says);
  if (called === undefined) return;
  const row = rows.find(
    ({ reason, place, rule }) => rule === code && (called.includes(reason) || called.includes(place)),
  );
  assert.ok(row !== undefined && row.packets >= 20, `none of ${called.join(', ')} in ${seen}`);
  guest.note(`${row.reason} at ${row.place}: ${row.packets}`);
  const book = report.ledger?.books.find(({ netns }) => netns === '');
  guest.note(`books: ${JSON.stringify(book)}`);
}

export const lossChecks: readonly Check[] = [
  ...Object.entries(ways).map(([id, way]) => ({
    id: `loss-${id}`,
    what: `${way.code}: ${way.what}, by its reason or its place`,
    seconds: 240,
    run: (guest: Guest) => told(guest, way),
  })),
  ...memoryGroupChecks,
  {
    id: 'loss-capture',
    what: 'PKT0709: a ring that is never read, and one that is',
    seconds: 300,
    run: async (guest) => {
      for (const read of [0, 1] as const) {
        const lab = new Lab(guest.kit);
        const { device, v4 } = lab.at.server;
        await lab.server.make('udp-receive', { port: PORT, rcvbuf: 1 << 20, life: 280 });
        const options = { device, name: `sniffer-${read}`, 'ring-blocks': read === 0 ? 1 : 16, read, life: 280 };
        await lab.server.make('packet-tap', options);
        await lab.client.make('udp-send', { address: v4, port: PORT, rate: 1000, size: 1000, life: 280, seconds: 280 });
        const counted = `/sys/class/net/${device}/statistics/rx_packets`;
        // A ring of 256 KiB has room for 250 of them.
        await until('more came than fit', () => Number(lab.server.run('cat', counted)) > 500);
        const report = await diagnosed(guest, lab.server, '--window', '4s');
        const finding = said(report, 'PKT0709');
        const tap = report.taps.find(({ owners }) => owners.some(({ comm }) => comm === options.name));
        guest.note(`read ${read}: ${finding?.summary ?? 'nothing lost'}; drops ${String(tap?.drops)}`);
        assert.ok(tap !== undefined && tap.drops !== null, JSON.stringify({ tap, missing: report.notMeasured }));
        if (read === 0) assert.ok(finding !== undefined && tap.drops > 100, JSON.stringify({ tap, finding }));
        else assert.ok(finding === undefined && tap.drops === 0, JSON.stringify({ tap, finding }));
      }
    },
  },
];
