/**
 * Is the tap price right? Two independent measures of the same load, UDP of 64 bytes at a fixed rate:
 * - the probe's: mean `taps` span with tcpdump, minus without;
 * - the other: NET_RX softirq time per packet with tcpdump, minus without (exact softirq tracepoints, every run timed).
 * Both within one stream; the median of the differences. The required agreement is 25 % at 20 kpps or more.
 *
 * Everything runs on one CPU unless `--spread` is given: a reader on another one shares caches or the core with it and slows
 * the whole of NET_RX, which is the reader's doing and not the tap's in the packet's path.
 *
 *   node bench/probe/price.mjs [--rate 20000] [--rounds 9] [--taps 1] [--spread]
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { subtractReadings } from '../../build/src/readings/reading.js';
import { openSession } from '../../build/src/probe/session.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '9' },
    taps: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '2' },
    spread: { type: 'boolean', default: false },
  },
});
// What is started from here on inherits it.
if (!values.spread) execFileSync('taskset', ['-apc', '0', String(process.pid)], { stdio: 'ignore' });
const can = readCapabilities();
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

async function slice(session) {
  const before = session.read();
  await sleep(Number(values.seconds) * 1000);
  const delta = subtractReadings(before, session.read());
  const span = delta.devices[0].spans[0];
  const total = (what) => delta.cpus.reduce((sum, cpu) => sum + cpu[what], 0);
  return {
    span: span.sumNs / span.count,
    netRx: total('netRxNs') / total('netRxSkbs'),
    driver: (total('splitNs') - total('splitStackNs')) / total('splitSkbs'),
    kpps: (delta.devices[0].packets / (delta.monotonicNs - before.monotonicNs)) * 1e6,
  };
}

const lab = new Lab();
const seen = { without: [], with: [] };
try {
  await lab.serve();
  const session = unwrap(
    await openSession({ plans: planDevices([lab.facts()], { probe: 'auto' }, can), capabilities: can, netRxEvery: 1 }),
  );
  // No tap is in the driver's part: what that rises by is what the reader does to the caches, and not in any price.
  session.tracepoints.join();
  // Both sides of a round under one stream: where the scheduler puts a new one moves NET_RX by more than a tap costs.
  for (let round = 0; round < Number(values.rounds); round++) {
    const load = lab.traffic('udp', 2 * Number(values.seconds) + 4, Number(values.rate));
    await sleep(1000);
    for (const side of round % 2 ? ['with', 'without'] : ['without', 'with']) {
      const taps = [];
      if (side === 'with') for (let n = 0; n < Number(values.taps); n++) taps.push(await lab.tcpdump());
      await sleep(300);
      seen[side].push(await slice(session));
      for (const tap of taps) await lab.stop(tap);
    }
    await load;
  }
  await session.close();
} finally {
  await lab.close();
}

const pick = (side, what) => median(seen[side].map((sample) => sample[what]));
const differences = (what) => seen.with.map((sample, round) => sample[what] - seen.without[round][what]);
const price = median(differences('span'));
const independent = median(differences('netRx'));
console.log(
  JSON.stringify({
    kpps: Math.round(pick('with', 'kpps')),
    spanWithout: Math.round(pick('without', 'span')),
    spanWith: Math.round(pick('with', 'span')),
    netRxWithout: Math.round(pick('without', 'netRx')),
    netRxWith: Math.round(pick('with', 'netRx')),
    price: Math.round(price),
    independent: Math.round(independent),
    byRound: differences('netRx').map((ns) => Math.round(ns)),
    ratio: Number((price / independent).toFixed(2)),
    ofItDriver: Math.round(median(differences('driver'))),
  }),
);
