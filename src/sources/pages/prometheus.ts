import type { Labels } from '../../metrics/metric.ts';
import { fail, ok, type Failure, type Result } from '../../base/result.ts';
import type { Endpoint } from './endpoint.ts';
import { get, type HttpAnswer } from './http.ts';
import { isRecord, jsonBudget, parseJson } from '../../base/json.ts';

/** Raw samples of one series, oldest first: [Unix seconds, value]. */
export interface RangeSeries {
  readonly labels: Labels;
  readonly samples: readonly (readonly [number, number])[];
}

/** A question that a smaller one may be answered to. */
export interface Refusal extends Failure {
  readonly tooMuch: boolean;
}

/** An answer of more is asked for in halves: some 600,000 samples, which are 100 MB in memory. */
const MOST_BYTES = 16 * 2 ** 20;
const TIMEOUT_MS = 30_000;
const MOST_WARNINGS = 20;

export interface Access {
  readonly endpoint: Endpoint;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Mimir's tenant. */
  readonly tenant?: string;
  /** Ends everything. */
  readonly stop: AbortSignal;
}

/** The HTTP API that Prometheus, Thanos and Mimir have in common: instant queries, by GET, which no proxy refuses. */
export class PrometheusServer {
  readonly #access: Access;
  readonly #warnings = new Set<string>();

  constructor(access: Access) {
    this.#access = access;
  }

  /** What the server said against its own answers, such as a store that did not answer. */
  get warnings(): readonly string[] {
    return [...this.#warnings].sort();
  }

  /** The server's clock: what is "now" for its samples, whatever ours says. */
  async now(): Promise<Result<number>> {
    const answer = await this.#ask('time()', undefined);
    if (!answer.ok) return answer;
    const { type, result } = answer.value;
    const seconds = type === 'scalar' && Array.isArray(result) ? Number(result[1]) : NaN;
    return seconds > 0 && Number.isFinite(seconds) ? ok(seconds) : malformed;
  }

  /** An instant query with one value for each series. */
  async vector(query: string, at: number): Promise<Result<readonly RangeSeries[]> | Refusal> {
    return this.#series(query, at, 'vector', 'value');
  }

  /** A range vector as it is stored. */
  async range(query: string, at: number): Promise<Result<readonly RangeSeries[]> | Refusal> {
    return this.#series(query, at, 'matrix', 'values');
  }

  async #series(
    query: string,
    at: number,
    type: string,
    field: 'value' | 'values',
  ): Promise<Result<readonly RangeSeries[]> | Refusal> {
    const answer = await this.#ask(query, at);
    if (!answer.ok) return answer;
    const { type: got, result } = answer.value;
    if (got !== type || !Array.isArray(result)) return malformed;
    const all: RangeSeries[] = [];
    for (const each of result as readonly unknown[]) {
      const series = seriesOf(each, field);
      if (series === undefined) return malformed;
      all.push(series);
    }
    return ok(all);
  }

  async #ask(query: string, at: number | undefined): Promise<Result<{ type: unknown; result: unknown }> | Refusal> {
    const { endpoint, token, tenant, stop } = this.#access;
    const url = new URL(`${endpoint.url.href.replace(/\/+$/, '')}/api/v1/query`);
    url.searchParams.set('query', query);
    if (at !== undefined) url.searchParams.set('time', at.toFixed(3));
    const answer = await get(endpoint, url, {
      accept: 'application/json',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
      },
      most: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      stop,
    });
    if (!answer.ok) return { ...answer, tooMuch: answer.tooMuch === true };
    const { status, contentType, body } = answer.value;
    if (contentType !== 'application/json') return { ...fail(withoutJson(answer.value)), tooMuch: false };
    const parsed = parseJson(body, jsonBudget());
    if (!parsed.ok) {
      const tooMuch = parsed.tooMuch === true;
      return { ...fail(`answers with ${tooMuch ? '' : 'what is '}${parsed.reason}`), tooMuch };
    }
    const { value } = parsed;
    if (!isRecord(value) || value['status'] !== 'success') {
      const reason = withError(status, isRecord(value) ? value['error'] : undefined);
      return { ...fail(reason), tooMuch: status === 422 || status === 413 };
    }
    for (const warning of Array.isArray(value['warnings']) ? (value['warnings'] as readonly unknown[]) : []) {
      if (typeof warning === 'string' && this.#warnings.size < MOST_WARNINGS) this.#warnings.add(short(warning));
    }
    const { data } = value;
    return isRecord(data) ? ok({ type: data['resultType'], result: data['result'] }) : { ...malformed, tooMuch: false };
  }
}

const malformed = fail('answers with JSON that is not of the Prometheus API');

const refusals: Readonly<Record<number, string>> = {
  401: 'refuses (HTTP 401): --token-file names a file with a bearer token, --tenant a tenant of Mimir',
  403: 'refuses (HTTP 403): the token or the tenant may not ask this',
  404: 'has no /api/v1/query there (HTTP 404): is a part of the path missing, such as /prometheus for Mimir?',
  502: 'is not reached by what stands before it (HTTP 502)',
  503: 'cannot answer now (HTTP 503)',
  504: 'is not reached in time by what stands before it (HTTP 504)',
};

function withoutJson({ status, contentType }: HttpAnswer): string {
  const known = refusals[status];
  if (known !== undefined) return known;
  const kind =
    contentType === 'text/html' ? 'an HTML page (a login?)' : contentType === '' ? 'nothing known' : contentType;
  return `answers with ${short(kind)} and not with JSON (HTTP ${status}): is that the address of its API?`;
}

function withError(status: number, error: unknown): string {
  const said = typeof error === 'string' && error !== '' ? `: ${short(error)}` : '';
  return `${refusals[status] ?? `refuses (HTTP ${status})`}${said}`;
}

/** The server's words in one line of ours. */
function short(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function seriesOf(value: unknown, field: 'value' | 'values'): RangeSeries | undefined {
  if (!isRecord(value) || !isRecord(value['metric'])) return undefined;
  const labels = value['metric'];
  if (!Object.values(labels).every((each) => typeof each === 'string')) return undefined;
  // A native histogram has no values.
  const raw = field === 'values' ? (value['values'] ?? []) : [value['value']];
  if (!Array.isArray(raw)) return undefined;
  const samples: [number, number][] = [];
  let latest = -Infinity;
  for (const each of raw as readonly unknown[]) {
    if (!Array.isArray(each)) return undefined;
    const [at, text] = each as readonly unknown[];
    if (typeof at !== 'number' || typeof text !== 'string' || text === '' || at < latest) return undefined;
    latest = at;
    samples.push([at, special[text] ?? Number(text)]);
  }
  return { labels: labels as Labels, samples };
}

const special: Readonly<Record<string, number>> = { '+Inf': Infinity, '-Inf': -Infinity };
