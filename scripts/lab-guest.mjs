// Boots one lab guest under software emulation, follows its serial console, and ends it in time whatever happens.
import { spawn } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { spawnSync } from 'node:child_process';

const RESULTS_BYTES = 64 << 20;

async function initrdOf(archives, folder) {
  const path = join(folder, 'initrd.cpio');
  rmSync(path, { force: true });
  for (const archive of archives) await pipeline(createReadStream(archive), createWriteStream(path, { flags: 'a' }));
  return path;
}

/**
 * Runs a scene. `onResult` is called with each line the guest reports; the answer tells whether it came to its end.
 * With `shell` the console is the terminal's.
 */
export async function boot({ image, scene, checks, shell, seconds, folder, onResult, onConsole }) {
  mkdirSync(folder, { recursive: true });
  const disk = join(folder, 'results.tar');
  const fd = openSync(disk, 'w');
  ftruncateSync(fd, RESULTS_BYTES);
  closeSync(fd);
  const smbios = (scene.smbios ?? []).flatMap((structure, n) => {
    const path = join(folder, `smbios-${n}.bin`);
    writeFileSync(path, structure);
    return ['-smbios', `file=${path}`];
  });
  const initrd = await initrdOf(image.archives, folder);
  const { architecture } = image;
  const append = [
    `console=${architecture.console}`,
    'panic=-1',
    'quiet',
    'loglevel=4',
    ...architecture.append,
    ...(scene.append ?? []),
    `lab.scene=${scene.name}`,
    `lab.kernel=${image.line}`,
    `lab.checks=${checks.join()}`,
    ...(shell ? ['lab.shell'] : []),
  ];
  // With a thread for each CPU this QEMU runs stale translations of code that another CPU has patched, and the probe has
  // tracepoints patched under traffic: guests then die of a breakpoint long taken back, or trap in it for ever.
  const argv = [
    ...[...architecture.machine, '-accel', 'tcg,thread=single'],
    ...['-smp', scene.smp ?? '2', '-m', scene.memory ?? '1536M', '-nographic', '-no-reboot', '-nic', 'none'],
    ...['-kernel', image.image, '-initrd', initrd, '-append', append.join(' ')],
    ...['-drive', `file=${disk},format=raw,if=none,id=results`, '-device', 'virtio-blk-pci,drive=results'],
    ...(scene.qemu ?? []),
    ...smbios,
  ];
  const log = createWriteStream(join(folder, 'console.log'));
  const guest = spawn(architecture.qemu, argv, { stdio: shell ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
  let finished = shell;
  let late = false;
  const timer = shell
    ? undefined
    : setTimeout(() => {
        late = true;
        guest.kill('SIGKILL');
      }, seconds * 1000);
  const end = () => guest.kill('SIGKILL');
  process.once('exit', end);
  const gone = new Promise((resolve, reject) => {
    guest.once('error', reject);
    guest.once('close', resolve);
  });
  if (!shell) {
    let rest = '';
    for (const stream of [guest.stdout, guest.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        log.write(text);
        rest += text;
        const lines = rest.split(/\r?\n/);
        rest = lines.pop() ?? '';
        for (const line of lines) {
          // Kernel messages may come in front of a line of ours.
          const at = line.indexOf('@lab ');
          if (at < 0) onConsole?.(line);
          else if (line.startsWith('@lab end', at)) finished = true;
          else onResult(JSON.parse(line.slice(at + 5)));
        }
      });
  }
  await gone;
  clearTimeout(timer);
  process.off('exit', end);
  log.end();
  const reports = join(folder, 'reports');
  mkdirSync(reports, { recursive: true });
  spawnSync('tar', ['-xf', disk, '-C', reports], { stdio: 'ignore' });
  for (const path of [disk, initrd]) rmSync(path, { force: true });
  const reason = late ? `ended after ${seconds} s` : 'the guest stopped early: see console.log';
  return { finished, reason: finished ? undefined : reason };
}
