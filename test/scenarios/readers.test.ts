/** Why a program does not read its socket in time, provoked: each reason has a code of its own, and a twin without it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

import { isAlive, type End, type Host, type Kit } from './kit/hosts.ts';
import { compiled } from './kit/programs.ts';
import { finding, fired, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  readonly back: End;
}

function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at, back] = kit.link(server, client);
  return { server, client, at, back };
}

const PORT = 9000;
const REASONS = ['PKT0411', 'PKT0412', 'PKT0413', 'PKT0414', 'PKT0415'];
/** Of a thread that never rests on a machine where others run too both are true, and waiting is told first. */
const BUSY = ['PKT0411', 'PKT0413'];
const SMALL = { port: PORT, rcvbuf: 4096 };

function names(report: Parameters<typeof fired>[0], codes: readonly string[]): void {
  const found = fired(report).find(({ code }) => codes.includes(code));
  assert.ok(
    found !== undefined,
    `none of ${codes.join(', ')} among ${fired(report)
      .map(({ code }) => code)
      .join(', ')}`,
  );
  assert.match(found.summary, /udp-receive \(pid \d+\)/);
  const lost = finding(report, 'PKT0405');
  const shared = found.place.pids?.filter((pid) => lost.place.pids?.includes(pid) === true) ?? [];
  assert.equal(shared.length, 1, 'the loss and its reason name the same process');
  const cause = report.verdict.causes.find(({ code }) => code === found.code);
  assert.ok(cause?.leadsTo.some(({ code }) => code === 'PKT0405') === true, 'the reason leads to the loss');
}

scenario({
  title: 'Readers that are late',
  codes: REASONS,
  needs: ['taskset'],
  setUp: serverAndClient,
  cases: {
    'one that works 1 ms on each of 4,000 datagrams a second': {
      beside: [...BUSY, 'PKT0405'],
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { ...SMALL, 'delay-us': 1000 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 4000 });
        return server.diagnose('--probe', 'off');
      },
      check: (report) => {
        names(report, BUSY);
        assert.match(finding(report, 'PKT0405').remedies[0]?.action ?? '', /no buffer makes up for it/);
        return undefined;
      },
    },
    'one that shares its CPU with two others that never rest': {
      fires: ['PKT0411'],
      beside: ['PKT0405'],
      provoke: async ({ server, client, at }) => {
        for (let other = 0; other < 2; other += 1)
          await server.start(['timeout', '20', 'sh', '-c', 'while :; do :; done'], { cpu: 0 });
        const reader = [compiled('udp-receive'), '--port', `${PORT}`, '--rcvbuf', '4096', '--delay-us', '100'];
        await server.start(['nice', '-n', '19', ...reader], { cpu: 0, ready: /^ready$/m });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 6000 });
        return server.diagnose('--probe', 'off');
      },
      check: (report) => {
        names(report, ['PKT0411']);
        return undefined;
      },
    },
    'one that waits 100 ms for somebody else after each datagram': {
      fires: ['PKT0414'],
      beside: ['PKT0405'],
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { ...SMALL, 'wait-us': 100_000 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 1000 });
        return server.diagnose('--probe', 'off');
      },
      check: (report) => {
        names(report, ['PKT0414']);
        assert.match(finding(report, 'PKT0414').summary, /pipe/);
        return undefined;
      },
    },
    'one that a signal stopped': {
      fires: ['PKT0414'],
      beside: ['PKT0405'],
      provoke: async ({ server, client, at }) => {
        const { pid } = await server.make('udp-receive', SMALL);
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 1000 });
        process.kill(pid, 'SIGSTOP');
        return server.diagnose('--probe', 'off');
      },
      check: (report) => {
        names(report, ['PKT0414']);
        assert.match(finding(report, 'PKT0414').summary, /all its threads were stopped .*, by a signal or a debugger/);
        assert.match(JSON.stringify(finding(report, 'PKT0414').remedies), /SIGCONT/);
        return undefined;
      },
    },
    'one that was stopped and goes on': {
      provoke: async ({ server, client, at }) => {
        const { pid } = await server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 1000 });
        process.kill(pid, 'SIGSTOP');
        process.kill(pid, 'SIGCONT');
        return server.diagnose('--probe', 'off');
      },
    },
    'one that gets a thousand datagrams at once, twice a second': {
      fires: ['PKT0415'],
      beside: ['PKT0405'],
      provoke: async ({ server, client, at }) => {
        // A twentieth of a CPU in all, and 50 ms for what comes at once: no speed of the host lets it keep pace with a burst.
        await server.make('udp-receive', { ...SMALL, 'delay-us': 50 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 2000, 'every-ms': 500 });
        return server.diagnose('--probe', 'off');
      },
      check: (report) => {
        names(report, ['PKT0415']);
        for (const code of ['PKT0415', 'PKT0405'])
          assert.match(JSON.stringify(finding(report, code).remedies), /SO_RCVBUF/);
        assert.match(finding(report, 'PKT0405').summary, /Its reader has time to spare/);
        return undefined;
      },
    },
    'the same bursts into a buffer that holds them': {
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 2000, 'every-ms': 500 });
        return server.diagnose('--probe', 'off');
      },
    },
    'a proxy whose own client takes 200 KB a second of each connection': {
      provoke: async ({ server, client, at, back }) => {
        await client.make('tcp-read', { port: PORT + 1, rate: 200_000, rcvbuf: 65536 });
        await server.make('tcp-proxy', { port: PORT, to: back.v4, 'to-port': PORT + 1 });
        await client.make('tcp-send', { address: at.v4, port: PORT, connections: 24 });
        return server.diagnose('--probe', 'off');
      },
    },
  },
});

