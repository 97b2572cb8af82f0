/**
 * What a whole `pktcost diagnose` does to the host beside it: packets that get through and CPU time per packet, in windows with it and
 * without in turns, under one stream of UDP datagrams of 64 bytes at a fixed rate, or as fast as it goes (0). Everything is on by default.
 * CPU time is what was not idle, of all CPUs; once with what pktcost's own process took, once without.
 *
 *   node bench/probe/whole.mjs [--rates 20000,100000,0] [--seconds 30] [--rounds 5] [--outside] [--pktcost bin/pktcost.js]
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { causes } from './causes.mjs';
import { HERTZ, idle } from './host.mjs';

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '20000,100000,0' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '5' },
    outside: { type: 'boolean', default: false },
    pktcost: { type: 'string', default: 'bin/pktcost.js' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
/** To attach and to calibrate; what is counted lies within the window. */
const STARTING_S = 3;
const MEASURED_S = seconds - 5;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Seconds of CPU that a process has taken; 0 once it has gone. */
function taken(pid) {
  try {
    const columns = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(columns[11]) + Number(columns[12])) / HERTZ;
  } catch {
    return 0;
  }
}

const look = (lab, pid) => ({
  at: performance.now() / 1000,
  packets: lab.received().packets,
  idle: idle(),
  own: pid === undefined ? 0 : taken(pid),
});

async function measured(lab, pid) {
  const from = look(lab, pid);
  await sleep(MEASURED_S * 1000);
  const to = look(lab, pid);
  const elapsed = to.at - from.at;
  const packets = to.packets - from.packets;
  const busy = elapsed * to.idle.cpus - (to.idle.seconds - from.idle.seconds);
  const own = to.own - from.own;
  return { perSecond: packets / elapsed, own, all: (busy / packets) * 1e9, others: ((busy - own) / packets) * 1e9 };
}

async function withPktcost(lab) {
  const [place, where] = values.outside ? [[], ['--netns', lab.receiver]] : [['ip', 'netns', 'exec', lab.receiver], []];
  const words = [...place, process.execPath, values.pktcost, 'diagnose', '-w', `${seconds}s`, ...where];
  const child = spawn(words[0], [...words.slice(1), '--format', 'json'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await sleep(STARTING_S * 1000);
  const result = await measured(lab, child.pid);
  await ended;
  return result;
}

async function load(lab, rate, length) {
  if (rate > 0) return causes['udp plain'].prepare({ lab, folder: '', seconds: length, pps: rate });
  await lab.serve();
  lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-u', '-l', '64', '-b', '0', '-t', String(length));
}

for (const rate of values.rates.split(',').map(Number)) {
  const lab = new Lab();
  try {
    await load(lab, rate, Math.ceil(rounds * (2 * seconds + 12) + 10));
    await sleep(2000);
    const turns = [];
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? ['without', 'with'] : ['with', 'without'];
      const turn = {};
      for (const side of order) {
        turn[side] = side === 'with' ? await withPktcost(lab) : await measured(lab);
        await sleep(1000);
      }
      turns.push(turn);
    }
    const ratio = (of) => median(turns.map((turn) => turn.with[of] / turn.without[of])).toFixed(3);
    const each = (of) => turns.map((turn) => (turn.with[of] / turn.without[of]).toFixed(3)).join(' ');
    console.log(
      `${rate === 0 ? 'as fast as it goes' : `${rate}/s`}: ${Math.round(median(turns.map((turn) => turn.without.perSecond)))} packets/s without; ` +
        `packets ${ratio('perSecond')} (${each('perSecond')}); CPU per packet ${ratio('all')} (${each('all')}), ` +
        `without pktcost's own ${ratio('others')} (${each('others')}); own ${median(turns.map((turn) => turn.with.own)).toFixed(2)} s`,
    );
  } finally {
    await lab.close();
  }
}
