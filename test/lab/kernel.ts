/** What differs between kernels: how TC programs attach, what fentry may hook, which taps every packet walks. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceCost, Report, Tap } from '../../src/generated/report.ts';
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { readDeviceFacts } from '../../src/probe/facts.ts';
import { summarise } from '../../src/readings/histogram.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { subtractReadings } from '../../src/readings/reading.ts';
import { openSession } from '../../src/probe/session.ts';
import { pause, runOrThrow, type Host } from '../scenarios/kit/hosts.ts';
import { repository } from '../scenarios/kit/programs.ts';
import { Skip, type Check, type Guest } from './check.ts';
import { driverAndStack } from './split.ts';
import { diagnosed, slowTaps, tcpdump, twoHosts, udp, until } from './traffic.ts';

/** Those which need no packet rate that an emulated machine cannot give. */
const SESSION_TESTS = 'alone|leaves nothing|sweeps|SIGTERM|survives|prices? sockets|instead of throwing';

/** TCX came with 6.6. */
function hasTcx({ kernel }: Guest): boolean {
  return !/^6\.1(?:-|$)/.test(kernel);
}

/** Hooks of functions need a kernel whose function tracing can call a BPF program: on arm64 from 6.4. */
function hasFentry({ kernel }: Guest): boolean {
  return kernel !== '6.1-arm64';
}

function ns(value: number | null): string {
  return value === null ? 'unknown' : `${String(Math.round(value))} ns`;
}

function deviceOf({ cost }: Report, name: string): DeviceCost | undefined {
  return cost.devices.find(({ netns, device }) => netns === '' && device === name);
}

function filters(host: Host, device: string, direction = 'ingress'): string {
  return host.run('tc', 'filter', 'show', 'dev', device, direction);
}

function qdiscs(host: Host, device: string): string {
  return host.run('tc', 'qdisc', 'show', 'dev', device);
}

function programs(): string {
  return runOrThrow(['bpftool', 'prog', 'show']);
}

/** Starts a long diagnosis, waits until its programs are attached, and kills it without mercy. */
async function killedInTheMiddle(host: Host, device: string, clsact: boolean): Promise<void> {
  const child = spawn(
    'ip',
    ['netns', 'exec', host.netns, 'pktcost', 'diagnose', '--window', '5m', '--netns', 'none', '--max-overhead', '90%'],
    { stdio: 'ignore' },
  );
  await until('the probe is attached', () => {
    // softirq programs come last.
    if (!programs().includes('pktcost_exit')) return false;
    return !clsact || filters(host, device).includes('pktcost_in');
  });
  child.kill('SIGKILL');
  await until('the process is gone', () => child.signalCode !== null);
  // The kernel frees programs after a grace period.
  await pause(2000);
}

