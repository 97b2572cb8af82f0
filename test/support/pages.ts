import assert from 'node:assert/strict';

import type { Report } from '../../src/generated/report.ts';
import { judgeWindow, neededElsewhere } from '../../src/jobs/judge.ts';
import type { Window } from '../../src/metrics/window.ts';
import { parseExposition } from '../../src/sources/pages/exposition.ts';
import { windowOfPages, type ExporterPage } from '../../src/sources/pages/page-window.ts';
import { bytesOf } from './fixture.ts';

const WHERE = 'http://host:9100/metrics';

function pageOf(text: string, at: number): ExporterPage {
  const parsed = parseExposition(bytesOf(text));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason);
  return { samples: parsed.value, takenAt: new Date(at * 1000).toISOString(), at };
}

/** Two scrapes of a page as a window. */
export function windowOfTexts(before: string, after: string, seconds = 10): Window {
  const window = windowOfPages(pageOf(before, 1000), pageOf(after, 1000 + seconds), {
    shown: WHERE,
    absent: `not on the page of ${WHERE}`,
    needed: neededElsewhere,
  });
  assert.ok(window.ok, window.ok ? '' : window.reason);
  return window.value;
}

/** Judges two scrapes of a page, as `diagnose --exporter` does. */
export function judgePages(before: string, after: string, seconds = 10): Report {
  return judgeWindow({
    window: windowOfTexts(before, after, seconds),
    requestedSeconds: seconds,
    cutShort: false,
    version: '0',
    overrides: {},
    self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
  });
}
