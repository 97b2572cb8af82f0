import assert from 'node:assert/strict';

import type { Diagnosed, End, Host, Kit } from './kit/hosts.ts';
import { evidence, finding, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
}

const LIMIT = 500;
const limit = '/proc/sys/net/netfilter/nf_conntrack_max';
const hashSize = '/proc/sys/net/netfilter/nf_conntrack_buckets';

/** A server that tracks what it receives. */
function tracking(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at] = kit.link(server, client);
  server.nft('table inet scenario { chain in { type filter hook input priority 0; ct state new counter; }; }');
  return { server, client, at };
}

/** The limit is one for the whole host: it is low only for as long as the case takes. */
async function fullTable(kit: Kit, { server }: Setting, fill: () => Promise<unknown>): Promise<Diagnosed> {
  await kit.hostSetting(limit, `${LIMIT}`);
  await fill();
  return server.diagnose();
}

const PORT = 8080;

function connections({ server, client, at }: Setting, count: number): () => Promise<unknown> {
  return async () => {
    await server.make('listener', { port: PORT, backlog: 4096, accept: 1 });
    // Kept open until the end, so that the entries stay assured.
    await client.make('connect', { address: at.v4, port: PORT, count, 'hold-ms': 40_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
  };
}

scenario({
  title: 'Conntrack table',
  codes: ['PKT0201', 'PKT0202', 'PKT0203'],
  needs: ['nft'],
  hostWide: 'net.netfilter.nf_conntrack_max',
  setUp: tracking,
  cases: {
    'full of established connections while new ones come': {
      fires: ['PKT0201'],
      provoke: (setting, kit) =>
        fullTable(kit, setting, async () => {
          await connections(setting, LIMIT)();
          const { client, at } = setting;
          await client.make('connect', { address: at.v4, port: PORT, count: 100, rounds: 36, 'hold-ms': 700 });
        }),
      check: (report) => {
        const found = finding(report, 'PKT0201');
        assert.equal(found.outcome, 'critical');
        assert.equal(found.certainty, 'measured');
        assert.ok(evidence(found, 'usage') >= 0.95);
        assert.equal(evidence(found, 'evicted'), 0, 'assured flows are never evicted');
        return { drop: evidence(found, 'lost') };
      },
    },
    'full of datagrams that nobody answered': {
      // Eight buckets seldom hold a victim in a hash this sparse: some are evicted, most are dropped.
      fires: ['PKT0201'],
      beside: ['PKT0202'],
      provoke: (setting, kit) =>
        fullTable(kit, setting, async () => {
          const { server, client, at } = setting;
          await server.make('udp-receive', { port: 20_000 });
          await client.make('udp-send', { address: at.v4, port: 20_000, ports: 20_000, rate: 1000 });
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }),
    },
    'the same datagrams in a hash as small as the table: older flows make room': {
      fires: ['PKT0202'],
      provoke: async (setting, kit) => {
        await kit.hostSetting(hashSize, '512');
        return fullTable(kit, setting, async () => {
          const { server, client, at } = setting;
          await server.make('udp-receive', { port: 20_000 });
          await client.make('udp-send', { address: at.v4, port: 20_000, ports: 20_000, rate: 1000 });
          await new Promise((resolve) => setTimeout(resolve, 1000));
        });
      },
      check: (report) => ({ evicted: evidence(finding(report, 'PKT0202'), 'evicted') }),
    },
    '90 % full and calm': {
      provoke: (setting, kit) => fullTable(kit, setting, connections(setting, LIMIT * 0.9)),
      check: (report) => {
        assert.equal(finding(report, 'PKT0201').outcome, 'ok');
        return undefined;
      },
    },
    'full, with nothing new coming': {
      beside: ['PKT0202'],
      provoke: (setting, kit) => fullTable(kit, setting, connections(setting, LIMIT)),
      check: (report) => {
        assert.equal(finding(report, 'PKT0201').outcome, 'ok');
        return undefined;
      },
    },
  },
});

/** One flow to each of 60,000 ports: two entries of the hash for each. */
async function manyFlows({ server, client, at }: Setting): Promise<Diagnosed> {
  await client.make('udp-send', { address: at.v4, port: 2000, ports: 60_000, rate: 15_000 });
  return server.diagnose();
}

scenario({
  title: 'Conntrack hash',
  codes: ['PKT0203', 'PKT0201', 'PKT0202'],
  needs: ['nft'],
  hostWide: 'net.netfilter.nf_conntrack_buckets',
  setUp: tracking,
  cases: {
    '60,000 flows in 512 buckets: chains grow too long': {
      fires: ['PKT0203'],
      // To walk such chains may well cost enough to be said.
      beside: ['PKT0110'],
      provoke: async (setting, kit) => {
        await kit.hostSetting(hashSize, '512');
        return manyFlows(setting);
      },
    },
    'the same flows in the hash as it was': { provoke: manyFlows },
  },
});
