/** Losses that can be provoked on any kernel: that it names them as the development machine's does, or by counters. */
import assert from 'node:assert/strict';
import { Lab, ofHere, said, type Place } from '../scenarios/kit/lab.ts';
import { pause } from '../scenarios/kit/hosts.ts';
import type { Check, Guest } from './check.ts';
import { diagnosed, until } from './traffic.ts';

const PORT = 9000;

interface Way {
  readonly what: string;
  readonly code: string;
  /** What these kernels call it: a reason, or the function that stands for it. */
  readonly called: readonly string[];
  readonly at: Place;
  readonly provoke: (lab: Lab) => Promise<unknown>;
}

const ways: Readonly<Record<string, Way>> = {
  'rp-filter': {
    what: 'a source that is behind another device (rp_filter)',
    code: 'PKT0701',
    called: ['IP_RPFILTER', 'ip_rcv_finish_core'],
    at: 'router',
    provoke: (lab) => {
      lab.router.sysctl({ 'net.ipv4.conf.all.rp_filter': 1 });
      return lab.craft({ from: '198.51.100.9' });
    },
  },
  'no-route': {
    what: 'no route',
    code: 'PKT0701',
    called: ['IP_INNOROUTES', 'ip_error'],
    at: 'router',
    provoke: (lab) => lab.craft({ to: '203.0.113.9' }),
  },
  qdisc: {
    what: 'a queueing discipline that is full (tbf on a router)',
    code: 'PKT0503',
    called: ['QDISC_DROP', 'QDISC_OVERLIMIT'],
    at: 'router',
    provoke: (lab) => {
      lab.router.run(...`tc qdisc add dev ${lab.at.outer.device} root tbf rate 100kbit burst 2k limit 3k`.split(' '));
      return lab.craft();
    },
  },
  neighbours: {
    what: 'a neighbour table that overflows',
    code: 'PKT0702',
    called: ['NEIGH_CREATEFAIL', 'ip_finish_output2', 'NEIGH_QUEUEFULL'],
    at: 'router',
    provoke: async (lab) => {
      lab.router.run('ip', 'address', 'add', '198.19.0.1/16', 'dev', lab.at.outer.device);
      const limits = lab.kit.itself();
      for (const each of [1, 2, 3]) limits.sysctl({ [`net.ipv4.neigh.default.gc_thresh${each}`]: 16 * each });
      lab.kit.undo(() => {
        for (const each of [1, 2, 3])
          limits.sysctl({ [`net.ipv4.neigh.default.gc_thresh${each}`]: [128, 512, 1024][each - 1] ?? 1024 });
      });
      await lab.craft({ to: '198.19.2.0', hosts: 60_000, rate: 1000 });
      await pause(1000);
    },
  },
  nft: {
    what: 'a rule of nftables',
    code: 'PKT0704',
    called: ['NETFILTER_DROP'],
    at: 'server',
    provoke: (lab) => {
      lab.server.nft(`table ip t { chain c { type filter hook input priority 0; udp dport ${PORT} drop; }; }`);
      return lab.craft();
    },
  },
  udp: {
    what: 'a UDP socket whose buffer is full',
    code: 'PKT0405',
    called: ['SOCKET_RCVBUFF'],
    at: 'server',
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: PORT, rcvbuf: 4096, read: 0 });
      return lab.craft();
    },
  },
};

async function told(guest: Guest, { code, called, at, provoke }: Way): Promise<void> {
  const lab = new Lab(guest.kit);
  await provoke(lab);
  const report = await diagnosed(guest, lab[at]);
  const finding = said(report, code);
  const rows = ofHere(report);
  const seen = JSON.stringify({ rows, notMeasured: report.notMeasured });
  assert.ok(finding !== undefined, `${code} says nothing: ${seen}`);
  guest.note(`${code} ${finding.outcome}: ${finding.summary}`);
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