export const kernelChecks: readonly Check[] = [
  {
    id: 'boot',
    what: 'the kernel boots and has BTF',
    run: ({ note }: Guest) => {
      note(readFileSync('/proc/version', 'utf8').trim());
      assert.ok(readFileSync('/sys/kernel/btf/vmlinux').length > 0);
    },
  },
  {
    id: 'diagnose',
    what: 'the packed pktcost loads its objects and measures a device that receives datagrams',
    seconds: 180,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      const report = await diagnosed(guest, server);
      assert.equal(report.probe.status, 'attached', report.probe.reason ?? '');
      const device = deviceOf(report, at.device);
      assert.ok(device !== undefined && device.packets > 500, 'packets were counted');
      const span = device.spans?.taps;
      assert.ok(span !== null && span !== undefined && span.count > 20, 'the tap span was sampled');
      const hook = report.probe.plan.find((step) => step.device === at.device && step.span === 'taps');
      assert.equal(hook?.mode, hasTcx(guest) ? 'tcx' : 'clsact');
      assert.equal(report.probe.tier, hasFentry(guest) ? 'sockets' : 'taps');
      const sockets = report.probe.plan.find((step) => step.span === 'sockets');
      assert.ok((sockets?.reason ?? '') !== '', 'whether sockets are priced one by one is told');
      if (!hasFentry(guest)) guest.note(`sockets: ${sockets?.reason ?? ''}`);
      guest.note(
        `tier ${report.probe.tier}, taps by ${hook.mode}; ${String(span.count)} samples, p50 ${ns(span.p50Ns)}, floor ${ns(span.floorNs)} (${String(span.floorMethod)})`,
      );
      assert.doesNotMatch(qdiscs(server, at.device), /clsact/);
      assert.doesNotMatch(programs(), /pktcost_/);
      const critical = report.findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
      assert.deepEqual(
        // A CPU that is emulated makes every packet dear and stands still now and then, and PKT0115 and PKT0104 say so.
        critical.map(({ code }) => code).filter((code) => code !== 'PKT0115' && code !== 'PKT0104'),
        [],
        'nothing is wrong on a calm host',
      );
    },
  },
  {
    id: 'socket-prices',
    what: 'each tap is priced by fentry and fexit, and the prices agree with the tap span',
    seconds: 240,
    run: async (guest) => {
      if (!hasFentry(guest)) throw new Skip('this kernel has no fentry on arm64');
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      await tcpdump(server, at.device);
      await tcpdump(server, at.device, 'tcp', 'port', '9');
      // Long enough for some hundred samples of the thousand packets a second that such a machine passes.
      const report = await diagnosed(guest, server, '--window', '8s', ...slowTaps(guest.kit));
      const taps = report.taps.filter((tap) => tap.device === at.device && tap.hook === 'tpacket_rcv');
      assert.equal(taps.length, 2, JSON.stringify(report.taps));
      assert.deepEqual(
        taps.map((tap) => tap.priceCertainty),
        ['measured', 'measured'],
      );
      const price = (tap: Tap): number => tap.nsPerPacket ?? Number.NaN;
      const sum = taps.reduce((total, tap) => total + price(tap), 0);
      const span = deviceOf(report, at.device)?.spans?.taps;
      assert.ok(span?.avgNs != null && span.floorNs !== null);
      const above = span.avgNs - span.floorNs;
      guest.note(
        `sockets ${taps.map((tap) => ns(price(tap))).join(' + ')}; span above its floor ${ns(above)} (p50 ${ns((span.p50Ns ?? 0) - span.floorNs)})`,
      );
      // These are averages, and a pause of an emulator of another architecture outweighs all samples.
      if (process.arch !== 'arm64')
        assert.ok(sum / above > 0.3 && sum / above < 3, `sockets ${String(sum)} ns against span ${String(above)} ns`);
      assert.ok(sum > 0);
      const finding = report.findings.find(({ code }) => code === 'PKT0101');
      assert.equal(finding?.certainty, 'measured', finding?.summary);
      assert.match(finding.summary, /tcpdump/);
    },
  },
  {
    id: 'socket-price-of-asking',
    what: 'how much the per-socket programs lengthen the tap span themselves',
    seconds: 240,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      await tcpdump(server, at.device);
      const path = `/run/netns/${server.netns}`;
      const id = String(statSync(path).ino);
      const capabilities = readCapabilities();
      const medians: number[] = [];
      for (const sockets of [false, true]) {
        const facts = readDeviceFacts({ id, path }, [at.device]);
        assert.ok(facts.ok, facts.ok ? '' : facts.reason);
        const plans = planDevices(facts.value, { probe: 'taps' }, capabilities);
        const session = await openSession({ plans, capabilities, sockets });
        assert.ok(session.ok, session.ok ? '' : session.reason);
        const first = session.value.read();
        await pause(4000);
        const window = subtractReadings(first, session.value.read());
        await session.value.close();
        const span = window.devices[0]?.spans.find((each) => each.span === 'taps');
        medians.push((span === undefined ? undefined : summarise(span)?.p50Ns) ?? Number.NaN);
      }
      const [bare = Number.NaN, hooked = Number.NaN] = medians;
      guest.note(`one tcpdump, p50 of the tap span: ${ns(bare)} without the socket programs, ${ns(hooked)} with them`);
      assert.ok(bare > 0 && hooked > 0);
    },
  },
  {
    id: 'sent-prices',
    what: 'taps on sent packets are priced by tracepoints alone, and by fentry where that is permitted',
    seconds: 300,
    run: async (guest) => {
      const { server, client, at, from } = twoHosts(guest.kit);
      await udp(server, client, at);
      const path = `/run/netns/${client.netns}`;
      const id = String(statSync(path).ino);
      const capabilities = readCapabilities();
      const look = async (
        sockets: boolean,
      ): Promise<{ readonly p50: number; readonly mean: number; readonly nit: number }> => {
        const facts = readDeviceFacts({ id, path }, [from.device]);
        assert.ok(facts.ok, facts.ok ? '' : facts.reason);
        const plans = planDevices(facts.value, { probe: 'taps' }, capabilities);
        const session = await openSession({ plans, capabilities, sockets });
        assert.ok(session.ok, session.ok ? '' : session.reason);
        await session.value.watchTransmit();
        const first = session.value.read();
        await pause(5000);
        const window = subtractReadings(first, session.value.read());
        await session.value.close();
        const refused = window.attach.find(({ span, attached }) => span === 'transmit' && !attached);
        assert.equal(refused?.reason, undefined);
        const way = window.transmit?.[0]?.ways.find((each) => each.way === 'direct');
        const { xmitNs = 0, xmitSamples = 0 } = window.tapTotals ?? {};
        const shape = way === undefined ? undefined : summarise(way);
        return {
          p50: shape?.p50Ns ?? Number.NaN,
          mean: shape?.avgNs ?? Number.NaN,
          nit: xmitSamples === 0 ? Number.NaN : xmitNs / xmitSamples,
        };
      };
      const bare = await look(false);
      await tcpdump(client, from.device);
      const tapped = await look(false);
      const hooked = await look(true);
      const price = tapped.p50 - bare.p50;
      // Means, as fentry has them, are of an emulated machine: told, not held against each other.
      guest.note(
        `one tcpdump on a sender: ${ns(price)} by tracepoints (floor ${ns(bare.p50)}); in the mean ${ns(tapped.mean - bare.mean)}, by fentry ${ns(hooked.nit)}`,
      );
      assert.ok(bare.p50 > 0 && price > 0, `${String(bare.p50)} -> ${String(tapped.p50)} ns`);
      assert.ok(hooked.nit > 0, 'fentry timed dev_queue_xmit_nit');
      assert.ok(Number.isNaN(hooked.p50), 'where fentry is permitted, no tracepoint times what is sent');
    },
  },
  {
    id: 'kill',
    what: 'SIGKILL in the window leaves nothing, or what `doctor --clean` takes away',
    seconds: 240,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at, 200);
      await killedInTheMiddle(server, at.device, !hasTcx(guest));
      if (hasTcx(guest)) {
        assert.doesNotMatch(programs(), /pktcost_/);
        assert.doesNotMatch(qdiscs(server, at.device), /clsact/);
        guest.note('links: nothing is left');
        return;
      }
      assert.match(filters(server, at.device), /pktcost_in/, 'a filter outlives its process');
      const clean = await server.pktcost('doctor', '--clean');
      guest.keep('clean.txt', clean.out + clean.err);
      assert.equal(clean.exitCode, 0, clean.err);
      assert.doesNotMatch(qdiscs(server, at.device), /clsact/);
      await pause(1000);
      assert.doesNotMatch(programs(), /pktcost_/);
      guest.note('clsact: the filter stays until `doctor --clean`');
    },
  },
  {
    id: 'foreign',
    what: "somebody else's clsact filter is not touched, neither in a diagnosis nor by `doctor --clean`",
    seconds: 400,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      const seen = (): string => filters(server, at.device).replace(/ not_in_hw/g, '');
      const add = (priority: string): string => {
        server.run('tc', 'filter', 'add', 'dev', at.device, 'ingress', 'pref', priority, 'matchall', 'action', 'pass');
        return seen();
      };
      server.run('tc', 'qdisc', 'add', 'dev', at.device, 'clsact');
      let before = add('10');
      assert.match(before, /matchall/);
      await udp(server, client, at, 500);
      const count = async (): Promise<{ samples: number; reason: string | null }> => {
        const device = deviceOf(await diagnosed(guest, server), at.device);
        return { samples: device?.spans?.taps?.count ?? 0, reason: device?.reason ?? null };
      };
      assert.ok((await count()).samples > 5, 'ours goes before a filter of a lower priority');
      assert.equal(seen(), before);
      before = add('1');
      const behind = await count();
      if (hasTcx(guest)) assert.ok(behind.samples > 5, 'a TCX link goes before every filter');
      else assert.match(behind.reason ?? '', /another TC program decides/);
      guest.note(hasTcx(guest) ? 'ours is first' : `behind a filter of priority 1: ${behind.reason ?? ''}`);
      if (!hasTcx(guest)) {
        await killedInTheMiddle(server, at.device, true);
        const clean = await server.pktcost('doctor', '--clean');
        assert.equal(clean.exitCode, 0, clean.err);
      }
      assert.equal(seen(), before);
      assert.match(qdiscs(server, at.device), /clsact/);
    },
  },
  {
    id: 'global-taps',
    what: 'a tap of another namespace is judged by whether this kernel makes every packet walk it',
    seconds: 240,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      const other = guest.kit.host();
      await udp(server, client, at);
      const bare = await diagnosed(guest, server);
      await tcpdump(other, 'any');
      await tcpdump(other, 'any');
      await tcpdump(other, 'any');
      const report = await diagnosed(guest, server, '--netns', 'all', '--window', '4s');
      const p50 = ({ cost }: typeof report): number =>
        cost.devices.find((each) => each.netns === '' && each.device === at.device)?.spans?.taps?.p50Ns ?? Number.NaN;
      guest.note(`tap span p50 ${ns(p50(bare))} without, ${ns(p50(report))} with three taps elsewhere`);
      const finding = report.findings.filter(({ code }) => code === 'PKT0101');
      guest.note(finding.map(({ outcome, summary }) => `${outcome}: ${summary}`).join(' | '));
      guest.note(`features ${JSON.stringify(report.host.features)}`);
      const judged = finding.find(({ summary }) => summary.includes('tcpdump'));
      if (report.host.features.per_netns_taps) {
        assert.equal(judged, undefined, 'taps of another namespace are none of this one');
        return;
      }
      assert.ok(judged !== undefined, 'three taps elsewhere are in the path of this namespace');
      // Each call of a hook takes microseconds here; the span's floor has them in it, and would show next to nothing.
      const price = judged.args['ns'];
      if (judged.certainty === 'measured') assert.ok(typeof price === 'number' && price > 1000, judged.summary);
      else assert.equal(judged.message, 'unpriced');
    },
  },
  {
    id: 'driver',
    what: 'driver and GRO are told from the stack',
    seconds: 180,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      const path = `/run/netns/${server.netns}`;
      guest.note(await driverAndStack({ id: server.netns, path }, at.device));
    },
  },
  {
    id: 'session',
    what: 'the tests of the probe session on real devices pass',
    seconds: 600,
    run: ({ keep }) => {
      const { stdout, status } = spawnSync(
        process.execPath,
        [
          '--test',
          '--test-reporter=tap',
          `--test-name-pattern=${SESSION_TESTS}`,
          join(repository, 'build/test/probe/session.test.js'),
        ],
        { encoding: 'utf8', timeout: 580_000, env: { PATH: process.env['PATH'] } },
      );
      keep('tap.txt', stdout);
      assert.match(stdout, /^# pass [1-9]/m, 'tests ran');
      const failed = stdout.match(/^\s*not ok .*$/gm) ?? [];
      assert.deepEqual(
        failed.map((line) => line.trim()),
        [],
      );
      assert.equal(status, 0);
    },
  },
];
