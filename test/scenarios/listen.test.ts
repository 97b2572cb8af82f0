import assert from 'node:assert/strict';

import type { End, Host, Kit } from './kit/hosts.ts';
import { evidence, finding, scenario } from './kit/scenario.ts';

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

const PORT = 8080;

/** Fifty connections at once, again every second, for longer than the window lasts. */
async function connectToBacklog({ server, client, at }: Setting, backlog: number): ReturnType<Host['diagnose']> {
  server.sysctl({ 'net.core.somaxconn': 4096 });
  await server.make('listener', { port: PORT, backlog });
  await client.make('connect', { address: at.v4, port: PORT, count: 50, rounds: 25, 'hold-ms': 1000 });
  return server.diagnose();
}

scenario({
  title: 'Accept queue',
  codes: ['PKT0401'],
  setUp: serverAndClient,
  cases: {
    'backlog 1 under 50 connects a second': {
      fires: ['PKT0401'],
      provoke: (setting) => connectToBacklog(setting, 1),
      check: (report) => {
        const { args, outcome, certainty } = finding(report, 'PKT0401');
        assert.equal(outcome, 'critical');
        assert.equal(certainty, 'measured');
        const told = JSON.stringify(args);
        assert.match(told, /listener/, 'the process is named');
        assert.match(told, /8080/, 'the port is named');
        return { overflows: evidence(finding(report, 'PKT0401'), 'node_netstat_TcpExt_ListenOverflows') };
      },
    },
    'the same over IPv6': {
      fires: ['PKT0401'],
      provoke: async ({ server, client, at }) => {
        await server.make('listener', { address: '::', port: PORT, backlog: 1 });
        await client.make('connect', { address: at.v6, port: PORT, count: 50, rounds: 25, 'hold-ms': 1000 });
        return server.diagnose();
      },
      check: (report) => {
        assert.match(JSON.stringify(finding(report, 'PKT0401').args), /8080/, 'the port is named');
        return undefined;
      },
    },
    'the same load on a backlog of 1024': { provoke: (setting) => connectToBacklog(setting, 1024) },
    'many connections to a listener that accepts': {
      provoke: async ({ server, client, at }) => {
        await server.make('listener', { port: PORT, backlog: 128, accept: 1 });
        await client.make('connect', { address: at.v4, port: PORT, count: 100, rounds: 125, 'hold-ms': 200 });
        return server.diagnose();
      },
    },
  },
});

/** Bare SYNs from addresses that answer nothing: they stay in the SYN queue. */
async function flood({ server, client, at }: Setting, backlog: number, cookies: number): ReturnType<Host['diagnose']> {
  server.sysctl({
    'net.ipv4.tcp_syncookies': cookies,
    'net.core.somaxconn': 4096,
    'net.ipv4.tcp_max_syn_backlog': 4096,
  });
  server.run('ip', 'route', 'add', '198.19.0.0/16', 'dev', at.device);
  await server.make('listener', { port: PORT, backlog, accept: 1 });
  await client.make('syn-flood', { address: at.v4, port: PORT, source: '198.19.0.1', rate: 200 });
  return server.diagnose();
}

scenario({
  title: 'SYN queue',
  codes: ['PKT0402', 'PKT0401'],
  setUp: serverAndClient,
  cases: {
    '200 bare SYNs a second, backlog 10, no cookies': {
      fires: ['PKT0402'],
      provoke: (setting) => flood(setting, 10, 0),
      check: (report) => {
        const found = finding(report, 'PKT0402');
        assert.equal(found.outcome, 'critical');
        return { dropped: evidence(found, 'node_netstat_TcpExt_TCPReqQFullDrop') };
      },
    },
    'the same with cookies: nothing is lost': {
      fires: ['PKT0402'],
      provoke: (setting) => flood(setting, 10, 1),
      check: (report) => {
        const found = finding(report, 'PKT0402');
        assert.equal(found.outcome, 'warning');
        return { cookies: evidence(found, 'node_netstat_TcpExt_TCPReqQFullDoCookies') };
      },
    },
    'the same SYNs on a backlog of 4096': { provoke: (setting) => flood(setting, 4096, 1) },
  },
});
