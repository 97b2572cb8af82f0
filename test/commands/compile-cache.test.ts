/**
 * Node keeps compiled code in a folder of /tmp that whoever comes first owns, and a checksum is all that protects an entry.
 * These tests are that attacker: they put code of their own where a program that trusts the folder would run it.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { bin } from '../support/command.ts';
import { lackingNodes, otherNodes } from '../support/nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-test-cache-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What Node's own loader compiles of pktcost; the bundle behind it is none of that loader's business. */
const entry = bin;

/** Fills a cache folder as any user can for any file that they can read. */
function compileInto(node: string, cache: string, file: string): void {
  const script = `import m from 'node:module'; m.enableCompileCache(${JSON.stringify(cache)}); await import(${JSON.stringify(pathToFileURL(file).href)});`;
  execFileSync(node, ['--input-type=module', '-e', script], { stdio: 'ignore' });
}

/** An entry is magic, code size, cache size, code hash, cache hash (u32 each), then V8's bytes. Source: src/compile_cache.cc */
function entryOf(cache: string, source: string): string {
  const size = statSync(source).size;
  const [tag = ''] = readdirSync(cache);
  const found = readdirSync(join(cache, tag))
    .map((name) => join(cache, tag, name))
    .find((name) => readFileSync(name).readUInt32LE(4) === size);
  assert.ok(found !== undefined, `no entry for ${source}`);
  return found;
}

/** A cache in which the entry of `target` holds the code that `evil` was compiled to. */
function poison(node: string, target: string, evil: string, cache: string): void {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  compileInto(node, join(scratch, 'target'), target);
  compileInto(node, join(scratch, 'evil'), evil);
  const honest = entryOf(join(scratch, 'target'), target);
  const bytes = readFileSync(entryOf(join(scratch, 'evil'), evil));
  // Size and hash of the source are those of the file that the victim will read.
  const genuine = readFileSync(honest);
  genuine.copy(bytes, 4, 4, 8);
  genuine.copy(bytes, 12, 12, 16);
  const home = join(cache, basename(join(honest, '..')));
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, basename(honest)), bytes);
}

/** Code that leaves a proof, as long as `target`: V8 compares lengths only. */
function evilTwin(target: string, proof: string, name: string, kind: 'cjs' | 'mjs'): string {
  const begin = kind === 'mjs' ? "import{writeFileSync}from'node:fs'" : "const{writeFileSync}=require('node:fs')";
  const code = `${begin};writeFileSync(${JSON.stringify(proof)},'');//`;
  const path = join(folder, `${name}.${kind}`);
  writeFileSync(path, code.padEnd(readFileSync(target, 'utf8').length, 'x'));
  return path;
}

describe('compiled code that another user left in /tmp', { skip: lackingNodes() }, () => {
  for (const { major, program } of otherNodes) {
    it(`is not run under Node ${major}, and none is left there`, () => {
      const proof = join(folder, `proof-${major}`);
      const tmp = mkdtempSync(join(folder, 'tmp-'));
      poison(program, entry, evilTwin(entry, proof, `evil-${major}`, 'cjs'), join(tmp, 'node-compile-cache'));
      const before = readdirSync(tmp, { recursive: true });
      rmSync(proof, { force: true });

      const { stdout, status } = spawnSync(program, [bin, 'rules'], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], TMPDIR: tmp },
      });

      assert.ok(!existsSync(proof), 'the attacker ran code');
      assert.equal(status, 0);
      assert.match(stdout, /^PKT\d{4} /m);
      assert.deepEqual(readdirSync(tmp, { recursive: true }), before);
    });

    it(`is run under Node ${major} by a program that trusts the folder: the attack of this test is real`, () => {
      const proof = join(folder, `control-${major}`);
      const tmp = mkdtempSync(join(folder, 'tmp-'));
      // A module of its own, so that this does not depend on the built one: it trusts as pktcost 0.1.0 did.
      const target = join(folder, `victim-${major}.mjs`);
      writeFileSync(target, `export const main = () => {};\n`.padEnd(4000, '/'));
      const trusting = join(folder, `trusting-${major}.mjs`);
      writeFileSync(
        trusting,
        `import m from 'node:module'; m.enableCompileCache(); await import('./${basename(target)}');`,
      );
      poison(program, target, evilTwin(target, proof, `control-evil-${major}`, 'mjs'), join(tmp, 'node-compile-cache'));
      rmSync(proof, { force: true });

      spawnSync(program, [trusting], { env: { PATH: process.env['PATH'], TMPDIR: tmp } });

      assert.ok(existsSync(proof));
    });
  }
});
