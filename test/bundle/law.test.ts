import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { openCopy, openPair } from '../../src/bundle/copies.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Finding } from '../../src/rules/finding.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { below, memoryTree, type Kept } from '../../src/sources/copy/tree.ts';
import { repository } from '../support/fixture.ts';
import { treeOf, type Copy } from '../support/copies.ts';
import { left, pieceName, piecesOf, type Piece } from '../support/law-mutations.ts';
import { breach, fires, seeded } from '../support/law.ts';
import { sickFiles } from '../support/sick-host.ts';
import { sickReport } from '../support/sick-report.ts';

/** Copies made up after public reports, and what sos made here. */
const folders = ['copies', 'sosreports'].map((name) => `${repository}/test/fixtures/${name}`);

function filesOf(folder: string, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(`${folder}/${name}`, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    files.set(path.slice(path.indexOf(`/${name}/`) + name.length + 2), new Uint8Array(readFileSync(path)));
  }
  return files;
}

/** What is found; undefined where the copies no longer say how far they are apart. */
function judged(files: ReadonlyMap<string, Kept>): readonly Finding[] | undefined {
  const tree = memoryTree(files);
  const pair = tree.list('/before').ok && tree.list('/after').ok;
  const copy = pair ? openPair('law', [below(tree, 'before'), below(tree, 'after')]) : openCopy('law', tree);
  return copy.ok ? evaluateRules(copy.value.window(collectors), rules) : undefined;
}

/** A file at both ends is one piece of evidence. */
const ways: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  removed: () => undefined,
  emptied: () => new Uint8Array(),
  // A link is there or not.
  cut: (bytes) => (bytes[0] === 0x2e ? undefined : bytes.subarray(0, Math.floor(bytes.length / 2))),
};
const PAIRS = 25;

describe('with less to go by', () => {
  for (const [folder, name] of folders.flatMap((each) =>
    readdirSync(each)
      .sort()
      .map((name) => [each, name] as const),
  )) {
    const files = filesOf(folder, name);
    const full = files.size === 0 ? undefined : judged(files);
    if (full === undefined || !full.some(fires)) continue;
    it(`what was found on ${name} only weakens`, () => {
      const paths = [...new Set([...files.keys()].map((path) => path.replace(/^(?:before|after)\//, '')))];
      const random = seeded(paths.length * 31);
      const sets = paths.map((path) => [path]);
      for (let pair = 0; pair < PAIRS; pair += 1)
        sets.push([paths[random(paths.length)]!, paths[random(paths.length)]!]);
      const breaches = sets.flatMap((gone) =>
        Object.entries(ways).flatMap(([way, change]) => {
          const left = new Map<string, Kept>();
          for (const [path, bytes] of files) {
            const kept = gone.includes(path.replace(/^(?:before|after)\//, '')) ? change(bytes) : bytes;
            if (kept !== undefined) left.set(path, kept);
          }
          const findings = judged(left);
          return findings === undefined ? [] : (breach(full, findings, `${gone.join(' and ')} (${way})`) ?? []);
        }),
      );
      assert.deepEqual(breaches, []);
    });
  }
});

/** Every mutation of every table and many pairs, with `npm run law`; else a sample of a few seconds. */
const MOST =
  process.env['PKTCOST_LAW'] === 'full'
    ? { rows: 60, singles: Infinity, pairs: 1500 }
    : { rows: 8, singles: 80, pairs: 30 };

const sick: Readonly<Record<string, readonly Copy[]>> = {
  'two copies of /proc and /sys': [sickFiles(0), sickFiles(1)],
  'a copy of /proc and /sys': [sickFiles(1)],
  'two sosreports': [sickReport(0), sickReport(1)],
  'a sosreport': [sickReport(1)],
};

describe('with less to go by on a host with much wrong at once', () => {
  const judge = (ends: readonly Copy[]): readonly Finding[] | undefined => {
    const [before, after] = ends.map(treeOf);
    const copy =
      before === undefined || after === undefined
        ? openCopy('law', before ?? treeOf({}))
        : openPair('law', [before, after]);
    return copy.ok ? evaluateRules(copy.value.window(collectors), rules) : undefined;
  };
  for (const [form, ends] of Object.entries(sick)) {
    it(`what was found in ${form} only weakens`, () => {
      const full = judge(ends);
      assert.ok(full !== undefined && full.filter(fires).length >= 20, 'much is found');
      const breaches = piecesOf(new Map(Object.entries(ends.at(-1) ?? {})), MOST).flatMap((piece) => {
        const findings = judge(ends.map((end) => without(end, piece)));
        return findings === undefined ? [] : (breach(full, findings, pieceName(piece)) ?? []);
      });
      assert.deepEqual(breaches, []);
    });
  }
});

function without(copy: Copy, piece: Piece): Copy {
  return Object.fromEntries(
    Object.entries(copy).flatMap(([path, content]) => {
      const rest = left(path, content, piece);
      return rest === undefined ? [] : [[path, rest]];
    }),
  );
}
