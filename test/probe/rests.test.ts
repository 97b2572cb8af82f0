/** TC programs that rest, on a real device of the namespace that pktcost is in, and of another. Needs root; CI must not skip it. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { Lab, run, whyNoLab } from './lab.ts';
import type { Rested } from './rester.ts';

const why = whyNoLab();

describe(
  'TC programs that rest with the tracepoints',
  {
    skip: why !== false ? why : readCapabilities().tcx ? false : 'this kernel has no TCX',
  },
  () => {
    let lab: Lab;
    let load: ChildProcess | undefined;

    before(async () => {
      lab = new Lab();
      await lab.serve();
    });
    after(async () => {
      await lab.close();
    });

    /** Measures while 20,000 datagrams a second are sent; `meanwhile` is done in a rest of the program. */
    async function rested(seconds: number, meanwhile?: () => void, inside = true): Promise<Rested> {
      load = lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-u', '-l', '64', '-b', '10M', '-t', '60');
      const script = fileURLToPath(new URL('./rester.js', import.meta.url));
      const what = [script, lab.device, String(seconds), meanwhile === undefined ? 'end' : 'rest'];
      const [command, ...words] = inside
        ? ['ip', 'netns', 'exec', lab.receiver, process.execPath, ...what]
        : [process.execPath, ...what, `/run/netns/${lab.receiver}`];
      const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        for await (const line of createInterface({ input: child.stdout })) {
          if (line !== 'resting') return JSON.parse(line) as Rested;
          meanwhile?.();
          child.stdin.write('go on\n');
        }
        return assert.fail('it ended without a word');
      } finally {
        child.kill();
        await lab.stop(load);
      }
    }

    function clean({ closed, programs }: Rested): void {
      assert.deepEqual(closed.problems, []);
      assert.ok(closed.verified);
      assert.ok(programs.length > 0);
      const shown = JSON.parse(
        run('ip', 'netns', 'exec', lab.receiver, 'bpftool', '-j', 'net', 'show', 'dev', lab.device),
      ) as unknown;
      assert.doesNotMatch(JSON.stringify(shown), /pktcost_in/);
    }

    for (const inside of [true, false])
      it(`has all packets of the window, of which the program met a part, and leaves nothing, ${inside ? 'in its own namespace' : 'in another'}`, async () => {
        const read = await rested(10, undefined, inside);
        const { packets, packetsByCpu, counted = packets, packetsError = Infinity } = read.device;
        assert.equal(read.staying, null);
        assert.ok(packets > 20_000, `${String(packets)} packets`);
        assert.ok(counted < 0.9 * packets, `${String(counted)} of ${String(packets)} met the program`);
        // Not one of these datagrams is merged with another.
        assert.ok(Math.abs(packets / read.frames - 1) < 0.05, `${String(packets)}, truly ${String(read.frames)}`);
        assert.ok(packetsError < 0.05 * packets, String(packetsError));
        assert.equal(
          packetsByCpu.reduce((sum, count) => sum + count, 0),
          packets,
        );
        clean(read);
      });

    it('ends in a rest without a trace, and tells what came up to then', async () => {
      const read = await rested(20, () => undefined);
      const { packets, counted = packets } = read.device;
      assert.ok(counted <= packets);
      assert.ok(Math.abs(packets / read.frames - 1) < 0.1, `${String(packets)}, truly ${String(read.frames)}`);
      clean(read);
    });

    it('outlives a device that goes in a rest, and says so', async () => {
      const read = await rested(20, () => run('ip', '-n', lab.receiver, 'link', 'del', lab.device));
      assert.equal(read.device.present, false);
      assert.match(read.device.note ?? '', /gone/);
      assert.ok(read.device.packets >= (read.device.counted ?? 0));
      assert.deepEqual(read.closed.problems, []);
      assert.ok(read.closed.verified);
    });
  },
);
