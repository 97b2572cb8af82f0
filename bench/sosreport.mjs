// node bench/sosreport.mjs [--megabytes 1024] [--rounds 3] [--folder DIR] [--keep] [--write]: writes a sosreport of that size as
// .tar, .tar.gz and .tar.xz, and judges each with `pktcost replay`, so many times in turn: medians of seconds by the clock and of
// CPU time, and the most memory that it and its xz held. The report has the sizes of a busy host after weeks: journals, logs, tens
// of thousands of sockets, thousands of processes. What it packs differs in each line, so that it packs as logs do. Beside each
// stands what unpacking alone takes (xz, gzip, cat), which nothing can do without: it is judged by that where it is more than the
// goal. With --write nothing is judged, and with a folder that holds the archives nothing is written: packing takes minutes, and
// no quiet machine.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const fixture = `${root}test/fixtures/sosreports/healthy-host`;
const top = 'sosreport-db1-2026-03-01-abcdefg';
const MB = 1024 * 1024;
/** @type {Readonly<Record<'seconds' | 'megabytes', number>>} */
const goal = { seconds: 10, megabytes: 300 };

/** @param {string} name @param {number} size */
function header(name, size) {
  const block = Buffer.alloc(512);
  const put = (/** @type {string} */ text, /** @type {number} */ at) => block.write(text, at, 'latin1');
  const octal = (/** @type {number} */ value, /** @type {number} */ digits) =>
    `${value.toString(8).padStart(digits, '0')}\0`;
  // ustar: up to 155 bytes of folders in front, up to 100 of the name.
  const slash = name.length <= 100 ? -1 : name.indexOf('/', name.length - 101);
  put(name.slice(slash + 1), 0);
  if (slash > 0) put(name.slice(0, slash), 345);
  put(octal(0o644, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(1_772_323_200, 11), 136);
  put('0', 156);
  put('ustar\0', 257);
  put('00', 263);
  return withSum(block);
}

/** @param {Buffer} block */
function withSum(block) {
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

let state = 12_345;
/** @param {number} below */
function random(below) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % below;
}

const words =
  'kernel sshd systemd Started Stopped session for user root closed opened failed connection from port nginx error upstream timed out while reading response header containerd level info msg'.split(
    ' ',
  );
const phrases = Array.from({ length: 400 }, () =>
  Array.from({ length: 9 }, () => words[random(words.length)]).join(' '),
);
let clock = 0;
/** What a log says: the same few hundred sentences, one after the other in time, now and then with a number. */
const line = () => {
  clock += random(3);
  const time = new Date(clock * 1000).toISOString().slice(11, 19);
  const number = random(4) === 0 ? ` ${random(2 ** 24).toString(16)}` : '';
  return `Mar  1 ${time} db1 ${words[random(20)]}[${1000 + random(300)}]: ${phrases[random(phrases.length)]}${number}\n`;
};

/** Lines to take pieces of: more than any packer looks back over. */
const POOL = 32 * MB;

/** @param {() => string} row */
function poolOf(row) {
  const parts = [];
  for (let size = 0; size < POOL;) {
    let chunk = '';
    while (chunk.length < MB) chunk += row();
    size += chunk.length;
    parts.push(Buffer.from(chunk, 'latin1'));
  }
  return Buffer.concat(parts);
}

/** Whole lines at the beginning and the end, whatever is within. @param {number} bytes @param {Buffer} pool */
function* text(bytes, pool) {
  for (let left = bytes; left > 0;) {
    const size = Math.min(left, MB);
    const at = pool.indexOf(10, random(pool.length - 2 * MB)) + 1;
    const part = Buffer.from(pool.subarray(at, at + size));
    part[size - 1] = 10;
    left -= size;
    yield part;
  }
}

/** Journals hold hashes and what is packed among fields that are not. */
const journalRow = () =>
  `${String.fromCharCode(...Array.from({ length: 10 }, () => 1 + random(255)))}MESSAGE=${line().trim().padEnd(150, '\0')}`;

/** @param {string} folder */
function small(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const path = join(entry.parentPath, entry.name);
    return [/** @type {const} */ ([relative(folder, path), readFileSync(path)])];
  });
}

const socket = () => {
  const port = random(60_000);
  return `tcp   ESTAB  0      0      10.${random(250)}.${random(250)}.${random(250)}:${port} 10.0.0.${random(250)}:443 users:(("nginx",pid=${random(30_000)},fd=${random(900)})) ino:${random(2 ** 24)} sk:${random(2 ** 24).toString(16)} <->\n\t skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0) cubic wscale:7,7 rto:204 rtt:3.5/1.75 mss:1448 cwnd:10\n`;
};

