/**
 * What the probe costs the traffic: TCP and UDP throughput on a veth pair, interleaved with and without the probe, and the run
 * time of its programs per packet. Medians and ratios only; a shared machine says nothing in absolute terms. With --pps it is UDP at a fixed
 * rate, and what is compared is the time of all CPUs for a packet, with the profile's sampler as a state of its own.
 *
 *   node bench/probe/throughput.mjs [--rounds 40] [--milliseconds 200] [--every 16] [--stack generic|native] [--only tcp|udp] [--spans taps,net_rx]
 *   node bench/probe/throughput.mjs --pps 20000 --milliseconds 1500
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { openSession } from '../../build/src/probe/session.js';
import { measureCost } from '../../build/src/probe/budget.js';
import { JOINED_SLICES, ON_SHARE } from '../../build/src/probe/shifts.js';
import { causes } from './causes.mjs';
import { idle, openSampler, unwrap } from './host.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    milliseconds: { type: 'string', default: '200' },
    every: { type: 'string', default: '16' },
    stack: { type: 'string' },
    only: { type: 'string' },
    pps: { type: 'string' },
    tc: { type: 'string', default: 'auto' },
    spans: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const milliseconds = Number(values.milliseconds);
const pps = values.pps === undefined ? undefined : Number(values.pps);
/** The profile's own, in a window of this length. */
const WINDOW_SECONDS = 30;
const can = readCapabilities();

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

async function withProbe(lab) {
  const { stack, tc } = values;
  if (stack !== undefined && stack !== 'native' && stack !== 'generic') throw new Error('--stack native or generic');
  if (tc !== 'auto' && tc !== 'clsact' && tc !== 'tcx') throw new Error('--tc auto, clsact or tcx');
  /** @type {import('../../build/src/probe/plan.js').ProbeChoice} */
  const choice = stack ? { probe: 'xdp', xdpMode: stack, allowSystemChanges: true, tc } : { probe: 'auto', tc };
  const facts = [lab.facts(), lab.facts(lab.sender, lab.peer)];
  const spans = values.spans?.split(',');
  const plans = planDevices(facts, choice, can).map((plan) => ({
    ...plan,
    steps: plan.steps.filter((step) => !spans || spans.includes(step.span)),
  }));
  return unwrap(
    await openSession({
      plans,
      capabilities: can,
      sampleEvery: Number(values.every),
    }),
  );
}

/** Packets or bits in a second; at a fixed rate packets in a second of CPU time. */
async function slice(lab, kind) {
  // The attach patches kernel code and waits for RCU: let that pass.
  await sleep(150);
  const before = { ...lab.received(), idle: idle() };
  const began = process.hrtime.bigint();
  await sleep(milliseconds);
  const after = { ...lab.received(), idle: idle() };
  const elapsed = Number(process.hrtime.bigint() - began) / 1e9;
  const packets = after.packets - before.packets;
  if (pps !== undefined) return packets / (elapsed * after.idle.cpus - (after.idle.seconds - before.idle.seconds));
  return (kind === 'udp' ? packets : (after.bytes - before.bytes) / 1.25e8) / elapsed;
}

/**
 * One long stream, the probe attached and detached under it: no start-up in the slices, neighbours in time compared. In a window
 * the tracepoints are attached for a share of the time, and those that tell the driver apart for a share of that
 * (src/probe/shifts.ts), so these states are measured and weighed with it; `away`, with the programs of the devices gone too, stands for itself.
 */
async function measure(kind) {
  const lab = new Lab();
  /** @type {Record<'without' | 'working' | 'joined' | 'resting' | 'away' | 'sampled', number[]>} */
  const rates = { without: [], working: [], joined: [], resting: [], away: [], sampled: [] };
  const costs = [];
  try {
    const length = Math.ceil((rounds * (pps === undefined ? 5 : 6) * (milliseconds + 230)) / 1000) + 9;
    if (pps === undefined) await lab.serve();
    else await causes['udp plain'].prepare({ lab, folder: '', seconds: length, pps });
    const load = pps === undefined ? lab.traffic(kind, length) : undefined;
    await sleep(1500);
    for (let round = 0; round < rounds; round++) {
      const without = async () => void rates.without.push(await slice(lab, kind));
      if (round % 2) await without();
      const session = await withProbe(lab);
      rates.working.push(await slice(lab, kind));
      session.tracepoints.join();
      rates.joined.push(await slice(lab, kind));
      unwrap(await session.tracepoints.rest());
      rates.resting.push(await slice(lab, kind));
      // What rests on the one busy device of a host (src/probe/tc-rests.ts).
      await Promise.all(session.devices.map((device) => device.detachForRest()));
      rates.away.push(await slice(lab, kind));
      await session.close();
      if (pps !== undefined) {
        const sampler = await openSampler(WINDOW_SECONDS);
        sampler.start();
        rates.sampled.push(await slice(lab, kind));
        sampler.close();
      }
      if (!(round % 2)) await without();
    }
    for (let round = 0; round < 9; round++) {
      const session = await withProbe(lab);
      costs.push(unwrap(await measureCost(session, 1000)));
      await session.close();
    }
    await load;
  } finally {
    await lab.close();
  }
  const ratioOf = (side) => median(rates[side]) / median(rates.without);
  const pairsOf = (side) => median(rates[side].map((rate, index) => rate / rates.without[index]));
  const joined = ON_SHARE / JOINED_SLICES;
  const weighed = (of) => joined * of('joined') + (ON_SHARE - joined) * of('working') + (1 - ON_SHARE) * of('resting');
  /** The programs of the devices run all the time, those of the tracepoints in their shifts. */
  const inWindow = ({ programs, packets }) =>
    programs.reduce(
      (sum, { name, runs, nsPerRun }) => sum + runs * nsPerRun * (name === 'pktcost_in' ? 1 : ON_SHARE),
      0,
    ) / packets;
  const three = (value) => Number(value.toFixed(3));
  return {
    kind,
    ratio: three(weighed(ratioOf)),
    ratioOfPairs: three(weighed(pairsOf)),
    working: three(ratioOf('working')),
    joined: three(ratioOf('joined')),
    resting: three(ratioOf('resting')),
    away: three(ratioOf('away')),
    ...(pps !== undefined && { sampled: three(ratioOf('sampled')) }),
    pairs: Object.fromEntries(
      ['working', 'joined', 'resting', 'away', ...(pps === undefined ? [] : ['sampled'])].map((state) => [
        state,
        three(pairsOf(state)),
      ]),
    ),
    without: Number(median(rates.without).toPrecision(4)),
    probeNsPerPacket: Math.round(median(costs.map(inWindow))),
    whileTracing: Math.round(median(costs.map((cost) => cost.nsPerPacket))),
    statsNsPerRun: Math.round(median(costs.map((cost) => cost.statsNsPerRun))),
    cpuShare: Number(median(costs.map((cost) => cost.cpuShare)).toFixed(4)),
    programs: costs[1].programs.map(
      ({ name, runs, nsPerRun }) => `${name} ${String(runs)} x ${nsPerRun.toFixed(0)} ns`,
    ),
  };
}

const kinds = pps === undefined ? ['tcp', 'udp'] : ['udp'];
for (const kind of values.only ? [values.only] : kinds) console.log(JSON.stringify(await measure(kind), undefined, 1));
