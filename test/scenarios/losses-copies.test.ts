/** Losses of one who gets a copy of what others get as well: a socket of a multicast group, and captures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { withHosts } from './kit/hosts.ts';
import { Lab, ofHere, provoked, said, type Row } from './kit/lab.ts';
import { whyNot } from './kit/scenario.ts';

const PORT = 9000;
const GROUP = '239.1.1.1';

/** A hundred sockets of one group at the router, and the datagrams to it. The last is of a process of its own. */
async function group(lab: Lab, last: 0 | 1): Promise<unknown> {
  const local = lab.at.inner.v4;
  const member = { group: GROUP, local, port: PORT };
  await lab.router.make('udp-receive', { ...member, sockets: 99, rcvbuf: 4 << 20, name: 'mcast-reader' });
  const rcvbuf = last === 0 ? 4096 : 4 << 20;
  await lab.router.make('udp-receive', { ...member, rcvbuf, read: last, name: 'mcast-last' });
  return lab.craft({ mac: '01:00:5e:01:01:01', to: GROUP, rate: 300 });
}
const multicast: Readonly<Record<string, Row>> = {
  'one of a hundred sockets of a multicast group is not read': {
    code: 'PKT0405',
    reason: 'SOCKET_RCVBUFF',
    at: 'router',
    warns: true,
    says: /mcast-last \(pid \d+\)/,
    provoke: (lab) => group(lab, 0),
    twin: (lab) => group(lab, 1),
  },
};

describe('losses of one of many sockets', () => {
  provoked(multicast, whyNot({}) ?? false);
});

/** A capture at the server, whose traffic arrives all the same. */
async function captured(lab: Lab, options: Readonly<Record<string, number>>): Promise<void> {
  const { device, v4 } = lab.at.server;
  await lab.server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
  await lab.server.make('packet-tap', { device, name: 'sniffer', ...options });
  await lab.client.make('udp-send', { address: v4, port: PORT, rate: 4000, size: 1000 });
  // Of what is sent the capture has the last copy, so that the kernel tells of it once more.
  await lab.client.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
  await lab.server.make('udp-send', { address: lab.at.client.v4, port: PORT, rate: 100 });
}
const captures: Readonly<
  Record<string, { readonly options: Readonly<Record<string, number>>; readonly says: RegExp }>
> = {
  'read by recv()': { options: {}, says: /the buffer of its socket is full/ },
  'with a ring': { options: { 'ring-blocks': 2 }, says: /its ring is full/ },
};

describe('what captures lose', () => {
  for (const [name, { options, says }] of Object.entries(captures))
    for (const read of [0, 1] as const)
      it(
        `a capture ${name} that is ${read === 0 ? 'never read: its own loss, and none of the host' : 'read has no loss'}`,
        { timeout: 240_000, skip: whyNot({}) ?? false },
        async () => {
          await withHosts(async (kit) => {
            const lab = new Lab(kit);
            // Room for all of the window, so that a reader that gets no CPU for a while loses nothing either.
            const room = 'ring-blocks' in options ? { 'ring-blocks': 64 } : { rcvbuf: 16 << 20 };
            await captured(lab, { ...options, ...(read === 1 && room), read });
            const { report } = await lab.server.diagnose('--window', '2s');
            const finding = said(report, 'PKT0709');
            const tap = report.taps.find(({ owners }) => owners.some(({ comm }) => comm === 'sniffer'));
            const told = JSON.stringify({ rows: ofHere(report), tap, finding, notMeasured: report.notMeasured });
            if (read === 1) {
              assert.equal(finding, undefined, told);
              assert.equal(tap?.drops, 0, told);
              return;
            }
            assert.ok(finding !== undefined, told);
            assert.equal(finding.outcome, 'info');
            assert.match(finding.summary, /^sniffer \(pid \d+\) lost [\d,]+ of the packets that it captures on veth/);
            assert.match(finding.summary, says);
            assert.ok((tap?.drops ?? 0) > 1000, told);
            const rows = ofHere(report).filter(({ rule }) => rule === 'PKT0709');
            assert.deepEqual(
              rows.map(({ kind, device }) => [kind, device]),
              [['noise', lab.at.server.device]],
              told,
            );
            const lost = ofHere(report).filter(({ kind, packets }) => kind === 'loss' && packets > 10);
            assert.deepEqual(lost, [], told);
            const book = report.ledger?.books.find(({ netns }) => netns === '');
            assert.ok(book !== undefined && book.lost <= 10, JSON.stringify(book));
          });
        },
      );
});
