import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function chromiumPath(): string | undefined {
  return places.find((path) => existsSync(path));
}

export interface View {
  readonly width: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** A headless Chromium spoken to over a pipe (file descriptors 3 and 4, messages ended by NUL): no port, no client library. */
export class Chromium {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #to: Writable;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #session: string | undefined;
  #loaded: () => void = () => undefined;
  #last = 0;

  private constructor(path: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'pktcost-chromium-'));
    const flags = [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions'],
      ...['--disable-dev-shm-usage', '--proxy-server=127.0.0.1:9', '--remote-debugging-pipe'],
    ];
    this.#process = spawn(path, [...flags, `--user-data-dir=${this.#profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#to = this.#process.stdio[3] as Writable;
    this.#listen(this.#process.stdio[4] as Readable);
  }

  static async start(path: string): Promise<Chromium> {
    const browser = new Chromium(path);
    const { targetInfos } = await browser.#ask('Target.getTargets', {});
    const page = (targetInfos as { targetId: string; type: string }[]).find(({ type }) => type === 'page')!;
    const { sessionId } = await browser.#ask('Target.attachToTarget', { targetId: page.targetId, flatten: true });
    browser.#session = sessionId as string;
    await browser.#ask('Page.enable', {});
    return browser;
  }

  async show(url: string, { width, height = 900, scheme = 'light', media = 'screen' }: View): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    await this.#ask('Emulation.setDeviceMetricsOverride', metrics);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#ask('Emulation.setEmulatedMedia', { media, features });
    const loaded = new Promise<void>((resolve) => (this.#loaded = resolve));
    await this.#ask('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page; its CSP does not hold for what the debugger asks. */
  async ask(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#ask('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails).slice(0, 500));
    return (result as { value?: unknown }).value;
  }

  /** The whole page, however long, or so many pixels of it from `top` on, as a PNG. */
  async picture(cut?: { readonly top: number; readonly width: number; readonly height: number }): Promise<Buffer> {
    const clip =
      cut === undefined ? {} : { clip: { x: 0, y: cut.top, width: cut.width, height: cut.height, scale: 1 } };
    const { data } = await this.#ask('Page.captureScreenshot', { captureBeyondViewport: true, format: 'png', ...clip });
    return Buffer.from(data as string, 'base64');
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) =>
      this.#process.once('exit', () => {
        resolve();
      }),
    );
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#to.write(`${JSON.stringify({ id: ++this.#last, method: 'Browser.close' })}\0`);
      const late = setTimeout(() => this.#process.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #listen(from: Readable): void {
    let rest = Buffer.alloc(0);
    from.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.#hear(JSON.parse(rest.subarray(0, end).toString()) as Answer);
        rest = rest.subarray(end + 1);
      }
    });
    this.#process.once('exit', () => {
      for (const answer of this.#waiting.values()) answer({ error: { message: 'Chromium ended' } });
    });
  }

  #hear(message: Answer): void {
    if (message.method === 'Page.loadEventFired') this.#loaded();
    if (message.id === undefined) return;
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }

  async #ask(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      const session = this.#session === undefined ? {} : { sessionId: this.#session };
      this.#to.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }
}
