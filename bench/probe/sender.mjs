/**
 * Sends UDP datagrams of 64 bytes to 10.9.NET.2 at a rate that has a pattern, from the network namespace that it is started in. Says how
 * many it sent.
 *
 *   node bench/probe/sender.mjs steady|bursts|ramp RATE SECONDS [NET]
 */
import { libc } from '../../build/src/ffi/libc.js';

const [pattern = 'steady', rate = '20000', seconds = '10', net = '0'] = process.argv.slice(2);
const perSecond = Number(rate);
const length = Number(seconds);

/** Packets per second, so long after the beginning; the mean is the rate that was asked for. */
const patterns = {
  steady: () => perSecond,
  bursts: (at) => (Math.floor(at / 0.2) % 2 === 0 ? 2 * perSecond : 0),
  ramp: (at) => (2 * perSecond * at) / length,
};

const opened = libc();
if (!opened.ok) throw new Error(opened.reason);
const c = opened.value;
const socket = c.socket(2, 2, 0);
const address = Buffer.alloc(16);
address.writeUInt16LE(2, 0);
address.writeUInt16BE(9, 2);
address.set([10, 9, Number(net), 2], 4);
if (c.connect(socket, address, 16) < 0) throw new Error('connect');
const payload = Buffer.alloc(64);
const pause = new Int32Array(new SharedArrayBuffer(4));
const of = patterns[pattern];
let [sent, owed] = [0, 0];
const began = performance.now();
for (let last = 0; ;) {
  Atomics.wait(pause, 0, 0, 1);
  const at = (performance.now() - began) / 1000;
  if (at > length) break;
  owed += of((at + last) / 2) * (at - last);
  last = at;
  for (; owed >= 1; owed -= 1) if (c.send(socket, payload, payload.length, 0x40) > 0) sent += 1;
}
console.log(sent);
