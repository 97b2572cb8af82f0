/** Hosts that give less: no libbpf, no BTF, a kernel locked down, no root. The verdict comes all the same. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/generated/report.ts';
import { loadLibbpf } from '../../src/probe/libbpf.ts';
import { findObjects, readObject } from '../../src/probe/objects.ts';
import { Skip, type Check, type Guest } from './check.ts';
import { diagnosed, twoHosts, udp } from './traffic.ts';

/** Without the probe there is still a report, which says why. */
function withoutProbe({ note }: Guest, report: Report, reason: RegExp): void {
  assert.equal(report.probe.status, 'not-measured');
  assert.match(report.probe.reason ?? '', reason);
  note(report.probe.reason ?? '');
  assert.ok(
    report.findings.some(({ outcome }) => outcome === 'ok'),
    'the other rules were judged',
  );
  assert.notEqual(report.verdict.outcome, 'critical');
}

export const refusalChecks: readonly Check[] = [
  {
    id: 'no-libbpf',
    what: 'without libbpf: the report comes, with the reason',
    run: async (guest) => {
      const folder = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
      // ip needs it too, so the host is pktcost's own.
      for (const name of readdirSync(folder).filter((each) => each.startsWith('libbpf.so'))) {
        renameSync(join(folder, name), join('/usr', name));
        guest.kit.undo(() => {
          renameSync(join('/usr', name), join(folder, name));
        });
      }
      withoutProbe(guest, await diagnosed(guest, guest.kit.itself()), /libbpf/);
    },
  },
  {
    id: 'no-btf',
    what: 'without BTF: the report comes, with the reason',
    run: async (guest) => {
      const sys = guest.kit.folder();
      const mirror = (from: string, to: string, without: string): void => {
        for (const name of readdirSync(from)) if (name !== without) symlinkSync(join(from, name), join(to, name));
      };
      mirror('/sys', sys, 'kernel');
      mkdirSync(join(sys, 'kernel'));
      mirror('/sys/kernel', join(sys, 'kernel'), 'btf');
      withoutProbe(guest, await diagnosed(guest, guest.kit.host(), '--path.sysfs', sys), /no BTF/);
    },
  },
  {
    id: 'no-root',
    what: 'as an ordinary user: the report comes, with the reason',
    run: (guest) => {
      const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
      const pktcost = ['pktcost', 'diagnose', '--json', '--window', '1s', '--fail-on', 'never'];
      const {
        stdout: out,
        stderr,
        status,
      } = spawnSync(user[0]!, [...user.slice(1), ...pktcost], {
        cwd: '/',
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      guest.keep('report.json', out);
      withoutProbe(guest, JSON.parse(out) as Report, /needs root/);
    },
  },
  {
    id: 'libbpf-words',
    what: 'what libbpf says of an object that cannot be loaded is told',
    run: async ({ note }) => {
      if (process.arch !== 'x64') throw new Skip('asked for on x86-64 only');
      const [bpf, objects] = [loadLibbpf(), findObjects()];
      assert.ok(bpf.ok && objects.ok);
      const bytes = readObject(objects.value, 'sampler');
      assert.ok(bytes.ok);
      const tooLarge = await bpf.value.loadObject('pktcost', bytes.value, (opened) =>
        opened.setEntries('pktcost_chains', 2 ** 32 - 1),
      );
      assert.ok(!tooLarge.ok, 'no kernel makes a map so large');
      note(tooLarge.reason);
      // The error number alone would not name the map.
      assert.match(tooLarge.reason, /map 'pktcost_chains'/);
    },
  },
  {
    id: 'lockdown',
    what: 'lockdown=confidentiality: what the kernel still permits is measured, the rest has its reason',
    seconds: 180,
    run: async (guest) => {
      const state = readFileSync('/sys/kernel/security/lockdown', 'utf8').trim();
      if (!state.includes('[confidentiality]')) throw new Skip(`lockdown: ${state}`);
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      const report = await diagnosed(guest, server);
      guest.note(
        `${report.probe.status}, tier ${report.probe.tier}${report.probe.reason === null ? '' : `: ${report.probe.reason}`}`,
      );
      const sockets = report.probe.plan.find(({ span }) => span === 'sockets');
      assert.ok(sockets !== undefined, 'the report says whether sockets are priced one by one');
      guest.note(`sockets: ${sockets.reason}`);
      if (report.probe.status === 'attached') assert.notEqual(report.probe.tier, 'none');
      else assert.match(report.probe.reason ?? '', /EPERM|lock|permit/i);
    },
  },
];
