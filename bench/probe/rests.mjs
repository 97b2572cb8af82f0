/**
 * Packets of a device whose TC program rests: as estimated, against a second program on the same device that never rests, both read
 * at the same moments. UDP of 64 bytes at a steady rate, in bursts (200 ms on, 200 ms off) and at a rate that rises; TCP whose frames
 * GRO merges; `two`, at a steady rate on a second device as well.
 *
 *   node bench/probe/rests.mjs [--patterns steady,bursts,ramp,tcp,two] [--rate 20000] [--seconds 10] [--runs 10] [--slow 1000]
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { ownNetns, readDeviceFacts } from '../../build/src/probe/facts.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { openSession } from '../../build/src/probe/session.js';
import { Shifts } from '../../build/src/probe/shifts.js';
import { subtractReadings } from '../../build/src/readings/reading.js';

const { values } = parseArgs({
  options: {
    patterns: { type: 'string', default: 'steady,bursts,ramp,tcp,two' },
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '10' },
    runs: { type: 'string', default: '10' },
    slow: { type: 'string', default: '1000' },
    inside: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const run = promisify(execFile);

const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

/** In the namespace of the device. */
async function measure(device) {
  const can = readCapabilities();
  const open = async (netns) =>
    unwrap(
      await openSession({
        plans: planDevices(unwrap(readDeviceFacts(netns, undefined)), { probe: 'auto' }, can),
        capabilities: can,
        slowChangeMs: Number(values.slow),
      }),
    );
  const own = ownNetns();
  const session = await open(own);
  // By a path it is a device of some namespace, and its programs stay.
  const truth = await open({ ...own, path: '/proc/self/ns/net' });
  const shifts = new Shifts(session, seconds);
  const of = (before, after) => {
    const found = subtractReadings(before, after).devices.find((each) => each.device === device);
    if (found === undefined) throw new Error(`${device} is not watched`);
    return found;
  };
  /** The truth before and after it: on a crowded machine some milliseconds pass between two readings. */
  const look = () => [truth.glance(), session.glance(), truth.glance()];
  look();
  session.beginWindow();
  const first = look();
  shifts.start();
  await sleep(seconds * 1000);
  const last = look();
  await shifts.stop();
  const [early, estimated, late] = [of(first[0], last[0]), of(first[1], last[1]), of(first[2], last[2])];
  const mean = (a, b) => (a + b) / 2;
  const counted = {
    packets: mean(early.packets, late.packets),
    packetsByCpu: early.packetsByCpu.map((packets, cpu) => mean(packets, late.packetsByCpu[cpu])),
  };
  const closed = [await session.close(), await truth.close()];
  const wrong = estimated.packets / counted.packets - 1;
  const cpus = counted.packetsByCpu.map((packets, cpu) => Math.abs(estimated.packetsByCpu[cpu] - packets));
  console.log(
    JSON.stringify({
      packets: counted.packets,
      wrong,
      wrongByCpu: Math.max(...cpus) / counted.packets,
      said: (estimated.packetsError ?? 0) / estimated.packets,
      met: (estimated.counted ?? estimated.packets) / counted.packets,
      unmarked: (estimated.unmarked ?? 0) / estimated.packets,
      staying: session.rests.stays ?? null,
      problems: closed.flatMap(({ problems }) => problems),
    }),
  );
}

/** A second pair between the namespaces. */
async function addPair({ sender, receiver }) {
  const ip = (...words) => run('ip', words);
  await ip('link', 'add', 'pcout1', 'netns', sender, 'type', 'veth', 'peer', 'name', 'pcin1', 'netns', receiver);
  for (const [netns, device, address] of [
    [sender, 'pcout1', '10.9.1.1/24'],
    [receiver, 'pcin1', '10.9.1.2/24'],
  ]) {
    await ip('-n', netns, 'addr', 'add', address, 'dev', device);
    await ip('-n', netns, 'link', 'set', device, 'up');
  }
}

async function once(lab, pattern) {
  const script = (name) => fileURLToPath(new URL(name, import.meta.url));
  const inside = (netns, ...what) => run('ip', ['netns', 'exec', netns, process.execPath, ...what]);
  const send = (how, ...net) => inside(lab.sender, script('sender.mjs'), how, values.rate, String(seconds + 3), ...net);
  const loads = {
    tcp: () => lab.traffic('tcp', seconds + 4),
    two: () => Promise.all([send('steady'), send('steady', '1')]),
  };
  const load = (loads[pattern] ?? (() => send(pattern)))();
  await sleep(500);
  const said = await inside(
    lab.receiver,
    script('rests.mjs'),
    ...['--inside', lab.device, '--seconds', values.seconds, '--slow', values.slow],
  );
  await load;
  return JSON.parse(said.stdout);
}

if (values.inside !== undefined) await measure(values.inside);
else {
  for (const pattern of values.patterns.split(',')) {
    const lab = new Lab();
    try {
      if (pattern === 'two') await addPair(lab);
      if (pattern === 'tcp') {
        lab.mergeFrames();
        await lab.serve();
      }
      for (let turn = 0; turn < Number(values.runs); turn += 1) {
        const { packets, wrong, wrongByCpu, said, met, unmarked, staying, problems } = await once(lab, pattern);
        const percent = (share) => `${(share * 100).toFixed(2)} %`;
        console.log(
          `${pattern}: ${Math.round(packets / seconds)}/s, ${percent(wrong)} wrong (of a CPU ${percent(wrongByCpu)}), ` +
            `said ${percent(said)}; ${percent(met)} met the program, ${percent(unmarked)} unmarked${staying === null ? '' : `; stays: ${staying}`}` +
            problems.map((problem) => `; ${problem}`).join(''),
        );
      }
    } finally {
      await lab.close();
    }
  }
}
