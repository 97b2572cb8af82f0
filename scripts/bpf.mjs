/**
 * Builds the probe's objects with clang and writes bpf/objects.json: the hash of every source and of every object, so that
 * a change to one without the other is seen. `--check` rebuilds beside them and compares; without clang it compares hashes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../bpf/', import.meta.url));
const manifestPath = join(folder, 'objects.json');
const clang = process.env.CLANG ?? 'clang';
const checking = process.argv.includes('--check');

const files = readdirSync(folder).sort();
const headers = files.filter((name) => name.endsWith('.h'));
const sources = files.filter((name) => name.endsWith('.bpf.c'));
const objectOf = (source) => source.replace(/\.c$/, '.o');
const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

function multiarchInclude() {
  // asm/types.h lives in the multiarch directory on Debian and is not on the search path of -target bpf.
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  const path = `/usr/include/${machine}-linux-gnu`;
  return existsSync(path) ? ['-I', path] : [];
}

function compile(source, into) {
  const flags = ['-O2', '-g', '-Wall', '-Werror', '-target', 'bpf', '-mcpu=v3', '-fdebug-compilation-dir=.'];
  execFileSync(clang, [...flags, ...multiarchInclude(), '-c', source, '-o', into], { cwd: folder, stdio: 'inherit' });
  // DWARF is of no use at load; BTF stays.
  execFileSync(process.env.LLVM_STRIP ?? 'llvm-strip', ['-g', into], { stdio: 'inherit' });
}

function clangVersion() {
  try {
    const text = execFileSync(clang, ['--version'], { encoding: 'utf8' });
    return /clang version (\S+)/.exec(text)?.[1] ?? text.split('\n')[0];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function describe(directory) {
  return {
    sources: Object.fromEntries([...headers, ...sources].sort().map((name) => [name, sha256(join(folder, name))])),
    objects: Object.fromEntries(sources.map(objectOf).map((name) => [name, sha256(join(directory, name))])),
  };
}

function differences(expected, actual) {
  const wrong = [];
  for (const part of ['sources', 'objects']) {
    const names = new Set([...Object.keys(expected[part]), ...Object.keys(actual[part])]);
    for (const name of names) if (expected[part][name] !== actual[part][name]) wrong.push(`${part}: ${name}`);
  }
  return wrong;
}

const version = clangVersion();
if (!checking) {
  if (version === undefined) throw new Error(`${clang} is not installed; the committed objects were left as they are`);
  for (const source of sources) compile(source, join(folder, objectOf(source)));
  writeFileSync(manifestPath, `${JSON.stringify({ clang: version, ...describe(folder) }, undefined, 2)}\n`);
} else {
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const wrong = differences(manifest, describe(folder));
  if (wrong.length > 0) {
    console.error(`bpf/objects.json does not describe what is in bpf/ (${wrong.join(', ')}): run node scripts/bpf.mjs`);
    process.exit(1);
  }
  if (version !== manifest.clang) {
    console.log(
      `bpf: hashes agree; not rebuilt, because clang ${manifest.clang} is wanted and ${version ?? 'none'} is here`,
    );
    process.exit(0);
  }
  const scratch = mkdtempSync(join(tmpdir(), 'pktcost-bpf-'));
  try {
    for (const source of sources) compile(source, join(scratch, objectOf(source)));
    const rebuilt = differences(manifest, describe(scratch));
    if (rebuilt.length > 0) {
      console.error(`the committed objects are not what clang ${version} makes of the sources (${rebuilt.join(', ')})`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
