import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { kernelLogLines } from '../../src/metrics/catalogue/index.ts';
import { lacking, leftOut } from '../support/needs.ts';
import { hostChangesAllowed, withHosts } from './kit/hosts.ts';
import { compiler, onPath } from './kit/programs.ts';
import {
  expectFullTable,
  expectOnlyIn,
  expectPossible,
  fillTable,
  fired,
  loseDatagrams,
  refuseConnections,
  sosreport,
} from './kit/sosreport.ts';

const seconds = 110;

const skip =
  leftOut(
    onPath('sos') && compiler() !== undefined ? undefined : 'needs sos (apt-get install sosreport) and a C compiler',
  ) || lacking({ root: true });

describe('a sosreport', { skip }, () => {
  it('of a namespace that loses names what it lost, from one sample, as possible', async () => {
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      await loseDatagrams(server, client, at);
      await refuseConnections(server, client, at);
      const { report, status } = await sosreport(kit, server);
      expectPossible(
        report,
        'PKT0405',
        /^[\d,]+ UDP datagrams \(\d+%\) were dropped since boot \(.*\) because the receive buffer/,
      );
      expectPossible(
        report,
        'PKT0401',
        /^[\d,]+ connection attempts met a full accept queue since boot \(.*\), \d+(\.\d+)?% of all/,
      );
      assert.equal(status, 4);
      for (const { certainty, code } of fired(report)) assert.equal(certainty, 'possible', code);
    }, seconds);
  });

  it('of a machine names of each sick namespace what was lost in it, and nothing of the healthy ones', async () => {
    await withHosts(async (kit) => {
      const [datagrams, connections, client] = [kit.host(), kit.host(), kit.host()];
      await loseDatagrams(datagrams, client, kit.link(datagrams, client)[0]);
      await refuseConnections(connections, client, kit.link(connections, client)[0]);
      const { report, status } = await sosreport(kit, kit.itself(), [datagrams, connections, client]);
      expectPossible(report, 'PKT0405', /since their namespace was made/, datagrams.netns);
      expectPossible(report, 'PKT0401', /since their namespace was made/, connections.netns);
      expectOnlyIn(report, 'PKT0405', datagrams.netns);
      expectOnlyIn(report, 'PKT0401', connections.netns);
      assert.equal(status, 4);
    }, seconds);
  });

  it('of a namespace whose conntrack table is full names that', async (test) => {
    if (!hostChangesAllowed()) {
      test.skip('it changes nf_conntrack_max of the whole host, which PKTCOST_HOST_CHANGES=1 allows');
      return;
    }
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      await fillTable(kit, server, client, at);
      const { report, status } = await sosreport(kit, server);
      expectFullTable(report);
      assert.equal(status, 4);
    }, seconds);
  });

  it('of a healthy namespace says that it lost nothing, and finds nothing in it', async () => {
    await withHosts(async (kit) => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      await server.make('listener', { port: 8080, backlog: 128, accept: 1 });
      await client.make('connect', { address: at.v4, port: 8080, count: 20, rounds: 2, 'hold-ms': 100 });
      const { report } = await sosreport(kit, server);
      // What CPUs dropped since boot is the whole machine's.
      const own = report.findings.filter(({ at: { netns } }) => netns !== undefined);
      assert.deepEqual(
        own
          .filter(({ outcome }) => outcome === 'critical' || outcome === 'warning')
          // The kernel's log is the machine's, too, with what other tests made it say.
          .filter(({ evidence }) => evidence.every(({ metric }) => metric !== kernelLogLines.name))
          .map(({ summary }) => summary),
        [],
      );
      for (const code of ['PKT0401', 'PKT0405']) {
        const found = report.findings.find((each) => each.code === code && each.at['netns'] === '');
        // Only the first namespace shows udp_mem, and what all sockets of the host hold may be near it.
        if (code === 'PKT0405' && found?.outcome === 'not-measured') {
          assert.match(JSON.stringify(found.missing), /udp_mem/);
          continue;
        }
        assert.equal(found?.outcome, 'ok', code);
        assert.match(found.summary, /^No .* since boot/);
      }
    }, seconds);
  });
});
