/** What Debian's sos makes of a host of these kernels, and what pktcost says of it from that one sample. */
import { readFileSync } from 'node:fs';

import {
  expectFullTable,
  expectOnlyIn,
  expectPossible,
  fillTable,
  fired,
  loseDatagrams,
  refuseConnections,
  sosreport,
  type Judged,
} from '../scenarios/kit/sosreport.ts';
import { twoHosts } from './traffic.ts';
import type { Check, Guest } from './check.ts';

/** sos starts some hundred programs, of which each takes as many times as long here. */
const PATIENCE = 8;

function kept({ keep, note }: Guest, { report, archive }: Judged): void {
  keep('sosreport.tar.xz', readFileSync(archive));
  keep('report.json', JSON.stringify(report, undefined, 1));
  for (const { code, at, summary } of fired(report)) note(`${code} ${at['netns'] ?? ''}: ${summary}`);
}

export const sosChecks: readonly Check[] = [
  {
    id: 'sos-namespaces',
    what: 'a sosreport of a machine with two sick namespaces names what each lost, as possible',
    seconds: 400,
    run: async (guest) => {
      const { kit } = guest;
      const [lossy, short] = [twoHosts(kit), twoHosts(kit)];
      await loseDatagrams(lossy.server, lossy.client, lossy.at);
      await refuseConnections(short.server, short.client, short.at);
      const judged = await sosreport(kit, kit.itself(), [lossy.server, short.server, short.client], PATIENCE);
      kept(guest, judged);
      expectPossible(judged.report, 'PKT0405', /since their namespace was made/, lossy.server.netns);
      expectPossible(judged.report, 'PKT0401', /since their namespace was made/, short.server.netns);
      expectOnlyIn(judged.report, 'PKT0405', lossy.server.netns);
      expectOnlyIn(judged.report, 'PKT0401', short.server.netns);
    },
  },
  {
    id: 'sos-conntrack',
    what: 'a sosreport of a host whose conntrack table is full names that, as possible',
    seconds: 400,
    run: async (guest) => {
      // What is set is the guest's own.
      process.env['PKTCOST_HOST_CHANGES'] = '1';
      const { server, client, at } = twoHosts(guest.kit);
      await fillTable(guest.kit, server, client, at, 50);
      const judged = await sosreport(guest.kit, server, [], PATIENCE);
      kept(guest, judged);
      expectFullTable(judged.report);
    },
  },
];
