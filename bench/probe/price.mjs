/**
 * Is the tap price right? Two independent measures of the same load, UDP of 64 bytes at a fixed rate:
 * - the probe's: mean `taps` span with tcpdump, minus without;
 * - the other: NET_RX softirq time per packet with tcpdump, minus without (exact softirq tracepoints, every run timed).
 * Interleaved; the median of the differences of neighbours. The required agreement is 25 % at 20 kpps or more.
 *
 *   node bench/probe/price.mjs [--rate 30000] [--rounds 8] [--taps 1]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { subtractReadings } from '../../build/src/probe/reading.js';
import { openProbe } from '../../build/src/probe/session.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '30000' },
    rounds: { type: 'string', default: '8' },
    taps: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '2' },
  },
});
const can = readCapabilities();
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

const lab = new Lab();
const seen = { without: [], with: [] };
try {
  await lab.serve();
  const session = unwrap(
    await openProbe({ plans: planDevices([lab.facts()], { probe: 'auto' }, can), capabilities: can, netRxEvery: 1 }),
  );
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of round % 2 ? ['with', 'without'] : ['without', 'with']) {
      const taps = [];
      if (side === 'with') for (let n = 0; n < Number(values.taps); n++) taps.push(await lab.tcpdump());
      const load = lab.traffic('udp', Number(values.seconds) + 1, Number(values.rate));
      await sleep(500);
      const before = session.read();
      await sleep(Number(values.seconds) * 1000);
      const delta = subtractReadings(before, session.read());
      await load;
      for (const tap of taps) await lab.stop(tap);
      const span = delta.devices[0].spans[0];
      const netRx = delta.cpus.reduce((sum, cpu) => ({ ns: sum.ns + cpu.netRxNs, skbs: sum.skbs + cpu.netRxSkbs }), {
        ns: 0,
        skbs: 0,
      });
      seen[side].push({
        span: span.sumNs / span.count,
        netRx: netRx.ns / netRx.skbs,
        kpps: (delta.devices[0].packets / (delta.monotonicNs - before.monotonicNs)) * 1e6,
      });
    }
  }
  await session.close();
} finally {
  await lab.close();
}

const pick = (side, what) => median(seen[side].map((sample) => sample[what]));
const differences = (what) => median(seen.with.map((sample, round) => sample[what] - seen.without[round][what]));
const price = differences('span');
const independent = differences('netRx');
console.log(
  JSON.stringify({
    kpps: Math.round(pick('with', 'kpps')),
    spanWithout: Math.round(pick('without', 'span')),
    spanWith: Math.round(pick('with', 'span')),
    netRxWithout: Math.round(pick('without', 'netRx')),
    netRxWith: Math.round(pick('with', 'netRx')),
    price: Math.round(price),
    independent: Math.round(independent),
    ratio: Number((price / independent).toFixed(2)),
  }),
);
