import assert from 'node:assert/strict';

import { type End, type Host, type Kit } from './kit/hosts.ts';
import { finding, fired, gigabitsOf, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
}

function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at] = kit.link(server, client);
  return { server, client, at };
}

/** Every rule about causes and losses. Those about the state of the whole machine may speak when it is under load. */
const all = [
  ...['PKT0101', 'PKT0103', 'PKT0105', 'PKT0201', 'PKT0202', 'PKT0203', 'PKT0301', 'PKT0302', 'PKT0303'],
  ...['PKT0401', 'PKT0402', 'PKT0403', 'PKT0404', 'PKT0405', 'PKT0501', 'PKT0502', 'PKT0601', 'PKT0602', 'PKT0603'],
];

scenario({
  title: 'Nothing is wrong',
  codes: all,
  needs: ['iperf3'],
  setUp: serverAndClient,
  cases: {
    'an idle host': { provoke: ({ server }) => server.diagnose() },
    'TCP at full rate': {
      provoke: async ({ server, client, at }) => {
        await server.start(['iperf3', '-s', '-1', '--forceflush'], { ready: /listening/ });
        await client.start(['iperf3', '-c', at.v4, '-t', '25', '-P', '2']);
        return server.diagnose();
      },
      check: (report) => {
        const gigabits = gigabitsOf(report);
        assert.ok(gigabits > 0.5, `${gigabits} Gbit/s: the sender was at work`);
        return { 'Gbit/s': gigabits.toFixed(2) };
      },
    },
    'many short connections': {
      provoke: async ({ server, client, at }) => {
        await server.make('listener', { port: 8080, backlog: 1024, accept: 1 });
        await client.make('connect', { address: at.v6, port: 8080, count: 100, rounds: 250, 'hold-ms': 100 });
        return server.diagnose();
      },
    },
  },
});

scenario({
  title: 'Two causes at once',
  codes: ['PKT0401', 'PKT0405'],
  setUp: serverAndClient,
  cases: {
    'an accept queue and a UDP buffer overflow together': {
      fires: ['PKT0401', 'PKT0405'],
      provoke: async ({ server, client, at }) => {
        await server.make('listener', { port: 8080, backlog: 1 });
        await client.make('connect', { address: at.v4, port: 8080, count: 50, rounds: 25, 'hold-ms': 1000 });
        await server.make('udp-receive', { port: 9000, rcvbuf: 8192, 'delay-us': 500 });
        await client.make('udp-send', { address: at.v4, port: 9000, rate: 20_000 });
        return server.diagnose();
      },
      check: (report) => {
        assert.equal(report.verdict.outcome, 'critical');
        // The loss that is larger, or why its reader is late.
        const of = /^PKT04(05|1[1-5])$/;
        assert.match(report.verdict.principal ?? '', of, 'the one that loses more comes first');
        assert.match(report.findings[0]?.code ?? '', of);
        assert.ok(fired(report).length >= 2);
        const lost = (code: string): number => finding(report, code).impact.lostPerSecond ?? 0;
        assert.ok(lost('PKT0405') > lost('PKT0401'));
        return undefined;
      },
    },
  },
});