const CPU_GROUPS = '/sys/fs/cgroup/cpu';

/** A control group of version 1 with so much of a CPU in each 100 ms; it goes with the scenario. */
function group(kit: Kit, pid: number, quotaUs: number): void {
  const folder = `${CPU_GROUPS}/pktc-${pid}`;
  mkdirSync(folder);
  kit.undo(() => {
    // Being killed takes a process that its quota stops a while: outside it ends at once.
    for (const left of readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n')) {
      if (left !== '' && isAlive(Number(left))) writeFileSync(`${CPU_GROUPS}/cgroup.procs`, left);
    }
    rmdirSync(folder);
  });
  writeFileSync(`${folder}/cpu.cfs_period_us`, '100000');
  writeFileSync(`${folder}/cpu.cfs_quota_us`, `${quotaUs}`);
  writeFileSync(`${folder}/cgroup.procs`, `${pid}`);
}

async function limited(
  { server, client, at }: Setting,
  kit: Kit,
  quotaUs: number,
): Promise<Awaited<ReturnType<Host['diagnose']>>> {
  const reader = await server.make('udp-receive', { ...SMALL, 'delay-us': 1000 });
  group(kit, reader.pid, quotaUs);
  await client.make('udp-send', { address: at.v4, port: PORT, rate: 4000 });
  // The groups are seen where they are mounted, which is not in a namespace of `ip netns exec`.
  return kit.itself().diagnose('--probe', 'off', '--netns', server.netns);
}

if (existsSync(`${CPU_GROUPS}/cpu.cfs_quota_us`)) {
  scenario({
    title: 'Readers that their quota stops',
    codes: ['PKT0412'],
    ofMachine: true,
    setUp: serverAndClient,
    cases: {
      'a twentieth of a CPU for one that wants a whole one': {
        fires: ['PKT0412'],
        provoke: (setting, kit) => limited(setting, kit, 5000),
        check: (report, { server }) => {
          const found = finding(report, 'PKT0412');
          assert.equal(found.at['netns'], server.netns);
          assert.match(found.summary, /udp-receive \(pid \d+\).*quota of 0\.05 CPUs/);
          return undefined;
        },
      },
      'a group without a quota': {
        provoke: (setting, kit) => limited(setting, kit, -1),
      },
    },
  });
}