/** @param {string} file @param {number} megabytes */
function writeReport(file, megabytes) {
  const out = openSync(file, 'w');
  /** @param {string} name @param {number} size @param {Iterable<Buffer>} parts */
  const add = (name, size, parts) => {
    writeSync(out, header(`${top}/${name}`, size));
    for (const part of parts) writeSync(out, part);
    writeSync(out, Buffer.alloc((512 - (size % 512)) % 512));
  };
  const [lines, rows, fields] = [line, socket, journalRow].map(poolOf);
  if (lines === undefined || rows === undefined || fields === undefined) throw new Error('three pools');
  const share = (/** @type {number} */ part) => Math.round(megabytes * part) * MB;
  const folder = header(`${top}/`, 0);
  folder.write('5', 156);
  writeSync(out, withSum(folder));
  for (const [name, content] of small(fixture)) add(name, content.length, [content]);
  for (let pid = 1000; pid < 4000; pid += 1) {
    const stat = Buffer.from(`${pid} (worker) S 1 ${Array.from({ length: 48 }, () => random(9999)).join(' ')}\n`);
    add(`proc/${pid}/stat`, stat.length, [stat]);
    add(`proc/${pid}/smaps`, 64 * 1024, text(64 * 1024, lines));
  }
  for (const [name, part] of /** @type {const} */ ([
    ['sos_commands/logs/journalctl_--no-pager', 0.25],
    ['sos_commands/logs/journalctl_--no-pager_--boot', 0.1],
    ['var/log/messages', 0.2],
    ['var/log/audit/audit.log', 0.1],
  ]))
    add(name, share(part), text(share(part), lines));
  for (let index = 0; index < 3; index += 1)
    add(`var/log/journal/0123456789abcdef/system@${index}.journal`, share(0.07), text(share(0.07), fields));
  add('sos_commands/process/lsof_-b_M_-n_-l', 30 * MB, text(30 * MB, lines));
  add('sos_commands/networking/ss_-peaonmi', 12 * MB, text(12 * MB, rows));
  for (let index = 0; index < 3000; index += 1)
    add(`sys/devices/pci0000:00/0000:00:${index}/uevent`, 40, [Buffer.from('DRIVER=none\n'.padEnd(40, 'x'))]);
  writeSync(out, Buffer.alloc(1024));
  closeSync(out);
}

/** The most memory that a process has held so far, in kB. @param {number} pid */
function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 0;
    throw error;
  }
}

/** @param {number} pid @returns {readonly number[]} */
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

/** CPU time of the children that have ended, in seconds. */
function spentByChildren() {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** @param {string} file */
async function judge(file) {
  const [began, spent] = [performance.now(), spentByChildren()];
  const child = spawn(process.execPath, [`${root}bin/pktcost.js`, 'replay', file, '--json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const pid = child.pid ?? 0;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ part) => (said += part));
  let [own, helpers] = [0, 0];
  const look = setInterval(() => {
    own = Math.max(own, peakOf(pid));
    helpers = Math.max(
      helpers,
      childrenOf(pid).reduce((sum, each) => sum + peakOf(each), 0),
    );
  }, 20);
  const status = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(look);
  return {
    status,
    said,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: spentByChildren() - spent,
    megabytes: (own + helpers) / 1024,
    ownMegabytes: own / 1024,
  };
}

/** @type {Readonly<Record<string, readonly string[]>>} */
const UNPACKERS = { xz: ['xz', '--decompress', '--stdout'], gz: ['gzip', '--decompress', '--stdout'], tar: ['cat'] };

/** What unpacking alone takes. @param {string} file */
function floorOf(file) {
  const [program = '', ...flags] = UNPACKERS[file.split('.').at(-1) ?? ''] ?? [];
  const [began, spent] = [performance.now(), spentByChildren()];
  const { status } = spawnSync(program, [...flags, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${file}: exit code ${String(status)}`);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: spentByChildren() - spent };
}

/** @param {readonly number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** @template {string} K @param {readonly Readonly<Record<K, number>>[]} runs @param {K} name */
function medianOf(runs, name) {
  return median(runs.map((run) => run[name]));
}

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string' },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'pktcost-sosreport-'));
mkdirSync(folder, { recursive: true });
const tar = join(folder, 'sosreport.tar');
let missed = false;
try {
  if (!existsSync(tar)) writeReport(tar, Number(values.megabytes));
  for (const [packed, packer, ...flags] of /** @type {const} */ ([
    [`${tar}.gz`, 'gzip', '-6', '--keep'],
    [`${tar}.xz`, 'xz', '-6', '--keep'],
  ]))
    if (!existsSync(packed)) spawnSync(packer, [...flags, tar], { stdio: 'inherit' });
  const files = values.write ? [] : [tar, `${tar}.gz`, `${tar}.xz`];
  /** @type {Map<string, { judged: Awaited<ReturnType<typeof judge>>, floor: ReturnType<typeof floorOf> }[]>} */
  const all = new Map(files.map((file) => [file, []]));
  // In turn, so that what else the machine has to do is the same for each.
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const [file, runs] of all) runs.push({ judged: await judge(file), floor: floorOf(file) });
  for (const [file, runs] of all) {
    const [judged, floors] = [runs.map((run) => run.judged), runs.map(({ floor }) => floor)];
    const [seconds, floor] = [medianOf(judged, 'seconds'), medianOf(floors, 'seconds')];
    const megabytes = Math.max(...judged.map((run) => run.megabytes));
    const size = Math.round(statSync(file).size / MB);
    console.log(
      `${file.slice(folder.length + 1).padEnd(18)} ${String(size).padStart(5)} MB: ${seconds.toFixed(1)} s ` +
        `(${medianOf(judged, 'cpuSeconds').toFixed(1)} s of CPU), ${megabytes.toFixed(0)} MB ` +
        `(${Math.max(...judged.map((run) => run.ownMegabytes)).toFixed(0)} without xz), exit code ${String(judged[0]?.status)}; ` +
        `unpacking alone ${floor.toFixed(1)} s (${medianOf(floors, 'cpuSeconds').toFixed(1)} s of CPU)`,
    );
    const failed = judged.find(({ status }) => status === 1 || status === 2);
    if (failed !== undefined) console.log(failed.said);
    missed ||= failed !== undefined || seconds > Math.max(goal.seconds, 1.5 * floor) || megabytes > goal.megabytes;
  }
} finally {
  if (!values.keep && !values.write) rmSync(folder, { recursive: true, force: true });
}
if (missed) {
  console.error(`more than ${goal.seconds} s or ${goal.megabytes} MB`);
  process.exitCode = 1;
}
